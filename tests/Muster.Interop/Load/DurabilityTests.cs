using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Muster.Interop.Servers;
using Muster.Protocol.Xml;
using Muster.Testing;
using Xunit.Abstractions;

namespace Muster.Interop.Load;

/// <summary>What it costs that a message is stored before it is seen, and its sender's count with it: CPU and time of a
/// message, in a room of twenty and between two.</summary>
/// <remarks>MUSTER_DURABILITY_MESSAGES is how many messages of each kind are sent; without it a few, which shows no
/// more than that all of them arrive.</remarks>
public sealed class DurabilityTests(ITestOutputHelper output)
{
    const int Occupants = 20;
    const string Room = "crowd@conference.localhost";

    static int Messages { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("MUSTER_DURABILITY_MESSAGES"), CultureInfo.InvariantCulture,
            out int number) ? number : 50;

    [Fact]
    public async Task WhatDurabilityCostsWithSqlite()
    {
        await MeasureAsync("memory", "backend = \"memory\"", isManaged: true);
        await MeasureAsync("sqlite, normal, unmanaged streams", "durability = \"normal\"", isManaged: false);
        await MeasureAsync("sqlite, normal", "durability = \"normal\"", isManaged: true);
        await MeasureAsync("sqlite, full", "durability = \"full\"", isManaged: true);
    }

    [RealPeerFact("postgresql")]
    public async Task WhatDurabilityCostsWithPostgres()
    {
        foreach (string durability in (string[])["normal", "full"])
        {
            await using var postgres = await PostgresServer.StartAsync(isSafe: true);
            await MeasureAsync($"postgres, {durability}", $"""
                backend = "postgres"
                  connection = "{postgres.Connection}"
                  durability = "{durability}"
                """, isManaged: true);
        }
    }

    async Task MeasureAsync(string name, string storage, bool isManaged)
    {
        await using var server = await ServerProcess.StartAsync($"""
            [registration]
              in_band = true
              rate_limit = 0
            [storage]
              {storage}
            """, demo: false);
        var clients = new List<Talker>();
        for (int i = 0; i < Occupants; i++)
        {
            await LoadClient.RegisterAsync(server.PlainPort, $"user{i}");
            clients.Add(await Talker.StartAsync(server.PlainPort, $"user{i}", isManaged));
        }
        await clients[0].EnterAsync("nick0");
        // A new room waits for its owner's word (XEP-0045 §10.1.2 #createroom-instant).
        var opened = clients[0].WhenHeard("open");
        await clients[0].SendAsync($"<iq type='set' id='open' to='{Room}'>" +
            $"<query xmlns='{Namespaces.MucOwner}'><x xmlns='jabber:x:data' type='submit'/></query></iq>");
        await opened.WaitAsync(TimeSpan.FromSeconds(60));
        for (int i = 1; i < Occupants; i++) await clients[i].EnterAsync($"nick{i}");

        await OneByOneAsync(server, clients, 200, isRoom: true); // warm
        await OneByOneAsync(server, clients, 200, isRoom: false);
        foreach (bool isRoom in (bool[])[true, false])
        {
            Print($"{name}, {(isRoom ? $"room of {Occupants}" : "between two")}: " +
                $"{await OneByOneAsync(server, clients, Messages, isRoom)}; " +
                $"{await AllAtOnceAsync(server, clients, Messages, isRoom)}");
        }
        foreach (var client in clients) await client.DisposeAsync();
    }

    // One is under way at any time: what a person who talks waits for. In a room the time is that to the own echo.
    static async Task<string> OneByOneAsync(ServerProcess server, List<Talker> clients, int count, bool isRoom)
    {
        var sender = clients[0];
        var recipient = isRoom ? sender : clients[1];
        var times = new double[count];
        var cpu = server.CpuTime;
        for (int i = 0; i < count; i++)
        {
            string id = $"one-{isRoom}-{i}-{Guid.NewGuid():N}";
            long start = Stopwatch.GetTimestamp();
            var heard = recipient.WhenHeard(id);
            await sender.SayAsync(isRoom ? Room : recipient.Account, isRoom, id);
            await heard.WaitAsync(TimeSpan.FromSeconds(30));
            times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }
        double micros = (server.CpuTime - cpu).TotalMicroseconds / count;
        Array.Sort(times);
        return string.Create(CultureInfo.InvariantCulture,
            $"one by one median {times[count / 2]:F2} ms, 99% within {times[count * 99 / 100]:F2} ms, " +
            $"{micros:F0} us of CPU");
    }

