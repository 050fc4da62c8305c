using Muster.Core.Rosters;
using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Xunit;

namespace Muster.Testing.Storage;

public abstract partial class StorageContract
{
    [ContractFact]
    public async Task A_roster_comes_back_as_it_was_stored()
    {
        await AddAccounts(Romeo);
        Assert.Equal(0, (await Db.Rosters.Load(Romeo)).Version);
        Assert.Equal(0, (await Db.Rosters.Load(Juliet)).Version); // not even an account

        var juliet = new RosterItem
        {
            Jid = Juliet,
            Name = "Juliet \"J\" é",
            Groups = ["Friends", "", "a,b\"c\\", "\U0001F338"],
            Subscription = RosterSubscription.From,
            PendingOut = true,
            Approved = true,
        };
        var request = new RosterItem
        {
            Jid = Jid.Parse("nurse@example.org"),
            PendingIn = Utf8("<presence type='subscribe'/>"),
            Listed = false,
        };
        await Db.Rosters.Save(Romeo, juliet, 5);
        await Db.Rosters.Save(Romeo, request, 6);

        var roster = await Db.Rosters.Load(Romeo);
        Assert.Equal(6, roster.Version);
        Assert.Equal(2, roster.Items.Count);
        AssertSame(juliet with { Version = 5 }, roster.Items[0]);
        AssertSame(request with { Version = 6 }, roster.Items[1]);

        await Db.Rosters.Save(Romeo, juliet with { Name = "", Groups = [], PendingOut = false }, 8);
        roster = await Db.Rosters.Load(Romeo);
        Assert.Equal(8, roster.Version);
        AssertSame(juliet with { Name = "", Groups = [], PendingOut = false, Version = 8 }, roster.Items[0]);
    }

    static void AssertSame(RosterItem expected, RosterItem actual)
    {
        Assert.Equal(expected.Groups, actual.Groups);
        Assert.Equal(expected.PendingIn is { } x ? Text(x) : null, actual.PendingIn is { } y ? Text(y) : null);
        Assert.Equal(expected, actual with { Groups = expected.Groups, PendingIn = expected.PendingIn });
    }

    [ContractFact]
    public async Task Removals_are_remembered_for_those_who_ask_what_changed()
    {
        await AddAccounts(Romeo);
        await Db.Rosters.Save(Romeo, new RosterItem { Jid = Juliet }, 1);
        await Db.Rosters.Save(Romeo, new RosterItem { Jid = Garden, Listed = false }, 2);
        Assert.True(await Db.Rosters.Remove(Romeo, Juliet, 3));
        Assert.False(await Db.Rosters.Remove(Romeo, Juliet, 4));
        Assert.True(await Db.Rosters.Remove(Romeo, Garden, 5)); // no client has seen it

        var roster = await Db.Rosters.Load(Romeo);
        Assert.Equal(5, roster.Version);
        Assert.Empty(roster.Items);
        Assert.Equal([new RosterRemoval(Juliet, 3)], roster.Removals);
        Assert.Equal(0, roster.CompleteSince);

        await Db.Rosters.Save(Romeo, new RosterItem { Jid = Juliet }, 6);
        Assert.Empty((await Db.Rosters.Load(Romeo)).Removals);
    }

    [ContractFact]
    public async Task An_unlisted_item_does_not_hide_the_removal_before_it()
    {
        await AddAccounts(Romeo);
        await Db.Rosters.Save(Romeo, new RosterItem { Jid = Juliet }, 1);
        await Db.Rosters.Remove(Romeo, Juliet, 2);
        await Db.Rosters.Save(Romeo, new RosterItem { Jid = Juliet, Listed = false }, 3);
        Assert.Equal([new RosterRemoval(Juliet, 2)], (await Db.Rosters.Load(Romeo)).Removals);
        await Db.Rosters.Remove(Romeo, Juliet, 4);
        Assert.Equal([new RosterRemoval(Juliet, 2)], (await Db.Rosters.Load(Romeo)).Removals);
    }

    [ContractFact]
    public async Task Old_removals_are_forgotten_and_that_is_known()
    {
        await AddAccounts(Romeo);
        int count = RosterData.RemovalsMax + 3;
        for (int i = 1; i <= count; i++)
        {
            var contact = Jid.Parse($"contact{i}@example.org");
            await Db.Rosters.Save(Romeo, new RosterItem { Jid = contact }, 2 * i);
            await Db.Rosters.Remove(Romeo, contact, 2 * i + 1);
        }
        var roster = await Db.Rosters.Load(Romeo);
        Assert.Equal(RosterData.RemovalsMax, roster.Removals.Count);
        Assert.Equal(7, roster.CompleteSince); // the removals with versions 3, 5 and 7 are gone
        Assert.Equal(9, roster.Removals[0].Version);
        Assert.Equal(2 * count + 1, roster.Removals[^1].Version);
    }
}
