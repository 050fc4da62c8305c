using System.Data.Common;

namespace Muster.Server.Storage.Sql;

/// <summary>
/// One connection as the stores see it. The stores write their SQL once, with parameters <c>$1</c>, <c>$2</c> that both
/// databases understand; a session binds, runs, reuses prepared statements and turns the database's errors into
/// <see cref="StorageException"/>.
/// </summary>
/// <remarks>Used by one caller at a time. With SQLite every method completes before it returns.</remarks>
internal abstract class SqlSession : IAsyncDisposable
{
    /// <summary>Whether the connection is of no more use and must be replaced.</summary>
    public abstract bool Broken { get; }

    /// <summary>Begins a transaction that writes.</summary>
    public abstract ValueTask Begin();

    /// <summary>Begins a transaction that reads everything as of one moment.</summary>
    public abstract ValueTask BeginSnapshot();

    /// <summary>Makes the transaction last. When it throws, nothing of it is stored.</summary>
    public abstract ValueTask Commit();

    /// <summary>Undoes the transaction; does not throw: a connection that cannot is <see cref="Broken"/>.</summary>
    public abstract ValueTask Rollback();

    /// <summary>
    /// Runs a statement whose answer nobody waits for; a remote database gets several in one go. Its failure is thrown
    /// by this or a later call, at the latest by <see cref="Commit"/>. <paramref name="check"/> looks at the number of
    /// rows affected and may object.
    /// </summary>
    public abstract ValueTask Post(string sql, Func<int, StorageException?>? check, params object?[] args);

    /// <summary>Runs a statement; returns the number of rows affected.</summary>
    public abstract ValueTask<int> Execute(string sql, params object?[] args);

    /// <summary>Runs a query; all its rows.</summary>
    public abstract ValueTask<List<T>> Query<T>(string sql, Func<DbDataReader, T> map, params object?[] args);

    /// <summary>The number in the first row and column, or null when there is no row or it is NULL.</summary>
    public async ValueTask<long?> Number(string sql, params object?[] args)
    {
        var rows = await Query<long?>(sql, static row => row.IsDBNull(0) ? null : row.GetInt64(0), args);
        return rows.Count > 0 ? rows[0] : null;
    }

    public abstract ValueTask DisposeAsync();
}
