using System.Globalization;
using Muster.Core.Rosters;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;
using Muster.Server.Telemetry;

namespace Muster.Server.Routing;

// RFC 6121 §2.1.6, §2.5, §3: who may see whom, and the rosters that say so.
sealed partial class LocalDomain
{
    /// <summary>Bytes of a waiting request kept with all its content; of a longer one only the request is
    /// kept.</summary>
    const int RequestBytesMax = 4096;

    static readonly StanzaError RosterFull = StanzaError.ResourceConstraint.WithText("the roster is full");

    /// <summary>A subscription stanza from a client (§3.1.2, §3.1.5, §3.2.2, §3.3.2, §3.4.2).</summary>
    async ValueTask TakeSubscription(Session session, Presence presence)
    {
        // §3.1.2: between accounts, whatever resources were named.
        Jid account = session.Account, contact = presence.To.Bare;
        if (contact == account) return; // one sees one's own resources anyway
        SubscriptionOutcome outcome;
        bool full;
        using (var turn = await _accounts.Take(account))
        {
            if (!turn.Exists) return;
            var item = turn.State.Roster.Find(contact) ?? new RosterItem { Jid = contact, Listed = false };
            outcome = SubscriptionTable.Apply(item.State, Direction.Outbound, presence.Type);
            // §3.1.2, §3.1.5, §3.4.2: asking and approving put the contact into the roster.
            bool lists = presence.Type == PresenceType.Subscribe ||
                (presence.Type == PresenceType.Subscribed && outcome.State != default);
            full = lists && !item.Listed && IsFull(turn.State.Roster);
            if (!full) await Store(turn, item, outcome.State, item.Listed || lists);
        }
        if (full)
        {
            _meters.LimitReached("roster");
            await Refuse(presence, RosterFull);
            return;
        }
        // §3.2.2: the end of the presence comes while the contact still sees it.
        if (outcome.Notice == PresenceNotice.Unavailable) await TellEnd(account, contact);
        if (outcome.Pass) await _router.Route(presence.Readdressed(account, contact));
        if (outcome.Notice == PresenceNotice.Available) await Tell(account, contact);
    }

    /// <summary>A subscription stanza from a contact (§3.1.3, §3.1.6, §3.2.3, §3.3.3, §3.4.3).</summary>
    async ValueTask ReceiveSubscription(Presence presence)
    {
        Jid account = presence.To.Bare, contact = presence.From.Bare;
        if (contact == account) return;
        SubscriptionOutcome outcome;
        bool asksBack = false;
        using (var turn = await _accounts.Take(account))
        {
            // §8.5.1: for an account that does not exist, silence; it is also what one that keeps to itself would give.
            // XEP-0191 §3.3: and what somebody gets who is blocked.
            if (!turn.Exists || turn.State.Blocked.Blocks(presence.From)) return;
            var item = turn.State.Roster.Find(contact) ?? new RosterItem { Jid = contact, Listed = false };
            var state = item.State;
            bool invited = presence.Type == PresenceType.Subscribe && !state.ShowsContact
                && !IsFull(turn.State.Roster) && await IsInvited(account, presence);
            outcome = SubscriptionTable.Apply(state with { Approved = state.Approved || invited },
                Direction.Inbound, presence.Type);
            if (invited && !state.SeesContact)
            {
                // XEP-0379 §3.5: who invited wants to see the guest as well.
                asksBack = true;
                outcome = outcome with
                {
                    State = SubscriptionTable.Apply(outcome.State, Direction.Outbound, PresenceType.Subscribe).State,
                };
            }
            if (outcome.State.PendingIn && !state.PendingIn && HasTooManyRequests(turn)) return;
            var stamped = (Presence)presence.Readdressed(contact, account);
            // §3.1.6, §3.2.3, §3.3.3: the stanza comes before the push that shows what it did.
            if (outcome.Pass) DeliverSubscription(turn, stamped);
            await Store(turn, item, outcome.State, item.Listed || invited, stamped);
        }
        if (outcome.AutoReply)
        {
            await _router.Route(new Presence(PresenceType.Subscribed, account, contact, presence.Id));
        }
        if (outcome.Notice == PresenceNotice.Available) await Tell(account, contact);
        else if (outcome.Notice == PresenceNotice.Unavailable) await TellEnd(account, contact);
        if (asksBack) await _router.Route(new Presence(PresenceType.Subscribe, account, contact, null));
    }

    /// <summary>Takes a contact out of a roster and ends all subscriptions with it (§2.5).</summary>
    /// <returns>False when it was not there.</returns>
    public async ValueTask<bool> RemoveContact(Jid account, Jid contact)
    {
        SubscriptionState state;
        using (var turn = await _accounts.Take(account))
        {
            if (turn.State.Roster.Find(contact) is not { Listed: true } item) return false;
            state = item.State;
            long version = await turn.Remove(contact);
            PushRoster(turn, new Element(Namespaces.Roster, "item")
                .With("jid", contact.ToString()).With("subscription", "remove"), version);
        }
        await EndSubscriptions(account, contact, state);
        return true;
    }

