using System.Text;
using Muster.Core.Joins;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Simulation;

// Sessions in rooms of the other server: what JoinWatch does, without tasks.
internal sealed partial class Server
{
    const int SweepMilliseconds = 1000, ExpireEvery = 10, RoomsMax = 100;

    readonly Queue<(Jid Session, Jid Occupant)> _lostSessions = [];
    readonly Dictionary<(Jid Session, Jid Room), Jid> _unstored = [];
    RoomChecks _checks = new(Encoding.ASCII.GetBytes("simulated"));
    int _sweeps;

    /// <summary>Whether nothing waits for an answer of the other server.</summary>
    public bool HasAsked => _checks.IsIdle && _lostSessions.Count == 0
        && !_routes.Values.Any(route => route.IsWaiting);

    /// <summary>Whether its users want to be brought back by their server.</summary>
    static bool WantsRejoin(Session session) => session.Account.Local is "romeo" or "nurse";

    // ---- What comes and goes ----

    void TakeForElsewhere(Session session, Stanza stanza)
    {
        if (stanza is Presence { Type: PresenceType.Available or PresenceType.Unavailable } presence)
        {
            session.TrackDirected(presence, max: 100);
            NoteSent(session, presence);
        }
        SendToPeer(stanza);
        if (stanza is not Presence { Type: PresenceType.Available } || session.IsAlive) return;
        session.TakeDirected();
        Gone(session);
        SendToPeer(new Presence(PresenceType.Unavailable, session.Jid, stanza.To, null));
    }

    void NoteSent(Session session, Presence presence)
    {
        var joins = session.Joins ??= new JoinedRooms(session.Jid);
        if (session.Rejoins is not null || WantsRejoin(session))
        {
            var overtaken = (session.Rejoins ??= new Rejoins()).Sent(presence, _world.Now);
            if (!overtaken.IsNone) Tell(session, overtaken);
        }
        joins.Sent(presence, RoomsMax, _world.Now);
    }

    void TakeFromElsewhere(Stanza stanza)
    {
        var session = _sessions.GetValueOrDefault(stanza.To);
        switch (stanza)
        {
            case Presence presence when session is not null:
                if (!Received(session, presence)) session.Deliver(presence);
                break;
            case Message message when session is not null && Heard(session, message):
                break;
            case Message message:
                Deliver(SharedStanza.From(message), message.To);
                break;
            case Iq iq when TakeAnswer(iq, session):
                break;
            case Iq iq:
                Deliver(SharedStanza.From(iq), iq.To);
                break;
        }
    }

    bool Received(Session session, Presence presence)
    {
        bool isOfUnknown =
            presence.Type == PresenceType.Available && session.Joins?.Knows(presence.From) != true;
        bool wasAddressed = isOfUnknown && !session.DirectedWithin(presence.From.Bare).IsNone;
        if (isOfUnknown && !wasAddressed)
        {
            LeaveStray(session, presence.From);
            if (JoinedRooms.IsSelf(presence))
            {
                session.Deliver(presence);
                Tell(session, presence.From);
                return true;
            }
        }
        if (wasAddressed) session.Joins ??= new JoinedRooms(session.Jid);
        if (session.Joins is not { } joins) return false;
        switch (joins.Received(presence, wasAddressed, _world.Now, out var left))
        {
            case JoinChange.Joined:
                Note(session.Jid, presence.From, isInside: true);
                break;
            case JoinChange.Renamed:
                if (joins.TryFind(presence.From, out var renamed)) Note(session.Jid, renamed.Occupant, isInside: true);
                break;
            case JoinChange.Left:
                Note(session.Jid, left, isInside: false);
                session.Rejoins?.Left(left);
                ForgetDirectedOfLeft(session, left);
                break;
            case JoinChange.Refused:
                session.TakeDirected(to => to.SameBare(presence.From));
                break;
        }
        return TakeForRejoin(session, presence);
    }

    bool Heard(Session session, Message message)
    {
        if (message.Type != MessageType.Groupchat) return false;
        if (session.Joins?.Heard(message.From, _world.Now) == true) return TakeForRejoin(session, message);
        LeaveStray(session, message.From);
        return false;
    }

