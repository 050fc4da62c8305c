using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Muster.Bench;

/// <summary>How occupants talk.</summary>
/// <param name="Senders">How many of them.</param>
/// <param name="Window">Messages that each has under way: it sends the next when everybody has one of them.</param>
/// <param name="Rate">Messages a second in all, whatever comes back; null for a closed loop.</param>
/// <param name="Seconds">For how long.</param>
sealed record TalkPlan(int Senders, int Window, double? Rate, double Seconds);

/// <summary>A mistake to be made on purpose with one copy, to see that it is found.</summary>
enum Injected
{
    /// <summary>None.</summary>
    None,
    /// <summary>A copy is not looked at.</summary>
    Lost,
    /// <summary>A copy is looked at twice.</summary>
    Doubled,
    /// <summary>Two copies change places.</summary>
    Swapped,
}

/// <summary>One room, entered by many at once, in which some of them talk.</summary>
sealed class RoomTalk
{
    const int CopyToSpoil = 20;
    const int UnderWayMax = 1 << 16;

    readonly BenchTarget _target;
    readonly BenchClient[] _clients;
    readonly Injected _inject;
    readonly bool _isUnseen;

    readonly Lock _lock = new();
    readonly string _room;
    readonly byte[] _name;
    readonly bool[] _isInside;
    readonly int[] _copies = new int[UnderWayMax]; // of each message that is under way, how many have come
    int _inside, _made, _sent;
    long _presences, _held = -1;
    Ledger _ledger;
    LatencyHistogram _latency = new();
    TalkPlan? _plan;
    long _endsAt;

    /// <param name="target">The server.</param>
    /// <param name="clients">Who enters.</param>
    /// <param name="inject">A mistake to make.</param>
    /// <param name="isUnseen">Participants are not shown to each other
    /// (<c>muc#roomconfig_presencebroadcast</c>).</param>
    public RoomTalk(
        BenchTarget target, BenchClient[] clients, Injected inject = Injected.None, bool isUnseen = false)
    {
        (_target, _clients, _inject, _isUnseen) = (target, clients, inject, isUnseen);
        string name = $"bench-{Guid.NewGuid():N}";
        _room = $"{name}@{target.Service}";
        _name = Encoding.UTF8.GetBytes(name);
        _isInside = new bool[clients.Length];
        _ledger = new Ledger(clients.Length);
    }

    /// <summary>Everybody enters; the first makes the room.</summary>
    public async Task<BenchFigure> EnterAsync()
    {
        for (int i = 0; i < _clients.Length; i++)
        {
            int me = i;
            _clients[i].Seen = stanza => Look(me, stanza);
            _clients[i].Start();
        }
        await _clients[0].SendAsync(Join(0));
        // A new room waits for its owner's word (XEP-0045 §10.1.2).
        await _clients[0].SendAsync($"<iq type='set' id='o' to='{_room}'><query xmlns='http://jabber.org/protocol/muc" +
            $"#owner'><x xmlns='jabber:x:data' type='submit'>{Options}</x></query></iq>");
        await Crew.UntilAsync(() => Volatile.Read(ref _inside) == 1 && Volatile.Read(ref _made) == 1,
            () => "the room to be made");
        var measured = new Measurement(_target);
        for (int i = 1; i < _clients.Length; i++) await _clients[i].SendAsync(Join(i));
        // Its owner, a moderator, is shown all the same.
        long all = _isUnseen ? 2 * _clients.Length - 1 : (long)_clients.Length * _clients.Length;
        await Crew.UntilAsync(
            () => Volatile.Read(ref _inside) == _clients.Length && Interlocked.Read(ref _presences) >= all,
            () => $"{_clients.Length} to enter ({_inside} have, with {_presences} presences of {all})");
        return new($"{_clients.Length} enter one room", measured.MicrosPer(all), "us per presence", all,
            measured.Seconds);
    }

