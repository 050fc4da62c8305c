using System.Text;
using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Sql;

internal sealed class SqlOffline(SqlDatabase db) : IOfflineStore
{
    const string OfAccount = "account = (SELECT key FROM accounts WHERE domain = $1 AND local = $2)";

    public ValueTask<OfflineAppend> TryAppend(
        Jid account, ReadOnlyMemory<byte> stanza, DateTimeOffset receivedAt, int max,
        CancellationToken cancel = default) =>
        db.Write(async session =>
        {
            if (await SqlAccounts.Key(session, account) is not { } key) return OfflineAppend.NoAccount;
            long? count = await session.Number("SELECT count(*) FROM offline_messages WHERE account = $1", key);
            if (count >= max) return OfflineAppend.Full;
            await session.Post("INSERT INTO offline_messages (account, received_at, stanza) VALUES ($1, $2, $3)", null,
                key, StoredTime.From(receivedAt), SqlDatabase.Bytes(stanza));
            return OfflineAppend.Stored;
        }, cancel);

    public ValueTask<IReadOnlyList<OfflineMessage>> Load(
        Jid account, long afterId, int max, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<OfflineMessage>>(async session => await session.Query(
            $"SELECT id, received_at, stanza FROM offline_messages WHERE {OfAccount} AND id > $3 ORDER BY id LIMIT $4",
            static row => new OfflineMessage(
                row.GetInt64(0), StoredTime.To(row.GetInt64(1)), row.GetFieldValue<byte[]>(2)),
            account.Domain.ToString(), account.Local.ToString(), afterId, max), cancel);

    public ValueTask<int> Remove(Jid account, long upToId, CancellationToken cancel = default) =>
        db.Write(session => session.Execute($"DELETE FROM offline_messages WHERE {OfAccount} AND id <= $3",
            account.Domain.ToString(), account.Local.ToString(), upToId), cancel);

    public ValueTask<int> Count(Jid account, CancellationToken cancel = default) => db.Read(async session =>
        (int)(await session.Number($"SELECT count(*) FROM offline_messages WHERE {OfAccount}",
            account.Domain.ToString(), account.Local.ToString()) ?? 0), cancel);
}

internal sealed class SqlAccountData(SqlDatabase db) : IAccountDataStore
{
    const string OfAccount = "account = (SELECT key FROM accounts WHERE domain = $1 AND local = $2)";

    public ValueTask<string?> Get(Jid account, string key, CancellationToken cancel = default) =>
        db.Read(async session =>
        {
            var rows = await session.Query($"SELECT document FROM account_data WHERE {OfAccount} AND name = $3",
                static row => row.GetString(0), account.Domain.ToString(), account.Local.ToString(), key);
            return rows.Count > 0 ? rows[0] : null;
        }, cancel);

    public async ValueTask Set(Jid account, string key, string document, CancellationToken cancel = default) =>
        await db.Write(async session =>
        {
            long owner = await SqlAccounts.RequireKey(session, account);
            await session.Post(
                "INSERT INTO account_data (account, name, document, size) VALUES ($1, $2, $3, $4) "
                + "ON CONFLICT (account, name) DO UPDATE SET document = excluded.document, size = excluded.size", null,
                owner, key, document, Encoding.UTF8.GetByteCount(document));
            return true;
        }, cancel);

    public ValueTask<bool> Remove(Jid account, string key, CancellationToken cancel = default) =>
        db.Write(async session => await session.Execute($"DELETE FROM account_data WHERE {OfAccount} AND name = $3",
            account.Domain.ToString(), account.Local.ToString(), key) > 0, cancel);

    public ValueTask<IReadOnlyList<AccountDataKey>> Keys(
        Jid account, string prefix, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<AccountDataKey>>(async session => await session.Query(
            // All that begins with the prefix lies between it and it followed by the last code point.
            $"SELECT name, size FROM account_data WHERE {OfAccount} AND name >= $3 AND name < $4 ORDER BY name",
            static row => new AccountDataKey(row.GetString(0), row.GetInt32(1)),
            account.Domain.ToString(), account.Local.ToString(), prefix, prefix + "\U0010FFFF"), cancel);
}
