using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Joins;

/// <summary>What becomes of a stanza of a room that a session is being brought back into.</summary>
/// <param name="Deliver">What its client gets in the stanza's place, in order.</param>
/// <param name="IsDone">The session is inside again.</param>
/// <param name="Failure">It is not, and will not be: why, for people.</param>
public readonly record struct RejoinStep(
    IReadOnlyList<Stanza> Deliver, bool IsDone = false, string? Failure = null);

/// <summary>
/// Brings a session back into rooms that it has dropped out of, so that its client sees no more of it than what it
/// missed: who came and went, and what was said (muc-presence-reliability.md §5.6). Kept only for accounts that want
/// it, as the server has to know what the client knows of each room.
/// </summary>
/// <remarks>Bounded: a room with more than <see cref="OccupantsMax"/> occupants is not looked after, nor is more than
/// <see cref="HeldMax"/> messages held back. Not synchronised.</remarks>
public sealed class Rejoins
{
    /// <summary>Occupants known of one room.</summary>
    public const int OccupantsMax = 2000;

    /// <summary>Messages of the history held back until it is known which of them are new.</summary>
    public const int HeldMax = 500;

    /// <summary>How long a room may take to let the session in.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Clocks of servers differ: so much more of the history is asked for than was missed, and what the client
    /// has got before is taken out again.</summary>
    static readonly TimeSpan Overlap = TimeSpan.FromSeconds(60);

    sealed class View(Presence join)
    {
        public Presence Join = join;
        public Dictionary<string, int> Occupants = new(StringComparer.Ordinal); // nick -> hash of the presence
        public bool IsTooLarge;
        public string? LastMessage;         // key of the newest message that the client has got
        public DateTimeOffset LastAt;
        public int Subject;
        public Jid Occupant;                // while it is brought back: the address that it had
        public DateTimeOffset BegunAt;
        public HashSet<string>? Seen;       // while the room lists who is inside
        public List<Stanza>? Held;          // while the room sends the history
        public bool IsLastFound;
    }

    readonly Dictionary<string, View> _rooms = new(StringComparer.Ordinal);

    /// <summary>The session sends presence that enters a room, or says something else to it.</summary>
    /// <returns>The address that the session had in the room, when it was being brought back there and now enters by
    /// itself: what the room answers is the client's, who must know first that it had dropped out. Else None.</returns>
    public Jid Sent(Presence presence, DateTimeOffset now)
    {
        string room = presence.To.Bare.ToString();
        var known = _rooms.GetValueOrDefault(room);
        if (presence.Type == PresenceType.Unavailable)
        {
            _rooms.Remove(room);
        }
        else if (presence.Child(Namespaces.Muc, "x") is not null)
        {
            _rooms[room] = new View(presence) { LastAt = now };
            if (known?.Seen is not null) return known.Occupant;
        }
        else if (known is not null)
        {
            // A change of the presence, or of the nick: to be shown when it comes back.
            known.Join = (Presence)presence.Add(known.Join.Child(Namespaces.Muc, "x")!);
        }
        return Jid.None;
    }

    /// <summary>The session is in no room any more.</summary>
    public void Clear() => _rooms.Clear();

    /// <summary>The session is out of the room for good.</summary>
    public void Left(Jid room) => _rooms.Remove(room.Bare.ToString());

    /// <summary>The session is not brought back into a room any more.</summary>
    /// <returns>The address that it had there; None when it was not being brought back.</returns>
    public Jid GiveUp(Jid room)
    {
        return _rooms.Remove(room.Bare.ToString(), out var view) && view.Seen is not null ? view.Occupant : Jid.None;
    }

    /// <summary>Begins to bring the session back.</summary>
    /// <param name="occupant">The address that it had.</param>
    /// <param name="now">The time.</param>
    /// <returns>The presence to send; null when too little is known to hide it from the client.</returns>
    public Presence? Begin(Jid occupant, DateTimeOffset now)
    {
        if (!_rooms.TryGetValue(occupant.Bare.ToString(), out var view) || view.IsTooLarge || view.Seen is not null
            || view.Held is not null) return null;
        (view.Occupant, view.BegunAt, view.Seen, view.IsLastFound) = (occupant, now, [], false);
        var join = MucJoin.Read(view.Join.Child(Namespaces.Muc, "x")!) with
        {
            // XEP-0045 §7.2.14: what has been said since.
            History = new MucHistoryRequest { Since = view.LastAt - Overlap },
        };
        var presence = view.Join.Without(child => child.Is(Namespaces.Muc, "x")).Add(join.ToElement());
        return (Presence)presence.Readdressed(view.Join.From, occupant);
    }

    /// <summary>Rooms that have not let the session in in time.</summary>
    public IReadOnlyList<Jid> Expire(DateTimeOffset now)
    {
        Jid[] late = [.. _rooms.Values.Where(view => view.Seen is not null && now - view.BegunAt >= Patience)
            .Select(view => view.Occupant)];
        foreach (var occupant in late) Left(occupant);
        return late;
    }

