using System.Diagnostics;
using System.Globalization;
using Muster.Server.Storage.Sql;
using Npgsql;

namespace Muster.Server.Storage.Postgres;

/// <summary>
/// The database in a PostgreSQL server. One connection writes, a small pool reads. A connection that breaks is
/// replaced; the server's absence is bridged for <see cref="StorageOptions.Patience"/>, after which calls fail at once
/// until it is back. </summary>
internal sealed class PostgresDatabase : SqlDatabase
{
    const int OldestVersion = 13;           // pg_xact_status for 64-bit transaction numbers
    const long MigrationLock = 0x4D555354;  // "MUST"; any number that others do not use

    readonly NpgsqlDataSource _source;
    readonly SqlWriter _writer;
    readonly string _serverVersion;
    long _downUntil; // Stopwatch ticks: up to then an unreachable server is not waited for again
    volatile bool _closed;

    PostgresDatabase(StorageOptions options, NpgsqlDataSource source, string name, string serverVersion, int schema)
        : base(options)
    {
        _source = source;
        _serverVersion = serverVersion;
        Name = name;
        SchemaVersion = schema;
        _writer = new SqlWriter(OpenWriter, options, ownThread: false);
    }

    /// <summary>Which database this is, for messages: without user and password.</summary>
    public string Name { get; }

    public override string Description => $"{Name}, PostgreSQL {_serverVersion}";

    public override int WritesWaiting => _writer.Waiting;

