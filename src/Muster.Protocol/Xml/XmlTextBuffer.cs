using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;

namespace Muster.Protocol.Xml;

/// <summary>Text that arrives in pieces: runs of bytes, resolved references, normalised line ends. Holds memory only
/// while there is text, as most connections are idle, and there are many.</summary>
struct XmlTextBuffer
{
    const int FirstLength = 256;

    char[]? _chars; // rented
    int _length;

    /// <summary>True when there is no text.</summary>
    public readonly bool IsEmpty => _length == 0;

    /// <summary>Adds a run of UTF-8. False when it is not UTF-8.</summary>
    public bool Append(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        var free = _chars.AsSpan(_length);
        var status = Utf8.ToUtf16(bytes, free, out _, out int written, replaceInvalidSequences: false);
        _length += written;
        return status == OperationStatus.Done;
    }

    /// <summary>Adds text.</summary>
    public void Append(string text)
    {
        Reserve(text.Length);
        text.CopyTo(_chars.AsSpan(_length));
        _length += text.Length;
    }

    /// <summary>Adds a character.</summary>
    public void Append(char character)
    {
        Reserve(1);
        _chars[_length++] = character;
    }

    /// <summary>Adds a character.</summary>
    public void Append(Rune character)
    {
        Reserve(2);
        _length += character.EncodeToUtf16(_chars.AsSpan(_length));
    }

    /// <summary>Hands out the text and is empty afterwards.</summary>
    public string Take()
    {
        var text = new string(_chars.AsSpan(0, _length));
        Clear();
        return text;
    }

    /// <summary>Forgets the text.</summary>
    public void Clear()
    {
        if (_chars is not null) ArrayPool<char>.Shared.Return(_chars);
        _chars = null;
        _length = 0;
    }

    [MemberNotNull(nameof(_chars))]
    void Reserve(int count)
    {
        if (_chars is not null && _chars.Length - _length >= count) return;
        var larger = ArrayPool<char>.Shared.Rent(Math.Max(FirstLength, Math.Max(_length * 2, _length + count)));
        if (_chars is not null)
        {
            _chars.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<char>.Shared.Return(_chars);
        }
        _chars = larger;
    }
}
