using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Muster.Server.Loops;

/// <summary>What has happened to a descriptor (epoll_ctl(2)).</summary>
[Flags]
enum EpollEvents : uint
{
    /// <summary>There is something to read.</summary>
    Readable = 0x1,
    /// <summary>There is space to write again.</summary>
    Writable = 0x4,
    /// <summary>It is broken.</summary>
    Error = 0x8,
    /// <summary>Both sides have ended.</summary>
    HangUp = 0x10,
    /// <summary>The peer has ended its side.</summary>
    PeerClosed = 0x2000,
    /// <summary>Told once for each change, not again and again while it lasts.</summary>
    EdgeTriggered = 1u << 31,
}

/// <summary>Linux's epoll(7) with an eventfd(2) that wakes whoever waits. For one waiting thread; the other methods may
/// be called by any.</summary>
sealed class Epoll : IDisposable
{
    const int CloseOnExec = 0x80000, NonBlocking = 0x800;
    const int Add = 1, Remove = 2;
    const int Interrupted = 4; // EINTR
    const ulong WakeTag = ulong.MaxValue;

    // struct epoll_event is packed on this processor alone (eventpoll.h: EPOLL_PACKED).
    static readonly bool IsPacked = RuntimeInformation.ProcessArchitecture is Architecture.X64;
    static readonly int EventSize = IsPacked ? 12 : 16, TagOffset = IsPacked ? 4 : 8;

    readonly int _epoll, _wake;
    readonly byte[] _events;

    /// <param name="eventsMax">Events that one wait brings at most.</param>
    public Epoll(int eventsMax)
    {
        _events = new byte[eventsMax * EventSize];
        _epoll = Checked(epoll_create1(CloseOnExec));
        _wake = Checked(eventfd(0, CloseOnExec | NonBlocking));
        Watch(_wake, WakeTag, EpollEvents.Readable | EpollEvents.EdgeTriggered);
    }

    /// <summary>Watches a descriptor from now on.</summary>
    /// <param name="descriptor">The descriptor.</param>
    /// <param name="tag">Comes with its events; not the largest number.</param>
    /// <param name="events">What to tell.</param>
    public void Watch(int descriptor, ulong tag, EpollEvents events)
    {
        byte[] change = new byte[EventSize];
        MemoryMarshal.Write(change, (uint)events);
        MemoryMarshal.Write(change.AsSpan(TagOffset), tag);
        Checked(epoll_ctl(_epoll, Add, descriptor, ref change[0]));
    }

    /// <summary>Watches it no more. To be called before it is closed.</summary>
    public void Forget(int descriptor)
    {
        byte[] nothing = new byte[EventSize];
        Checked(epoll_ctl(_epoll, Remove, descriptor, ref nothing[0]));
    }

    /// <summary>Waits for events.</summary>
    /// <param name="milliseconds">How long; -1 for ever.</param>
    /// <returns>How many there are; read them with <see cref="this[int]"/>.</returns>
    public int Wait(int milliseconds)
    {
        int count = epoll_wait(_epoll, ref _events[0], _events.Length / EventSize, milliseconds);
        if (count >= 0) return count;
        if (Marshal.GetLastPInvokeError() == Interrupted) return 0;
        throw new Win32Exception();
    }

    /// <summary>An event of the last wait. The tag is null when somebody called <see cref="Wake"/>.</summary>
    public (ulong? Tag, EpollEvents Events) this[int index]
    {
        get
        {
            var bytes = _events.AsSpan(index * EventSize, EventSize);
            ulong tag = MemoryMarshal.Read<ulong>(bytes[TagOffset..]);
            return (tag == WakeTag ? null : tag, (EpollEvents)MemoryMarshal.Read<uint>(bytes));
        }
    }

    /// <summary>Ends the wait that goes on, or the next one.</summary>
    public void Wake()
    {
        ulong one = 1;
        // Its counter is never taken back: each write is a new edge. That it is full takes 2^64 of them.
        _ = write(_wake, ref one, sizeof(ulong));
    }

    /// <summary>Sleeps for less than a timer can tell.</summary>
    public static void Sleep(TimeSpan time) => _ = usleep((uint)time.TotalMicroseconds);

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = close(_wake);
        _ = close(_epoll);
    }

    static int Checked(int result) => result >= 0 ? result : throw new Win32Exception();

    [DllImport("libc", SetLastError = true)]
    static extern int epoll_create1(int flags);

    [DllImport("libc", SetLastError = true)]
    static extern int epoll_ctl(int epoll, int operation, int descriptor, ref byte change);

    [DllImport("libc", SetLastError = true)]
    static extern int epoll_wait(int epoll, ref byte events, int eventsMax, int milliseconds);

    [DllImport("libc", SetLastError = true)]
    static extern int eventfd(uint value, int flags);

    [DllImport("libc")]
    static extern nint write(int descriptor, ref ulong value, nint size);

    [DllImport("libc")]
    static extern int close(int descriptor);

    [DllImport("libc")]
    static extern int usleep(uint microseconds);
}
