using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Sql;

internal sealed class SqlSessions(SqlDatabase db) : ISessionStore
{
    public async ValueTask Begin(Jid account, string token, CancellationToken cancel = default) => await db.Write(
        async session => await session.Execute(
            "INSERT INTO sessions (token, account, handled) VALUES ($1, $2, 0)",
            token, await SqlAccounts.RequireKey(session, account)), cancel);

    public async ValueTask Keep(StoredCount count, CancellationToken cancel = default) => await db.Write(
        async session =>
        {
            await Keep(session, count);
            return true;
        }, cancel);

    /// <summary>Sets a count in the transaction of what it counts, unless a later one is there already (modulo
    /// 2^32).</summary>
    public static ValueTask Keep(SqlSession session, StoredCount count) => session.Post(
        "UPDATE sessions SET handled = $2 WHERE token = $1 AND (($2 - handled) & 4294967295) < 2147483648", null,
        count.Token, (long)count.Handled);

    public async ValueTask End(
        StoredCount count, DateTimeOffset at, int keptMax, CancellationToken cancel = default) => await db.Write(
        async session =>
        {
            await session.Post("UPDATE sessions SET handled = $2, ended_at = $3 WHERE token = $1", null,
                count.Token, (long)count.Handled, StoredTime.From(at));
            await session.Post(
                "DELETE FROM sessions WHERE token IN (SELECT token FROM sessions WHERE ended_at IS NOT NULL "
                + "AND account = (SELECT account FROM sessions WHERE token = $1) "
                + "ORDER BY ended_at DESC, token LIMIT 1000 OFFSET $2)", null, count.Token, keptMax);
            return true;
        }, cancel);

    public async ValueTask Remove(string token, CancellationToken cancel = default) => await db.Write(
        session => session.Execute("DELETE FROM sessions WHERE token = $1", token), cancel);

    public ValueTask<uint?> FindEnded(
        Jid account, string token, DateTimeOffset since, CancellationToken cancel = default) => db.Read(
        async session =>
        {
            var found = await session.Query(
                "SELECT s.handled FROM sessions s JOIN accounts a ON a.key = s.account "
                + "WHERE s.token = $1 AND s.ended_at >= $2 AND a.domain = $3 AND a.local = $4",
                static row => (uint)row.GetInt64(0), token, StoredTime.From(since), account.Domain.ToString(),
                account.Local.ToString());
            return found.Count == 0 ? (uint?)null : found[0];
        }, cancel);

    public ValueTask<int> RemoveEnded(DateTimeOffset before, CancellationToken cancel = default) => db.Write(
        session => session.Execute("DELETE FROM sessions WHERE ended_at < $1", StoredTime.From(before)), cancel);

    public async ValueTask Save(IReadOnlyList<StoredSession> sessions, IReadOnlyList<StoredOccupants> rooms,
        CancellationToken cancel = default) => await db.Write(async session =>
        {
            foreach (var saved in sessions)
            {
                await Keep(session, saved.Count);
                // One whose row is gone, with its account, is gone too.
                await session.Post(
                    "INSERT INTO session_states (token, state) SELECT token, $2 FROM sessions WHERE token = $1 "
                    + "ON CONFLICT (token) DO UPDATE SET state = excluded.state", null,
                    saved.Count.Token, SqlDatabase.Bytes(saved.State));
            }
            foreach (var room in rooms)
            {
                await session.Post(
                    "INSERT INTO room_occupants (room, state) VALUES ($1, $2) "
                    + "ON CONFLICT (room) DO UPDATE SET state = excluded.state", null,
                    room.Room.ToString(), SqlDatabase.Bytes(room.State));
            }
            return true;
        }, cancel);

    public async ValueTask Complete(CancellationToken cancel = default) => await db.Write(
        session => session.Execute("UPDATE process SET ended_in_order = $1", true), cancel);

    public ValueTask<IReadOnlyList<StoredSession>> Start(DateTimeOffset now, CancellationToken cancel = default) =>
        db.Write<IReadOnlyList<StoredSession>>(async session =>
        {
            bool inOrder = await session.Execute(
                "UPDATE process SET ended_in_order = $1 WHERE ended_in_order = $2", false, true) > 0;
            List<StoredSession> saved = [];
            if (inOrder)
            {
                saved = await session.Query(
                    "SELECT a.local, a.domain, s.token, s.handled, t.state FROM session_states t "
                    + "JOIN sessions s ON s.token = t.token JOIN accounts a ON a.key = s.account "
                    + "WHERE s.ended_at IS NULL",
                    static row => new StoredSession(
                        SqlDatabase.Address($"{row.GetString(0)}@{row.GetString(1)}"),
                        new StoredCount(row.GetString(2), (uint)row.GetInt64(3)), row.GetFieldValue<byte[]>(4)));
            }
            else
            {
                await session.Post("DELETE FROM room_occupants", null);
                await session.Post("DELETE FROM session_states", null);
            }
            // What was not saved ended without a word; what was goes on.
            await session.Post("UPDATE sessions SET ended_at = $1 WHERE ended_at IS NULL "
                + "AND token NOT IN (SELECT token FROM session_states)", null, StoredTime.From(now));
            await session.Post("DELETE FROM session_states", null);
            return saved;
        }, cancel);

    public ValueTask<StoredOccupants?> TakeOccupants(Jid room, CancellationToken cancel = default) => db.Write(
        async session =>
        {
            var found = await session.Query("SELECT state FROM room_occupants WHERE room = $1",
                row => new StoredOccupants(room, row.GetFieldValue<byte[]>(0)), room.ToString());
            if (found.Count == 0) return null;
            await session.Post("DELETE FROM room_occupants WHERE room = $1", null, room.ToString());
            return found[0];
        }, cancel);

    public ValueTask<IReadOnlyList<Jid>> RoomsWithOccupants(CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<Jid>>(async session => await session.Query(
            "SELECT room FROM room_occupants", static row => SqlDatabase.Address(row.GetString(0))), cancel);
}
