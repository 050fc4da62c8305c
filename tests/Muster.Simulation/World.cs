using Muster.Core.Rooms;
using Muster.Protocol.Addresses;

namespace Muster.Simulation;

/// <summary>
/// One seed, one thread, one virtual clock: real rooms and real sessions, between clients whose connections drop, delay
/// and resume, a disk that fails and a process that is stopped and killed. Two such servers may stand in it, whose
/// users are in each other's rooms. Everything that happens is an event at a time; with the same seed the same things
/// happen.
/// </summary>
public sealed partial class World
{
    /// <summary>Events that a finished run may still need to come to rest; more is a loop.</summary>
    const int SettlingEventsMax = 2_000_000;
    const int LogLinesMax = 80;

    static readonly DateTimeOffset Start = new(2024, 5, 1, 0, 0, 0, TimeSpan.Zero);

    readonly PriorityQueue<Action, (long At, long Number)> _events = new();
    readonly Queue<string> _log = new();
    readonly List<Client> _clients = [];
    readonly string? _traced;
    long _number;
    int _crashes, _restarts;

    World(int seed, Fault fault, string? traced, bool isFederated)
    {
        _traced = traced;
        Random = new Random(seed);
        Fault = fault;
        IsFederated = isFederated;
        RoomPolicy = new RoomPolicy
        {
            AnswersArchiveQueries = true,
            MessageIntervalMin = Chance(0.3) ? TimeSpan.FromMilliseconds(700) : TimeSpan.Zero,
            ProbeAfter = TimeSpan.FromMinutes(2),
            ProbeTime = TimeSpan.FromMinutes(1),
        };
        if (isFederated) PlanFederation();
        Rooms = [.. (isFederated ? FederatedRooms : LocalRooms).Select(Jid.Parse)];
        Devices = [.. (isFederated ? FederatedDevices : LocalDevices).Select(Jid.Parse)];
        Servers = isFederated
            ? [new Server(this, "x", Jid.Parse("romeo@x")), new Server(this, "y", Jid.Parse("nurse@y"))]
            : [new Server(this, "x", Jid.Parse("romeo@x"))];
        foreach (var device in Devices) _clients.Add(new Client(this, device));
        foreach (var client in _clients)
            if (Chance(0.3)) client.BeginNearWrap();
        foreach (var server in Servers) server.Start();
    }

    static string[] LocalRooms => ["garden@muc.x", "hall@muc.x"];
    static IEnumerable<string> LocalDevices =>
        from user in new[] { "romeo@x", "julia@x", "nurse@x", "tybalt@x" }
        from device in new[] { 1, 2 }
        select $"{user}/{device}";

    internal Random Random { get; }
    internal Fault Fault { get; }
    internal IReadOnlyList<Server> Servers { get; }
    internal Ledger Ledger { get; } = new();
    internal RoomPolicy RoomPolicy { get; }
    internal IReadOnlyList<Jid> Rooms { get; }
    internal IReadOnlyList<Jid> Devices { get; }
    internal IReadOnlyList<Client> Clients => _clients;
    /// <summary>True while things may still go wrong: after it only what is under way comes to its end.</summary>
    internal bool IsStormy { get; private set; } = true;
    /// <summary>Milliseconds since the beginning.</summary>
    internal long Time { get; private set; }
    internal DateTimeOffset Now => Start.AddMilliseconds(Time);

