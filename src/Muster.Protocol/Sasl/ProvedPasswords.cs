using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Muster.Protocol.Sasl;

/// <summary>
/// Which passwords PLAIN has proved against which keys since the server's start, so that a client that logs in again
/// does not cost PBKDF2 again: milliseconds of processor time become microseconds.
/// </summary>
/// <remarks>
/// What is remembered is half of an HMAC of the stored key and the password, under a key that only this server knows:
/// a new password makes it worthless, a wrong one was never in it, and who reads the server's memory (where each
/// password of PLAIN is for a moment) must know both to guess. Thread-safe.
/// </remarks>
/// <param name="key">Random bytes that only this server knows.</param>
/// <param name="max">How many are remembered; the oldest is forgotten for the next.</param>
public sealed class ProvedPasswords(ReadOnlyMemory<byte> key, int max)
{
    readonly Lock _lock = new();
    readonly HashSet<UInt128> _marks = [];
    readonly Queue<UInt128> _oldest = new();

    /// <summary>How many are remembered.</summary>
    public int Count { get { lock (_lock) return _oldest.Count; } }

    /// <summary>What stands for a password and the key that it must match.</summary>
    internal UInt128 MarkOf(ReadOnlySpan<byte> storedKey, ReadOnlySpan<byte> password)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key.Span);
        hmac.AppendData(storedKey); // of one size for each mechanism: no two pairs have the same bytes
        hmac.AppendData(password);
        Span<byte> full = stackalloc byte[HMACSHA256.HashSizeInBytes];
        hmac.GetHashAndReset(full);
        return MemoryMarshal.Read<UInt128>(full);
    }

    /// <summary>Whether it was proved before.</summary>
    internal bool Has(UInt128 mark)
    {
        lock (_lock) return _marks.Contains(mark);
    }

    /// <summary>It has been proved.</summary>
    internal void Add(UInt128 mark)
    {
        lock (_lock)
        {
            if (max <= 0 || !_marks.Add(mark)) return;
            if (_oldest.Count >= max) _marks.Remove(_oldest.Dequeue());
            _oldest.Enqueue(mark);
        }
    }
}
