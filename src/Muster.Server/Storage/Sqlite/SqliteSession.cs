using System.Data.Common;
using Microsoft.Data.Sqlite;
using Muster.Server.Storage.Sql;

namespace Muster.Server.Storage.Sqlite;

/// <summary>A connection to a SQLite file. Everything here blocks and is done when it returns.</summary>
internal sealed class SqliteSession : SqlSession
{
    // More than the stores have texts; archive queries have a few dozen shapes.
    const int StatementsMax = 256;

    // SQLite's own result codes, https://sqlite.org/rescode.html
    const int Busy = 5, Locked = 6, ReadOnly = 8, IoError = 10, Corrupt = 11, DiskFull = 13, CannotOpen = 14;
    const int Constraint = 19, NotADatabase = 26;

    readonly string _path;
    readonly SqliteConnection _connection;
    readonly Dictionary<string, SqliteCommand> _queries = [];
    readonly Dictionary<string, SqliteStatement> _writes = [];
    bool _broken;

    SqliteSession(string path, SqliteConnection connection)
    {
        _path = path;
        _connection = connection;
    }

    public override bool Broken => _broken;

    /// <summary>Opens an existing file, or with <paramref name="create"/> a new one.</summary>
    public static SqliteSession Open(string path, StorageOptions options, bool create = false)
    {
        SqliteLibrary.Load();
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = create ? SqliteOpenMode.ReadWriteCreate : SqliteOpenMode.ReadWrite,
            Pooling = false,
            // Waiting for a lock is done by SQLite itself (busy_timeout); the least that the driver adds is a second.
            DefaultTimeout = 1,
        }.ToString());
        var session = new SqliteSession(path, connection);
        try
        {
            connection.Open();
            string synchronous = options.Durability == Durability.Full ? "FULL" : "NORMAL";
            session.Run(
                $"PRAGMA busy_timeout = {(int)options.Patience.TotalMilliseconds}; PRAGMA foreign_keys = ON; "
                + $"PRAGMA synchronous = {synchronous}; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; "
                // The log file shrinks to this after a checkpoint, so that one long read does not leave it huge.
                + "PRAGMA wal_autocheckpoint = 10000; PRAGMA journal_size_limit = 67108864");
            return session;
        }
        catch (Exception e)
        {
            connection.Dispose();
            if (session.Translate(e) is { } translated) throw translated;
            throw;
        }
    }

    /// <summary>Runs statements without parameters, outside the cache of prepared ones.</summary>
    public void Run(string sql) => Guard(() =>
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteNonQuery();
    });

    /// <summary>The first value of a statement without parameters.</summary>
    public object? Value(string sql) => Guard(() =>
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    });

    public override ValueTask Begin()
    {
        // A file that was moved away could still be written, and all of it would be lost with the process.
        if (!File.Exists(_path)) throw Gone();
        ExecuteNow("BEGIN IMMEDIATE", []);
        return default;
    }

    public override ValueTask BeginSnapshot()
    {
        ExecuteNow("BEGIN", []);
        return default;
    }

    public override ValueTask Commit()
    {
        ExecuteNow("COMMIT", []);
        return default;
    }

    public override ValueTask Rollback()
    {
        try
        {
            // SQLite may have undone the transaction itself, as it does for some errors.
            if (SQLitePCL.raw.sqlite3_get_autocommit(_connection.Handle) == 0) ExecuteNow("ROLLBACK", []);
        }
        catch (StorageException)
        {
            _broken = true;
        }
        return default;
    }

    public override ValueTask Post(string sql, Func<int, StorageException?>? check, params object?[] args)
    {
        int rows = ExecuteNow(sql, args);
        if (check?.Invoke(rows) is { } objection) throw objection;
        return default;
    }

    public override ValueTask<int> Execute(string sql, params object?[] args) => new(ExecuteNow(sql, args));

    int ExecuteNow(string sql, object?[] args)
    {
        try
        {
            if (!_writes.TryGetValue(sql, out var statement))
            {
                if (_writes.Count >= StatementsMax) ForgetStatements();
                _writes.Add(sql, statement = new SqliteStatement(_connection.Handle!, sql, args.Length));
            }
            return statement.Execute(args);
        }
        catch (SqliteException e)
        {
            throw Translate(e)!;
        }
    }

    public override ValueTask<List<T>> Query<T>(string sql, Func<DbDataReader, T> map, params object?[] args)
    {
        try
        {
            var rows = new List<T>();
            using var reader = Prepare(sql, args).ExecuteReader();
            while (reader.Read()) rows.Add(map(reader));
            return new(rows);
        }
        catch (SqliteException e)
        {
            throw Translate(e)!;
        }
    }

    SqliteCommand Prepare(string sql, object?[] args)
    {
        if (!_queries.TryGetValue(sql, out var command))
        {
            if (_queries.Count >= StatementsMax) ForgetStatements();
            command = _connection.CreateCommand();
            command.CommandText = sql;
            for (int i = 0; i < args.Length; i++)
                command.Parameters.Add(new SqliteParameter { ParameterName = Names[i] });
            _queries.Add(sql, command);
        }
        for (int i = 0; i < args.Length; i++) command.Parameters[i].Value = args[i] ?? DBNull.Value;
        return command;
    }

    static readonly string[] Names = [.. Enumerable.Range(1, 16).Select(i => $"${i}")];

    void ForgetStatements()
    {
        foreach (var command in _queries.Values) command.Dispose();
        _queries.Clear();
        foreach (var statement in _writes.Values) statement.Dispose();
        _writes.Clear();
    }

    T Guard<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (SqliteException e)
        {
            throw Translate(e)!;
        }
    }

    StorageException Gone() => new(StorageFault.Unavailable, $"the database file {_path} is gone");

    /// <summary>The error in the operator's words; null when it is none of the database.</summary>
    StorageException? Translate(Exception e)
    {
        if (e is not SqliteException sqlite) return null;
        string detail = $"{sqlite.Message} [{sqlite.SqliteExtendedErrorCode}]";
        return sqlite.SqliteErrorCode switch
        {
            Busy or Locked => Fault(StorageFault.Unavailable, $"the database {_path} is locked by another process"),
            DiskFull => Fault(StorageFault.Full, $"no room to write to the database {_path}"),
            ReadOnly => Fault(StorageFault.NotWritable, $"the database {_path} may not be written"),
            CannotOpen when !File.Exists(_path) => Gone(),
            CannotOpen => Fault(StorageFault.NotWritable, $"the database {_path} cannot be opened"),
            NotADatabase => Fault(StorageFault.Unreadable, $"{_path} is not a SQLite database"),
            Corrupt => Fault(StorageFault.Unreadable, $"the database {_path} is damaged: {detail}"),
            IoError => Fault(StorageFault.Unavailable, $"the disk fails under the database {_path}: {detail}"),
            Constraint => Fault(StorageFault.Conflict, $"the write does not fit what is stored: {detail}"),
            _ => Fault(StorageFault.Unreadable, $"the database {_path}: {detail}"),
        };

        StorageException Fault(StorageFault fault, string text)
        {
            if (sqlite.SqliteErrorCode == IoError) _broken = true;
            return new StorageException(fault, text, e);
        }
    }

    public override ValueTask DisposeAsync()
    {
        ForgetStatements();
        _connection.Dispose();
        return default;
    }
}
