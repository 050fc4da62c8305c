using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Muster.Core.Joins;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Routing;

/// <summary>
/// Looks after the sessions of this server that are in rooms of other servers and of components: knows where they are
/// (mod_track_muc_joins), asks the rooms when a stream with their server has ended (mod_ping_muc), and tells clients
/// that have dropped out. What is asked when is decided in <see cref="RoomChecks"/>.
/// </summary>
/// <remarks>Rooms of this server need none of it: they tell everybody themselves.</remarks>
sealed partial class JoinWatch : IDisposable
{
    const string DefaultReason = "Connection to remote server lost";
    const int SecretBytes = 32;
    const int ReasonCharsMax = 1000;
    const int DomainsMax = 10_000;

    static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(1);
    static readonly TimeSpan ExpirePeriod = TimeSpan.FromSeconds(10);
    static readonly TimeSpan OverflowLogPeriod = TimeSpan.FromMinutes(1);

    /// <summary>One domain of accounts. The lock guards the checks, and nobody is called under it.</summary>
    sealed class Host(string name)
    {
        public string Name => name;
        public Lock Lock { get; } = new();
        public RoomChecks Checks { get; } = new(RandomNumberGenerator.GetBytes(SecretBytes));
        public volatile JoinRules Rules = new();
    }

    readonly Router _router;
    readonly SessionTable _sessions;
    readonly Database _database;
    readonly TimeProvider _clock;
    readonly JoinMeters _meters;
    readonly ILogger _log;
    readonly FrozenDictionary<string, Host> _hosts;
    readonly FrozenDictionary<string, Host>.AlternateLookup<ReadOnlySpan<char>> _byDomain;
    readonly ConcurrentDictionary<Jid, byte> _marksSelf = new(); // domains whose rooms use status 110
    ITimer? _timer;
    DateTimeOffset _expiredAt, _overflowLoggedAt;
    int _isSweeping;

    /// <summary>Makes it for the domains of accounts; nothing is asked before <see cref="Start"/>.</summary>
    public JoinWatch(IEnumerable<string> hosts, Router router, SessionTable sessions, ResumableSessions resumable,
        Database database, TimeProvider clock, Meters meters, ILoggerFactory logs)
    {
        (_router, _sessions, _database, _clock, _meters) = (router, sessions, database, clock, meters.Joins);
        _log = logs.CreateLogger<JoinWatch>();
        _meters.Joined(0); // shown from the start
        _hosts = hosts.Select(host => new Host(host)).ToFrozenDictionary(host => host.Name, StringComparer.Ordinal);
        _byDomain = _hosts.GetAlternateLookup<ReadOnlySpan<char>>();
        resumable.Events.HibernationStarted.Add(static session => SetHibernating(session, true));
        resumable.Events.HibernationEnded.Add(static session => SetHibernating(session, false));
    }

    /// <summary>Puts rules in force; a reload of the configuration does so again.</summary>
    public void Apply(Func<string, JoinRules> rulesOf)
    {
        foreach (var host in _hosts.Values)
        {
            var rules = host.Rules = rulesOf(host.Name);
            lock (host.Lock) host.Checks.Rules = rules.Checks;
        }
    }

    /// <summary>Begins to ask.</summary>
    public void Start() =>
        _timer = _clock.CreateTimer(static watch => ((JoinWatch)watch!).Sweep(), this, SweepPeriod, SweepPeriod);

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    /// <summary>Whether rooms are asked for the sessions of a domain.</summary>
    public bool AsksFor(Jid domain) => Find(domain) is { Rules.Asks: true };

    /// <summary>Whether sessions of a domain are brought back where their users have not said so.</summary>
    public bool RejoinsByDefault(Jid domain) => Find(domain) is { Rules.Rejoins: true };

    /// <summary>A session sends presence to an address: to a room perhaps.</summary>
    public void Sent(Session session, Presence presence)
    {
        if (!presence.To.HasLocal || _router.IsOwn(presence.To)) return;
        if (Find(session.Jid) is not { Rules: { Tracks: true } rules }) return;
        var joins = session.Joins ??= new JoinedRooms(session.Jid);
        NoteSent(session, presence, rules);
        var forgotten = joins.Sent(presence, rules.RoomsMax, _clock.GetUtcNow());
        if (forgotten.IsNone) return;
        _meters.Untracked();
        _meters.Joined(-1);
        Note(session.Jid, forgotten, isInside: false);
        // Once for each session: who is in that many rooms goes on entering others.
        if (joins.IsOverfull) return;
        joins.IsOverfull = true;
        _log.TooManyRooms(session.Jid, rules.RoomsMax);
    }

