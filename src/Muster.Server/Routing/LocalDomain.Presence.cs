using Muster.Core.Routing;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Routing;

// RFC 6121 §4: who learns that a resource is there.
sealed partial class LocalDomain
{
    /// <summary>Presence without an address: to all who may see it (§4.2, §4.4, §4.5).</summary>
    ValueTask TakeOwnPresence(Session session, Presence presence) => presence.Type switch
    {
        PresenceType.Available => BecomeAvailable(session, presence),
        PresenceType.Unavailable => TakeUnavailable(session, presence),
        PresenceType.Error or PresenceType.Probe => default,
        // §3.1.1: a subscription is with somebody.
        _ => _router.Refuse(
            presence.Readdressed(presence.From, session.Account),
            StanzaError.BadRequest.WithText("a subscription stanza needs an address")),
    };

    /// <summary>Presence with an address: a subscription stanza, or directed presence (§4.6).</summary>
    ValueTask TakePresence(Session session, Presence presence)
    {
        if (presence.IsSubscription) return TakeSubscription(session, presence);
        if (presence.Type is not (PresenceType.Available or PresenceType.Unavailable)) return _router.Route(presence);
        // §4.6.3: whoever got it must hear of its end: rooms rely on that.
        if (session.TrackDirected(presence, Limits.DirectedPresencesMax))
        {
            _joins.Sent(session, presence);
            return _router.Route(presence);
        }
        _meters.LimitReached("directed");
        return Refuse(presence, StanzaError.ResourceConstraint.WithText(
            $"a session may send its presence to {Limits.DirectedPresencesMax} addresses"));
    }

    async ValueTask BecomeAvailable(Session session, Presence presence)
    {
        var before = session.Available;
        // XEP-0160 §2: what waits is handed over before the first new message can arrive, so it stays in order.
        bool takesMessages = presence.Priority >= 0 && (before is null || session.Priority < 0);
        if (takesMessages) await HandOver(session, presence);
        if (_sessions.Find(session.Account) is not { } online) return; // it has ended meanwhile
        AccountState state;
        // In the turn, so that a request that comes now is either in the state or finds the resource available.
        using (await _accounts.TakeTurn(session.Account))
        {
            session.SetPresence(presence);
            state = online.State;
        }
        await Broadcast(session, presence, state);
        if (before is not null) return;
        await Greet(session, online, state);
        foreach (var step in _firstAvailable) await step(session, presence);
    }

    async ValueTask TakeUnavailable(Session session, Presence presence)
    {
        var state = await _accounts.Load(session.Account) ?? AccountState.Empty;
        await BecomeUnavailable(session, presence, state);
    }

    /// <summary>§4.5: the resource is gone for all who saw it. The session may go on without presence.</summary>
    async ValueTask BecomeUnavailable(Session session, Presence presence, AccountState state)
    {
        bool wasAvailable = session.Available is not null;
        session.SetPresence(null);
        var directed = session.TakeDirected();
        _joins.Gone(session);
        if (wasAvailable)
        {
            await Broadcast(session, presence, state);
            await StoreLastActivity(session, presence);
        }
        foreach (var to in directed)
        {
            // Who is told as a subscriber is not told twice.
            if (wasAvailable && to.IsBare && state.Roster.StateOf(to).ShowsContact) continue;
            await _router.Route(presence.Readdressed(session.Jid, to));
        }
    }

    /// <summary>Takes back what a session showed that had ended already; whoever saw the end before sees it
    /// twice.</summary>
    async ValueTask Retract(Session session, Presence shown)
    {
        var end = new Presence(PresenceType.Unavailable, session.Jid, shown.To, null);
        session.SetPresence(null);
        session.TakeDirected();
        if (!shown.To.IsNone) await _router.Route(end);
        else await Broadcast(session, end, await _accounts.Load(session.Account) ?? AccountState.Empty);
    }

    // Serialised once for everybody of this process.
    async ValueTask Broadcast(Session session, Presence presence, AccountState state)
    {
        var stamped = presence.Readdressed(session.Jid, Jid.None);
        var shared = SharedStanza.From(stamped);
        foreach (var contact in state.Roster.Subscribers.ToArray())
        {
            if (session.IsBlocked(contact)) continue;
            if (Serves(contact)) DeliverToAvailable(shared, contact, session);
            else await _router.Route(stamped.Readdressed(session.Jid, contact));
        }
        // §4.2.2, §4.4.2: the user's own resources, this one included, see each other without a subscription.
        DeliverToAvailable(shared, session.Account, session);
        // §4.5.2: the one that has just become unavailable is told as well.
        if (presence.Type == PresenceType.Unavailable) session.Deliver(shared, session.Account);
    }

    /// <summary>What a resource that has become available must learn: who of its contacts is there (§4.3), what waits
    /// for the user's answer (§3.1.3), and the user's other resources.</summary>
    async ValueTask Greet(Session session, AccountSessions online, AccountState state)
    {
        foreach (var other in online.Snapshot)
            if (other != session && other.Available is { } presence)
                session.Deliver(presence.Readdressed(other.Jid, session.Account));
        await Probe(session, state.Roster.Publishers.ToArray());
        foreach (var item in state.Roster.Items)
        {
            if (item.PendingIn is not { } bytes || session.IsBlocked(item.Jid)) continue;
            var request = StoredXml.ToStanza(bytes) as Presence ??
                new Presence(PresenceType.Subscribe, item.Jid, session.Account, null);
            session.Deliver(request.Readdressed(item.Jid, session.Account));
        }
    }

