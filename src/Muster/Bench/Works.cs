using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Muster.Bench;

/// <summary>The kinds of work that the generator gives a server.</summary>
static class Works
{
    const int Queued = 10; // messages that wait for each session that resumes

    /// <summary>Rooms of some sizes, in which ten talk.</summary>
    public static async Task<List<BenchFigure>> RoomsAsync(
        BenchTarget target, int[] sizes, int accounts, TalkPlan plan, double warmUp, Injected inject, bool isUnseen)
    {
        var figures = new List<BenchFigure>();
        foreach (int size in sizes)
        {
            // Connections anew for each room, so that each has one room to count for.
            var clients = await Crew.LogInAsync(target, size, "room", accounts);
            var room = new RoomTalk(target, clients, inject, isUnseen);
            var entered = await room.EnterAsync();
            if (!isUnseen) figures.Add(entered);
            var some = plan with { Senders = Math.Min(plan.Senders, size) };
            if (warmUp > 0) await room.TalkAsync("warm-up", some with { Seconds = warmUp });
            figures.Add(await room.TalkAsync($"room of {size}", some));
            await Crew.DismissAsync(clients);
        }
        return figures;
    }

    /// <summary>Many enter a room at once.</summary>
    public static async Task<List<BenchFigure>> JoinsAsync(BenchTarget target, int[] sizes, int accounts)
    {
        var figures = new List<BenchFigure>();
        foreach (int size in sizes)
        {
            var clients = await Crew.LogInAsync(target, size, "join", accounts);
            figures.Add(await new RoomTalk(target, clients).EnterAsync());
            await Crew.DismissAsync(clients);
        }
        return figures;
    }

    /// <summary>Sessions that do nothing: without and with stream management, and a quarter as many with TLS. All stay,
    /// so that none has the memory that others have given back.</summary>
    public static async Task<List<BenchFigure>> IdleAsync(BenchTarget target, int count, int accounts, int? tlsPort)
    {
        var figures = new List<BenchFigure>();
        var all = new List<BenchClient>();
        await IdleAsync(target, "", Math.Min(count, 200));
        await IdleAsync(target with { IsManaged = false }, "idle sessions", count);
        await IdleAsync(target with { IsManaged = true }, "stream management: idle sessions", count);
        if (tlsPort is { } port)
        {
            var secure = target with { UsesTls = true, Port = port };
            await IdleAsync(secure, "", Math.Min(count, 50));
            await IdleAsync(secure, "TLS: idle sessions", count / 4);
        }
        // Thousands are not waited for one by one.
        foreach (var client in all) await client.SendAsync("</stream:stream>");
        await Task.Delay(500);
        foreach (var client in all) await client.DisposeAsync();
        return figures;

        async Task IdleAsync(BenchTarget target, string name, int count)
        {
            var measured = new Measurement(target);
            string resource = string.Create(CultureInfo.InvariantCulture, $"idle{all.Count}-");
            all.AddRange(await Crew.LogInAsync(target, count, resource, accounts));
            await Task.Delay(1500);
            if (name.Length > 0)
                figures.Add(new(name, measured.KibibytesPer(count), "KiB per session", count, measured.Seconds));
        }
    }

    /// <summary>Clients that log in and go.</summary>
    public static async Task<List<BenchFigure>> LoginsAsync(BenchTarget target, double seconds, int accounts)
    {
        accounts = Math.Min(accounts, 200);
        // Each of them once before it counts: a server may remember which passwords it has proved.
        await LogInAndGoAsync(target, seconds / 4, accounts, new LatencyHistogram(), countMin: accounts);
        var latency = new LatencyHistogram();
        var measured = new Measurement(target);
        long count = await LogInAndGoAsync(target, seconds, accounts, latency);
        return [new($"logins, {target.Mechanism}", measured.MillisPer(count), "ms per login", count, measured.Seconds,
            latency.Percentile(0.5), latency.Percentile(0.99))];
    }

