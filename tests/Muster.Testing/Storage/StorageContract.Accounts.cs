using Muster.Core.Rosters;
using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Xunit;

namespace Muster.Testing.Storage;

public abstract partial class StorageContract
{
    [ContractFact]
    public async Task An_account_comes_back_as_it_was_stored()
    {
        var account = new Account
        {
            Jid = Romeo,
            ScramSha1 = "sha1 secret",
            ScramSha256 = "sha256 secret",
            Disabled = true,
            CreatedAt = Noon.AddTicks(12_345_670),
            LastActiveAt = Noon.AddDays(1),
            LastStatus = "gone fishing \U0001F3A3 é",
        };
        Assert.Null(await Db.Accounts.Find(Romeo));
        Assert.True(await Db.Accounts.TryAdd(account));
        Assert.Equal(account, await Db.Accounts.Find(Romeo));
    }

    [ContractFact]
    public async Task Times_are_cut_to_microseconds_and_come_back_in_utc()
    {
        var local = new DateTimeOffset(2026, 1, 1, 1, 0, 0, TimeSpan.FromHours(2)).AddTicks(19);
        await Db.Accounts.TryAdd(new Account { Jid = Romeo, CreatedAt = local });
        var stored = (await Db.Accounts.Find(Romeo))!.CreatedAt;
        Assert.Equal(TimeSpan.Zero, stored.Offset);
        Assert.Equal(local.AddTicks(-9), stored);
    }

    [ContractFact]
    public async Task A_jid_is_given_once()
    {
        await AddAccounts(Romeo);
        Assert.False(await Db.Accounts.TryAdd(new Account { Jid = Romeo, ScramSha1 = "new", CreatedAt = Noon }));
        Assert.Null((await Db.Accounts.Find(Romeo))!.ScramSha1);
    }

    [ContractFact]
    public async Task Secrets_and_last_activity_are_written_apart()
    {
        await AddAccounts(Romeo);
        Assert.True(await Db.Accounts.SetLastActivity(Romeo, Noon.AddHours(1), "bye"));
        Assert.True(await Db.Accounts.Update(
            new Account { Jid = Romeo, ScramSha256 = "s", Disabled = true, CreatedAt = Noon.AddYears(1) }));
        var stored = (await Db.Accounts.Find(Romeo))!;
        Assert.Equal("s", stored.ScramSha256);
        Assert.True(stored.Disabled);
        Assert.Equal(Noon, stored.CreatedAt);
        Assert.Equal(Noon.AddHours(1), stored.LastActiveAt);
        Assert.Equal("bye", stored.LastStatus);
    }

    [ContractFact]
    public async Task Changing_an_account_that_is_not_there_is_refused()
    {
        Assert.False(await Db.Accounts.Update(new Account { Jid = Romeo, CreatedAt = Noon }));
        Assert.False(await Db.Accounts.SetLastActivity(Romeo, Noon, ""));
        Assert.False(await Db.Accounts.Remove(Romeo));
        Assert.Null(await Db.Accounts.Find(Romeo));
    }

    [ContractFact]
    public async Task Accounts_are_listed_by_domain_in_pages()
    {
        string[] locals = ["zoe", "ana", "élan", "bob", "\U00010428x", "carl"];
        foreach (string local in locals) await AddAccounts(Jid.Parse($"{local}@example.org"));
        await AddAccounts(Jid.Parse("ana@example.net"));

        var all = await Db.Accounts.List("example.org", Jid.None, 100);
        Assert.Equal(6, all.Count);
        Assert.Equal(6, await Db.Accounts.Count("example.org"));
        Assert.Equal(1, await Db.Accounts.Count("example.net"));
        Assert.Equal(0, await Db.Accounts.Count("example.com"));

        var paged = new List<Account>();
        for (var after = Jid.None; ; after = paged[^1].Jid)
        {
            var page = await Db.Accounts.List("example.org", after, 2);
            if (page.Count == 0) break;
            paged.AddRange(page);
        }
        Assert.Equal(all, paged);
        Assert.Equal(["ana", "bob", "carl", "zoe", "élan", "\U00010428x"], all.Select(a => a.Jid.Local.ToString()));
    }