    /// <summary>Runs one simulation; throws when a checker finds something wrong.</summary>
    /// <param name="seed">Decides everything.</param>
    /// <param name="steps">Things that users and misfortune do.</param>
    /// <param name="fault">A mistake for the checkers to find.</param>
    /// <param name="traced">A client whose stanzas are written to standard error, or null.</param>
    /// <param name="servers">1, or 2 that are joined by streams. A mistake that is made between servers has two in any
    /// case.</param>
    /// <returns>What was simulated, for people.</returns>
    public static string Run(
        int seed, int steps, Fault fault = Fault.None, string? traced = null, int servers = 1)
    {
        bool isFederated = servers > 1 || fault.IsBetweenServers();
        World? world = null;
        try
        {
            world = new World(seed, fault, traced, isFederated);
            world.Play(steps);
            int archived = world.Rooms.Sum(room => world.DiskOf(room).Archive(room).Count);
            return $"seed {seed}: {archived} messages archived, " +
                $"{world._clients.Sum(c => c.Shown)} stanzas shown, {world._clients.Sum(c => c.Resumes)} resumes, " +
                $"{world._restarts} restarts, {world._crashes} crashes, " +
                $"{world.Servers.Sum(server => server.Disk.Failures)} disk failures{world.DescribeFederation()}";
        }
        catch (Exception problem)
        {
            string what = problem is SimulationException ? problem.Message : problem.ToString();
            throw new SimulationException($"""
                seed {seed}, {steps} steps, at {world?.Time} ms: {what}
                repeat: ./test --simulation --seed {seed} --steps {steps}{(isFederated ? " --servers 2" : "")}
                last events:
                {string.Join('\n', world?._log ?? [])}
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
        foreach (var server in Servers)
            if (!server.IsUp) server.Start();
        foreach (var client in _clients) client.Recover();
        Settle();
        if (IsFederated) AgreeAtRest();
        foreach (var client in _clients) client.EnterAll();
        Settle();
        Check.AtRest(this, _clients);
    }

    void Settle()
    {
        if (IsFederated)
        {
            Rest();
            return;
        }
        for (int i = 0; _events.Count > 0; i++)
        {
            if (i > SettlingEventsMax) throw new SimulationException("it does not come to rest");
            RunNext();
        }
    }

    void RunNext()
    {
        if (!_events.TryDequeue(out var action, out var when)) return;
        Time = when.At;
        action();
    }

    void Step()
    {
        Check.NoGhosts(this);
        var client = _clients[Random.Next(_clients.Count)];
        if (Chance(0.08)) client.DropConnection();
        else if (Chance(0.01)) client.Kill();
        else if (Chance(0.01)) client.Quit();
        else if (Chance(0.006)) CrashServer(AnyServer());
        else if (Chance(0.008)) RestartServer(AnyServer());
        else if (IsFederated && Chance(0.06)) HarmStreams();
        else client.Act();
    }

    /// <summary>The process dies and starts again: what is not stored is gone, and nobody is told.</summary>
    void CrashServer(Server server)
    {
        if (!server.IsUp) return;
        Note($"{server} crashes");
        _crashes++;
        server.Crash();
        BreakStreams(server);
        foreach (var client in ClientsOf(server)) client.CutBy(Random.Next(0, 200));
        StartLater(server);
    }

    /// <summary>It is stopped in order, or almost: a few times it is killed before it is done.</summary>
    void RestartServer(Server server)
    {
        if (!server.IsUp) return;
        bool isCutShort = Chance(0.2);
        Note(isCutShort ? $"{server} is stopped and killed" : $"{server} is stopped");
        _restarts++;
        server.Stop(isCutShort);
        BreakStreams(server);
        foreach (var client in ClientsOf(server)) client.CutBy(3000);
        StartLater(server);
    }

    void StartLater(Server server) => After(Random.Next(50, 3000), () =>
    {
        if (server.IsUp) return;
        Note($"{server} starts");
        server.Start();
    });

    Server AnyServer() => Servers.Count == 1 ? Servers[0] : Servers[Random.Next(Servers.Count)];

    IEnumerable<Client> ClientsOf(Server server) => _clients.Where(client => client.Server == server);

    /// <summary>The server of a domain, or of the rooms below it.</summary>
    internal Server Home(Jid jid) => Servers.Count == 1 || Servers[0].Serves(jid) ? Servers[0] : Servers[1];

    /// <summary>What that one has stored.</summary>
    internal Disk DiskOf(Jid jid) => Home(jid).Disk;

    internal bool Chance(double probability) => Random.NextDouble() < probability;

    internal void After(int milliseconds, Action action) => Schedule(Time + milliseconds, action);

    internal void At(DateTimeOffset when, Action action) => Schedule((long)(when - Start).TotalMilliseconds, action);

    void Schedule(long at, Action action) => _events.Enqueue(action, (Math.Max(at, Time), ++_number));

    internal void Trace(Jid client, char direction, object what)
    {
        if (_traced == client.ToString()) Console.Error.WriteLine($"{Time,7} {direction} {what}");
    }

    internal void Note(string text)
    {
        if (_traced is not null) Console.Error.WriteLine($"{Time,7} {text}");
        _log.Enqueue($"{Time,7} {text}");
        if (_log.Count > LogLinesMax) _log.Dequeue();
    }
}
