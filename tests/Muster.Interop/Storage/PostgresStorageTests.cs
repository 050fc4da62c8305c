using Muster.Interop.Servers;
using Muster.Server.Storage;
using Muster.Testing;
using Muster.Testing.Storage;
using Npgsql;

namespace Muster.Interop.Storage;

/// <summary>One server for all tests of the class, started by the first that is not skipped.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    readonly Lazy<Task<PostgresServer>> _server = new(() => PostgresServer.StartAsync());

    internal Task<PostgresServer> Server => _server.Value;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (_server.IsValueCreated) await (await _server.Value).DisposeAsync();
    }
}

/// <summary>The contract, with PostgreSQL.</summary>
[NeedsPeer("postgresql")]
public sealed class PostgresStorageTests(PostgresFixture fixture) : StorageContract, IClassFixture<PostgresFixture>
{
    static int _schemas;

    private protected override async ValueTask<Database> Create()
    {
        string connection = (await fixture.Server).Connection;
        // A schema is as good as a database of its own, and made in a moment.
        string schema = $"test{Interlocked.Increment(ref _schemas)}";
        await using (var source = NpgsqlDataSource.Create(connection))
        await using (var command = source.CreateCommand($"CREATE SCHEMA {schema}"))
            await command.ExecuteNonQueryAsync();
        return await Database.Open(new StorageOptions
        {
            Backend = StorageBackend.Postgres,
            Connection = $"{connection};Search Path={schema}",
        });
    }

    [ContractFact]
    public async Task A_backup_is_the_business_of_its_own_tool()
    {
        var e = await Assert.ThrowsAsync<StorageException>(async () => await Db.Backup("/tmp/never"));
        Assert.Equal(StorageFault.NotSupported, e.Fault);
        Assert.Contains("pg_dump", e.Message, StringComparison.Ordinal);
    }
}