    /// <summary>Asks for the presence of contacts in the name of a resource (§4.3.1).</summary>
    public async ValueTask Probe(Session session, IReadOnlyList<Jid> contacts)
    {
        foreach (var contact in contacts)
        {
            if (session.IsBlocked(contact)) continue;
            if (!Serves(contact))
                await _router.Route(new Presence(PresenceType.Probe, session.Jid, contact, null));
            // A contact of this process that has no session is unavailable, which is what the client assumes: no
            // answer.
            else if (_sessions.Find(contact) is { } online && MaySee(session.Jid, online))
                await TellPresence(online, session.Jid);
        }
    }

    /// <summary>Presence that arrives for an account.</summary>
    ValueTask RoutePresence(Presence presence)
    {
        var session = presence.To.IsFull ? _sessions.FindSession(presence.To) : null;
        switch (DeliveryRules.Presence(presence.Type, RecipientOf(presence.To, session)))
        {
            case Delivery.Session:
                if (!_joins.Received(session!, presence)) session!.Deliver(presence);
                return default;
            case Delivery.Available:
                if (HasAvailable(_sessions.Find(presence.To)))
                    DeliverToAvailable(SharedStanza.From(presence), presence.To, sender: null);
                return default;
            case Delivery.Subscription:
                return ReceiveSubscription(presence);
            case Delivery.Probe:
                return ReceiveProbe(presence);
            default:
                return default;
        }
    }

    /// <summary>§4.3.2: what a probe is answered with.</summary>
    async ValueTask ReceiveProbe(Presence probe)
    {
        var account = probe.To.Bare;
        var state = await _accounts.Load(account);
        bool isOwn = probe.From.SameBare(account);
        // XEP-0191 §3.3: who is blocked gets no answer at all.
        if (state is not null && state.Blocked.Blocks(probe.From) && !isOwn) return;
        // §4.6: whoever got directed presence of a resource may ask that resource.
        if (probe.To.IsFull && _sessions.FindSession(probe.To) is { } asked && asked.HasDirectedTo(probe.From))
        {
            var shown = asked.Available ?? new Presence(PresenceType.Available, asked.Jid, Jid.None, null);
            await _router.Route(shown.Readdressed(asked.Jid, probe.From));
            return;
        }
        if (state is null || (!isOwn && !state.Roster.StateOf(probe.From).ShowsContact))
        {
            // §4.3.2 1: the same for an account that does not exist. From the bare JID, as the subscription was with
            // it.
            await _router.Route(new Presence(PresenceType.Unsubscribed, account, probe.From.Bare, null));
            return;
        }
        if (_sessions.Find(account) is { } online && await TellPresence(online, probe.From)) return;
        await _router.Route(new Presence(PresenceType.Unavailable, account, probe.From, null));
    }

    /// <summary>Sends the presence of each available resource to one address. False when there is none.</summary>
    async ValueTask<bool> TellPresence(AccountSessions online, Jid to)
    {
        bool any = false;
        foreach (var session in online.Snapshot)
        {
            any |= session.Available is not null;
            for (var shown = session.Available; shown is not null;)
            {
                await _router.Route(shown.Readdressed(session.Jid, to));
                // It may have changed meanwhile, when the one who is told was not yet among those who are told of
                // changes.
                var now = session.Available;
                if (now is null)
                    await _router.Route(new Presence(PresenceType.Unavailable, session.Jid, to, null));
                shown = ReferenceEquals(now, shown) ? null : now;
            }
        }
        return any;
    }

    /// <summary>Whether somebody may know when the account is there: its contacts with a subscription, and
    /// itself.</summary>
    static bool MaySee(Jid asker, AccountSessions online) =>
        asker.SameBare(online.Account) ||
        (online.State.Roster.StateOf(asker).ShowsContact && !online.State.Blocked.Blocks(asker));

    void DeliverToAvailable(SharedStanza shared, Jid account, Session? sender)
    {
        if (_sessions.Find(account) is not { } online) return;
        foreach (var session in online.All)
        {
            // XEP-0191 §6: a block of one resource leaves the others.
            if (session.Available is not null && sender?.IsBlocked(session.Jid) != true)
            {
                session.Deliver(shared, account);
            }
        }
    }

    async ValueTask StoreLastActivity(Session session, Presence presence)
    {
        if (HasAvailable(_sessions.Find(session.Account))) return;
        try
        {
            string status = presence.Child("status")?.Text ?? "";
            if (status.Length > 1024) status = "";
            await _accounts.Database.Accounts.SetLastActivity(session.Account, _clock.GetUtcNow(), status);
        }
        catch (StorageException e)
        {
            AccountsLog.LastActivityLost(_log, session.Jid, e.Message);
        }
    }

    static bool HasAvailable(AccountSessions? online)
    {
        if (online is null) return false;
        foreach (var session in online.All)
            if (session.Available is not null) return true;
        return false;
    }
}
