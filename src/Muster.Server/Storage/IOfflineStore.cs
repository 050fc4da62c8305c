using Muster.Protocol.Addresses;

namespace Muster.Server.Storage;

/// <summary>A message that waits for its account.</summary>
/// <param name="Id">Grows with each message of the account.</param>
/// <param name="ReceivedAt">For the delay stamp (XEP-0203).</param>
/// <param name="Stanza">The stanza, UTF-8.</param>
internal sealed record OfflineMessage(long Id, DateTimeOffset ReceivedAt, ReadOnlyMemory<byte> Stanza);

/// <summary>What became of a message for the offline store.</summary>
internal enum OfflineAppend
{
    /// <summary>It is stored.</summary>
    Stored,
    /// <summary>The account has as many as it may.</summary>
    Full,
    /// <summary>There is no such account.</summary>
    NoAccount,
}

/// <summary>Messages that wait for accounts without an available session (RFC 6121 §8.5.2.2).</summary>
internal interface IOfflineStore
{
    /// <summary>Appends unless <paramref name="max"/> messages wait already.</summary>
    ValueTask<OfflineAppend> TryAppend(Jid account, ReadOnlyMemory<byte> stanza, DateTimeOffset receivedAt, int max,
        CancellationToken cancel = default);

    /// <summary>Up to <paramref name="max"/> messages after an id (0: from the first), oldest first. Nothing is
    /// removed: see <see cref="Remove"/>, to be called when they have been delivered.</summary>
    ValueTask<IReadOnlyList<OfflineMessage>> Load(
        Jid account, long afterId, int max, CancellationToken cancel = default);

    /// <summary>Removes all up to and including an id; returns how many.</summary>
    ValueTask<int> Remove(Jid account, long upToId, CancellationToken cancel = default);

    /// <summary>How many wait.</summary>
    ValueTask<int> Count(Jid account, CancellationToken cancel = default);
}
