using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Muster.Server.Loops;

/// <summary>A socket of an <see cref="EventLoop"/> as a stream. One task may read and one may write at a time; who
/// waits goes on on the loop's thread.</summary>
/// <remarks>A read into an empty buffer waits until there is something to read and takes none: so an idle connection
/// holds no buffer.</remarks>
sealed class LoopSocket : AsyncStream
{
    const int ReadsPerTurn = 4;

    readonly Socket _socket;
    readonly Readiness _readable = new(isReady: false), _writable = new(isReady: true);
    int _isClosed;
    uint _turn;      // of the loop, when it was read last
    int _readsInTurn;

    internal LoopSocket(EventLoop loop, Socket socket, ulong tag) => (Loop, _socket, Tag) = (loop, socket, tag);

    /// <summary>The loop.</summary>
    public EventLoop Loop { get; }

    /// <summary>Stands for it in the events of the loop.</summary>
    internal ulong Tag { get; }

    /// <summary>Breaks the connection: pending reads and writes end. May be called at any time by any thread.</summary>
    public void Abort()
    {
        try
        {
            // Once it is closed, nothing that waits is sent any more.
            _socket.LingerState = new LingerOption(true, 0);
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException) { } // it is broken
    }

    /// <summary>Something has happened to it. Called on the loop's thread.</summary>
    internal void Tell(EpollEvents events)
    {
        const EpollEvents Ended = EpollEvents.PeerClosed | EpollEvents.HangUp | EpollEvents.Error;
        if ((events & (EpollEvents.HangUp | EpollEvents.Error)) != 0) _writable.Set(forGood: true);
        else if ((events & EpollEvents.Writable) != 0) _writable.Set(forGood: false);
        // After its last bytes there is the end of the stream to be read, of which no other event tells.
        if ((events & Ended) != 0) _readable.Set(forGood: true);
        else if ((events & EpollEvents.Readable) != 0) _readable.Set(forGood: false);
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_readable.IsReady) return WaitAndReadAsync(buffer);
        if (buffer.IsEmpty) return new(0);
        if (IsTurnOver())
        {
            _readable.Clear();
            Loop.ReadLater(this);
            return WaitAndReadAsync(buffer);
        }
        int count = TryRead(buffer.Span);
        return count >= 0 ? new(count) : WaitAndReadAsync(buffer);
    }

    /// <summary>Whether it has been read so often without a pause that the loop's other sockets come first.</summary>
    bool IsTurnOver()
    {
        if (!Loop.IsCurrent) return false;
        if (_turn != Loop.Turn) (_turn, _readsInTurn) = (Loop.Turn, 0);
        return ++_readsInTurn > ReadsPerTurn;
    }

    async ValueTask<int> WaitAndReadAsync(Memory<byte> buffer)
    {
        while (true)
        {
            await _readable.WaitAsync();
            if (buffer.IsEmpty) return 0;
            int count = TryRead(buffer.Span);
            if (count >= 0) return count;
        }
    }

    /// <summary>Reads what there is; -1 when there is nothing.</summary>
    int TryRead(Span<byte> buffer)
    {
        // Before the attempt: what comes after it sets it again.
        _readable.Clear();
        int count = _socket.Receive(buffer, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock) return -1;
        if (error != SocketError.Success) throw new SocketException((int)error);
        // epoll(7): fewer bytes than asked for mean that there are no more.
        if (count == buffer.Length) _readable.Restore();
        return count;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count = TryWrite(buffer.Span);
        return count == buffer.Length ? default : WriteRestAsync(buffer[count..]);
    }

    async ValueTask WriteRestAsync(ReadOnlyMemory<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            await _writable.WaitAsync();
            buffer = buffer[TryWrite(buffer.Span)..];
        }
    }

    /// <summary>Writes as much as there is space for.</summary>
    int TryWrite(ReadOnlySpan<byte> bytes)
    {
        int written = 0;
        while (written < bytes.Length)
        {
            _writable.Clear();
            int count = _socket.Send(bytes[written..], SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock) break;
            if (error != SocketError.Success) throw new SocketException((int)error);
            written += count;
            _writable.Restore();
        }
        return written;
    }

    /// <summary>Closes it. Nobody may read or write any more.</summary>
    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _isClosed, 1) == 0)
        {
            Loop.Forget(this, _socket);
            _socket.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>Whether a direction is ready, and the one who waits for it.</summary>
    sealed class Readiness : IValueTaskSource
    {
        ManualResetValueTaskSourceCore<bool> _source; // goes on where it is set: on the loop's thread
        int _isReady, _isAwaited;
        volatile bool _isForGood;

        public Readiness(bool isReady) => _isReady = isReady ? 1 : 0;

        public bool IsReady => Volatile.Read(ref _isReady) != 0;

        public void Clear() => Interlocked.Exchange(ref _isReady, _isForGood ? 1 : 0);

        /// <summary>It still is, as far as its one user knows, who does not wait.</summary>
        public void Restore() => Volatile.Write(ref _isReady, 1);

        public void Set(bool forGood)
        {
            if (forGood) _isForGood = true;
            Interlocked.Exchange(ref _isReady, 1);
            if (Interlocked.Exchange(ref _isAwaited, 0) == 1) _source.SetResult(true);
        }

        public ValueTask WaitAsync()
        {
            _source.Reset();
            Interlocked.Exchange(ref _isAwaited, 1);
            // It may have come meanwhile; whoever takes the mark back has the right to go on.
            if (IsReady && Interlocked.Exchange(ref _isAwaited, 0) == 1) return default;
            return new ValueTask(this, _source.Version);
        }

        void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

        ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

        void IValueTaskSource.OnCompleted(
            Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _source.OnCompleted(continuation, state, token, flags);
    }
}
