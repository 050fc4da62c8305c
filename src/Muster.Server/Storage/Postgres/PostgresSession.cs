using System.Data.Common;
using System.Globalization;
using Muster.Server.Storage.Sql;
using Npgsql;

namespace Muster.Server.Storage.Postgres;

/// <summary>
/// A connection to PostgreSQL. Posted statements are collected and travel together with the next one whose answer is
/// needed, so that a group of many small writes costs a few round trips and not hundreds.
/// </summary>
internal sealed class PostgresSession(NpgsqlConnection connection, PostgresDatabase database) : SqlSession
{
    // Longer batches only delay the first answer.
    const int BatchMax = 256;

    readonly List<Func<int, StorageException?>?> _checks = [];
    NpgsqlBatch? _pending;
    NpgsqlTransaction? _transaction;
    bool _broken;

    public override bool Broken => _broken || connection.State != System.Data.ConnectionState.Open;

    /// <summary>Stops what runs for a caller that gave up; set for reads only.</summary>
    public CancellationToken Cancel { get; init; }

    public override async ValueTask Begin() => _transaction = await connection.BeginTransactionAsync();

    public override async ValueTask BeginSnapshot() =>
        _transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, Cancel);

    public override async ValueTask Commit()
    {
        // The transaction's number tells later, should the connection break now, whether it was committed.
        var number = await Query("SELECT pg_current_xact_id()::text",
            static row => ulong.Parse(row.GetString(0), CultureInfo.InvariantCulture));
        try
        {
            await _transaction!.CommitAsync();
        }
        catch (NpgsqlException e) when (e is not PostgresException)
        {
            _broken = true;
            if (!await database.WasCommitted(number[0])) throw Translate(e);
        }
        catch (PostgresException e)
        {
            throw Translate(e);
        }
        finally
        {
            _transaction = null;
        }
    }

    public override async ValueTask Rollback()
    {
        _checks.Clear();
        if (_pending is not null) await _pending.DisposeAsync();
        _pending = null;
        var transaction = _transaction;
        _transaction = null;
        if (transaction is null) return;
        try
        {
            await transaction.DisposeAsync(); // rolls back
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
        {
            _broken = true;
        }
    }

    public override async ValueTask Post(
        string sql, Func<int, StorageException?>? check, params object?[] args)
    {
        Add(sql, check, args);
        if (_checks.Count >= BatchMax) await Flush();
    }

    public override async ValueTask<int> Execute(string sql, params object?[] args)
    {
        Add(sql, null, args);
        return await Flush();
    }

    public override async ValueTask<List<T>> Query<T>(string sql, Func<DbDataReader, T> map, params object?[] args)
    {
        Add(sql, null, args);
        var batch = Take();
        var rows = new List<T>();
        try
        {
            await using (batch)
            {
                // What was posted before returns no rows, so the first result is this query's.
                await using var reader = await batch.ExecuteReaderAsync(Cancel);
                while (await reader.ReadAsync(Cancel)) rows.Add(map(reader));
                while (await reader.NextResultAsync(Cancel)) { }
            }
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw Translate(e);
        }
        Check(batch);
        return rows;
    }

    void Add(string sql, Func<int, StorageException?>? check, object?[] args)
    {
        _pending ??= new NpgsqlBatch(connection, _transaction);
        var command = new NpgsqlBatchCommand(sql);
        foreach (object? arg in args) command.Parameters.Add(new NpgsqlParameter { Value = arg ?? DBNull.Value });
        _pending.BatchCommands.Add(command);
        _checks.Add(check);
    }

    NpgsqlBatch Take()
    {
        var batch = _pending!;
        _pending = null;
        return batch;
    }

    /// <summary>Runs what is collected; returns the row count of the last statement.</summary>
    async ValueTask<int> Flush()
    {
        var batch = Take();
        try
        {
            await using (batch) await batch.ExecuteNonQueryAsync(Cancel);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            throw Translate(e);
        }
        Check(batch);
        return batch.BatchCommands[^1].RecordsAffected;
    }

    void Check(NpgsqlBatch batch)
    {
        for (int i = 0; i < _checks.Count; i++)
        {
            if (_checks[i]?.Invoke(batch.BatchCommands[i].RecordsAffected) is not { } objection) continue;
            _checks.Clear();
            throw objection;
        }
        _checks.Clear();
    }

    StorageException Translate(Exception e)
    {
        _checks.Clear();
        if (e is not PostgresException) _broken = true;
        return PostgresFaults.Translate(e, database.Name);
    }

    public override async ValueTask DisposeAsync()
    {
        await Rollback();
        await connection.DisposeAsync();
    }
}

/// <summary>PostgreSQL's errors in the operator's words.</summary>
internal static class PostgresFaults
{
    public static StorageException Translate(Exception e, string database)
    {
        if (e is not PostgresException postgres)
        {
            return new StorageException(
                StorageFault.Unavailable, $"no connection to {database}: {OneLine(e.Message)}", e);
        }
        string detail = $"{OneLine(postgres.MessageText)} [{postgres.SqlState}]";
        // Classes and codes: PostgreSQL documentation, appendix A.
        var (fault, text) = postgres.SqlState switch
        {
            "53100" => (StorageFault.Full, $"no room on the disk of {database}"),
            "25006" or "42501" => (StorageFault.NotWritable, $"{database} may not be written: {detail}"),
            "28000" or "28P01" or "3D000" => (StorageFault.NotWritable, $"{database} does not let us in: {detail}"),
            "40001" or "40P01" or "55P03" => (StorageFault.Unavailable, $"{database} is locked by another: {detail}"),
            var state when state.StartsWith("23", StringComparison.Ordinal) =>
                (StorageFault.Conflict, $"the write does not fit what is stored: {detail}"),
            var state when state[..2] is "08" or "53" or "57" or "58" =>
                (StorageFault.Unavailable, $"{database} is not available: {detail}"),
            var state when state[..2] is "XX" => (StorageFault.Unreadable, $"{database} is damaged: {detail}"),
            _ => (StorageFault.Unreadable, $"{database}: {detail}"),
        };
        return new StorageException(fault, text, e);
    }

    static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