    /// <summary>A stanza comes from a room.</summary>
    /// <returns>Null when the client gets it as it is.</returns>
    public RejoinStep? Receive(Stanza stanza, DateTimeOffset now)
    {
        if (!_rooms.TryGetValue(stanza.From.Bare.ToString(), out var view)) return null;
        return stanza switch
        {
            Presence presence when view.Seen is { } seen => ReceiveListed(presence, view, seen),
            Presence presence => Note(presence, view),
            Message { Type: MessageType.Groupchat } message when view.Held is { } held =>
                ReceiveHistory(message, view, held, now),
            Message { Type: MessageType.Groupchat } message => Note(message, view, now),
            _ => null,
        };
    }

    static RejoinStep? Note(Presence presence, View view)
    {
        string nick = presence.From.Resource.ToString();
        if (nick.Length == 0) return null;
        if (presence.Type == PresenceType.Unavailable) view.Occupants.Remove(nick);
        else if (presence.Type != PresenceType.Available) return null;
        else if (view.Occupants.Count < OccupantsMax || view.Occupants.ContainsKey(nick))
            view.Occupants[nick] = HashOf(presence);
        else (view.IsTooLarge, view.Occupants) = (true, new(StringComparer.Ordinal));
        return null;
    }

    static RejoinStep? Note(Message message, View view, DateTimeOffset now)
    {
        if (message.IsSubjectOnly) view.Subject = HashOf(message);
        else (view.LastMessage, view.LastAt) = (KeyOf(message), now);
        return null;
    }

    RejoinStep? ReceiveListed(Presence presence, View view, HashSet<string> seen)
    {
        if (presence.Type == PresenceType.Error)
        {
            if (presence.From != view.Occupant) return null;
            Left(presence.From);
            return new([], Failure: presence.Error?.Text ?? presence.Error?.Condition ?? "the room refused");
        }
        string nick = presence.From.Resource.ToString();
        // Of before: the room has yet to hear that the session comes back. It may be its answer to another nick.
        if (presence.Type == PresenceType.Unavailable
            && (presence.From == view.Occupant || JoinedRooms.IsSelf(presence))) return new([]);
        if (presence.Type != PresenceType.Available || nick.Length == 0) return null;
        bool isSelf = JoinedRooms.IsSelf(presence);
        bool isNews = !view.Occupants.TryGetValue(nick, out int before) || (!isSelf && before != HashOf(presence));
        view.Occupants[nick] = HashOf(presence);
        seen.Add(nick);
        if (!isSelf) return new(isNews ? [presence] : []);
        // The own presence ends the list: whoever was not in it has gone meanwhile.
        var deliver = new List<Stanza>();
        string own = view.Occupant.Resource.ToString();
        foreach (string gone in view.Occupants.Keys.Where(known => !seen.Contains(known) && known != own).ToArray())
        {
            view.Occupants.Remove(gone);
            if (presence.From.TryWithResource(gone, out var from)) deliver.Add(Absence(from, presence.To, null));
        }
        // The service gave another nick than before (status 210): for the client that is a change of its nick.
        if (nick != own)
        {
            view.Occupants.Remove(own);
            deliver.Add(Absence(view.Occupant, presence.To, nick));
            deliver.Add(presence);
        }
        (view.Seen, view.Held) = (null, []);
        return new(deliver, IsDone: true);
    }

    static RejoinStep ReceiveHistory(Message message, View view, List<Stanza> held, DateTimeOffset now)
    {
        bool isSubject = message.IsSubjectOnly, isOld = message.Child(Namespaces.Delay, "delay") is not null;
        string key = KeyOf(message);
        if (!isSubject && isOld && !view.IsLastFound && held.Count < HeldMax)
        {
            if (key == view.LastMessage)
            {
                // The client has got it, and all before it.
                view.IsLastFound = true;
                held.Clear();
            }
            else
            {
                held.Add(message);
            }
            return new([]);
        }
        var deliver = new List<Stanza>(held);
        held.Clear();
        // XEP-0045 §7.2.15: the subject ends the history; so does what is said now.
        if (isSubject || !isOld) view.Held = null;
        if (!isSubject || view.Subject != HashOf(message)) deliver.Add(message);
        if (isSubject) view.Subject = HashOf(message);
        else (view.LastMessage, view.LastAt) = (key, now);
        return new(deliver);
    }

    static Presence Absence(Jid from, Jid to, string? renamed) => new(PresenceType.Unavailable, from, to, null,
        (renamed is null
            ? new MucUser(new MucItem(Affiliation.None, Role.None))
            : new MucUser(new MucItem(Affiliation.None, Role.None, Nick: renamed), MucStatus.Self,
                MucStatus.NickChanged)).ToElement());

    // The id that the room gave it, as the sender's own may be anybody's.
    static string KeyOf(Message message) =>
        StanzaIds.Find(message, message.From.Bare) ?? $"{message.From} {message.Id}";

    static int HashOf(Stanza stanza) =>
        string.Concat(stanza.Elements.Where(child => !child.Is(Namespaces.Delay, "delay")))
            .GetHashCode(StringComparison.Ordinal);
}
