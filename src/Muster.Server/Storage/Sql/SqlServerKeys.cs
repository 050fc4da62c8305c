namespace Muster.Server.Storage.Sql;

internal sealed class SqlServerKeys(SqlDatabase db) : IServerKeyStore
{
    public ValueTask<ReadOnlyMemory<byte>> GetOrAdd(
        string name, ReadOnlyMemory<byte> proposed, CancellationToken cancel = default) => db.Write(async session =>
        {
            await session.Execute(
                "INSERT INTO server_keys (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
                name, SqlDatabase.Bytes(proposed));
            var rows = await session.Query("SELECT value FROM server_keys WHERE name = $1",
                static row => (byte[])row.GetValue(0), name);
            return new ReadOnlyMemory<byte>(rows[0]);
        }, cancel);
}