    static async Task<long> LogInAndGoAsync(
        BenchTarget target, double seconds, int accounts, LatencyHistogram latency, int countMin = 0)
    {
        long count = 0;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Crew.Abreast).Select(async lane =>
        {
            for (int i = lane; i < countMin || watch.Elapsed.TotalSeconds < seconds; i += Crew.Abreast)
            {
                long start = Stopwatch.GetTimestamp();
                await using var client = new BenchClient(target, Crew.UserName(i % accounts), "login");
                await client.LogInAsync();
                lock (latency) latency.Add((long)Stopwatch.GetElapsedTime(start).TotalMicroseconds);
                await client.SendAsync("</stream:stream>");
                Interlocked.Increment(ref count);
            }
        }));
        return count;
    }

    /// <summary>Pairs of users who talk: each sends the next message when the other has one of its own.</summary>
    public static async Task<List<BenchFigure>> PairsAsync(BenchTarget target, int pairs, int[] windows, double seconds)
    {
        var figures = new List<BenchFigure>();
        foreach (int window in windows)
        {
            var clients = await Crew.LogInAsync(target, pairs * 2, "pair");
            foreach (var client in clients) await client.SendAsync("<presence/>");
            await Task.Delay(500);
            var talk = new PairTalk(target, clients);
            await talk.TalkAsync("warm-up", window, seconds / 2);
            figures.Add(await talk.TalkAsync($"one to one, window {window}", window, seconds));
            await Crew.DismissAsync(clients);
        }
        return figures;
    }

    /// <summary>Sessions whose connections broke come back and get what waited for them.</summary>
    public static async Task<List<BenchFigure>> ResumptionsAsync(BenchTarget target, int count)
    {
        var managed = target with { IsManaged = true };
        await ResumeAsync(managed, Math.Min(count, 50));
        return [await ResumeAsync(managed, count)];
    }

    static async Task<BenchFigure> ResumeAsync(BenchTarget target, int count)
    {
        var broken = await Crew.LogInAsync(target, count, "resume");
        foreach (var client in broken)
        {
            if (client.ResumeId is null) throw new BenchException("the server does not let streams be resumed");
            // Everything that came so far is acknowledged by the resumption.
            await client.SendAsync("<presence/>");
        }
        await Task.Delay(500);
        foreach (var client in broken) client.Start();
        await Task.Delay(500);
        foreach (var client in broken)
        {
            client.Cut();
            await client.DisposeAsync();
        }
        await Task.Delay(500);
        await using var sender = new BenchClient(target with { IsManaged = false }, Crew.UserName(0), "sender");
        await sender.LogInAsync();
        int number = 0;
        foreach (var client in broken)
        {
            for (int i = 0; i < Queued; i++)
            {
                string body = TalkText.Write(number++, i);
                await sender.SendAsync($"<message to='{client.Jid}' type='chat'>{body}</message>");
            }
        }
        await Task.Delay(1000);

        var back = new BenchClient[count];
        await Parallel.ForAsync(0, count, Crew.Few, async (i, _) =>
        {
            back[i] = new BenchClient(target, broken[i].User, "resume");
            await back[i].ConnectAsync();
            await back[i].AuthenticateAsync();
        });
        var latency = new LatencyHistogram();
        string? problem = null;
        var measured = new Measurement(target);
        await Parallel.ForAsync(0, count, Crew.Few, async (i, _) =>
        {
            long start = Stopwatch.GetTimestamp();
            await back[i].ResumeAsync(broken[i]);
            for (int expected = 0; expected < Queued;)
            {
                byte[] stanza = Encoding.UTF8.GetBytes(await back[i].NextAsync());
                if (!TalkText.TryRead(stanza, out long got, out int place, out long _)) continue;
                if (place != expected || got / Queued != i)
                    problem = string.Create(CultureInfo.InvariantCulture, $"session {i} got {got} at place {expected}");
                expected++;
            }
            lock (latency) latency.Add((long)Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        });
        double seconds = measured.Seconds;
        double? cost = measured.MillisPer(count);
        foreach (var client in back) await client.SendAsync("</stream:stream>");
        await Crew.DismissAsync(back);
        return new("resumptions, 10 queued messages", cost, "ms per resumption", count, seconds,
            latency.Percentile(0.5), latency.Percentile(0.99), problem);
    }

    /// <summary>Persistent rooms: with somebody inside, and then with nobody.</summary>
    public static async Task<List<BenchFigure>> IdleRoomsAsync(BenchTarget target, int count, int people)
    {
        var clients = await Crew.LogInAsync(target, people, "rooms");
        var crowd = new RoomCrowd(target, clients);
        await crowd.EnterAsync(Math.Min(200, count), "warm");
        await Task.Delay(1000);
        var measured = new Measurement(target);
        await crowd.EnterAsync(count, "idle");
        double seconds = measured.Seconds;
        await Task.Delay(2000);
        double? occupied = measured.KibibytesPer(count);
        await crowd.LeaveAsync();
        await Task.Delay(2000);
        double? left = measured.KibibytesPer(count);
        await Crew.DismissAsync(clients);
        return
        [
            new("persistent rooms, one inside", occupied, "KiB per room", count, seconds),
            new("persistent rooms, nobody inside", left, "KiB per room", count, measured.Seconds),
        ];
    }
}
