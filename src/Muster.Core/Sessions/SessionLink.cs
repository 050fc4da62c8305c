using Muster.Protocol.Stanzas;

namespace Muster.Core.Sessions;

/// <summary>
/// A session's way out: the connection that carries it now. A session outlives its link (XEP-0198) and may get another.
/// </summary>
public abstract class SessionLink(int outboundBytesMax)
{
    /// <summary>What waits to be written. Guarded by the lock of the session that holds this link.</summary>
    public OutboundBuffer Outbound { get; } = new(outboundBytesMax);

    /// <summary>True when each stanza must declare its namespace itself, as in WebSocket frames (RFC 7395 §3.3.3).</summary>
    public abstract bool DeclaresNamespace { get; }

    /// <summary>Marks the end of one stanza in <see cref="Outbound"/>, for framings that need to know (RFC 7395 §3.2: one stanza, one frame).</summary>
    public abstract void EndStanza();

    /// <summary>Tells the writer that something waits. Called under the session's lock: must not block, wait or call back.</summary>
    public abstract void Wake();

    /// <summary>Closes the connection, with a stream error when there is one to tell. Must not block or call back.</summary>
    public abstract void Close(StreamError? error);
}
