namespace Muster.Server.Config;

/// <summary>Dates and times of TOML 1.0: RFC 3339 with or without date, time and offset.</summary>
static class TomlMoments
{
    public static bool LooksLikeOne(string word) =>
        (word.Length > 4 && word[4] == '-' && IsNumber(word.AsSpan(0, 4))) || (word.Length > 2 && word[2] == ':');

    /// <summary>Null when the word is no date or time, or names a day or second that does not exist.</summary>
    public static TomlMoment? Read(int offset, string word)
    {
        var rest = word.AsSpan();
        if (rest.Length < 3) return null;
        if (rest[2] == ':')
            return TryTime(ref rest, out var alone) && rest.IsEmpty ? new TomlMoment(offset, null, alone, null) : null;
        if (!TryDate(ref rest, out var date)) return null;
        if (rest.IsEmpty) return new TomlMoment(offset, date, null, null);
        if (rest[0] is not ('T' or 't' or ' ')) return null;
        rest = rest[1..];
        if (!TryTime(ref rest, out var time)) return null;
        if (rest.IsEmpty) return new TomlMoment(offset, date, time, null);
        return TryZone(rest, out var zone) ? new TomlMoment(offset, date, time, zone) : null;
    }

    static bool TryDate(ref ReadOnlySpan<char> rest, out DateOnly date)
    {
        date = default;
        if (rest.Length < 10 || rest[4] != '-' || rest[7] != '-') return false;
        if (!TryNumber(rest[..4], out int year) || !TryNumber(rest[5..7], out int month)
            || !TryNumber(rest[8..10], out int day)) return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        date = new DateOnly(year, month, day);
        rest = rest[10..];
        return true;
    }

    static bool TryTime(ref ReadOnlySpan<char> rest, out TimeOnly time)
    {
        time = default;
        if (rest.Length < 8 || rest[2] != ':' || rest[5] != ':') return false;
        if (!TryNumber(rest[..2], out int hour) || !TryNumber(rest[3..5], out int minute)
            || !TryNumber(rest[6..8], out int second)) return false;
        if (hour > 23 || minute > 59 || second > 59) return false;
        rest = rest[8..];
        long ticks = 0;
        if (rest.Length > 0 && rest[0] == '.')
        {
            int digits = 1;
            long unit = TimeSpan.TicksPerSecond / 10;
            for (; digits < rest.Length && char.IsAsciiDigit(rest[digits]); digits++, unit /= 10) ticks += (
                rest[digits] - '0') * unit;
            if (digits == 1) return false;
            rest = rest[digits..];
        }
        time = new TimeOnly(new TimeSpan(hour, minute, second).Ticks + ticks);
        return true;
    }

    static bool TryZone(ReadOnlySpan<char> rest, out TimeSpan zone)
    {
        zone = TimeSpan.Zero;
        if (rest is "Z" or "z") return true;
        if (rest.Length != 6 || rest[0] is not ('+' or '-') || rest[3] != ':') return false;
        if (!TryNumber(rest[1..3], out int hours) || !TryNumber(rest[4..], out int minutes) || hours > 23
            || minutes > 59) return false;
        zone = new TimeSpan(hours, minutes, 0);
        if (rest[0] == '-') zone = -zone;
        return true;
    }

    static bool IsNumber(ReadOnlySpan<char> digits) => !digits.IsEmpty && !digits.ContainsAnyExceptInRange('0', '9');

    static bool TryNumber(ReadOnlySpan<char> digits, out int value)
    {
        value = 0;
        if (!IsNumber(digits)) return false;
        foreach (char c in digits) value = value * 10 + (c - '0');
        return true;
    }
}
