namespace Muster.Testing;

/// <summary>A clock that stands still until a test moves it. Timers run inside <see cref="Advance"/>, in the order of
/// their times, so what a test sees does not depend on how fast the machine is.</summary>
public sealed class FakeClock : TimeProvider
{
    readonly Lock _lock = new();
    readonly List<FakeTimer> _timers = [];
    DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    TimeSpan _jumped;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock) return _now + _jumped;
    }

    public override long GetTimestamp()
    {
        lock (_lock) return _now.UtcTicks;
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Moves time forward and runs every timer that comes due on the way.</summary>
    public void Advance(TimeSpan by)
    {
        DateTimeOffset end;
        lock (_lock) end = _now + by;
        while (NextDue(end) is { } timer) timer.Fire();
        lock (_lock) _now = end;
    }

    /// <summary>Sets the time of day, as an administrator does or a virtual machine that was asleep: no time passes,
    /// no timer runs.</summary>
    public void Jump(TimeSpan by)
    {
        lock (_lock) _jumped += by;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>The timer that is due first; time moves to it.</summary>
    FakeTimer? NextDue(DateTimeOffset end)
    {
        lock (_lock)
        {
            FakeTimer? next = null;
            foreach (var timer in _timers)
                if (timer.DueAt <= end && (next is null || timer.DueAt < next.DueAt)) next = timer;
            if (next is null) return null;
            if (next.DueAt > _now) _now = next.DueAt;
            if (next.Period > TimeSpan.Zero) next.DueAt += next.Period;
            else _timers.Remove(next);
            return next;
        }
    }

    sealed class FakeTimer(FakeClock clock, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset DueAt { get; set; }
        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                clock._timers.Remove(this);
                Period = period;
                if (dueTime < TimeSpan.Zero) return true;
                DueAt = clock._now + dueTime;
                clock._timers.Add(this);
            }
            return true;
        }

        public void Dispose()
        {
            lock (clock._lock) clock._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
