using System.Diagnostics.CodeAnalysis;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Joins;

/// <summary>
/// The rooms of other servers that one session is in: learnt from the presence that it sends to them and gets from them
/// (Prosody's mod_track_muc_joins; muc-presence-reliability.md §1). It belongs to the session, and lives as long.
/// </summary>
/// <remarks>
/// Rooms are found by the bare part of any address in them. Whoever says that the session is inside was asked by the
/// session to let it in, and can only speak of its own rooms: the domain of a sender is proved. One leaf lock; nobody
/// is called under it.
/// </remarks>
/// <param name="session">The session's full JID.</param>
public sealed class JoinedRooms(Jid session)
{
    static readonly TimeSpan CandidateTime = TimeSpan.FromSeconds(120);
    static readonly TimeSpan LeavingTime = TimeSpan.FromSeconds(60);
    static readonly TimeSpan StrayTime = TimeSpan.FromSeconds(1);

    // Times are ticks in UTC, 0 for never: a hundred thousand entries are kept in large servers.
    sealed class Entry(Jid occupant)
    {
        public Jid Occupant = occupant;
        public Jid Wanted;          // where presence went that the room has not answered
        public long WantedAt;
        public long JoinedAt;       // 0: only a candidate
        public long HeardAt;
        public long ProvenAt;
        public long AskedAt;
        public long LeavingAt;
        public bool IsEntering;     // what is wanted is to be inside (XEP-0045 §7.2.1), not another nick
        public bool IsVague;        // there was presence from there without status 110

        public JoinedRoom ToRoom() => new(Occupant, Time(JoinedAt), Time(HeardAt), Time(ProvenAt), Time(AskedAt),
            IsChanging: LeavingAt != 0 || (!Wanted.IsNone && Wanted != Occupant));
    }

    readonly Lock _lock = new();
    readonly Dictionary<Jid, Entry> _byRoom = new(BareComparer.Instance);
    int _joined;
    long _strayAt;

    /// <summary>The session's full JID.</summary>
    public Jid Session => session;

    /// <summary>Whether the session has no connection (XEP-0198): it is asked about less often then.</summary>
    public bool IsHibernating { get; set; }

    /// <summary>Whether rooms had to be forgotten: that is told once.</summary>
    public bool IsOverfull { get; set; }

    /// <summary>Rooms that the session is in.</summary>
    public int Count
    {
        get { lock (_lock) return _joined; }
    }

    /// <summary>Whether a room is known: the session is in it, or has asked to be let in.</summary>
    public bool Knows(Jid room)
    {
        lock (_lock) return _byRoom.ContainsKey(room);
    }

    /// <summary>The session sends presence to an address.</summary>
    /// <param name="presence">Available or unavailable presence with a full address.</param>
    /// <param name="max">Rooms that may be known.</param>
    /// <param name="now">The time.</param>
    /// <returns>The room that is not known any more, as it was silent longest; None when there was a place.</returns>
    public Jid Sent(Presence presence, int max, DateTimeOffset now)
    {
        lock (_lock)
        {
            bool isKnown = _byRoom.TryGetValue(presence.To, out var entry);
            if (presence.Type == PresenceType.Unavailable)
            {
                if (entry is { JoinedAt: 0 }) _byRoom.Remove(presence.To);
                else if (entry is not null) (entry.LeavingAt, entry.Wanted) = (now.UtcTicks, default);
                return Jid.None;
            }
            bool isRoom = presence.To.IsFull && presence.To.HasLocal;
            if (presence.Type != PresenceType.Available || !isRoom) return Jid.None;
            var forgotten = Jid.None;
            if (!isKnown)
            {
                if (_byRoom.Count >= max) forgotten = ForgetSilent(now);
                _byRoom.Add(presence.To, entry = new Entry(presence.To));
            }
            // An update of the presence changes nothing that would have to be waited for.
            if (entry!.JoinedAt == 0 || entry.LeavingAt != 0 || entry.Occupant != presence.To)
            {
                (entry.Wanted, entry.WantedAt) = (presence.To, now.UtcTicks);
                (entry.IsEntering, entry.IsVague) = (presence.Child(Namespaces.Muc, "x") is not null, false);
            }
            return forgotten;
        }
    }

