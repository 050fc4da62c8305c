using System.Buffers;
using System.Text;
using Muster.Protocol.Stanzas;

namespace Muster.Protocol.Xml;

/// <summary>How the elements of a connection are wrapped.</summary>
public enum StanzaReaderMode
{
    /// <summary>One root element, whose children are the items (RFC 6120 §4.2).</summary>
    Stream,
    /// <summary>Every item is a document of its own: the frames of a WebSocket (RFC 7395 §3.3).</summary>
    Document,
}

/// <summary>
/// Reads a stream of XML incrementally: bytes in whatever pieces they arrive, one item per call. Own code, because no
/// library gives the exact end of an item, as STARTTLS and stream restarts need, or refuses what RFC 6120 §11.1 does.
/// </summary>
/// <remarks>
/// A token (a tag, a run of text, a reference) is taken as soon as it is complete and never later, so nothing but an
/// incomplete token stays in the caller's buffer, and what is wrong is found when the token that makes it wrong is
/// whole. The outcome does not depend on how the bytes were cut. Not for use by two threads at once.
/// </remarks>
public sealed partial class StanzaReader
{
    enum Stage
    {
        Start,      // nothing read yet: a byte order mark and an XML declaration may come
        Between,    // in Document mode after white space: only an item may come
        Prolog,     // before the root's, or in Document mode the item's, start tag
        Items,      // the root is open
        EmptyRoot,  // the root was an empty element: its end is due
        Ended,      // closed or broken
    }

    /// <summary>How a step of reading ends.</summary>
    enum Step
    {
        Next,       // a token was taken, more may follow
        Starved,    // the next token is incomplete
        Item,       // _item is ready
        Failed,     // _item is an error
    }

    XmlLimits _limits;
    readonly StanzaReaderMode _mode;
    readonly XmlPrefixes _prefixes = new();

    Stage _stage;
    XmlItem _item;
    int _itemBytes; // taken of the current item, or of what precedes the root

    /// <summary>Makes a reader at the start of a stream.</summary>
    public StanzaReader(XmlLimits limits, StanzaReaderMode mode = StanzaReaderMode.Stream)
    {
        _limits = limits;
        _mode = mode;
    }

    /// <summary>Other bounds for what comes next on the same stream: a client that has logged in without a new one
    /// (XEP-0388) may send more. To be set between two items.</summary>
    public XmlLimits Limits
    {
        set => _limits = value;
    }

    /// <summary>
    /// Starts afresh, for the new stream that follows TLS or SASL on the same connection (RFC 6120 §4.3.3, §6.4.6):
    /// nothing of the old stream is kept. Bytes of it that were not consumed are the caller's to drop or to keep.
    /// </summary>
    public void Reset()
    {
        _stage = Stage.Start;
        _item = default;
        _itemBytes = 0;
        _inCData = false;
        ForgetToken();
        ForgetElements();
    }

    /// <summary>Reads one item.</summary>
    /// <param name="input">The bytes that were not consumed by the call before, and what has arrived since.</param>
    /// <param name="consumed">Where reading goes on. After an item that is exactly its end. Without an item, all
    /// complete tokens are consumed, and the rest has been examined: call again when there is more. After an error it
    /// has no meaning.</param>
    /// <param name="item">The item, when there is one.</param>
    /// <returns>False when more input is needed, and always after an item of kind StreamClose or Error.</returns>
    public bool TryRead(in ReadOnlySequence<byte> input, out SequencePosition consumed, out XmlItem item)
    {
        var bytes = new SequenceReader<byte>(input);
        var step = _stage switch
        {
            Stage.Ended => Step.Starved,
            Stage.EmptyRoot => CloseStream(),
            _ => Step.Next,
        };
        while (step == Step.Next) step = bytes.End ? Step.Starved : ReadToken(ref bytes);
        consumed = bytes.Position;
        if (step == Step.Starved)
        {
            item = default;
            return false;
        }
        item = _item;
        _item = default;
        return true;
    }