    async ValueTask EndAllSubscriptions(Jid account)
    {
        var state = await _accounts.Load(account);
        foreach (var item in state?.Roster.Items ?? []) await EndSubscriptions(account, item.Jid, item.State);
    }

    /// <summary>Removes an account with all that belongs to it. Its sessions are the caller's to end, by
    /// <see cref="EndAll"/>.</summary>
    public async ValueTask RemoveAccount(Jid account)
    {
        // XEP-0077 §3.2: subscriptions end first, while there is still somebody to end them.
        await EndAllSubscriptions(account);
        using (await _accounts.TakeTurn(account)) await _accounts.Database.Accounts.Remove(account);
    }

    /// <summary>Makes a contact of an account that sees it and is seen, without asking either: the outcome of an
    /// invitation that one wrote and the other accepted (XEP-0401 §5.5).</summary>
    public async ValueTask Befriend(Jid account, Jid contact)
    {
        using var turn = await _accounts.Take(account);
        if (!turn.Exists) return;
        var item = turn.State.Roster.Find(contact) ?? new RosterItem { Jid = contact, Listed = false };
        await Store(turn, item, new SubscriptionState(RosterSubscription.Both), listed: true);
    }

    /// <summary>Tells the user's interested resources what has become of an item (§2.1.6). In the account's turn, so
    /// that the pushes come in the order of their versions.</summary>
    public void PushRoster(AccountTurn turn, Element item, long version)
    {
        foreach (var session in turn.Sessions)
            if (session.IsInterested)
                Push(session, new Element(Namespaces.Roster, "query", item)
                    .With("ver", version.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>Sends a client a request in the name of its own account, of which the answer does not matter.</summary>
    public void Push(Session session, Element payload)
    {
        string id = string.Create(CultureInfo.InvariantCulture, $"push{Interlocked.Increment(ref _pushes)}");
        session.Deliver(new Iq(IqType.Set, session.Account, session.Jid, id, payload));
    }

    /// <summary>Sends an address the presence of each available resource (§3.1.5).</summary>
    public async ValueTask Tell(Jid account, Jid to)
    {
        if (_sessions.Find(account) is { } online) await TellPresence(online, to);
    }

    /// <summary>Sends an address the end of the presence of each available resource (§3.2.2, §3.3.3).</summary>
    public async ValueTask TellEnd(Jid account, Jid to)
    {
        foreach (var session in _sessions.Find(account)?.Snapshot ?? [])
            if (session.Available is not null)
                await _router.Route(new Presence(PresenceType.Unavailable, session.Jid, to, null));
    }

    bool IsFull(Roster roster) => roster.ListedCount >= Limits.RosterItemsMax;

    async ValueTask Store(
        AccountTurn turn, RosterItem before, SubscriptionState state, bool listed, Presence? request = null)
    {
        var after = before with
        {
            Subscription = state.Subscription,
            PendingOut = state.PendingOut,
            Approved = state.Approved,
            PendingIn = state.PendingIn ? before.PendingIn ?? ToStored(request) : default(ReadOnlyMemory<byte>?),
            Listed = listed,
        };
        if (after == before) return;
        long version = await turn.Save(after);
        // Appendix A.1: a request that waits is not in the roster, so its coming and going is no change there.
        if (listed && (!before.Listed || !before.State.LooksLike(state))) PushRoster(turn, after.ToElement(), version);
    }

    // §3.1.3: kept whole, with what the contact wrote; but a flood of long requests must not fill the store.
    static ReadOnlyMemory<byte> ToStored(Presence? request)
    {
        if (request is null) return default;
        byte[] bytes = StoredXml.ToBytes(request);
        return bytes.Length <= RequestBytesMax ? bytes : StoredXml.ToBytes(request.WithContent());
    }

    // §3.1.3: a request goes to all available resources; the other three to those that have the roster (§3.1.6, §3.2.3,
    // §3.3.3).
    static void DeliverSubscription(AccountTurn turn, Presence presence)
    {
        foreach (var session in turn.Sessions)
            if (presence.Type == PresenceType.Subscribe ? session.Available is not null : session.IsInterested)
                session.Deliver(presence);
    }

    async ValueTask EndSubscriptions(Jid account, Jid contact, SubscriptionState state)
    {
        if (state.ShowsContact) await TellEnd(account, contact);
        if (state.ShowsContact || state.PendingIn)
            await _router.Route(new Presence(PresenceType.Unsubscribed, account, contact, null));
        if (state.SeesContact || state.PendingOut)
            await _router.Route(new Presence(PresenceType.Unsubscribe, account, contact, null));
    }

    async ValueTask<bool> IsInvited(Jid account, Presence request)
    {
        foreach (var approves in _approvals)
            if (await approves(account, request)) return true;
        return false;
    }

    bool HasTooManyRequests(AccountTurn turn)
    {
        int waiting = turn.State.Roster.Items.Count(static item => item.PendingIn is not null);
        if (waiting < Limits.SubscriptionRequestsMax) return false;
        _meters.RequestDropped();
        AccountsLog.TooManyRequests(_log, turn.Account, Limits.SubscriptionRequestsMax);
        return true;
    }
}