    /// <summary>Presence comes to the session from an address in a room.</summary>
    /// <param name="presence">The presence.</param>
    /// <param name="wasAddressed">Whether the session has sent presence to the room, though it may not be known here
    /// any more.</param>
    /// <param name="now">The time.</param>
    /// <param name="left">The address that the session had when it left or changed its nick.</param>
    public JoinChange Received(Presence presence, bool wasAddressed, DateTimeOffset now, out Jid left)
    {
        left = default;
        lock (_lock)
        {
            bool isKnown = _byRoom.TryGetValue(presence.From, out var entry);
            if (entry is not null) entry.HeardAt = now.UtcTicks;
            switch (presence.Type)
            {
                case PresenceType.Error when entry is not null && entry.Wanted == presence.From:
                    entry.Wanted = default;
                    if (entry.JoinedAt != 0) return JoinChange.None;
                    _byRoom.Remove(presence.From);
                    return JoinChange.Refused;
                case PresenceType.Available when (isKnown || wasAddressed) && presence.From.IsFull
                    && IsSelf(presence, out _):
                    return Confirm(entry, presence.From, now, out left);
                case PresenceType.Available when entry is not null && entry.Wanted == presence.From:
                    entry.IsVague = true;
                    return JoinChange.None;
                case PresenceType.Unavailable when entry is { JoinedAt: not 0 }:
                    bool isSelf = IsSelf(presence, out var user);
                    // Some leave status 110 out where they kick (MongooseIM): the address alone says whose end it is.
                    if (!isSelf && presence.From != entry.Occupant) return JoinChange.None;
                    left = entry.Occupant;
                    // XEP-0045 §7.6: the old nick goes, and the item names the new one. The session stays.
                    if (user?.Statuses.Contains(MucStatus.NickChanged) == true && user.Item?.Nick is { } nick
                        && presence.From.TryWithResource(nick, out var renamed))
                        return Confirm(entry, renamed, now, out left);
                    Leave(entry);
                    return JoinChange.Left;
                default:
                    return JoinChange.None;
            }
        }
    }

    /// <summary>A message of a room comes to the session; one from its own address there proves that it is
    /// inside.</summary>
    /// <returns>False when the session neither is in the room nor has asked to be let in.</returns>
    public bool Heard(Jid from, DateTimeOffset now)
    {
        lock (_lock)
        {
            if (!_byRoom.TryGetValue(from, out var entry)) return false;
            entry.HeardAt = now.UtcTicks;
            if (from == entry.Occupant) entry.ProvenAt = now.UtcTicks;
            return true;
        }
    }

    /// <summary>Whether to tell a room now that the session is not inside, as the room believes: no more often than
    /// once a second, whoever sends how much.</summary>
    public bool TakeStray(DateTimeOffset now)
    {
        lock (_lock)
        {
            if (now.UtcTicks - _strayAt < StrayTime.Ticks) return false;
            _strayAt = now.UtcTicks;
            return true;
        }
    }

    /// <summary>The room has said that the session is inside, in answer to a ping to its own address there: the
    /// server's, or the client's.</summary>
    /// <param name="occupant">The address.</param>
    /// <param name="at">When that was true: no earlier than the ping was sent.</param>
    public void Proved(Jid occupant, DateTimeOffset at)
    {
        lock (_lock)
        {
            if (!_byRoom.TryGetValue(occupant, out var entry) || entry.Occupant != occupant) return;
            entry.HeardAt = Math.Max(entry.HeardAt, at.UtcTicks);
            entry.ProvenAt = Math.Max(entry.ProvenAt, at.UtcTicks);
        }
    }

    /// <summary>The server asks the room.</summary>
    public void Asked(Jid room, DateTimeOffset now)
    {
        lock (_lock)
        {
            if (_byRoom.TryGetValue(room, out var entry)) entry.AskedAt = now.UtcTicks;
        }
    }

    /// <summary>The session has dropped out of a room. False when it is not in it, or has another address by
    /// now.</summary>
    public bool Drop(Jid occupant)
    {
        lock (_lock)
        {
            if (!_byRoom.TryGetValue(occupant, out var entry) || entry.JoinedAt == 0 || entry.Occupant != occupant)
                return false;
            Leave(entry);
            return true;
        }
    }

    /// <summary>Takes up a room that the session was in before a restart.</summary>
    public void Restore(Jid occupant, DateTimeOffset now)
    {
        lock (_lock)
        {
            if (_byRoom.ContainsKey(occupant)) return;
            _byRoom.Add(occupant, new Entry(occupant) { JoinedAt = now.UtcTicks, HeardAt = now.UtcTicks });
            _joined++;
        }
    }

    /// <summary>The room that an address belongs to, when the session is in it.</summary>
    public bool TryFind(Jid room, out JoinedRoom joined)
    {
        lock (_lock)
        {
            bool isIn = TryJoined(room, out var entry);
            joined = isIn ? entry!.ToRoom() : default;
            return isIn;
        }
    }

    /// <summary>The rooms that the session is in.</summary>
    public IReadOnlyList<JoinedRoom> All()
    {
        lock (_lock) return [.. _byRoom.Values.Where(entry => entry.JoinedAt != 0).Select(entry => entry.ToRoom())];
    }

    /// <summary>The same in a list that is used again and again, for who looks at all sessions.</summary>
    /// <param name="into">What it holds is replaced.</param>
    public List<JoinedRoom> All(List<JoinedRoom> into)
    {
        into.Clear();
        lock (_lock)
        {
            foreach (var entry in _byRoom.Values)
                if (entry.JoinedAt != 0) into.Add(entry.ToRoom());
        }
        return into;
    }

    /// <summary>The session is in no room any more. Where it was.</summary>
    public IReadOnlyList<JoinedRoom> Clear()
    {
        lock (_lock)
        {
            JoinedRoom[] all = [.. _byRoom.Values.Where(entry => entry.JoinedAt != 0).Select(entry => entry.ToRoom())];
            _byRoom.Clear();
            _joined = 0;
            return all;
        }
    }

