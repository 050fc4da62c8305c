using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Peers;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <content>Timeouts, and the end of the connection, which anybody may begin at any time.</content>
sealed partial class PeerConnection
{
    long _since;       // when the stage began, in milliseconds of the timers
    long _lastRead;    // when something was read last
    long _lastStanza;  // when a stanza went either way last
    bool _isClean;     // the stream was closed, by us or by the peer, and did not just break
    bool _isClosedForStanzas;
    bool _wasUnused;

    int ITimedConnection.TimerSlot { get; set; }

    /// <inheritdoc/>
    public override void Close(StreamError? error)
    {
        lock (_gate)
        {
            if (_stage >= Stage.Closing) return;
            _isClean = true;
            _pause?.Stop();
            if (error is not null) NoteError(error);
            if (_stage == Stage.Handshaking)
            {
                BreakUnderGate();
                return;
            }
            if (_waiting.IsOverflowing) _waiting.Drop();
            // RFC 6120 §4.9.1.3: an error is told inside a stream, so there must be one.
            if (!_isOpen) WriteOpenUnderGate(LateHeader());
            WriteLastAck();
            if (error is not null) WriteUnderGate(error.WithText(Signed(error)).ToElement());
            _framing.WriteClose(_waiting);
            _pump.Wake();
            _stage = Stage.Closing;
            _since = _services.Timers.Now;
        }
    }

    StreamHeader LateHeader() =>
        new()
        {
            From = _outbound?.Pair.Local ?? _settings.Policy.DefaultHost,
            To = _outbound?.Pair.Remote ?? default,
            Id = IsOutgoing ? null : ConnectionIds.NewStreamId(),
            ContentNamespace = Namespaces.Server,
            Dialback = true,
        };

    void NoteError(StreamError error)
    {
        _services.Meters.StreamError(error.Condition);
        _services.Log.PeerErrorSent(Id, Remote, error.Condition, error.Text);
        if (!_hasReason) _reason = $"closed with {error.Condition}: {error.Text}";
        _hasReason = true;
    }

    /// <summary>The text says which connection it was, so that the other operator's question can be answered.</summary>
    string Signed(StreamError error) => $"{error.Text ?? error.Condition} (connection {Id})";

    /// <summary>Gives the transport up: nothing is written any more, and the reading task wakes.</summary>
    void Break()
    {
        lock (_gate) BreakUnderGate();
    }

    void BreakUnderGate()
    {
        if (_stage == Stage.Broken) return;
        _stage = Stage.Broken;
        _pause?.Stop();
        _waiting.Drop();
        _framing.Abort();
    }

    /// <summary>The reading task is done: what waits is sent as far as it can be, the transport is let go.</summary>
    async Task FinishAsync()
    {
        lock (_gate)
        {
            // Only a peer that ended its side of the stream has closed it; one whose connection broke may resume.
            if (_peerHasClosed || _peerError is not null) _isClean = true;
            else if (_stage == Stage.Open) _isClosedForStanzas = true;
        }
        if (_isClean) Close(null);
        // The sweep breaks a connection that cannot be written to; so this waits for a bounded time.
        await _pump.FlushAsync();
        bool isWhole;
        lock (_gate)
        {
            isWhole = _stage != Stage.Broken;
            _stage = Stage.Broken;
        }
        await _framing.EndAsync(isWhole);
    }

    /// <summary>Tells the host of the end, once all is over.</summary>
    void Report()
    {
        PeerEnd end;
        lock (_state)
        {
            end = new PeerEnd(_reason, [.. _negotiation.Accepted], [.. _negotiation.Authorized])
            {
                Opened = _outbound?.Pair,
                PeerError = _peerError,
                HasFailedExternal = _outbound?.HasFailedExternal == true,
                WasUnused = _wasUnused,
            };
        }
        lock (_gate)
        {
            _acks?.Disconnect();
            // The domains beside the first would have to be asked for anew before their stanzas could be repeated.
            bool isOne = end.Authorized.Count <= 1 && end.Accepted.Count <= 1;
            bool hasBroken = !_isClean && isOne && _acks?.Token is not null;
            bool hasNotResumed = _acks is null && _resumes is not null;
            end = end with
            {
                Acks = _acks ?? _resumes,
                IsResumable = hasBroken || hasNotResumed,
                Unsent = [.. _unsent.Select(unsent => unsent.Stanza)],
            };
        }
        _services.Host.Ended(this, end);
    }

    void ITimedConnection.Stop() => Close(StreamError.SystemShutdown);

    void ITimedConnection.Break() => Break();

    bool ITimedConnection.StopsLast => true;

    void ITimedConnection.Tick(long now)
    {
        switch (_stage)
        {
            case Stage.Handshaking when now - _since > Milliseconds(_settings.LoginTimeout):
            case Stage.Closing when now - _since > Milliseconds(_settings.CloseTimeout):
                NoteReason("it did not answer in time");
                Break();
                break;
            case Stage.Open when !_isAuthenticated:
                CheckLogin(now);
                break;
            case Stage.Open:
                if (CheckAcks()) break;
                if (now - _lastStanza <= Milliseconds(_settings.StreamTimeout)) break;
                NoteReason("it was idle");
                Close(null);
                break;
            default:
                break;
        }
    }

    void CheckLogin(long now)
    {
        if (now - _since > Milliseconds(_settings.LoginTimeout))
            Close(StreamError.ConnectionTimeout.WithText("proving the domain took too long"));
        else if (_outbound is not null && now - _lastRead > Milliseconds(_settings.UnusedTimeout) && IsUnused())
            CloseUnused();
    }

    void CloseUnused()
    {
        _wasUnused = true;
        NoteReason("it was not needed");
        Close(null);
    }

    bool IsUnused()
    {
        lock (_state) return _negotiation.IsUnused;
    }

    static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;
}
