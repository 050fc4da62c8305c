using System.Buffers;
using Muster.Protocol.Xml;
using Muster.Server.Loops;

namespace Muster.Server.Net;

/// <summary>How the items of a stream travel on a transport: as one document over TCP, or as one frame each over
/// WebSocket (RFC 7395). It reads and writes; what it means is the connection's business.</summary>
/// <remarks>
/// Reading is for one task at a time, sending for one task at a time; both may go on together. The writing methods only
/// put bytes into a buffer. While nothing arrives and nothing is sent, it holds no buffer.
/// </remarks>
abstract class Framing : IAsyncDisposable
{
    /// <summary>Bytes that a peer may still send after our side has ended, before it is cut off.</summary>
    const int DiscardBytesMax = 1024 * 1024;

    long? _discardLimit;

    /// <summary>The event loop that the transport belongs to; null for the thread pool.</summary>
    public virtual EventLoop? Loop => null;

    /// <summary>True when each stanza must declare its namespace itself (RFC 7395 §3.3.3).</summary>
    public abstract bool DeclaresNamespace { get; }

    /// <summary>Bytes taken from the transport so far.</summary>
    public long ReadByteCount { get; protected set; }

    /// <summary>Waits for more bytes. False when the peer has ended its side. A broken transport throws
    /// <see cref="IOException"/> or <see cref="OperationCanceledException"/>.</summary>
    public abstract ValueTask<bool> ReadAsync();

    /// <summary>Takes the next item of what has been read; false when more is needed.</summary>
    public abstract bool TryTake(out XmlItem item);

    /// <summary>Drops what has been read and not been taken.</summary>
    public abstract void Discard();

    /// <summary>Drops what still arrives after our side of the stream has ended. A peer that does not stop throws
    /// <see cref="IOException"/>.</summary>
    public void DiscardAfterEnd()
    {
        Discard();
        _discardLimit ??= ReadByteCount + DiscardBytesMax;
        if (ReadByteCount > _discardLimit) throw new IOException("the peer does not stop");
    }

    /// <summary>Begins a new stream on the same connection (RFC 6120 §4.3.3).</summary>
    public abstract void Restart(XmlLimits limits);

    /// <summary>Other bounds for what comes next on the same stream; called between two items.</summary>
    public abstract void SetLimits(XmlLimits limits);

    /// <summary>Writes the start of a stream.</summary>
    public abstract void WriteOpen(IBufferWriter<byte> output, in StreamHeader header);

    /// <summary>Writes the end of a stream.</summary>
    public abstract void WriteClose(IBufferWriter<byte> output);

    /// <summary>Notes that an item ends where the buffer ends now. Called under the link's gate.</summary>
    /// <param name="length">Bytes in the buffer.</param>
    public virtual void EndItem(int length) { }

    /// <summary>Forgets the items that were noted, as the buffer is dropped. Called under the link's gate.</summary>
    public virtual void DropItems() { }

    /// <summary>Takes the notes for the bytes that <see cref="SendAsync"/> gets next. Called under the link's
    /// gate.</summary>
    public virtual void BeginSend() { }

    /// <summary>Sends bytes that contain whole items. A broken transport throws.</summary>
    public abstract ValueTask SendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>Tells the transport that nothing more will be sent.</summary>
    public virtual ValueTask EndSendAsync() => default;

    /// <summary>Lets the transport go, at the end of a connection. Never throws.</summary>
    /// <param name="isWhole">Whether it may still be told that nothing more comes.</param>
    public async ValueTask EndAsync(bool isWhole)
    {
        try
        {
            if (isWhole) await EndSendAsync();
            await DisposeAsync();
        }
        catch (Exception error) when (Transport.IsBroken(error) || error is InvalidOperationException)
        {
            Abort();
        }
    }

    /// <summary>Breaks the connection: pending reads and sends end. May be called at any time by any thread.</summary>
    public abstract void Abort();

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
