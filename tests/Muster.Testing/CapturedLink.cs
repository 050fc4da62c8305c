using System.Text;
using Muster.Core.Sessions;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Testing;

/// <summary>A session's way out that goes nowhere: what was written can be looked at. For tests of a session without a
/// connection.</summary>
public sealed class CapturedLink(int outboundBytesMax = 4 * 1024 * 1024) : SessionLink(outboundBytesMax)
{
    /// <inheritdoc/>
    public override bool DeclaresNamespace => false;

    /// <summary>Stanzas written.</summary>
    public int Stanzas { get; private set; }

    /// <summary>True once it was closed.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>The error it was closed with, or null.</summary>
    public StreamError? Error { get; private set; }

    /// <inheritdoc/>
    public override void EndStanza() => Stanzas++;

    /// <inheritdoc/>
    public override void Wake() { }

    /// <inheritdoc/>
    public override bool TryAccept() => AcceptsStanzas = !IsClosed;

    /// <inheritdoc/>
    public override void RequestAck(Element request) => WriteElement(request);

    /// <summary>Times that the session said that everything of its client is settled.</summary>
    public int SettledCount { get; private set; }

    /// <inheritdoc/>
    public override void Settled() => SettledCount++;

    /// <inheritdoc/>
    public override void Close(StreamError? error, bool keepsSession = false)
    {
        if (IsClosed) return;
        IsClosed = true;
        Error = error;
        AcceptsStanzas = false;
    }

    /// <summary>Takes what was written and forgets it.</summary>
    public void Drop()
    {
        lock (Gate) Outbound.Drop();
    }

    /// <summary>Takes what was written, as elements.</summary>
    public IReadOnlyList<Element> Take()
    {
        lock (Gate)
        {
            var taken = Outbound.Take();
            return TestXml.ParseAll(Encoding.UTF8.GetString(taken));
        }
    }
}
