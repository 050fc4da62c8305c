using System.Diagnostics;
using Muster.Core.Joins;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Simulation;

/// <summary>What it costs to look after many sessions in rooms of other servers: memory, and the time of a
/// sweep.</summary>
internal static class JoinLoad
{
    const int RoomsPerSession = 50, Domains = 20, Repetitions = 10;

    static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Measures and prints.</summary>
    /// <param name="count">Joined rooms, in sessions of fifty each.</param>
    public static int Run(int count)
    {
        int sessions = Math.Max(1, count / RoomsPerSession);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        JoinedRooms[] all = [.. Enumerable.Range(0, sessions).Select(Enter)];
        double bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        count = sessions * RoomsPerSession;
        Console.WriteLine($"{count} joined rooms: {bytes / count:F0} bytes each");
        var now = Start;
        var checks = new RoomChecks(new byte[32]);
        Time("a sweep with nothing to do", () => Sweep(checks, all, now));
        Time("one that looks for silent rooms, and all are", () => Sweep(checks, all, now += TimeSpan.FromHours(1)));
        Time("one after the end of a stream with one of 20 domains", () =>
        {
            checks = new RoomChecks(new byte[32]);
            checks.StreamEnded(Jid.Parse("conference3.example.org"), now);
            Sweep(checks, all, now + TimeSpan.FromMinutes(1));
        });
        AskAll(all, now);
        return 0;
    }

    // Each stanza brings an address of its own, as on a server.
    static JoinedRooms Enter(int number)
    {
        var rooms = new JoinedRooms(Jid.Parse($"user{number}@example.com/phone"));
        var self = new MucUser(new MucItem(Affiliation.None, Role.Participant), MucStatus.Self).ToElement();
        for (int i = 0; i < RoomsPerSession; i++)
        {
            string occupant = $"room{i}@conference{i % Domains}.example.org/Nickname{number % 97}";
            rooms.Sent(new Presence(PresenceType.Available, rooms.Session, Jid.Parse(occupant), null), 1000, Start);
            rooms.Received(new Presence(PresenceType.Available, Jid.Parse(occupant), rooms.Session, null, self),
                wasAddressed: false, Start, out _);
        }
        return rooms;
    }

    static int Sweep(RoomChecks checks, JoinedRooms[] all, DateTimeOffset now)
    {
        var effects = new List<CheckEffect>();
        checks.Sweep(all, now, effects);
        var pings = effects.OfType<CheckEffect.Ping>().ToList();
        foreach (var ping in pings)
            checks.Answer(new Iq(IqType.Result, ping.Occupant, ping.Session, ping.Id, null), now, effects);
        return pings.Count;
    }

    /// <summary>All domains at once: as when the own network was away.</summary>
    static void AskAll(JoinedRooms[] all, DateTimeOffset now)
    {
        var checks = new RoomChecks(new byte[32]);
        for (int i = 0; i < Domains; i++) checks.StreamEnded(Jid.Parse($"conference{i}.example.org"), now);
        now += TimeSpan.FromMinutes(1);
        var (clock, longest, asked, sweeps) = (Stopwatch.StartNew(), TimeSpan.Zero, 0, 0);
        for (; !checks.IsIdle; sweeps++, now += TimeSpan.FromSeconds(1))
        {
            var before = clock.Elapsed;
            asked += Sweep(checks, all, now);
            if (clock.Elapsed - before > longest) longest = clock.Elapsed - before;
        }
        Console.WriteLine($"all domains at once: {asked} rooms asked in {sweeps} sweeps, " +
            $"{clock.Elapsed.TotalMilliseconds:F0} ms in all, the longest {longest.TotalMilliseconds:F0} ms");
    }

    static void Time(string what, Action act)
    {
        act();
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < Repetitions; i++) act();
        double milliseconds = clock.Elapsed.TotalMilliseconds / Repetitions;
        allocated = (GC.GetAllocatedBytesForCurrentThread() - allocated) / Repetitions / 1024;
        Console.WriteLine($"{what}: {milliseconds:F2} ms, {allocated} KiB of garbage");
    }
}
