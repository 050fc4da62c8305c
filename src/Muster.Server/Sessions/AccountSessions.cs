using Muster.Core.Sessions;
using Muster.Protocol.Addresses;

namespace Muster.Server.Sessions;

/// <summary>The sessions of one account that are alive, as an immutable array that readers take without a
/// lock.</summary>
sealed class AccountSessions(Jid account, AccountState state)
{
    Session[] _sessions = [];
    AccountState _state = state;

    /// <summary>The bare JID.</summary>
    public Jid Account { get; } = account;

    /// <summary>All sessions in the order in which they were bound.</summary>
    public ReadOnlySpan<Session> All => Volatile.Read(ref _sessions);

    /// <summary>All sessions, for use across an await.</summary>
    public IReadOnlyList<Session> Snapshot => Volatile.Read(ref _sessions);

    /// <summary>Roster and block list, as they are stored. Written under the account's turn only.</summary>
    public AccountState State
    {
        get => Volatile.Read(ref _state);
        set => Volatile.Write(ref _state, value);
    }

    /// <summary>The session of a resource, or null.</summary>
    public Session? Find(Jid full)
    {
        foreach (var session in All)
            if (session.Jid == full) return session;
        return null;
    }

    internal void Replace(Session[] sessions) => Volatile.Write(ref _sessions, sessions);
}
