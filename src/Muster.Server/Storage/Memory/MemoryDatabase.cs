using System.Text;
using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Memory;

/// <summary>
/// A database for tests: everything in dictionaries under one lock, with the behaviour of the real ones. It keeps its
/// contents when disposed, so that a test can start a second server on it.
/// </summary>
internal sealed class MemoryDatabase : Database
{
    readonly Lock _gate = new();

    /// <summary>An empty database.</summary>
    public MemoryDatabase()
    {
        Accounts = new MemoryAccounts(this);
        Rosters = new MemoryRosters(this);
        Offline = new MemoryOffline(this);
        AccountData = new MemoryAccountData(this);
        Invites = new MemoryInvites(this);
        Tokens = new MemoryTokens(this);
        Pushes = new MemoryPushes(this);
        Rooms = new MemoryRooms(this);
        Nicks = new MemoryNicks(this);
        Archive = new MemoryArchive(this);
        Sessions = SessionTable = new MemorySessions(this);
        Joins = new MemoryJoins(this);
        ServerKeys = new MemoryServerKeys(this);
    }

    /// <summary>Runs before every write, outside the lock: a test can delay the write here, or throw
    /// <see cref="StorageException"/> as a full disk would.</summary>
    public Func<CancellationToken, ValueTask>? BeforeWrite { get; set; }

    /// <summary>Runs before every read; see <see cref="BeforeWrite"/>.</summary>
    public Func<CancellationToken, ValueTask>? BeforeRead { get; set; }

    public override IAccountStore Accounts { get; }
    public override IRosterStore Rosters { get; }
    public override IOfflineStore Offline { get; }
    public override IAccountDataStore AccountData { get; }
    public override IInviteStore Invites { get; }
    public override ITokenStore Tokens { get; }
    public override IPushStore Pushes { get; }
    public override IRoomStore Rooms { get; }
    public override INickStore Nicks { get; }
    public override IArchiveStore Archive { get; }
    public override ISessionStore Sessions { get; }
    public override IJoinStore Joins { get; }
    public override IServerKeyStore ServerKeys { get; }
    public override string Description => "memory";

    // The tables. Touched only inside Read and Write.
    internal Dictionary<Jid, MemoryAccount> AccountTable { get; } = [];
    internal MemorySessions SessionTable { get; }
    internal Dictionary<string, Invite> InviteTable { get; } = [];
    internal Dictionary<PushKey, StoredPush> PushTable { get; } = [];
    internal Dictionary<Jid, StoredRoom> RoomTable { get; } = [];
    internal Dictionary<Jid, RoomTombstone> TombstoneTable { get; } = [];
    internal Dictionary<(string Service, Jid User), string> NickTable { get; } = [];
    internal Dictionary<Jid, SortedList<long, ArchiveEntry>> ArchiveTable { get; } = [];

    internal async ValueTask<T> Read<T>(Func<T> read, CancellationToken cancel)
    {
        if (BeforeRead is { } hook) await hook(cancel);
        cancel.ThrowIfCancellationRequested();
        lock (_gate) return read();
    }

    internal async ValueTask<T> Write<T>(Func<T> write, CancellationToken cancel)
    {
        if (BeforeWrite is { } hook) await hook(cancel);
        cancel.ThrowIfCancellationRequested();
        lock (_gate) return write();
    }

    internal MemoryAccount Require(Jid account) =>
        AccountTable.TryGetValue(account, out var found) ? found : throw Conflict($"there is no account {account}");

    internal static StorageException Conflict(string text) => new(StorageFault.Conflict, text);

    public override ValueTask Backup(string path, CancellationToken cancel = default) =>
        throw new StorageException(StorageFault.NotSupported, "a database in memory has no backup");

    public override async ValueTask<StorageHealth> Check(CancellationToken cancel = default)
    {
        try
        {
            await Write(() => 0, cancel);
            return new StorageHealth(true, "ok", 0, 0, 0);
        }
        catch (StorageException e)
        {
            return new StorageHealth(false, e.Message, 0, 0, 0);
        }
    }

    public override ValueTask DisposeAsync() => default;
}

/// <summary>An account with all that goes when it goes.</summary>
internal sealed class MemoryAccount(Account account)
{
    public Account Account { get; set; } = account;
    public RosterData Roster { get; set; } = RosterData.Empty;
    public List<OfflineMessage> Offline { get; } = [];
    public long LastOfflineId { get; set; }
    public Dictionary<string, string> Documents { get; } = [];
    public List<StoredToken> Tokens { get; } = [];
}

/// <summary>Code point order, which is how the databases compare text; .NET's ordinal order differs outside the basic
/// plane.</summary>
internal sealed class CodePointOrder : IComparer<string>
{
    public static CodePointOrder Instance { get; } = new();

    public int Compare(string? x, string? y) =>
        Encoding.UTF8.GetBytes(x ?? "").AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(y ?? ""));
}
