using System.Data.Common;
using System.Text.Json;
using Muster.Core.Rosters;
using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Sql;

internal sealed class SqlRosters(SqlDatabase db) : IRosterStore
{
    public ValueTask<RosterData> Load(Jid account, CancellationToken cancel = default) =>
        db.ReadSnapshot(session => Load(session, account), cancel);

    static async ValueTask<RosterData> Load(SqlSession session, Jid account)
    {
        if (await SqlAccounts.Key(session, account) is not { } key) return RosterData.Empty;
        var header = await session.Query("SELECT version, complete_since FROM rosters WHERE account = $1",
            static row => (Version: row.GetInt64(0), CompleteSince: row.GetInt64(1)), key);
        if (header.Count == 0) return RosterData.Empty;
        var items = await session.Query(
            "SELECT jid, name, groups, subscription, pending_out, approved, pending_in, listed, version "
            + "FROM roster_items WHERE account = $1 ORDER BY jid", Map, key);
        var removals = await session.Query(
            "SELECT jid, version FROM roster_removals WHERE account = $1 ORDER BY version, jid",
            static row => new RosterRemoval(SqlDatabase.Address(row.GetString(0)), row.GetInt64(1)), key);
        return new RosterData(header[0].Version, header[0].CompleteSince, items, removals);
    }

    static RosterItem Map(DbDataReader row) => new()
    {
        Jid = SqlDatabase.Address(row.GetString(0)),
        Name = row.GetString(1),
        Groups = row.GetString(2) is { Length: > 0 } groups ? JsonSerializer.Deserialize<string[]>(groups)! : [],
        Subscription = (RosterSubscription)row.GetInt32(3),
        PendingOut = row.GetBoolean(4),
        Approved = row.GetBoolean(5),
        PendingIn = row.IsDBNull(6) ? (ReadOnlyMemory<byte>?)null : row.GetFieldValue<byte[]>(6),
        Listed = row.GetBoolean(7),
        Version = row.GetInt64(8),
    };

    public async ValueTask Save(Jid account, RosterItem item, long newVersion, CancellationToken cancel = default) =>
        await db.Write(async session =>
        {
            long key = await SqlAccounts.RequireKey(session, account);
            await SetVersion(session, key, newVersion);
            await session.Post(
                "INSERT INTO roster_items "
                + "(account, jid, name, groups, subscription, pending_out, approved, pending_in, listed, version) "
                + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (account, jid) DO UPDATE SET "
                + "name = excluded.name, groups = excluded.groups, subscription = excluded.subscription, "
                + "pending_out = excluded.pending_out, approved = excluded.approved, "
                + "pending_in = excluded.pending_in, listed = excluded.listed, version = excluded.version", null,
                key, item.Jid.ToString(), item.Name,
                item.Groups.Count == 0 ? "" : JsonSerializer.Serialize(item.Groups),
                (int)item.Subscription, item.PendingOut, item.Approved,
                item.PendingIn is { } stanza ? SqlDatabase.Bytes(stanza) : null, item.Listed, newVersion);
            if (item.Listed)
            {
                await session.Post("DELETE FROM roster_removals WHERE account = $1 AND jid = $2", null,
                    key, item.Jid.ToString());
            }
            return true;
        }, cancel);

    static ValueTask SetVersion(SqlSession session, long key, long version) => session.Post(
        "INSERT INTO rosters (account, version, complete_since) VALUES ($1, $2, 0) "
        + "ON CONFLICT (account) DO UPDATE SET version = excluded.version", null, key, version);

    public ValueTask<bool> Remove(Jid account, Jid contact, long newVersion, CancellationToken cancel = default) =>
        db.Write(async session =>
        {
            if (await SqlAccounts.Key(session, account) is not { } key) return false;
            string jid = contact.ToString();
            var listed = await session.Query("SELECT listed FROM roster_items WHERE account = $1 AND jid = $2",
                static row => row.GetBoolean(0), key, jid);
            if (listed.Count == 0) return false;

            await session.Post("DELETE FROM roster_items WHERE account = $1 AND jid = $2", null, key, jid);
            await SetVersion(session, key, newVersion);
            if (listed[0]) await Remember(session, key, jid, newVersion);
            return true;
        }, cancel);

    static async ValueTask Remember(SqlSession session, long key, string jid, long version)
    {
        await session.Post("INSERT INTO roster_removals (account, jid, version) VALUES ($1, $2, $3) "
            + "ON CONFLICT (account, jid) DO UPDATE SET version = excluded.version", null, key, jid, version);
        long? forgotten = await session.Number(
            "SELECT version FROM roster_removals WHERE account = $1 ORDER BY version DESC LIMIT 1 OFFSET $2",
            key, RosterData.RemovalsMax);
        if (forgotten is null) return;
        await session.Post("DELETE FROM roster_removals WHERE account = $1 AND version <= $2", null, key, forgotten);
        await session.Post("UPDATE rosters SET complete_since = $2 WHERE account = $1", null, key, forgotten);
    }
}
