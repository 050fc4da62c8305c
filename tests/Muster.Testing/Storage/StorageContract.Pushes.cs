using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Xunit;

namespace Muster.Testing.Storage;

public abstract partial class StorageContract
{
    const string Here = "example.org", Rooms = "conference.example.org";
    static readonly Jid App = Jid.Parse("push.example.net"), OtherApp = Jid.Parse("app@other.example/phone");
    static readonly Jid Stranger = Jid.Parse("mercutio@elsewhere.example");

    [ContractFact]
    public async Task A_push_registration_comes_back_as_it_was_stored()
    {
        await AddAccounts(Romeo);
        var push = NewPush(Romeo, "n1", 1) with
        {
            Options = "<x/>",
            Filters = "<enable/>",
            Device = "phone",
            Lang = "it",
            LastPushAt = Noon.AddSeconds(1),
            LastSuccessAt = Noon.AddSeconds(2),
        };
        Assert.Empty(await Db.Pushes.Enable(push, 5));
        Assert.Equal(push, Assert.Single(await Db.Pushes.Load(Here, Romeo)));
        var bare = NewPush(Stranger, "", 2) with { Key = new PushKey(Rooms, Stranger, Garden, OtherApp, "") };
        await Db.Pushes.Enable(bare, 5);
        Assert.Equal(bare, Assert.Single(await Db.Pushes.Load(Rooms, Stranger)));
        Assert.Empty(await Db.Pushes.Load(Rooms, Romeo));
        Assert.Equal([(Romeo, true)], await Db.Pushes.Owners(Here));
        Assert.Equal([(Stranger, false)], await Db.Pushes.Owners(Rooms));
    }

    [ContractFact]
    public async Task A_push_registration_that_is_renewed_is_young_and_without_errors()
    {
        var push = NewPush(Romeo, "n1", 1);
        await Db.Pushes.Enable(push, 5);
        await Db.Pushes.Enable(NewPush(Romeo, "n2", 2), 5);
        await Db.Pushes.Note(push with
        {
            Errors = 3, LastError = "forbidden", LastErrorAt = Noon, LastPushAt = Noon, LastSuccessAt = Noon,
        });
        var noted = (await Db.Pushes.Load(Here, Romeo))[0];
        Assert.Equal((3, "forbidden", (DateTimeOffset?)Noon), (noted.Errors, noted.LastError, noted.LastErrorAt));
        await Db.Pushes.Enable(push with { UpdatedAt = Noon.AddDays(5), Options = "<y/>" }, 5);
        var all = await Db.Pushes.Load(Here, Romeo);
        Assert.Equal(["n2", "n1"], all.Select(found => found.Key.Node));
        Assert.Equal((0, null, null, "<y/>"), (all[1].Errors, all[1].LastError, all[1].LastErrorAt, all[1].Options));
        Assert.Equal((push.CreatedAt, Noon), (all[1].CreatedAt, all[1].LastPushAt));
        await Db.Pushes.Note(NewPush(Romeo, "unknown", 1)); // does nothing
        Assert.Equal(2, (await Db.Pushes.Load(Here, Romeo)).Count);
    }

    [ContractFact]
    public async Task One_push_registration_too_many_takes_the_place_of_the_oldest()
    {
        for (int i = 1; i <= 3; i++) Assert.Empty(await Db.Pushes.Enable(NewPush(Romeo, $"n{i}", i), 3));
        Assert.Empty(await Db.Pushes.Enable(NewPush(Romeo, "n1", 4), 3)); // is there already
        var gone = await Db.Pushes.Enable(NewPush(Romeo, "n5", 5), 3);
        Assert.Equal(["n2"], gone.Select(key => key.Node));
        Assert.Equal(["n3", "n1", "n5"], (await Db.Pushes.Load(Here, Romeo)).Select(push => push.Key.Node));
        gone = await Db.Pushes.Enable(NewPush(Romeo, "n6", 0), 2); // the limit was lowered, the clock set back
        Assert.Equal(["n3", "n1"], gone.Select(key => key.Node));
        Assert.Equal(["n6", "n5"], (await Db.Pushes.Load(Here, Romeo)).Select(push => push.Key.Node));
    }

    [ContractFact]
    public async Task Push_registrations_are_removed_one_by_one_by_age_and_with_their_account()
    {
        await AddAccounts(Romeo, Juliet);
        for (int i = 1; i <= 3; i++) await Db.Pushes.Enable(NewPush(Romeo, $"n{i}", i), 5);
        await Db.Pushes.Enable(NewPush(Juliet, "n1", 9), 5);
        Assert.True(await Db.Pushes.Remove(NewPush(Romeo, "n1", 0).Key));
        Assert.False(await Db.Pushes.Remove(NewPush(Romeo, "n1", 0).Key));
        await Db.Pushes.Note(NewPush(Romeo, "n2", 2) with { LastSuccessAt = Noon.AddDays(8) });
        Assert.Equal(1, await Db.Pushes.RemoveUnused(Noon.AddDays(5)));
        Assert.Equal(["n2"], (await Db.Pushes.Load(Here, Romeo)).Select(push => push.Key.Node));
        await Db.Accounts.Remove(Romeo);
        Assert.Empty(await Db.Pushes.Load(Here, Romeo));
        Assert.Equal(1, await Db.Pushes.RemoveAll(Juliet));
        Assert.Empty(await Db.Pushes.Owners(Here));
    }

    static StoredPush NewPush(Jid owner, string node, int day) => new()
    {
        Key = new PushKey(Here, owner, Jid.None, App, node),
        CreatedAt = Noon.AddDays(day),
        UpdatedAt = Noon.AddDays(day),
    };
}
