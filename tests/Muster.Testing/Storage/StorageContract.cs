using System.Text;
using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Xunit;

namespace Muster.Testing.Storage;

/// <summary>
/// What every database must do. One class for each backend derives from this, so that memory, SQLite and PostgreSQL are
/// held to the same words.
/// </summary>
public abstract partial class StorageContract : IAsyncLifetime
{
    internal static readonly DateTimeOffset Noon = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);
    internal static readonly Jid Romeo = Jid.Parse("romeo@example.org");
    internal static readonly Jid Juliet = Jid.Parse("juliet@example.org");
    internal static readonly Jid Garden = Jid.Parse("garden@conference.example.org");

    Database? _database;

    /// <summary>An empty database for one test.</summary>
    private protected abstract ValueTask<Database> Create();

    private protected Database Db => _database!;

    public async Task InitializeAsync() => _database = await Create();

    public virtual async Task DisposeAsync()
    {
        if (_database is not null) await _database.DisposeAsync();
    }

    private protected async Task AddAccounts(params Jid[] accounts)
    {
        foreach (var jid in accounts)
            Assert.True(await Db.Accounts.TryAdd(new Account { Jid = jid, CreatedAt = Noon }));
    }

    private protected static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private protected static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private protected static async Task Fails(StorageFault fault, Func<Task> action)
    {
        var e = await Assert.ThrowsAsync<StorageException>(action);
        Assert.Equal(fault, e.Fault);
        Assert.NotEmpty(e.Message);
        Assert.DoesNotContain('\n', e.Message);
    }

    [ContractFact]
    public async Task A_database_that_works_says_so()
    {
        var health = await Db.Check();
        Assert.True(health.Working);
        Assert.Equal("ok", health.Text);
        Assert.NotEmpty(Db.Description);
    }

    [ContractFact]
    public async Task A_cancelled_call_does_nothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            await Db.Accounts.TryAdd(new Account { Jid = Romeo, CreatedAt = Noon }, cancelled.Token));
        Assert.Null(await Db.Accounts.Find(Romeo));
    }

    [ContractFact]
    public async Task Many_writers_at_once_all_succeed()
    {
        var accounts = Enumerable.Range(0, 200).Select(i => Jid.Parse($"user{i}@example.org")).ToList();
        bool[] added = await Task.WhenAll(accounts.Concat(accounts).Select(jid => Task.Run(async () =>
            await Db.Accounts.TryAdd(new Account { Jid = jid, CreatedAt = Noon }))));
        Assert.Equal(200, added.Count(done => done)); // each JID was tried twice
        Assert.Equal(200, await Db.Accounts.Count("example.org"));
    }

    [ContractFact]
    public async Task One_writers_conflict_is_not_the_others()
    {
        await AddAccounts(Romeo);
        var writes = new List<Task>();
        for (int i = 0; i < 60; i++)
        {
            string key = $"key{i:D2}";
            var owner = i % 3 == 0 ? Juliet : Romeo; // there is no Juliet
            writes.Add(Db.AccountData.Set(owner, key, "<x/>").AsTask());
        }
        await Assert.ThrowsAsync<StorageException>(() => Task.WhenAll(writes));
        for (int i = 0; i < 60; i++) Assert.Equal(i % 3 == 0, writes[i].IsFaulted);
        Assert.Equal(40, (await Db.AccountData.Keys(Romeo, "")).Count);
    }

    [ContractFact]
    public async Task Writes_are_applied_in_the_order_they_were_queued()
    {
        await AddAccounts(Romeo);
        var writes = new List<Task<OfflineAppend>>();
        for (int i = 0; i < 300; i++)
            writes.Add(Db.Offline.TryAppend(Romeo, Utf8($"<message id='{i}'/>"), Noon, 1000).AsTask());
        Assert.All(await Task.WhenAll(writes), result => Assert.Equal(OfflineAppend.Stored, result));
        var stored = await Db.Offline.Load(Romeo, 0, 1000);
        Assert.Equal(Enumerable.Range(0, 300).Select(i => $"<message id='{i}'/>"), stored.Select(m => Text(m.Stanza)));
    }
}
