using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Simulation;

/// <summary>
/// A process: the real sessions and the real rooms, and what <c>LocalDomain</c> and <c>ResumableSessions</c> do with
/// them, without tasks. Whatever it has under way dies with its life.
/// </summary>
internal sealed partial class Server : SessionWatcher
{
    const int PatienceMilliseconds = 20_000;

    readonly World _world;
    readonly Disk _disk;
    readonly string _domain, _service;
    readonly Dictionary<Jid, Session> _sessions = [];
    readonly Dictionary<string, Session> _byToken = [];
    readonly Dictionary<Session, Connection> _connections = [];
    readonly Dictionary<Session, int> _waits = [];                // number of the waiting, by session that waits
    readonly Dictionary<Session, List<Action>> _settling = [];    // what waits for a session to be settled
    readonly Dictionary<Jid, List<Action>> _leaving = [];         // what waits until a session has left
    readonly Dictionary<Jid, RoomLoop> _rooms = [];
    int _numbers;
    bool _isStopping, _isSuspending;

    /// <summary>Makes the server of a domain.</summary>
    /// <param name="world">Where it stands.</param>
    /// <param name="domain">The domain of its accounts; its rooms are at <c>muc.</c> before it.</param>
    /// <param name="owner">Owner of its rooms.</param>
    public Server(World world, string domain, Jid owner)
    {
        (_world, _disk, _domain, _service) = (world, new Disk(world, owner), domain, $"muc.{domain}");
        foreach (var room in world.Rooms.Where(Serves)) _rooms[room] = new RoomLoop(world, this, room);
    }

    public Disk Disk => _disk;

    /// <summary>Whether an address is of its accounts or rooms.</summary>
    public bool Serves(Jid jid) => jid.Domain.SequenceEqual(_domain) || jid.Domain.SequenceEqual(_service);

    public override string ToString() => $"the server of {_domain}";

    /// <summary>Number of the process: what a former one has begun is void.</summary>
    public int Life { get; private set; }
    public bool IsUp { get; private set; }
    public IReadOnlyDictionary<Jid, RoomLoop> Rooms => _rooms;
    /// <summary>Sessions that can take stanzas.</summary>
    public IReadOnlyDictionary<Jid, Session> Sessions => _sessions;
    /// <summary>Sessions that the last process left to this one: no other was inside a room.</summary>
    public HashSet<Jid> Restored { get; } = [];
    /// <summary>Whether something goes on that outlives the present moment.</summary>
    public bool IsQuiet => _leaving.Count == 0 && _settling.Count == 0 && _rooms.Values.All(room => room.IsQuiet);

    // ---- SessionWatcher ----

    public override DateTimeOffset Now => _world.Now;

    public override void Held(Session session, SharedStanza stanza) { }

    public override void Overflowed(Session session, IReadOnlyList<SmEntry> lost) =>
        Later(() => AnswerForLost(session, lost));

    public override void Settled(Session session)
    {
        if (!_settling.Remove(session, out var waiting)) return;
        foreach (var step in waiting) Later(step);
    }

    void WhenSettled(Session session, Action step)
    {
        if (session.IsSettled)
        {
            step();
            return;
        }
        if (!_settling.TryGetValue(session, out var waiting)) _settling[session] = waiting = [];
        waiting.Add(step);
    }

    void Later(Action step, int milliseconds = 0)
    {
        if (_isStopping && milliseconds == 0)
        {
            step(); // a process that stops waits for what is under way
            return;
        }
        int life = Life;
        _world.After(milliseconds, () => { if (life == Life) step(); });
    }

    // ---- Logging in ----

    /// <summary>A client asks for its session or, where there is none any more, for a new one (XEP-0388).</summary>
    public void LogIn(Connection connection, Element login)
    {
        if (login.Attribute("previd") is { } token)
            Resume(connection, token, uint.Parse(login.Attribute("h")!, Check.Plain));
        else Bind(connection);
    }

    void Bind(Connection connection)
    {
        if (connection.IsClosed) return;
        // RFC 6120 §7.7.2.2: the newer login wins. The world sees the older session go before the newer comes.
        if (_sessions.TryGetValue(connection.Jid, out var older) && older.End(StreamError.Conflict))
            Leave(older, isForgotten: false);
        if (_leaving.TryGetValue(connection.Jid, out var waiting))
        {
            waiting.Add(() => Bind(connection));
            return;
        }
        var session = new Session(connection.Jid, connection, "simulated");
        string token = $"{connection.Jid}-{++_numbers}-{Life}";
        var enabled = session.Manage(TermsOf(token), this)!;
        _disk.Begin(session.Account, token);
        Add(session, connection);
        connection.WriteElement(enabled);
        Later(() => session.Open(connection), _world.Random.Next(0, 30));
    }

    SmTerms TermsOf(string token) => new()
    {
        Namespace = Namespaces.StreamManagement,
        Token = token,
        Patience = TimeSpan.FromMilliseconds(PatienceMilliseconds),
        UnackedMax = (uint)_world.Random.Next(0, 8),
        InactiveUnackedMax = 20,
        Queue = QueueLimits,
    };

    /// <summary>So small that a client who is away for long brings the queue to its bounds.</summary>
    SmQueueLimits QueueLimits => new()
    {
        CountMax = 25,
        BytesMax = 32 * 1024,
        ReferencesMax = 60,
        HasArchive = _rooms.ContainsKey,
    };

