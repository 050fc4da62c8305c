using Muster.Server.Storage;
using Muster.Server.Storage.Memory;
using Muster.Testing.Storage;

namespace Muster.Tests.Storage;

/// <summary>The contract, in memory.</summary>
public sealed class MemoryStorageTests : StorageContract
{
    private protected override ValueTask<Database> Create() => new(new MemoryDatabase());
}
