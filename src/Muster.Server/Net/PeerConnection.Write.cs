using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging;
using Muster.Core.Sessions;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Peers;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <content>Writing.</content>
sealed partial class PeerConnection
{
    // Stanzas that the transport has not taken, on a stream without acknowledgements: the only ones of which it is
    // known, when it dies, that they did not arrive. With XEP-0198 PeerAcks knows better. Under the gate.
    readonly Queue<(Stanza Stanza, long EndsAt)> _unsent = [];
    long _takenBytes, _transportedBytes;
    bool _isOpen; // our side of the stream has begun

    /// <inheritdoc/>
    public override PeerSend Send(SharedStanza stanza, bool isAgain)
    {
        List<SmEntry>? dropped = null;
        lock (_gate)
        {
            if (_stage != Stage.Open || _isClosedForStanzas) return PeerSend.Gone;
            if (!_waiting.IsOverflowing)
            {
                stanza.Write(_waiting, stanza.Stanza.To, declareNamespace: false);
                dropped = NoteSent(stanza, isAgain);
                if (_acks is null || !_keeps) _unsent.Enqueue((stanza.Stanza, _takenBytes + _waiting.Length));
                _lastStanza = _services.Timers.Now;
                _pump.Wake();
            }
        }
        if (dropped is null)
        {
            _services.Meters.Overflowed();
            Close(StreamError.ResourceConstraint.WithText("this server's peer reads too slowly"));
            return PeerSend.Overflow;
        }
        if (dropped.Count > 0) _services.Meters.Untracked(dropped.Count);
        _services.Meters.Sent();
        return PeerSend.Sent;
    }

    /// <inheritdoc/>
    public override void KeepAlive()
    {
        lock (_gate)
        {
            if (_stage != Stage.Open || !_isOpen) return;
            _waiting.Write(" "u8);
            _pump.Wake();
        }
    }

    void Write(Element element)
    {
        lock (_gate)
        {
            if (_stage is Stage.Open) WriteUnderGate(element);
        }
    }

    void WriteUnderGate(Element element)
    {
        StanzaWriter.Write(_waiting, element, Namespaces.Client);
        _pump.Wake();
    }

    void WriteOpen(in StreamHeader header)
    {
        lock (_gate)
        {
            if (_stage is Stage.Open) WriteOpenUnderGate(header);
        }
    }

    void WriteOpenUnderGate(in StreamHeader header)
    {
        _framing.WriteOpen(_waiting, header);
        _isOpen = true;
        _pump.Wake();
    }

    void NoteTransported(int byteCount)
    {
        lock (_gate)
        {
            _transportedBytes += byteCount;
            while (_unsent.TryPeek(out var first) && first.EndsAt <= _transportedBytes) _unsent.Dequeue();
        }
    }

    void LogWritten(ArraySegment<byte> bytes)
    {
        if (_services.Stanzas.IsEnabled(LogLevel.Trace))
            _services.Stanzas.Written(Id, Encoding.UTF8.GetString(bytes));
    }
}
