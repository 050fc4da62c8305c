using Muster.Core.Streams;
using Muster.Protocol.Stanzas;

namespace Muster.Simulation;

/// <summary>The way from a domain of one server to a domain of another, in the life of one process: what
/// <c>PeerRoutes</c> does with it, without tasks.</summary>
internal sealed class PeerRoute(World world, Server here, Server there, PeerPair pair)
{
    const int RetryMilliseconds = 500, RetryMaxMilliseconds = 8000;

    readonly Queue<Stanza> _queue = [];
    readonly int _life = here.Life;
    PeerStream? _stream, _trying;
    KeptAcks? _resumable;
    bool _isTrying;
    int _failures;
    long _retryAt;

    public PeerPair Pair => pair;
    /// <summary>Whether something waits for the other server.</summary>
    public bool IsWaiting => _isTrying || _resumable is not null || _queue.Count > 0;

    public void Send(Stanza stanza)
    {
        if (_stream is { } stream)
        {
            if (stream.Send(stanza)) return;
            _stream = null;
        }
        bool isPausing = !_isTrying && _retryAt > world.Time;
        if (isPausing && _resumable is null)
        {
            Bounce(stanza);
            return;
        }
        _queue.Enqueue(stanza);
        if (!_isTrying && !isPausing) Try();
    }

    /// <summary>To be called every second.</summary>
    public void Sweep()
    {
        if (_resumable is { } kept && world.Now >= kept.Acks.ResumableUntil)
        {
            _resumable = null;
            SettleLost(kept.Acks);
            if (!_isTrying) BounceQueue();
        }
        else if (_resumable is not null && !_isTrying && world.Time >= _retryAt)
        {
            Try();
        }
    }

    void Try()
    {
        _isTrying = true;
        world.After(world.Random.Next(1, 200), () => { if (here.Life == _life) Dial(); });
    }

    void Dial()
    {
        var resumes = _resumable;
        _resumable = null;
        if (!there.IsUp || !world.IsReachable(pair))
        {
            if (resumes is not null) KeepForLater(resumes);
            Fail();
            return;
        }
        _trying = new PeerStream(world, this, here, there, resumes);
        _trying.Open();
    }

    void KeepForLater(KeptAcks kept)
    {
        if (_resumable is null && world.Now < kept.Acks.ResumableUntil) _resumable = kept;
        else SettleLost(kept.Acks);
    }

    void Fail()
    {
        (_isTrying, _trying) = (false, null);
        _retryAt = world.Time + Math.Min(RetryMilliseconds << Math.Min(_failures++, 10), RetryMaxMilliseconds);
        // While a stream may still be resumed, those who are in rooms of the other server lose nothing by waiting.
        if (_resumable is null) BounceQueue();
    }

    // ---- What the stream tells ----

    public void Authorized(PeerStream stream)
    {
        _stream ??= stream;
        (_isTrying, _trying, _failures, _retryAt) = (false, null, 0, 0);
        while (_queue.TryPeek(out var next) && _stream.Send(next)) _queue.Dequeue();
    }

    /// <summary>It is about to be closed.</summary>
    public void Leave(PeerStream stream)
    {
        if (_stream == stream) _stream = null;
    }

    public void Ended(PeerStream stream)
    {
        bool isKept = Keep(stream);
        if (_stream == stream) _stream = null;
        if (_trying == stream)
        {
            _trying = null;
            if (_queue.Count > 0 || _resumable is not null) Fail();
            else _isTrying = false;
        }
        if (!isKept && stream.Kept is { } lost) SettleLost(lost.Acks);
        foreach (var stanza in stream.Unsent) Bounce(stanza);
        if (stream.WasOpen) here.StreamEnded(pair.Local, pair.Remote);
    }

    bool Keep(PeerStream stream)
    {
        if (!stream.IsResumable) return false;
        var kept = stream.Kept!;
        if (kept.Acks.ResumableUntil == default) kept.Acks.ResumableUntil = world.Now + kept.Acks.ResumableFor;
        if (!kept.Acks.HasUnacked || world.Now >= kept.Acks.ResumableUntil) return false;
        if (_resumable is not null || (_stream is not null && _stream != stream)) return false;
        (_resumable, _stream) = (kept, null);
        if (!_isTrying) Try();
        return true;
    }

    /// <summary>Answers for what was not acknowledged on a stream that is dead for good.</summary>
    public void SettleLost(PeerAcks acks)
    {
        foreach (var unacked in acks.Unacked) Bounce(unacked.Stanza);
    }

    void BounceQueue()
    {
        while (_queue.TryDequeue(out var stanza)) Bounce(stanza);
    }

    void Bounce(Stanza stanza)
    {
        if (!PeerFate.IsBounced(stanza)) return;
        world.After(0, () =>
        {
            if (here.Life == _life)
                here.Route(stanza.Refuse(StanzaError.RemoteServerTimeout with { By = stanza.From.DomainJid }));
        });
    }
}
