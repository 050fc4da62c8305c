namespace Muster.Simulation;

/// <summary>A mistake that the simulation's own host makes on purpose, so that a test can see the checkers catch
/// it.</summary>
public enum Fault
{
    /// <summary>None: the host does what <see cref="Muster.Core.Rooms.Room"/> and
    /// <see cref="Muster.Core.Sessions.Session"/> ask of it.</summary>
    None,
    /// <summary>A batch is shown though it was not stored.</summary>
    ShowWithoutArchive,
    /// <summary>One recipient gets two messages in the wrong order.</summary>
    SwapMessages,
    /// <summary>One recipient does not hear that somebody left.</summary>
    ForgetDeparture,
    /// <summary>A room that failed to store goes on as if nothing had happened.</summary>
    KeepFailedRoom,
    /// <summary>On resuming, one stanza that was not acknowledged is not sent again.</summary>
    LoseOnResume,
    /// <summary>On resuming, stanzas that the client has already are sent again.</summary>
    RepeatOnResume,
    /// <summary>A session that ends does not tell the rooms that it was in.</summary>
    EndInSilence,
    /// <summary>A request for an acknowledgement is answered before what it counts is stored.</summary>
    AckBeforeStored,
    /// <summary>A stanza to another place is taken before those to rooms are stored.</summary>
    TakeOutOfTurn,
    /// <summary>A room stores messages without the counts of those who sent them.</summary>
    StoreWithoutCount,
    /// <summary>A message that waits for its sender's turn counts as stored.</summary>
    CountPostponed,
    /// <summary>The count of an ended session is forgotten when it has been told, whether the answer arrives or
    /// not.</summary>
    TellCountOnce,
    /// <summary>A planned restart loses the newest stanza of each queue.</summary>
    LoseOnRestart,
    /// <summary>A planned restart forgets who was inside the rooms.</summary>
    ForgetOccupants,
    /// <summary>A planned restart forgets where the sessions' presence went.</summary>
    ForgetDirected,
    /// <summary>A planned restart has the occupants leave whose sessions go on.</summary>
    LeaveOnRestart,

    // Between two servers.

    /// <summary>The end of a stream with another server raises no doubt about its rooms.</summary>
    ForgetStreamEnd,
    /// <summary>A room's word that the session is not inside is taken for the opposite.</summary>
    MisjudgePing,
    /// <summary>A client is not told that it has dropped out.</summary>
    DropInSilence,
    /// <summary>A process does not know in which rooms of other servers the sessions are that it takes up.</summary>
    ForgetJoins,
    /// <summary>On resuming a stream between servers, one stanza that was not acknowledged is not sent again.</summary>
    LoseOnPeerResume,
    /// <summary>On resuming a stream between servers, a stanza is sent again twice.</summary>
    RepeatOnPeerResume,
}

/// <summary>Where a mistake is made.</summary>
public static class FaultPlace
{
    /// <summary>Whether it takes two servers to make it.</summary>
    public static bool IsBetweenServers(this Fault fault) => fault >= Fault.ForgetStreamEnd;
}

/// <summary>What was found wrong, and when.</summary>
public sealed class SimulationException(string message) : Exception(message);
