using Muster.Server.Storage.Memory;
using Muster.Server.Storage.Postgres;
using Muster.Server.Storage.Sqlite;

namespace Muster.Server.Storage;

/// <summary>
/// One open database: the stores of everything that outlives the process. Memory, SQLite and PostgreSQL do the same
/// under one contract test.
/// </summary>
/// <remarks>
/// For every store: a write that has been awaited is committed; one that throws has stored nothing. Failures are
/// <see cref="StorageException"/>. Calls may come from any thread. Account arguments are bare JIDs. Times come back in
/// UTC, cut to microseconds. A token cancels the waiting; a write that has begun is finished.
/// </remarks>
internal abstract class Database : IAsyncDisposable
{
    /// <summary>Accounts and their secrets.</summary>
    public abstract IAccountStore Accounts { get; }
    /// <summary>Contact lists.</summary>
    public abstract IRosterStore Rosters { get; }
    /// <summary>Messages waiting for an account.</summary>
    public abstract IOfflineStore Offline { get; }
    /// <summary>Small documents of an account: vCard, private XML, block list.</summary>
    public abstract IAccountDataStore AccountData { get; }
    /// <summary>Invitations by link.</summary>
    public abstract IInviteStore Invites { get; }
    /// <summary>Tokens with which clients log in again.</summary>
    public abstract ITokenStore Tokens { get; }
    /// <summary>Push services that users have registered.</summary>
    public abstract IPushStore Pushes { get; }
    /// <summary>Rooms, with the one commit that stores a room's changes together with its messages.</summary>
    public abstract IRoomStore Rooms { get; }
    /// <summary>Nicks reserved in a whole MUC service.</summary>
    public abstract INickStore Nicks { get; }
    /// <summary>The messages of rooms (and later accounts).</summary>
    public abstract IArchiveStore Archive { get; }

    /// <summary>Sessions that can be resumed, and what outlives the process.</summary>
    public abstract ISessionStore Sessions { get; }

    /// <summary>Which sessions are in which rooms of other servers.</summary>
    public abstract IJoinStore Joins { get; }

    /// <summary>Keys of the server itself.</summary>
    public abstract IServerKeyStore ServerKeys { get; }

    /// <summary>Opens the database that the options name, makes it when it is missing and brings its schema up to
    /// date.</summary>
    public static async ValueTask<Database> Open(StorageOptions options, CancellationToken cancel = default) =>
        options.Backend switch
        {
            StorageBackend.Memory => new MemoryDatabase(),
            StorageBackend.Sqlite => await Task.Run(() => SqliteDatabase.Open(options), cancel),
            StorageBackend.Postgres => await PostgresDatabase.Open(options, cancel: cancel),
            _ => throw new ArgumentOutOfRangeException(nameof(options)),
        };

    /// <summary>What this is, for logs and <c>muster status</c>: "SQLite 3.40.1 in data/muster.db". Never a
    /// password.</summary>
    public abstract string Description { get; }

    /// <summary>
    /// Writes a consistent copy to a new file while the server runs. Refuses to overwrite. PostgreSQL answers
    /// <see cref="StorageFault.NotSupported"/> and names pg_dump.
    /// </summary>
    public abstract ValueTask Backup(string path, CancellationToken cancel = default);

    /// <summary>Whether reading and writing work now; does not throw.</summary>
    public abstract ValueTask<StorageHealth> Check(CancellationToken cancel = default);

    /// <summary>Finishes the writes that wait, then closes.</summary>
    public abstract ValueTask DisposeAsync();
}

/// <summary>The state of a database at one moment.</summary>
/// <param name="Working">Whether a write and a read succeeded just now.</param>
/// <param name="Text">One line for the operator: what is wrong, or "ok".</param>
/// <param name="SchemaVersion">The number of the newest migration applied.</param>
/// <param name="SizeBytes">Size on disk; 0 when unknown.</param>
/// <param name="WritesWaiting">Writes in the queue.</param>
internal sealed record StorageHealth(bool Working, string Text, int SchemaVersion, long SizeBytes, int WritesWaiting);
