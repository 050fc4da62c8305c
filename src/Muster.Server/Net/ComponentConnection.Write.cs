using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Components;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <content>Writing, timeouts, and the end, which anybody may begin at any time.</content>
sealed partial class ComponentConnection
{
    bool _isOpen;       // our side of the stream has begun
    long _since;        // when the stage began, in milliseconds of the timers
    long _lastWritten;

    int ITimedConnection.TimerSlot { get; set; }

    /// <inheritdoc/>
    public override ComponentSend Send(SharedStanza stanza)
    {
        lock (_gate)
        {
            if (_stage != Stage.Connected) return ComponentSend.Gone;
            if (!_waiting.IsOverflowing)
            {
                stanza.Write(_waiting, stanza.Stanza.To, declareNamespace: false);
                _lastWritten = _services.Timers.Now;
                _pump.Wake();
                return ComponentSend.Sent;
            }
        }
        _services.Meters.Overflowed();
        Close(StreamError.ResourceConstraint.WithText("the component reads too slowly"));
        return ComponentSend.Overflow;
    }

    /// <inheritdoc/>
    public override void Close(StreamError? error)
    {
        lock (_gate)
        {
            if (_stage >= Stage.Closing) return;
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
            if (error is not null)
                WriteUnderGate(error.WithText($"{error.Text ?? error.Condition} (connection {Id})").ToElement());
            _framing.WriteClose(_waiting);
            _pump.Wake();
            _stage = Stage.Closing;
            _since = _services.Timers.Now;
        }
    }

    StreamHeader LateHeader() => new()
    {
        From = _settings.Policy.DefaultHost,
        Id = ConnectionIds.NewStreamId(),
        Version = null,
        ContentNamespace = Namespaces.Component,
    };

    void NoteError(StreamError error)
    {
        _services.Meters.StreamError(error.Condition);
        _services.Log.ComponentErrorSent(Id, Address, Domain, error.Condition, error.Text);
        _reason ??= $"closed with {error.Condition}: {error.Text}";
    }

    void NoteReason(string reason)
    {
        lock (_gate) _reason ??= reason;
    }

    void WriteOpen(in StreamHeader header)
    {
        lock (_gate)
        {
            if (_stage < Stage.Closing) WriteOpenUnderGate(header);
        }
    }

    void WriteOpenUnderGate(in StreamHeader header)
    {
        _framing.WriteOpen(_waiting, header);
        _isOpen = true;
        _pump.Wake();
    }

    void WriteUnderGate(Element element)
    {
        StanzaWriter.Write(_waiting, element, Namespaces.Client);
        _pump.Wake();
    }

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
        Close(null);
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

    void ITimedConnection.Stop() => Close(StreamError.SystemShutdown);

    void ITimedConnection.Break() => Break();

    void ITimedConnection.Tick(long now)
    {
        switch (_stage)
        {
            case Stage.Handshaking when now - _since > _settings.LoginTimeout.TotalMilliseconds:
            case Stage.Closing when now - _since > _settings.CloseTimeout.TotalMilliseconds:
                NoteReason("it did not answer in time");
                Break();
                break;
            case Stage.Negotiating when now - _since > _settings.LoginTimeout.TotalMilliseconds:
                Close(StreamError.ConnectionTimeout.WithText("the handshake took too long"));
                break;
            case Stage.Connected when now - _lastWritten > _settings.KeepAlive.TotalMilliseconds:
                KeepAlive(now);
                break;
            default:
                break;
        }
    }

    void KeepAlive(long now)
    {
        lock (_gate)
        {
            if (_stage != Stage.Connected) return;
            _waiting.Write(" "u8);
            _lastWritten = now;
            _pump.Wake();
        }
    }

    void LogWritten(ArraySegment<byte> bytes)
    {
        if (_services.Stanzas.IsEnabled(LogLevel.Trace))
            _services.Stanzas.Written(Id, Encoding.UTF8.GetString(bytes));
    }
}