    // Everybody talks as fast as they can, each with one message under way: commits are shared.
    static async Task<string> AllAtOnceAsync(ServerProcess server, List<Talker> clients, int count, bool isRoom)
    {
        var cpu = server.CpuTime;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(clients.Select(async (sender, i) =>
        {
            var recipient = isRoom ? sender : clients[(i + 1) % clients.Count];
            for (int k = 0; k < count / 4; k++)
            {
                string id = $"all-{isRoom}-{i}-{k}";
                var heard = recipient.WhenHeard(id);
                await sender.SayAsync(isRoom ? Room : recipient.Account, isRoom, id);
                await heard.WaitAsync(TimeSpan.FromSeconds(60));
            }
        }));
        int all = count / 4 * clients.Count;
        return string.Create(CultureInfo.InvariantCulture,
            $"all at once {all / watch.Elapsed.TotalSeconds:F0} a second, " +
            $"{(server.CpuTime - cpu).TotalMicroseconds / all:F0} us of CPU");
    }

    void Print(string line)
    {
        output.WriteLine(line);
        Console.WriteLine($"durability: {line}");
    }

    /// <summary>A client that knows when it hears a message or an answer, and acknowledges what it is asked
    /// for.</summary>
    sealed class Talker : IAsyncDisposable
    {
        readonly LoadClient _client = new();
        readonly ConcurrentDictionary<string, TaskCompletionSource> _awaited = new();
        readonly TaskCompletionSource _managed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly SemaphoreSlim _sending = new(1);
        uint _taken;

        public string Account { get; private set; } = "";

        public static async Task<Talker> StartAsync(int port, string user, bool isManaged)
        {
            var talker = new Talker { Account = $"{user}@localhost" };
            await talker._client.LogInAsync(port, user, "load");
            talker._client.Received = talker.Receive;
            talker._client.Start();
            if (isManaged)
            {
                await talker.SendAsync($"<enable xmlns='{Namespaces.StreamManagement}' resume='true'/>");
                await talker._managed.Task.WaitAsync(TimeSpan.FromSeconds(60));
            }
            await talker.SendAsync("<presence/>");
            return talker;
        }

        public async Task EnterAsync(string nick)
        {
            await SendAsync($"<presence to='{Room}/{nick}'><x xmlns='{Namespaces.Muc}'/></presence>");
            await _entered.Task.WaitAsync(TimeSpan.FromSeconds(60));
        }

        public Task WhenHeard(string id) => _awaited.GetOrAdd(id, static _ =>
            new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        public Task SayAsync(string to, bool isRoom, string id) => SendAsync(
            $"<message to='{to}' type='{(isRoom ? "groupchat" : "chat")}' id='{id}'><body>But soft, what light " +
            "through yonder window breaks?</body></message>");

        public async Task SendAsync(string xml)
        {
            await _sending.WaitAsync();
            try
            {
                await _client.SendAsync(xml);
            }
            finally
            {
                _sending.Release();
            }
        }

        public ValueTask DisposeAsync() => _client.DisposeAsync();

        void Receive(Element element)
        {
            if (element.Namespace == Namespaces.StreamManagement)
            {
                if (element.Name == "enabled") _managed.TrySetResult();
                if (element.Name == "r") _ = SendAsync($"<a xmlns='{Namespaces.StreamManagement}' h='{_taken}'/>");
                return;
            }
            _taken++;
            if (element.Child("subject") is not null) _entered.TrySetResult();
            if ((element.Child("body") is not null || element.Name == "iq")
                && _awaited.TryRemove(element.Attribute("id") ?? "", out var awaited))
                awaited.TrySetResult();
        }
    }
}
