using Muster.Protocol.Addresses;
using Muster.Server.Sessions;
using Muster.Server.Storage;

namespace Muster.Server.Accounts;

/// <summary>Makes and checks invitations by link (XEP-0401, XEP-0379, XEP-0445).</summary>
/// <param name="store">Where they are kept.</param>
/// <param name="clock">The time.</param>
/// <param name="lifetime">How long one is good.</param>
/// <param name="openMax">How many of one account may be open.</param>
sealed class InviteBook(IInviteStore store, TimeProvider clock, Func<TimeSpan> lifetime, Func<int> openMax)
{
    /// <summary>144 bits: nobody guesses one.</summary>
    const int TokenLength = 24;

    /// <summary>Invites somebody to become a contact, with a new account if need be; null when too many of the
    /// inviter's are open.</summary>
    public ValueTask<Invite?> InviteContact(Jid inviter, CancellationToken cancel = default) =>
        Add(InviteKind.Contact, inviter, inviter, cancel);

    /// <summary>Invites somebody to make an account.</summary>
    /// <param name="target">The JID to make, or the domain where any name may be chosen.</param>
    /// <param name="inviter">Who becomes a contact of the new account; <see cref="Jid.None"/> for nobody.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <returns>Null when too many of the inviter's are open.</returns>
    public ValueTask<Invite?> InviteAccount(Jid target, Jid inviter, CancellationToken cancel = default) =>
        Add(InviteKind.Account, target, inviter, cancel);

    /// <summary>The invitation of a token that is good for registering at a domain now; else null.</summary>
    public async ValueTask<Invite?> FindForRegistration(string token, Jid domain, CancellationToken cancel = default) =>
        await store.Find(token, cancel) is { } invite && IsOpen(invite)
            && invite.Target.Domain.SequenceEqual(domain.Domain)
            ? invite
            : null;

    /// <summary>Takes one use of an invitation that was good at a moment, which may lie back (XEP-0445 §4).</summary>
    public ValueTask<Invite?> Use(string token, DateTimeOffset goodAt, CancellationToken cancel = default) =>
        store.TryUse(token, goodAt, cancel);

    /// <summary>Gives a use back, as what it was taken for did not happen.</summary>
    public ValueTask GiveBack(string token, CancellationToken cancel = default) => store.GiveBack(token, cancel);

    /// <summary>Takes one use of an invitation to become a contact of an account (XEP-0379 §3.4); false when the token
    /// is not one of its own.</summary>
    public async ValueTask<bool> TryAccept(string token, Jid inviter, CancellationToken cancel = default) =>
        await store.Find(token, cancel) is { Kind: InviteKind.Contact } invite && invite.Inviter == inviter &&
        await store.TryUse(token, clock.GetUtcNow(), cancel) is not null;

    /// <summary>Whether an open invitation keeps this name for whoever holds its token (XEP-0401 §6.2).</summary>
    public ValueTask<bool> IsReserved(Jid account, CancellationToken cancel = default) =>
        store.IsReserved(account, clock.GetUtcNow(), cancel);

    /// <summary>Forgets those that are no longer good.</summary>
    public async ValueTask RemoveExpired(CancellationToken cancel) =>
        await store.RemoveExpired(clock.GetUtcNow(), cancel);

    /// <summary>The link of an invitation (XEP-0401 §5.1, §5.4).</summary>
    public static string ToUri(Invite invite) => invite.Kind == InviteKind.Account
        ? $"xmpp:{Escape(invite.Target)}?register;preauth={invite.Token}"
        : $"xmpp:{Escape(invite.Target)}?roster;preauth={invite.Token};ibr=y";

    async ValueTask<Invite?> Add(InviteKind kind, Jid target, Jid inviter, CancellationToken cancel)
    {
        int max = openMax();
        if (!inviter.IsNone && (await store.List(inviter, 4 * max, cancel)).Count(IsOpen) >= max) return null;
        var now = clock.GetUtcNow();
        var invite = new Invite
        {
            Token = RandomText.Create(TokenLength),
            Kind = kind,
            Inviter = inviter,
            Target = target,
            CreatedAt = now,
            ExpiresAt = now + lifetime(),
        };
        return await store.TryAdd(invite, cancel) ? invite : null;
    }

    bool IsOpen(Invite invite) => invite.UsesLeft > 0 && invite.ExpiresAt > clock.GetUtcNow();

    // RFC 5122 §2.2: everything but unreserved characters is percent-encoded, the at-sign between the parts is not.
    static string Escape(Jid jid) => jid.HasLocal
        ? $"{Uri.EscapeDataString(jid.Local.ToString())}@{Uri.EscapeDataString(jid.Domain.ToString())}"
        : Uri.EscapeDataString(jid.Domain.ToString());
}
