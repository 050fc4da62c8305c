using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;

namespace Muster.Bench;

/// <summary>The bodies of the generator's messages: they say which message it is, whose, and when it was
/// sent.</summary>
static class TalkText
{
    static ReadOnlySpan<byte> Mark => "<body>~"u8;

    /// <summary>Writes a body.</summary>
    public static string Write(long number, int sender) => string.Create(CultureInfo.InvariantCulture,
        $"<body>~{number} {sender} {Now} and some words to fill the line</body>");

    /// <summary>Reads a body; false for stanzas that are not of the generator.</summary>
    public static bool TryRead(ReadOnlySpan<byte> stanza, out long number, out int sender, out long micros)
    {
        number = micros = sender = 0;
        int at = stanza.IndexOf(Mark);
        if (at < 0) return false;
        var rest = stanza[(at + Mark.Length)..];
        if (!Utf8Parser.TryParse(rest, out number, out int used)) return false;
        rest = rest[(used + 1)..];
        if (!Utf8Parser.TryParse(rest, out sender, out used)) return false;
        rest = rest[(used + 1)..];
        if (!Utf8Parser.TryParse(rest, out long sent, out _)) return false;
        micros = Now - sent;
        return true;
    }

    static long Now => Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000);
}
