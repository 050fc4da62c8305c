using Microsoft.Data.Sqlite;
using Muster.Core.Rosters;
using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Muster.Server.Storage.Sql;
using Muster.Server.Storage.Sqlite;

namespace Muster.Tests.Storage;

/// <summary>Schemas that grow, backups, and numbers on disk that stay.</summary>
public sealed class SqliteMigrationTests : IDisposable
{
    static readonly Jid Romeo = Jid.Parse("romeo@example.org");
    static readonly Jid Garden = Jid.Parse("garden@conference.example.org");
    static readonly DateTimeOffset Noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-storage-");

    StorageOptions Options => new() { Path = Path.Combine(_folder.FullName, "muster.db") };

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Every_older_schema_is_brought_up_to_date_with_its_data()
    {
        var all = Migrations.Of("Sqlite");
        for (int version = 1; version < all.Count; version++)
        {
            var options = Options with { Path = Path.Combine(_folder.FullName, $"from{version}.db") };
            await using (var old = SqliteDatabase.Open(options, [.. all.Take(version)]))
            {
                Assert.Equal(version, old.SchemaVersion);
                await old.Accounts.TryAdd(new Account { Jid = Romeo, CreatedAt = Noon });
            }
            await using var db = await Database.Open(options);
            Assert.NotNull(await db.Accounts.Find(Romeo));
            Assert.Equal(all.Count, (await db.Check()).SchemaVersion);
            await db.Rooms.Commit([new RoomCommit
            {
                Room = Garden,
                Creation = new RoomCreation(new byte[16], Noon),
                Options = new StoredRoomOptions("{}", "", true, true),
            }]);
        }
    }

    [Fact]
    public async Task A_step_that_fails_leaves_the_schema_before_it()
    {
        var all = Migrations.Of("Sqlite");
        await using (var db = await Database.Open(Options))
            await db.Accounts.TryAdd(new Account { Jid = Romeo, CreatedAt = Noon });
        IReadOnlyList<Migration> broken =
            [.. all, new Migration(all.Count + 1, "bad", "CREATE TABLE extra (x); INSERT INTO nowhere VALUES (1)")];
        Assert.Throws<StorageException>(() => SqliteDatabase.Open(Options, broken));

        await using var again = (SqliteDatabase)await Database.Open(Options);
        Assert.NotNull(await again.Accounts.Find(Romeo));
        Assert.Equal(0, await again.Read(session => session.Number(
            "SELECT count(*) FROM sqlite_master WHERE name = 'extra'"), default));
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_refused_and_left_alone()
    {
        await (await Database.Open(Options)).DisposeAsync();
        using (var connection = new SqliteConnection($"Data Source={Options.Path};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA user_version = 99";
            command.ExecuteNonQuery();
        }
        var e = await Assert.ThrowsAsync<StorageException>(async () => await Database.Open(Options));
        Assert.Equal(StorageFault.Unreadable, e.Fault);
        Assert.Contains("newer Muster (schema 99", e.Message, StringComparison.Ordinal);
        Assert.Contains(Options.Path, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_backup_is_made_while_others_write_and_opens_as_a_database()
    {
        string copy = Path.Combine(_folder.FullName, "it's a copy.db");
        await using var db = await Database.Open(Options);
        await db.Accounts.TryAdd(new Account { Jid = Romeo, CreatedAt = Noon });
        var writing = Task.Run(async () =>
        {
            for (int i = 0; i < 100; i++)
                await db.Accounts.TryAdd(new Account { Jid = Jid.Parse($"u{i}@example.org"), CreatedAt = Noon });
        });
        await db.Backup(copy);
        await writing;

        await using (var restored = await Database.Open(Options with { Path = copy }))
            Assert.NotNull(await restored.Accounts.Find(Romeo));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(copy));
        Assert.Empty(_folder.GetFiles("*.partial"));
    }

    [Fact]
    public async Task A_backup_overwrites_nothing()
    {
        string copy = Path.Combine(_folder.FullName, "precious");
        await File.WriteAllTextAsync(copy, "precious");
        await using var db = await Database.Open(Options);
        var e = await Assert.ThrowsAsync<StorageException>(async () => await db.Backup(copy));
        Assert.Equal(StorageFault.NotWritable, e.Fault);
        Assert.Equal("precious", await File.ReadAllTextAsync(copy));
        e = await Assert.ThrowsAsync<StorageException>(async () =>
            await db.Backup(Path.Combine(copy, "below-a-file.db")));
        Assert.Equal(StorageFault.NotWritable, e.Fault);
    }

    [Fact]
    public async Task What_a_removed_archive_leaves_is_deleted_in_the_background_also_after_a_restart()
    {
        static async Task<long?> left(SqliteDatabase db) =>
            await db.Read(session => session.Number("SELECT count(*) FROM archive_entries"), default);
        var entries = Enumerable.Range(1, 1200).Select(id =>
            new ArchiveEntry(Garden, id, Noon, Romeo, Romeo, ArchiveKind.Message, new byte[10])).ToList();

        await using (var db = (SqliteDatabase)await Database.Open(Options))
        {
            await db.Archive.Append(entries);
            // As if the process had ended before the background came to it.
            await db.Write(async session =>
            {
                await SqlArchive.Detach(session, Garden);
                return true;
            }, default);
            Assert.Equal(1200, await left(db));
        }
        await using var again = (SqliteDatabase)await Database.Open(Options);
        for (int i = 0; i < 500 && await left(again) > 0; i++) await Task.Delay(10);
        Assert.Equal(0, await left(again));
    }

    [Fact]
    public void Numbers_on_disk_never_change()
    {
        Assert.Equal("Message=0 Subject=1 Tombstone=2 Other=3", Numbers<ArchiveKind>());
        Assert.Equal("Account=1 Contact=2 Room=3", Numbers<InviteKind>());
        Assert.Equal("None=0 To=1 From=2 Both=3", Numbers<RosterSubscription>());

        static string Numbers<T>() where T : struct, Enum =>
            string.Join(' ', Enum.GetValues<T>().Select(value => $"{value}={Convert.ToInt32(value, null)}"));
    }

    [Fact]
    public void Both_databases_have_the_same_steps() =>
        Assert.Equal(
            Migrations.Of("Sqlite").Select(step => step.Name), Migrations.Of("Postgres").Select(step => step.Name));
}