    Step ReadToken(ref SequenceReader<byte> bytes)
    {
        byte first = bytes.UnreadSpan[0];
        if (InsideItem)
        {
            if (_itemBytes >= _limits.ItemBytesMax) return FailTooLarge();
            return _inCData || first != '<' ? ReadText(ref bytes) : ReadMarkup(ref bytes);
        }
        if (_stage == Stage.Start && TryReadByteOrderMark(ref bytes, out var step)) return step;
        if (XmlCharacters.IsWhiteSpace(first)) return ReadGap(ref bytes);
        return first == '<' ? ReadMarkup(ref bytes) : FailStray(ref bytes);
    }

    /// <summary>Reads white space outside of items.</summary>
    Step ReadGap(ref SequenceReader<byte> bytes)
    {
        int count = (int)bytes.AdvancePastAny(" \t\r\n"u8);
        if (_mode == StanzaReaderMode.Document && _stage == Stage.Start) _stage = Stage.Between;
        if (_stage is Stage.Items or Stage.Between) return Deliver(new XmlItem(XmlItemKind.Whitespace));
        // Between the declaration and the root white space means nothing, but it is not for free.
        _stage = Stage.Prolog;
        return Charge(count) ? Step.Next : FailTooLarge();
    }

    /// <summary>Reads what begins with an angle bracket.</summary>
    Step ReadMarkup(ref SequenceReader<byte> bytes)
    {
        var span = bytes.UnreadSpan;
        byte second;
        if (span.Length > 1) second = span[1];
        else if (!bytes.TryPeek(1, out second)) return Step.Starved;
        return second switch
        {
            (byte)'/' => ReadEndTag(ref bytes),
            (byte)'!' => ReadDeclaration(ref bytes),
            (byte)'?' => ReadInstruction(ref bytes),
            _ => ReadStartTag(ref bytes),
        };
    }

    /// <summary>Reads what begins with an exclamation mark: a CDATA section, or what RFC 6120 §11.1 forbids.</summary>
    Step ReadDeclaration(ref SequenceReader<byte> bytes)
    {
        Span<byte> start = stackalloc byte[9];
        start = start[..(int)Math.Min(start.Length, bytes.Remaining)];
        bytes.TryCopyTo(start);
        if (start.StartsWith("<!--"u8)) return Fail(StreamError.RestrictedXml, "comment");
        if (start.SequenceEqual("<!DOCTYPE"u8)) return Fail(StreamError.RestrictedXml, "document type declaration");
        if (start.SequenceEqual("<![CDATA["u8))
        {
            if (!InsideItem) return FailStray(ref bytes);
            bytes.Advance(start.Length);
            ReopenText();
            _inCData = true;
            return Charge(start.Length) ? Step.Next : FailTooLarge();
        }
        bool open = "<!--"u8.StartsWith(start) || "<!DOCTYPE"u8.StartsWith(start) || "<![CDATA["u8.StartsWith(start);
        return open ? Step.Starved : Fail(StreamError.NotWellFormed, "markup that does not exist");
    }

    /// <summary>Reads what begins with a question mark: the XML declaration, at the very start alone.</summary>
    Step ReadInstruction(ref SequenceReader<byte> bytes)
    {
        // RFC 6120 §11.1: no processing instructions. An XML declaration anywhere but at the very start is one.
        if (_stage != Stage.Start || InsideItem) return Fail(StreamError.RestrictedXml, "processing instruction");
        Span<byte> start = stackalloc byte[6];
        start = start[..(int)Math.Min(start.Length, bytes.Remaining)];
        bytes.TryCopyTo(start);
        bool other = !start.StartsWith("<?xml"u8[..Math.Min(start.Length, 5)]);
        if (other || (start.Length == 6 && XmlCharacters.IsNameByte(start[5])))
            return Fail(StreamError.RestrictedXml, "processing instruction");
        if (start.Length < 6) return Step.Starved;
        if (!XmlCharacters.IsWhiteSpace(start[5])) return Fail(StreamError.NotWellFormed, "XML declaration");
        if (FindTagEnd(ref bytes, quotes: false, out int length) is var step and not Step.Next) return step;
        var token = TakeToken(ref bytes, length);
        if (XmlDeclaration.Check(token) is { } error) return Fail(error, "XML declaration");
        _stage = Stage.Prolog;
        return Step.Next;
    }

