using Muster.Server.Storage;
using Muster.Testing.Storage;

namespace Muster.Tests.Storage;

/// <summary>The contract, with SQLite.</summary>
public sealed class SqliteStorageTests : StorageContract
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-storage-");

    private protected override ValueTask<Database> Create() =>
        Database.Open(new StorageOptions { Path = Path.Combine(_folder.FullName, "muster.db") });

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
