using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Xunit;

namespace Muster.Testing.Storage;

public abstract partial class StorageContract
{
    [ContractFact]
    public async Task Where_sessions_are_is_what_was_said_last()
    {
        var (phone, desk) = (Jid.Parse("romeo@example.org/phone"), Jid.Parse("romeo@example.org/desk"));
        var (garden, hall) = (Jid.Parse("garden@rooms.example.net"), Jid.Parse("hall@rooms.example.net"));
        Assert.Empty(await Db.Joins.Load());
        await Db.Joins.Change([In(phone, garden, "Romeo"), In(phone, hall, "Romeo"), In(desk, garden, "R\u00f6meo")]);
        await Db.Joins.Change([In(phone, garden, "Montague"), new StoredJoin(phone, hall, default),
            new StoredJoin(desk, hall, default)]);
        await Db.Joins.Change([]);
        Assert.Equal([In(desk, garden, "R\u00f6meo"), In(phone, garden, "Montague")],
            (await Db.Joins.Load()).OrderBy(join => join.Session));

        static StoredJoin In(Jid session, Jid room, string nick) =>
            new(session, room, room.TryWithResource(nick, out var occupant) ? occupant : default);
    }
}