    /// <summary>Presence comes for a session, from a room perhaps.</summary>
    /// <returns>True when the client has got what it is to get of it.</returns>
    public bool Received(Session session, Presence presence)
    {
        // Seldom, so that nothing is looked for in the presence of each occupant.
        bool isOfUnknown = presence.Type == PresenceType.Available && session.Joins?.Knows(presence.From) != true
            && !_router.IsOwn(presence.From) && presence.Child(Namespaces.MucUser, "x") is not null;
        // A room that lets the session in late.
        bool wasAddressed = isOfUnknown && !session.DirectedWithin(presence.From.Bare).IsNone;
        if (isOfUnknown && !wasAddressed)
        {
            LeaveStray(session, presence.From);
            if (JoinedRooms.IsSelf(presence)) return TellAtOnce(session, presence);
        }
        // Over a restart only rooms that had confirmed it are kept.
        if (wasAddressed && Find(session.Jid) is { Rules.Tracks: true }) session.Joins ??= new(session.Jid);
        if (session.Joins is not { } joins) return false;
        switch (joins.Received(presence, wasAddressed, _clock.GetUtcNow(), out var left))
        {
            case JoinChange.Joined:
                _meters.Joined(1);
                Note(session.Jid, presence.From, isInside: true);
                if (_marksSelf.Count >= DomainsMax) _marksSelf.Clear();
                _marksSelf.TryAdd(presence.From.DomainJid, 0);
                break;
            case JoinChange.Renamed:
                if (joins.TryFind(presence.From, out var renamed))
                    Note(session.Jid, renamed.Occupant, isInside: true);
                break;
            case JoinChange.Left:
                _meters.Joined(-1);
                Note(session.Jid, left, isInside: false);
                ForgetRejoins(session, left);
                ForgetDirectedOfLeft(session, joins, left);
                break;
            case JoinChange.Refused:
                // An earlier attempt, under another nick, may have come through: no word of the room is expected now.
                ForgetDirected(session, presence.From);
                break;
        }
        return TakeForRejoin(session, presence);
    }

    /// <summary>A message of a room comes for a session.</summary>
    /// <returns>True when the client has got what it is to get of it.</returns>
    public bool Heard(Session session, Message message)
    {
        if (message.Type != MessageType.Groupchat) return false;
        if (session.Joins?.Heard(message.From, _clock.GetUtcNow()) == true) return TakeForRejoin(session, message);
        LeaveStray(session, message.From);
        return false;
    }

    /// <summary>A room of another server believes that the session is inside, and it is not: it has left, and the word
    /// of it was lost; or it was another session, which had the same address. The room is told once more (XEP-0045
    /// §7.14), under whatever nick: it knows the session by its address.</summary>
    void LeaveStray(Session session, Jid from)
    {
        if (!from.IsFull || _router.IsOwn(from) || Find(session.Jid) is not { Rules.Asks: true }) return;
        // One that is not known here any more, as the session is in too many.
        if (!session.DirectedWithin(from.Bare).IsNone) return;
        if (!(session.Joins ??= new JoinedRooms(session.Jid)).TakeStray(_clock.GetUtcNow())) return;
        Leave(session.Jid, from);
    }

    /// <summary>Rooms have not answered: whether they never heard of the session, or their answer was lost, both sides
    /// know from now on that it is not inside. The client may try again.</summary>
    void GiveUpEntering(Session session, IReadOnlyList<Jid> occupants)
    {
        foreach (var occupant in occupants)
        {
            string? id = ForgetDirected(session, occupant);
            Leave(session.Jid, occupant);
            if (GiveUpRejoin(session, occupant)) continue; // its client believes that it is inside
            session.Answer(new Presence(PresenceType.Available, session.Jid, occupant, id)
                .Refuse(StanzaError.RemoteServerTimeout.WithText("the room did not answer") with
                {
                    By = session.Jid.DomainJid,
                }));
        }
    }

