using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Muster.Interop.Load;
using Muster.Interop.Servers;

namespace Muster.Interop.Recovery;

/// <summary>How much is broken.</summary>
sealed record ChaosPlan
{
    /// <summary>How often the program is ended and started again.</summary>
    public required int Restarts { get; init; }
    /// <summary>Whether it is killed, too. Without that every session must go on, and nobody may be seen to
    /// leave.</summary>
    public required bool Kills { get; init; }
    /// <summary>Clients.</summary>
    public int Clients { get; init; } = 50;
    /// <summary>Rooms.</summary>
    public int Rooms { get; init; } = 10;
    /// <summary>Rooms that each client is in.</summary>
    public int RoomsEach { get; init; } = 3;
}

/// <summary>The server, its clients, what is done to them, and what each of them says and hears.</summary>
sealed class ChaosWorld(ChaosPlan plan, int seed)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly record struct Said(string From, string To, string Id);

    readonly Diary _diary = new();
    readonly Random _random = new(seed);
    readonly List<ManagedClient> _clients = [];
    readonly ConcurrentQueue<Said> _said = new();
    readonly List<string> _printed = [];
    volatile bool _isQuiet;
    ServerProcess? _server;
    int _breaks, _stops, _kills;

    /// <summary>What happened, in one line.</summary>
    public string Figures { get; private set; } = "";

    /// <summary>Writes down all that happened, and what the server printed.</summary>
    public void Save(string file)
    {
        _diary.Save(file);
        File.AppendAllLines(file, [.. _printed, _server?.Output ?? ""]);
    }

    public async Task RunAsync(string configuration)
    {
        var server = _server = await ServerProcess.StartAsync(configuration, demo: false);
        try
        {
            string[] rooms = [.. Enumerable.Range(0, plan.Rooms).Select(i => $"room{i}@conference.localhost")];
            for (int i = 0; i < plan.Clients; i++) await LoadClient.RegisterAsync(server.PlainPort, User(i));
            foreach (string room in rooms)
            {
                var made = await server.RunAsync("room", "create", room, "--owner", $"{User(0)}@localhost");
                Assert.True(made.Exit == 0, made.Output);
            }
            for (int i = 0; i < plan.Clients; i++)
            {
                var mine = Enumerable.Range(0, plan.RoomsEach).Select(k => rooms[(i + (k * k)) % rooms.Length]);
                _clients.Add(new ManagedClient(User(i), server.PlainPort, mine, _random.Next(), _diary));
                _clients[^1].Start();
            }
            await ComeToRestAsync();

            var talking = TalkAsync();
            var breaking = BreakConnectionsAsync(new Random(_random.Next()));
            await RestartAsync();
            _isQuiet = true;
            await Task.WhenAll(talking, breaking);
            await ComeToRestAsync();
            await JudgeAsync(rooms);
        }
        finally
        {
            _isQuiet = true;
            foreach (var client in _clients) await client.DisposeAsync();
            await _server.DisposeAsync();
        }
    }

    static string User(int i) => $"user{i}";

    async Task TalkAsync()
    {
        var random = new Random(_random.Next());
        while (!_isQuiet)
        {
            await Task.Delay(random.Next(0, 8), CancellationToken.None);
            var client = _clients[random.Next(_clients.Count)];
            bool isRoom = random.Next(5) > 0;
            string to = isRoom ? client.Rooms[random.Next(client.Rooms.Count)].Address
                : _clients[random.Next(_clients.Count)].Address;
            // Nobody types on for long while nothing is sent.
            if (to == client.Address || client.Waiting >= 5) continue;
            string id = RandomNumberGenerator.GetHexString(16, lowercase: true);
            _said.Enqueue(new Said(client.Address, to, id));
            _diary.Note(client.Address, $"says {id} to {to}");
            await client.SayAsync(to, isRoom, id);
        }
    }

    async Task BreakConnectionsAsync(Random random)
    {
        while (!_isQuiet)
        {
            await Task.Delay(random.Next(10, 160), CancellationToken.None);
            _clients[random.Next(_clients.Count)].Break(silently: random.Next(4) == 0);
            _breaks++;
        }
    }

    async Task RestartAsync()
    {
        for (int i = 0; i < plan.Restarts; i++)
        {
            // Now and then before the clients are back.
            await Task.Delay(_random.Next(6) == 0 ? _random.Next(300) : _random.Next(800, 3500));
            var server = _server!;
            if (plan.Kills && _random.Next(2) == 0)
            {
                _diary.Note("server", "is killed");
                _kills++;
                await server.KillAsync();
            }
            else
            {
                _diary.Note("server", "is stopped");
                _stops++;
                int exit = await server.StopAsync();
                if (exit != 0) _diary.Problem("server", $"ended with {exit}");
            }
            lock (_printed) _printed.Add(server.Output);
            await server.DisposeProcessAsync();
            _server = await server.RestartAsync();
            _diary.Note("server", "is back");
        }
    }

    async Task ComeToRestAsync()
    {
        var expected = _clients.ToDictionary(client => client, Expected);
        bool HasAll(ManagedClient client) => client.IsAtRest && Count(client) >= expected[client];
        await UntilAtRestAsync(_clients, () => _clients.All(HasAll), () => string.Join('\n', _clients
            .Where(client => !HasAll(client)).Select(client => $"{client} has {Count(client)} of {expected[client]}")));
    }

    static int Count(ManagedClient client) => client.Rooms.Sum(room => room.Count) + client.Own.Count;

    int Expected(ManagedClient client) => _said.Count(said =>
        said.To == client.Address || client.Rooms.Any(room => room.Address == said.To));

    async Task JudgeAsync(string[] rooms)
    {
        int lost = 0, repeated = 0, heard = 0;
        int departures = _clients.Sum(client => client.Departures); // those of the judge's own readers do not count
        foreach (string room in rooms)
        {
            string[] archived = [.. (await ReadArchiveAsync(room)).Select(message => message.Id)];
            string[] said = [.. _said.Where(message => message.To == room).Select(message => message.Id)];
            lost += Missing("the archive of " + room, said, archived);
            repeated += Repeated("the archive of " + room, archived);
            CheckOrderOfSenders(room, archived);
            foreach (var client in _clients)
            {
                if (client.Rooms.FirstOrDefault(mine => mine.Address == room) is not { } mine) continue;
                string[] ids = [.. mine.All.Select(message => message.Id)];
                heard += ids.Length;
                lost += Missing($"{client.Address} in {room}", said, ids);
                repeated += Repeated($"{client.Address} in {room}", ids);
                if (!ids.SequenceEqual(archived))
                    _diary.Problem(client.Address, $"has another order than the archive of {room}");
            }
        }
        foreach (var client in _clients)
        {
            string[] ids = [.. client.Own.All.Select(message => message.Id)];
            heard += ids.Length;
            var said = _said.Where(said => said.To == client.Address).Select(said => said.Id);
            lost += Missing(client.Address, said, ids);
            repeated += Repeated(client.Address, ids);
        }
        int begun = _clients.Sum(client => client.Begun);
        Figures = $"{plan.Clients} clients, {plan.Rooms} rooms, {_said.Count} messages, {heard} times delivered, " +
            $"{_breaks} connections broken, {_stops} restarts in order, {_kills} kills, " +
            $"{_clients.Sum(client => client.Resumed)} sessions resumed, {begun - plan.Clients} begun anew, " +
            $"{departures} seen to leave; lost {lost}, repeated {repeated}";
        if (!plan.Kills && begun != plan.Clients) _diary.Problem("somebody", "had to begin a new session");
        if (!plan.Kills && departures > 0) _diary.Problem("somebody", "was seen to leave");
        Assert.True(_diary.Problems.Count == 0,
            $"{Figures}\n{_diary.Problems.Count} problems:\n{string.Join('\n', _diary.Problems.Take(20))}");
    }

    int Missing(string where, IEnumerable<string> said, IReadOnlyCollection<string> found)
    {
        string[] missing = [.. said.Except(found)];
        foreach (string id in missing) _diary.Problem(where, $"lacks {id}");
        return missing.Length;
    }

    int Repeated(string where, IReadOnlyCollection<string> found)
    {
        string[] twice = [.. found.GroupBy(id => id).Where(same => same.Count() > 1).Select(same => same.Key)];
        foreach (string id in twice) _diary.Problem(where, $"has {id} more than once");
        return twice.Length;
    }

    // What one says in one room stays in the order in which it was said.
    void CheckOrderOfSenders(string room, string[] archived)
    {
        var place = archived.Select((id, i) => (id, i)).DistinctBy(at => at.id).ToDictionary(at => at.id, at => at.i);
        foreach (var one in _said.Where(said => said.To == room && place.ContainsKey(said.Id))
            .GroupBy(said => said.From))
        {
            int[] places = [.. one.Select(said => place[said.Id])];
            if (!places.SequenceEqual(places.Order()))
                _diary.Problem(one.Key, $"is in another order in {room} than it spoke");
        }
    }

    // With a client of its own, from the first message to the last.
    async Task<Heard[]> ReadArchiveAsync(string room)
    {
        await using var reader = new ManagedClient(User(0), _server!.PlainPort, [room], 0, _diary, "judge");
        reader.Start();
        await UntilAtRestAsync(
            [reader], () => reader.IsAtRest, () => $"the archive of {room} cannot be read: {reader}");
        return reader.Rooms[0].All;
    }

    // At rest is who knows that all it has sent has arrived: so they ask.
    static async Task UntilAtRestAsync(List<ManagedClient> clients, Func<bool> holds, Func<string> otherwise)
    {
        var watch = Stopwatch.StartNew();
        for (int i = 0; !holds(); i++)
        {
            if (i % 25 == 0)
                foreach (var client in clients) _ = client.AskAsync();
            if (watch.Elapsed > Patience)
                Assert.Fail(string.Create(CultureInfo.InvariantCulture, $"after {watch.Elapsed.TotalSeconds:F0} s: ")
                    + otherwise());
            await Task.Delay(20);
        }
    }
}
