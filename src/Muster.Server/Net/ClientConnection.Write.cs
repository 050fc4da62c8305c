using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging;
using Muster.Protocol.Xml;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <content>
/// Writing: step 8 of a message's path. There is no task that waits for something to write: <see cref="Wake"/> queues
/// one when the first bytes come, it takes all that has gathered by then, and goes when nothing is left.
/// </content>
sealed partial class ClientConnection
{
    bool _isOpen;        // our side of the stream has begun
    bool _isWriting;     // a writer runs or is queued
    TaskCompletionSource? _written; // somebody waits for the writer to go

    /// <inheritdoc/>
    public override void EndStanza() => _framing.EndItem(Outbound.Length);

    /// <inheritdoc/>
    public override void Wake()
    {
        if (_isWriting || _stage == Stage.Broken) return;
        _isWriting = true;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _ = WriteLoopAsync();

    async Task WriteLoopAsync()
    {
        while (TryTakeWaiting(out var waiting))
        {
            try
            {
                LogWritten(waiting);
                await _framing.SendAsync(waiting);
                _services.Meters.Written(waiting.Count);
            }
            catch (Exception error) when (IsBrokenTransport(error) || error is InvalidOperationException)
            {
                // InvalidOperationException: the pipe was completed under us. The reading task sees the end as well.
                Break();
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(waiting.Array!);
            }
        }
    }

    bool TryTakeWaiting(out ArraySegment<byte> waiting)
    {
        lock (Gate)
        {
            if (Outbound.Length > 0 && _stage != Stage.Broken)
            {
                waiting = Outbound.Take();
                _framing.BeginSend();
                return true;
            }
            waiting = default;
            _isWriting = false;
            _written?.TrySetResult();
            _written = null;
            return false;
        }
    }

    /// <summary>Waits until all that was written before has been sent, or cannot be.</summary>
    Task FlushAsync()
    {
        lock (Gate)
        {
            if (!_isWriting) return Task.CompletedTask;
            _written ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _written.Task;
        }
    }

    void Write(Element element)
    {
        lock (Gate)
        {
            if (_stage is Stage.Negotiating or Stage.Bound) WriteUnderGate(element);
        }
    }

    void WriteUnderGate(Element element)
    {
        bool framed = DeclaresNamespace;
        StanzaWriter.Write(Outbound, element, framed ? "" : Namespaces.Client, streamPrefix: !framed);
        EndStanza();
        Wake();
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

    void LogWritten(ArraySegment<byte> bytes)
    {
        if (_services.Stanzas.IsEnabled(LogLevel.Trace))
            _services.Stanzas.Written(Id, Encoding.UTF8.GetString(bytes));
    }
}
