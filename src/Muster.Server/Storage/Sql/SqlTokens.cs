using System.Data.Common;
using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Sql;

internal sealed class SqlTokens(SqlDatabase db) : ITokenStore
{
    static StoredToken Map(DbDataReader row) => new()
    {
        Client = row.GetString(0),
        IsFresh = row.GetBoolean(1),
        Mechanism = row.GetString(2),
        Seed = (byte[])row.GetValue(3),
        CreatedAt = StoredTime.To(row.GetInt64(4)),
        ExpiresAt = StoredTime.To(row.GetInt64(5)),
        LastCount = row.GetInt64(6),
    };

    public ValueTask<IReadOnlyList<StoredToken>> Find(Jid account, string client, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<StoredToken>>(async session => await session.Query(
            "SELECT t.client, t.fresh, t.mechanism, t.seed, t.created_at, t.expires_at, t.last_count "
            + "FROM login_tokens t JOIN accounts a ON a.key = t.account "
            + "WHERE a.domain = $1 AND a.local = $2 AND t.client = $3 ORDER BY t.fresh DESC", Map,
            account.Domain.ToString(), account.Local.ToString(), client), cancel);

    public ValueTask<int> Issue(Jid account, StoredToken token, int max, CancellationToken cancel = default) =>
        db.Write(async session =>
        {
            long key = await SqlAccounts.RequireKey(session, account);
            await session.Post(
                "INSERT INTO login_tokens "
                + "(account, client, fresh, mechanism, seed, created_at, expires_at, last_count) "
                + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account, client, fresh) DO UPDATE SET "
                + "mechanism = excluded.mechanism, seed = excluded.seed, created_at = excluded.created_at, "
                + "expires_at = excluded.expires_at, last_count = excluded.last_count", null,
                key, token.Client, true, token.Mechanism, SqlDatabase.Bytes(token.Seed),
                StoredTime.From(token.CreatedAt), StoredTime.From(token.ExpiresAt), token.LastCount);
            var clients = await session.Query(
                "SELECT client FROM login_tokens WHERE account = $1 AND client <> $2 "
                + "GROUP BY client ORDER BY max(created_at) DESC, client", static row => row.GetString(0),
                key, token.Client);
            int kept = Math.Max(max - 1, 0);
            foreach (string client in clients.Skip(kept))
            {
                await session.Post(
                    "DELETE FROM login_tokens WHERE account = $1 AND client = $2", null, key, client);
            }
            return Math.Max(clients.Count - kept, 0);
        }, cancel);

    public ValueTask<bool> TryUse(
        Jid account, StoredToken token, long? count, CancellationToken cancel = default) => db.Write(async session =>
    {
        if (await SqlAccounts.Key(session, account) is not { } key) return false;
        var rows = await session.Query(
            "SELECT fresh, last_count FROM login_tokens WHERE account = $1 AND client = $2 AND seed = $3",
            static row => (IsFresh: row.GetBoolean(0), LastCount: row.GetInt64(1)),
            key, token.Client, SqlDatabase.Bytes(token.Seed));
        if (rows.Count == 0 || count <= rows[0].LastCount) return false;
        if (rows[0].IsFresh)
        {
            await session.Post("DELETE FROM login_tokens WHERE account = $1 AND client = $2 AND fresh = $3", null,
                key, token.Client, false);
        }
        await session.Post(
            "UPDATE login_tokens SET fresh = $3, last_count = $4 WHERE account = $1 AND client = $2 AND seed = $5",
            null, key, token.Client, false, count ?? rows[0].LastCount, SqlDatabase.Bytes(token.Seed));
        return true;
    }, cancel);

    public ValueTask<int> Remove(Jid account, string? client, CancellationToken cancel = default) =>
        db.Write(async session =>
        {
            if (await SqlAccounts.Key(session, account) is not { } key) return 0;
            return client is null
                ? await session.Execute("DELETE FROM login_tokens WHERE account = $1", key)
                : await session.Execute(
                    "DELETE FROM login_tokens WHERE account = $1 AND client = $2", key, client);
        }, cancel);

    public ValueTask<int> RemoveExpired(DateTimeOffset now, CancellationToken cancel = default) => db.Write(
        session => session.Execute("DELETE FROM login_tokens WHERE expires_at <= $1", StoredTime.From(now)), cancel);
}
