using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

/// <summary>One session of a user inside a room: what muc.md §2 calls so.</summary>
sealed class OccupantSession(Jid real, Occupant occupant, DateTimeOffset now)
{
    /// <summary>The real full JID.</summary>
    public Jid Real { get; } = real;
    /// <summary>The occupant it belongs to.</summary>
    public Occupant Occupant { get; set; } = occupant;
    /// <summary>When it entered.</summary>
    public DateTimeOffset EnteredAt { get; } = now;
    /// <summary>When it last sent anything.</summary>
    public DateTimeOffset ActiveAt { get; set; } = now;
    /// <summary>Priority of its presence.</summary>
    public int Priority { get; set; }
    /// <summary>Its last available presence as the room passes it on: what the room itself adds is left out.</summary>
    public ImmutableArray<Element> Shown { get; set; } = [];
    /// <summary>A session of this server.</summary>
    public bool IsLocal { get; init; }
    /// <summary>Times that it was asked whether it is there, since it last gave a sign.</summary>
    public int Probes { get; set; }
    /// <summary>It was inside before a restart, and has given no sign since.</summary>
    public bool IsUnverified { get; set; }
    /// <summary>How fast it may go; null while nothing limits it.</summary>
    public Room.Pace? Pace { get; set; }
    /// <summary>Language of that presence, or null.</summary>
    public string? Lang { get; set; }

    /// <summary>It has given a sign.</summary>
    public void NoteAlive(DateTimeOffset now) => (ActiveAt, Probes, IsUnverified) = (now, 0, false);
}

/// <summary>One nick in a room with the sessions behind it, all of one bare JID.</summary>
sealed class Occupant(string nick, Jid inRoom, Jid user, Element idElement)
{
    readonly List<OccupantSession> _sessions = [];

    /// <summary>The nick.</summary>
    public string Nick { get; set; } = nick;
    /// <summary>The occupant JID: room@service/nick.</summary>
    public Jid InRoom { get; set; } = inRoom;
    /// <summary>The user's bare JID.</summary>
    public Jid User { get; } = user;
    /// <summary>The <c>occupant-id</c> of XEP-0421, the same for the user in this room for ever.</summary>
    public Element IdElement { get; } = idElement;
    /// <summary>Affiliation in force, that of service administrators included.</summary>
    public Affiliation Affiliation { get; set; }
    /// <summary>The role.</summary>
    public Role Role { get; set; }
    /// <summary>An administrator of the service: owner here whatever the list says.</summary>
    public bool IsServiceAdmin { get; set; }
    /// <summary>Entered while the room was overcrowded: not shown to others (muc.md §4).</summary>
    public bool Unannounced { get; set; }
    /// <summary>When the occupant last asked for voice.</summary>
    public DateTimeOffset? VoiceAskedAt { get; set; }
    /// <summary>The sessions, in the order of entering.</summary>
    public IReadOnlyList<OccupantSession> Sessions => _sessions;
    /// <summary>Presence as sent to those who see real JIDs, and to those who do not; null when it must be made
    /// anew.</summary>
    public (Muster.Protocol.Stanzas.Presence? Open, Muster.Protocol.Stanzas.Presence? Veiled) Rendered { get; set; }

    /// <summary>The session whose presence stands for the nick: the highest priority, of equals the one that entered
    /// first.</summary>
    public OccupantSession Representative
    {
        get
        {
            var best = _sessions[0];
            foreach (var session in _sessions)
                if (session.Priority > best.Priority) best = session;
            return best;
        }
    }

    internal void Add(OccupantSession session) => _sessions.Add(session);
    internal void Remove(OccupantSession session) => _sessions.Remove(session);
}

/// <summary>Who is inside: found by nick, by real JID and by user, with the recipients of broadcasts ready at
/// hand.</summary>
/// <remarks>The arrays are made anew only after somebody came, went or changed role: a message costs none.</remarks>
/// <param name="changed">Told of each user of whom an occupant has come or gone.</param>
sealed class Occupants(Action<Jid> changed)
{
    readonly Dictionary<string, Occupant> _byNick = new(StringComparer.Ordinal);
    readonly Dictionary<Jid, OccupantSession> _bySession = [];
    readonly Dictionary<Jid, ImmutableArray<Occupant>> _byUser = [];
    ImmutableArray<Jid> _sessions = [];
    ImmutableArray<Jid> _moderators = [];
    ImmutableArray<Jid> _others = [];
    bool _stale;
    int _remote;

