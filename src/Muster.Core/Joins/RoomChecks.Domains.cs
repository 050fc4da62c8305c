using Muster.Protocol.Addresses;

namespace Muster.Core.Joins;

// Which rooms are in doubt: those of a domain whose stream has ended, those that are silent, those that drop their
// occupants again and again.
public sealed partial class RoomChecks
{
    /// <summary>The pings of one domain are spread over this time.</summary>
    static readonly TimeSpan SpreadMax = TimeSpan.FromSeconds(10);
    static readonly TimeSpan SpreadStep = TimeSpan.FromMilliseconds(200);

    static readonly TimeSpan SilencePeriod = TimeSpan.FromMinutes(1);
    static readonly TimeSpan FlapTime = TimeSpan.FromMinutes(10);
    static readonly TimeSpan FlapDelay = TimeSpan.FromMinutes(1);
    static readonly TimeSpan FlapDelayMax = TimeSpan.FromMinutes(30);
    const int FlapsMax = 3;

    /// <summary>What is known of one other domain.</summary>
    sealed class Domain
    {
        public DateTimeOffset DoubtSince { get; set; }  // when the last of its streams ended
        public DateTimeOffset? DueAt { get; set; }      // when its rooms are to be asked
        public DateTimeOffset SampledAt { get; set; }
        public DateTimeOffset Second { get; set; }
        public int SentInSecond { get; set; }
        public DateTimeOffset UsedAt { get; set; }
    }

    /// <summary>A room that drops a session.</summary>
    sealed class Flap
    {
        public Queue<DateTimeOffset> Drops { get; } = new();
        public int Step { get; set; }
        public DateTimeOffset Until { get; set; }       // before this it is not asked again
        public DateTimeOffset LastAt { get; set; }
    }

    readonly Dictionary<Jid, Domain> _domains = [];
    readonly Dictionary<(Jid Session, Jid Room), Flap> _flaps = [];
    DateTimeOffset _silenceAt;

    /// <summary>A stream with a domain has ended, whoever opened it and for whatever reason. Its rooms are asked after
    /// the delay, once for all streams that end until then.</summary>
    public void StreamEnded(Jid domain, DateTimeOffset now) => Doubt(domain, now, Rules.Delay);

    void Doubt(Jid name, DateTimeOffset now, TimeSpan delay)
    {
        var domain = DomainOf(name, now);
        domain.DoubtSince = now;
        if (domain.DueAt is not { } due || due > now + delay) domain.DueAt = now + delay;
    }

    void AskDueDomains(IEnumerable<JoinedRooms> sessions, DateTimeOffset now, List<CheckEffect> effects)
    {
        Dictionary<string, (Domain Domain, List<(JoinedRooms Rooms, JoinedRoom Room)> Found)>? due = null;
        foreach (var (name, domain) in _domains)
        {
            if (domain.DueAt is not { } at || at > now) continue;
            domain.DueAt = null;
            (due ??= new(StringComparer.Ordinal))[name.ToString()] = (domain, []);
        }
        if (due is null) return;
        var byDomain = due.GetAlternateLookup<ReadOnlySpan<char>>();
        var buffer = new List<JoinedRoom>();
        foreach (var rooms in sessions)
        {
            foreach (var room in rooms.All(buffer))
                if (byDomain.TryGetValue(room.Occupant.Domain, out var asked)) asked.Found.Add((rooms, room));
        }
        // No faster than they may be asked, so that none has to be put off again and again.
        var pace = TimeSpan.FromSeconds(1) / Math.Max(1, Rules.RatePerSecond);
        foreach (var (domain, found) in due.Values)
        {
            var step = found.Count * SpreadStep > SpreadMax ? SpreadMax / found.Count : SpreadStep;
            if (step < pace) step = pace;
            var at = now;
            foreach (var (rooms, room) in found)
            {
                if (room.ProvenAt > domain.DoubtSince) continue;
                Ask(rooms, room.Occupant, domain.DoubtSince, at, isSample: false, effects);
                at += step;
            }
        }
    }

