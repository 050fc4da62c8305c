using System.Data.Common;
using System.Globalization;
using System.Text;
using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Sql;

internal sealed class SqlRooms(SqlDatabase db) : IRoomStore
{
    const string ThisRoom = "service = $1 AND local = $2";
    const string KeyOfRoom = "(SELECT key FROM rooms WHERE service = $1 AND local = $2)";

    public ValueTask<StoredRoom?> Load(Jid room, CancellationToken cancel = default) => db.ReadSnapshot(async session =>
    {
        var found = await session.Query(
            "SELECT key, options, name, public, persistent, subject, subject_author, subject_at, "
            + $"occupant_id_salt, created_at, last_activity_at FROM rooms WHERE {ThisRoom}",
            row => (Key: row.GetInt64(0), Room: MapRoom(room, row)), room.Domain.ToString(), room.Local.ToString());
        if (found.Count == 0) return null;
        var affiliations = await session.Query(
            "SELECT jid, affiliation, nick, reason, offline_delivery, registration, version "
            + "FROM room_affiliations WHERE room = $1 ORDER BY jid", MapAffiliation, found[0].Key);
        long? last = await session.Number(
            "SELECT max(id) FROM archive_entries WHERE archive = (SELECT key FROM archives WHERE jid = $1)",
            room.ToString());
        return found[0].Room with { Affiliations = affiliations, LastArchiveId = last ?? 0 };
    }, cancel);

    static StoredRoom MapRoom(Jid room, DbDataReader row) => new()
    {
        Jid = room,
        Options = new StoredRoomOptions(row.GetString(1), row.GetString(2), row.GetBoolean(3), row.GetBoolean(4)),
        Subject = row.IsDBNull(5)
            ? null
            : new StoredSubject(row.GetString(5), row.GetString(6), StoredTime.To(row.GetInt64(7))),
        OccupantIdSalt = row.GetFieldValue<byte[]>(8),
        CreatedAt = StoredTime.To(row.GetInt64(9)),
        LastActivityAt = StoredTime.To(row.GetInt64(10)),
        Affiliations = [],
    };

    static StoredAffiliation MapAffiliation(DbDataReader row) => new()
    {
        Jid = SqlDatabase.Address(row.GetString(0)),
        Affiliation = row.GetInt32(1),
        Nick = row.IsDBNull(2) ? null : row.GetString(2),
        Reason = row.IsDBNull(3) ? null : row.GetString(3),
        OfflineDelivery = row.IsDBNull(4) ? null : row.GetBoolean(4),
        Registration = row.IsDBNull(5) ? null : row.GetString(5),
        Version = row.GetInt64(6),
    };

    public async ValueTask Commit(IReadOnlyList<RoomCommit> commits, CancellationToken cancel = default)
    {
        foreach (var commit in commits) commit.Check();
        await db.Write(async session =>
        {
            foreach (var commit in commits) await Apply(session, commit);
            return true;
        }, cancel);
        if (commits.Any(static commit => commit.Removal is { RemoveArchive: true })) db.Sweep();
    }

    static async ValueTask Apply(SqlSession session, RoomCommit commit)
    {
        string service = commit.Room.Domain.ToString(), local = commit.Room.Local.ToString();
        if (commit.Creation is { } creation) await Create(session, commit, creation);
        if (commit.NeedsRoom) await ApplyToRoom(session, commit, service, local);

        if (commit.Archive.Count > 0) await SqlArchive.Ensure(session, commit.Room);
        foreach (var entry in commit.Archive) await SqlArchive.Append(session, entry);
        foreach (var change in commit.Replaced) await SqlArchive.Replace(session, commit.Room, change);
        foreach (var count in commit.Counts) await SqlSessions.Keep(session, count);
        if (commit.Removal is { } removal) await Remove(session, commit.Room, removal);
    }

