using Muster.Core.Sessions;
using Muster.Core.Streams;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <content>Stream management (XEP-0198; stream-management.md §9). The side that opened the stream asks for it as soon
/// as the peer takes its stanzas; each side keeps what it sent, and counts what it took.</content>
sealed partial class PeerConnection
{
    const string Ns = PeerNegotiation.AcksNamespace;
    static readonly List<SmEntry> NoneDropped = [];

    PeerAcks? _acks;      // guarded by the gate, as all here
    PeerAcks? _resumes;   // of the stream that this one is to go on with
    PeerPair? _held;      // authorized, and told to the host only when the outcome of resuming is known
    bool _counts;         // stanzas of the peer count
    bool _keeps;          // stanzas to the peer are kept

    /// <summary>The peer takes stanzas of a pair. Before it gets the first, stream management begins.</summary>
    void BeginAcks(PeerPair pair)
    {
        PeerAcks? lost = null;
        bool isOffered = _outbound is not null && _settings.Policy.Acks && _negotiation.OffersAcks;
        lock (_gate)
        {
            if (isOffered && _resumes is { Token: { } token } resumes && pair == _outbound!.Pair)
            {
                _held = pair;
                WriteUnderGate(resumes.Numbered("resume").With("previd", token));
                return;
            }
            (lost, _resumes) = (_resumes, null);
            if (isOffered && _acks is null) EnableUnderGate();
        }
        if (lost is not null) _services.Host.NotResumed(pair, lost);
        _services.Host.Authorized(this, pair);
    }

    // XEP-0198 §4: what is sent after this counts, and is kept though the peer has not agreed yet.
    void EnableUnderGate()
    {
        _acks = NewAcks();
        _keeps = true;
        WriteUnderGate(new Element(Ns, "enable").With("resume", "true"));
    }

    PeerAcks NewAcks() => new(_settings.AckQueueMax, _settings.OutboundBytesMax);

    void ReceiveAcks(Element element)
    {
        switch (element.Name)
        {
            case "r": AnswerRequest(); break;
            case "a": ReceiveAck(element); break;
            case "enable": ReceiveEnable(element); break;
            case "resume": ReceiveResume(element); break;
            case "enabled": ReceiveEnabled(element); break;
            case "resumed": ReceiveResumed(element); break;
            case "failed": ReceiveFailed(element); break;
            default:
                Close(StreamError.UnsupportedStanzaType.WithText($"<{element.Name}/> is not understood here"));
                break;
        }
    }

    void AnswerRequest()
    {
        lock (_gate)
        {
            if (_stage != Stage.Open) return;
            WriteUnderGate(_acks is { } acks && _counts ? acks.Ack() : Failed(StanzaError.UnexpectedRequest));
        }
    }

    void ReceiveAck(Element ack)
    {
        StreamError? error;
        lock (_gate)
        {
            error = _acks?.Receive(ack);
            if (error is null) RequestUnderGate();
        }
        if (error is not null) Close(error);
    }

    void ReceiveLateAck(Element ack)
    {
        lock (_gate) _acks?.Receive(ack);
    }

    /// <summary>The peer, which opened the stream, wants it managed.</summary>
    void ReceiveEnable(Element enable)
    {
        var pair = FirstAccepted();
        bool wants = enable.Attribute("resume") is "true" or "1";
        bool may = _outbound is null && _settings.Policy.Acks && pair is not null;
        string? token = may && wants ? _services.Host.TokenFor(this, pair!.Value) : null;
        lock (_gate)
        {
            if (!may || _acks is not null)
            {
                WriteUnderGate(Failed(StanzaError.UnexpectedRequest));
                return;
            }
            _acks = NewAcks();
            (_acks.Token, _acks.ResumableFor) = (token, _settings.ResumeTime);
            _counts = true;
            var enabled = new Element(Ns, "enabled");
            if (token is not null)
            {
                enabled = enabled.With("id", token).With("resume", "true")
                    .With("max", $"{(long)_settings.ResumeTime.TotalSeconds}");
            }
            WriteUnderGate(enabled);
            _keeps = true; // what is sent from here on, on a stream that goes both ways
        }
    }

    PeerPair? FirstAccepted()
    {
        lock (_state) return _negotiation.Accepted.Count > 0 ? _negotiation.Accepted.First() : null;
    }

    /// <summary>The peer wants to go on with a stream whose connection broke.</summary>
    void ReceiveResume(Element resume)
    {
        var pair = FirstAccepted();
        bool may = _outbound is null && _settings.Policy.Acks && pair is not null;
        lock (_gate) may &= _acks is null;
        string? token = resume.Attribute("previd");
        var acks = may && token is not null ? _services.Host.Resume(this, pair!.Value, token) : null;
        StreamError? error = null;
        lock (_gate)
        {
            if (acks is null)
            {
                WriteUnderGate(Failed(!may ? StanzaError.UnexpectedRequest
                    : token is null ? StanzaError.BadRequest : StanzaError.ItemNotFound));
                return;
            }
            (_acks, _counts, _keeps) = (acks, true, true);
            error = acks.Receive(resume);
            if (error is null)
            {
                WriteUnderGate(acks.Numbered("resumed").With("previd", token));
                RepeatUnderGate(acks);
            }
        }
        if (error is not null)
        {
            Close(error);
            return;
        }
        _services.Meters.Resumed();
        _services.Log.PeerResumed(Id, Remote);
    }

