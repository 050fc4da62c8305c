using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Sql;

/// <summary>What SQLite and PostgreSQL have in common: the stores, one writer, connections to read with.</summary>
internal abstract class SqlDatabase : Database
{
    readonly SqlArchive _archive;

    protected SqlDatabase(StorageOptions options)
    {
        Options = options;
        Accounts = new SqlAccounts(this);
        Rosters = new SqlRosters(this);
        Offline = new SqlOffline(this);
        AccountData = new SqlAccountData(this);
        Invites = new SqlInvites(this);
        Tokens = new SqlTokens(this);
        Pushes = new SqlPushes(this);
        Rooms = new SqlRooms(this);
        Nicks = new SqlNicks(this);
        Archive = _archive = new SqlArchive(this);
        Sessions = new SqlSessions(this);
        Joins = new SqlJoins(this);
        ServerKeys = new SqlServerKeys(this);
    }

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

    /// <summary>The options it was opened with.</summary>
    public StorageOptions Options { get; }

    /// <summary>The number of the newest migration applied.</summary>
    public int SchemaVersion { get; protected set; }

    /// <summary>Deletes, in the background, the messages of archives that were removed.</summary>
    public void Sweep() => _archive.Sweep();

    /// <summary>Runs a write in a transaction, perhaps together with others'; see <see cref="SqlWriter"/>.</summary>
    public abstract ValueTask<T> Write<T>(Func<SqlSession, ValueTask<T>> write, CancellationToken cancel);

    /// <summary>Runs a read.</summary>
    public abstract ValueTask<T> Read<T>(Func<SqlSession, ValueTask<T>> read, CancellationToken cancel);

    /// <summary>Runs several queries that must see the same moment.</summary>
    public ValueTask<T> ReadSnapshot<T>(Func<SqlSession, ValueTask<T>> read, CancellationToken cancel) => Read(
        async session =>
        {
            await session.BeginSnapshot();
            try
            {
                return await read(session);
            }
            finally
            {
                await session.Rollback();
            }
        }, cancel);

    /// <summary>The size on disk; 0 when unknown.</summary>
    protected abstract ValueTask<long> Size(CancellationToken cancel);

    /// <summary>How many writes are queued.</summary>
    public abstract int WritesWaiting { get; }

    public override async ValueTask<StorageHealth> Check(CancellationToken cancel = default)
    {
        try
        {
            // Really writes: only so does a full disk show.
            await Write(session => session.Execute("UPDATE health SET checks = checks + 1"), cancel);
            return new StorageHealth(true, "ok", SchemaVersion, await Size(cancel), WritesWaiting);
        }
        catch (StorageException e)
        {
            return new StorageHealth(false, e.Message, SchemaVersion, 0, WritesWaiting);
        }
    }

    /// <summary>An address of ours read back. The parts were normalised when they were stored.</summary>
    public static Jid Address(string text) =>
        Jid.TryParse(text, out var jid)
            ? jid
            : throw new StorageException(StorageFault.Unreadable, $"the stored address '{text}' is not a JID");

    /// <summary>A stanza's bytes as the drivers take them: an array of its own length.</summary>
    public static byte[] Bytes(ReadOnlyMemory<byte> bytes) =>
        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(bytes, out var segment)
        && segment.Offset == 0 && segment.Count == segment.Array!.Length ? segment.Array : bytes.ToArray();
}
