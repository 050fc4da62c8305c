namespace Muster.Server.Storage;

/// <summary>Keys of the server itself that must outlive the process and go with the data: with another one, what was
/// made with the first is void.</summary>
internal interface IServerKeyStore
{
    /// <summary>The key of a name. If there is none, <paramref name="proposed"/> becomes it: of several processes that
    /// propose one, the first wins.</summary>
    ValueTask<ReadOnlyMemory<byte>> GetOrAdd(
        string name, ReadOnlyMemory<byte> proposed, CancellationToken cancel = default);
}
