using Muster.Core.Rooms;
using Muster.Protocol.Addresses;

namespace Muster.Simulation;

/// <summary>
/// One seed, one thread, one virtual clock: real rooms and real sessions, between clients whose connections drop, delay
/// and resume, a disk that fails and a process that is stopped and killed. Everything that happens is an event at a
/// time; with the same seed the same things happen.
/// </summary>
public sealed class World
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

    World(int seed, Fault fault, string? traced)
    {
        _traced = traced;
        Random = new Random(seed);
        Fault = fault;
        Disk = new Disk(this);
        RoomPolicy = new RoomPolicy
        {
            AnswersArchiveQueries = true,
            MessageIntervalMin = Chance(0.3) ? TimeSpan.FromMilliseconds(700) : TimeSpan.Zero,
        };
        Server = new Server(this);
        foreach (var device in Devices) _clients.Add(new Client(this, device));
        foreach (var client in _clients)
            if (Chance(0.3)) client.BeginNearWrap();
        Server.Start();
    }

    internal Random Random { get; }
    internal Fault Fault { get; }
    internal Disk Disk { get; }
    internal Server Server { get; }
    internal Ledger Ledger { get; } = new();
    internal RoomPolicy RoomPolicy { get; }
    internal Jid Owner { get; } = Jid.Parse("romeo@x");
    internal IReadOnlyList<Jid> Rooms { get; } = [Jid.Parse("garden@muc.x"), Jid.Parse("hall@muc.x")];
    internal IReadOnlyList<Jid> Devices { get; } =
    [
        .. from user in new[] { "romeo@x", "julia@x", "nurse@x", "tybalt@x" }
           from device in new[] { 1, 2 }
           select Jid.Parse($"{user}/{device}"),
    ];
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
    /// <returns>What was simulated, for people.</returns>
    public static string Run(int seed, int steps, Fault fault = Fault.None, string? traced = null)
    {
        World? world = null;
        try
        {
            world = new World(seed, fault, traced);
            world.Play(steps);
            return $"seed {seed}: {world.Rooms.Sum(room => world.Disk.Archive(room).Count)} messages archived, " +
                $"{world._clients.Sum(c => c.Shown)} stanzas shown, {world._clients.Sum(c => c.Resumes)} resumes, " +
                $"{world._restarts} restarts, {world._crashes} crashes, {world.Disk.Failures} disk failures";
        }
        catch (Exception problem)
        {
            string what = problem is SimulationException ? problem.Message : problem.ToString();
            throw new SimulationException($"""
                seed {seed}, {steps} steps, at {world?.Time} ms: {what}
                repeat: ./test --simulation --seed {seed} --steps {steps}
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
        if (!Server.IsUp) Server.Start();
        foreach (var client in _clients) client.Recover();
        Settle();
        foreach (var client in _clients) client.EnterAll();
        Settle();
        Check.AtRest(this, _clients);
    }

    void Settle()
    {
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
        else if (Chance(0.006)) CrashServer();
        else if (Chance(0.008)) RestartServer();
        else client.Act();
    }

    /// <summary>The process dies and starts again: what is not stored is gone, and nobody is told.</summary>
    void CrashServer()
    {
        if (!Server.IsUp) return;
        Note("the server crashes");
        _crashes++;
        Server.Crash();
        foreach (var client in _clients) client.CutBy(Random.Next(0, 200));
        StartLater();
    }

    /// <summary>It is stopped in order, or almost: a few times it is killed before it is done.</summary>
    void RestartServer()
    {
        if (!Server.IsUp) return;
        bool isCutShort = Chance(0.2);
        Note(isCutShort ? "the server is stopped and killed" : "the server is stopped");
        _restarts++;
        Server.Stop(isCutShort);
        foreach (var client in _clients) client.CutBy(3000);
        StartLater();
    }

    void StartLater() => After(Random.Next(50, 3000), () =>
    {
        if (Server.IsUp) return;
        Note("the server starts");
        Server.Start();
    });

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
