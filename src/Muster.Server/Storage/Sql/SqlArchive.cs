using System.Data.Common;
using System.Globalization;
using System.Text;
using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Sql;

/// <summary>
/// Archives. Entries refer to their archive by a small number, so that a room's address is not repeated in ten million
/// rows; and so that an archive is removed at once by taking its address away, its entries being deleted little by
/// little afterwards.
/// </summary>
internal sealed class SqlArchive(SqlDatabase db) : IArchiveStore
{
    const int SweepMax = 500;
    const string Columns = "e.id, e.at, e.from_jid, e.with_jid, e.kind, e.stanza";

    // Not a join: only so does PostgreSQL see that the index delivers the order wanted.
    const string FromArchive = "FROM archive_entries e WHERE e.archive = (SELECT key FROM archives WHERE jid = $1)";

    // Refers to nothing of the query around it, so that it is run once and not for each row.
    const string ByTime =
        "SELECT s.id FROM archive_entries s WHERE s.archive = (SELECT key FROM archives WHERE jid = $1) AND";

    int _sweeping;

    public async ValueTask Append(IReadOnlyList<ArchiveEntry> entries,
        IReadOnlyList<StoredCount>? counts = null, CancellationToken cancel = default) =>
        await db.Write(async session =>
        {
            var known = new HashSet<Jid>();
            foreach (var entry in entries)
            {
                if (known.Add(entry.Archive)) await Ensure(session, entry.Archive);
                await Append(session, entry);
            }
            foreach (var count in counts ?? []) await SqlSessions.Keep(session, count);
            return true;
        }, cancel);

    /// <summary>Makes sure that the archive has its number.</summary>
    public static ValueTask Ensure(SqlSession session, Jid archive) => session.Post(
        "INSERT INTO archives (jid) VALUES ($1) ON CONFLICT DO NOTHING", null, archive.ToString());

    /// <summary>Appends to an archive that has been made sure of.</summary>
    public static ValueTask Append(SqlSession session, ArchiveEntry entry) => session.Post(
        "INSERT INTO archive_entries (archive, id, at, from_jid, with_jid, kind, stanza) "
        + "VALUES ((SELECT key FROM archives WHERE jid = $1), $2, $3, $4, $5, $6, $7)", null,
        entry.Archive.ToString(), entry.Id, StoredTime.From(entry.At), entry.From.ToString(), entry.With.ToString(),
        (int)entry.Kind, SqlDatabase.Bytes(entry.Stanza));

    /// <summary>Changes an entry, if it is there.</summary>
    public static ValueTask Replace(SqlSession session, Jid archive, ArchiveReplacement change) => session.Post(
        "UPDATE archive_entries SET kind = $3, stanza = $4 "
        + "WHERE archive = (SELECT key FROM archives WHERE jid = $1) AND id = $2", null,
        archive.ToString(), change.Id, (int)change.Kind, SqlDatabase.Bytes(change.Stanza));

    /// <summary>Removes an archive; <see cref="Sweep"/> then deletes what was in it.</summary>
    public static ValueTask Detach(SqlSession session, Jid archive) => session.Post(
        "UPDATE archives SET jid = NULL WHERE jid = $1", null, archive.ToString());

    public ValueTask<ArchivePage> Page(Jid archive, ArchiveQuery query, CancellationToken cancel = default) =>
        db.ReadSnapshot(async session =>
        {
            long? count = null;
            if (query.Count)
            {
                var (counting, bounds) = SetSql(archive, query);
                count = await session.Number(
                    $"SELECT count(*) FROM (SELECT 1 {counting} LIMIT {ArchiveQuery.CountMax}) counted", [.. bounds]);
            }
            var (sql, args) = PageSql(archive, query);
            var page = await session.Query(sql, row => Map(archive, row), [.. args]);

            bool complete = page.Count <= query.Max;
            if (!complete) page.RemoveAt(query.Max);
            if (query.Backwards) page.Reverse();
            return new ArchivePage(page, complete, count);
        }, cancel);

    /// <summary>The query of a page, one entry longer than asked for, with its arguments.</summary>
    internal static (string Sql, List<object?> Args) PageSql(Jid archive, ArchiveQuery query)
    {
        var (sql, args) = SetSql(archive, query);
        if (query.Cursor is { } cursor) Add(sql, args, query.Backwards ? "e.id <" : "e.id >", cursor);
        sql.Append(CultureInfo.InvariantCulture, $" ORDER BY e.id {(query.Backwards ? "DESC" : "ASC")} LIMIT ");
        args.Add(query.Max + 1L);
        sql.Append(CultureInfo.InvariantCulture, $"${args.Count}");
        return ($"SELECT {Columns} {sql}", args);
    }

    static (StringBuilder Sql, List<object?> Args) SetSql(Jid archive, ArchiveQuery query)
    {
        var sql = new StringBuilder(FromArchive);
        List<object?> args = [archive.ToString()];
        AddFilter(sql, args, query);
        return (sql, args);
    }

