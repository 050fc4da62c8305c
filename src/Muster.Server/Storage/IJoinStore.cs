using Muster.Protocol.Addresses;

namespace Muster.Server.Storage;

/// <summary>A session is in a room of another server, or is not any more.</summary>
/// <param name="Session">Its full JID.</param>
/// <param name="Room">The room.</param>
/// <param name="Occupant">Its address in the room; <see cref="Jid.None"/> when it is not in it any more.</param>
internal readonly record struct StoredJoin(Jid Session, Jid Room, Jid Occupant);

/// <summary>
/// Which sessions are in which rooms of other servers. What a process leaves behind here, the next one settles: so that
/// nobody stays in a room as a ghost.
/// </summary>
internal interface IJoinStore
{
    /// <summary>Sets where sessions are; of several changes of one session and room the last one counts.</summary>
    ValueTask Change(IReadOnlyList<StoredJoin> changes, CancellationToken cancel = default);

    /// <summary>All that are in a room.</summary>
    ValueTask<IReadOnlyList<StoredJoin>> Load(CancellationToken cancel = default);
}
