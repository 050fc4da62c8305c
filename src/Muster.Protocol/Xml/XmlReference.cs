using System.Text;

namespace Muster.Protocol.Xml;

/// <summary>What <see cref="XmlReference.Read"/> found.</summary>
enum XmlReferenceKind
{
    /// <summary>A character.</summary>
    Character,
    /// <summary>Its end is not there yet.</summary>
    Incomplete,
    /// <summary>No reference, or one to what is no character.</summary>
    Malformed,
    /// <summary>A reference to an entity that XML does not predefine.</summary>
    Entity,
    /// <summary>More leading zeros than anybody needs.</summary>
    TooLong,
}

/// <summary>References to characters and predefined entities (XML 1.0 §4.1, §4.6).</summary>
static class XmlReference
{
    /// <summary>Bound on a reference, from ampersand to semicolon: XML would allow any number of zeros.</summary>
    public const int BytesMax = 64;

    /// <summary>Reads the reference that the bytes begin with.</summary>
    /// <param name="bytes">The ampersand and what follows.</param>
    /// <param name="character">The character it stands for.</param>
    /// <param name="length">Bytes of the reference.</param>
    public static XmlReferenceKind Read(ReadOnlySpan<byte> bytes, out Rune character, out int length)
    {
        character = default;
        length = 0;
        if (bytes.Length > BytesMax) bytes = bytes[..BytesMax];
        var kind = bytes.Length > 1 && bytes[1] == '#'
            ? ReadNumber(bytes, out character, out length)
            : ReadName(bytes, out character, out length);
        return kind == XmlReferenceKind.Incomplete && bytes.Length == BytesMax ? XmlReferenceKind.TooLong : kind;
    }

    static XmlReferenceKind ReadName(ReadOnlySpan<byte> bytes, out Rune character, out int length)
    {
        character = default;
        int end = 1;
        while (end < bytes.Length && (XmlCharacters.IsNameByte(bytes[end]) || bytes[end] == ':')) end++;
        length = end + 1;
        if (end > 1 && !XmlCharacters.IsNameStart(bytes[1]) && bytes[1] != ':') return XmlReferenceKind.Malformed;
        if (end == bytes.Length) return XmlReferenceKind.Incomplete;
        if (bytes[end] != ';' || end == 1) return XmlReferenceKind.Malformed;
        var name = bytes[1..end];
        char found =
            name.SequenceEqual("lt"u8) ? '<' :
            name.SequenceEqual("gt"u8) ? '>' :
            name.SequenceEqual("amp"u8) ? '&' :
            name.SequenceEqual("apos"u8) ? '\'' :
            name.SequenceEqual("quot"u8) ? '"' : '\0';
        character = new Rune(found);
        return found == '\0' ? XmlReferenceKind.Entity : XmlReferenceKind.Character;
    }

    static XmlReferenceKind ReadNumber(ReadOnlySpan<byte> bytes, out Rune character, out int length)
    {
        character = default;
        length = 0;
        if (bytes.Length == 2) return XmlReferenceKind.Incomplete;
        int radix = bytes[2] == 'x' ? 16 : 10;
        int first = radix == 16 ? 3 : 2, value = 0;
        for (int at = first; at < bytes.Length; at++)
        {
            if (bytes[at] == ';' && at > first)
            {
                if (!XmlCharacters.IsCharacter(value)) return XmlReferenceKind.Malformed;
                character = new Rune(value);
                length = at + 1;
                return XmlReferenceKind.Character;
            }
            int digit = DigitOf(bytes[at]);
            if (digit >= radix) return XmlReferenceKind.Malformed;
            value = value * radix + digit;
            if (value > 0x10FFFF) return XmlReferenceKind.Malformed;
        }
        return XmlReferenceKind.Incomplete;
    }

    /// <summary>The value of a decimal or hexadecimal digit; more than any for another byte.</summary>
    static int DigitOf(byte b) => b switch
    {
        >= (byte)'0' and <= (byte)'9' => b - '0',
        >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => b - 'A' + 10,
        _ => int.MaxValue,
    };
}
