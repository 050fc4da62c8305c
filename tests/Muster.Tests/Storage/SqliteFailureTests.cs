using System.Text;
using Microsoft.Data.Sqlite;
using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Muster.Server.Storage.Sqlite;

namespace Muster.Tests.Storage;

/// <summary>What SQLite does when the file, the disk or another process is in the way.</summary>
public sealed class SqliteFailureTests : IDisposable
{
    static readonly Jid Romeo = Jid.Parse("romeo@example.org");
    static readonly Jid Garden = Jid.Parse("garden@conference.example.org");
    static readonly DateTimeOffset Noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-storage-");

    string File1 => Path.Combine(_folder.FullName, "muster.db");

    StorageOptions Options => new() { Path = File1, Patience = TimeSpan.FromMilliseconds(100) };

    public void Dispose() => _folder.Delete(recursive: true);

    static async Task<string> Fails(StorageFault fault, Func<Task> action)
    {
        var e = await Assert.ThrowsAsync<StorageException>(action);
        Assert.Equal(fault, e.Fault);
        return e.Message;
    }

    static ValueTask<bool> Add(Database db, Jid jid) =>
        db.Accounts.TryAdd(new Account { Jid = jid, CreatedAt = Noon });

    static ArchiveEntry Entry(long id, int size = 10) => new(
        Garden, id, Noon, Romeo, Romeo, ArchiveKind.Message, Encoding.UTF8.GetBytes(new string('x', size)));

    /// <summary>A second program on the same file.</summary>
    SqliteConnection Intruder(string sql)
    {
        var connection = new SqliteConnection($"Data Source={File1};Pooling=False");
        connection.Open();
        Run(connection, sql);
        return connection;
    }

    static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    [Fact]
    public async Task What_was_stored_is_there_after_closing_and_opening()
    {
        await using (var db = await Database.Open(Options)) await Add(db, Romeo);
        await using (var db = await Database.Open(Options)) Assert.NotNull(await db.Accounts.Find(Romeo));
    }