    // Each nick that it ever had there is an address that its presence went to. It may be entering again.
    static void ForgetDirectedOfLeft(Session session, JoinedRooms joins, Jid left)
    {
        if (!joins.Knows(left)) ForgetDirected(session, left);
    }

    /// <summary>The late answer of a room whose entering was given up: what the client takes from it does not
    /// last.</summary>
    bool TellAtOnce(Session session, Presence self)
    {
        session.Deliver(self);
        if (Find(session.Jid) is { } host) Tell(session, self.From, DefaultReason, host.Rules);
        return true;
    }

    static string? ForgetDirected(Session session, Jid occupant)
    {
        string? id = session.DirectedId(occupant);
        session.TakeDirected(to => to.SameBare(occupant));
        return id;
    }

    void Leave(Jid session, Jid occupant)
    {
        _meters.GhostCleared();
        _ = _router.Route(new Presence(PresenceType.Unavailable, session, occupant, null)).AsTask();
    }

    /// <summary>Takes the answer to a ping of its own.</summary>
    /// <returns>False for what is the client's.</returns>
    public bool TakeAnswer(Iq iq, Session? session)
    {
        if (iq.IsRequest) return false;
        if (RoomChecks.MayBeOurs(iq.Id) && Find(iq.To) is { } host)
        {
            var effects = new List<CheckEffect>();
            bool isOurs;
            lock (host.Lock) isOurs = host.Checks.Answer(iq, _clock.GetUtcNow(), effects);
            Act(host, effects);
            if (isOurs) return true;
        }
        // The client has asked the room itself.
        if (iq.Type == IqType.Result) session?.Joins?.Proved(iq.From, _clock.GetUtcNow());
        return false;
    }

    /// <summary>A session has told all rooms that it goes, or has ended.</summary>
    public void Gone(Session session)
    {
        if (session.Joins is not { } joins) return;
        if (session.Rejoins is { } rejoins)
        {
            lock (rejoins) rejoins.Clear();
        }
        foreach (var room in joins.Clear())
        {
            _meters.Joined(-1);
            Note(session.Jid, room.Occupant, isInside: false);
        }
    }

    /// <summary>A stream with another server is over.</summary>
    public void StreamEnded(PeerStreamEnded end)
    {
        var now = _clock.GetUtcNow();
        foreach (var pair in end.Pairs)
        {
            if (Find(pair.Local) is not { Rules.Asks: true } host) continue;
            lock (host.Lock) host.Checks.StreamEnded(pair.Remote, now);
        }
    }

    /// <summary>A component is gone. Its rooms may be of any network (Biboumi's of IRC), and forget everybody when it
    /// is restarted; it belongs to one domain, but those of all may be in them.</summary>
    public void ComponentEnded(ComponentEnded end)
    {
        var now = _clock.GetUtcNow();
        foreach (var host in _hosts.Values)
        {
            if (!host.Rules.Asks) continue;
            lock (host.Lock) host.Checks.StreamEnded(end.Domain, now);
        }
    }

    static void SetHibernating(Session session, bool isHibernating)
    {
        if (session.Joins is { } joins) joins.IsHibernating = isHibernating;
    }

    Host? Find(Jid address) => _byDomain.TryGetValue(address.Domain, out var host) ? host : null;

    void Sweep()
    {
        // A sweep that takes longer than the period is not overtaken by the next.
        if (Interlocked.Exchange(ref _isSweeping, 1) == 1) return;
        _ = SweepAsync();
    }