    /// <summary>XEP-0410 §3.2: rooms are asked after a time of silence. One room stands for all of its domain, the next
    /// time another one: so a server with many rooms is not asked about each.</summary>
    void AskSilentRooms(IEnumerable<JoinedRooms> sessions, DateTimeOffset now, List<CheckEffect> effects)
    {
        if (Rules.Silence <= TimeSpan.Zero || now < _silenceAt) return;
        _silenceAt = now + SilencePeriod;
        var samples = new Dictionary<string, (JoinedRooms Rooms, JoinedRoom Room)>(StringComparer.Ordinal);
        var byDomain = samples.GetAlternateLookup<ReadOnlySpan<char>>();
        var buffer = new List<JoinedRoom>();
        foreach (var rooms in sessions)
        {
            foreach (var room in rooms.All(buffer))
            {
                if (room.IsChanging || now - room.HeardAt < Rules.Silence) continue;
                if (!byDomain.TryGetValue(room.Occupant.Domain, out var best) || IsBetter(rooms, room, best))
                    byDomain[room.Occupant.Domain] = (rooms, room);
            }
        }
        if (samples.Count == 0) return;
        foreach (var check in _checks.Values) byDomain.Remove(check.Room.Domain);
        foreach (var (rooms, room) in samples.Values)
        {
            var domain = DomainOf(room.Occupant.DomainJid, now);
            if (now - domain.SampledAt < Rules.Silence) continue;
            domain.SampledAt = now;
            Ask(rooms, room.Occupant, now, now, isSample: true, effects);
        }
    }

    // One with a connection, of these the one that has proved itself longest ago.
    static bool IsBetter(JoinedRooms rooms, JoinedRoom room, (JoinedRooms Rooms, JoinedRoom Room) best) =>
        rooms.IsHibernating != best.Rooms.IsHibernating
            ? best.Rooms.IsHibernating
            : room.ProvenAt < best.Room.ProvenAt;

    bool TakeRate(Jid room, DateTimeOffset now)
    {
        var domain = DomainOf(room.DomainJid, now);
        if (now - domain.Second >= TimeSpan.FromSeconds(1)) (domain.Second, domain.SentInSecond) = (now, 0);
        return ++domain.SentInSecond <= Rules.RatePerSecond;
    }

    Domain DomainOf(Jid name, DateTimeOffset now)
    {
        if (!_domains.TryGetValue(name, out var domain))
        {
            if (_domains.Count >= Rules.DomainsMax) _domains.Remove(_domains.MinBy(pair => pair.Value.UsedAt).Key);
            _domains[name] = domain = new Domain { SampledAt = DateTimeOffset.MinValue };
        }
        domain.UsedAt = now;
        return domain;
    }

    /// <summary>Counts a drop. True when the room drops the session again and again: then it is asked ever less often,
    /// so that a client that comes back each time does not storm it.</summary>
    bool NoteDrop((Jid Session, Jid Room) key, DateTimeOffset now)
    {
        if (!_flaps.TryGetValue(key, out var flap))
        {
            if (_flaps.Count >= Rules.DomainsMax) _flaps.Remove(_flaps.MinBy(pair => pair.Value.LastAt).Key);
            _flaps[key] = flap = new Flap();
        }
        if (now - flap.LastAt > FlapTime + FlapDelayMax) flap.Step = 0;
        flap.LastAt = now;
        flap.Drops.Enqueue(now);
        while (now - flap.Drops.Peek() > FlapTime) flap.Drops.Dequeue();
        if (flap.Drops.Count <= FlapsMax && flap.Step == 0) return false;
        var delay = FlapDelay * Math.Pow(2, Math.Min(flap.Step++, 10));
        flap.Until = now + (delay < FlapDelayMax ? delay : FlapDelayMax);
        return true;
    }

    DateTimeOffset PutOff((Jid Session, Jid Room) key, DateTimeOffset dueAt) =>
        _flaps.TryGetValue(key, out var flap) && flap.Until > dueAt ? flap.Until : dueAt;
}
