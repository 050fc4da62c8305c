using Muster.Server.Storage;
using Xunit;

namespace Muster.Testing.Storage;

public abstract partial class StorageContract
{
    [ContractFact]
    public async Task A_sessions_count_is_told_after_its_end_to_its_own_account()
    {
        await AddAccounts(Romeo, Juliet);
        await Db.Sessions.Begin(Romeo, "t1");
        await Db.Sessions.Keep(new("t1", 7));
        Assert.Null(await Db.Sessions.FindEnded(Romeo, "t1", Noon)); // it lives
        await Db.Sessions.End(new("t1", uint.MaxValue), Noon, 10);
        Assert.Null(await Db.Sessions.FindEnded(Juliet, "t1", Noon));
        Assert.Null(await Db.Sessions.FindEnded(Romeo, "t1", Noon.AddSeconds(1))); // too long ago
        Assert.Equal(uint.MaxValue, await Db.Sessions.FindEnded(Romeo, "t1", Noon));
        Assert.Equal(uint.MaxValue, await Db.Sessions.FindEnded(Romeo, "t1", Noon)); // the first answer may be lost
    }

    [ContractFact]
    public async Task Only_the_newest_ended_sessions_of_an_account_are_kept()
    {
        await AddAccounts(Romeo, Juliet);
        await Db.Sessions.Begin(Juliet, "other");
        await Db.Sessions.End(new("other", 1), Noon.AddDays(-1), 2);
        for (int i = 0; i < 4; i++)
        {
            await Db.Sessions.Begin(Romeo, $"t{i}");
            await Db.Sessions.End(new($"t{i}", (uint)i), Noon.AddSeconds(i), 2);
        }
        Assert.Null(await Db.Sessions.FindEnded(Romeo, "t0", Noon));
        Assert.Null(await Db.Sessions.FindEnded(Romeo, "t1", Noon));
        Assert.Equal(2u, await Db.Sessions.FindEnded(Romeo, "t2", Noon));
        Assert.Equal(1, await Db.Sessions.RemoveEnded(Noon));
        Assert.Null(await Db.Sessions.FindEnded(Juliet, "other", Noon.AddDays(-2)));
        Assert.Equal(3u, await Db.Sessions.FindEnded(Romeo, "t3", Noon));
    }

    [ContractFact]
    public async Task A_session_needs_an_account_and_goes_with_it()
    {
        await Fails(StorageFault.Conflict, async () => await Db.Sessions.Begin(Romeo, "t1"));
        await AddAccounts(Romeo);
        await Db.Sessions.Begin(Romeo, "t1");
        await Db.Sessions.Begin(Romeo, "t2");
        await Db.Sessions.Remove("t2");
        await Db.Sessions.End(new("t2", 1), Noon, 10);
        Assert.Null(await Db.Sessions.FindEnded(Romeo, "t2", Noon));
        await Db.Accounts.Remove(Romeo);
        await AddAccounts(Romeo);
        await Db.Sessions.End(new("t1", 1), Noon, 10);
        Assert.Null(await Db.Sessions.FindEnded(Romeo, "t1", Noon));
    }

    [ContractFact]
    public async Task A_count_is_kept_with_what_a_room_stores_and_fails_with_it()
    {
        await AddAccounts(Romeo);
        await Db.Sessions.Begin(Romeo, "t1");
        await Db.Rooms.Commit([new RoomCommit { Room = Garden, Archive = [Line(1)], Counts = [new("t1", 3)] }]);
        await Fails(StorageFault.Conflict, async () => await Db.Rooms.Commit(
            [new RoomCommit { Room = Garden, Archive = [Line(1)], Counts = [new("t1", 4)] }]));
        await Db.Sessions.Start(Noon); // as after a crash
        Assert.Equal(3u, await Db.Sessions.FindEnded(Romeo, "t1", Noon));

        static ArchiveEntry Line(long id) =>
            new(Garden, id, Noon, Romeo, Romeo, ArchiveKind.Message, Utf8("<message xmlns='jabber:client'/>"));
    }

    [ContractFact]
    public async Task A_count_never_takes_the_place_of_a_later_one()
    {
        await AddAccounts(Romeo);
        await Db.Sessions.Begin(Romeo, "t1");
        await Db.Sessions.Begin(Romeo, "t2");
        foreach (uint count in (uint[])[7, 5, 7]) await Db.Sessions.Keep(new("t1", count));
        // Modulo 2^32 (XEP-0198 §2).
        foreach (uint count in (uint[])[0x7fff_ffff, 0xffff_fffe, 3, 0xffff_ffff])
            await Db.Sessions.Keep(new("t2", count));
        await Db.Sessions.Start(Noon); // as after a crash
        Assert.Equal(7u, await Db.Sessions.FindEnded(Romeo, "t1", Noon));
        Assert.Equal(3u, await Db.Sessions.FindEnded(Romeo, "t2", Noon));
    }

    [ContractFact]
    public async Task What_is_saved_is_there_after_an_end_in_order_and_no_later()
    {
        await AddAccounts(Romeo, Juliet);
        foreach (string token in (string[])["t1", "t2", "old"]) await Db.Sessions.Begin(Romeo, token);
        await Db.Sessions.End(new("old", 9), Noon.AddDays(-1), 10);
        await Db.Sessions.Save([new(Romeo, new("t1", 5), Utf8("one"))], [new(Garden, Utf8("inside"))]);
        await Db.Sessions.Save([new(Romeo, new("gone", 5), Utf8("x"))], []); // its row is not there
        await Db.Sessions.Complete();

        var saved = Assert.Single(await Db.Sessions.Start(Noon));
        Assert.Equal((Romeo, new StoredCount("t1", 5), "one"), (saved.Account, saved.Count, Text(saved.State)));
        Assert.Equal(0u, await Db.Sessions.FindEnded(Romeo, "t2", Noon)); // it was not saved
        Assert.Equal(9u, await Db.Sessions.FindEnded(Romeo, "old", Noon.AddDays(-1)));
        Assert.Null(await Db.Sessions.FindEnded(Romeo, "t1", Noon)); // it lives
        Assert.Equal([Garden], await Db.Sessions.RoomsWithOccupants());
        Assert.Equal("inside", Text((await Db.Sessions.TakeOccupants(Garden))!.State));
        Assert.Null(await Db.Sessions.TakeOccupants(Garden));

        // A crash now: nothing of the earlier end counts any more.
        Assert.Empty(await Db.Sessions.Start(Noon.AddHours(1)));
        Assert.Equal(5u, await Db.Sessions.FindEnded(Romeo, "t1", Noon));
    }

    [ContractFact]
    public async Task What_was_saved_but_not_completed_is_not_relied_upon()
    {
        await AddAccounts(Romeo);
        await Db.Sessions.Begin(Romeo, "t1");
        await Db.Sessions.Save([new(Romeo, new("t1", 5), Utf8("one"))], [new(Garden, Utf8("inside"))]);
        Assert.Empty(await Db.Sessions.Start(Noon));
        Assert.Empty(await Db.Sessions.RoomsWithOccupants());
        Assert.Equal(5u, await Db.Sessions.FindEnded(Romeo, "t1", Noon));
    }
}
