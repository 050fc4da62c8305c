using System.Data.Common;
using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Sql;

internal sealed class SqlInvites(SqlDatabase db) : IInviteStore
{
    const string Select =
        "SELECT i.token, i.kind, a.local, a.domain, i.target, i.created_at, i.expires_at, i.uses_left "
        + "FROM invites i LEFT JOIN accounts a ON a.key = i.inviter ";

    static Invite Map(DbDataReader row) => new()
    {
        Token = row.GetString(0),
        Kind = (InviteKind)row.GetInt32(1),
        Inviter = row.IsDBNull(2) ? Jid.None : SqlDatabase.Address($"{row.GetString(2)}@{row.GetString(3)}"),
        Target = SqlDatabase.Address(row.GetString(4)),
        CreatedAt = StoredTime.To(row.GetInt64(5)),
        ExpiresAt = StoredTime.To(row.GetInt64(6)),
        UsesLeft = row.GetInt32(7),
    };

    public ValueTask<bool> TryAdd(Invite invite, CancellationToken cancel = default) => db.Write(async session =>
    {
        long? inviter = invite.Inviter.IsNone ? null : await SqlAccounts.RequireKey(session, invite.Inviter);
        return await session.Execute(
            "INSERT INTO invites (token, kind, inviter, target, created_at, expires_at, uses_left) "
            + "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            invite.Token, (int)invite.Kind, inviter, invite.Target.ToString(),
            StoredTime.From(invite.CreatedAt), StoredTime.From(invite.ExpiresAt), invite.UsesLeft) > 0;
    }, cancel);

    public ValueTask<Invite?> Find(string token, CancellationToken cancel = default) =>
        db.Read(session => Find(session, token), cancel);

    static async ValueTask<Invite?> Find(SqlSession session, string token)
    {
        var rows = await session.Query(Select + "WHERE i.token = $1", Map, token);
        return rows.Count > 0 ? rows[0] : null;
    }

    public ValueTask<Invite?> TryUse(string token, DateTimeOffset now, CancellationToken cancel = default) =>
        db.Write(async session => await session.Execute(
            "UPDATE invites SET uses_left = uses_left - 1 WHERE token = $1 AND uses_left > 0 AND expires_at > $2",
            token, StoredTime.From(now)) > 0 ? await Find(session, token) : null, cancel);

    public async ValueTask GiveBack(string token, CancellationToken cancel = default) => await db.Write(
        session => session.Execute("UPDATE invites SET uses_left = uses_left + 1 WHERE token = $1", token), cancel);

    public ValueTask<bool> IsReserved(Jid account, DateTimeOffset now, CancellationToken cancel = default) =>
        db.Read(async session => (await session.Query(
            Select + "WHERE i.target = $1 AND i.kind = $2 AND i.uses_left > 0 AND i.expires_at > $3 LIMIT 1", Map,
            account.ToString(), (int)InviteKind.Account, StoredTime.From(now))).Count > 0, cancel);

    public ValueTask<bool> Remove(string token, CancellationToken cancel = default) => db.Write(
        async session => await session.Execute("DELETE FROM invites WHERE token = $1", token) > 0, cancel);

    public ValueTask<IReadOnlyList<Invite>> List(Jid inviter, int max, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<Invite>>(async session => inviter.IsNone
            ? await session.Query(
                Select + "WHERE i.inviter IS NULL ORDER BY i.created_at DESC, i.token LIMIT $1", Map, max)
            : await session.Query(
                Select + "WHERE a.domain = $1 AND a.local = $2 ORDER BY i.created_at DESC, i.token LIMIT $3", Map,
                inviter.Domain.ToString(), inviter.Local.ToString(), max), cancel);

    public ValueTask<int> RemoveExpired(DateTimeOffset now, CancellationToken cancel = default) => db.Write(
        session => session.Execute("DELETE FROM invites WHERE expires_at <= $1", StoredTime.From(now)), cancel);
}

internal sealed class SqlNicks(SqlDatabase db) : INickStore
{
    const string OwnerOf = "SELECT jid FROM nicks WHERE service = $1 AND nick = $2";

    public ValueTask<Jid> FindOwner(string service, string nick, CancellationToken cancel = default) =>
        db.Read(async session =>
        {
            var rows = await session.Query(OwnerOf, static row => row.GetString(0), service, nick);
            return rows.Count > 0 ? SqlDatabase.Address(rows[0]) : Jid.None;
        }, cancel);

    public ValueTask<string?> Find(string service, Jid user, CancellationToken cancel = default) =>
        db.Read(async session =>
        {
            var rows = await session.Query("SELECT nick FROM nicks WHERE service = $1 AND jid = $2",
                static row => row.GetString(0), service, user.ToString());
            return rows.Count > 0 ? rows[0] : null;
        }, cancel);

    public ValueTask<bool> TrySet(string service, Jid user, string nick, CancellationToken cancel = default) =>
        db.Write(async session =>
        {
            var owner = await session.Query(OwnerOf, static row => row.GetString(0), service, nick);
            if (owner.Count > 0) return owner[0] == user.ToString();
            await session.Post("INSERT INTO nicks (service, jid, nick) VALUES ($1, $2, $3) "
                + "ON CONFLICT (service, jid) DO UPDATE SET nick = excluded.nick", null,
                service, user.ToString(), nick);
            return true;
        }, cancel);

    public ValueTask<bool> Remove(string service, Jid user, CancellationToken cancel = default) =>
        db.Write(async session => await session.Execute("DELETE FROM nicks WHERE service = $1 AND jid = $2",
            service, user.ToString()) > 0, cancel);
}
