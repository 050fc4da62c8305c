using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Joins;

/// <summary>
/// Finds out whether the sessions of one domain are still in the rooms of other servers that they believe to be in
/// (Prosody's mod_ping_muc, XEP-0410): what is asked when, how answers are understood, who is told. When a stream with
/// another server has ended, its rooms may have removed everybody, and nobody could say so.
/// </summary>
/// <remarks>Deterministic: time and the secret of the ids come from outside. Not synchronised.</remarks>
/// <param name="secret">Random bytes, from which ids of pings are made.</param>
public sealed partial class RoomChecks(ReadOnlyMemory<byte> secret)
{
    const string IdPrefix = "muc-ping-";
    const int IdProofLength = 24; // hexadecimal digits

    static readonly TimeSpan RenamedDelay = TimeSpan.FromSeconds(5);
    static readonly TimeSpan OvertakenDelay = TimeSpan.FromSeconds(1);
    static readonly TimeSpan HibernatingInterval = TimeSpan.FromMinutes(5);

    // Where a room cannot be reached, it is tried again after so many minutes (§2 of the specification).
    static readonly int[] BackOffMinutes = [1, 2, 5, 10, 20];

    /// <summary>The question whether one session is in one room, from the first doubt to its end.</summary>
    sealed class Check(JoinedRooms rooms, Jid room)
    {
        public JoinedRooms Rooms { get; } = rooms;
        public Jid Room { get; } = room;            // the address when the doubt came; its bare part is the room's
        public DateTimeOffset DoubtSince { get; set; } // what proves membership after this settles it
        public DateTimeOffset DueAt { get; set; }
        public DateTimeOffset? FirstAskedAt { get; set; }
        public DateTimeOffset SentAt { get; set; }
        public Jid Asked { get; set; }              // the occupant that the ping under way went to
        public string? Id { get; set; }             // of the ping under way
        public int Unreached { get; set; }
        public bool HasRetried { get; set; }
        public bool IsSample { get; set; }          // stands for all rooms of its domain
    }

    readonly Dictionary<(Jid Session, Jid Room), Check> _checks = [];
    readonly PriorityQueue<Check, DateTimeOffset> _due = new();
    readonly Dictionary<string, Check> _unanswered = new(StringComparer.Ordinal);
    readonly Queue<(string Id, DateTimeOffset SentAt)> _order = new();
    long _lastId;

    /// <summary>The rules; a reload replaces them.</summary>
    public CheckRules Rules { get; set; } = new();

    /// <summary>Rooms that are being asked or are to be.</summary>
    public int Count => _checks.Count;

    /// <summary>Pings without an answer.</summary>
    public int UnansweredCount => _unanswered.Count;

    /// <summary>Whether nothing is to be done but to watch for silent rooms.</summary>
    public bool IsIdle => _checks.Count == 0 && !_domains.Values.Any(domain => domain.DueAt is not null);

    /// <summary>Does what is due. To be called every second or so.</summary>
    /// <param name="sessions">The sessions of the domain that are in rooms; read only when needed.</param>
    /// <param name="now">The time.</param>
    /// <param name="effects">Takes what is to be done.</param>
    public void Sweep(IEnumerable<JoinedRooms> sessions, DateTimeOffset now, List<CheckEffect> effects)
    {
        TimeOut(now, effects);
        AskDueDomains(sessions, now, effects);
        AskSilentRooms(sessions, now, effects);
        while (_due.TryPeek(out var check, out var at) && at <= now)
        {
            _due.Dequeue();
            // One that was put off, or settled meanwhile, stands in the queue twice.
            if (check.DueAt == at && check.Id is null && IsKnown(check))
                Send(check, now, effects);
        }
    }

