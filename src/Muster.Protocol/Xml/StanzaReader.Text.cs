using System.Buffers;
using Muster.Protocol.Stanzas;

namespace Muster.Protocol.Xml;

/// <summary>Character data: text and CDATA sections inside an item, taken as far as it has arrived.</summary>
public sealed partial class StanzaReader
{
    /// <summary>Bytes that are copied together where a character, line end or reference spans two segments of the
    /// input.</summary>
    const int JointBytes = XmlReference.BytesMax * 2;

    XmlTextBuffer _text; // what was read since the last tag
    bool _inCData;

    Step ReadText(ref SequenceReader<byte> bytes)
    {
        while (true)
        {
            int budget = _limits.ItemBytesMax - _itemBytes;
            var span = bytes.UnreadSpan;
            if (span.Length > budget) span = span[..budget];
            var step = TakeText(span, out int taken);
            bytes.Advance(taken);
            _itemBytes += taken;
            int left = span.Length - taken;
            if (step != Step.Starved) return step;
            // The next segment, or too many bytes, is for the caller to see; only what a segment's end cuts in two is
            // not.
            if (left == 0) return Step.Next;
            if (left == budget - taken) return bytes.Remaining > left ? FailTooLarge() : Step.Starved;
            if (left == bytes.Remaining) return Step.Starved;
            step = TakeJoint(ref bytes);
            if (step != Step.Next) return step;
        }
    }

    /// <summary>Takes text of which the beginning stands at the end of a segment.</summary>
    Step TakeJoint(ref SequenceReader<byte> bytes)
    {
        Span<byte> joint = stackalloc byte[JointBytes];
        int budget = _limits.ItemBytesMax - _itemBytes;
        joint = joint[..(int)Math.Min(Math.Min(joint.Length, budget), bytes.Remaining)];
        bytes.TryCopyTo(joint);
        var step = TakeText(joint, out int taken);
        bytes.Advance(taken);
        _itemBytes += taken;
        if (step != Step.Starved || taken > 0) return step == Step.Failed ? step : Step.Next;
        return bytes.Remaining > joint.Length ? FailTooLarge() : Step.Starved;
    }

    /// <summary>Takes as much text as the bytes hold: up to markup, which gives Next, or up to what needs bytes that
    /// are not there, which gives Starved.</summary>
    Step TakeText(ReadOnlySpan<byte> bytes, out int taken)
    {
        taken = 0;
        while (taken < bytes.Length)
        {
            var rest = bytes[taken..];
            int stop = rest.IndexOfAny(_inCData ? XmlCharacters.CDataStops : XmlCharacters.TextStops);
            var run = stop < 0 ? rest[..^XmlCharacters.IncompleteTail(rest)] : rest[..stop];
            if (!run.IsEmpty)
            {
                if (!TakeRun(run, whole: stop >= 0 && rest[stop] == '<')) return FailEncoding();
                taken += run.Length;
            }
            if (stop < 0) return Step.Starved;
            if (rest[stop] == '<' && !_inCData) return Step.Next;
            var step = TakeSpecial(rest[stop..], out int length);
            taken += length;
            if (step != Step.Next) return step;
            if (length == 3 && rest[stop] == ']') return Step.Next; // the end of a CDATA section
        }
        return Step.Starved;
    }

    /// <summary>Takes a run without anything special. False when it is not UTF-8.</summary>
    bool TakeRun(ReadOnlySpan<byte> run, bool whole)
    {
        if (!whole || !_text.IsEmpty) return _text.Append(run);
        // The common case: the text is in one piece, so it needs no buffer.
        if (XmlCharacters.Decode(run) is not { } text) return false;
        AddContent(text);
        return true;
    }

    /// <summary>Takes the byte at which a run ended, with those that belong to it.</summary>
    Step TakeSpecial(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        switch (bytes[0])
        {
            case (byte)'&':
                return TakeReference(bytes, out length);
            case (byte)'\r':
                // XML 1.0 §2.11: CR LF and CR alone are read as LF.
                if (bytes.Length == 1) return Step.Starved;
                length = bytes[1] == '\n' ? 2 : 1;
                _text.Append('\n');
                return Step.Next;
            case (byte)']':
                return TakeBracket(bytes, out length);
            case 0xEF:
                if (bytes.Length < 3 && XmlCharacters.IncompleteTail(bytes) == bytes.Length) return Step.Starved;
                if (bytes.StartsWith("\uFFFE"u8) || bytes.StartsWith("\uFFFF"u8)) break;
                if (bytes.Length < 3 || !_text.Append(bytes[..3])) return FailEncoding();
                length = 3;
                return Step.Next;
        }
        return Fail(StreamError.NotWellFormed, "a character that XML does not have");
    }

    Step TakeBracket(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        bool second = bytes.Length > 1 && bytes[1] == ']', third = second && bytes.Length > 2 && bytes[2] == '>';
        if (third)
        {
            // XML 1.0 §2.4: the end of a CDATA section must not stand in text.
            if (!_inCData) return Fail(StreamError.NotWellFormed, "]]> in text");
            _inCData = false;
            length = 3;
            return Step.Next;
        }
        if (bytes.Length == 1 || (second && bytes.Length == 2)) return Step.Starved;
        length = 1;
        _text.Append(']');
        return Step.Next;
    }

    Step TakeReference(ReadOnlySpan<byte> bytes, out int length)
    {
        switch (XmlReference.Read(bytes, out var character, out length))
        {
            case XmlReferenceKind.Character:
                _text.Append(character);
                return Step.Next;
            case XmlReferenceKind.Incomplete:
                length = 0;
                return Step.Starved;
            case var kind:
                length = 0;
                return Fail(ErrorOf(kind), "bad reference");
        }
    }

    static StreamError ErrorOf(XmlReferenceKind kind) => kind switch
    {
        // RFC 6120 §11.1: none but the predefined entities.
        XmlReferenceKind.Entity => StreamError.RestrictedXml,
        XmlReferenceKind.TooLong => StreamError.PolicyViolation,
        _ => StreamError.NotWellFormed,
    };
}
