using Muster.Protocol.Addresses;

namespace Muster.Server.Storage;

/// <summary>How many stanzas of a client are dealt with (XEP-0198 §4). Stored in one transaction with the last of them,
/// so that after a crash the client is told exactly what has arrived.</summary>
/// <param name="Token">Which session: what it is resumed with.</param>
/// <param name="Handled">The count, modulo 2^32.</param>
internal readonly record struct StoredCount(string Token, uint Handled);

/// <summary>A session that outlives the process.</summary>
/// <param name="Account">Whose.</param>
/// <param name="Count">Its token and count.</param>
/// <param name="State">Everything else, in the caller's format.</param>
internal sealed record StoredSession(Jid Account, StoredCount Count, ReadOnlyMemory<byte> State);

/// <summary>Who was inside a room when the process ended; or what a room service as such had to do still.</summary>
/// <param name="Room">The room, or the service.</param>
/// <param name="State">The occupants, or what is to be done, in the caller's format.</param>
internal sealed record StoredOccupants(Jid Room, ReadOnlyMemory<byte> State);

/// <summary>
/// The sessions that can be resumed. While the process runs, only their counts are kept here; when it ends in order,
/// all of them and the occupants of all rooms.
/// </summary>
internal interface ISessionStore
{
    /// <summary>A session can be resumed from now on. <see cref="StorageFault.Conflict"/> when there is no such
    /// account.</summary>
    ValueTask Begin(Jid account, string token, CancellationToken cancel = default);

    /// <summary>Sets a count; nothing when the session is not there, or a later count is (modulo 2^32).</summary>
    ValueTask Keep(StoredCount count, CancellationToken cancel = default);

    /// <summary>The session is over, but its count is still told; of the account's ended sessions only the newest are
    /// kept.</summary>
    /// <param name="count">The session.</param>
    /// <param name="at">When it ended.</param>
    /// <param name="keptMax">How many of the account.</param>
    /// <param name="cancel">Cancels the waiting.</param>
    ValueTask End(StoredCount count, DateTimeOffset at, int keptMax, CancellationToken cancel = default);

    /// <summary>Forgets a session.</summary>
    ValueTask Remove(string token, CancellationToken cancel = default);

    /// <summary>The count of an ended session; null when the account has no such session, or it ended before
    /// <paramref name="since"/>. It stays: the answer may be lost with a connection, and the client may ask
    /// again.</summary>
    ValueTask<uint?> FindEnded(Jid account, string token, DateTimeOffset since, CancellationToken cancel = default);

    /// <summary>Forgets sessions that ended before a time; returns how many.</summary>
    ValueTask<int> RemoveEnded(DateTimeOffset before, CancellationToken cancel = default);

    /// <summary>Keeps some of what must outlive the process. To be called while it ends, as often as needed, and
    /// completed with <see cref="Complete"/>: without that the next start takes the end for a crash.</summary>
    ValueTask Save(IReadOnlyList<StoredSession> sessions, IReadOnlyList<StoredOccupants> rooms,
        CancellationToken cancel = default);

    /// <summary>All is saved: the next start goes on from it.</summary>
    ValueTask Complete(CancellationToken cancel = default);

    /// <summary>
    /// To be called once at the start. After an end in order: the sessions saved, which are alive again; the occupants
    /// of rooms are then there for <see cref="TakeOccupants"/>. After a crash: nothing, and all sessions ended now.
    /// </summary>
    ValueTask<IReadOnlyList<StoredSession>> Start(DateTimeOffset now, CancellationToken cancel = default);

    /// <summary>Who was inside a room; forgotten with that. Null when nobody was.</summary>
    ValueTask<StoredOccupants?> TakeOccupants(Jid room, CancellationToken cancel = default);

    /// <summary>The rooms that somebody was inside, of which <see cref="TakeOccupants"/> has not been called.</summary>
    ValueTask<IReadOnlyList<Jid>> RoomsWithOccupants(CancellationToken cancel = default);
}