    /// <summary>Gives up entering rooms that have not answered: whether the session is inside, nobody knows.</summary>
    /// <param name="now">The time, when those only that had time enough; null for all.</param>
    /// <param name="marksSelf">Whether rooms of a domain say by status 110 who is inside. Where none ever did, the
    /// session may be inside.</param>
    public UnansweredRooms TakeUnanswered(DateTimeOffset? now, Predicate<Jid> marksSelf)
    {
        List<Jid>? wanted = null, left = null;
        lock (_lock)
        {
            foreach (var entry in _byRoom.Values.ToArray())
            {
                if (!entry.IsEntering || entry.Wanted.IsNone) continue;
                if (entry.JoinedAt != 0 && (now is not null || entry.LeavingAt == 0)) continue;
                if (now is { } time && time.UtcTicks - entry.WantedAt <= CandidateTime.Ticks) continue;
                if (entry.IsVague && !marksSelf(entry.Wanted.DomainJid)) continue;
                (wanted ??= []).Add(entry.Wanted);
                _byRoom.Remove(entry.Occupant);
                if (entry.JoinedAt == 0) continue;
                (left ??= []).Add(entry.Occupant);
                _joined--;
            }
        }
        return new(wanted ?? [], left ?? []);
    }

    /// <summary>Gives up what has waited too long: presence that no room answered, and leaving that none
    /// confirmed.</summary>
    /// <returns>The rooms that the session has left so.</returns>
    public IReadOnlyList<Jid> Expire(DateTimeOffset now)
    {
        List<Jid>? left = null;
        lock (_lock)
        {
            foreach (var entry in _byRoom.Values.ToArray())
            {
                if (!entry.Wanted.IsNone && now.UtcTicks - entry.WantedAt > CandidateTime.Ticks)
                {
                    entry.Wanted = default;
                    if (entry.JoinedAt == 0) _byRoom.Remove(entry.Occupant);
                }
                if (entry.LeavingAt == 0 || now.UtcTicks - entry.LeavingAt <= LeavingTime.Ticks) continue;
                (left ??= []).Add(entry.Occupant);
                Leave(entry);
            }
        }
        return left ?? [];
    }

    JoinChange Confirm(Entry? entry, Jid occupant, DateTimeOffset now, out Jid left)
    {
        left = default;
        if (entry is null) _byRoom.Add(occupant, entry = new Entry(occupant));
        var change = JoinChange.None;
        if (entry.JoinedAt == 0)
        {
            (entry.JoinedAt, change) = (now.UtcTicks, JoinChange.Joined);
            _joined++;
        }
        else if (entry.Occupant != occupant)
        {
            (left, change) = (entry.Occupant, JoinChange.Renamed);
        }
        // One that asked for nick A and got nick B (status 210) has been answered as well.
        (entry.Occupant, entry.Wanted, entry.LeavingAt, entry.IsEntering) = (occupant, default, 0, false);
        entry.HeardAt = entry.ProvenAt = now.UtcTicks;
        return change;
    }

    // It may be on its way back already: then it is a candidate again.
    void Leave(Entry entry)
    {
        _joined--;
        (entry.JoinedAt, entry.LeavingAt, entry.ProvenAt, entry.AskedAt) = (0, 0, 0, 0);
        if (entry.Wanted.IsNone) _byRoom.Remove(entry.Occupant);
    }

    bool TryJoined(Jid room, [NotNullWhen(true)] out Entry? entry) =>
        _byRoom.TryGetValue(room, out entry) && entry.JoinedAt != 0;

    Jid ForgetSilent(DateTimeOffset now)
    {
        var silent = _byRoom.Values.MinBy(entry => entry.HeardAt == 0 ? now.UtcTicks : entry.HeardAt);
        if (silent is null) return Jid.None;
        _byRoom.Remove(silent.Occupant);
        if (silent.JoinedAt == 0) return Jid.None;
        _joined--;
        return silent.Occupant;
    }

    static DateTimeOffset Time(long ticks) => ticks == 0 ? default : new DateTimeOffset(ticks, TimeSpan.Zero);

    /// <summary>Whether presence is about the one who gets it: by status 110 a client knows its own (XEP-0045
    /// §7.2.2).</summary>
    public static bool IsSelf(Presence presence) => IsSelf(presence, out _);

    static bool IsSelf(Presence presence, out MucUser? user)
    {
        user = presence.Child(Namespaces.MucUser, "x") is { } x ? MucUser.Read(x, out _) : null;
        return user is not null && user.Statuses.Contains(MucStatus.Self);
    }

    // An address is not copied to be looked up.
    sealed class BareComparer : IEqualityComparer<Jid>
    {
        public static BareComparer Instance { get; } = new();

        public bool Equals(Jid x, Jid y) => x.SameBare(y);

        public int GetHashCode(Jid jid) => string.GetHashCode(jid.BareText);
    }
}
