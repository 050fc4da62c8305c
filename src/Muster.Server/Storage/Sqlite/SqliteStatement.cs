using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Muster.Server.Storage.Sqlite;

/// <summary>
/// A prepared statement that returns no rows, on SQLite's own functions: archiving runs one for each message, where the
/// objects that an ADO.NET command makes for each execution cost more than the insertion.
/// </summary>
internal sealed class SqliteStatement : IDisposable
{
    readonly sqlite3 _database;
    readonly sqlite3_stmt _statement;
    readonly int[] _positions; // SQLite numbers $3 by its place in the text, not by its name

    public SqliteStatement(sqlite3 database, string sql, int parameters)
    {
        _database = database;
        Check(raw.sqlite3_prepare_v3(database, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement));
        _positions = new int[parameters];
        for (int i = 0; i < parameters; i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"${i + 1}");
            _positions[i] = raw.sqlite3_bind_parameter_index(_statement, name);
            if (_positions[i] == 0) throw new ArgumentException($"'{sql}' has no parameter {name}", nameof(sql));
        }
    }

    /// <summary>Runs it; returns the number of rows affected.</summary>
    public int Execute(object?[] args)
    {
        try
        {
            for (int i = 0; i < _positions.Length; i++) Check(Bind(_positions[i], args[i]));
            int result;
            do result = raw.sqlite3_step(_statement);
            while (result == raw.SQLITE_ROW);
            if (result != raw.SQLITE_DONE) Check(result);
            return raw.sqlite3_changes(_database);
        }
        finally
        {
            raw.sqlite3_reset(_statement); // repeats the error of the step
        }
    }

    int Bind(int position, object? value) => value switch
    {
        null => raw.sqlite3_bind_null(_statement, position),
        string text => raw.sqlite3_bind_text(_statement, position, text),
        long number => raw.sqlite3_bind_int64(_statement, position, number),
        int number => raw.sqlite3_bind_int(_statement, position, number),
        bool flag => raw.sqlite3_bind_int(_statement, position, flag ? 1 : 0),
        byte[] bytes => raw.sqlite3_bind_blob(_statement, position, bytes),
        _ => throw new ArgumentException($"SQLite cannot store a {value.GetType().Name}", nameof(value)),
    };

    void Check(int result)
    {
        if (result != raw.SQLITE_OK) SqliteException.ThrowExceptionForRC(result, _database);
    }

    public void Dispose() => _statement.Dispose();
}
