using Muster.Interop.Servers;
using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Muster.Server.Storage.Postgres;
using Muster.Server.Storage.Sql;
using Muster.Testing;
using Npgsql;

namespace Muster.Interop.Storage;

/// <summary>What happens when the PostgreSQL server, or the way to it, fails.</summary>
public sealed class PostgresFailureTests(PostgresFixture fixture) : IClassFixture<PostgresFixture>
{
    static readonly Jid Romeo = Jid.Parse("romeo@example.org");
    static readonly Jid Garden = Jid.Parse("garden@conference.example.org");
    static readonly DateTimeOffset Noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);
    static int _schemas;

    async Task<StorageOptions> NewSchema(int? port = null)
    {
        var server = await fixture.Server;
        string schema = $"failure{Interlocked.Increment(ref _schemas)}";
        await Run(server, $"CREATE SCHEMA {schema}");
        return new StorageOptions
        {
            Backend = StorageBackend.Postgres,
            Connection = $"{server.Connection};Port={port ?? server.Port};Search Path={schema}",
            Patience = TimeSpan.FromSeconds(2),
        };
    }

    static async Task Run(PostgresServer server, string sql)
    {
        await using var connection = new NpgsqlConnection(server.Connection + ";Pooling=False");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    static ArchiveEntry Entry(long id) =>
        new(Garden, id, Noon, Romeo, Romeo, ArchiveKind.Message, "<message/>"u8.ToArray());

    static async Task<StorageException> Fails(StorageFault fault, Func<Task> action)
    {
        var e = await Assert.ThrowsAsync<StorageException>(action);
        Assert.Equal(fault, e.Fault);
        Assert.DoesNotContain('\n', e.Message);
        return e;
    }

    [RealPeerFact("postgresql")]
    public async Task A_restart_of_the_server_is_not_noticed()
    {
        await using var db = await Database.Open(await NewSchema());
        await db.Archive.Append([Entry(1)]);
        Assert.NotNull(await db.Archive.Range(Garden));

        await (await fixture.Server).StopAsync();
        await (await fixture.Server).ResumeAsync();
        Assert.NotNull(await db.Archive.Range(Garden)); // over a connection that died meanwhile
        await db.Archive.Append([Entry(2)]);
        Assert.Equal(2, (await db.Archive.Range(Garden))!.Value.LastId);
    }

    [RealPeerFact("postgresql")]
    public async Task A_server_that_is_away_is_an_error_until_it_is_back()
    {
        await using var db = await Database.Open(await NewSchema());
        await db.Archive.Append([Entry(1)]);
        await (await fixture.Server).StopAsync();
        try
        {
            await Fails(StorageFault.Unavailable, async () => await db.Archive.Append([Entry(2)]));
            var impatient = System.Diagnostics.Stopwatch.StartNew();
            await Fails(StorageFault.Unavailable, async () => await db.Archive.Append([Entry(2)]));
            await Fails(StorageFault.Unavailable, async () => await db.Archive.Range(Garden));
            Assert.InRange(impatient.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(1.5)); // not waited for again
            Assert.False((await db.Check()).Working);
        }
        finally
        {
            await (await fixture.Server).ResumeAsync();
        }
        await db.Archive.Append([Entry(2)]);
        Assert.True((await db.Check()).Working);
    }

    [RealPeerFact("postgresql")]
    public async Task A_server_that_comes_back_in_time_is_waited_for()
    {
        await using var db = await Database.Open(await NewSchema() with { Patience = TimeSpan.FromSeconds(30) });
        await (await fixture.Server).StopAsync();
        var write = db.Archive.Append([Entry(1)]).AsTask();
        await Task.Delay(300);
        Assert.False(write.IsCompleted);
        await (await fixture.Server).ResumeAsync();
        await write;
    }

    [RealPeerFact("postgresql")]
    public async Task A_commit_cut_off_with_its_connection_is_done_exactly_once()
    {
        await using var proxy = new CuttingProxy((await fixture.Server).Port);
        await using var db = await Database.Open(await NewSchema(proxy.Port));
        await db.Archive.Append([Entry(1)]);
        foreach (var cut in new[] { CuttingProxy.Cut.BeforeCommit, CuttingProxy.Cut.AfterCommit })
        {
            proxy.CutOnce(cut);
            // Appending the same id twice would be a conflict; not at all, and it would not be found.
            var entry = Entry(10 + (int)cut);
            await db.Archive.Append([entry]);
            Assert.Single(await db.Archive.Find(Garden, [entry.Id]));
        }
    }

    [RealPeerFact("postgresql")]
    public async Task A_commit_whose_outcome_cannot_be_known_says_so()
    {
        await using var proxy = new CuttingProxy((await fixture.Server).Port);
        await using var db = await Database.Open(await NewSchema(proxy.Port));
        await db.Archive.Append([Entry(1)]);
        proxy.CutOnce(CuttingProxy.Cut.AfterCommitForGood);
        await Fails(StorageFault.OutcomeUnknown, async () => await db.Archive.Append([Entry(2)]));
        proxy.Reopen();
        await db.Archive.Append([Entry(3)]);
        Assert.Equal(3, (await db.Archive.Page(Garden, new ArchiveQuery { Max = 9 })).Entries.Count); // it had happened
    }

    [RealPeerFact("postgresql")]
    public async Task A_connection_ended_by_the_administrator_is_replaced()
    {
        await using var db = await Database.Open(await NewSchema());
        await db.Archive.Append([Entry(1)]);
        await Run(await fixture.Server,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'muster'");
        await db.Archive.Append([Entry(2)]);
        Assert.NotNull(await db.Archive.Range(Garden));
    }

    [RealPeerFact("postgresql")]
    public async Task A_database_of_a_newer_version_is_refused()
    {
        var options = await NewSchema();
        await (await Database.Open(options)).DisposeAsync();
        string schema = options.Connection.Split("Search Path=")[1];
        await Run(await fixture.Server, $"UPDATE {schema}.schema_version SET version = 99");
        var e = await Fails(StorageFault.Unreadable, async () => await Database.Open(options));
        Assert.Contains("newer Muster (schema 99", e.Message, StringComparison.Ordinal);
    }

    [RealPeerFact("postgresql")]
    public async Task Older_schemas_are_brought_up_to_date_also_by_two_at_once()
    {
        var options = await NewSchema();
        var all = Migrations.Of("Postgres");
        await using (var old = await PostgresDatabase.Open(options, [.. all.Take(1)]))
            await old.Accounts.TryAdd(new Account { Jid = Romeo, CreatedAt = Noon });
        var both = await Task.WhenAll(
            Database.Open(options).AsTask(), Database.Open(options).AsTask(), Database.Open(options).AsTask());
        foreach (var db in both)
        {
            await using (db)
            {
                Assert.NotNull(await db.Accounts.Find(Romeo));
                Assert.Equal(all.Count, (await db.Check()).SchemaVersion);
            }
        }
    }

    [RealPeerFact("postgresql")]
    public async Task A_wrong_connection_string_is_one_clear_line_without_the_password()
    {
        var options = await NewSchema();
        string host = $"Host=127.0.0.1;Port={(await fixture.Server).Port};Password=hush";
        var e = await Fails(StorageFault.NotWritable, async () =>
            await Database.Open(options with { Connection = $"{host};Username=muster;Database=nowhere" }));
        Assert.Contains("nowhere", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", e.Message, StringComparison.Ordinal);
        e = await Fails(StorageFault.NotWritable, async () =>
            await Database.Open(options with { Connection = $"{host};Colour=blue" }));
        Assert.DoesNotContain("hush", e.Message, StringComparison.Ordinal);
        await Fails(StorageFault.Unavailable, async () => await Database.Open(
            options with { Connection = $"Host=127.0.0.1;Port={ServerProcess.FreePort()};Username=x;Database=y" }));
        await Fails(StorageFault.NotWritable, async () => await Database.Open(options with { Connection = "" }));
    }
}
