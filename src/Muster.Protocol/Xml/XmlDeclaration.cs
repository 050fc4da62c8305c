using System.Text;
using Muster.Protocol.Stanzas;

namespace Muster.Protocol.Xml;

/// <summary>The XML declaration (XML 1.0 §2.8), which RFC 6120 §11.5 lets a stream begin with.</summary>
static class XmlDeclaration
{
    /// <summary>Checks a declaration.</summary>
    /// <param name="token">All of it, which begins with <c>&lt;?xml</c> and ends in <c>&gt;</c>.</param>
    /// <returns>Null, or what is wrong.</returns>
    public static StreamError? Check(ReadOnlySpan<byte> token)
    {
        if (token[^2] != '?') return StreamError.NotWellFormed;
        var rest = token[5..^2];
        if (!TryPart(ref rest, "version"u8, out var version) || !IsVersion(version)) return StreamError.NotWellFormed;
        StreamError? error = null;
        if (TryPart(ref rest, "encoding"u8, out var encoding))
        {
            if (!IsEncodingName(encoding)) return StreamError.NotWellFormed;
            // RFC 6120 §11.6: UTF-8 and nothing else. XML 1.0 §4.3.3: letter case does not matter.
            if (!Ascii.EqualsIgnoreCase(encoding, "UTF-8"u8)) error = StreamError.UnsupportedEncoding;
        }
        if (TryPart(ref rest, "standalone"u8, out var standalone) &&
            !standalone.SequenceEqual("yes"u8) && !standalone.SequenceEqual("no"u8)) return StreamError.NotWellFormed;
        return Trim(rest).IsEmpty ? error : StreamError.NotWellFormed;
    }

    /// <summary>Reads <c>name = 'value'</c> and the white space before it, or takes nothing.</summary>
    static bool TryPart(ref ReadOnlySpan<byte> rest, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        value = default;
        var at = Trim(rest);
        if (at.Length == rest.Length || !at.StartsWith(name)) return false;
        at = Trim(at[name.Length..]);
        if (!at.StartsWith("="u8)) return false;
        at = Trim(at[1..]);
        if (at.IsEmpty || at[0] is not ((byte)'\'' or (byte)'"')) return false;
        int end = at[1..].IndexOf(at[0]);
        if (end < 0) return false;
        value = at.Slice(1, end);
        rest = at[(end + 2)..];
        return true;
    }

    static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> bytes) => bytes.TrimStart(" \t\r\n"u8);

    // XML 1.0 §2.8: a processor of version 1.0 takes any 1.x.
    static bool IsVersion(ReadOnlySpan<byte> version) =>
        version.StartsWith("1."u8) && version.Length > 2 &&
        !version[2..].ContainsAnyExceptInRange((byte)'0', (byte)'9');

    static bool IsEncodingName(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty || !char.IsAsciiLetter((char)name[0])) return false;
        foreach (byte b in name)
            if (!char.IsAsciiLetterOrDigit((char)b) && b is not ((byte)'.' or (byte)'_' or (byte)'-')) return false;
        return true;
    }
}
