using Muster.Core.Rosters;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;
using Muster.Server.Storage;

namespace Muster.Server.Sessions;

/// <summary>Roster and block list of every account, online or not: from memory while it has sessions, else from the
/// store.</summary>
sealed class AccountStates(Database database, SessionTable sessions, TimeProvider clock)
{
    const string BlockListKey = "blocklist";

    readonly AccountTurns _turns = new();

    /// <summary>Where accounts are kept.</summary>
    public Database Database => database;

    /// <summary>The sessions of this process.</summary>
    public SessionTable Sessions => sessions;

    /// <summary>Waits for the account's turn without loading anything.</summary>
    public ValueTask<AccountTurns.Held> TakeTurn(Jid account) => _turns.Take(account.Bare);

    /// <summary>Waits for the account's turn and loads what is stored of it. Disposing the result ends the
    /// turn.</summary>
    public async ValueTask<AccountTurn> Take(Jid account)
    {
        var held = await _turns.Take(account.Bare);
        try
        {
            return new AccountTurn(this, account.Bare, held, await Load(account.Bare));
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>What is known of an account now, for a question and not for a change; null when there is no such
    /// account.</summary>
    public async ValueTask<AccountState?> Load(Jid account)
    {
        if (sessions.Find(account) is { } online) return online.State;
        if (await database.Accounts.Find(account) is null) return null;
        var roster = await database.Rosters.Load(account);
        return new AccountState(roster.Version == 0 ? Roster.Empty : new Roster(roster.Version, roster.Items),
            await LoadBlocked(account));
    }

    /// <summary>The block list alone: for a message to an account that is offline.</summary>
    public async ValueTask<BlockList> BlockedOf(Jid account) =>
        sessions.Find(account)?.State.Blocked ?? await LoadBlocked(account);

    internal async ValueTask SaveBlocked(Jid account, BlockList blocked)
    {
        if (blocked.Jids.Count == 0) await database.AccountData.Remove(account, BlockListKey);
        else await database.AccountData.Set(account, BlockListKey, ToText(blocked));
    }

    // Versions never repeat, even for an account made anew under an old name: see IRosterStore.
    internal long NextVersion(Roster roster) =>
        Math.Max(roster.Version + 1, clock.GetUtcNow().ToUnixTimeMilliseconds());

    async ValueTask<BlockList> LoadBlocked(Jid account) =>
        await database.AccountData.Get(account, BlockListKey) is { } text ? ToBlockList(text) : BlockList.Empty;

    static string ToText(BlockList blocked) => StoredXml.ToText(new Element("", "blocklist",
        blocked.Jids.Select(jid => new Element("", "item").With("jid", jid.ToString()))));

    static BlockList ToBlockList(string text)
    {
        // An address that is none any more, by newer rules, blocks nobody.
        var blocked = new List<Jid>();
        foreach (var item in StoredXml.Read(text)?.Elements ?? [])
            if (Jid.TryParse(item.Attribute("jid"), out var jid)) blocked.Add(jid);
        return new BlockList(blocked);
    }
}