    /// <summary>Writes the filter. A time becomes a bound on ids as well, found in the index by time: so a page in the
    /// middle of a long archive is reached without reading what lies before it. The entries themselves are then read in
    /// the order of ids: "+ 0" keeps the databases from reading them by time and sorting years of them.</summary>
    static void AddFilter(StringBuilder sql, List<object?> args, ArchiveQuery query)
    {
        if (query.AfterId is { } after) Add(sql, args, "e.id >", after);
        if (query.BeforeId is { } before) Add(sql, args, "e.id <", before);
        if (!query.With.IsNone) Add(sql, args, "e.with_jid =", query.With.ToString());
        if (!query.From.IsNone) Add(sql, args, "e.from_jid =", query.From.ToString());
        if (query.Kind is { } kind) Add(sql, args, "e.kind =", (int)kind);
        if (query.Start is { } start)
        {
            Add(sql, args, "e.at + 0 >=", StoredTime.FromRoundedUp(start));
            sql.Append(CultureInfo.InvariantCulture, $" AND e.id >= ({ByTime} s.at >= ${args.Count} ")
                .Append("ORDER BY s.at, s.id LIMIT 1)");
        }
        if (query.End is { } end)
        {
            Add(sql, args, "e.at + 0 <=", StoredTime.From(end));
            sql.Append(CultureInfo.InvariantCulture, $" AND e.id <= ({ByTime} s.at <= ${args.Count} ")
                .Append("ORDER BY s.at DESC, s.id DESC LIMIT 1)");
        }
    }

    static void Add(StringBuilder sql, List<object?> args, string condition, object value)
    {
        args.Add(value);
        sql.Append(CultureInfo.InvariantCulture, $" AND {condition} ${args.Count}");
    }

    static ArchiveEntry Map(Jid archive, DbDataReader row) => new(
        archive, row.GetInt64(0), StoredTime.To(row.GetInt64(1)), Address(row.GetString(2)), Address(row.GetString(3)),
        (ArchiveKind)row.GetInt32(4), row.GetFieldValue<byte[]>(5));

    static Jid Address(string text) => text.Length == 0 ? Jid.None : SqlDatabase.Address(text);

    public ValueTask<IReadOnlyList<ArchiveEntry>> Find(
        Jid archive, IReadOnlyList<long> ids, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<ArchiveEntry>>(async session =>
        {
            var found = new List<ArchiveEntry>(ids.Count);
            foreach (long id in ids.Distinct().Order())
            {
                found.AddRange(await session.Query(
                    $"SELECT {Columns} {FromArchive} AND e.id = $2", row => Map(archive, row), archive.ToString(), id));
            }
            return found;
        }, cancel);

    public ValueTask<ArchiveRange?> Range(Jid archive, CancellationToken cancel = default) =>
        db.ReadSnapshot<ArchiveRange?>(async session =>
        {
            var first = await End(session, archive, "ASC");
            var last = await End(session, archive, "DESC");
            return first.Count == 0 ? null : new ArchiveRange(first[0].Id, first[0].At, last[0].Id, last[0].At);
        }, cancel);

    static ValueTask<List<(long Id, DateTimeOffset At)>> End(SqlSession session, Jid archive, string order) =>
        session.Query($"SELECT e.id, e.at {FromArchive} ORDER BY e.id {order} LIMIT 1",
            static row => (row.GetInt64(0), StoredTime.To(row.GetInt64(1))), archive.ToString());

    public ValueTask<long> LastId(CancellationToken cancel = default) => db.Read(async session =>
        await session.Number("SELECT max(last) FROM (SELECT (SELECT e.id FROM archive_entries e "
            + "WHERE e.archive = a.key ORDER BY e.id DESC LIMIT 1) AS last FROM archives a) ends") ?? 0, cancel);

    public ValueTask<IReadOnlyList<Jid>> WithOlder(
        DateTimeOffset before, Jid after, int max, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<Jid>>(async session => await session.Query(
            "SELECT a.jid FROM archives a WHERE a.jid > $2 AND EXISTS "
            + "(SELECT 1 FROM archive_entries e WHERE e.archive = a.key AND e.at < $1) ORDER BY a.jid LIMIT $3",
            static row => SqlDatabase.Address(row.GetString(0)),
            StoredTime.FromRoundedUp(before), after.ToString(), max), cancel);

    public ValueTask<int> Purge(Jid archive, DateTimeOffset before, int max, CancellationToken cancel = default) =>
        db.Write(session => session.Execute(
            // CROSS JOIN: SQLite then goes from the archives to their oldest entries, and not through all entries.
            "DELETE FROM archive_entries WHERE (archive, id) IN (SELECT e.archive, e.id "
            + "FROM archives a CROSS JOIN archive_entries e WHERE e.archive = a.key AND e.at < $1 "
            + (archive.IsNone ? "AND a.jid <> $2 LIMIT $3)" : "AND a.jid = $2 LIMIT $3)"),
            StoredTime.FromRoundedUp(before), archive.ToString(), max), cancel);

    /// <summary>Starts deleting what removed archives have left, a piece at a time so that other writes come between,
    /// unless that is going on already. What is not done when the process ends is done after the next start.</summary>
    public async void Sweep()
    {
        // Whoever comes while it runs leaves 2 behind: it goes on for one more round.
        if (Interlocked.Exchange(ref _sweeping, 2) != 0) return;
        try
        {
            do
            {
                Interlocked.Exchange(ref _sweeping, 1);
                while (await db.Write(SweepPiece, CancellationToken.None) > 0) await Task.Yield();
            }
            while (Interlocked.CompareExchange(ref _sweeping, 0, 1) != 1);
        }
        catch (StorageException e)
        {
            Interlocked.Exchange(ref _sweeping, 0);
            StorageLog.SweepFails(db.Options.Log, e.Message);
        }
    }

    static async ValueTask<int> SweepPiece(SqlSession session)
    {
        int deleted = await session.Execute(
            "DELETE FROM archive_entries WHERE (archive, id) IN (SELECT e.archive, e.id "
            + "FROM archives a JOIN archive_entries e ON e.archive = a.key WHERE a.jid IS NULL LIMIT $1)", SweepMax);
        if (deleted == 0) await session.Execute("DELETE FROM archives WHERE jid IS NULL");
        return deleted;
    }
}
