using Muster.Core.Archive;
using Muster.Core.Rosters;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;

namespace Muster.Server.Sessions;

/// <summary>The right to change one account, with what is stored of it. A change is stored first, then seen in memory:
/// if storing fails, nothing has changed.</summary>
sealed class AccountTurn : IDisposable
{
    readonly AccountStates _accounts;
    readonly AccountTurns.Held _held;
    AccountState _state;

    internal AccountTurn(AccountStates accounts, Jid account, AccountTurns.Held held, AccountState? state)
    {
        _accounts = accounts;
        _held = held;
        Account = account;
        Exists = state is not null;
        _state = state ?? AccountState.Empty;
    }

    /// <summary>The account.</summary>
    public Jid Account { get; }

    /// <summary>False when there is no such account; then nothing may be changed.</summary>
    public bool Exists { get; }

    /// <summary>What is stored of it, changes of this turn included.</summary>
    public AccountState State => _state;

    /// <summary>Its sessions in this process.</summary>
    public IReadOnlyList<Session> Sessions => _accounts.Sessions.Find(Account)?.Snapshot ?? [];

    /// <summary>Adds or replaces a roster item; one that is not listed and says nothing is removed.</summary>
    /// <returns>The new version of the roster.</returns>
    public async ValueTask<long> Save(RosterItem item)
    {
        if (!item.Listed && item.State == default) return await Remove(item.Jid);
        long version = _accounts.NextVersion(_state.Roster);
        await _accounts.Database.Rosters.Save(Account, item, version);
        Show(_state with { Roster = _state.Roster.With(item, version) });
        return version;
    }

    /// <summary>Removes a roster item.</summary>
    /// <returns>The new version of the roster.</returns>
    public async ValueTask<long> Remove(Jid contact)
    {
        long version = _accounts.NextVersion(_state.Roster);
        if (!await _accounts.Database.Rosters.Remove(Account, contact, version)) return _state.Roster.Version;
        Show(_state with { Roster = _state.Roster.Without(contact, version) });
        return version;
    }

    /// <summary>Replaces the block list, for all sessions at once.</summary>
    public async ValueTask SetBlocked(BlockList blocked)
    {
        await _accounts.SaveBlocked(Account, blocked);
        Show(_state with { Blocked = blocked });
        foreach (var session in Sessions) session.Blocked = blocked;
    }

    /// <summary>Replaces the preferences of archiving.</summary>
    public async ValueTask SetArchiving(ArchivePrefs prefs)
    {
        await _accounts.SaveArchiving(Account, prefs);
        Show(_state with { Archiving = prefs });
    }

    /// <summary>Sets whether the server brings the user back into rooms.</summary>
    public async ValueTask SetRejoins(bool rejoins)
    {
        await _accounts.SaveRejoins(Account, rejoins);
        Show(_state with { Rejoins = rejoins });
    }

    /// <summary>Ends the turn.</summary>
    public void Dispose() => _held.Dispose();

    void Show(AccountState state)
    {
        _state = state;
        if (_accounts.Sessions.Find(Account) is { } online) online.State = state;
    }
}
