using System.Globalization;

namespace Muster.Core.Streams;

/// <summary>The version attribute of a stream's start (RFC 6120 §4.7.5).</summary>
static class StreamVersion
{
    /// <summary>Whether it is 1.0 or higher. No version means 0.9, which knew no features. The numbers are compared as
    /// numbers, leading zeros ignored.</summary>
    public static bool IsOneOrMore(string? version)
    {
        int dot = version?.IndexOf('.', StringComparison.Ordinal) ?? -1;
        return dot > 0
            && uint.TryParse(version.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out uint major)
            && uint.TryParse(version.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out _)
            && major >= 1;
    }
}