    void Add(Session session, Connection? connection)
    {
        _sessions[session.Jid] = session;
        _byToken[session.Token!] = session;
        if (connection is null) return;
        _connections[session] = connection;
        connection.Session = session;
    }

    // ---- Resuming (XEP-0198 §5) ----

    void Resume(Connection connection, string token, uint h)
    {
        if (!_byToken.TryGetValue(token, out var session) || session.Jid != connection.Jid)
        {
            Refuse(connection, token);
            return;
        }
        if (_world.Fault == Fault.LoseOnResume && session.Attach(connection, h + 1, out var former) ==
            AttachOutcome.Attached) GoOn(session, connection, former, token);
        else if (_world.Fault == Fault.RepeatOnResume && session.Attach(connection, h - 1, out former) ==
            AttachOutcome.Attached) GoOn(session, connection, former, token);
        else Attach(session, connection, token, h);
    }

    void Attach(Session session, Connection connection, string token, uint h)
    {
        switch (session.Attach(connection, h, out var old))
        {
            case AttachOutcome.Attached:
                GoOn(session, connection, old, token);
                break;
            case AttachOutcome.Incomplete:
                if (session.End(null)) Leave(session, isForgotten: false);
                Refuse(connection, token);
                break;
            case AttachOutcome.TooHigh:
                // An older attempt that has been overtaken: the session goes on with the newer one.
                connection.Close(StreamError.UndefinedCondition);
                break;
            default:
                Refuse(connection, token);
                break;
        }
    }

    void GoOn(Session session, Connection connection, SessionLink? old, string token)
    {
        _waits.Remove(session);
        _connections[session] = connection;
        old?.Close(StreamError.Conflict, keepsSession: true);
        WhenSettled(session, () =>
        {
            KeepCount(session);
            if (session.Resumed(connection, Namespaces.StreamManagement) is not { } answer)
            {
                Refuse(connection, token);
                return;
            }
            connection.Session = session;
            connection.WriteElement(answer);
            Later(() => session.Replay(connection, ReadArchived(session)), _world.Random.Next(0, 10));
        });
    }

    IReadOnlyList<(SmReference, Message?)> ReadArchived(Session session) =>
        [.. session.References.Select(reference => (reference,
            (Message?)_disk.Archive(reference.Archive).FirstOrDefault(entry => entry.Id == reference.Id)?.Stanza))];

    void Refuse(Connection connection, string token)
    {
        if (connection.IsClosed) return;
        // It may have just ended: the disk is about to know.
        if (_leaving.TryGetValue(connection.Jid, out var waiting))
        {
            waiting.Add(() => Refuse(connection, token));
            return;
        }
        connection.WriteElement(SmElements.Failed(Namespaces.StreamManagement, StanzaError.ItemNotFound,
            _disk.FindEnded(connection.Jid.Bare, token)));
        Bind(connection);
    }

    /// <summary>Storage learns how much of the client's is settled.</summary>
    public void KeepCount(Session session)
    {
        if (session.UnstoredCount is not { } count) return;
        _disk.Keep(session.Token!, count);
        session.Stored(count);
    }

    // ---- The end ----

    /// <summary>A session's connection is closed.</summary>
    public void Ended(Session session, Connection connection, bool keepsSession)
    {
        if (!keepsSession)
        {
            if (session.End(null, connection)) Leave(session, isForgotten: true);
            return;
        }
        switch (session.Detach(connection))
        {
            case DetachOutcome.MustEnd:
                if (session.End(null)) Leave(session, isForgotten: false);
                break;
            case DetachOutcome.Waits:
                StartWaiting(session);
                break;
        }
    }

    void StartWaiting(Session session)
    {
        _connections.Remove(session);
        int number = _waits[session] = ++_numbers;
        Later(() =>
        {
            if (_waits.GetValueOrDefault(session) != number || !session.EndWaiting()) return;
            _world.Note($"{session.Jid} has waited long enough");
            Leave(session, isForgotten: false);
        }, PatienceMilliseconds);
    }

    /// <summary>The session is out of the table before anybody hears of it. Its count is told from now on: so what it
    /// counts must be settled.</summary>
    void Leave(Session session, bool isForgotten)
    {
        if (_sessions.GetValueOrDefault(session.Jid) == session) _sessions.Remove(session.Jid);
        _connections.Remove(session);
        _waits.Remove(session);
        _leaving.Add(session.Jid, []);
        if (isForgotten) FinishLeaving(session, isForgotten);
        else WhenSettled(session, () => FinishLeaving(session, isForgotten));
    }

    void FinishLeaving(Session session, bool isForgotten)
    {
        _byToken.Remove(session.Token!);
        if (isForgotten) _disk.Forget(session.Token!);
        else _disk.End(session.Token!, session.TakenCount);
        // Rooms get back what did not arrive before they hear of the absence: they see a ghost.
        AnswerFor(session, session.TakeUnacknowledged());
        session.SetPresence(null);
        var directed = session.TakeDirected();
        Gone(session);
        foreach (var to in directed)
        {
            if (_world.Fault == Fault.EndInSilence) continue;
            Route(new Presence(PresenceType.Unavailable, session.Jid, to, null));
        }
        _leaving.Remove(session.Jid, out var waiting);
        foreach (var step in waiting!) step();
    }
}
