using System.Collections.Immutable;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Presence of those inside: who sees it and what it says (XEP-0045 §7.2.2 #enter-pres, §7.7 #changepres, §7.14 #exit).
//
// A presence differs by recipient in two things: the real JID is only for those who may see it, and the occupant itself
// gets status 110. So there are three classes, one stanza each, however many are inside.
public sealed partial class Room
{
    const string ShutdownReason = "You are being removed from the room because of a system shutdown";

    /// <summary>Who hears of an occupant, by what they see.</summary>
    /// <param name="Self">The occupant's own sessions.</param>
    /// <param name="Open">Those who see the real JID.</param>
    /// <param name="Veiled">Those who do not.</param>
    readonly record struct Audience(ImmutableArray<Jid> Self, ImmutableArray<Jid> Open, ImmutableArray<Jid> Veiled);

    /// <summary>Why and how an occupant goes.</summary>
    /// <param name="Code">Status code, or 0 for leaving by itself.</param>
    readonly record struct Departure(int Code)
    {
        public string? Reason { get; init; }
        public MucActor? Actor { get; init; }
        public Element? Status { get; init; }
        public string? NewNick { get; init; }
        public MucDestroy? Destroy { get; init; }
        public Affiliation? Affiliation { get; init; }
        public string? Id { get; init; }
        public MucVersion? Version { get; init; }
    }

    Audience AudienceOf(Occupant about)
    {
        var open = _options.Anonymous ? _occupants.Moderators : _occupants.Sessions;
        var veiled = _options.Anonymous ? _occupants.Others : [];
        var own = _occupants.OfUser(about.User);
        if (own.IsEmpty) return new([], open, veiled);
        var friends = own.Where(occupant => occupant != about).SelectMany(SessionsOf);
        return new(
            own.Contains(about) ? [.. SessionsOf(about)] : [],
            [.. open.Where(jid => !jid.SameBare(about.User)), .. friends],
            [.. veiled.Where(jid => !jid.SameBare(about.User))]);
    }

    static IEnumerable<Jid> SessionsOf(Occupant occupant) => occupant.Sessions.Select(session => session.Real);

    /// <summary>XEP-0045 §7.2.4 #enter-semianon: real JIDs are for moderators and for the user itself.</summary>
    bool SeesAddress(Occupant reader, Occupant about) =>
        !_options.Anonymous || reader.Role == Role.Moderator || reader.User == about.User;

    /// <summary>Whether others are told of an occupant at all (<c>muc#roomconfig_presencebroadcast</c>, muc.md
    /// §4).</summary>
    bool IsShown(Occupant occupant) => IsShown(occupant, _options);

    static bool IsShown(Occupant occupant, RoomOptions options) =>
        !occupant.Unannounced && options.PresenceBroadcast.Contains(occupant.Role);

    /// <summary>Keeps what a session says of itself, without what only the room may say.</summary>
    void Show(OccupantSession session, Presence presence)
    {
        bool hideStatus = session.Occupant.Role == Role.Visitor && !_options.AllowVisitorStatus;
        session.Shown = [.. presence.Elements.Where(child =>
            !IsRoomsOwn(child) && !(hideStatus && child.Is(Namespaces.Client, "status")))];
        session.Lang = presence.Lang;
        session.Priority = presence.Priority;
        session.Occupant.Rendered = default;
    }

    /// <summary>Content that only the room may add: nobody can forge an item, a status code or an identity.</summary>
    static bool IsRoomsOwn(Element child) =>
        MucElements.IsMuc(child) || child.Namespace is Namespaces.OccupantId or HatsNamespace;

    /// <summary>The presence that stands for an occupant; made once for all who see the same.</summary>
    Presence PresenceOf(Occupant occupant, bool open)
    {
        var (opened, veiled) = occupant.Rendered;
        if (open) opened ??= Available(occupant, occupant.Representative.Real, null, []);
        else veiled ??= Available(occupant, default, null, []);
        occupant.Rendered = (opened, veiled);
        return open ? opened! : veiled!;
    }

    Presence SelfPresence(Occupant occupant, string? id, IReadOnlyList<int> statuses, MucVersion? version = null) =>
        Available(occupant, occupant.Representative.Real, id, statuses, version: version);

    Presence Available(Occupant occupant, Jid real, string? id, IReadOnlyList<int> statuses,
        MucActor? actor = null, string? reason = null, MucVersion? version = null)
    {
        var item = new MucItem(occupant.Affiliation, occupant.Role, real, Actor: actor, Reason: reason);
        var shown = occupant.Representative;
        return new Presence(PresenceType.Available, occupant.InRoom, default, id,
            [
                .. shown.Shown, occupant.IdElement, HatsOf(occupant),
                new MucUser(item, statuses) { Version = version }.ToElement(),
            ])
            .WithLang(shown.Lang);
    }

    static Presence Unavailable(Occupant occupant, Jid real, bool self, in Departure departure)
    {
        var actor = departure.Actor is { } by && real.IsNone ? by with { Jid = default } : departure.Actor;
        var item = new MucItem(departure.Affiliation ?? occupant.Affiliation,
            departure.NewNick is null ? Role.None : occupant.Role, // who only changes the nick keeps the role
            real, departure.NewNick, actor, departure.Reason);
        List<int> statuses = [];
        if (self) statuses.Add(MucStatus.Self);
        if (departure.Code != 0) statuses.Add(departure.Code);
        return new Presence(PresenceType.Unavailable, occupant.InRoom, default, self ? departure.Id : null,
            departure.Status, occupant.IdElement,
            new MucUser(item, statuses)
            {
                Destroy = departure.Destroy,
                Version = real.IsNone ? null : departure.Version, // of whom the list speaks, only the address tells
            }.ToElement());
    }

    static void Cast(Stanza stanza, ImmutableArray<Jid> sessions, List<RoomEffect> effects)
    {
        if (sessions.IsEmpty) return;
        effects.Add(sessions.Length == 1
            ? new RoomEffect.Send(stanza, sessions[0])
            : new RoomEffect.Broadcast(stanza, sessions));
    }

    void CastAvailable(Occupant occupant, in Audience audience, List<RoomEffect> effects)
    {
        if (!audience.Open.IsEmpty) Cast(PresenceOf(occupant, open: true), audience.Open, effects);
        if (!audience.Veiled.IsEmpty) Cast(PresenceOf(occupant, open: false), audience.Veiled, effects);
    }

    /// <summary>A further session of a nick: news only if its presence now stands for the nick.</summary>
    void AnnounceSession(Occupant occupant, OccupantSession session, List<RoomEffect> effects)
    {
        if (occupant.Representative == session) Announce(occupant, effects, except: session);
    }

    /// <summary>Tells everybody the present state of an occupant, itself included.</summary>
    /// <remarks>A session given as <c>except</c> gets a copy of its own elsewhere.</remarks>
    void Announce(Occupant occupant, List<RoomEffect> effects,
        OccupantSession? except = null, MucActor? actor = null, string? reason = null, MucVersion? version = null)
    {
        var audience = AudienceOf(occupant);
        if (IsShown(occupant))
        {
            if (actor is null && reason is null && version is null)
            {
                CastAvailable(occupant, audience, effects);
            }
            else
            {
                var open = Available(occupant, occupant.Representative.Real, null, [], actor, reason, version);
                var veiledActor = actor is null ? null : actor with { Jid = default };
                Cast(open, audience.Open, effects);
                Cast(Available(occupant, default, null, [], veiledActor, reason), audience.Veiled, effects);
            }
        }
        var self = except is null ? audience.Self : audience.Self.Remove(except.Real);
        Cast(Available(occupant, occupant.Representative.Real, null, [MucStatus.Self], actor, reason, version), self,
            effects);
    }

    /// <summary>Presence from a session inside: an update, another nick, or the wish to be told everything
    /// again.</summary>
    StanzaError? Update(OccupantSession session, Presence presence, in RoomInput input, List<RoomEffect> effects)
    {
        var occupant = session.Occupant;
        bool renames = presence.To.IsFull && !presence.To.Resource.SequenceEqual(occupant.Nick);
        if (!renames && presence.Child(Namespaces.Muc, "x") is null)
        {
            TakeUpdate(session, presence, input, effects);
            return null;
        }
        if (session.Pace is { } pace) pace.HeldPresence = null; // older than this one
        if (renames)
        {
            if (ChangeNick(session, presence, input, effects) is { } refusal) return refusal;
            if (presence.Child(Namespaces.Muc, "x") is null) return null;
            occupant = session.Occupant;
        }
        var before = PresenceOf(occupant, open: true);
        Show(session, presence);
        // XEP-0045 §7.2.1 #enter-muc: the client lost its synchronisation; it gets what a newcomer gets, and the
        // others hear of it only if something changed.
        bool changed = !PresenceOf(occupant, open: true).ToElement().DeepEquals(before.ToElement());
        if (changed) Announce(occupant, effects, except: session);
        var join = MucJoin.Read(presence.Child(Namespaces.Muc, "x")!);
        SendRoom(session, presence.Id, join, input, assigned: false, effects);
        return null;
    }

    void ShowUpdate(OccupantSession session, Presence presence, List<RoomEffect> effects)
    {
        var occupant = session.Occupant;
        Show(session, presence);
        if (occupant.Representative == session) Announce(occupant, effects, except: session);
        effects.Add(new RoomEffect.Send(SelfPresence(occupant, presence.Id, [MucStatus.Self]), session.Real));
    }

    void Leave(OccupantSession session, Presence presence, DateTimeOffset now, List<RoomEffect> effects)
    {
        TellFresh(session, now, effects);
        RemoveSession(session, new Departure(0) { Status = presence.Child("status"), Id = presence.Id }, effects);
    }

    /// <summary>XEP-0045 §17.3 #bizrules-presence: an occupant may ask for another's presence.</summary>
    StanzaError? Probe(OccupantSession? session, Presence presence, List<RoomEffect> effects)
    {
        if (session is null) return StanzaError.NotAcceptable;
        var about = session.Occupant;
        if (presence.To.IsFull && !_occupants.TryNick(presence.To.Resource, out about!))
            return StanzaError.ItemNotFound;
        effects.Add(new RoomEffect.Send(
            about == session.Occupant
                ? SelfPresence(about, null, [MucStatus.Self])
                : PresenceOf(about, SeesAddress(session.Occupant, about)),
            session.Real));
        return null;
    }

    /// <summary>Takes one session out. The nick stays while it has others.</summary>
    void RemoveSession(OccupantSession session, in Departure departure, List<RoomEffect> effects)
    {
        var occupant = session.Occupant;
        var representative = occupant.Representative;
        bool shown = IsShown(occupant);
        bool last = _occupants.Remove(session);
        if (last && shown) CastUnavailable(occupant, session.Real, departure, effects);
        effects.Add(new RoomEffect.Send(Unavailable(occupant, session.Real, self: true, departure), session.Real));
        // [D] muc.md §4: the others see a change only if another session now stands for the nick.
        if (!last && representative == session) Announce(occupant, effects);
        effects.Add(new RoomEffect.Left(session.Real, occupant.Nick, last, departure.Code,
            departure.Reason ?? departure.Status?.Text));
    }

    /// <summary>Takes an occupant out with all its sessions.</summary>
    void RemoveOccupant(Occupant occupant, in Departure departure, List<RoomEffect> effects)
    {
        bool shown = IsShown(occupant);
        var real = occupant.Representative.Real;
        var sessions = occupant.Sessions.ToArray();
        foreach (var session in sessions) _occupants.Remove(session);
        if (shown) CastUnavailable(occupant, real, departure, effects);
        var self = Unavailable(occupant, real, self: true, departure);
        Cast(self, [.. sessions.Select(session => session.Real)], effects);
        for (int i = 0; i < sessions.Length; i++)
            effects.Add(new RoomEffect.Left(sessions[i].Real, occupant.Nick, i == sessions.Length - 1, departure.Code,
                departure.Reason));
    }

    void CastUnavailable(Occupant occupant, Jid real, in Departure departure, List<RoomEffect> effects)
    {
        var audience = AudienceOf(occupant);
        if (!audience.Open.IsEmpty) Cast(Unavailable(occupant, real, self: false, departure), audience.Open, effects);
        if (!audience.Veiled.IsEmpty)
            Cast(Unavailable(occupant, default, self: false, departure), audience.Veiled, effects);
    }

    /// <summary>XEP-0045 §11.2 #service-shutdown-kick: everybody is told to go and hears only of itself.</summary>
    void ShutDown(string reason, DateTimeOffset now, List<RoomEffect> effects)
    {
        foreach (var session in _occupants.AllSessions) TellFresh(session, now, effects);
        RemoveAll(new Departure(MucStatus.Shutdown) { Reason = reason }, effects);
    }

    void RemoveAll(in Departure departure, List<RoomEffect> effects)
    {
        foreach (var occupant in _occupants.All.ToArray())
        {
            var self = Unavailable(occupant, occupant.Representative.Real, self: true, departure);
            Cast(self, [.. SessionsOf(occupant)], effects);
            foreach (var session in occupant.Sessions.ToArray())
            {
                bool last = _occupants.Remove(session);
                effects.Add(new RoomEffect.Left(session.Real, occupant.Nick, last, departure.Code, departure.Reason));
            }
        }
    }
}
