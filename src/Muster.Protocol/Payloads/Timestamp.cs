using System.Globalization;

namespace Muster.Protocol.Payloads;

/// <summary>Dates and times as XMPP writes them (XEP-0082): a strict subset of ISO 8601, always in UTC when we
/// write.</summary>
/// <remarks>XEP-0082 §3 lets XML Schema part 2 decide where they differ: so 24:00:00 is the end of a day, and offsets
/// go to 14:00.
/// Not supported, as XEP-0082 §5 allows: years of more than four digits and before year 1.</remarks>
public static class Timestamp
{
    /// <summary>The DateTime profile in UTC with milliseconds: <c>yyyy-MM-ddTHH:mm:ss.fffZ</c>.</summary>
    public static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>The Date profile of the UTC date: <c>yyyy-MM-dd</c>.</summary>
    public static string FormatDate(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>Reads the DateTime profile (XEP-0082 §3.2): <c>CCYY-MM-DDThh:mm:ss[.sss]TZD</c>, the zone being
    /// required.</summary>
    /// <remarks>The fraction may have any number of digits; what is finer than 100 nanoseconds is cut off.</remarks>
    public static bool TryParse(string? text, out DateTimeOffset time)
    {
        time = default;
        var rest = text.AsSpan();
        if (!TryDate(ref rest, out var date) || !TryTake(ref rest, 'T')) return false;
        if (!TryTime(ref rest, out long ticks) || !TryZone(ref rest, out int minutes) || !rest.IsEmpty) return false;
        long utc = date.ToDateTime(TimeOnly.MinValue).Ticks + ticks - minutes * TimeSpan.TicksPerMinute;
        if (utc < DateTime.MinValue.Ticks || utc > DateTime.MaxValue.Ticks) return false;
        time = new DateTimeOffset(utc, TimeSpan.Zero);
        return true;
    }

    /// <summary>Reads the Date profile (XEP-0082 §3.1): <c>CCYY-MM-DD</c>.</summary>
    public static bool TryParseDate(string? text, out DateOnly date)
    {
        var rest = text.AsSpan();
        return TryDate(ref rest, out date) && rest.IsEmpty;
    }

    /// <summary>Reads the Time profile (XEP-0082 §3.3): <c>hh:mm:ss[.sss][TZD]</c>.</summary>
    /// <param name="text">What to read.</param>
    /// <param name="time">Time of day as written; 24:00:00 is read as the midnight it is.</param>
    /// <param name="offset">Offset from UTC, or null when no zone is given.</param>
    public static bool TryParseTime(string? text, out TimeOnly time, out TimeSpan? offset)
    {
        time = default;
        offset = null;
        var rest = text.AsSpan();
        if (!TryTime(ref rest, out long ticks)) return false;
        time = new TimeOnly(ticks % TimeSpan.TicksPerDay);
        if (rest.IsEmpty) return true;
        if (!TryZone(ref rest, out int minutes) || !rest.IsEmpty) return false;
        offset = TimeSpan.FromMinutes(minutes);
        return true;
    }

    static bool TryDate(ref ReadOnlySpan<char> rest, out DateOnly date)
    {
        date = default;
        if (!TryNumber(ref rest, 4, out int year) || !TryTake(ref rest, '-')) return false;
        if (!TryNumber(ref rest, 2, out int month) || !TryTake(ref rest, '-')) return false;
        if (!TryNumber(ref rest, 2, out int day)) return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        date = new DateOnly(year, month, day);
        return true;
    }

    static bool TryTime(ref ReadOnlySpan<char> rest, out long ticks)
    {
        ticks = 0;
        if (!TryNumber(ref rest, 2, out int hour) || !TryTake(ref rest, ':')) return false;
        if (!TryNumber(ref rest, 2, out int minute) || !TryTake(ref rest, ':')) return false;
        if (!TryNumber(ref rest, 2, out int second)) return false;
        if (!TryFraction(ref rest, out long fraction)) return false;
        ticks = new TimeSpan(hour, minute, second).Ticks + fraction;
        // XML Schema part 2 §3.3.7: seconds stop at 59 (no leap second), and 24:00:00 is the only time of hour 24.
        return minute < 60 && second < 60 && (hour < 24 || ticks == TimeSpan.TicksPerDay);
    }

    static bool TryFraction(ref ReadOnlySpan<char> rest, out long ticks)
    {
        ticks = 0;
        if (!TryTake(ref rest, '.')) return true;
        int digits = 0;
        long unit = TimeSpan.TicksPerSecond;
        while (digits < rest.Length && char.IsAsciiDigit(rest[digits]))
        {
            unit /= 10;
            ticks += (rest[digits] - '0') * unit;
            digits++;
        }
        rest = rest[digits..];
        return digits > 0;
    }

    static bool TryZone(ref ReadOnlySpan<char> rest, out int minutes)
    {
        minutes = 0;
        if (TryTake(ref rest, 'Z')) return true;
        if (rest.IsEmpty || rest[0] is not ('+' or '-')) return false;
        int sign = rest[0] == '-' ? -1 : 1;
        rest = rest[1..];
        if (!TryNumber(ref rest, 2, out int hour) || !TryTake(ref rest, ':')) return false;
        if (!TryNumber(ref rest, 2, out int minute) || minute > 59) return false;
        minutes = sign * (hour * 60 + minute);
        return minutes is >= -14 * 60 and <= 14 * 60;
    }

    static bool TryNumber(ref ReadOnlySpan<char> rest, int digits, out int number)
    {
        number = 0;
        if (rest.Length < digits) return false;
        foreach (char c in rest[..digits])
        {
            if (!char.IsAsciiDigit(c)) return false;
            number = number * 10 + (c - '0');
        }
        rest = rest[digits..];
        return true;
    }

    static bool TryTake(ref ReadOnlySpan<char> rest, char c)
    {
        if (rest.IsEmpty || rest[0] != c) return false;
        rest = rest[1..];
        return true;
    }
}