    /// <summary>Connects and brings the schema up to date.</summary>
    /// <param name="options">The connection string, durability and limits.</param>
    /// <param name="migrations">The steps of the schema; all there are when null.</param>
    /// <param name="cancel">Gives up.</param>
    public static async ValueTask<PostgresDatabase> Open(
        StorageOptions options, IReadOnlyList<Migration>? migrations = null, CancellationToken cancel = default)
    {
        migrations ??= Migrations.Of("Postgres");
        var settings = Settings(options);
        string name = $"database {settings.Database} on {settings.Host}";
        var source = NpgsqlDataSource.Create(settings);
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancel);
            await Require(connection, name, cancel);
            int version = await Migrate(connection, migrations, name, cancel);
            if (version > 0 && version < migrations.Count)
                StorageLog.Migrated(options.Log, version, migrations.Count);
            var database = new PostgresDatabase(
                options, source, name, connection.PostgreSqlVersion.ToString(), migrations.Count);
            StorageLog.Opened(options.Log, database.Description, migrations.Count);
            database.Sweep();
            return database;
        }
        catch (Exception e)
        {
            await source.DisposeAsync();
            if (e is NpgsqlException or TimeoutException) throw PostgresFaults.Translate(e, name);
            throw;
        }
    }

    static NpgsqlConnectionStringBuilder Settings(StorageOptions options)
    {
        try
        {
            var settings = new NpgsqlConnectionStringBuilder(options.Connection)
            {
                ApplicationName = "muster",
                MaxPoolSize = options.Readers + 2, // the writer, and one for a look at a commit that broke off
                MaxAutoPrepare = 128,
                AutoPrepareMinUsages = 2,
                Timeout = Math.Max(1, (int)Math.Ceiling(options.Patience.TotalSeconds)),
            };
            if (string.IsNullOrEmpty(settings.Host)) throw new ArgumentException("it names no Host");
            return settings;
        }
        catch (ArgumentException e)
        {
            // Not the text itself: it holds the password.
            throw new StorageException(StorageFault.NotWritable,
                $"the connection string of [storage] is wrong: {e.Message}", e);
        }
    }

    static async Task Require(NpgsqlConnection connection, string name, CancellationToken cancel)
    {
        if (connection.PostgreSqlVersion.Major < OldestVersion)
        {
            throw new StorageException(StorageFault.NotSupported,
                $"{name} is PostgreSQL {connection.PostgreSqlVersion}; {OldestVersion} or newer is needed");
        }
        await using var encoding = new NpgsqlCommand("SHOW server_encoding", connection);
        string? found = (string?)await encoding.ExecuteScalarAsync(cancel);
        if (found != "UTF8")
            throw new StorageException(StorageFault.NotSupported, $"{name} has the encoding {found}; UTF8 is needed");
    }

    /// <summary>Applies what is missing, each step with its number in one transaction; returns the version
    /// found.</summary>
    static async Task<int> Migrate(
        NpgsqlConnection connection, IReadOnlyList<Migration> steps, string name, CancellationToken cancel)
    {
        await Run("CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL)");
        int first = await Version();
        foreach (var step in Migrations.Pending(steps, first, name))
        {
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            // Two servers may start at once: the second waits here and then finds the step done.
            await Run(string.Create(CultureInfo.InvariantCulture, $"SELECT pg_advisory_xact_lock({MigrationLock})"));
            if (await Version() < step.Number)
            {
                await Run(step.Sql);
                await Run(string.Create(CultureInfo.InvariantCulture,
                    $"DELETE FROM schema_version; INSERT INTO schema_version VALUES ({step.Number})"));
            }
            await transaction.CommitAsync(cancel);
        }
        return first;

        async Task Run(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(cancel);
        }

        async Task<int> Version()
        {
            await using var command = connection.CreateCommand();
            command.CommandText = "SELECT coalesce(max(version), 0) FROM schema_version";
            return (int)(await command.ExecuteScalarAsync(cancel))!;
        }
    }

    async ValueTask<SqlSession> OpenWriter()
    {
        var connection = await Connect(CancellationToken.None);
        try
        {
            // Never "off": PostgreSQL forgets the last half second when one of its processes crashes, and what was
            // shown would be lost by that. Full waits for synchronous standbys as well, where there are any.
            string synchronous = Options.Durability == Durability.Full ? "on" : "local";
            await using var command = new NpgsqlCommand($"SET synchronous_commit = {synchronous}", connection);
            await command.ExecuteNonQueryAsync();
            return new PostgresSession(connection, this);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            await connection.DisposeAsync();
            throw PostgresFaults.Translate(e, Name);
        }
    }

    /// <summary>A connection from the pool. While the server is away it is tried again until the patience ends; then
    /// callers are refused after one try for as long again, so that nobody queues behind hopeless waiting.</summary>
    async ValueTask<NpgsqlConnection> Connect(CancellationToken cancel)
    {
        long started = Stopwatch.GetTimestamp();
        var pause = TimeSpan.FromMilliseconds(50);
        while (true)
        {
            try
            {
                var connection = await _source.OpenConnectionAsync(cancel);
                Volatile.Write(ref _downUntil, 0);
                return connection;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                bool known = Stopwatch.GetTimestamp() < Volatile.Read(ref _downUntil);
                bool worthWaiting = e is NpgsqlException { IsTransient: true };
                if (_closed || known || !worthWaiting || Stopwatch.GetElapsedTime(started) + pause > Options.Patience)
                {
                    Volatile.Write(ref _downUntil, Stopwatch.GetTimestamp()
                        + (long)(Options.Patience.TotalSeconds * Stopwatch.Frequency));
                    throw PostgresFaults.Translate(e, Name);
                }
            }
            await Task.Delay(pause, cancel);
            if (pause < TimeSpan.FromSeconds(1)) pause *= 2;
        }
    }

    /// <summary>Whether a transaction whose commit broke off was committed. Throws
    /// <see cref="StorageFault.OutcomeUnknown"/> when that cannot be found out.</summary>
    public async ValueTask<bool> WasCommitted(ulong number)
    {
        long started = Stopwatch.GetTimestamp();
        do
        {
            try
            {
                _source.Clear(); // the others of the pool are most likely gone too
                await using var session = new PostgresSession(await Connect(CancellationToken.None), this);
                var status = await session.Query($"SELECT pg_xact_status('{number}'::xid8)",
                    static row => row.IsDBNull(0) ? null : row.GetString(0));
                if (status[0] == "committed") return true;
                if (status[0] == "aborted") return false;
            }
            catch (StorageException)
            {
                // The connection broke because the server is going down: it may be back in time.
            }
            await Task.Delay(50); // or the server has not noticed yet that we are gone
        }
        while (Stopwatch.GetElapsedTime(started) <= Options.Patience);
        throw new StorageException(StorageFault.OutcomeUnknown,
            $"the connection to {Name} broke during a commit, and whether it happened is unknown");
    }

    public override ValueTask<T> Write<T>(Func<SqlSession, ValueTask<T>> write, CancellationToken cancel) =>
        _writer.Write(write, cancel);

    public override async ValueTask<T> Read<T>(Func<SqlSession, ValueTask<T>> read, CancellationToken cancel)
    {
        for (bool again = true; ; again = false)
        {
            if (_closed) throw new StorageException(StorageFault.Unavailable, "the database is closed");
            await using var session = new PostgresSession(await Connect(cancel), this) { Cancel = cancel };
            try
            {
                return await read(session);
            }
            catch (StorageException e) when (again && e.Fault == StorageFault.Unavailable && session.Broken)
            {
                // The server was restarted under an idle connection: nothing is lost by asking once more.
                _source.Clear();
            }
        }
    }

    protected override ValueTask<long> Size(CancellationToken cancel) => Read(
        async session => await session.Number("SELECT pg_database_size(current_database())") ?? 0, cancel);

    public override ValueTask Backup(string path, CancellationToken cancel = default) =>
        throw new StorageException(StorageFault.NotSupported,
            $"{Name} is backed up with PostgreSQL's own tool: pg_dump --format=custom --file=FILE DATABASE");

    public override async ValueTask DisposeAsync()
    {
        if (_closed) return;
        await _writer.DisposeAsync();
        _closed = true;
        await _source.DisposeAsync();
    }
}