    void LeaveStray(Session session, Jid from)
    {
        if (!from.IsFull || Serves(from) || !session.DirectedWithin(from.Bare).IsNone) return;
        if (!(session.Joins ??= new JoinedRooms(session.Jid)).TakeStray(_world.Now)) return;
        _world.Note($"{session.Jid} is a stray in {from.Bare}");
        SendToPeer(new Presence(PresenceType.Unavailable, session.Jid, from, null));
    }

    bool TakeAnswer(Iq iq, Session? session)
    {
        if (iq.IsRequest) return false;
        if (RoomChecks.MayBeOurs(iq.Id))
        {
            var answer = _world.Fault == Fault.MisjudgePing && iq.Error?.Condition == "not-acceptable"
                ? new Iq(IqType.Result, iq.From, iq.To, iq.Id, null)
                : iq;
            var effects = new List<CheckEffect>();
            bool isOurs = _checks.Answer(answer, _world.Now, effects);
            Act(effects);
            if (isOurs) return true;
        }
        if (iq.Type == IqType.Result) session?.Joins?.Proved(iq.From, _world.Now);
        return false;
    }

    void Gone(Session session)
    {
        if (session.Joins is not { } joins) return;
        session.Rejoins?.Clear();
        foreach (var room in joins.Clear()) Note(session.Jid, room.Occupant, isInside: false);
    }

    // ---- Asking ----

    void SweepJoins()
    {
        foreach (var session in _sessions.Values)
            if (session.Joins is { } joins) joins.IsHibernating = session.IsHibernating;
        if (++_sweeps % ExpireEvery == 0)
        {
            foreach (var session in _sessions.Values.ToArray()) Expire(session);
        }
        var effects = new List<CheckEffect>();
        _checks.Sweep(RoomsOfSessions(), _world.Now, effects);
        Act(effects);
        TellOfLostSessions();
        StoreJoins();
    }

    IEnumerable<JoinedRooms> RoomsOfSessions() =>
        _sessions.Values.Select(session => session.Joins).OfType<JoinedRooms>().Where(joins => joins.Count > 0);

    void Expire(Session session)
    {
        if (session.Joins is not { } joins) return;
        Expire(session, joins, _world.Now);
        if (session.Rejoins is not { } rejoins) return;
        foreach (var late in rejoins.Expire(_world.Now)) Tell(session, late);
    }

    void Expire(Session session, JoinedRooms joins, DateTimeOffset? now)
    {
        var unanswered = joins.TakeUnanswered(now, static _ => true);
        foreach (var left in unanswered.Left.Concat(joins.Expire(now ?? DateTimeOffset.MaxValue)))
        {
            Note(session.Jid, left, isInside: false);
            ForgetDirectedOfLeft(session, left);
            session.Answer(new Presence(PresenceType.Unavailable, left, session.Jid, null,
                new MucUser(new MucItem(Affiliation.None, Role.None), MucStatus.Self).ToElement()));
        }
        GiveUpEntering(session, unanswered.Wanted);
    }

    static void ForgetDirectedOfLeft(Session session, Jid left)
    {
        if (!session.Joins!.Knows(left)) session.TakeDirected(to => to.SameBare(left));
    }

    void GiveUpEntering(Session session, IReadOnlyList<Jid> occupants)
    {
        foreach (var occupant in occupants)
        {
            string? id = session.DirectedId(occupant);
            session.TakeDirected(to => to.SameBare(occupant));
            SendToPeer(new Presence(PresenceType.Unavailable, session.Jid, occupant, null));
            if (session.Rejoins?.GiveUp(occupant) is { IsNone: false } before)
            {
                Tell(session, before);
                continue;
            }
            session.Answer(new Presence(PresenceType.Available, session.Jid, occupant, id)
                .Refuse(StanzaError.RemoteServerTimeout));
        }
    }

