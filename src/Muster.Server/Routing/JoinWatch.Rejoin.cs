using Muster.Core.Joins;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Telemetry;

namespace Muster.Server.Routing;

/// <content>Bringing sessions back into rooms, for accounts that want it (<c>ping_muc_autorejoin</c>;
/// muc-presence-reliability.md §5.6).</content>
sealed partial class JoinWatch
{
    /// <summary>Whether the server brings sessions of an account back: what its user has said, else the
    /// option.</summary>
    bool WantsRejoin(Session session, JoinRules rules) =>
        rules.Asks && (_sessions.Find(session.Account)?.State.Rejoins ?? rules.Rejoins);

    void NoteSent(Session session, Presence presence, JoinRules rules)
    {
        // What a room showed before the user wanted this is not known: it begins with the next entry.
        if (session.Rejoins is null && !WantsRejoin(session, rules)) return;
        var rejoins = session.Rejoins ??= new Rejoins();
        Jid overtaken;
        lock (rejoins) overtaken = rejoins.Sent(presence, _clock.GetUtcNow());
        if (!overtaken.IsNone) FailRejoin(session, overtaken, DefaultReason);
    }

    /// <summary>Sends the session's presence once more, from where it heard the room last. False when the client is
    /// to be told instead.</summary>
    bool TryRejoin(Session session, CheckEffect.Drop drop, JoinRules rules)
    {
        // A room that drops the session again and again is for people to look at.
        if (drop.IsFlapping || session.Rejoins is not { } rejoins || !WantsRejoin(session, rules)) return false;
        Presence? join;
        lock (rejoins) join = rejoins.Begin(drop.Occupant, _clock.GetUtcNow());
        if (join is null) return false;
        session.Joins?.Sent(join, rules.RoomsMax, _clock.GetUtcNow());
        _ = _router.Route(join).AsTask();
        return true;
    }

    /// <summary>A stanza of a room comes for a session that is being brought back, perhaps.</summary>
    /// <returns>True when the client has got what it is to get of it.</returns>
    bool TakeForRejoin(Session session, Stanza stanza)
    {
        if (session.Rejoins is not { } rejoins) return false;
        RejoinStep? taken;
        lock (rejoins) taken = rejoins.Receive(stanza, _clock.GetUtcNow());
        if (taken is not { } step) return false;
        foreach (var shown in step.Deliver) session.Deliver(shown);
        if (step.IsDone)
        {
            _meters.Rejoined("done");
            _log.Rejoined(session.Jid, stanza.From);
        }
        if (step.Failure is { } reason) FailRejoin(session, stanza.From, reason);
        return true;
    }

    void FailRejoin(Session session, Jid occupant, string reason)
    {
        _meters.Rejoined("failed");
        _log.NotRejoined(session.Jid, occupant, reason);
        if (Find(session.Jid) is not { } host) return;
        Tell(session, occupant, reason.Length <= ReasonCharsMax ? reason : DefaultReason, host.Rules);
    }

    void ExpireRejoins(Session session, DateTimeOffset now)
    {
        if (session.Rejoins is not { } rejoins) return;
        IReadOnlyList<Jid> late;
        lock (rejoins) late = rejoins.Expire(now);
        foreach (var occupant in late) FailRejoin(session, occupant, DefaultReason);
    }

    /// <summary>The room has not answered. True when the client has been told that it is out.</summary>
    bool GiveUpRejoin(Session session, Jid room)
    {
        if (session.Rejoins is not { } rejoins) return false;
        Jid occupant;
        lock (rejoins) occupant = rejoins.GiveUp(room);
        if (occupant.IsNone) return false;
        FailRejoin(session, occupant, DefaultReason);
        return true;
    }

    static void ForgetRejoins(Session session, Jid room)
    {
        if (session.Rejoins is not { } rejoins) return;
        lock (rejoins) rejoins.Left(room);
    }
}