    static async ValueTask Create(SqlSession session, RoomCommit commit, RoomCreation creation)
    {
        var options = commit.Options!;
        string service = commit.Room.Domain.ToString(), local = commit.Room.Local.ToString();
        long created = StoredTime.From(creation.CreatedAt);
        await session.Post(
            "INSERT INTO rooms (service, local, options, name, public, persistent, search, occupant_id_salt, "
            + "created_at, last_activity_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
            rows => rows == 1 ? null : Conflict($"the room {commit.Room} exists already"),
            service, local, options.Json, options.Name, options.Public, options.Persistent,
            RoomIndexQuery.Searched(local, options.Name), SqlDatabase.Bytes(creation.OccupantIdSalt), created, created);
        await session.Post("DELETE FROM room_tombstones WHERE room = $1", null, commit.Room.ToString());
    }

    static async ValueTask ApplyToRoom(SqlSession session, RoomCommit commit, string service, string local)
    {
        // Always run, also without a new time: its row count tells whether there is a room to change.
        await session.Post(
            $"UPDATE rooms SET last_activity_at = coalesce($3, last_activity_at) WHERE {ThisRoom}",
            rows => rows == 1 ? null : Conflict($"the room {commit.Room} is not stored"),
            service, local, commit.LastActivityAt is { } at ? StoredTime.From(at) : null);
        if (commit.Options is { } options && commit.Creation is null)
        {
            await session.Post(
                "UPDATE rooms SET options = $3, name = $4, public = $5, persistent = $6, search = $7 "
                + $"WHERE {ThisRoom}", null, service, local, options.Json, options.Name, options.Public,
                options.Persistent, RoomIndexQuery.Searched(local, options.Name));
        }
        if (commit.Subject is { } subject)
        {
            await session.Post(
                $"UPDATE rooms SET subject = $3, subject_author = $4, subject_at = $5 WHERE {ThisRoom}", null,
                service, local, subject.Text, subject.Author, StoredTime.From(subject.At));
        }
        foreach (var jid in commit.AffiliationsRemoved)
        {
            await session.Post($"DELETE FROM room_affiliations WHERE room = {KeyOfRoom} AND jid = $3", null,
                service, local, jid.ToString());
        }
        foreach (var entry in commit.AffiliationsSet)
        {
            await session.Post(
                "INSERT INTO room_affiliations "
                + "(room, jid, affiliation, nick, reason, offline_delivery, registration, version) "
                + $"VALUES ({KeyOfRoom}, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (room, jid) DO UPDATE SET "
                + "affiliation = excluded.affiliation, nick = excluded.nick, reason = excluded.reason, "
                + "offline_delivery = excluded.offline_delivery, registration = excluded.registration, "
                + "version = excluded.version", null,
                service, local, entry.Jid.ToString(), entry.Affiliation, entry.Nick, entry.Reason,
                entry.OfflineDelivery, entry.Registration, entry.Version);
        }
    }

    static async ValueTask Remove(SqlSession session, Jid room, RoomRemoval removal)
    {
        await session.Post($"DELETE FROM rooms WHERE {ThisRoom}", null, room.Domain.ToString(), room.Local.ToString());
        if (removal.RemoveArchive) await SqlArchive.Detach(session, room);
        if (removal.Tombstone is not { } tombstone) return;
        await session.Post(
            "INSERT INTO room_tombstones (room, alternate, reason, until) VALUES ($1, $2, $3, $4) "
            + "ON CONFLICT (room) DO UPDATE SET "
            + "alternate = excluded.alternate, reason = excluded.reason, until = excluded.until", null,
            room.ToString(), tombstone.Alternate.ToString(), tombstone.Reason, StoredTime.From(tombstone.Until));
    }

    static StorageException Conflict(string text) => new(StorageFault.Conflict, text);

