using System.Diagnostics;
using System.Globalization;
using Muster.Interop.Servers;
using Muster.Protocol.Xml;
using Xunit.Abstractions;

namespace Muster.Interop.Load;

/// <summary>Many clients on one machine, against the program in a process of its own.</summary>
public sealed class LoadTests(ITestOutputHelper output)
{
    const int Accounts = 125;
    const string Open = """
        [registration]
          in_band = true
          rate_limit = 0
        [modules.mod_muc]
          max_users = 1000
          default_room.max_users = 1000
        """;

    [Fact]
    public async Task FiveHundredUsersTalkInOneRoomBesideTwoThousandIdleClients()
    {
        await using var server = await ServerProcess.StartAsync(Open, demo: false);
        await Parallel.ForAsync(0, Accounts, Few, async (i, _) =>
            await LoadClient.RegisterAsync(server.PlainPort, $"user{i}"));
        long before = server.ResidentBytes;

        var idle = await LogInAsync(server, 2000, "idle");
        foreach (var client in idle) await client.SendAsync("<presence/>");
        await Task.Delay(3000);
        long afterIdle = server.ResidentBytes;
        Print($"idle clients: 2000, {(afterIdle - before) / 2000.0 / 1024:F1} KiB of resident memory each");

        var talkers = await LogInAsync(server, 500, "talk");
        var ledger = new Ledger(talkers.Count);
        for (int i = 0; i < talkers.Count; i++)
        {
            int me = i;
            talkers[i].Received = element => ledger.Note(me, element);
            talkers[i].Start();
        }
        var watch = Stopwatch.StartNew();
        await talkers[0].SendAsync(Join(0));
        // A new room waits for its owner's word (XEP-0045 §10.1.2 #createroom-instant).
        await talkers[0].SendAsync("<iq type='set' id='o' to='crowd@conference.localhost'>" +
            $"<query xmlns='{Namespaces.MucOwner}'><x xmlns='jabber:x:data' type='submit'/></query></iq>");
        await Until(() => ledger.Joined >= 1);
        for (int i = 1; i < talkers.Count; i++)
            await talkers[i].SendAsync(Join(i));
        await Until(() => ledger.Joined == talkers.Count);
        Print($"500 users in one room after {watch.Elapsed.TotalSeconds:F1} s");

        const int Messages = 200;
        var cpu = server.CpuTime;
        watch.Restart();
        for (int m = 0; m < Messages; m++)
        {
            await talkers[m % 10].SendAsync(
                $"<message to='crowd@conference.localhost' type='groupchat' id='m{m}'><body>line {m}</body></message>");
            int sent = m + 1;
            await Until(() => ledger.Heard(m % 10) >= sent);
        }
        await Until(() => ledger.Total == (long)Messages * talkers.Count);
        double micros = (server.CpuTime - cpu).TotalMicroseconds / ledger.Total;
        Print($"{Messages} messages to 500 occupants: {micros:F2} us of CPU per delivered copy, " +
            $"{watch.Elapsed.TotalSeconds:F1} s");

        Assert.Equal("", ledger.Problems());
        foreach (var client in talkers.Concat(idle)) await client.DisposeAsync();
    }

    static string Join(int i) => $"<presence to='crowd@conference.localhost/nick{i}'>" +
        $"<x xmlns='{Namespaces.Muc}'><history maxstanzas='0'/></x></presence>";

    static ParallelOptions Few { get; } = new() { MaxDegreeOfParallelism = 4 };

    static async Task<List<LoadClient>> LogInAsync(ServerProcess server, int count, string resource)
    {
        var clients = new LoadClient[count];
        await Parallel.ForAsync(0, count, Few, async (i, _) =>
        {
            clients[i] = new LoadClient();
            await clients[i].LogInAsync(server.PlainPort, $"user{i % Accounts}",
                string.Create(CultureInfo.InvariantCulture, $"{resource}{i / Accounts}"));
        });
        return [.. clients];
    }

    static async Task Until(Func<bool> condition)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed > TimeSpan.FromSeconds(60)) Assert.Fail("waited for 60 seconds in vain");
            await Task.Delay(1);
        }
    }

    void Print(string line)
    {
        output.WriteLine(line);
        Console.WriteLine($"load: {line}");
    }

    /// <summary>What each occupant saw: all must see every message once, in the same order.</summary>
    sealed class Ledger(int occupants)
    {
        readonly List<string>[] _heard = [.. Enumerable.Range(0, occupants).Select(_ => new List<string>())];
        readonly bool[] _joined = new bool[occupants];
        int _joinedCount;
        long _total;

        public int Joined => Volatile.Read(ref _joinedCount);
        public long Total => Volatile.Read(ref _total);

        public int Heard(int occupant) { lock (_heard[occupant]) return _heard[occupant].Count; }

        public void Note(int me, Element element)
        {
            if (element.Is(Namespaces.Client, "message") && element.Child("body")?.Text is { } body)
            {
                lock (_heard[me]) _heard[me].Add(body);
                Interlocked.Increment(ref _total);
            }
            else if (!_joined[me] && element.Attribute("type") is null
                && element.Child(Namespaces.MucUser, "x") is { } x &&
                x.Children(Namespaces.MucUser, "status").Any(status => status.Attribute("code") == "110"))
            {
                _joined[me] = true;
                Interlocked.Increment(ref _joinedCount);
            }
        }

        public string Problems()
        {
            var first = _heard[0];
            if (first.Distinct().Count() != first.Count) return "occupant 0 heard a message twice";
            int different = Enumerable.Range(0, _heard.Length).FirstOrDefault(i => !_heard[i].SequenceEqual(first), -1);
            return different < 0 ? "" : $"occupant {different} heard something else than occupant 0";
        }
    }
}
