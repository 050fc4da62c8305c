namespace Muster.Server.Storage.Sql;

internal sealed class SqlJoins(SqlDatabase db) : IJoinStore
{
    public async ValueTask Change(IReadOnlyList<StoredJoin> changes, CancellationToken cancel = default) =>
        await db.Write(async session =>
        {
            foreach (var change in changes)
            {
                if (change.Occupant.IsNone)
                {
                    await session.Post("DELETE FROM joins WHERE session = $1 AND room = $2", null,
                        change.Session.ToString(), change.Room.ToString());
                }
                else
                {
                    await session.Post(
                        "INSERT INTO joins (session, room, occupant) VALUES ($1, $2, $3) "
                        + "ON CONFLICT (session, room) DO UPDATE SET occupant = excluded.occupant", null,
                        change.Session.ToString(), change.Room.ToString(), change.Occupant.ToString());
                }
            }
            return true;
        }, cancel);

    public ValueTask<IReadOnlyList<StoredJoin>> Load(CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<StoredJoin>>(async session => await session.Query(
            "SELECT session, room, occupant FROM joins", static row => new StoredJoin(
                SqlDatabase.Address(row.GetString(0)), SqlDatabase.Address(row.GetString(1)),
                SqlDatabase.Address(row.GetString(2)))), cancel);
}
