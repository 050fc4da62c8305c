using System.Buffers;
using System.Text.Unicode;
using Muster.Protocol.Stanzas;

namespace Muster.Protocol.Xml;

/// <summary>Tags as tokens: where one ends, and what is written in it.</summary>
/// <remarks>
/// A tag that is whole and lies in one piece is read in one pass. Only when that does not work out, its end is looked
/// for first, going on where the call before had to stop: however small the pieces, every byte is looked at a few
/// times.
/// </remarks>
public sealed partial class StanzaReader
{
    /// <summary>An attribute as it stands in a tag: offsets into the tag's bytes.</summary>
    struct RawAttribute
    {
        public int Name;     // where its name begins
        public int Colon;    // where the colon of its name stands; before the name when there is none
        public int NameEnd;
        public int Value;    // where its value begins, after the quote
        public int ValueEnd; // where the closing quote stands
        public bool Plain;   // the value is as written: no references, nothing to normalise
        public bool Declares; // it declares a namespace; known once DeclareNamespaces has looked at it
    }

    enum Scan
    {
        Done,
        Short, // the bytes end before the tag does
        Bad,   // _scanError says why
    }

    static readonly SearchValues<byte> TagStops = SearchValues.Create("<>'\""u8);

    RawAttribute[] _raw = new RawAttribute[4];
    int _rawCount;
    int _colon, _nameEnd;    // of the element's name in the tag that was scanned
    bool _emptyTag;          // it ends in "/>"
    StreamError? _scanError;

    long _scanned;           // bytes of an incomplete token in which its end was looked for
    byte _quote;             // the quote that is open after these, or 0

    void ForgetToken()
    {
        _scanned = 0;
        _quote = 0;
    }

    Step ReadStartTag(ref SequenceReader<byte> bytes)
    {
        var tag = bytes.UnreadSpan;
        int length = 0;
        var scan = _scanned == 0 ? ScanStartTag(tag, out length) : Scan.Short;
        if (scan == Scan.Done && length <= _limits.ItemBytesMax - _itemBytes)
        {
            bytes.Advance(length);
            _itemBytes += length;
        }
        else
        {
            var step = FindTagEnd(ref bytes, quotes: true, out length);
            if (step != Step.Next) return step;
            tag = TakeToken(ref bytes, length);
            if (ScanStartTag(tag, out _) != Scan.Done) return FailTag();
        }
        return OpenElement(tag);
    }

    Step ReadEndTag(ref SequenceReader<byte> bytes)
    {
        if (_depth == 0) return Fail(StreamError.NotWellFormed, "end tag without start tag");
        var span = bytes.UnreadSpan;
        var name = OpenName;
        int length = name.Length + 3;
        bool usual = span.Length >= length && span[length - 1] == '>' && span.Slice(2, name.Length).SequenceEqual(name);
        if (usual && length <= _limits.ItemBytesMax - _itemBytes)
        {
            ForgetToken();
            bytes.Advance(length);
            _itemBytes += length;
            return CloseElement();
        }
        var step = FindTagEnd(ref bytes, quotes: false, out length);
        if (step != Step.Next) return step;
        var tag = TakeToken(ref bytes, length);
        if (!tag[2..].StartsWith(name) || tag[(2 + name.Length)..^1].ContainsAnyExcept(" \t\r\n"u8))
            return Fail(StreamError.NotWellFormed, "end tag of another element");
        return CloseElement();
    }

    /// <summary>Finds the end of a tag, of which the first byte is the next one.</summary>
    /// <param name="bytes">The input.</param>
    /// <param name="quotes">Whether what stands in quotes is passed over.</param>
    /// <param name="length">Bytes of the tag; not more than the item may still have.</param>
    Step FindTagEnd(ref SequenceReader<byte> bytes, bool quotes, out int length)
    {
        length = 0;
        int budget = _limits.ItemBytesMax - _itemBytes;
        long available = Math.Min(bytes.Remaining, budget);
        if (_scanned == 0) _scanned = 1;
        long left = Math.Max(0, available - _scanned);
        foreach (var segment in bytes.UnreadSequence.Slice(Math.Min(_scanned, available), left))
        {
            var span = segment.Span;
            for (int at = 0; at < span.Length; at++)
            {
                var rest = span[at..];
                int stop = _quote == 0 ? rest.IndexOfAny(TagStops) : rest.IndexOfAny(_quote, (byte)'<');
                if (stop < 0) break;
                at += stop;
                // XML 1.0 §3.1: not even a value may hold one. A forgotten ">" is found at once.
                if (span[at] == '<') return Fail(StreamError.NotWellFormed, "< in a tag");
                if (span[at] == '>')
                {
                    length = (int)_scanned + at + 1;
                    ForgetToken();
                    return Step.Next;
                }
                if (quotes) _quote = _quote == 0 ? span[at] : (byte)0;
            }
            _scanned += span.Length;
        }
        return bytes.Remaining > budget ? FailTooLarge() : Step.Starved;
    }