    [ContractFact]
    public async Task Removing_an_account_removes_all_that_is_its_own()
    {
        await AddAccounts(Romeo, Juliet);
        foreach (var jid in new[] { Romeo, Juliet })
        {
            await Db.Rosters.Save(jid, new RosterItem { Jid = Garden }, 7);
            await Db.Offline.TryAppend(jid, Utf8("<message/>"), Noon, 10);
            await Db.AccountData.Set(jid, "vcard", "<vCard/>");
            await Db.Invites.TryAdd(NewInvite($"by {jid}", jid));
            await Db.Archive.Append([Entry(jid, 1)]);
        }

        Assert.True(await Db.Accounts.Remove(Romeo));
        Assert.Null(await Db.Accounts.Find(Romeo));
        await AddAccounts(Romeo); // somebody else takes the name, and inherits nothing
        Assert.Empty((await Db.Rosters.Load(Romeo)).Items);
        Assert.Equal(0, await Db.Offline.Count(Romeo));
        Assert.Null(await Db.AccountData.Get(Romeo, "vcard"));
        Assert.Null(await Db.Invites.Find($"by {Romeo}"));
        Assert.Null(await Db.Archive.Range(Romeo));

        Assert.Single((await Db.Rosters.Load(Juliet)).Items);
        Assert.Equal(1, await Db.Offline.Count(Juliet));
        Assert.Equal("<vCard/>", await Db.AccountData.Get(Juliet, "vcard"));
        Assert.NotNull(await Db.Invites.Find($"by {Juliet}"));
        Assert.NotNull(await Db.Archive.Range(Juliet));
    }

    [ContractFact]
    public async Task Documents_are_kept_by_key()
    {
        await AddAccounts(Romeo, Juliet);
        await Db.AccountData.Set(Romeo, "private:{ns}b", "<b/>");
        await Db.AccountData.Set(Romeo, "private:{ns}a", "<a>é</a>");
        await Db.AccountData.Set(Romeo, "vcard", "<vCard/>");
        await Db.AccountData.Set(Romeo, "vcard", "<vCard>2</vCard>");

        Assert.Equal("<vCard>2</vCard>", await Db.AccountData.Get(Romeo, "vcard"));
        Assert.Null(await Db.AccountData.Get(Juliet, "vcard"));
        Assert.Equal(
            [new("private:{ns}a", 9), new("private:{ns}b", 4)], await Db.AccountData.Keys(Romeo, "private:"));
        Assert.Equal(3, (await Db.AccountData.Keys(Romeo, "")).Count);

        Assert.True(await Db.AccountData.Remove(Romeo, "vcard"));
        Assert.False(await Db.AccountData.Remove(Romeo, "vcard"));
        Assert.Null(await Db.AccountData.Get(Romeo, "vcard"));
    }

    [ContractFact]
    public async Task A_large_document_comes_back_whole()
    {
        await AddAccounts(Romeo);
        string large = "<vCard>" + new string('é', 300_000) + "</vCard>";
        await Db.AccountData.Set(Romeo, "vcard", large);
        Assert.Equal(large, await Db.AccountData.Get(Romeo, "vcard"));
    }

    [ContractFact]
    public async Task What_belongs_to_an_account_needs_the_account()
    {
        await Fails(StorageFault.Conflict, async () => await Db.AccountData.Set(Romeo, "k", "<x/>"));
        var item = new RosterItem { Jid = Juliet };
        await Fails(StorageFault.Conflict, async () => await Db.Rosters.Save(Romeo, item, 1));
        await Fails(StorageFault.Conflict, async () => await Db.Invites.TryAdd(NewInvite("t", Romeo)));
        Assert.Equal(OfflineAppend.NoAccount, await Db.Offline.TryAppend(Romeo, Utf8("<m/>"), Noon, 9));
        Assert.False(await Db.Rosters.Remove(Romeo, Juliet, 2));
        Assert.False(await Db.AccountData.Remove(Romeo, "k"));
        Assert.Empty(await Db.AccountData.Keys(Romeo, ""));
    }

