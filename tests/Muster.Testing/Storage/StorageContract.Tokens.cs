using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Xunit;

namespace Muster.Testing.Storage;

public abstract partial class StorageContract
{
    [ContractFact]
    public async Task A_token_comes_back_as_it_was_stored_until_it_is_replaced()
    {
        await AddAccounts(Romeo, Juliet);
        await Db.Tokens.Issue(Romeo, NewToken("phone", 1), 10);
        var stored = Assert.Single(await Db.Tokens.Find(Romeo, "phone"));
        Assert.True(stored.IsFresh);
        var given = NewToken("phone", 1);
        Assert.Equal(given, stored with { IsFresh = false, Seed = given.Seed });
        Assert.Equal([1, 1, 1], stored.Seed.ToArray());
        Assert.Empty(await Db.Tokens.Find(Romeo, "tablet"));
        Assert.Empty(await Db.Tokens.Find(Juliet, "phone"));
        await Db.Tokens.Issue(Romeo, NewToken("phone", 2), 10); // nobody has used the first
        Assert.Equal("2", await Seeds("phone"));
        await Fails(StorageFault.Conflict, async () =>
            await Db.Tokens.Issue(Jid.Parse("nobody@example.org"), NewToken("phone", 1), 10));
    }

    [ContractFact]
    public async Task A_token_that_is_used_takes_the_place_of_the_one_before()
    {
        await AddAccounts(Romeo);
        await Db.Tokens.Issue(Romeo, NewToken("phone", 1), 10);
        Assert.True(await Db.Tokens.TryUse(Romeo, NewToken("phone", 1), null));
        await Db.Tokens.Issue(Romeo, NewToken("phone", 2), 10);
        Assert.Equal("2 1", await Seeds("phone")); // the fresh one first
        Assert.True(await Db.Tokens.TryUse(Romeo, NewToken("phone", 1), null)); // the answer was lost on the way
        Assert.Equal("2 1", await Seeds("phone"));
        Assert.True(await Db.Tokens.TryUse(Romeo, NewToken("phone", 2), null));
        Assert.Equal("2", await Seeds("phone"));
        Assert.False(Assert.Single(await Db.Tokens.Find(Romeo, "phone")).IsFresh);
        Assert.False(await Db.Tokens.TryUse(Romeo, NewToken("phone", 1), null));
        Assert.False(await Db.Tokens.TryUse(Romeo, NewToken("tablet", 2), null));
        Assert.False(await Db.Tokens.TryUse(Juliet, NewToken("phone", 2), null));
    }

    [ContractFact]
    public async Task A_count_only_grows_and_of_two_at_once_one_wins()
    {
        await AddAccounts(Romeo);
        var token = NewToken("phone", 1);
        await Db.Tokens.Issue(Romeo, token, 10);
        Assert.True(await Db.Tokens.TryUse(Romeo, token, 0));
        Assert.False(await Db.Tokens.TryUse(Romeo, token, 0));
        Assert.True(await Db.Tokens.TryUse(Romeo, token, 5));
        Assert.False(await Db.Tokens.TryUse(Romeo, token, 4));
        Assert.True(await Db.Tokens.TryUse(Romeo, token, null)); // tells none, and changes none
        Assert.Equal(5, Assert.Single(await Db.Tokens.Find(Romeo, "phone")).LastCount);
        bool[] won = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(_ => Db.Tokens.TryUse(Romeo, token, long.MaxValue).AsTask()));
        Assert.Single(won, true);
    }

    [ContractFact]
    public async Task When_one_client_too_many_gets_a_token_the_oldest_loses_its_own()
    {
        await AddAccounts(Romeo);
        for (byte i = 1; i <= 3; i++) Assert.Equal(0, await Db.Tokens.Issue(Romeo, NewToken($"c{i}", i), 3));
        Assert.True(await Db.Tokens.TryUse(Romeo, NewToken("c1", 1), null));
        Assert.Equal(0, await Db.Tokens.Issue(Romeo, NewToken("c1", 9), 3)); // two tokens, one client
        Assert.Equal(1, await Db.Tokens.Issue(Romeo, NewToken("c4", 10), 3));
        Assert.Empty(await Db.Tokens.Find(Romeo, "c2"));
        Assert.Equal("9 1", await Seeds("c1"));
        Assert.Equal(2, await Db.Tokens.Issue(Romeo, NewToken("c5", 11), 2)); // the limit was lowered
        Assert.Equal("10", await Seeds("c4"));
        Assert.Equal("", await Seeds("c1"));
    }

    [ContractFact]
    public async Task Tokens_are_removed_by_client_by_account_and_by_age()
    {
        await AddAccounts(Romeo, Juliet);
        for (byte i = 1; i <= 3; i++) await Db.Tokens.Issue(Romeo, NewToken($"c{i}", i), 10);
        await Db.Tokens.Issue(Juliet, NewToken("c1", 1), 10);
        Assert.Equal(1, await Db.Tokens.Remove(Romeo, "c1"));
        Assert.Equal(2, await Db.Tokens.Remove(Romeo, null));
        Assert.Equal(0, await Db.Tokens.Remove(Romeo, null));
        Assert.Equal(0, await Db.Tokens.Remove(Jid.Parse("nobody@example.org"), null));
        Assert.Single(await Db.Tokens.Find(Juliet, "c1"));
        await Db.Tokens.Issue(Romeo, NewToken("c1", 3), 10);
        Assert.Equal(1, await Db.Tokens.RemoveExpired(NewToken("c1", 1).ExpiresAt));
        Assert.Empty(await Db.Tokens.Find(Juliet, "c1"));
        Assert.Equal("3", await Seeds("c1"));
        await Db.Accounts.Remove(Romeo);
        await AddAccounts(Romeo);
        Assert.Equal("", await Seeds("c1"));
    }

    static StoredToken NewToken(string client, byte seed) => new()
    {
        Client = client,
        Mechanism = "HT-SHA-256-NONE",
        Seed = new[] { seed, seed, seed },
        CreatedAt = Noon.AddMinutes(seed),
        ExpiresAt = Noon.AddDays(seed),
    };

    async Task<string> Seeds(string client) =>
        string.Join(' ', (await Db.Tokens.Find(Romeo, client)).Select(token => token.Seed.Span[0]));
}