    /// <summary>Takes a token whose length is known, in one piece.</summary>
    ReadOnlySpan<byte> TakeToken(scoped ref SequenceReader<byte> bytes, int length)
    {
        var token = bytes.UnreadSpan;
        token = token.Length >= length ? token[..length] : bytes.UnreadSequence.Slice(0, length).ToArray();
        bytes.Advance(length);
        _itemBytes += length;
        return token;
    }

    /// <summary>Reads a start tag without acting on it: its syntax, and where its parts stand.</summary>
    /// <param name="tag">Bytes that begin with the tag.</param>
    /// <param name="length">Bytes of the tag, when the result is Done.</param>
    Scan ScanStartTag(ReadOnlySpan<byte> tag, out int length)
    {
        length = 0;
        _rawCount = 0;
        int at = 1;
        var scan = ScanName(tag, ref at, out _colon);
        _nameEnd = at;
        while (scan == Scan.Done)
        {
            int end = at;
            if (!SkipWhiteSpace(tag, ref at)) return Scan.Short;
            _emptyTag = tag[at] == '/';
            if (_emptyTag && ++at == tag.Length) return Scan.Short;
            if (tag[at] == '>')
            {
                length = at + 1;
                return Scan.Done;
            }
            if (_emptyTag || at == end) return Bad(StreamError.NotWellFormed);
            scan = ScanAttribute(tag, ref at);
        }
        return scan;
    }

    Scan ScanAttribute(ReadOnlySpan<byte> tag, ref int at)
    {
        if (_rawCount >= _limits.AttributesMax) return Bad(StreamError.PolicyViolation);
        if (_rawCount == _raw.Length) Array.Resize(ref _raw, _rawCount * 2);
        ref var raw = ref _raw[_rawCount];
        raw.Name = at;
        var scan = ScanName(tag, ref at, out raw.Colon);
        if (scan != Scan.Done) return scan;
        raw.NameEnd = at;
        if (!SkipWhiteSpace(tag, ref at)) return Scan.Short;
        if (tag[at++] != '=') return Bad(StreamError.NotWellFormed);
        if (!SkipWhiteSpace(tag, ref at)) return Scan.Short;
        byte quote = tag[at++];
        if (quote is not ((byte)'\'' or (byte)'"')) return Bad(StreamError.NotWellFormed);
        raw.Value = at;
        var rest = tag[at..];
        int stop = rest.IndexOfAny(quote == '\'' ? XmlCharacters.SingleQuotedStops : XmlCharacters.DoubleQuotedStops);
        if (stop < 0) return Scan.Short;
        raw.Plain = rest[stop] == quote;
        if (!raw.Plain)
        {
            stop = rest.IndexOfAny(quote, (byte)'<');
            if (stop < 0) return Scan.Short;
            if (rest[stop] == '<') return Bad(StreamError.NotWellFormed);
        }
        raw.ValueEnd = at + stop;
        at = raw.ValueEnd + 1;
        _rawCount++;
        return Scan.Done;
    }

    /// <summary>Reads a name with or without a prefix (Namespaces in XML 1.0 §4 QName).</summary>
    Scan ScanName(ReadOnlySpan<byte> tag, ref int at, out int colon)
    {
        int start = at;
        int bits = 0;
        colon = start - 1;
        for (; at < tag.Length; at++)
        {
            byte b = tag[at];
            bits |= b;
            if (XmlCharacters.IsNameByte(b)) continue;
            if (b != ':') break;
            if (colon >= start) return Bad(StreamError.NotWellFormed);
            colon = at;
        }
        if (at == tag.Length) return Scan.Short;
        if (at - start > _limits.NameBytesMax) return Bad(StreamError.PolicyViolation);
        // Where a part is empty, what ends the name stands in its place and cannot begin one.
        if (!XmlCharacters.IsNameStart(tag[start]) || !XmlCharacters.IsNameStart(tag[colon + 1]))
            return Bad(StreamError.NotWellFormed);
        if (bits < 0x80) return Scan.Done;
        if (!Utf8.IsValid(tag[start..at])) return Bad(StreamError.UnsupportedEncoding);
        bool good = XmlCharacters.IsName(tag[(colon + 1)..at]);
        if (colon > start) good &= XmlCharacters.IsName(tag[start..colon]);
        return good ? Scan.Done : Bad(StreamError.NotWellFormed);
    }

    /// <summary>False when there is nothing but white space.</summary>
    static bool SkipWhiteSpace(ReadOnlySpan<byte> tag, ref int at)
    {
        while (at < tag.Length && XmlCharacters.IsWhiteSpace(tag[at])) at++;
        return at < tag.Length;
    }

    Scan Bad(StreamError error)
    {
        _scanError = error;
        return Scan.Bad;
    }

    Step FailTag() => Fail(_scanError ?? StreamError.NotWellFormed, "in a start tag");
}
