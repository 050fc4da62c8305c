namespace Muster.Server.Net;

/// <summary>A connection that wants to know how late it is.</summary>
interface ITimedConnection
{
    /// <summary>Called about once a second. Must not wait.</summary>
    /// <param name="now">The time, as <see cref="ConnectionTimers.Now"/>.</param>
    void Tick(long now);

    /// <summary>The server stops: say so and close. Must not wait.</summary>
    void Stop();

    /// <summary>Break the connection. Must not wait.</summary>
    void Break();

    /// <summary>Whether it stays until the others have gone: other servers are to hear of the users who go.</summary>
    bool StopsLast => false;

    /// <summary>Place in the sweep's list; the sweep's own.</summary>
    int TimerSlot { get; set; }
}

/// <summary>The clock of all connections: one timer sweeps them every second, so that a connection needs none of its
/// own and an idle one costs nothing but its place in the list. Timeouts are late by up to a second.</summary>
sealed class ConnectionTimers : IDisposable
{
    /// <summary>How often the connections are swept.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    readonly TimeProvider _clock;
    readonly Lock _lock = new();
    readonly List<ITimedConnection> _connections = [];
    readonly ITimer _timer;
    ITimedConnection[] _swept = [];
    long _now;
    int _isSweeping;

    /// <summary>Starts to sweep.</summary>
    public ConnectionTimers(TimeProvider clock)
    {
        _clock = clock;
        _now = Milliseconds();
        _timer = clock.CreateTimer(static timers => ((ConnectionTimers)timers!).Sweep(), this, Period, Period);
    }

    /// <summary>The clock.</summary>
    public TimeProvider Clock => _clock;

    /// <summary>Milliseconds of a clock that never goes back, as of the last sweep: exact enough for timeouts, and
    /// free.</summary>
    public long Now => Volatile.Read(ref _now);

    /// <summary>True once the server stops: no connection is accepted any more.</summary>
    public bool IsStopping { get; private set; }

    /// <summary>Connections in the list.</summary>
    public int Count
    {
        get { lock (_lock) return _connections.Count; }
    }

    /// <summary>Enters a connection.</summary>
    public void Add(ITimedConnection connection)
    {
        lock (_lock)
        {
            connection.TimerSlot = _connections.Count;
            _connections.Add(connection);
        }
    }

    /// <summary>Takes a connection out.</summary>
    public void Remove(ITimedConnection connection)
    {
        lock (_lock)
        {
            int slot = connection.TimerSlot;
            if (slot >= _connections.Count || !ReferenceEquals(_connections[slot], connection)) return;
            var last = _connections[^1];
            _connections[slot] = last;
            last.TimerSlot = slot;
            _connections.RemoveAt(_connections.Count - 1);
        }
    }

    /// <summary>Closes all connections, those of clients first, and waits for a bounded time until they are
    /// gone.</summary>
    /// <param name="limit">How long to wait for each kind, in real time: whoever has not gone by then is cut
    /// off.</param>
    public async Task StopAsync(TimeSpan limit)
    {
        IsStopping = true;
        await StopAsync(static connection => !connection.StopsLast, limit);
        await StopAsync(static _ => true, limit);
    }

    async Task StopAsync(Func<ITimedConnection, bool> which, TimeSpan limit)
    {
        foreach (var connection in Snapshot(which)) connection.Stop();
        long start = Environment.TickCount64;
        while (Snapshot(which).Length > 0 && Environment.TickCount64 - start < limit.TotalMilliseconds)
            await Task.Delay(10);
        foreach (var connection in Snapshot(which)) connection.Break();
        // What is left now is ending its sessions, which stores must outlive.
        while (Snapshot(which).Length > 0 && Environment.TickCount64 - start < 2 * limit.TotalMilliseconds)
            await Task.Delay(10);
    }

    ITimedConnection[] Snapshot(Func<ITimedConnection, bool> which)
    {
        lock (_lock) return [.. _connections.Where(which)];
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    long Milliseconds() => (long)_clock.GetElapsedTime(0, _clock.GetTimestamp()).TotalMilliseconds;

    void Sweep()
    {
        Volatile.Write(ref _now, Milliseconds());
        // A sweep that takes longer than the period is not overtaken by the next.
        if (Interlocked.Exchange(ref _isSweeping, 1) == 1) return;
        int count;
        lock (_lock)
        {
            count = _connections.Count;
            if (_swept.Length < count) _swept = new ITimedConnection[Math.Max(count, _swept.Length * 2)];
            _connections.CopyTo(_swept);
        }
        for (int i = 0; i < count; i++) _swept[i].Tick(_now);
        Array.Clear(_swept, 0, count);
        Volatile.Write(ref _isSweeping, 0);
    }
}