    /// <summary>Whether an id has the form of those made here: enough to let all others pass.</summary>
    public static bool MayBeOurs(string? id) => id is not null && id.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>Takes the answer to a ping.</summary>
    /// <param name="answer">A result or an error that came for a session.</param>
    /// <param name="now">The time.</param>
    /// <param name="effects">Takes what is to be done.</param>
    /// <returns>True when the id is of a ping that was made here: the client must never see the answer, be it late or
    /// forged.</returns>
    public bool Answer(Iq answer, DateTimeOffset now, List<CheckEffect> effects)
    {
        if (!IsOurs(answer.Id)) return false;
        // The ids cannot be guessed, but other servers see their own: each may speak for its own rooms alone.
        if (!_unanswered.TryGetValue(answer.Id, out var check) || answer.From != check.Asked
            || answer.To != check.Rooms.Session) return true;
        var verdict = PingAnswer.Judge(answer, check.Rooms.Session.DomainJid);
        if (Rules.IsStrict && verdict != PingVerdict.Joined) verdict = PingVerdict.NotJoined;
        Settle(check, verdict, answer.Error?.Text, now, effects);
        return true;
    }

    void TimeOut(DateTimeOffset now, List<CheckEffect> effects)
    {
        while (_order.TryPeek(out var sent) && now - sent.SentAt >= Rules.Timeout)
        {
            _order.Dequeue();
            if (_unanswered.TryGetValue(sent.Id, out var check))
                Settle(check, Rules.IsStrict ? PingVerdict.NotJoined : PingVerdict.Undecided, null, now, effects);
        }
    }

    /// <summary>Plans to ask a room; one that is asked already is asked no later.</summary>
    void Ask(JoinedRooms rooms, Jid occupant, DateTimeOffset doubtSince, DateTimeOffset dueAt, bool isSample,
        List<CheckEffect> effects)
    {
        var key = (rooms.Session, occupant.Bare);
        dueAt = PutOff(key, dueAt);
        if (_checks.TryGetValue(key, out var check) && check.Rooms == rooms)
        {
            if (doubtSince > check.DoubtSince) check.DoubtSince = doubtSince;
            if (check.Id is null && dueAt < check.DueAt) Plan(check, dueAt);
            return;
        }
        if (_checks.Count >= Rules.WaitingMax)
        {
            effects.Add(new CheckEffect.Overflow(occupant));
            return;
        }
        check = new Check(rooms, occupant) { DoubtSince = doubtSince, IsSample = isSample };
        _checks[key] = check;
        Plan(check, dueAt);
    }

    void Plan(Check check, DateTimeOffset dueAt)
    {
        check.DueAt = dueAt;
        _due.Enqueue(check, dueAt);
    }

    void Send(Check check, DateTimeOffset now, List<CheckEffect> effects)
    {
        if (!check.Rooms.TryFind(check.Room, out var joined) || joined.ProvenAt > check.DoubtSince)
        {
            Remove(check);
            return;
        }
        // XEP-0410 §4: while a nick is being changed, nobody knows which one to ask for.
        if (joined.IsChanging)
        {
            Plan(check, now + RenamedDelay);
            return;
        }
        if (check.Rooms.IsHibernating && joined.AskedAt + HibernatingInterval > now)
        {
            Plan(check, joined.AskedAt + HibernatingInterval);
            return;
        }
        if (!TakeRate(check.Room, now))
        {
            Plan(check, now + TimeSpan.FromSeconds(1));
            return;
        }
        if (_unanswered.Count >= Rules.UnansweredMax) GiveUpOldest(now, effects);
        string id = MakeId(++_lastId);
        (check.Id, check.SentAt, check.Asked) = (id, now, joined.Occupant);
        check.FirstAskedAt ??= now;
        _unanswered[id] = check;
        _order.Enqueue((id, now));
        check.Rooms.Asked(joined.Occupant, now);
        effects.Add(new CheckEffect.Ping(check.Rooms.Session, joined.Occupant, id));
    }

    void GiveUpOldest(DateTimeOffset now, List<CheckEffect> effects)
    {
        while (_order.TryDequeue(out var sent))
        {
            if (!_unanswered.TryGetValue(sent.Id, out var check)) continue;
            effects.Add(new CheckEffect.Overflow(check.Asked));
            Settle(check, PingVerdict.Undecided, null, now, effects);
            return;
        }
    }

