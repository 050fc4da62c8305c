namespace Muster.Core.Limits;

/// <summary>
/// A token bucket that slows down: it says how long what was just taken must wait, and refuses nothing. The bucket
/// holds one second's worth and starts full (muc.md §16, "room_shaper").
/// </summary>
/// <remarks>
/// Not synchronised. The whole state is the moment at which the bucket will be full again; the arithmetic is exact, so
/// a million small pieces cost as much time as one large one. What is larger than the bucket goes through at once when
/// the bucket is full, and those after it pay for it.
/// </remarks>
/// <param name="maxRate">Units a second, at least 1: bytes, or operations.</param>
public sealed class Shaper(int maxRate)
{
    const long BucketTicks = TimeSpan.TicksPerSecond;

    readonly Int128 _rate = maxRate > 0 ? maxRate : throw new ArgumentOutOfRangeException(nameof(maxRate));
    Int128 _fullAt = Int128.MinValue;   // in ticks × rate: the fraction of a tick that one unit takes is not lost
    long _now = long.MinValue;

    /// <summary>Takes units and says how long they, and whatever follows them, must wait.</summary>
    /// <param name="units">Zero or less takes nothing and waits for what was taken before.</param>
    /// <param name="nowTicks">Time in units of 100 ns from any start. A time before the last one counts as the last
    /// one.</param>
    /// <returns>Zero when the bucket held enough.</returns>
    public TimeSpan Take(long units, long nowTicks)
    {
        _now = Math.Max(_now, nowTicks);
        var now = _now * _rate;
        if (_fullAt < now) _fullAt = now;
        if (units > 0) _fullAt += (Int128)units * TimeSpan.TicksPerSecond;
        var wait = (_fullAt - now + _rate - 1) / _rate - BucketTicks;
        return wait <= 0 ? TimeSpan.Zero : wait > long.MaxValue ? TimeSpan.MaxValue : TimeSpan.FromTicks((long)wait);
    }
}
