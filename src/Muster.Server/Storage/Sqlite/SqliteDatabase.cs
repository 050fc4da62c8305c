using System.Collections.Concurrent;
using System.Globalization;
using Muster.Server.Storage.Sql;

namespace Muster.Server.Storage.Sqlite;

/// <summary>
/// The database in one file, in write-ahead log mode: the writer and the readers do not wait for each other.
/// </summary>
internal sealed class SqliteDatabase : SqlDatabase
{
    // "MUST": tells our files from those of other programs (the header's application id).
    const int ApplicationId = 0x4D555354;

    readonly string _path;
    readonly SqlWriter _writer;
    readonly SemaphoreSlim _readers;
    readonly ConcurrentBag<SqliteSession> _idle = [];
    readonly string _libraryVersion;
    volatile bool _closed;

    SqliteDatabase(StorageOptions options, SqliteSession first, int version) : base(options)
    {
        _path = options.Path;
        _libraryVersion = (string)first.Value("SELECT sqlite_version()")!;
        SchemaVersion = version;
        _readers = new SemaphoreSlim(options.Readers);
        SqliteSession? ready = first;
        _writer = new SqlWriter(
            () => new(Interlocked.Exchange(ref ready, null) ?? SqliteSession.Open(_path, options)), options,
            ownThread: true);
    }

    public override string Description => $"SQLite {_libraryVersion} in {_path}";

    public override int WritesWaiting => _writer.Waiting;

    /// <summary>Opens the file, or makes it, and brings its schema up to date.</summary>
    /// <param name="options">Path, durability and limits.</param>
    /// <param name="migrations">The steps of the schema; all there are when null.</param>
    public static SqliteDatabase Open(StorageOptions options, IReadOnlyList<Migration>? migrations = null)
    {
        migrations ??= Migrations.Of("Sqlite");
        bool isNew = Prepare(options.Path);
        var session = SqliteSession.Open(options.Path, options, create: true);
        try
        {
            int version = Migrate(session, options, migrations, isNew);
            var database = new SqliteDatabase(options, session, version);
            StorageLog.Opened(options.Log, database.Description, version);
            database.Sweep();
            return database;
        }
        catch
        {
            session.DisposeAsync().AsTask().GetAwaiter().GetResult(); // completes at once
            throw;
        }
    }

    /// <summary>Makes the folder and the file when they are missing, readable by this user alone: it holds
    /// secrets.</summary>
    static bool Prepare(string path)
    {
        try
        {
            string? folder = Path.GetDirectoryName(Path.GetFullPath(path));
            if (folder is not null) Directory.CreateDirectory(folder);
            if (File.Exists(path)) return false;
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            new FileStream(path, options).Dispose();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(StorageFault.NotWritable, $"{path} cannot be made: {e.Message}", e);
        }
    }

    static int Migrate(SqliteSession session, StorageOptions options, IReadOnlyList<Migration> steps, bool isNew)
    {
        int version = Number(session, "PRAGMA user_version");
        bool ours = Number(session, "PRAGMA application_id") == ApplicationId;
        bool empty = isNew || Number(session, "SELECT count(*) FROM sqlite_master") == 0;
        if (!ours && !empty)
            throw new StorageException(StorageFault.Unreadable, $"{options.Path} is a database of another program");

        var pending = Migrations.Pending(steps, version, options.Path).ToList();
        if (empty || (string)session.Value("PRAGMA journal_mode")! != "wal")
        {
            if ((string)session.Value("PRAGMA journal_mode = WAL")! != "wal")
            {
                throw new StorageException(StorageFault.NotWritable,
                    $"the file system of {options.Path} does not support SQLite's write-ahead log");
            }
        }
        foreach (var step in pending) Apply(session, step);
        if (pending.Count > 0 && version > 0) StorageLog.Migrated(options.Log, version, steps.Count);
        return steps.Count;
    }

    /// <summary>One step, with the number that says it is done, in one transaction.</summary>
    static void Apply(SqliteSession session, Migration step)
    {
        session.Run("BEGIN IMMEDIATE");
        try
        {
            // Another process may have been first.
            if (Number(session, "PRAGMA user_version") < step.Number)
            {
                session.Run(step.Sql);
                session.Run(string.Create(CultureInfo.InvariantCulture,
                    $"PRAGMA application_id = {ApplicationId}; PRAGMA user_version = {step.Number}"));
            }
            session.Run("COMMIT");
        }
        catch
        {
            session.Rollback().AsTask().GetAwaiter().GetResult(); // completes at once
            throw;
        }
    }

    static int Number(SqliteSession session, string sql) =>
        Convert.ToInt32(session.Value(sql), CultureInfo.InvariantCulture);

    public override ValueTask<T> Write<T>(Func<SqlSession, ValueTask<T>> write, CancellationToken cancel) =>
        _writer.Write(write, cancel);

    public override async ValueTask<T> Read<T>(Func<SqlSession, ValueTask<T>> read, CancellationToken cancel)
    {
        await _readers.WaitAsync(cancel);
        // A session blocks, and a thread that serves many must not.
        if (!Thread.CurrentThread.IsThreadPoolThread) await Task.Yield();
        SqliteSession? session = null;
        try
        {
            if (_closed) throw new StorageException(StorageFault.Unavailable, "the database is closed");
            if (!_idle.TryTake(out session)) session = SqliteSession.Open(_path, Options);
            return await read(session);
        }
        finally
        {
            if (session is not null)
            {
                if (session.Broken || _closed) await session.DisposeAsync();
                else _idle.Add(session);
            }
            _readers.Release();
        }
    }

    protected override ValueTask<long> Size(CancellationToken cancel)
    {
        long size = 0;
        foreach (string file in new[] { _path, _path + "-wal" })
        {
            var info = new FileInfo(file);
            if (info.Exists) size += info.Length;
        }
        return new(size);
    }

    public override async ValueTask Backup(string path, CancellationToken cancel = default) =>
        // VACUUM INTO reads one moment of the database without holding up the writer; it blocks, and may take long.
        await Task.Run(() => BackupNow(path), cancel);

    void BackupNow(string path)
    {
        string partial = path + ".partial"; // the name appears only when the copy is whole
        if (File.Exists(path))
            throw new StorageException(StorageFault.NotWritable, $"{path} exists already; a backup overwrites nothing");
        if (!Prepare(partial))
        {
            throw new StorageException(StorageFault.NotWritable,
                $"{partial} is there: a backup is under way, or one broke off and the file can be removed");
        }
        try
        {
            using (var session = new SessionScope(SqliteSession.Open(_path, Options)))
                session.Session.Run($"VACUUM INTO '{partial.Replace("'", "''", StringComparison.Ordinal)}'");
            using (var file = new FileStream(partial, FileMode.Open)) file.Flush(flushToDisk: true);
            File.Move(partial, path, overwrite: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or StorageException)
        {
            File.Delete(partial);
            string text = $"the backup {path} cannot be written: {e.Message}";
            throw e as StorageException ?? new StorageException(StorageFault.NotWritable, text, e);
        }
    }

    /// <summary>Disposes a session where only synchronous code is.</summary>
    readonly struct SessionScope(SqliteSession session) : IDisposable
    {
        public SqliteSession Session { get; } = session;
        public void Dispose() => Session.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }

    public override async ValueTask DisposeAsync()
    {
        if (_closed) return;
        await _writer.DisposeAsync();
        _closed = true;
        // Whoever reads still, finishes first.
        for (int i = 0; i < Options.Readers; i++) await _readers.WaitAsync();
        while (_idle.TryTake(out var session)) await session.DisposeAsync();
        _readers.Release(Options.Readers);
    }
}
