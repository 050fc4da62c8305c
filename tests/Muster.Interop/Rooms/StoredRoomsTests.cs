using System.Globalization;
using Muster.Interop.Servers;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Server.Storage;
using Muster.Server.Storage.Sqlite;
using Muster.Testing;
using Xunit.Abstractions;

namespace Muster.Interop.Rooms;

/// <summary>Many stored rooms in a real process on SQLite: while nobody is in them they cost neither memory nor time at
/// the start. <c>./test --all</c> takes 100,000, otherwise it is a fifth.</summary>
public sealed class StoredRoomsTests(ITestOutputHelper output)
{
    const string Service = "conference.localhost";

    static readonly int Count = Environment.GetEnvironmentVariable("MUSTER_TEST_ALL") == "1" ? 100_000 : 20_000;

    [Fact, Feature("MU-22", "MU-65", "MU-68")]
    public async Task NobodyInsideCostsNothing()
    {
        var server = await ServerProcess.StartAsync();
        try
        {
            // The first start makes what the others find.
            await server.StopAsync();
            var empty = await Measure("no stored rooms");
            await server.StopAsync();
            await StoreAsync(server.Data, Count);
            var full = await Measure($"{Count} stored rooms");

            // The bounds do not grow with the number of rooms.
            Assert.InRange(full.Resident - empty.Resident, long.MinValue, 12L * 1024 * 1024);
            Assert.InRange((full.Ready - empty.Ready).TotalSeconds, double.MinValue, 1.5);
            // Only --demo has looked at a room, its own.
            Assert.Equal("1", await MetricAsync(server, "mod_muc_process_recreations_count"));

            // And each of them is there.
            await using var romeo = await SocketClient.LogInAsync(server, "romeo");
            var entered = await romeo.EnterAsync($"room{Count - 1}@{Service}", "Romeo");
            Assert.Equal("About number 7", entered[^1].Child("subject")!.Text[..14]);
            Assert.Equal("2", await MetricAsync(server, "mod_muc_process_recreations_count"));
        }
        finally
        {
            await server.DisposeAsync();
        }

        async Task<(TimeSpan Ready, long Resident)> Measure(string what)
        {
            // The best of three starts, as a busy machine only ever adds to it.
            var ready = TimeSpan.MaxValue;
            for (int i = 0; i < 3; i++)
            {
                if (i > 0) await server.StopAsync();
                await server.DisposeProcessAsync();
                server = await server.RestartAsync();
                if (server.StartTime < ready) ready = server.StartTime;
            }
            await Task.Delay(3000);
            long resident = server.ResidentBytes;
            Print($"{what}: ready after {ready.TotalMilliseconds:F0} ms, {resident / 1024.0 / 1024:F1} MiB");
            return (ready, resident);
        }
    }

    [Fact, Feature("MU-22")]
    public async Task LoadedAtTheStartTheyAreReadWhileTheServerServes()
    {
        var server = await ServerProcess.StartAsync("""
            [modules.mod_muc]
              load_permanent_rooms_at_startup = true
            [instrumentation]
              probe_interval = 1
            """);
        try
        {
            await server.StopAsync();
            await StoreAsync(server.Data, Count);
            await server.DisposeProcessAsync();
            server = await server.RestartAsync();
            var watch = System.Diagnostics.Stopwatch.StartNew();
            int atReady = await LoadedAsync();
            // While they are read somebody logs in, enters the last of them, and speaks.
            await using var romeo = await SocketClient.LogInAsync(server, "romeo");
            string room = $"room{Count - 1}@{Service}";
            await romeo.EnterAsync(room, "Romeo");
            await romeo.SayAsync(room, "m", "good morrow");
            await romeo.UntilIdAsync("m");
            int atSpeech = await LoadedAsync();
            Print($"ready after {server.StartTime.TotalMilliseconds:F0} ms with {atReady} rooms read; " +
                $"spoke in one {watch.Elapsed.TotalMilliseconds:F0} ms later with {atSpeech} read");
            Assert.InRange(atReady, 0, Count - 1);

            int loaded = 0;
            while ((loaded = await LoadedAsync()) < Count)
            {
                Assert.True(watch.Elapsed < TimeSpan.FromMinutes(3), $"{loaded} of {Count} rooms are read");
                await Task.Delay(100);
            }
            Print($"all {Count} read after {watch.Elapsed.TotalSeconds:F1} s, " +
                $"{server.ResidentBytes / 1024.0 / 1024:F0} MiB");
            await Task.Delay(1500);
            // The room of the demo is there too.
            Assert.InRange(int.Parse(await MetricAsync(server, "mod_muc_rooms_online"), CultureInfo.InvariantCulture),
                Count, Count + 1);
        }
        finally
        {
            await server.DisposeAsync();
        }

        async Task<int> LoadedAsync() => int.Parse(
            await MetricAsync(server, "mod_muc_process_recreations_count"), CultureInfo.InvariantCulture);
    }

    /// <summary>Stores rooms as the server would: each with a title, a subject, an owner and two members.</summary>
    static async Task StoreAsync(string data, int count)
    {
        await using var database = SqliteDatabase.Open(new StorageOptions { Path = Path.Combine(data, "muster.db") });
        for (int i = 0; i < count; i += 500)
        {
            await database.Rooms.Commit([.. Enumerable.Range(i, Math.Min(500, count - i)).Select(Room)]);
        }
    }

    static RoomCommit Room(int i)
    {
        var now = DateTimeOffset.UnixEpoch;
        return new RoomCommit
        {
            Room = Jid.Parse($"room{i}@{Service}"),
            Creation = new(new byte[32], now),
            Options = new($"{{\"title\":[\"Room {i}\"],\"persistent\":[\"1\"]}}", $"Room {i}", true, true),
            Subject = new($"About number 7 and {i}", "Anna", now),
            AffiliationsSet =
            [
                new() { Jid = Jid.Parse("romeo@localhost"), Affiliation = (int)Affiliation.Owner },
                new() { Jid = Jid.Parse($"one{i}@localhost"), Affiliation = (int)Affiliation.Member, Nick = $"m{i}" },
                new() { Jid = Jid.Parse($"two{i}@localhost"), Affiliation = (int)Affiliation.Member },
            ],
        };
    }

    static async Task<string> MetricAsync(ServerProcess server, string name)
    {
        using var http = new HttpClient { BaseAddress = server.Http };
        string start = $"{name}{{host_type=\"localhost\"}} ";
        return (await http.GetStringAsync("/metrics")).Split('\n')
            .Single(line => line.StartsWith(start, StringComparison.Ordinal))[start.Length..];
    }

    void Print(string line)
    {
        output.WriteLine(line);
        Console.WriteLine($"rooms: {line}");
    }
}
