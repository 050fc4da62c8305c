using System.Data.Common;
using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Sql;

internal sealed class SqlAccounts(SqlDatabase db) : IAccountStore
{
    const string Columns =
        "local, domain, scram_sha1, scram_sha256, disabled, created_at, last_active_at, last_status";

    /// <summary>The account's key in other tables; null when there is no such account.</summary>
    public static ValueTask<long?> Key(SqlSession session, Jid account) => session.Number(
        "SELECT key FROM accounts WHERE domain = $1 AND local = $2",
        account.Domain.ToString(), account.Local.ToString());

    /// <summary>The account's key, or a conflict.</summary>
    public static async ValueTask<long> RequireKey(SqlSession session, Jid account) =>
        await Key(session, account)
        ?? throw new StorageException(StorageFault.Conflict, $"there is no account {account}");

    static Account Map(DbDataReader row) => new()
    {
        Jid = SqlDatabase.Address($"{row.GetString(0)}@{row.GetString(1)}"),
        ScramSha1 = row.IsDBNull(2) ? null : row.GetString(2),
        ScramSha256 = row.IsDBNull(3) ? null : row.GetString(3),
        Disabled = row.GetBoolean(4),
        CreatedAt = StoredTime.To(row.GetInt64(5)),
        LastActiveAt = row.IsDBNull(6) ? null : StoredTime.To(row.GetInt64(6)),
        LastStatus = row.GetString(7),
    };

    public ValueTask<Account?> Find(Jid account, CancellationToken cancel = default) => db.Read(async session =>
    {
        var rows = await session.Query($"SELECT {Columns} FROM accounts WHERE domain = $1 AND local = $2", Map,
            account.Domain.ToString(), account.Local.ToString());
        return rows.Count > 0 ? rows[0] : null;
    }, cancel);

    public ValueTask<bool> TryAdd(Account account, CancellationToken cancel = default) => db.Write(async session =>
        await session.Execute(
            $"INSERT INTO accounts ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            account.Jid.Local.ToString(), account.Jid.Domain.ToString(), account.ScramSha1, account.ScramSha256,
            account.Disabled, StoredTime.From(account.CreatedAt),
            account.LastActiveAt is { } at ? StoredTime.From(at) : null, account.LastStatus) > 0, cancel);

    public ValueTask<bool> Update(Account account, CancellationToken cancel = default) => db.Write(async session =>
        await session.Execute(
            "UPDATE accounts SET scram_sha1 = $3, scram_sha256 = $4, disabled = $5 WHERE domain = $1 AND local = $2",
            account.Jid.Domain.ToString(), account.Jid.Local.ToString(),
            account.ScramSha1, account.ScramSha256, account.Disabled) > 0, cancel);

    public ValueTask<bool> SetLastActivity(
        Jid account, DateTimeOffset at, string status, CancellationToken cancel = default) => db.Write(async session =>
        await session.Execute(
            "UPDATE accounts SET last_active_at = $3, last_status = $4 WHERE domain = $1 AND local = $2",
            account.Domain.ToString(), account.Local.ToString(), StoredTime.From(at), status) > 0, cancel);

    public async ValueTask<bool> Remove(Jid account, CancellationToken cancel = default)
    {
        bool removed = await db.Write(async session =>
        {
            // The tables that belong to an account refer to it with ON DELETE CASCADE.
            int rows = await session.Execute("DELETE FROM accounts WHERE domain = $1 AND local = $2",
                account.Domain.ToString(), account.Local.ToString());
            if (rows > 0)
            {
                await SqlArchive.Detach(session, account);
                await SqlPushes.Clear(session, account);
            }
            return rows > 0;
        }, cancel);
        if (removed) db.Sweep();
        return removed;
    }

    public ValueTask<IReadOnlyList<Account>> List(
        string domain, Jid after, int max, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<Account>>(async session => await session.Query(
            $"SELECT {Columns} FROM accounts WHERE domain = $1 AND local > $2 ORDER BY local LIMIT $3", Map,
            domain, after.Local.ToString(), max), cancel);

    public ValueTask<long> Count(string domain, CancellationToken cancel = default) => db.Read(async session =>
        await session.Number("SELECT count(*) FROM accounts WHERE domain = $1", domain) ?? 0, cancel);
}
