using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Simulation;

/// <summary>
/// One seed, one thread, one virtual clock: real rooms and real queues of unacknowledged stanzas, between clients whose
/// connections drop, delay and resume, and a store that fails. Everything that happens is an event at a time; with the
/// same seed the same things happen.
/// </summary>
public sealed class World
{
    /// <summary>Events that a finished run may still need to come to rest; more is a loop.</summary>
    const int SettlingEventsMax = 2_000_000;
    const int LogLinesMax = 60;

    static readonly DateTimeOffset Start = new(2024, 5, 1, 0, 0, 0, TimeSpan.Zero);

    readonly PriorityQueue<Action, (long At, long Number)> _events = new();
    readonly Queue<string> _log = new();
    readonly Dictionary<Jid, ServerSession> _sessions = [];
    readonly List<Client> _clients = [];
    readonly string? _traced;
    long _time; // milliseconds
    long _number;

    World(int seed, Fault fault, string? traced)
    {
        _traced = traced;
        Random = new Random(seed);
        Fault = fault;
        Store = new Store(this);
        Room = new RoomLoop(this, Jid.Parse("garden@muc.x"));
        string[] users = ["romeo@x", "julia@x", "nurse@x", "tybalt@y", "paris@y"];
        foreach (string user in users)
            for (int device = 1; device <= 2; device++)
                _clients.Add(new Client(this, Jid.Parse($"{user}/{device}")));
    }

    internal Random Random { get; }
    internal Fault Fault { get; }
    internal Store Store { get; }
    internal RoomLoop Room { get; }
    /// <summary>True while things may still go wrong: after it only what is under way comes to its end.</summary>
    internal bool IsStormy { get; private set; } = true;
    internal DateTimeOffset Now => Start.AddMilliseconds(_time);

    /// <summary>Runs one simulation; throws when a checker finds something wrong.</summary>
    /// <param name="seed">Decides everything.</param>
    /// <param name="steps">Things that users and misfortune do.</param>
    /// <param name="fault">A mistake for the checkers to find.</param>
    /// <param name="traced">A client whose stanzas are written to standard error, or null.</param>
    /// <returns>What was simulated, for people.</returns>
    public static string Run(int seed, int steps, Fault fault = Fault.None, string? traced = null)
    {
        var world = new World(seed, fault, traced);
        try
        {
            world.Play(steps);
            return $"seed {seed}: {world.Store.Archive.Count} messages archived, " +
                $"{world._clients.Sum(c => c.Shown)} stanzas shown, {world._clients.Sum(c => c.Resumes)} resumes, " +
                $"{world.Store.Failures} store failures";
        }
        catch (Exception problem)
        {
            string what = problem is SimulationException ? problem.Message : problem.ToString();
            throw new SimulationException($"""
                seed {seed}, {steps} steps, at {world._time} ms: {what}
                repeat: ./test --simulation --seed {seed} --steps {steps}
                last events:
                {string.Join('\n', world._log)}
                """);
        }
    }

    void Play(int steps)
    {
        long end = 0;
        for (int i = 0; i < steps; i++) Schedule(end += Random.Next(1, 400), Step);
        while (_events.TryPeek(out _, out var next) && next.At <= end) RunNext();
        Note("the storm is over");
        IsStormy = false;
        foreach (var client in _clients) client.Recover();
        for (int i = 0; _events.Count > 0; i++)
        {
            if (i > SettlingEventsMax) throw new SimulationException("it does not come to rest");
            RunNext();
        }
        Check.AtRest(Room, _clients, Store);
    }

    void RunNext()
    {
        if (!_events.TryDequeue(out var action, out var when)) return;
        _time = when.At;
        action();
    }

    void Step()
    {
        var client = _clients[Random.Next(_clients.Count)];
        if (Chance(0.08)) client.DropConnection();
        else if (Chance(0.004)) CrashServer();
        else client.Act();
    }

    /// <summary>The process dies and starts again: what is not stored is gone, and nobody is told.</summary>
    void CrashServer()
    {
        Note("the server crashes");
        foreach (var session in _sessions.Values) session.Crash();
        _sessions.Clear();
        Room.Crash();
        foreach (var client in _clients) client.DropConnection();
    }

    internal bool Chance(double probability) => Random.NextDouble() < probability;

    internal void After(int milliseconds, Action action) => Schedule(_time + milliseconds, action);

    internal void At(DateTimeOffset when, Action action) => Schedule((long)(when - Start).TotalMilliseconds, action);

    void Schedule(long at, Action action) => _events.Enqueue(action, (Math.Max(at, _time), ++_number));

    internal void Trace(Jid client, char direction, Stanza stanza)
    {
        if (_traced == client.ToString()) Console.Error.WriteLine($"{_time,7} {direction} {stanza}");
    }

    internal void Note(string text)
    {
        _log.Enqueue($"{_time,7} {text}");
        if (_log.Count > LogLinesMax) _log.Dequeue();
    }

    // ---- The server's side of sessions ----

    internal ServerSession Open(Client client)
    {
        // A new session replaces one of the same address that hibernates still (stream-management.md §7).
        if (_sessions.TryGetValue(client.Jid, out var old)) old.End();
        var session = new ServerSession(this, client.Jid);
        _sessions[client.Jid] = session;
        return session;
    }

    internal void Forget(ServerSession session)
    {
        if (_sessions.TryGetValue(session.Jid, out var current) && current == session) _sessions.Remove(session.Jid);
    }

    internal void Route(Stanza stanza)
    {
        if (stanza.To.SameBare(Room.Address)) Room.Post(stanza);
    }

    /// <summary>Delivers what a room sends. Nobody there: an error comes back, as from any server.</summary>
    internal void Deliver(SharedStanza shared, Jid to)
    {
        if (to.IsFull && _sessions.TryGetValue(to, out var session)) session.Deliver(shared);
        else if (to.IsFull && shared.Stanza is Message { IsError: false } message)
            Route(message.Readdressed(message.From, to).Refuse(StanzaError.RecipientUnavailable));
    }

    internal ServerSession? Find(Jid jid) => _sessions.GetValueOrDefault(jid);
}
