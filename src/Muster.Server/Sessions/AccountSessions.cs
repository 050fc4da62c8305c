using Muster.Core.Sessions;
using Muster.Protocol.Addresses;

namespace Muster.Server.Sessions;

/// <summary>The sessions of one account that are alive, as an immutable array that readers take without a lock.</summary>
sealed class AccountSessions(Jid account)
{
    Session[] _sessions = [];

    /// <summary>The bare JID.</summary>
    public Jid Account { get; } = account;

    /// <summary>All sessions in the order in which they were bound.</summary>
    public ReadOnlySpan<Session> All => Volatile.Read(ref _sessions);

    /// <summary>Serialises changes of what belongs to the account as a whole: roster, subscriptions, block list.</summary>
    /// <remarks>Not on the path of messages. Held across store calls, so it is a semaphore; one account's at a time,
    /// never two together, so there is no order to keep.</remarks>
    public SemaphoreSlim Changes { get; } = new(1, 1);

    /// <summary>The session of a resource, or null.</summary>
    public Session? Find(Jid full)
    {
        foreach (var session in All)
            if (session.Jid == full) return session;
        return null;
    }

    internal void Replace(Session[] sessions) => Volatile.Write(ref _sessions, sessions);
}