    public ValueTask<RoomIndexPage> Index(RoomIndexQuery query, CancellationToken cancel = default) =>
        db.ReadSnapshot(async session =>
        {
            var filter = new StringBuilder("FROM rooms WHERE service = $1");
            List<object?> args = [query.Service];
            AddFilter(filter, args, query);

            var sql = new StringBuilder(filter.ToString());
            List<object?> pageArgs = [.. args];
            if (!query.Cursor.IsNone)
                Add(sql, pageArgs, query.Backwards ? "local <" : "local >", query.Cursor.Local.ToString());
            sql.Append(" ORDER BY local ").Append(query.Backwards ? "DESC" : "ASC");
            pageArgs.Add(query.Max + 1L);
            pageArgs.Add(query.Skip);
            sql.Append(CultureInfo.InvariantCulture, $" LIMIT ${pageArgs.Count - 1} OFFSET ${pageArgs.Count}");
            var page = await session.Query($"SELECT local, name, public, persistent, last_activity_at {sql}",
                row => MapIndex(query.Service, row), [.. pageArgs]);

            bool complete = page.Count <= query.Max;
            if (!complete) page.RemoveAt(query.Max);
            if (query.Backwards) page.Reverse();
            if (!query.Count) return new RoomIndexPage(page, complete, null, null);

            long? count = await session.Number($"SELECT count(*) {filter}", [.. args]);
            if (page.Count == 0) return new RoomIndexPage(page, complete, count, null);
            Add(filter, args, "local <", page[0].Room.Local.ToString());
            long? first = await session.Number($"SELECT count(*) {filter}", [.. args]);
            return new RoomIndexPage(page, complete, count, first);
        }, cancel);

    static void AddFilter(StringBuilder sql, List<object?> args, RoomIndexQuery query)
    {
        if (query.PublicOnly) Add(sql, args, "public =", true);
        if (query.PersistentOnly) Add(sql, args, "persistent =", true);
        if (query.InactiveSince is { } since) Add(sql, args, "last_activity_at <", StoredTime.FromRoundedUp(since));
        if (query.Text is not { } text) return;
        string pattern = RoomIndexQuery.Fold(text)
            .Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("%", "\\%", StringComparison.Ordinal)
            .Replace("_", "\\_", StringComparison.Ordinal);
        Add(sql, args, "search LIKE", $"%{pattern}%");
        sql.Append(" ESCAPE '\\'");
    }

    static void Add(StringBuilder sql, List<object?> args, string condition, object value)
    {
        args.Add(value);
        sql.Append(CultureInfo.InvariantCulture, $" AND {condition} ${args.Count}");
    }

    static RoomIndexEntry MapIndex(string service, DbDataReader row) => new(
        SqlDatabase.Address($"{row.GetString(0)}@{service}"),
        row.GetString(1), row.GetBoolean(2), row.GetBoolean(3), StoredTime.To(row.GetInt64(4)));

    public async ValueTask<IReadOnlyList<RoomIndexEntry>> OfUser(string service, Jid user, int least, int max,
        CancellationToken cancel = default) => await db.Read(session => session.Query(
            "SELECT local, name, public, persistent, last_activity_at FROM room_affiliations AS mine "
            + "JOIN rooms ON rooms.key = mine.room "
            + "WHERE mine.jid = $1 AND mine.affiliation >= $2 AND service = $3 ORDER BY local LIMIT $4",
            row => MapIndex(service, row), user.ToString(), least, service, (long)max), cancel);

    public ValueTask<RoomTombstone?> FindTombstone(Jid room, DateTimeOffset now, CancellationToken cancel = default) =>
        db.Read(async session =>
        {
            var rows = await session.Query(
                "SELECT alternate, reason, until FROM room_tombstones WHERE room = $1 AND until > $2",
                row => new RoomTombstone(room,
                    row.GetString(0) is { Length: > 0 } alternate ? SqlDatabase.Address(alternate) : Jid.None,
                    row.GetString(1), StoredTime.To(row.GetInt64(2))), room.ToString(), StoredTime.From(now));
            return rows.Count > 0 ? rows[0] : null;
        }, cancel);

    public ValueTask<int> RemoveExpiredTombstones(DateTimeOffset now, CancellationToken cancel = default) => db.Write(
        session => session.Execute("DELETE FROM room_tombstones WHERE until <= $1", StoredTime.From(now)), cancel);
}