    void Act(List<CheckEffect> effects)
    {
        foreach (var effect in effects)
        {
            if (effect is CheckEffect.Ping ping)
            {
                _world.Note($"{ping.Occupant} is asked about {ping.Session}");
                SendToPeer(new Iq(IqType.Get, ping.Session, ping.Occupant, ping.Id,
                    new Element(Namespaces.Ping, "ping")));
            }
            else if (effect is CheckEffect.Drop drop) Drop(drop);
        }
    }

    void Drop(CheckEffect.Drop drop)
    {
        _world.NoteDrop();
        _world.Note($"{drop.Session} has dropped out as {drop.Occupant}: {drop.Reason}");
        Note(drop.Session, drop.Occupant, isInside: false);
        if (drop.MayBeInside)
            SendToPeer(new Presence(PresenceType.Unavailable, drop.Session, drop.Occupant, null));
        if (_sessions.GetValueOrDefault(drop.Session) is not { } session || TryRejoin(session, drop)) return;
        session.Rejoins?.Left(drop.Occupant);
        if (session.Joins is not null) ForgetDirectedOfLeft(session, drop.Occupant);
        Tell(session, drop.Occupant);
    }

    void Tell(Session session, Jid occupant)
    {
        if (_world.Fault == Fault.DropInSilence) return;
        session.Answer(new Presence(PresenceType.Unavailable, occupant, session.Jid, null,
            new MucUser(new MucItem(Affiliation.None, Role.None), MucStatus.Self, MucStatus.TechnicalError)
                .ToElement()));
    }

    // ---- Bringing back ----

    bool TryRejoin(Session session, CheckEffect.Drop drop)
    {
        if (drop.IsFlapping || session.Rejoins is not { } rejoins
            || rejoins.Begin(drop.Occupant, _world.Now) is not { } join) return false;
        session.Joins?.Sent(join, RoomsMax, _world.Now);
        SendToPeer(join);
        return true;
    }

    bool TakeForRejoin(Session session, Stanza stanza)
    {
        if (session.Rejoins?.Receive(stanza, _world.Now) is not { } step) return false;
        foreach (var shown in step.Deliver) session.Deliver(shown);
        if (step.Failure is not null) Tell(session, stanza.From);
        return true;
    }

    // ---- Over the end of the process ----

    void TakeUpJoins()
    {
        if (!_world.IsFederated) return;
        _checks = new RoomChecks(Encoding.ASCII.GetBytes($"{_domain} {Life}")) { Rules = _world.CheckRules };
        foreach (var ((jid, _), occupant) in _disk.Joins)
        {
            if (_world.Fault == Fault.ForgetJoins) break;
            if (!_sessions.TryGetValue(jid, out var session))
            {
                _lostSessions.Enqueue((jid, occupant));
                continue;
            }
            session.Joins ??= new JoinedRooms(jid) { IsHibernating = session.IsHibernating };
            session.Joins.Restore(occupant, _world.Now);
            _checks.StreamEnded(occupant.DomainJid, _world.Now);
        }
        Sweep();
    }

    void Sweep() => Later(() =>
    {
        SweepPeers();
        SweepJoins();
        Sweep();
    }, SweepMilliseconds);

    void TellOfLostSessions()
    {
        while (_lostSessions.TryDequeue(out var lost))
        {
            var again = _sessions.GetValueOrDefault(lost.Session);
            if (again?.Joins?.TryFind(lost.Occupant, out _) == true) continue;
            Note(lost.Session, lost.Occupant, isInside: false);
            if (again?.DirectedWithin(lost.Occupant.Bare) is { IsNone: false }) continue;
            SendToPeer(new Presence(PresenceType.Unavailable, lost.Session, lost.Occupant, null));
        }
    }

    void Note(Jid session, Jid occupant, bool isInside)
    {
        if (_isStopping && !isInside) return;
        _unstored[(session, occupant.Bare)] = isInside ? occupant : Jid.None;
    }

    void StoreJoins()
    {
        foreach (var (key, occupant) in _unstored)
        {
            if (occupant.IsNone) _disk.Joins.Remove(key);
            else _disk.Joins[key] = occupant;
        }
        _unstored.Clear();
    }

    void ForgetJoins()
    {
        _lostSessions.Clear();
        _unstored.Clear();
    }
}
