using System.Data.Common;
using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Sql;

internal sealed class SqlPushes(SqlDatabase db) : IPushStore
{
    const string Columns =
        "host, owner, scope, app, node, options, filters, device, lang, created_at, updated_at, errors, last_error, " +
        "last_error_at, last_push_at, last_success_at";
    const string IsKey = "host = $1 AND owner = $2 AND scope = $3 AND app = $4 AND node = $5";

    static PushKey Key(DbDataReader row) => new(
        row.GetString(0), SqlDatabase.Address(row.GetString(1)),
        row.GetString(2).Length == 0 ? Jid.None : SqlDatabase.Address(row.GetString(2)),
        SqlDatabase.Address(row.GetString(3)), row.GetString(4));

    static StoredPush Map(DbDataReader row) => new()
    {
        Key = Key(row),
        Options = Text(row, 5),
        Filters = Text(row, 6),
        Device = Text(row, 7),
        Lang = Text(row, 8),
        CreatedAt = StoredTime.To(row.GetInt64(9)),
        UpdatedAt = StoredTime.To(row.GetInt64(10)),
        Errors = (int)row.GetInt64(11),
        LastError = Text(row, 12),
        LastErrorAt = Time(row, 13),
        LastPushAt = Time(row, 14),
        LastSuccessAt = Time(row, 15),
    };

    static string? Text(DbDataReader row, int at) => row.IsDBNull(at) ? null : row.GetString(at);

    static DateTimeOffset? Time(DbDataReader row, int at) => row.IsDBNull(at) ? null : StoredTime.To(row.GetInt64(at));

    static long? Time(DateTimeOffset? time) => time is { } at ? StoredTime.From(at) : null;

    static string Scope(PushKey key) => key.Scope.IsNone ? "" : key.Scope.ToString();

    public ValueTask<IReadOnlyList<StoredPush>> Load(string host, Jid owner, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<StoredPush>>(async session => await session.Query(
            $"SELECT {Columns} FROM push_registrations WHERE host = $1 AND owner = $2 "
            + "ORDER BY updated_at, app, node", Map, host, owner.ToString()), cancel);

    public ValueTask<IReadOnlyList<(Jid Owner, bool HasFilters)>> Owners(
        string host, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<(Jid, bool)>>(async session => await session.Query(
            "SELECT owner, count(filters) FROM push_registrations WHERE host = $1 GROUP BY owner",
            static row => (SqlDatabase.Address(row.GetString(0)), row.GetInt64(1) > 0), host), cancel);

    public ValueTask<IReadOnlyList<PushKey>> Enable(StoredPush push, int max, CancellationToken cancel = default) =>
        db.Write<IReadOnlyList<PushKey>>(async session =>
        {
            var key = push.Key;
            await session.Post(
                $"INSERT INTO push_registrations ({Columns}) "
                + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) "
                + "ON CONFLICT (host, owner, scope, app, node) DO UPDATE SET options = excluded.options, "
                + "filters = excluded.filters, device = excluded.device, lang = excluded.lang, "
                + "updated_at = excluded.updated_at, errors = 0, last_error = NULL, last_error_at = NULL", null,
                key.Host, key.Owner.ToString(), Scope(key), key.App.ToString(), key.Node, push.Options, push.Filters,
                push.Device, push.Lang, StoredTime.From(push.CreatedAt), StoredTime.From(push.UpdatedAt), 0L, null,
                null, Time(push.LastPushAt), Time(push.LastSuccessAt));
            var all = await session.Query(
                "SELECT host, owner, scope, app, node FROM push_registrations WHERE host = $1 AND owner = $2 "
                + "ORDER BY updated_at, app, node", Key, key.Host, key.Owner.ToString());
            var gone = all.Where(other => other != key).Take(Math.Max(all.Count - max, 0)).ToList();
            foreach (var other in gone) await Delete(session, other);
            return gone;
        }, cancel);

    public async ValueTask Note(StoredPush push, CancellationToken cancel = default) =>
        await db.Write(session => session.Execute(
            "UPDATE push_registrations SET errors = $6, last_error = $7, last_error_at = $8, last_push_at = $9, "
            + $"last_success_at = $10 WHERE {IsKey}",
            push.Key.Host, push.Key.Owner.ToString(), Scope(push.Key), push.Key.App.ToString(), push.Key.Node,
            (long)push.Errors, push.LastError, Time(push.LastErrorAt), Time(push.LastPushAt),
            Time(push.LastSuccessAt)), cancel);

    public ValueTask<bool> Remove(PushKey key, CancellationToken cancel = default) =>
        db.Write(async session => await Delete(session, key) > 0, cancel);

    public ValueTask<int> RemoveAll(Jid owner, CancellationToken cancel = default) =>
        db.Write(session => Clear(session, owner), cancel);

    public ValueTask<int> RemoveUnused(DateTimeOffset since, CancellationToken cancel = default) =>
        db.Write(session => session.Execute(
            "DELETE FROM push_registrations WHERE updated_at < $1 AND coalesce(last_success_at, 0) < $1",
            StoredTime.From(since)), cancel);

    /// <summary>Removes what an account has registered, in the transaction that removes the account.</summary>
    public static ValueTask<int> Clear(SqlSession session, Jid owner) =>
        session.Execute("DELETE FROM push_registrations WHERE owner = $1", owner.ToString());

    static ValueTask<int> Delete(SqlSession session, PushKey key) => session.Execute(
        $"DELETE FROM push_registrations WHERE {IsKey}",
        key.Host, key.Owner.ToString(), Scope(key), key.App.ToString(), key.Node);
}
