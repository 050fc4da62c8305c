using Muster.Core.Sessions;
using Muster.Core.Streams;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Simulation;

/// <summary>What the checkers know of a stream and of those that went on with it: stanzas are numbered.</summary>
internal sealed class Lineage
{
    public long Sent { get; set; }
    public long Taken { get; set; }
}

/// <summary>What one side knows of a stream that may be resumed.</summary>
internal sealed record KeptAcks(PeerAcks Acks, Lineage Lineage);

/// <summary>
/// A stream from one server to another, on which stanzas go one way: two ends, each in the life of its process, and a
/// connection between them that delays and breaks. Each end notices by itself and later; until then one goes on to
/// write into nothing, or the other to wait (half-open). With acknowledgements or without, it does what
/// <c>PeerConnection</c> does.
/// </summary>
internal sealed class PeerStream(World world, PeerRoute route, Server from, Server to, KeptAcks? resumes)
{
    const int CountMax = 40, BytesMax = 64 * 1024, UnackedMax = 3;
    static readonly TimeSpan ResumeTime = TimeSpan.FromSeconds(20);

    readonly int _fromLife = from.Life, _toLife = to.Life;
    readonly List<Stanza> _unsent = [];
    Lineage _lineage = new();
    KeptAcks? _resumes = resumes;
    PeerAcks? _sent, _taken;    // what each end knows
    long _toThereAt, _toHereAt; // nothing overtakes
    long _usedAt;
    bool _isOpenHere, _isOpenThere, _isOverHere, _isOverThere, _isClosed, _isStuck;

    public Server From => from;
    public Server To => to;
    public PeerPair Pair => route.Pair;
    public bool IsUp { get; private set; } = true;
    /// <summary>Whether stanzas could ever be sent on it.</summary>
    public bool WasOpen { get; private set; }
    /// <summary>What the sender knows of what arrived; of the stream that was to be resumed when it did not come to
    /// that.</summary>
    public KeptAcks? Kept => _sent is { } acks ? new KeptAcks(acks, _lineage) : _resumes;
    /// <summary>Whether the sender may resume it: it broke, nobody closed it.</summary>
    public bool IsResumable => !_isClosed && Kept?.Acks.Token is not null;
    /// <summary>What never left the sender, where nothing is acknowledged.</summary>
    public IReadOnlyList<Stanza> Unsent => _unsent;
    /// <summary>What the receiver knows, when the stream may be resumed.</summary>
    public KeptAcks? Taken => !_isClosed && _taken is { } acks ? new KeptAcks(acks, _lineage) : null;

    bool IsHere => !_isOverHere && from.Life == _fromLife;
    bool IsThere => !_isOverThere && to.Life == _toLife;

    // ---- The beginning ----

    public void Open()
    {
        world.Began(this);
        Carry(() =>
        {
            if (!to.IsUp)
            {
                Break(noticedWithin: 100); // refused
                return;
            }
            _isOpenThere = true;
            CarryBack(Opened);
        });
    }

    void Opened()
    {
        if (_resumes is { Acks.Token: { } token } kept)
        {
            var resume = kept.Acks.Numbered("resume");
            Carry(() => TakeResume(token, resume));
            return;
        }
        Begin();
    }

    void Begin()
    {
        if (world.HasPeerAcks)
        {
            _sent = new PeerAcks(CountMax, BytesMax);
            Carry(TakeEnable);
        }
        BecomeOpen();
    }

    void BecomeOpen()
    {
        _isOpenHere = WasOpen = true;
        route.Authorized(this);
    }

    void TakeEnable()
    {
        _taken = new PeerAcks(CountMax, BytesMax);
        string token = _taken.Token = to.KeepToken(this);
        CarryBack(() =>
        {
            if (_sent is not { } acks) return;
            (acks.Token, acks.ResumableFor) = (token, ResumeTime);
        });
    }

    void TakeResume(string token, Element resume)
    {
        if (to.Resume(this, token) is not { } kept)
        {
            CarryBack(NotResumed);
            return;
        }
        (_taken, _lineage) = (kept.Acks, kept.Lineage);
        Accept(kept.Acks.Receive(resume));
        var answer = kept.Acks.Numbered("resumed");
        CarryBack(() => Resumed(answer));
    }

    void NotResumed()
    {
        var lost = _resumes!;
        _resumes = null;
        route.SettleLost(lost.Acks);
        Begin();
    }

