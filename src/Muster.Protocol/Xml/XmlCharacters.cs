using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Muster.Protocol.Xml;

/// <summary>The characters of XML 1.0 as bytes of UTF-8: which may stand where, and how they become strings.</summary>
static class XmlCharacters
{
    const byte NameStart = 1, NameByte = 2, WhiteSpace = 4;

    // XML 1.0 §2.2: no C0 control but TAB, LF, CR is a character. 0xEF opens U+FFFE and U+FFFF, which are none either.
    const string ControlCodes =
        "\0\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u000B\u000C\u000E\u000F\u0010\u0011\u0012\u0013\u0014" +
        "\u0015\u0016\u0017\u0018\u0019\u001A\u001B\u001C\u001D\u001E\u001F\u00EF";

    /// <summary>Bytes at which a run of plain text ends.</summary>
    public static readonly SearchValues<byte> TextStops = Bytes("<&]\r" + ControlCodes);
    /// <summary>Bytes at which a run of plain text in a CDATA section ends.</summary>
    public static readonly SearchValues<byte> CDataStops = Bytes("]\r" + ControlCodes);
    /// <summary>Bytes at which a plain run in a value between single quotes ends.</summary>
    public static readonly SearchValues<byte> SingleQuotedStops = Bytes("'<&\r\n\t" + ControlCodes);
    /// <summary>Bytes at which a plain run in a value between double quotes ends.</summary>
    public static readonly SearchValues<byte> DoubleQuotedStops = Bytes("\"<&\r\n\t" + ControlCodes);

    static readonly byte[] Classes = MakeClasses();

    /// <summary>XML 1.0 §2.3 S.</summary>
    public static bool IsWhiteSpace(byte b) => (Classes[b] & WhiteSpace) != 0;

    /// <summary>Whether a name may begin with a character that begins with this byte; beyond ASCII, <see
    /// cref="IsName"/> has the last word.</summary>
    public static bool IsNameStart(byte b) => (Classes[b] & NameStart) != 0;

    /// <summary>Whether the byte can be part of a name, the colon left out; beyond ASCII, <see cref="IsName"/> has the
    /// last word.</summary>
    public static bool IsNameByte(byte b) => (Classes[b] & NameByte) != 0;

    /// <summary>Whether a name that holds bytes beyond ASCII is UTF-8 and a name (XML 1.0 §2.3).</summary>
    public static bool IsName(ReadOnlySpan<byte> name)
    {
        for (bool first = true; !name.IsEmpty; first = false)
        {
            if (Rune.DecodeFromUtf8(name, out var rune, out int length) != OperationStatus.Done) return false;
            if (!(rune.IsAscii ? IsNameByte(name[0]) : IsNameRune(rune.Value))) return false;
            if (first && !(rune.IsAscii ? IsNameStart(name[0]) : IsNameStartRune(rune.Value))) return false;
            name = name[length..];
        }
        return true;
    }

    /// <summary>The string of the given bytes, or null when they are not UTF-8.</summary>
    public static string? Decode(ReadOnlySpan<byte> bytes)
    {
        if (Ascii.IsValid(bytes)) return Encoding.Latin1.GetString(bytes);
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : null;
    }

    /// <summary>How many bytes at the end are the beginning of a character of which the rest is missing.</summary>
    public static int IncompleteTail(ReadOnlySpan<byte> bytes)
    {
        for (int length = 1; length <= 3 && length <= bytes.Length; length++)
        {
            byte b = bytes[^length];
            if (b < 0x80) return 0;
            if (b < 0xC0) continue;
            int whole = b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
            return whole > length ? length : 0;
        }
        return 0;
    }

    /// <summary>Whether a character reference may name this code point (XML 1.0 §2.2 Char).</summary>
    public static bool IsCharacter(int codePoint) => codePoint switch
    {
        < 0x20 => codePoint is '\t' or '\n' or '\r',
        <= 0xD7FF => true,
        < 0xE000 => false,
        <= 0xFFFD => true,
        _ => codePoint is >= 0x10000 and <= 0x10FFFF,
    };

    static bool IsNameStartRune(int c) => c is
        (>= 0xC0 and <= 0xD6) or (>= 0xD8 and <= 0xF6) or (>= 0xF8 and <= 0x2FF) or (>= 0x370 and <= 0x37D) or
        (>= 0x37F and <= 0x1FFF) or (>= 0x200C and <= 0x200D) or (>= 0x2070 and <= 0x218F) or
        (>= 0x2C00 and <= 0x2FEF) or (>= 0x3001 and <= 0xD7FF) or (>= 0xF900 and <= 0xFDCF) or
        (>= 0xFDF0 and <= 0xFFFD) or (>= 0x10000 and <= 0xEFFFF);

    static bool IsNameRune(int c) =>
        IsNameStartRune(c) || c is 0xB7 or (>= 0x300 and <= 0x36F) or (>= 0x203F and <= 0x2040);

    static SearchValues<byte> Bytes(string codes) => SearchValues.Create(Encoding.Latin1.GetBytes(codes));

    static byte[] MakeClasses()
    {
        var classes = new byte[256];
        for (int b = 0; b < 256; b++)
        {
            char c = (char)b;
            if (b >= 0x80 || char.IsAsciiLetter(c) || c == '_') classes[b] = NameStart | NameByte;
            else if (char.IsAsciiDigit(c) || c is '-' or '.') classes[b] = NameByte;
            else if (c is ' ' or '\t' or '\r' or '\n') classes[b] = WhiteSpace;
        }
        return classes;
    }
}
