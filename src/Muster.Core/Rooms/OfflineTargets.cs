using System.Collections.Immutable;
using Muster.Protocol.Addresses;

namespace Muster.Core.Rooms;

/// <summary>The members who get what is said while they are not inside (muc-offline-delivery.md §10). Kept as people
/// come, go and change on the list, so that a message need not look at the members: it costs what its copies
/// cost.</summary>
sealed class OfflineTargets
{
    readonly Dictionary<Jid, int> _places = [];
    readonly List<Jid> _users = [];
    ImmutableArray<Jid> _all = [];
    bool _isStale;

    /// <summary>How many there are.</summary>
    public int Count => _users.Count;

    /// <summary>Whether a user is one of them.</summary>
    public bool Has(Jid user) => _places.ContainsKey(user);

    /// <summary>Makes a user one of them, or not.</summary>
    public void Set(Jid user, bool isTarget)
    {
        if (isTarget == _places.TryGetValue(user, out int place)) return;
        _isStale = true;
        if (isTarget)
        {
            _places[user] = _users.Count;
            _users.Add(user);
            return;
        }
        // The last takes the place of the one that goes.
        var last = _users[^1];
        _users[place] = last;
        _places[last] = place;
        _users.RemoveAt(_users.Count - 1);
        _places.Remove(user);
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        _places.Clear();
        _users.Clear();
        (_all, _isStale) = ([], false);
    }

    /// <summary>Some of them, up to a number. The array is made anew only after a change.</summary>
    public ImmutableArray<Jid> Take(int max)
    {
        if (_isStale || _all.Length > max) _all = [.. _users.Take(max)];
        _isStale = false;
        return _all;
    }
}
