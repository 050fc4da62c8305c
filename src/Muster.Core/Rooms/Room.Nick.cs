using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Rooms;

// Changing one's nick inside (XEP-0045 §7.6 #changenick).
public sealed partial class Room
{
    static readonly StanzaError VisitorsKeepNick =
        StanzaError.NotAllowed.WithText("Visitors are not allowed to change their nicknames");
    static readonly StanzaError NickIsLocked =
        StanzaError.NotAcceptable.WithText("Your nickname in this room is fixed");

    StanzaError? ChangeNick(OccupantSession session, Presence presence, in RoomInput input, List<RoomEffect> effects)
    {
        var occupant = session.Occupant;
        if (CheckNick(presence.To) is { } unusable) return unusable;
        if (occupant.Role == Role.Visitor && !_options.AllowVisitorNickChange) return VisitorsKeepNick;
        // Another nick of one's own is not in use by somebody else: the session joins the one that is there.
        if (CheckNickFree(session.Real, presence.To, input.Sender, mayShare: true) is { } taken) return taken;
        var wanted = presence.To;
        if (AssignNick(session.Real, input.Sender, ref wanted)) return NickIsLocked;
        bool merges = _occupants.TryNick(wanted.Resource, out var target);
        if (merges && !_options.AllowMultipleSessions) return NickInUse;

        string old = occupant.Nick;
        if (occupant.Sessions.Count == 1 && !merges) RenameOccupant(session, presence, wanted, effects);
        else MoveSession(session, presence, wanted, target, input, effects);
        effects.Add(new RoomEffect.Renamed(session.Real, old, session.Occupant.Nick));
        return null;
    }

    /// <summary>The usual case: the nick's only session takes a free nick.</summary>
    void RenameOccupant(OccupantSession session, Presence presence, Jid wanted, List<RoomEffect> effects)
    {
        var occupant = session.Occupant;
        string nick = wanted.Resource.ToString();
        var departure = new Departure(MucStatus.NickChanged) { NewNick = nick };
        if (IsShown(occupant)) CastUnavailable(occupant, session.Real, departure, effects);
        effects.Add(new RoomEffect.Send(Unavailable(occupant, session.Real, self: true, departure), session.Real));
        _occupants.Rename(occupant, nick, wanted);
        Show(session, presence);
        Announce(occupant, effects, except: session);
        effects.Add(new RoomEffect.Send(SelfPresence(occupant, presence.Id, [MucStatus.Self]), session.Real));
    }

    /// <summary>[D] muc.md §5: one of several sessions takes a nick, or a session joins another nick of the same user.
    /// To the others an occupant goes only with its last session, and comes only with its first.</summary>
    void MoveSession(OccupantSession session, Presence presence, Jid wanted, Occupant? target, in RoomInput input,
        List<RoomEffect> effects)
    {
        var old = session.Occupant;
        bool wasShown = IsShown(old), wasRepresentative = old.Representative == session;
        var departure = new Departure(MucStatus.NickChanged) { NewNick = wanted.Resource.ToString() };
        bool last = _occupants.Remove(session);
        if (last && wasShown) CastUnavailable(old, session.Real, departure, effects);
        effects.Add(new RoomEffect.Send(Unavailable(old, session.Real, self: true, departure), session.Real));
        if (!last && wasRepresentative) Announce(old, effects);

        var occupant = target ?? new Occupant(departure.NewNick, wanted, old.User, old.IdElement)
        {
            Role = old.Role,
            Affiliation = old.Affiliation,
            IsServiceAdmin = old.IsServiceAdmin,
            Unannounced = old.Unannounced,
        };
        session.Occupant = occupant;
        session.ActiveAt = input.Now;
        Show(session, presence);
        var others = AudienceOf(occupant);
        _occupants.Add(session);
        if (target is null && IsShown(occupant)) CastAvailable(occupant, others, effects);
        if (target is not null) AnnounceSession(occupant, session, effects);
        // To this session its old nick went; but the user's other sessions are still there under it.
        if (!last && IsShown(old)) effects.Add(new RoomEffect.Send(PresenceOf(old, open: true), session.Real));
        effects.Add(new RoomEffect.Send(SelfPresence(occupant, presence.Id, [MucStatus.Self]), session.Real));
    }
}