    [Fact]
    public async Task The_folder_is_made_and_the_file_is_private()
    {
        var options = Options with { Path = Path.Combine(_folder.FullName, "a", "b", "muster.db") };
        await using var db = await Database.Open(options);
        await Add(db, Romeo);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(options.Path));
    }

    [Fact]
    public async Task A_locked_database_is_an_error_to_writers_only_and_passes()
    {
        await using var db = await Database.Open(Options);
        await Add(db, Romeo);
        using var intruder = Intruder("BEGIN IMMEDIATE");

        var juliet = Jid.Parse("juliet@example.org");
        string text = await Fails(StorageFault.Unavailable, async () => await Add(db, juliet));
        Assert.Contains("locked by another process", text, StringComparison.Ordinal);
        Assert.False((await db.Check()).Working);
        Assert.NotNull(await db.Accounts.Find(Romeo));

        Run(intruder, "ROLLBACK");
        Assert.True(await Add(db, juliet));
        Assert.True((await db.Check()).Working);
    }

    [Fact]
    public async Task A_lock_shorter_than_the_patience_is_waited_for()
    {
        await using var db = await Database.Open(Options with { Patience = TimeSpan.FromSeconds(20) });
        using var intruder = Intruder("BEGIN IMMEDIATE");
        var write = Add(db, Romeo).AsTask();
        await Task.Delay(50);
        Run(intruder, "ROLLBACK");
        Assert.True(await write);
    }

    [Fact]
    public async Task A_database_that_is_gone_is_an_error_until_it_is_back()
    {
        await using var db = await Database.Open(Options);
        await Add(db, Romeo);
        File.Move(File1, File1 + ".away");
        string text = await Fails(StorageFault.Unavailable, async () => await Add(db, Garden));
        Assert.Contains("is gone", text, StringComparison.Ordinal);
        File.Move(File1 + ".away", File1);
        Assert.True(await Add(db, Garden));
    }

    [Fact]
    public async Task A_full_disk_fails_the_write_whole_and_works_again_when_there_is_room()
    {
        await using var db = (SqliteDatabase)await Database.Open(Options);
        await Add(db, Romeo);
        await db.Archive.Append([Entry(1)]);
        // SQLite reports its own limit of pages as it reports a full disk.
        await db.Write(session => session.Execute("PRAGMA max_page_count = 60"), default);

        var large = Enumerable.Range(100, 64).Select(id => Entry(id, 4000)).ToList();
        string text = await Fails(StorageFault.Full, async () => await db.Archive.Append(large));
        Assert.Contains("no room", text, StringComparison.Ordinal);
        Assert.Equal(1, (await db.Archive.Range(Garden))!.Value.LastId); // not even the entries that would have fitted
        Assert.True(await db.Accounts.SetLastActivity(Romeo, Noon, "still here")); // needs no new page

        await db.Write(session => session.Execute("PRAGMA max_page_count = 1000000"), default);
        await db.Archive.Append(large);
        Assert.Equal(163, (await db.Archive.Range(Garden))!.Value.LastId);
    }

    [Fact]
    public async Task On_a_full_disk_small_writes_survive_the_large_one_they_are_grouped_with()
    {
        await using var db = (SqliteDatabase)await Database.Open(Options);
        await Add(db, Romeo);
        await db.Write(session => session.Execute("PRAGMA max_page_count = 60"), default);
        var gate = await Block(db);
        var small = db.Accounts.SetLastActivity(Romeo, Noon, "small").AsTask();
        var large = db.Archive.Append([Entry(1, 400_000)]).AsTask();
        gate.SetResult();
        Assert.True(await small);
        await Fails(StorageFault.Full, () => large);
        Assert.Equal("small", (await db.Accounts.Find(Romeo))!.LastStatus);
    }

    /// <summary>Holds the writer until the gate opens; what is queued meanwhile becomes one group.</summary>
    static async Task<TaskCompletionSource> Block(SqliteDatabase db)
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _ = db.Write(_ =>
        {
            entered.TrySetResult();
            gate.Task.GetAwaiter().GetResult(); // the writer's own thread
            return ValueTask.FromResult(0);
        }, default).AsTask();
        await entered.Task;
        return gate;
    }

    [Fact]
    public async Task Writes_that_wait_share_a_transaction_and_nobody_sees_a_part_of_it()
    {
        await using var db = (SqliteDatabase)await Database.Open(Options);
        var gate = await Block(db);
        var adds = Enumerable.Range(0, 10).Select(i => Add(db, Jid.Parse($"u{i}@example.org")).AsTask()).ToList();
        var within = db.Write(session => session.Number("SELECT count(*) FROM accounts"), default).AsTask();
        var outside = db.Write(
            _ => ValueTask.FromResult(db.Accounts.Count("example.org").AsTask().GetAwaiter().GetResult()), default);
        gate.SetResult();
        Assert.Equal(10, await within);
        Assert.Equal(0, await outside);
        Assert.All(await Task.WhenAll(adds), Assert.True);
    }

    [Fact]
    public async Task A_bug_in_one_write_of_a_group_is_not_the_others()
    {
        await using var db = (SqliteDatabase)await Database.Open(Options);
        var gate = await Block(db);
        var good = Add(db, Romeo).AsTask();
        var bug = db.Write<int>(_ => throw new FormatException("a bug"), default).AsTask();
        gate.SetResult();
        Assert.True(await good);
        await Assert.ThrowsAsync<FormatException>(() => bug);
    }

    [Fact]
    public async Task A_write_cancelled_while_it_waits_is_not_done()
    {
        await using var db = (SqliteDatabase)await Database.Open(Options);
        var gate = await Block(db);
        using var cancel = new CancellationTokenSource();
        var write = db.Accounts.TryAdd(new Account { Jid = Romeo, CreatedAt = Noon }, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write); // at once, with the writer still held
        gate.SetResult();
        Assert.True(await Add(db, Garden));
        Assert.Null(await db.Accounts.Find(Romeo));
    }

    [Fact]
    public async Task A_full_queue_makes_callers_wait_and_loses_nothing()
    {
        await using var db = (SqliteDatabase)await Database.Open(Options with { QueueMax = 2, GroupMax = 3 });
        var gate = await Block(db);
        var adds = Enumerable.Range(0, 50).Select(i => Add(db, Jid.Parse($"u{i}@example.org")).AsTask()).ToList();
        Assert.Equal(2, db.WritesWaiting);
        gate.SetResult();
        Assert.All(await Task.WhenAll(adds), Assert.True);
        Assert.Equal(50, await db.Accounts.Count("example.org"));
    }

    [Fact]
    public async Task Closing_finishes_what_is_queued_and_then_refuses()
    {
        var db = await Database.Open(Options);
        var adds = Enumerable.Range(0, 50).Select(i => Add(db, Jid.Parse($"u{i}@example.org")).AsTask()).ToList();
        await db.DisposeAsync();
        Assert.All(await Task.WhenAll(adds), Assert.True);
        await Fails(StorageFault.Unavailable, async () => await Add(db, Romeo));
        await Fails(StorageFault.Unavailable, async () => await db.Accounts.Find(Romeo));
        await db.DisposeAsync();
        await using var again = await Database.Open(Options);
        Assert.Equal(50, await again.Accounts.Count("example.org"));
    }

    [Fact]
    public async Task A_place_that_cannot_be_written_is_named()
    {
        string file = Path.Combine(_folder.FullName, "a-file");
        await File.WriteAllTextAsync(file, "x");
        string below = Path.Combine(file, "muster.db");
        string text = await Fails(StorageFault.NotWritable,
            async () => await Database.Open(Options with { Path = below }));
        Assert.Contains(below, text, StringComparison.Ordinal);
        await Fails(StorageFault.NotWritable,
            async () => await Database.Open(Options with { Path = _folder.FullName }));
    }

    [Fact]
    public async Task A_folder_without_write_permission_is_refused_at_the_start()
    {
        if (OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess) return; // root may write anywhere
        await using (var db = await Database.Open(Options)) await Add(db, Romeo);
        File.SetUnixFileMode(_folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            await Fails(StorageFault.NotWritable, async () => await Database.Open(Options));
        }
        finally
        {
            File.SetUnixFileMode(_folder.FullName,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Fact]
    public async Task A_file_of_something_else_is_left_alone()
    {
        string noise = string.Concat(Enumerable.Repeat("this is no database. ", 500));
        await File.WriteAllTextAsync(File1, noise);
        string text = await Fails(StorageFault.Unreadable, async () => await Database.Open(Options));
        Assert.Contains("not a SQLite database", text, StringComparison.Ordinal);
        Assert.Equal(noise, await File.ReadAllTextAsync(File1));

        File.Delete(File1);
        Intruder("CREATE TABLE recipes (name TEXT)").Dispose();
        text = await Fails(StorageFault.Unreadable, async () => await Database.Open(Options));
        Assert.Contains("another program", text, StringComparison.Ordinal);
    }
}