    void Resumed(Element answer)
    {
        var kept = _resumes!;
        (_sent, _lineage, _resumes) = (kept.Acks, kept.Lineage, null);
        kept.Acks.ResumableUntil = default;
        world.PeerResumes++;
        TakeAck(answer);
        var again = kept.Acks.Unacked;
        long number = _lineage.Sent - again.Count;
        foreach (var unacked in again)
        {
            bool isFirst = ++number == _lineage.Sent - again.Count + 1;
            if (isFirst && world.Fault == Fault.LoseOnPeerResume) continue;
            Transmit(number, unacked.Stanza);
            if (isFirst && world.Fault == Fault.RepeatOnPeerResume) Transmit(number, unacked.Stanza);
        }
        BecomeOpen();
        Request();
    }

    // ---- Stanzas ----

    /// <summary>False when the stream is over, as far as the sender knows.</summary>
    public bool Send(Stanza stanza)
    {
        if (!_isOpenHere || !IsHere) return false;
        _usedAt = world.Time;
        long number = ++_lineage.Sent;
        var dropped = new List<SmEntry>();
        _sent?.Sent(SharedStanza.From(stanza), stanza.To, isAgain: false, world.Now, dropped);
        Transmit(number, stanza);
        Request();
        return true;
    }

    void Transmit(long number, Stanza stanza)
    {
        if (_isStuck)
        {
            _unsent.Add(stanza);
            return;
        }
        var element = stanza.ToElement();
        Carry(() => Take(number, element));
    }

    void Take(long number, Element element)
    {
        if (number != _lineage.Taken + 1)
            throw new SimulationException($"{Pair.Local} to {Pair.Remote}: {number} comes after {_lineage.Taken}");
        _lineage.Taken = number;
        _taken?.Handle();
        to.Route(Stanza.Read(element, out _) ?? throw new SimulationException($"a peer sends '{element}'"));
    }

    void Request()
    {
        if (_sent?.TakeRequest(UnackedMax, world.Now) != true) return;
        Carry(() =>
        {
            if (_taken?.Ack() is { } ack) CarryBack(() => TakeAck(ack));
        });
    }

    void TakeAck(Element ack)
    {
        if (_sent is not { } acks) return;
        Accept(acks.Receive(ack));
        if (_lineage.Sent - acks.Unacked.Count > _lineage.Taken && acks.Token is not null)
            throw new SimulationException($"{Pair.Local} believes that {Pair.Remote} has taken more than it has");
        Request();
    }

    static void Accept(StreamError? error)
    {
        if (error is not null) throw new SimulationException($"peers get {error.Condition}: {error.Text}");
    }

    // ---- The end ----

    /// <summary>The connection is gone. Both ends notice, each in its time.</summary>
    public void Break(int noticedWithin)
    {
        if (!IsUp) return;
        IsUp = false;
        // Some of what is written then is known not to have left.
        _isStuck = !world.HasPeerAcks && world.Chance(0.5);
        world.After(world.Random.Next(1, noticedWithin), EndHere);
        world.After(world.Random.Next(1, noticedWithin), EndThere);
    }

    /// <summary>The receiver goes on with the stream on another connection.</summary>
    public KeptAcks? Surrender()
    {
        if (!IsThere || Taken is not { } kept) return null;
        _taken = null;
        Break(noticedWithin: 100);
        EndThere();
        return kept;
    }

    /// <summary>Nobody has used it for a while, and the sender closes it.</summary>
    public void CloseIfIdle()
    {
        if (!_isOpenHere || !IsHere || world.Time - _usedAt < 3000 || _sent?.HasUnacked == true) return;
        world.Note($"{Pair.Local} closes its stream to {Pair.Remote}");
        _isOpenHere = false;
        route.Leave(this);
        Carry(() =>
        {
            _isClosed = true;
            EndThere();
            CarryBackAtEnd(EndHere);
        });
    }

    void EndHere()
    {
        if (!IsHere) return;
        _isOverHere = true;
        _isOpenHere = false;
        _sent?.Disconnect();
        route.Ended(this);
    }

    void EndThere()
    {
        if (!IsThere || !_isOpenThere) return;
        _isOverThere = true;
        _taken?.Disconnect();
        to.PeerEnded(this);
    }

    // ---- The connection ----

    void Carry(Action arrive) => Carry(ref _toThereAt, () => { if (IsThere) arrive(); });

    void CarryBack(Action arrive) => Carry(ref _toHereAt, () => { if (IsHere) arrive(); });

    void CarryBackAtEnd(Action arrive)
    {
        CarryBack(() =>
        {
            IsUp = false;
            arrive();
        });
    }

    void Carry(ref long at, Action arrive)
    {
        at = Math.Max(at, world.Time + world.Random.Next(1, world.Chance(0.05) ? 1500 : 60));
        world.After((int)(at - world.Time), () => { if (IsUp) arrive(); });
    }
}
