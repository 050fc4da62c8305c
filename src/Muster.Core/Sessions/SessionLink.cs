using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Sessions;

/// <summary>
/// A session's way out: the connection that carries it now. A session outlives its link (XEP-0198) and may get another.
/// </summary>
public abstract class SessionLink(int outboundBytesMax)
{
    /// <summary>Guards <see cref="Outbound"/>. A leaf: taken under a session's lock or alone, nothing is called under
    /// it but this link.</summary>
    public Lock Gate { get; } = new();

    /// <summary>What waits to be written. Guarded by <see cref="Gate"/>.</summary>
    public OutboundBuffer Outbound { get; } = new(outboundBytesMax);

    /// <summary>False while stanzas of a session must not be written: before the client knows that it is bound, so that
    /// the answer to the bind request comes first (RFC 6120 §7.6.1), and after the end of the stream. Guarded by
    /// <see cref="Gate"/>.</summary>
    public bool AcceptsStanzas { get; protected set; } = true;

    /// <summary>True when each stanza must declare its namespace itself, as in WebSocket frames (RFC 7395
    /// §3.3.3).</summary>
    public abstract bool DeclaresNamespace { get; }

    /// <summary>Stanzas may be written from now on, unless the stream is over already: then false. Called under
    /// <see cref="Gate"/>.</summary>
    public abstract bool TryAccept();

    /// <summary>Marks the end of one stanza in <see cref="Outbound"/>, for framings that need to know (RFC 7395 §3.2:
    /// one stanza, one frame).</summary>
    public abstract void EndStanza();

    /// <summary>Tells the writer that something waits. Called under <see cref="Gate"/>: must not block, wait or call
    /// back.</summary>
    public abstract void Wake();

    /// <summary>Writes an element that is no stanza. Called under <see cref="Gate"/>.</summary>
    public void WriteElement(Element element)
    {
        bool framed = DeclaresNamespace;
        StanzaWriter.Write(Outbound, element, framed ? "" : Namespaces.Client, streamPrefix: !framed);
        EndStanza();
        Wake();
    }

    /// <summary>Asks the client for an acknowledgement (XEP-0198 §4) behind all that waits to be written now: once for
    /// a burst, however many stanzas it has. Called under <see cref="Gate"/>.</summary>
    /// <param name="request">The element that asks.</param>
    public abstract void RequestAck(Element request);

    /// <summary>All that the session's client has sent is stored or refused: whoever waits for that may go on. Must not
    /// block or call back.</summary>
    public abstract void Settled();

    /// <summary>Closes the connection, with a stream error when there is one to tell. Must not block or call
    /// back.</summary>
    /// <param name="error">What to tell.</param>
    /// <param name="keepsSession">The session goes on without the connection, if it can (XEP-0198).</param>
    public abstract void Close(StreamError? error, bool keepsSession = false);
}
