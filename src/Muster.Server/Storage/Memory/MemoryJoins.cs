using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Memory;

internal sealed class MemoryJoins(MemoryDatabase db) : IJoinStore
{
    readonly Dictionary<(Jid Session, Jid Room), StoredJoin> _joins = [];

    public async ValueTask Change(IReadOnlyList<StoredJoin> changes, CancellationToken cancel = default) =>
        await db.Write(() =>
        {
            foreach (var change in changes)
            {
                if (change.Occupant.IsNone) _joins.Remove((change.Session, change.Room));
                else _joins[(change.Session, change.Room)] = change;
            }
            return true;
        }, cancel);

    public ValueTask<IReadOnlyList<StoredJoin>> Load(CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<StoredJoin>>(() => [.. _joins.Values], cancel);
}
