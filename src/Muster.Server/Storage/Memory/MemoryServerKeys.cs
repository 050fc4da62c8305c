namespace Muster.Server.Storage.Memory;

internal sealed class MemoryServerKeys(MemoryDatabase db) : IServerKeyStore
{
    readonly Dictionary<string, byte[]> _keys = new(StringComparer.Ordinal);

    public ValueTask<ReadOnlyMemory<byte>> GetOrAdd(
        string name, ReadOnlyMemory<byte> proposed, CancellationToken cancel = default) =>
        db.Write<ReadOnlyMemory<byte>>(() =>
        {
            if (!_keys.TryGetValue(name, out byte[]? key)) _keys[name] = key = proposed.ToArray();
            return key;
        }, cancel);
}
