namespace Muster.Bench;

/// <summary>
/// Finds where stanzas end in a stream of bytes, and nothing else: the load generator has a core of its own and must
/// not be what is measured. It trusts the server to send well-formed XML without comments and CDATA sections, as all
/// XMPP servers do.
/// </summary>
sealed class StanzaScanner
{
    const byte Open = (byte)'<', Close = (byte)'>', Slash = (byte)'/';

    int _depth;
    bool _isInTag;
    byte _quote;        // the quotation mark that is open inside a tag, or 0
    byte _first;        // the first byte after '<'
    byte _previous;     // the byte before the one looked at, inside a tag
    int _position;      // in the bytes given last, when they did not hold the end of a stanza

    /// <summary>A new stream begins (after TLS or SASL, RFC 6120 §4.3.3).</summary>
    public void Reset()
    {
        _depth = 0;
        _isInTag = false;
        _quote = 0;
        _position = 0;
    }

    /// <summary>Looks for the end of the next stanza.</summary>
    /// <param name="bytes">What has come and was not taken yet. When no end is found, the next call must give the same
    /// bytes again with more behind them.</param>
    /// <param name="length">Bytes that belong to the stanza, with what stood before it.</param>
    public bool TryFind(ReadOnlySpan<byte> bytes, out int length)
    {
        int at = _position;
        while (at < bytes.Length)
        {
            if (!_isInTag)
            {
                int open = bytes[at..].IndexOf(Open);
                if (open < 0) break;
                at += open + 1;
                _isInTag = true;
                _first = _previous = 0;
                continue;
            }
            if (_first == 0) _first = bytes[at];
            if (_quote != 0)
            {
                int end = bytes[at..].IndexOf(_quote);
                if (end < 0) break;
                at += end + 1;
                _quote = 0;
                _previous = 0;
                continue;
            }
            int mark = bytes[at..].IndexOfAny((byte)'\'', (byte)'"', Close);
            if (mark < 0)
            {
                _previous = bytes[^1];
                at = bytes.Length;
                break;
            }
            if (mark > 0) _previous = bytes[at + mark - 1];
            at += mark + 1;
            if (bytes[at - 1] != Close)
            {
                _quote = bytes[at - 1];
                continue;
            }
            _isInTag = false;
            if (_first is (byte)'?' or (byte)'!') continue;
            if (_first == Slash) _depth--;
            else if (_previous != Slash) _depth++;
            bool isStart = _first != Slash && _previous != Slash;
            if (_depth <= 1 && !isStart)
            {
                _position = 0;
                length = at;
                return true;
            }
        }
        _position = _isInTag || at > bytes.Length ? Math.Min(at, bytes.Length) : bytes.Length;
        length = 0;
        return false;
    }
}
