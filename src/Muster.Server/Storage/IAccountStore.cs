using Muster.Protocol.Addresses;

namespace Muster.Server.Storage;

/// <summary>An account as stored. Never a password: only what SCRAM needs to check one.</summary>
internal sealed record Account
{
    /// <summary>The bare JID.</summary>
    public required Jid Jid { get; init; }
    /// <summary>The serialised SCRAM-SHA-1 secret; null when there is none.</summary>
    public string? ScramSha1 { get; init; }
    /// <summary>The serialised SCRAM-SHA-256 secret; null when there is none.</summary>
    public string? ScramSha256 { get; init; }
    /// <summary>Whether logging in is refused.</summary>
    public bool Disabled { get; init; }
    /// <summary>When the account was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>When its last session ended (XEP-0012); null when it never had one.</summary>
    public DateTimeOffset? LastActiveAt { get; init; }
    /// <summary>The status text of the last unavailable presence (XEP-0012); "" for none.</summary>
    public string LastStatus { get; init; } = "";
}

/// <summary>The accounts of all domains of this server.</summary>
internal interface IAccountStore
{
    /// <summary>The account, or null.</summary>
    ValueTask<Account?> Find(Jid account, CancellationToken cancel = default);

    /// <summary>Adds it; false when the JID is taken.</summary>
    ValueTask<bool> TryAdd(Account account, CancellationToken cancel = default);

    /// <summary>
    /// Writes the secrets and <see cref="Account.Disabled"/>; false when there is no such account. The other columns
    /// are left alone, so that a new password and a logout at the same moment do not undo each other.
    /// </summary>
    ValueTask<bool> Update(Account account, CancellationToken cancel = default);

    /// <summary>Writes the last activity; false when there is no such account.</summary>
    ValueTask<bool> SetLastActivity(Jid account, DateTimeOffset at, string status, CancellationToken cancel = default);

    /// <summary>
    /// Removes the account and, in the same transaction, all that belongs to it: roster, offline messages, documents,
    /// invitations it made, its archive. False when there was none. Affiliations in rooms are the rooms' own.
    /// </summary>
    ValueTask<bool> Remove(Jid account, CancellationToken cancel = default);

    /// <summary>Up to <paramref name="max"/> accounts of a domain in order of their JIDs, those after a JID or from the
    /// first (<see cref="Jid.None"/>).</summary>
    ValueTask<IReadOnlyList<Account>> List(string domain, Jid after, int max, CancellationToken cancel = default);

    /// <summary>The number of accounts of a domain.</summary>
    ValueTask<long> Count(string domain, CancellationToken cancel = default);
}
