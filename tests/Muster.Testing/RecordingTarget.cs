using System.Collections.Concurrent;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Routing;

namespace Muster.Testing;

/// <summary>Stands for the other servers of the world: keeps what is routed to them, in order.</summary>
internal sealed class RecordingTarget : IStanzaTarget
{
    readonly ConcurrentQueue<Stanza> _stanzas = new();

    /// <summary>True when nothing is left to look at.</summary>
    public bool IsEmpty => _stanzas.IsEmpty;

    /// <inheritdoc/>
    public ValueTask Route(Stanza stanza)
    {
        _stanzas.Enqueue(stanza);
        return default;
    }

    /// <summary>The next stanza; a failure when there is none.</summary>
    public Element Take() => _stanzas.TryDequeue(out var stanza)
        ? stanza.ToElement()
        : throw new InvalidOperationException("nothing was sent to other servers");

    /// <summary>A stanza as another server would send it.</summary>
    public static Stanza Stanza(string xml) =>
        Protocol.Stanzas.Stanza.Read(TestXml.Parse(xml), out var problem) ?? throw new ArgumentException($"{problem}",
            nameof(xml));
}