    /// <summary>Some talk, everybody listens.</summary>
    /// <param name="name">Name of the figure.</param>
    /// <param name="plan">How they talk.</param>
    public async Task<BenchFigure> TalkAsync(string name, TalkPlan plan)
    {
        _ledger = new Ledger(_clients.Length);
        _latency = new LatencyHistogram();
        Array.Clear(_copies);
        _sent = 0;
        var measured = new Measurement(_target);
        _endsAt = Stopwatch.GetTimestamp() + (long)(plan.Seconds * Stopwatch.Frequency);
        Volatile.Write(ref _plan, plan);
        if (plan.Rate is { } rate)
        {
            while (measured.Seconds < plan.Seconds)
            {
                while (_sent < measured.Seconds * rate) await SpeakAsync(_sent % plan.Senders);
                await Task.Delay(1);
            }
        }
        else
        {
            for (int i = 0; i < plan.Senders * plan.Window; i++) await SpeakAsync(i % plan.Senders);
            await Task.Delay(TimeSpan.FromSeconds(plan.Seconds));
        }
        await Crew.UntilAsync(IsAllHeard, () =>
            $"{(long)_sent * _clients.Length - _ledger.Copies} copies of {_sent} messages; {_ledger.Problem}");
        double? cost = measured.MicrosPer(_ledger.Copies);
        double seconds = measured.Seconds;
        _plan = null;
        lock (_lock)
        {
            _ledger.Finish(_sent);
            return new(name, cost, "us per copy", _ledger.Copies, seconds,
                _latency.Percentile(0.5), _latency.Percentile(0.99), _ledger.Problem);
        }
    }

    bool IsAllHeard()
    {
        lock (_lock)
        {
            // A copy that is kept back on purpose never comes; that is for the ledger to find.
            long missing = _inject == Injected.Lost ? 1 : 0;
            return Stopwatch.GetTimestamp() > _endsAt && _ledger.Copies + missing >= (long)_sent * _clients.Length;
        }
    }

    void Look(int me, ReadOnlySpan<byte> stanza)
    {
        if (TalkText.TryRead(stanza, out long number, out int sender, out long micros))
        {
            bool isNext;
            lock (_lock)
            {
                _latency.Add(micros);
                Note(me, number, sender);
                isNext = HaveAll(number) && _plan is { Rate: null } && Stopwatch.GetTimestamp() < _endsAt;
            }
            if (isNext) _ = SpeakAsync(sender).AsTask();
            return;
        }
        if (me == 0 && stanza.IndexOf("<iq"u8) is 0 or 1 or 2 && Volatile.Read(ref _made) == 0)
        {
            if (stanza.IndexOf("result"u8) < 0)
                throw new BenchException($"the room is not made: {Encoding.UTF8.GetString(stanza)}");
            Volatile.Write(ref _made, 1);
            return;
        }
        // What an earlier session of this address left behind is of another room.
        if (stanza.IndexOf("<presence"u8) is < 0 or > 2 || stanza.IndexOf(_name) < 0) return;
        Interlocked.Increment(ref _presences);
        if (!_isInside[me] && (stanza.IndexOf("'110'"u8) >= 0 || stanza.IndexOf("\"110\""u8) >= 0))
        {
            _isInside[me] = true;
            Interlocked.Increment(ref _inside);
        }
    }

    // Were it enough that the sender has it, what others have not read yet would pile up without bound.
    bool HaveAll(long number)
    {
        ref int copies = ref _copies[number % UnderWayMax];
        if (++copies < _clients.Length) return false;
        copies = 0;
        return true;
    }

    void Note(int me, long number, int sender)
    {
        if (_inject == Injected.None || me != 1)
        {
            _ledger.Note(me, number, sender);
            return;
        }
        if (number == CopyToSpoil && _inject == Injected.Lost) return;
        if (number == CopyToSpoil && _inject == Injected.Swapped)
        {
            _held = number;
            return;
        }
        _ledger.Note(me, number, sender);
        if (number == CopyToSpoil && _inject == Injected.Doubled) _ledger.Note(me, number, sender);
        if (_held >= 0) _ledger.Note(me, _held, sender);
        _held = -1;
    }

    ValueTask SpeakAsync(int sender) => _clients[sender].SendAsync(() =>
    {
        int number = Interlocked.Increment(ref _sent) - 1;
        return string.Create(CultureInfo.InvariantCulture,
            $"<message to='{_room}' type='groupchat' id='m{number}'>{TalkText.Write(number, sender)}</message>");
    });

    string Options => !_isUnseen ? "" :
        "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>" +
        "<field var='muc#roomconfig_presencebroadcast'><value>moderator</value></field>";

    string Join(int i) => string.Create(CultureInfo.InvariantCulture, $"<presence to='{_room}/nick{i}'>") +
        "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>";
}