    /// <summary>Number of sessions.</summary>
    public int SessionCount => _bySession.Count;
    /// <summary>Number of nicks.</summary>
    public int Count => _byNick.Count;
    /// <summary>All occupants.</summary>
    public IReadOnlyCollection<Occupant> All => _byNick.Values;
    /// <summary>All sessions.</summary>
    public IReadOnlyCollection<OccupantSession> AllSessions => _bySession.Values;
    /// <summary>Whether a session of another server is inside.</summary>
    public bool HasRemote => _remote > 0;
    /// <summary>Real JIDs of all sessions.</summary>
    public ImmutableArray<Jid> Sessions { get { Refresh(); return _sessions; } }
    /// <summary>Real JIDs of moderators' sessions.</summary>
    public ImmutableArray<Jid> Moderators { get { Refresh(); return _moderators; } }
    /// <summary>Real JIDs of the sessions of those who are no moderators.</summary>
    public ImmutableArray<Jid> Others { get { Refresh(); return _others; } }

    /// <summary>The session with this real full JID.</summary>
    public bool TryFind(Jid real, [NotNullWhen(true)] out OccupantSession? session) =>
        _bySession.TryGetValue(real, out session);

    /// <summary>The occupant with this nick.</summary>
    public bool TryNick(ReadOnlySpan<char> nick, [NotNullWhen(true)] out Occupant? occupant) =>
        _byNick.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(nick, out occupant);

    /// <summary>The occupants of a user: mostly none or one, more when its devices use different nicks.</summary>
    public ImmutableArray<Occupant> OfUser(Jid bare) => _byUser.TryGetValue(bare, out var found) ? found : [];

    /// <summary>Adds a session to an occupant, which itself is added with its first session.</summary>
    public void Add(OccupantSession session)
    {
        var occupant = session.Occupant;
        if (occupant.Sessions.Count == 0)
        {
            _byNick.Add(occupant.Nick, occupant);
            _byUser[occupant.User] = OfUser(occupant.User).Add(occupant);
            changed(occupant.User);
        }
        occupant.Add(session);
        occupant.Rendered = default;
        _bySession.Add(session.Real, session);
        if (!session.IsLocal) _remote++;
        _stale = true;
    }

    /// <summary>Removes a session, and its occupant with the last one. True when the occupant is gone.</summary>
    public bool Remove(OccupantSession session)
    {
        var occupant = session.Occupant;
        _bySession.Remove(session.Real);
        if (!session.IsLocal) _remote--;
        occupant.Remove(session);
        occupant.Rendered = default;
        _stale = true;
        if (occupant.Sessions.Count > 0) return false;
        _byNick.Remove(occupant.Nick);
        var rest = OfUser(occupant.User).Remove(occupant);
        if (rest.IsEmpty) _byUser.Remove(occupant.User);
        else _byUser[occupant.User] = rest;
        changed(occupant.User);
        return true;
    }

    /// <summary>Gives an occupant another nick, which must be free.</summary>
    public void Rename(Occupant occupant, string nick, Jid inRoom)
    {
        _byNick.Remove(occupant.Nick);
        occupant.Nick = nick;
        occupant.InRoom = inRoom;
        occupant.Rendered = default;
        _byNick.Add(nick, occupant);
    }

    /// <summary>To be called after the role of an occupant changed.</summary>
    public void RoleChanged(Occupant occupant)
    {
        occupant.Rendered = default;
        _stale = true;
    }

    /// <summary>Gives back what can be made again.</summary>
    public void Compact()
    {
        foreach (var occupant in _byNick.Values) occupant.Rendered = default;
        (_sessions, _moderators, _others, _stale) = ([], [], [], true);
        _byNick.TrimExcess();
        _bySession.TrimExcess();
        _byUser.TrimExcess();
    }

    void Refresh()
    {
        if (!_stale) return;
        _stale = false;
        var moderators = ImmutableArray.CreateBuilder<Jid>();
        var others = ImmutableArray.CreateBuilder<Jid>(_bySession.Count);
        foreach (var session in _bySession.Values)
            (session.Occupant.Role == Role.Moderator ? moderators : others).Add(session.Real);
        _moderators = moderators.ToImmutable();
        _others = others.DrainToImmutable();
        _sessions = [.. _moderators, .. _others];
    }
}