    async Task SweepAsync()
    {
        try
        {
            var now = _clock.GetUtcNow();
            if (now - _expiredAt >= ExpirePeriod)
            {
                _expiredAt = now;
                Expire(now);
            }
            foreach (var host in _hosts.Values)
            {
                if (!host.Rules.Asks) continue;
                var effects = new List<CheckEffect>();
                lock (host.Lock) host.Checks.Sweep(RoomsOf(host), now, effects);
                Act(host, effects);
            }
            ClearGhosts();
            await StoreAsync();
        }
#pragma warning disable CA1031 // One failure, of whatever kind, must not end what is to be done again and again.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _log.BackgroundFailed(error);
        }
        finally
        {
            Volatile.Write(ref _isSweeping, 0);
        }
    }

    void Expire(DateTimeOffset now)
    {
        foreach (var account in _sessions.Accounts)
        {
            foreach (var session in account.Snapshot)
            {
                if (session.Joins is not { } joins) continue;
                Expire(session, joins, now);
                ExpireRejoins(session, now);
            }
        }
    }

    /// <summary>Gives up what has waited too long, or without a time all that waits.</summary>
    void Expire(Session session, JoinedRooms joins, DateTimeOffset? now)
    {
        var unanswered = joins.TakeUnanswered(now, _marksSelf.ContainsKey);
        foreach (var left in unanswered.Left.Concat(joins.Expire(now ?? DateTimeOffset.MaxValue)))
        {
            _meters.Joined(-1);
            Note(session.Jid, left, isInside: false);
            ForgetDirectedOfLeft(session, joins, left);
            ConfirmLeaving(session, left);
        }
        GiveUpEntering(session, unanswered.Wanted);
    }

    /// <summary>The session has left, and the room's word of it is lost (XEP-0045 §7.14). What the room had said before
    /// it heard of that may have come after the client's goodbye: it believes that it is inside again then, and nobody
    /// would ask. No status 333, as there is nothing to be mended.</summary>
    static void ConfirmLeaving(Session session, Jid left) =>
        session.Answer(new Presence(PresenceType.Unavailable, left, session.Jid, RandomText.Create(16),
            new MucUser(new MucItem(Affiliation.None, Role.None), MucStatus.Self).ToElement()));

    IEnumerable<JoinedRooms> RoomsOf(Host host)
    {
        foreach (var account in _sessions.Accounts)
        {
            if (!account.Account.Domain.SequenceEqual(host.Name)) continue;
            foreach (var session in account.Snapshot)
                if (session.Joins is { Count: > 0 } joins) yield return joins;
        }
    }

    void Act(Host host, List<CheckEffect> effects)
    {
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case CheckEffect.Ping ping:
                    _meters.Sent();
                    _ = _router.Route(new Iq(IqType.Get, ping.Session, ping.Occupant, ping.Id,
                        new Element(Namespaces.Ping, "ping"))).AsTask();
                    break;
                case CheckEffect.Settled settled:
                    _meters.Settled(Word(settled.Outcome));
                    break;
                case CheckEffect.Drop drop:
                    Drop(host, drop);
                    break;
                case CheckEffect.Overflow overflow:
                    _meters.Overflowed();
                    if (_clock.GetUtcNow() - _overflowLoggedAt < OverflowLogPeriod) break;
                    _overflowLoggedAt = _clock.GetUtcNow();
                    _log.TooManyChecks(overflow.Occupant);
                    break;
            }
        }
    }

    void Drop(Host host, CheckEffect.Drop drop)
    {
        _meters.Joined(-1);
        Note(drop.Session, drop.Occupant, isInside: false);
        string reason = drop.Reason is { Length: > 0 and <= ReasonCharsMax } text ? text : DefaultReason;
        _log.Dropped(drop.Session, drop.Occupant, reason);
        if (drop.IsFlapping) _log.Flaps(drop.Session, drop.Occupant);
        if (drop.MayBeInside) Leave(drop.Session, drop.Occupant);
        if (_sessions.FindSession(drop.Session) is not { } session || TryRejoin(session, drop, host.Rules)) return;
        ForgetRejoins(session, drop.Occupant);
        if (session.Joins is { } joins) ForgetDirectedOfLeft(session, joins, drop.Occupant);
        Tell(session, drop.Occupant, reason, host.Rules);
    }

    /// <summary>Tells a client that it is not in a room any more: as the room would have, had it been able to (XEP-0045
    /// §11.1 #service-error-kick). The client may enter again.</summary>
    void Tell(Session session, Jid occupant, string reason, JoinRules rules)
    {
        _meters.Noticed();
        // The server's own word, so no block list counts; and it waits for a client that is not there.
        session.Answer(new Presence(PresenceType.Unavailable, occupant, session.Jid, RandomText.Create(16),
            new MucUser(new MucItem(Affiliation.None, Role.None, Reason: reason), rules.StatusCodes).ToElement()));
    }

    static string Word(CheckOutcome outcome) => outcome switch
    {
        CheckOutcome.Ok => "ok",
        CheckOutcome.Dropped => "dropped",
        _ => "undecided",
    };
}
