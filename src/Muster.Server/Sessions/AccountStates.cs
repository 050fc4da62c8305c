using Muster.Core.Archive;
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
    const string ArchivingKey = "archiving";
    const string RejoinsKey = "autorejoin";

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
            await LoadBlocked(account))
        {
            Archiving = await LoadArchiving(account),
            Rejoins = await LoadRejoins(account),
        };
    }

    /// <summary>What decides whether a message is archived for an account: block list, preferences and, where these ask
    /// for it, the roster. Null when there is no such account. For a message to an account that is offline.</summary>
    /// <param name="account">The account.</param>
    /// <param name="default">What holds while its user has not said so.</param>
    public async ValueTask<AccountState?> LoadForArchive(Jid account, ArchiveDefault @default)
    {
        if (sessions.Find(account) is { } online) return online.State;
        if (await database.Accounts.Find(account) is null) return null;
        var archiving = await LoadArchiving(account);
        var roster = Roster.Empty;
        if ((archiving?.Default ?? @default) == ArchiveDefault.Roster)
        {
            var stored = await database.Rosters.Load(account);
            roster = new Roster(stored.Version, stored.Items);
        }
        return new AccountState(roster, await LoadBlocked(account)) { Archiving = archiving };
    }

    /// <summary>The block list alone: for a message to an account that is offline.</summary>
    public async ValueTask<BlockList> BlockedOf(Jid account) =>
        sessions.Find(account)?.State.Blocked ?? await LoadBlocked(account);

    internal async ValueTask SaveBlocked(Jid account, BlockList blocked)
    {
        if (blocked.Jids.Count == 0) await database.AccountData.Remove(account, BlockListKey);
        else await database.AccountData.Set(account, BlockListKey, ToText(blocked));
    }

    internal ValueTask SaveArchiving(Jid account, ArchivePrefs prefs) =>
        database.AccountData.Set(account, ArchivingKey, StoredXml.ToText(prefs.ToElement()));

    // What cannot be read any more is as if it had not been said.
    async ValueTask<ArchivePrefs?> LoadArchiving(Jid account) =>
        await database.AccountData.Get(account, ArchivingKey) is { } text && StoredXml.Read(text) is { } element
            ? ArchivePrefs.Read(element, out _)
            : null;

    internal ValueTask SaveRejoins(Jid account, bool rejoins) => database.AccountData.Set(
        account, RejoinsKey, StoredXml.ToText(new Element("", RejoinsKey).With("on", rejoins ? "1" : "0")));

    async ValueTask<bool?> LoadRejoins(Jid account) =>
        await database.AccountData.Get(account, RejoinsKey) is { } text && StoredXml.Read(text) is { } element
            ? element.Attribute("on") == "1"
            : null;

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
