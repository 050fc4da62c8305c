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

    /// <summary>Hands over all that waits. The caller returns the array to <see cref="ArrayPool{T}.Shared"/> when it is
    /// written.</summary>
    public ArraySegment<byte> Take()
    {
        var taken = new ArraySegment<byte>(_bytes, 0, Length);
        _bytes = [];
        Length = 0;
        return taken;
    }

    /// <summary>Forgets all that waits.</summary>
    public void Drop()
    {
        var dropped = Take();
        if (dropped.Count > 0) ArrayPool<byte>.Shared.Return(dropped.Array!);
    }

    void Reserve(int sizeHint)
    {
        int needed = Length + Math.Max(sizeHint, 1);
        if (needed <= _bytes.Length) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, Math.Max(FirstRent, _bytes.Length * 2)));
        _bytes.AsSpan(0, Length).CopyTo(larger);
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}
