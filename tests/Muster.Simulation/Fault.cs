namespace Muster.Simulation;

/// <summary>A mistake that the simulation's own host makes on purpose, so that a test can see the checkers catch
/// it.</summary>
public enum Fault
{
    /// <summary>None: the host does what <see cref="Muster.Core.Rooms.Room"/> asks of it.</summary>
    None,
    /// <summary>A batch is shown though the store did not take it.</summary>
    ShowWithoutArchive,
    /// <summary>On resuming, a stanza that was not acknowledged is not sent again.</summary>
    LoseOnResume,
    /// <summary>On resuming, stanzas that the client has already are sent again.</summary>
    RepeatOnResume,
    /// <summary>One recipient gets two messages in the wrong order.</summary>
    SwapMessages,
    /// <summary>One recipient does not hear that somebody left.</summary>
    ForgetDeparture,
    /// <summary>A room that failed to store goes on as if nothing had happened.</summary>
    KeepFailedRoom,
}

/// <summary>What was found wrong, and when.</summary>
public sealed class SimulationException(string message) : Exception(message);