    [ContractFact]
    public async Task Offline_messages_wait_in_order_up_to_the_limit()
    {
        await AddAccounts(Romeo, Juliet);
        for (int i = 1; i <= 3; i++)
        {
            Assert.Equal(OfflineAppend.Stored,
                await Db.Offline.TryAppend(Romeo, Utf8($"<m{i}/>"), Noon.AddSeconds(i), 3));
        }
        Assert.Equal(OfflineAppend.Full, await Db.Offline.TryAppend(Romeo, Utf8("<m4/>"), Noon, 3));
        Assert.Equal(OfflineAppend.Stored, await Db.Offline.TryAppend(Juliet, Utf8("<m5/>"), Noon, 3));
        Assert.Equal(3, await Db.Offline.Count(Romeo));

        var first = await Db.Offline.Load(Romeo, 0, 2);
        Assert.Equal(["<m1/>", "<m2/>"], first.Select(m => Text(m.Stanza)));
        Assert.Equal(Noon.AddSeconds(1), first[0].ReceivedAt);
        var rest = await Db.Offline.Load(Romeo, first[^1].Id, 2);
        Assert.Equal("<m3/>", Text(Assert.Single(rest).Stanza));

        Assert.Equal(2, await Db.Offline.Remove(Romeo, first[^1].Id));
        Assert.Equal(rest[0].Id, Assert.Single(await Db.Offline.Load(Romeo, 0, 9)).Id);
        Assert.Equal(1, await Db.Offline.Count(Juliet));
    }

    [ContractFact]
    public async Task Ids_of_offline_messages_never_come_back()
    {
        await AddAccounts(Romeo);
        await Db.Offline.TryAppend(Romeo, Utf8("<m1/>"), Noon, 3);
        long id = (await Db.Offline.Load(Romeo, 0, 1))[0].Id;
        await Db.Offline.Remove(Romeo, id);
        await Db.Offline.TryAppend(Romeo, Utf8("<m2/>"), Noon, 3);
        Assert.Equal(0, await Db.Offline.Remove(Romeo, id)); // asked twice
        Assert.Equal(1, await Db.Offline.Count(Romeo));
    }

    static Invite NewInvite(string token, Jid inviter) => new()
    {
        Token = token,
        Kind = InviteKind.Contact,
        Inviter = inviter,
        Target = Jid.Parse("example.org"),
        CreatedAt = Noon,
        ExpiresAt = Noon.AddDays(2),
        UsesLeft = 2,
    };

    [ContractFact]
    public async Task An_invitation_is_good_for_its_uses_and_its_time()
    {
        await AddAccounts(Romeo);
        var invite = NewInvite("t1", Romeo);
        Assert.True(await Db.Invites.TryAdd(invite));
        Assert.False(await Db.Invites.TryAdd(invite with { UsesLeft = 99 }));
        Assert.Equal(invite, await Db.Invites.Find("t1"));
        Assert.Null(await Db.Invites.Find("t2"));

        Assert.Null(await Db.Invites.TryUse("t1", Noon.AddDays(2)));
        Assert.Equal(1, (await Db.Invites.TryUse("t1", Noon))!.UsesLeft);
        Assert.Equal(0, (await Db.Invites.TryUse("t1", Noon))!.UsesLeft);
        Assert.Null(await Db.Invites.TryUse("t1", Noon));
        await Db.Invites.GiveBack("t1");
        Assert.NotNull(await Db.Invites.TryUse("t1", Noon));

        Assert.Equal(0, await Db.Invites.RemoveExpired(Noon));
        Assert.Equal(1, await Db.Invites.RemoveExpired(Noon.AddDays(2)));
        Assert.Null(await Db.Invites.Find("t1"));
    }

    [ContractFact]
    public async Task The_last_use_of_an_invitation_is_given_once()
    {
        await Db.Invites.TryAdd(NewInvite("t", Jid.None) with { UsesLeft = 1 });
        var got = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () =>
            await Db.Invites.TryUse("t", Noon))));
        Assert.Single(got, invite => invite is not null);
    }

    [ContractFact]
    public async Task Invitations_are_listed_by_inviter_newest_first()
    {
        await AddAccounts(Romeo);
        for (int i = 0; i < 3; i++)
            await Db.Invites.TryAdd(NewInvite($"r{i}", Romeo) with { CreatedAt = Noon.AddSeconds(i) });
        await Db.Invites.TryAdd(NewInvite("operator", Jid.None));
        Assert.Equal(["r2", "r1"], (await Db.Invites.List(Romeo, 2)).Select(invite => invite.Token));
        Assert.Equal("operator", Assert.Single(await Db.Invites.List(Jid.None, 9)).Token);
        Assert.True(await Db.Invites.Remove("operator"));
        Assert.False(await Db.Invites.Remove("operator"));
    }
}
