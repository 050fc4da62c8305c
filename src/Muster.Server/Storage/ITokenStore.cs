using Muster.Protocol.Addresses;

namespace Muster.Server.Storage;

/// <summary>A token with which a client of an account logs in again (XEP-0484), as stored: without what makes it a
/// secret.</summary>
internal sealed record StoredToken
{
    /// <summary>Stands for the client installation.</summary>
    public required string Client { get; init; }
    /// <summary>True while it has not been used: the one that it shall replace is good still.</summary>
    public bool IsFresh { get; init; }
    /// <summary>The mechanism that it is good for.</summary>
    public required string Mechanism { get; init; }
    /// <summary>Random bytes that make it differ from all others.</summary>
    public required ReadOnlyMemory<byte> Seed { get; init; }
    /// <summary>When it was given out.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>From when it is no longer good.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
    /// <summary>The highest count that the client has told with it; -1 before the first.</summary>
    public long LastCount { get; init; } = -1;
}

/// <summary>The tokens of clients: of each client of an account one that is in use and one that is fresh, at most
/// (XEP-0484 §impl-tokens). They go with the account.</summary>
internal interface ITokenStore
{
    /// <summary>The tokens of a client, the fresh one first; expired ones included.</summary>
    ValueTask<IReadOnlyList<StoredToken>> Find(Jid account, string client, CancellationToken cancel = default);

    /// <summary>Adds a fresh token, in the place of a fresh one that there was. When more than <paramref name="max"/>
    /// clients have tokens then, those lose theirs who got them the longest time ago.
    /// <see cref="StorageFault.Conflict"/> when there is no such account.</summary>
    /// <returns>How many clients lost theirs.</returns>
    ValueTask<int> Issue(Jid account, StoredToken token, int max, CancellationToken cancel = default);

    /// <summary>Notes a login with a token, which is found by its client and seed: it is in use from now on, and one
    /// that was in use before it is gone.</summary>
    /// <param name="account">The account.</param>
    /// <param name="token">The token.</param>
    /// <param name="count">The client's count, which is kept; null when it told none.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <returns>False when it is not there any more, or the count is not higher than the last. Of two at once with the
    /// same count one gets false.</returns>
    ValueTask<bool> TryUse(Jid account, StoredToken token, long? count, CancellationToken cancel = default);

    /// <summary>Removes the tokens of a client (null: of all clients of the account); returns how many there
    /// were.</summary>
    ValueTask<int> Remove(Jid account, string? client, CancellationToken cancel = default);

    /// <summary>Removes those that expired before a time; returns how many.</summary>
    ValueTask<int> RemoveExpired(DateTimeOffset now, CancellationToken cancel = default);
}