    void Settle(Check check, PingVerdict verdict, string? reason, DateTimeOffset now, List<CheckEffect> effects)
    {
        _unanswered.Remove(check.Id!);
        check.Id = null;
        bool isSure = verdict == PingVerdict.NotJoined && !Rules.IsStrict;
        // Left, or in again under another address or by a new entry: then the answer is about what was.
        if (!check.Rooms.TryFind(check.Room, out var joined))
        {
            Remove(check);
            return;
        }
        bool isProved = verdict != PingVerdict.Joined && joined.ProvenAt > check.SentAt;
        // What is said of another nick is about what was.
        if (isProved && joined.Occupant != check.Asked) verdict = PingVerdict.Joined;
        // A good answer may be of before the last doubt, a bad one of before a proof or of after it: another one tells.
        else if (verdict == PingVerdict.Joined ? check.DoubtSince > check.SentAt
            : isProved && verdict != PingVerdict.Undecided)
        {
            if (isProved) check.DoubtSince = now;
            Plan(check, now + OvertakenDelay);
            return;
        }
        if (verdict == PingVerdict.Renamed && check.HasRetried) verdict = PingVerdict.NotJoined;
        else if (verdict == PingVerdict.NotJoined && joined.Occupant != check.Asked && !check.HasRetried)
            verdict = PingVerdict.Renamed;
        bool isHopeless = verdict == PingVerdict.Undecided && now - check.FirstAskedAt >= Rules.GiveUp;
        switch (isHopeless ? PingVerdict.NotJoined : verdict)
        {
            case PingVerdict.Joined:
                check.Rooms.Proved(joined.Occupant, check.SentAt);
                Remove(check);
                effects.Add(new CheckEffect.Settled(joined.Occupant, CheckOutcome.Ok));
                return;
            case PingVerdict.Renamed:
                check.HasRetried = true;
                Plan(check, now + RenamedDelay);
                return;
            case PingVerdict.Undecided:
                effects.Add(new CheckEffect.Settled(joined.Occupant, CheckOutcome.Undecided));
                Retry(check, now);
                break;
            case PingVerdict.NotJoined:
                Remove(check);
                if (check.Rooms.Drop(joined.Occupant))
                {
                    effects.Add(new CheckEffect.Settled(joined.Occupant, CheckOutcome.Dropped));
                    effects.Add(new CheckEffect.Drop(
                        check.Rooms.Session, joined.Occupant, reason, NoteDrop(Key(check), now), !isSure));
                }
                break;
        }
        // The one that stands for all is lost, or cannot be reached: so may the others be.
        if (check.IsSample) Doubt(check.Room.DomainJid, now, TimeSpan.Zero);
        check.IsSample = false;
    }

    void Retry(Check check, DateTimeOffset now)
    {
        int step = Math.Min(check.Unreached++, BackOffMinutes.Length - 1);
        var at = now + TimeSpan.FromMinutes(BackOffMinutes[step]);
        var last = check.FirstAskedAt!.Value + Rules.GiveUp;
        Plan(check, at < last ? at : last);
    }

    bool IsKnown(Check check) => _checks.TryGetValue(Key(check), out var known) && known == check;

    void Remove(Check check)
    {
        if (IsKnown(check)) _checks.Remove(Key(check));
    }

    static (Jid Session, Jid Room) Key(Check check) => (check.Rooms.Session, check.Room.Bare);

    // The number says which ping it was; the rest proves that it was one.
    string MakeId(long number)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret.Span, Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)), hash);
        string proof = Convert.ToHexStringLower(hash)[..IdProofLength];
        return string.Create(CultureInfo.InvariantCulture, $"{IdPrefix}{number}-{proof}");
    }

    bool IsOurs([NotNullWhen(true)] string? id)
    {
        if (id is null || !MayBeOurs(id)) return false;
        int dash = id.IndexOf('-', IdPrefix.Length);
        return dash > 0
            && long.TryParse(id.AsSpan(IdPrefix.Length, dash - IdPrefix.Length), NumberStyles.None,
                CultureInfo.InvariantCulture, out long number)
            && CryptographicOperations.FixedTimeEquals(
                Encoding.UTF8.GetBytes(id), Encoding.UTF8.GetBytes(MakeId(number)));
    }
}