    void ReceiveEnabled(Element enabled)
    {
        lock (_gate)
        {
            if (_outbound is null || _acks is null || _counts) return; // nobody asked
            _counts = true;
            if (enabled.Attribute("resume") is "true" or "1") _acks.Token = enabled.Attribute("id");
            _acks.ResumableFor = int.TryParse(enabled.Attribute("max"), out int seconds) && seconds > 0
                && TimeSpan.FromSeconds(seconds) < _settings.ResumeTime
                ? TimeSpan.FromSeconds(seconds)
                : _settings.ResumeTime;
        }
    }

    void ReceiveResumed(Element resumed)
    {
        StreamError? error;
        PeerPair pair;
        lock (_gate)
        {
            if (_resumes is not { } acks || _held is not { } held) return; // nobody asked
            (_acks, _resumes, _held, pair) = (acks, null, null, held);
            acks.ResumableUntil = default;
            (_counts, _keeps) = (true, true);
            error = acks.Receive(resumed);
            if (error is null) RepeatUnderGate(acks);
        }
        if (error is not null)
        {
            Close(error);
            return;
        }
        _services.Meters.Resumed();
        _services.Log.PeerResumed(Id, Remote);
        _services.Host.Authorized(this, pair);
    }

    void ReceiveFailed(Element failed)
    {
        PeerAcks? lost = null;
        PeerPair pair = default;
        lock (_gate)
        {
            if (_resumes is { } acks && _held is { } held)
            {
                // XEP-0198 §5: it may tell how many it took of a stream that it does not keep.
                if (failed.Attribute("h") is not null) acks.Receive(failed);
                (lost, pair, _resumes, _held) = (acks, held, null, null);
                EnableUnderGate();
            }
            else if (_outbound is not null && !_counts)
            {
                (_acks, _keeps) = (null, false); // it does not want stream management after all
            }
        }
        if (lost is null) return;
        _services.Host.NotResumed(pair, lost);
        _services.Host.Authorized(this, pair);
    }

    // XEP-0198 §5: what was not acknowledged is sent again, in its order. It is in the queue still.
    void RepeatUnderGate(PeerAcks acks)
    {
        foreach (var unacked in acks.Unacked)
            SharedStanza.From(unacked.Stanza).Write(_waiting, unacked.Stanza.To, declareNamespace: false);
        _pump.Wake();
        RequestUnderGate();
    }

    /// <summary>A stanza has been written; under the gate.</summary>
    /// <returns>Those that are not kept any more.</returns>
    List<SmEntry> NoteSent(SharedStanza stanza, bool isAgain)
    {
        if (_acks is not { } acks || !_keeps) return NoneDropped;
        var dropped = new List<SmEntry>();
        acks.Sent(stanza, stanza.Stanza.To, isAgain, _services.Timers.Clock.GetUtcNow(), dropped);
        RequestUnderGate();
        return dropped;
    }

    void RequestUnderGate()
    {
        if (_stage != Stage.Open || _acks is not { } acks || !_keeps) return;
        if (acks.TakeRequest((uint)_settings.UnackedMax, _services.Timers.Clock.GetUtcNow()))
            WriteUnderGate(new Element(Ns, "r"));
    }

    void CountReceived()
    {
        lock (_gate)
        {
            if (_counts) _acks?.Handle();
        }
    }

    // stream-management.md §2: before our end of the stream the peer learns what was taken.
    void WriteLastAck()
    {
        if (_acks is { } acks && _counts) WriteUnderGate(acks.Ack());
    }

    /// <summary>Closes a stream whose peer owes an acknowledgement for too long. True when it did.</summary>
    bool CheckAcks()
    {
        if (_settings.AckDelayMax <= TimeSpan.Zero) return false;
        bool isLate;
        lock (_gate) isLate = _acks?.IsLate(_services.Timers.Clock.GetUtcNow(), _settings.AckDelayMax) == true;
        if (isLate) Close(StreamError.ConnectionTimeout.WithText("no acknowledgement came"));
        return isLate;
    }

    /// <inheritdoc/>
    public override PeerAcks? Surrender()
    {
        PeerAcks? acks;
        lock (_gate)
        {
            acks = _acks;
            (_acks, _counts, _keeps, _isClosedForStanzas) = (null, false, false, true);
            acks?.Disconnect();
        }
        Close(StreamError.Conflict.WithText("the stream was resumed on another connection"));
        return acks;
    }

    static Element Failed(StanzaError error) =>
        new(Ns, "failed", new Element(Namespaces.StanzaErrors, error.Condition));
}
