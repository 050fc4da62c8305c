using System.Text;
using Microsoft.Extensions.Logging;
using Muster.Protocol.Xml;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <content>Writing: what is written gathers in the outbound buffer, from where the pump sends it.</content>
sealed partial class ClientConnection
{
    readonly OutboundPump _pump;
    bool _isOpen; // our side of the stream has begun

    /// <inheritdoc/>
    public override void EndStanza() => _framing.EndItem(Outbound.Length);

    /// <inheritdoc/>
    public override void Wake()
    {
        if (_stage != Stage.Broken) _pump.Wake();
    }

    void LogWritten(ArraySegment<byte> bytes)
    {
        if (_services.Stanzas.IsEnabled(LogLevel.Trace))
            _services.Stanzas.Written(Id, Encoding.UTF8.GetString(bytes));
    }

    void Write(Element element)
    {
        lock (Gate)
        {
            if (_stage is Stage.Negotiating or Stage.Bound) WriteElement(element);
        }
    }

    void WriteOpen(StreamHeader header)
    {
        lock (Gate)
        {
            if (_stage is Stage.Negotiating) WriteOpenUnderGate(header);
        }
    }

    void WriteOpenUnderGate(in StreamHeader header)
    {
        _framing.WriteOpen(Outbound, header);
        EndStanza();
        _isOpen = true;
        Wake();
    }
}
