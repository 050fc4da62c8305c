using System.Collections.Immutable;
using Muster.Core.Limits;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Delivery;

/// <summary>The bounds of <see cref="OfflineLanes"/>.</summary>
public sealed record OfflineLaneLimits
{
    /// <summary>Stanzas a second to one domain of another server.</summary>
    public int RateMax { get; init; } = ServerLimits.Default.OfflineForwardRateMax;
    /// <summary>Bytes of messages that may wait.</summary>
    public long BytesMax { get; init; } = ServerLimits.Default.OfflineForwardBytesMax;
    /// <summary>Domains of other servers that are known at a time.</summary>
    public int DomainsMax { get; init; } = 10_000;
    /// <summary>Rooms of which the newest message is kept for a domain that cannot be reached.</summary>
    public int HeldMax { get; init; } = 1000;
    /// <summary>How long a domain that cannot be reached is left alone, the first time.</summary>
    public TimeSpan PauseMin { get; init; } = TimeSpan.FromMinutes(5);
    /// <summary>And at most; each time is twice the one before.</summary>
    public TimeSpan PauseMax { get; init; } = TimeSpan.FromHours(6);
    /// <summary>A domain that was well for this long begins anew.</summary>
    public TimeSpan Recovered { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>One copy of a message for a member who is away.</summary>
/// <param name="Room">The room.</param>
/// <param name="Stanza">The message.</param>
/// <param name="To">The member's bare JID.</param>
public readonly record struct OfflineCopy(Jid Room, SharedStanza Stanza, Jid To);

/// <summary>A message that waits for some members.</summary>
/// <param name="Room">The room.</param>
/// <param name="Stanza">The message; it says when it was said.</param>
/// <param name="Users">Bare JIDs of those who have not got it.</param>
public readonly record struct OfflineWaiting(Jid Room, SharedStanza Stanza, ImmutableArray<Jid> Users);

/// <summary>
/// The messages of rooms on their way to members who are away (muc-offline-delivery.md §5, §8): in order for each of
/// them, domain beside domain, each at a bounded rate. A domain that cannot be reached is left alone for a while; of
/// what is said meanwhile it gets the newest message of each room.
/// </summary>
/// <remarks>Not synchronised. A message is held once, whatever the number of its copies.</remarks>
/// <param name="limits">The bounds.</param>
/// <param name="isLocal">Whether a domain is one of accounts of this server: then there is no rate.</param>
public sealed class OfflineLanes(OfflineLaneLimits limits, Func<Jid, bool> isLocal)
{
    const int PieceBytes = 64, UserBytes = 16;

    readonly Dictionary<string, Lane> _lanes = new(StringComparer.Ordinal);
    readonly Queue<Lane> _ready = [];
    readonly PriorityQueue<Lane, DateTimeOffset> _later = new();
    long _bytes, _added;
    ImmutableArray<Jid> _grouped = [];      // members of one room do not change with every message
    (string Domain, Jid[] Users)[] _groups = [];

    /// <summary>The bounds; others may take their place.</summary>
    public OfflineLaneLimits Limits { get; set; } = limits;

    /// <summary>Bytes that wait.</summary>
    public long Bytes => _bytes;

    /// <summary>When there is something to take again; null when that depends on what is added.</summary>
    public DateTimeOffset? NextAt => _ready.Count > 0 ? DateTimeOffset.MinValue
        : _later.TryPeek(out _, out var at) ? at : null;

    /// <summary>Takes a message for some members.</summary>
    /// <param name="room">The room.</param>
    /// <param name="stanza">The message.</param>
    /// <param name="users">The members.</param>
    /// <param name="now">The time.</param>
    /// <param name="isLate">Whether it is late already, and says so.</param>
    /// <returns>How many of them do not get it, as too much waits.</returns>
    public int Add(
        Jid room, SharedStanza stanza, ImmutableArray<Jid> users, DateTimeOffset now, bool isLate = false)
    {
        _added++;
        if (users != _grouped) Group(users);
        int dropped = 0;
        foreach (var (domain, to) in _groups)
        {
            var piece = new Piece(_added, room, stanza, to, now,
                PieceBytes + UserBytes * to.Length + stanza.ByteCount / _groups.Length) { IsLate = isLate };
            if (_bytes + piece.Bytes > Limits.BytesMax || LaneOf(domain, to[0]) is not { } lane) dropped += to.Length;
            else if (lane.Until > now) Hold(lane, piece);
            else Enqueue(lane, piece);
        }
        return dropped;
    }

    /// <summary>Takes the next copy to be sent. False when there is none now.</summary>
    public bool TryTake(DateTimeOffset now, out OfflineCopy copy)
    {
        while (_later.TryPeek(out var late, out var at) && at <= now)
        {
            _later.Dequeue();
            late.IsQueued = false;
            Resume(late, now);
        }
        while (_ready.TryDequeue(out var lane))
        {
            lane.IsQueued = false;
            if (lane.Until > now) Queue(lane, lane.Until);
            if (lane.Until > now || lane.Pieces.Count == 0) continue;
            copy = Take(lane, now);
            if (lane.Pieces.Count == 0) lane.NotBefore = now + Wait(lane, now);
            else if (Wait(lane, now) is { Ticks: > 0 } wait) Queue(lane, now + wait);
            else Queue(lane);
            return true;
        }
        copy = default;
        return false;
    }

    /// <summary>All that waits, oldest first, for the time in which the process is away. It goes on waiting.</summary>
    public IReadOnlyList<OfflineWaiting> Waiting()
    {
        var found = new SortedDictionary<long, (Piece Piece, List<Jid> Users)>();
        foreach (var lane in _lanes.Values)
        {
            int sent = lane.Sent;
            foreach (var piece in lane.Pieces.Concat(lane.Held.Values))
            {
                if (!found.TryGetValue(piece.Order, out var one)) found[piece.Order] = one = (piece, []);
                one.Users.AddRange(piece.Users.AsSpan(sent));
                sent = 0;
            }
        }
        return [.. found.Values.Select(one =>
            new OfflineWaiting(one.Piece.Room, Late(one.Piece).Stanza, [.. one.Users]))];
    }

    /// <summary>A domain cannot be reached: nothing is sent there for a while.</summary>
    /// <returns>For how long; null when that is known already, or nothing was sent there.</returns>
    public TimeSpan? Pause(string domain, DateTimeOffset now)
    {
        if (!_lanes.TryGetValue(domain, out var lane) || lane.IsLocal || lane.Until > now) return null;
        bool isAgain = lane.Until != default && now - lane.Until < Limits.Recovered;
        lane.Failures = isAgain ? lane.Failures + 1 : 1;
        var pause = Limits.PauseMin * Math.Pow(2, Math.Min(lane.Failures - 1, 16));
        if (pause > Limits.PauseMax) pause = Limits.PauseMax;
        lane.Until = now + pause;
        lane.Sent = 0;
        // What was sent last has not arrived either.
        if (lane.Last is { } last)
        {
            (lane.Last, _bytes) = (null, _bytes - last.Bytes);
            if (now - lane.LastAt < Limits.Recovered) Hold(lane, last);
        }
        while (lane.Pieces.TryDequeue(out var piece))
        {
            _bytes -= piece.Bytes;
            Hold(lane, piece);
        }
        if (!lane.IsQueued) Queue(lane, lane.Until);
        return pause;
    }

    void Group(ImmutableArray<Jid> users)
    {
        _groups = [.. users.GroupBy(user => user.Domain.ToString(), StringComparer.Ordinal)
            .Select(group => (group.Key, group.ToArray()))];
        _grouped = users;
    }

    Lane? LaneOf(string domain, Jid user)
    {
        if (_lanes.TryGetValue(domain, out var lane)) return lane;
        if (_lanes.Count >= Limits.DomainsMax)
        {
            ForgetIdle();
            if (_lanes.Count >= Limits.DomainsMax) return null;
        }
        return _lanes[domain] = new Lane(isLocal(user.DomainJid));
    }

    void ForgetIdle()
    {
        foreach (var (domain, lane) in _lanes.Where(pair => pair.Value.IsIdle).ToList())
        {
            _lanes.Remove(domain);
            _bytes -= lane.Last?.Bytes ?? 0;
        }
    }

    void Enqueue(Lane lane, Piece piece)
    {
        lane.Pieces.Enqueue(piece);
        _bytes += piece.Bytes;
        if (lane.IsQueued) return;
        if (lane.NotBefore > piece.At) Queue(lane, lane.NotBefore);
        else Queue(lane);
    }

    OfflineCopy Take(Lane lane, DateTimeOffset now)
    {
        var piece = lane.Pieces.Peek();
        var copy = new OfflineCopy(piece.Room, piece.Stanza, piece.Users[lane.Sent++]);
        if (lane.Sent < piece.Users.Length) return copy;
        lane.Sent = 0;
        lane.Pieces.Dequeue();
        _bytes -= (lane.IsLocal ? piece : lane.Last)?.Bytes ?? 0;
        if (!lane.IsLocal) (lane.Last, lane.LastAt) = (piece, now);
        return copy;
    }

    // What was just taken, and how long the next must wait.
    TimeSpan Wait(Lane lane, DateTimeOffset now) => lane.Pace(Limits.RateMax)?.Take(1, now.Ticks) ?? TimeSpan.Zero;

    void Queue(Lane lane)
    {
        lane.IsQueued = true;
        _ready.Enqueue(lane);
    }

    void Queue(Lane lane, DateTimeOffset at)
    {
        lane.IsQueued = true;
        _later.Enqueue(lane, at);
    }

    /// <summary>Keeps the newest message of a room for a domain that cannot be reached. It is late by then, and says
    /// so.</summary>
    void Hold(Lane lane, Piece piece)
    {
        if (lane.Held.Remove(piece.Room, out var older)) _bytes -= older.Bytes;
        else if (lane.Held.Count >= Limits.HeldMax) return;
        lane.Held[piece.Room] = piece;
        _bytes += piece.Bytes;
    }

    /// <summary>The time of a lane has come: its rate allows the next copy, or its domain is tried again.</summary>
    void Resume(Lane lane, DateTimeOffset now)
    {
        if (lane.Until > now)
        {
            Queue(lane, lane.Until);
            return;
        }
        foreach (var piece in lane.Held.Values) lane.Pieces.Enqueue(Late(piece));
        lane.Held.Clear();
        if (lane.Pieces.Count > 0) Queue(lane);
    }

    static Piece Late(Piece piece) => piece.IsLate ? piece : piece with
    {
        Stanza = piece.Stanza.Add(new Delay(piece.At, piece.Room).ToElement()),
        IsLate = true,
    };

    // The order is that of all that was added.
    sealed record Piece(long Order, Jid Room, SharedStanza Stanza, Jid[] Users, DateTimeOffset At, long Bytes)
    {
        public bool IsLate { get; init; } // and says so
    }

    sealed class Lane(bool isLocal)
    {
        Shaper? _shaper;
        int _rate;

        public bool IsLocal => isLocal;
        public Queue<Piece> Pieces { get; } = [];
        public int Sent { get; set; }                  // copies of the first piece
        public bool IsQueued { get; set; }             // in one of the two queues
        public DateTimeOffset NotBefore { get; set; }  // by its rate, while nothing waits
        public DateTimeOffset Until { get; set; }      // how long it is left alone
        public int Failures { get; set; }
        public Piece? Last { get; set; }               // that was sent
        public DateTimeOffset LastAt { get; set; }
        public Dictionary<Jid, Piece> Held { get; } = [];
        public bool IsIdle => Pieces.Count == 0 && Held.Count == 0 && !IsQueued;

        public Shaper? Pace(int rateMax)
        {
            if (!isLocal && _rate != rateMax) (_shaper, _rate) = (new Shaper(rateMax), rateMax);
            return _shaper;
        }
    }
}
