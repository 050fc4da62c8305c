using System.Collections.Concurrent;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;

namespace Muster.Server.Sessions;

/// <summary>What came of a request to bind a resource.</summary>
enum BindOutcome
{
    /// <summary>Bound; a session that had the resource before is handed back to be ended.</summary>
    Bound,
    /// <summary>The account has as many sessions as it may have (RFC 6120 §7.6.2.1: resource-constraint).</summary>
    TooMany,
}

/// <summary>All sessions of this process, by account.</summary>
/// <remarks>Changes of one account are made under its entry's monitor; readers never wait.</remarks>
sealed class SessionTable
{
    readonly ConcurrentDictionary<string, AccountSessions> _accounts = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, AccountSessions>.AlternateLookup<ReadOnlySpan<char>> _byText;
    int _count;

    /// <summary>Makes an empty table.</summary>
    public SessionTable() => _byText = _accounts.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Sessions alive.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>The accounts with at least one session.</summary>
    public IEnumerable<AccountSessions> Accounts => _accounts.Values;

    /// <summary>The sessions of an account, or null when it has none. A resource does not matter. On the path of
    /// messages:
    /// allocates nothing.</summary>
    public AccountSessions? Find(Jid account) => _byText.TryGetValue(account.BareText, out var entry) ? entry : null;

    /// <summary>The session with exactly this full JID, or null.</summary>
    public Session? FindSession(Jid full) => Find(full)?.Find(full);

    /// <summary>Enters a session. A session of the same full JID, or of the same client installation (XEP-0386
    /// §bind-request), is taken out and handed back in <paramref name="replaced"/>: the newer login wins (RFC 6120
    /// §7.7.2.2), and the caller ends the older with a conflict. Called under the account's turn.</summary>
    /// <param name="session">The session.</param>
    /// <param name="state">What is stored of the account; used when this is its first session.</param>
    /// <param name="sessionsMax">How many sessions the account may have.</param>
    /// <param name="replaced">The sessions whose place it takes.</param>
    public BindOutcome Bind(Session session, AccountState state, int sessionsMax, out Session[] replaced)
    {
        while (true)
        {
            var entry = _accounts.GetOrAdd(session.Account.ToString(),
                static (_, made) => new AccountSessions(made.Account, made.State), (session.Account, State: state));
            lock (entry)
            {
                // The entry may have been removed by Unbind between the look-up and the lock: then look again.
                if (!ReferenceEquals(Find(session.Account), entry)) continue;
                Session[] old = [.. entry.All.ToArray().Where(other => other.Jid == session.Jid
                    || (session.Client is not null && other.Client == session.Client))];
                replaced = old;
                if (old.Length == 0 && entry.All.Length >= sessionsMax)
                {
                    if (entry.All.Length == 0) Remove(session.Account);
                    return BindOutcome.TooMany;
                }
                entry.Replace([.. entry.All.ToArray().Where(s => !old.Contains(s)), session]);
                Interlocked.Add(ref _count, 1 - old.Length);
                return BindOutcome.Bound;
            }
        }
    }

    /// <summary>Takes a session out. False when it was not there any more.</summary>
    public bool Unbind(Session session)
    {
        if (Find(session.Account) is not { } entry) return false;
        lock (entry)
        {
            var rest = entry.All.ToArray().Where(s => s != session).ToArray();
            if (rest.Length == entry.All.Length) return false;
            entry.Replace(rest);
            Interlocked.Decrement(ref _count);
            if (rest.Length == 0) Remove(session.Account);
            return true;
        }
    }

    void Remove(Jid account) => _accounts.TryRemove(account.ToString(), out _);
}
