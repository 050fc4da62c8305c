using System.Buffers;

namespace Muster.Core.Sessions;

/// <summary>
/// The bytes that wait to be written to one connection: queue 2 of a group message's path. Appending never waits; what
/// a slow reader may make the server hold is bounded in bytes.
/// </summary>
/// <remarks>
/// Not synchronised: the session's lock guards it. While nothing waits it holds no memory, so an idle session costs
/// none. The last item may pass the bound, as it is already serialised; after that <see cref="IsOverflowing"/> stays
/// true and the owner must close the connection.
/// </remarks>
public sealed class OutboundBuffer(int bytesMax) : IBufferWriter<byte>
{
    const int FirstRent = 2048;

    // A message to a room fills the buffers of all inside before the first of them is sent, which is more than the
    // shared pool keeps for a core: it would make new ones for each message. What is kept is bounded by 512 of each
    // size, 15 MiB in all.
    const int PooledMax = 16 * 1024;
    static readonly ArrayPool<byte> Small = ArrayPool<byte>.Create(PooledMax, 512);

    byte[] _bytes = [];

    /// <summary>Bytes that wait.</summary>
    public int Length { get; private set; }

    /// <summary>True when more waits than the peer may leave unread.</summary>
    public bool IsOverflowing => Length > bytesMax;

    /// <summary>True while less than a quarter of the bound waits: what is not urgent may be added.</summary>
    public bool HasRoom => Length < bytesMax / 4;

    /// <inheritdoc/>
    public void Advance(int count) => Length += count;

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsMemory(Length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsSpan(Length);
    }

    /// <summary>Hands over all that waits. The caller gives it back with <see cref="Return"/> when it is
    /// written.</summary>
    public ArraySegment<byte> Take()
    {
        var taken = new ArraySegment<byte>(_bytes, 0, Length);
        _bytes = [];
        Length = 0;
        return taken;
    }

    /// <summary>Takes back what <see cref="Take"/> has handed over.</summary>
    public static void Return(ArraySegment<byte> taken)
    {
        if (taken.Array is { Length: > 0 } bytes) PoolFor(bytes.Length).Return(bytes);
    }

    /// <summary>Forgets all that waits.</summary>
    public void Drop() => Return(Take());

    void Reserve(int sizeHint)
    {
        int needed = Length + Math.Max(sizeHint, 1);
        if (needed <= _bytes.Length) return;
        int size = Math.Max(needed, Math.Max(FirstRent, _bytes.Length * 2));
        byte[] larger = PoolFor(size).Rent(size);
        _bytes.AsSpan(0, Length).CopyTo(larger);
        Return(_bytes);
        _bytes = larger;
    }

    static ArrayPool<byte> PoolFor(int size) => size <= PooledMax ? Small : ArrayPool<byte>.Shared;
}
