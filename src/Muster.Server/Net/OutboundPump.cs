using Muster.Core.Sessions;

namespace Muster.Server.Net;

/// <summary>
/// Sends what gathers in the outbound buffer of a connection: step 8 of a message's path. There is no task that waits
/// for something to send: <see cref="Wake"/> queues one when the first bytes come, it takes all that has gathered by
/// then, and goes when nothing is left.
/// </summary>
/// <param name="gate">The connection's gate: it guards the buffer and the state in here.</param>
/// <param name="outbound">What waits.</param>
/// <param name="framing">Where it goes.</param>
/// <param name="taking">Called under the gate before what waits is taken: the place to add what stands at the end of a
/// burst.</param>
/// <param name="sending">Told of bytes that are about to be sent.</param>
/// <param name="sent">Told how many have been sent.</param>
/// <param name="broken">Called when the transport takes no more.</param>
sealed class OutboundPump(Lock gate, OutboundBuffer outbound, Framing framing, Action? taking,
    Action<ArraySegment<byte>> sending, Action<int> sent, Action broken) : IThreadPoolWorkItem
{
    bool _isRunning;                // a task runs or is queued
    TaskCompletionSource? _drained; // somebody waits for it to go

    /// <summary>Makes sure that what waits is sent. Called under the gate.</summary>
    public void Wake()
    {
        if (_isRunning) return;
        _isRunning = true;
        if (framing.Loop is { } loop) loop.QueueWrite(this);
        else ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Completes when all that waited has been sent, or cannot be.</summary>
    public Task FlushAsync()
    {
        lock (gate)
        {
            if (!_isRunning) return Task.CompletedTask;
            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _drained.Task;
        }
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    async Task RunAsync()
    {
        while (TryTake(out var waiting))
        {
            try
            {
                sending(waiting);
                await framing.SendAsync(waiting);
                sent(waiting.Count);
            }
            catch (Exception error) when (Transport.IsBroken(error) || error is InvalidOperationException)
            {
                // InvalidOperationException: the pipe was completed under us. The reading task sees the end as well.
                broken();
            }
            finally
            {
                OutboundBuffer.Return(waiting);
            }
        }
    }

    bool TryTake(out ArraySegment<byte> waiting)
    {
        lock (gate)
        {
            taking?.Invoke();
            if (outbound.Length > 0)
            {
                waiting = outbound.Take();
                framing.BeginSend();
                return true;
            }
            waiting = default;
            _isRunning = false;
            _drained?.TrySetResult();
            _drained = null;
            return false;
        }
    }
}
