using Muster.Protocol.Stanzas;
using static Muster.Core.Rosters.RosterSubscription;

namespace Muster.Core.Rosters;

/// <summary>Which way a subscription stanza crosses the server of the account whose state is looked at.</summary>
public enum Direction
{
    /// <summary>The user's client sent it to the contact.</summary>
    Outbound,
    /// <summary>The contact sent it to the user.</summary>
    Inbound,
}

/// <summary>Where the subscription between a user and a contact stands, from the user's side (RFC 6121 appendix
/// A.1).</summary>
/// <param name="Subscription">Who sees whose presence.</param>
/// <param name="PendingOut">The user asked to see the contact and has no answer yet.</param>
/// <param name="PendingIn">The contact asked to see the user and has no answer yet.</param>
/// <param name="Approved">The user approved a request of the contact before it came (RFC 6121 §3.4).</param>
public readonly record struct SubscriptionState(
    RosterSubscription Subscription, bool PendingOut = false, bool PendingIn = false, bool Approved = false)
{
    /// <summary>The user sees the contact's presence.</summary>
    public bool SeesContact => (Subscription & To) != 0;
    /// <summary>The contact sees the user's presence.</summary>
    public bool ShowsContact => (Subscription & From) != 0;

    /// <summary>True when the contact's item looks the same in the user's roster: a request of the contact that waits
    /// for an answer is not shown there.</summary>
    public bool LooksLike(SubscriptionState other) => this with { PendingIn = other.PendingIn } == other;
}

/// <summary>What the user's server sends to the contact about the user's presence because of a change.</summary>
public enum PresenceNotice
{
    /// <summary>Nothing.</summary>
    None,
    /// <summary>The available presence of each of the user's resources (RFC 6121 §3.1.5).</summary>
    Available,
    /// <summary>The end of the presence of each of them (RFC 6121 §3.2.2, §3.3.3).</summary>
    Unavailable,
}

/// <summary>What to do with a subscription stanza.</summary>
/// <param name="State">The new state.</param>
/// <param name="Pass">Whether the stanza goes on: outbound it is routed to the contact, inbound delivered to the
/// user.</param>
/// <param name="AutoReply">Whether the server answers the contact with <c>subscribed</c> in the user's name.</param>
/// <param name="Notice">What else the contact is sent.</param>
public readonly record struct SubscriptionOutcome(
    SubscriptionState State, bool Pass, bool AutoReply = false, PresenceNotice Notice = PresenceNotice.None);

/// <summary>RFC 6121 appendix A with the pre-approval of §3.4: what a subscription stanza does to the state between a
/// user and a contact. The two sides keep their states each for itself.</summary>
/// <remarks>
/// The appendix has a row for each of nine states; here each column is a rule on the three independent parts of the
/// state. Outbound requests are passed on even when they change nothing: so two servers whose states have drifted
/// apart find together again (RFC 6121 appendix A.2.1, A.2.2).
/// </remarks>
public static class SubscriptionTable
{
    /// <summary>Looks the stanza up. <paramref name="type"/> is one of the four subscription types; else
    /// <see cref="ArgumentOutOfRangeException"/>.</summary>
    public static SubscriptionOutcome Apply(SubscriptionState state, Direction direction, PresenceType type) =>
        (direction, type) switch
        {
            (Direction.Outbound, PresenceType.Subscribe) => Ask(state),
            (Direction.Outbound, PresenceType.Unsubscribe) => Leave(state),
            (Direction.Outbound, PresenceType.Subscribed) => Approve(state),
            (Direction.Outbound, PresenceType.Unsubscribed) => Revoke(state),
            (Direction.Inbound, PresenceType.Subscribe) => Asked(state),
            (Direction.Inbound, PresenceType.Unsubscribe) => Left(state),
            (Direction.Inbound, PresenceType.Subscribed) => Approved(state),
            (Direction.Inbound, PresenceType.Unsubscribed) => Revoked(state),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a subscription stanza"),
        };

    // Appendix A.2.1: always routed; who sees the contact already has nothing to wait for.
    static SubscriptionOutcome Ask(SubscriptionState state) =>
        new(state.SeesContact ? state : state with { PendingOut = true }, Pass: true);

    // Appendix A.2.2: always routed.
    static SubscriptionOutcome Leave(SubscriptionState state) => new(WithoutTo(state), Pass: true);

    static SubscriptionOutcome Approve(SubscriptionState state)
    {
        // Appendix A.2.3, §3.1.5: the answer to a request; the contact then learns the user's presence.
        if (state.PendingIn)
            return new(state with { Subscription = state.Subscription | From, PendingIn = false, Approved = false },
                Pass: true, Notice: PresenceNotice.Available);
        // §3.4.2: without a request it is kept for the one that may come, and goes nowhere.
        return new(state.ShowsContact ? state : state with { Approved = true }, Pass: false);
    }

    static SubscriptionOutcome Revoke(SubscriptionState state)
    {
        // Appendix A.2.4, §3.4.2: it takes back an approval given in advance too, of which the contact never knew.
        var after = WithoutFrom(state) with { Approved = false };
        return new(after, Pass: state.ShowsContact || state.PendingIn, Notice: NoticeOfEnd(state));
    }

    static SubscriptionOutcome Asked(SubscriptionState state)
    {
        // Appendix A.3.1, §3.1.3: who has the subscription gets the answer again, so that its server may catch up.
        if (state.ShowsContact) return new(state, Pass: false, AutoReply: true);
        // §3.4.3: approved in advance. The approval is used up: a subscription that ended later asks anew.
        if (state.Approved)
            return new(state with { Subscription = state.Subscription | From, Approved = false }, Pass: false,
                AutoReply: true, Notice: PresenceNotice.Available);
        // A request that waits already is not shown a second time.
        return new(state with { PendingIn = true }, Pass: !state.PendingIn);
    }

    // Appendix A.3.2.
    static SubscriptionOutcome Left(SubscriptionState state) =>
        new(WithoutFrom(state), Pass: state.ShowsContact || state.PendingIn, Notice: NoticeOfEnd(state));

    // Appendix A.3.3: an approval that nobody asked for is dropped.
    static SubscriptionOutcome Approved(SubscriptionState state) => state.PendingOut
        ? new(state with { Subscription = state.Subscription | To, PendingOut = false }, Pass: true)
        : new(state, Pass: false);

    // Appendix A.3.4.
    static SubscriptionOutcome Revoked(SubscriptionState state) =>
        new(WithoutTo(state), Pass: state.SeesContact || state.PendingOut);

    static SubscriptionState WithoutTo(SubscriptionState state) =>
        state with { Subscription = state.Subscription & ~To, PendingOut = false };

    static SubscriptionState WithoutFrom(SubscriptionState state) =>
        state with { Subscription = state.Subscription & ~From, PendingIn = false };

    static PresenceNotice NoticeOfEnd(SubscriptionState state) =>
        state.ShowsContact ? PresenceNotice.Unavailable : PresenceNotice.None;
}
