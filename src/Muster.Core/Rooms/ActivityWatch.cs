using System.Collections.Concurrent;
using System.Collections.Immutable;
using Muster.Protocol.Addresses;

namespace Muster.Core.Rooms;

/// <summary>
/// Which sessions wait to hear that something was said in rooms that they are not in (XEP-0437). A session hears of a
/// room once, and again only after its user was inside.
/// </summary>
/// <remarks>Asked by many rooms at once: asking whether a room is watched takes no lock.</remarks>
/// <param name="sessionsMax">Sessions that may wait.</param>
/// <param name="visitsMax">Visits that are remembered, at least; the oldest are forgotten first.</param>
public sealed class ActivityWatch(int sessionsMax, int visitsMax)
{
    readonly Lock _lock = new();
    readonly ConcurrentDictionary<Jid, ImmutableHashSet<Jid>> _byRoom = new();
    readonly Dictionary<Jid, HashSet<Jid>> _bySession = [];
    readonly Dictionary<Jid, HashSet<Jid>> _byUser = [];
    // When users were last inside: two halves, of which the older is dropped when the newer is full.
    Dictionary<(Jid User, Jid Room), DateTimeOffset> _visits = [], _olderVisits = [];

    /// <summary>Number of sessions that wait.</summary>
    public int Count
    {
        get { lock (_lock) return _bySession.Count; }
    }

    /// <summary>Whether anybody waits to hear of a room.</summary>
    public bool IsWatched(Jid room) => _byRoom.ContainsKey(room);

    /// <summary>Lets a session wait for some rooms, instead of those before. False when too many wait.</summary>
    public bool TrySubscribe(Jid session, IEnumerable<Jid> rooms)
    {
        lock (_lock)
        {
            Remove(session);
            if (_bySession.Count >= sessionsMax) return false;
            _bySession[session] = [];
            if (!_byUser.TryGetValue(session.Bare, out var sessions)) _byUser[session.Bare] = sessions = [];
            sessions.Add(session);
            foreach (var room in rooms) Wait(session, room);
            return true;
        }
    }

    /// <summary>A session hears nothing any more.</summary>
    public void Unsubscribe(Jid session)
    {
        lock (_lock) Remove(session);
    }

    /// <summary>Those who wait for a room. They have heard of it now.</summary>
    public ImmutableArray<Jid> Take(Jid room)
    {
        lock (_lock)
        {
            if (!_byRoom.TryRemove(room, out var waiting)) return [];
            foreach (var session in waiting) _bySession[session].Remove(room);
            return [.. waiting.Order()];
        }
    }

    /// <summary>A user is in a room: the room itself tells what is said.</summary>
    public void Entered(Jid user, Jid room)
    {
        lock (_lock)
        {
            foreach (var session in SessionsOf(user)) StopWaiting(session, room);
        }
    }

    /// <summary>A user is not in a room any more: its sessions wait from now on.</summary>
    public void Left(Jid user, Jid room, DateTimeOffset now)
    {
        lock (_lock)
        {
            if (_visits.Count >= visitsMax) (_olderVisits, _visits) = (_visits, []);
            _visits[(user.Bare, room)] = now;
            foreach (var session in SessionsOf(user)) Wait(session, room);
        }
    }

    /// <summary>When a user was last in a room; null when that is not known.</summary>
    public DateTimeOffset? LastVisit(Jid user, Jid room)
    {
        lock (_lock)
        {
            var key = (user.Bare, room);
            if (_visits.TryGetValue(key, out var at) || _olderVisits.TryGetValue(key, out at)) return at;
            return null;
        }
    }

    HashSet<Jid> SessionsOf(Jid user) => _byUser.TryGetValue(user.Bare, out var sessions) ? sessions : [];

    void Wait(Jid session, Jid room)
    {
        if (!_bySession[session].Add(room)) return;
        _byRoom[room] = (_byRoom.GetValueOrDefault(room) ?? []).Add(session);
    }

    void StopWaiting(Jid session, Jid room)
    {
        if (!_bySession[session].Remove(room)) return;
        var rest = _byRoom[room].Remove(session);
        if (rest.IsEmpty) _byRoom.TryRemove(room, out _);
        else _byRoom[room] = rest;
    }

    void Remove(Jid session)
    {
        if (!_bySession.TryGetValue(session, out var rooms)) return;
        foreach (var room in rooms.ToArray()) StopWaiting(session, room);
        _bySession.Remove(session);
        var sessions = _byUser[session.Bare];
        sessions.Remove(session);
        if (sessions.Count == 0) _byUser.Remove(session.Bare);
    }
}
