using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Muster.Core.Delivery;
using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;
using Muster.Server.Storage;

namespace Muster.Server.Features.Push;

/// <summary>The push services of users: read from storage when they are first needed, written through.</summary>
/// <remarks>What is in memory is bounded: beyond the limit arbitrary users are forgotten and read again.</remarks>
sealed class PushRegistrations(Database database)
{
    const int OwnersMax = 20_000;
    const string PrivacyKey = "push";

    readonly AccountTurns _turns = new();
    readonly ConcurrentDictionary<(string Host, Jid User), PushOwner> _owners = new();
    readonly ConcurrentDictionary<Jid, PushMemory> _memories = new();
    readonly ConcurrentDictionary<Jid, PushPrivacy> _privacy = new();
    readonly ConcurrentDictionary<string, ImmutableDictionary<Jid, bool>> _users = new(StringComparer.Ordinal);
    int _changes;

    /// <summary>What a user has registered at a host.</summary>
    public ValueTask<PushOwner> Find(string host, Jid user) =>
        Known(host, user) is { } known ? new(known) : Load(host, user);

    /// <summary>The same, if it is in memory.</summary>
    public PushOwner? Known(string host, Jid user) => _owners.GetValueOrDefault((host, user));

    /// <summary>Who has registered anything at a host, with whether there are wishes; for hosts where it must be known
    /// without asking for each. Another object when this changes. False while it is not in memory.</summary>
    public bool TryUsersOf(string host, [NotNullWhen(true)] out ImmutableDictionary<Jid, bool>? users) =>
        _users.TryGetValue(host, out users);

    /// <summary>False when it is known that nobody has registered anything at a host.</summary>
    public bool MayHaveUsers(string host) => !_users.TryGetValue(host, out var users) || !users.IsEmpty;

    /// <summary>Adds or renews a registration.</summary>
    /// <returns>Those that had to go for it.</returns>
    public async ValueTask<IReadOnlyList<PushKey>> Enable(StoredPush push, int max)
    {
        var (host, user) = (push.Key.Host, push.Key.Owner);
        using (await _turns.Take(user))
        {
            var gone = await database.Pushes.Enable(push, max);
            await Reload(host, user);
            return gone;
        }
    }

    /// <summary>Removes a registration, or all of a push service (XEP-0357 §6).</summary>
    /// <returns>What was removed.</returns>
    public async ValueTask<IReadOnlyList<PushKey>> Disable(string host, Jid user, Jid scope, Jid app, string? node)
    {
        using (await _turns.Take(user))
        {
            var gone = (await database.Pushes.Load(host, user)).Select(push => push.Key)
                .Where(key => key.Scope == scope && key.App == app && (node is null || key.Node == node)).ToList();
            foreach (var key in gone) await database.Pushes.Remove(key);
            if (gone.Count > 0) await Reload(host, user);
            return gone;
        }
    }

    /// <summary>Keeps what became of a push.</summary>
    public ValueTask Note(PushRegistration registration) => database.Pushes.Note(registration.Stored);

    /// <summary>Removes a registration that is of no use any more.</summary>
    public async ValueTask Remove(PushKey key)
    {
        using (await _turns.Take(key.Owner))
        {
            await database.Pushes.Remove(key);
            await Reload(key.Host, key.Owner);
        }
    }

    /// <summary>Removes all that a user has registered: with a new password old devices are strangers.</summary>
    public async ValueTask RemoveAll(Jid user)
    {
        using (await _turns.Take(user))
        {
            await database.Pushes.RemoveAll(user);
            Forget(user);
        }
    }

    /// <summary>Removes those that nobody has used for long.</summary>
    public async ValueTask RemoveUnused(DateTimeOffset since)
    {
        if (await database.Pushes.RemoveUnused(since) == 0) return;
        _owners.Clear();
        _users.Clear();
    }

    /// <summary>Forgets what is in memory of a user: the account is gone.</summary>
    public void Forget(Jid user)
    {
        _privacy.TryRemove(user, out _);
        foreach (var key in _owners.Keys)
            if (key.User == user) _owners.TryRemove(key, out _);
        foreach (string host in _users.Keys) _users.TryRemove(host, out _);
    }

    /// <summary>What a user of this server hides from push services.</summary>
    public async ValueTask<PushPrivacy> PrivacyOf(Jid user)
    {
        if (_privacy.TryGetValue(user, out var known)) return known;
        using (await _turns.Take(user))
        {
            var read = await database.AccountData.Get(user, PrivacyKey) is { } text
                && StoredXml.Read(text) is { } element
                ? new PushPrivacy(element.Attribute("body") == "hide", element.Attribute("sender") == "hide")
                : default;
            MakeRoom(_privacy);
            return _privacy[user] = read;
        }
    }

    /// <summary>Changes it.</summary>
    public async ValueTask SetPrivacy(Jid user, PushPrivacy privacy)
    {
        using (await _turns.Take(user))
        {
            await database.AccountData.Set(user, PrivacyKey, StoredXml.ToText(new Element("", "push")
                .With("body", privacy.HidesBody ? "hide" : null).With("sender", privacy.HidesSender ? "hide" : null)));
            _privacy[user] = privacy;
        }
    }

    async ValueTask<PushOwner> Load(string host, Jid user)
    {
        using (await _turns.Take(user)) return Known(host, user) ?? await Reload(host, user);
    }

    async ValueTask<PushOwner> Reload(string host, Jid user)
    {
        Interlocked.Increment(ref _changes);
        var stored = await database.Pushes.Load(host, user);
        MakeRoom(_owners);
        MakeRoom(_memories);
        var owner = _owners.GetOrAdd((host, user), key => new PushOwner(
            key.Host, key.User, _memories.GetOrAdd(key.User, static _ => new PushMemory())));
        owner.All = [.. stored.Select(push => new PushRegistration(push))];
        while (_users.TryGetValue(host, out var users))
        {
            var changed = owner.All.IsEmpty
                ? users.Remove(user)
                : users.SetItem(user, owner.All.Any(registration => registration.Stored.Filters is not null));
            if (_users.TryUpdate(host, changed, users)) break;
        }
        return owner;
    }

    /// <summary>Reads it from storage.</summary>
    public async ValueTask LoadUsersOf(string host)
    {
        while (true)
        {
            int changes = Volatile.Read(ref _changes);
            var users = (await database.Pushes.Owners(host))
                .ToImmutableDictionary(user => user.Owner, user => user.HasFilters);
            // Somebody was faster, or has changed what was read: the list may be an old one then.
            if (Volatile.Read(ref _changes) != changes) continue;
            _users.TryAdd(host, users);
            return;
        }
    }

    static void MakeRoom<TKey, TValue>(ConcurrentDictionary<TKey, TValue> entries) where TKey : notnull
    {
        if (entries.Count < OwnersMax) return;
        foreach (var key in entries.Keys.Take(OwnersMax / 4)) entries.TryRemove(key, out _);
    }
}
