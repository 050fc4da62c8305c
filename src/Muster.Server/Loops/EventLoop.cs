using System.Diagnostics;
using System.Net.Sockets;

namespace Muster.Server.Loops;

/// <summary>
/// A thread that reads sockets when something has come, does the work that follows, and then writes what has gathered:
/// so that no message needs a change of threads, and all that comes while others are written goes out together.
/// </summary>
/// <remarks>
/// What runs on it must not block: not on a database, not on another's lock for long. A task that awaits leaves the
/// loop and comes back with the next bytes of its socket.
/// </remarks>
sealed class EventLoop : IDisposable
{
    const int EventsMax = 512;

    // A turn that was shorter is followed by sleep: under many small stanzas the next one then finds several, which
    // share its system calls. Whoever comes first has been answered by then.
    static readonly TimeSpan TurnTime = TimeSpan.FromMicroseconds(40);

    [ThreadStatic]
    static EventLoop? _current;

    readonly Epoll _epoll = new(EventsMax);
    readonly Thread _thread;

    // Of the loop's thread alone.
    readonly Queue<IThreadPoolWorkItem> _work = new(), _writes = new();
    readonly Queue<LoopSocket> _unread = new();

    readonly Lock _lock = new(); // guards what follows
    readonly List<LoopSocket?> _sockets = [];
    readonly Stack<int> _free = new();
    readonly Queue<IThreadPoolWorkItem> _handedOver = new();
    uint _generation;
    bool _isAsleep, _isStopped;

    /// <param name="name">Name of the thread.</param>
    public EventLoop(string name)
    {
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Whether the calling thread is the loop's.</summary>
    internal bool IsCurrent => _current == this;

    /// <summary>Counts how often the loop has looked at its sockets.</summary>
    internal uint Turn { get; private set; }

    /// <summary>Has something done soon, behind what waits: on the loop whose thread this is, else on the thread
    /// pool.</summary>
    public static void Queue(IThreadPoolWorkItem item)
    {
        if (_current is { } loop) loop._work.Enqueue(item);
        else ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
    }

    /// <summary>Has something written to one of the loop's sockets, when what has come by now has been dealt with. May
    /// be called under any lock.</summary>
    public void QueueWrite(IThreadPoolWorkItem item)
    {
        if (IsCurrent)
        {
            _writes.Enqueue(item);
            return;
        }
        lock (_lock)
        {
            if (!_isStopped)
            {
                _handedOver.Enqueue(item);
                if (!_isAsleep) return;
                _isAsleep = false;
                _epoll.Wake();
                return;
            }
        }
        ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
    }

    /// <summary>Takes a connected socket: from now on it is read and written by way of the result, which closes it when
    /// it is disposed.</summary>
    /// <exception cref="ObjectDisposedException">The loop has been stopped.</exception>
    public LoopSocket Take(Socket socket)
    {
        socket.Blocking = false;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isStopped, this);
            if (!_free.TryPop(out int slot))
            {
                slot = _sockets.Count;
                _sockets.Add(null);
            }
            ulong tag = (ulong)unchecked(_generation++) << 32 | (uint)slot;
            var taken = new LoopSocket(this, socket, tag);
            _epoll.Watch((int)socket.Handle, tag, EpollEvents.Readable | EpollEvents.Writable | EpollEvents.PeerClosed
                | EpollEvents.EdgeTriggered);
            _sockets[slot] = taken;
            return taken;
        }
    }

    /// <summary>Has a socket that is not read to its end told of it again, when the others have had their turn. On the
    /// loop's thread.</summary>
    internal void ReadLater(LoopSocket socket) => _unread.Enqueue(socket);

    /// <summary>Lets a socket go that is about to be closed.</summary>
    internal void Forget(LoopSocket socket, Socket of)
    {
        lock (_lock)
        {
            int slot = (int)(uint)socket.Tag;
            if (_isStopped || _sockets[slot] != socket) return;
            _epoll.Forget((int)of.Handle);
            _sockets[slot] = null;
            _free.Push(slot);
        }
    }

    /// <summary>Stops the loop. Its sockets are broken; who waits for them hears of it.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isStopped) return;
            _isStopped = true;
            _epoll.Wake();
        }
        if (!IsCurrent) _thread.Join();
    }

    void Run()
    {
        _current = this;
        bool looksAgain = false;
        while (TakeOver(isIdle: _work.Count == 0 && _writes.Count == 0 && _unread.Count == 0, out bool sleeps))
        {
            Turn++;
            int count = _epoll.Wait(sleeps ? -1 : 0);
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < count; i++)
            {
                if (_epoll[i] is ({ } tag, var events)) Find(tag)?.Tell(events);
            }
            for (int left = _unread.Count; left > 0; left--) _unread.Dequeue().Tell(EpollEvents.Readable);
            if (_work.Count > 0)
            {
                Do(_work);
                // What has come while it was done travels along with what it brings.
                if (looksAgain = !looksAgain) continue;
            }
            looksAgain = false;
            Do(_writes);
            if (count > 0 && TurnTime - Stopwatch.GetElapsedTime(start) is { Ticks: > 0 } rest) Epoll.Sleep(rest);
        }
        foreach (var socket in _sockets) socket?.Abort();
        foreach (var socket in _sockets) socket?.Tell(EpollEvents.HangUp);
        _current = null;
        foreach (var item in _work.Concat(_writes).Concat(_handedOver)) ThreadPool.UnsafeQueueUserWorkItem(item, false);
        _epoll.Dispose();
    }

    /// <summary>Takes what other threads have handed over. False when the loop has been stopped.</summary>
    bool TakeOver(bool isIdle, out bool sleeps)
    {
        lock (_lock)
        {
            while (_handedOver.TryDequeue(out var item)) _writes.Enqueue(item);
            // From here on whoever hands something over wakes the loop.
            sleeps = _isAsleep = isIdle && _writes.Count == 0 && !_isStopped;
            return !_isStopped;
        }
    }

    LoopSocket? Find(ulong tag)
    {
        lock (_lock)
        {
            int slot = (int)(uint)tag;
            return slot < _sockets.Count && _sockets[slot] is { } socket && socket.Tag == tag ? socket : null;
        }
    }

    static void Do(Queue<IThreadPoolWorkItem> items)
    {
        // Those that are there now: what they bring waits until the sockets have been looked at.
        for (int left = items.Count; left > 0; left--) items.Dequeue().Execute();
    }
}
