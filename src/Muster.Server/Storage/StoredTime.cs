namespace Muster.Server.Storage;

/// <summary>Times as stored: Unix microseconds, so that all backends keep the same precision and a person can read
/// them with any SQL shell.</summary>
internal static class StoredTime
{
    /// <summary>Unix microseconds; what is finer is cut off.</summary>
    public static long From(DateTimeOffset time) =>
        (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) / TimeSpan.TicksPerMicrosecond;

    /// <summary>Unix microseconds, what is finer raised to the next one: for "at or after", which a cut would
    /// widen.</summary>
    public static long FromRoundedUp(DateTimeOffset time) =>
        (time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks + TimeSpan.TicksPerMicrosecond - 1)
        / TimeSpan.TicksPerMicrosecond;

    /// <summary>The time of a number made by <see cref="From(DateTimeOffset)"/>.</summary>
    public static DateTimeOffset To(long microseconds) =>
        new(DateTimeOffset.UnixEpoch.UtcTicks + microseconds * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);

    /// <summary>The time as it will come back.</summary>
    public static DateTimeOffset Cut(DateTimeOffset time) => To(From(time));
}
