using System.Buffers;
using System.Text.Unicode;

namespace Muster.Protocol.Xml;

/// <summary>
/// Puts characters as UTF-8 straight into the free space of a buffer writer, escaping what XML reserves. Its owner ends
/// with <see cref="Flush"/>; until then the last bytes are not yet part of the buffer.
/// </summary>
ref struct Utf8Output(IBufferWriter<byte> output)
{
    const int ChunkBytes = 256;

    // XML 1.0 §2.2: the C0 controls but TAB, LF and CR are no characters of XML, nor are U+FFFE and U+FFFF. Lone
    // surrogates need no place here: the transcoder replaces them. A written CR would be read as LF (§2.11), and TAB
    // and LF in an attribute as a space (§3.3.3), so these go as character references.
    const string NoCharacters =
        "\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\u0008\u000B\u000C\u000E\u000F\u0010\u0011\u0012\u0013" +
        "\u0014\u0015\u0016\u0017\u0018\u0019\u001A\u001B\u001C\u001D\u001E\u001F\uFFFE\uFFFF";
    static readonly SearchValues<char> InText = SearchValues.Create("<>&\r" + NoCharacters);
    static readonly SearchValues<char> InAttribute = SearchValues.Create("<>&'\r\n\t" + NoCharacters);

    Span<byte> _free;
    int _used;

    /// <summary>Writes bytes as they are: markup.</summary>
    public void Raw(scoped ReadOnlySpan<byte> bytes)
    {
        var room = _free[_used..];
        if (bytes.Length <= room.Length)
        {
            bytes.CopyTo(room);
            _used += bytes.Length;
        }
        else
        {
            RawInPieces(bytes);
        }
    }

    void RawInPieces(scoped ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_used == _free.Length) Renew();
            int count = Math.Min(bytes.Length, _free.Length - _used);
            bytes[..count].CopyTo(_free[_used..]);
            _used += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>Writes a name, trusted to be one: it came out of the reader or stands in the program.</summary>
    public void Name(string name) => Transcode(name);

    /// <summary>Writes character data.</summary>
    public void Text(ReadOnlySpan<char> text) => Escaped(text, InText);

    /// <summary>Writes an attribute's value, to stand between single quotes.</summary>
    public void Value(ReadOnlySpan<char> value) => Escaped(value, InAttribute);

    /// <summary>Writes an attribute, given all that stands before its value: <c> id='</c>.</summary>
    public void Attribute(scoped ReadOnlySpan<byte> opening, ReadOnlySpan<char> value)
    {
        Raw(opening);
        Value(value);
        Raw("'"u8);
    }

    /// <summary>Hands everything written so far to the buffer.</summary>
    public void Flush()
    {
        if (_used > 0) output.Advance(_used);
        _free = default;
        _used = 0;
    }

    void Escaped(ReadOnlySpan<char> text, SearchValues<char> reserved)
    {
        while (true)
        {
            int at = text.IndexOfAny(reserved);
            if (at < 0) break;
            Transcode(text[..at]);
            Raw(text[at] switch
            {
                '<' => "&lt;"u8,
                '>' => "&gt;"u8,
                '&' => "&amp;"u8,
                '\'' => "&apos;"u8,
                '\t' => "&#9;"u8,
                '\n' => "&#10;"u8,
                '\r' => "&#13;"u8,
                _ => "\uFFFD"u8, // what cannot be written in XML at all, not even as a reference
            });
            text = text[(at + 1)..];
        }
        Transcode(text);
    }

    void Transcode(ReadOnlySpan<char> text)
    {
        while (true)
        {
            Utf8.FromUtf16(text, _free[_used..], out int read, out int written, replaceInvalidSequences: true);
            _used += written;
            text = text[read..];
            if (text.IsEmpty) return;
            Renew();
        }
    }

    /// <summary>Goes on in new space.</summary>
    void Renew()
    {
        Flush();
        _free = output.GetSpan(ChunkBytes);
    }
}
