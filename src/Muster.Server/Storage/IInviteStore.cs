using Muster.Protocol.Addresses;

namespace Muster.Server.Storage;

/// <summary>What an invitation is good for. The numbers are on disk: frozen by a test.</summary>
internal enum InviteKind
{
    /// <summary>Making an account (XEP-0401).</summary>
    Account = 1,
    /// <summary>Becoming the inviter's contact, with a new account if need be (XEP-0379, XEP-0401).</summary>
    Contact = 2,
    /// <summary>Entering a room, with a new account if need be.</summary>
    Room = 3,
}

/// <summary>An invitation by link.</summary>
internal sealed record Invite
{
    /// <summary>The secret part of the link.</summary>
    public required string Token { get; init; }
    /// <summary>What it is good for.</summary>
    public required InviteKind Kind { get; init; }
    /// <summary>The account that invites; <see cref="Jid.None"/> when the operator does.</summary>
    public Jid Inviter { get; init; }
    /// <summary>The domain or the very JID of the account to make, the contact, or the room.</summary>
    public required Jid Target { get; init; }
    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>From when it is no longer good.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
    /// <summary>How often it may still be used.</summary>
    public int UsesLeft { get; init; } = 1;
}

/// <summary>The invitations that are open.</summary>
internal interface IInviteStore
{
    /// <summary>Adds; false when the token is taken. <see cref="StorageFault.Conflict"/> when the inviter is given and
    /// is no account.</summary>
    ValueTask<bool> TryAdd(Invite invite, CancellationToken cancel = default);

    /// <summary>The invitation, used up and expired ones included, or null.</summary>
    ValueTask<Invite?> Find(string token, CancellationToken cancel = default);

    /// <summary>Takes one use and returns the invitation as it is afterwards; null when unknown, expired or used up.
    /// Of two at once for the last use one gets null.</summary>
    ValueTask<Invite?> TryUse(string token, DateTimeOffset now, CancellationToken cancel = default);

    /// <summary>Gives one use back, when what it was taken for did not happen.</summary>
    ValueTask GiveBack(string token, CancellationToken cancel = default);

    /// <summary>Whether an invitation that is still good is for making exactly this account.</summary>
    ValueTask<bool> IsReserved(Jid account, DateTimeOffset now, CancellationToken cancel = default);

    /// <summary>Removes; false when there was none.</summary>
    ValueTask<bool> Remove(string token, CancellationToken cancel = default);

    /// <summary>Up to <paramref name="max"/> invitations of an inviter (<see cref="Jid.None"/>: the operator), newest
    /// first.</summary>
    ValueTask<IReadOnlyList<Invite>> List(Jid inviter, int max, CancellationToken cancel = default);

    /// <summary>Removes those that expired before a time; returns how many.</summary>
    ValueTask<int> RemoveExpired(DateTimeOffset now, CancellationToken cancel = default);
}
