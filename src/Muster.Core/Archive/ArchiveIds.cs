using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;

namespace Muster.Core.Archive;

/// <summary>
/// How ids of archived messages are written. Inside they are numbers that grow with time. What users see must be
/// unpredictable and tell nothing, as how much is said elsewhere (XEP-0359 §4, §6): so a secret permutation of all
/// 64-bit numbers, undone when an id comes back, is applied on the way out.
/// </summary>
/// <remarks>The permutation is the block cipher Speck64/128 (Beaulieu et al., 2013): small, and fast enough for each
/// message of a room. An id that was guessed is in no archive but by one in a quintillion.</remarks>
public sealed class ArchiveIds
{
    /// <summary>Bytes of a key.</summary>
    public const int KeyBytes = 16;
    const int Rounds = 27, Digits = 16;

    /// <summary>Numbers as they are: for rooms that nobody outside sees.</summary>
    public static ArchiveIds Plain { get; } = new();

    readonly uint[]? _rounds;

    ArchiveIds() { }

    /// <summary>Makes the permutation of a key.</summary>
    /// <param name="key"><see cref="KeyBytes"/> of chance. With another one all ids are others.</param>
    public ArchiveIds(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeyBytes) throw new ArgumentException($"{KeyBytes} bytes", nameof(key));
        _rounds = new uint[Rounds];
        uint k = BinaryPrimitives.ReadUInt32LittleEndian(key);
        Span<uint> words = stackalloc uint[3];
        for (int i = 0; i < words.Length; i++) words[i] = BinaryPrimitives.ReadUInt32LittleEndian(key[(4 + 4 * i)..]);
        for (int i = 0; i < Rounds; i++)
        {
            _rounds[i] = k;
            ref uint word = ref words[i % words.Length];
            word = (k + BitOperations.RotateRight(word, 8)) ^ (uint)i;
            k = BitOperations.RotateLeft(k, 3) ^ word;
        }
    }

    /// <summary>An id as users see it.</summary>
    public string ToText(long id) => _rounds is null
        ? id.ToString(CultureInfo.InvariantCulture)
        : string.Create(Digits, Encrypt((ulong)id),
            static (text, value) => value.TryFormat(text, out _, "x16", CultureInfo.InvariantCulture));

    /// <summary>Reads an id as it was written. Another way to write the same number is another id.</summary>
    public bool TryRead([NotNullWhen(true)] string? text, out long id)
    {
        id = 0;
        if (text is null) return false;
        if (_rounds is null)
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id) && id > 0
                && text[0] != '0';
        if (text.Length != Digits || text.AsSpan().ContainsAnyInRange('A', 'F')
            || !ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong value))
            return false;
        id = (long)Decrypt(value);
        return id > 0;
    }

    ulong Encrypt(ulong block)
    {
        uint x = (uint)(block >> 32), y = (uint)block;
        foreach (uint round in _rounds!)
        {
            x = (BitOperations.RotateRight(x, 8) + y) ^ round;
            y = BitOperations.RotateLeft(y, 3) ^ x;
        }
        return ((ulong)x << 32) | y;
    }

    ulong Decrypt(ulong block)
    {
        uint x = (uint)(block >> 32), y = (uint)block;
        for (int i = Rounds - 1; i >= 0; i--)
        {
            y = BitOperations.RotateRight(y ^ x, 3);
            x = BitOperations.RotateLeft((x ^ _rounds![i]) - y, 8);
        }
        return ((ulong)x << 32) | y;
    }
}