    /// <summary>Looks at the first bytes of a stream. A byte order mark of UTF-8 is passed over.</summary>
    /// <returns>True when that settles this step.</returns>
    bool TryReadByteOrderMark(ref SequenceReader<byte> bytes, out Step step)
    {
        step = Step.Starved;
        byte first = bytes.UnreadSpan[0];
        if (first == 0xEF && _itemBytes == 0)
        {
            Span<byte> start = stackalloc byte[3];
            start = start[..(int)Math.Min(start.Length, bytes.Remaining)];
            bytes.TryCopyTo(start);
            if (!"\uFEFF"u8.StartsWith(start)) return false;
            if (start.Length < 3) return true;
            bytes.Advance(3);
            step = Charge(3) ? Step.Next : FailTooLarge();
            return true;
        }
        // XML 1.0 Appendix F.1: UTF-16 and UTF-32 with or without a mark. The bytes FE and FF are none of UTF-8 anyway.
        bool foreign = first is 0 or 0xFE or 0xFF || (first == '<' && bytes.TryPeek(1, out byte second) && second == 0);
        if (foreign) step = Fail(StreamError.UnsupportedEncoding, "the encoding is UTF-8");
        return foreign;
    }

    /// <summary>Refuses what stands outside of items and is no white space.</summary>
    Step FailStray(ref SequenceReader<byte> bytes)
    {
        Span<byte> start = stackalloc byte[4];
        start = start[..(int)Math.Min(start.Length, bytes.Remaining)];
        bytes.TryCopyTo(start);
        var status = Rune.DecodeFromUtf8(start, out var character, out _);
        if (status == OperationStatus.NeedMoreData) return Step.Starved;
        if (status == OperationStatus.InvalidData) return FailEncoding();
        // XML 1.0 §2.1: text outside of the root element. Inside the root it is well-formed but nothing that a stream
        // can hold, which RFC 6120 §11.7 allows white space alone: §4.9.3.1 bad-format, as no other condition names it.
        bool wellFormed = _stage == Stage.Items && XmlCharacters.IsCharacter(character.Value);
        return Fail(wellFormed ? StreamError.BadFormat : StreamError.NotWellFormed, "text outside of stanzas");
    }

    Step Deliver(in XmlItem item)
    {
        _item = item;
        _itemBytes = 0;
        return Step.Item;
    }

    Step CloseStream()
    {
        _stage = Stage.Ended;
        return Deliver(new XmlItem(XmlItemKind.StreamClose));
    }

    Step Fail(StreamError error, string text)
    {
        _stage = Stage.Ended;
        ForgetElements();
        _item = new XmlItem(XmlItemKind.Error, Error: error.WithText(text));
        return Step.Failed;
    }

    // RFC 6120 §4.9.3.14, §13.12.
    Step FailTooLarge() => Fail(StreamError.PolicyViolation, "too many bytes in one stanza");

    // RFC 6120 §4.9.3.22 counts breaking the rules of UTF-8 as an encoding that is not supported, more precisely than
    // §4.9.3.13 (not-well-formed) does.
    Step FailEncoding() => Fail(StreamError.UnsupportedEncoding, "not UTF-8");

    /// <summary>Counts bytes that were taken. False when the item has too many.</summary>
    bool Charge(int count)
    {
        _itemBytes += count;
        return _itemBytes <= _limits.ItemBytesMax;
    }
}
