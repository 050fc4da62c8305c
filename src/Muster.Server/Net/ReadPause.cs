using Muster.Core.Limits;

namespace Muster.Server.Net;

/// <summary>Makes whoever sends faster than it may wait: not reading from it is what slows it down. For the task that
/// reads from one connection.</summary>
/// <param name="bytesPerSecondMax">Bytes a second that may be sent.</param>
/// <param name="clock">For the pauses.</param>
/// <param name="gate">The connection's gate: it guards the end.</param>
/// <param name="paused">Told of each pause.</param>
sealed class ReadPause(int bytesPerSecondMax, TimeProvider clock, Lock gate, Action paused)
{
    Shaper _shaper = new(bytesPerSecondMax);
    long _byteCount; // of those that have been waited for
    CancellationTokenSource? _underWay;
    bool _isOver;

    /// <summary>From now on it is measured together with others. For the reading task.</summary>
    public void Share(Shaper shaper) => _shaper = shaper;

    /// <summary>Waits for what has been read, if it was too much.</summary>
    /// <param name="readByteCount">Bytes read so far.</param>
    public async ValueTask WaitAsync(long readByteCount)
    {
        long bytes = readByteCount - _byteCount;
        _byteCount = readByteCount;
        TimeSpan pause;
        lock (_shaper) pause = _shaper.Take(bytes, clock.GetElapsedTime(0, clock.GetTimestamp()).Ticks);
        if (pause <= TimeSpan.Zero) return;
        paused();
        using var ended = new CancellationTokenSource();
        lock (gate)
        {
            if (_isOver) return;
            _underWay = ended;
        }
        await Task.Delay(pause, clock, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (gate) _underWay = null;
    }

    /// <summary>The stream has ended: nobody waits any more. Called under the gate.</summary>
    public void Stop()
    {
        _isOver = true;
        _ = _underWay?.CancelAsync();
    }
}
