using System.Security.Cryptography;
using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Entering (XEP-0045 §7.2 #enter) and creating (§10.1 #createroom) a room.
public sealed partial class Room
{
    static readonly StanzaError NoNickname = StanzaError.JidMalformed.WithText("No nickname");
    static readonly StanzaError BlankNickname =
        StanzaError.NotAllowed with { Type = StanzaErrorType.Modify, Text = "The nickname is blank" };
    static readonly StanzaError LongNickname = StanzaError.NotAcceptable.WithText("The nickname is too long");
    static readonly StanzaError RoomFull =
        StanzaError.ServiceUnavailable with { Type = StanzaErrorType.Wait, Text = "Too many users in this conference" };
    static readonly StanzaError InTooManyRooms =
        StanzaError.ServiceUnavailable with { Type = StanzaErrorType.Wait, Text = "You are in too many conferences" };
    static readonly StanzaError Banned = StanzaError.Forbidden.WithText("You have been banned from this room");
    static readonly StanzaError MembersOnly =
        StanzaError.RegistrationRequired.WithText("Membership is required to enter this room");
    static readonly StanzaError NickInUse =
        StanzaError.Conflict.WithText("That nickname is already in use by another occupant");
    static readonly StanzaError NickReserved =
        StanzaError.Conflict.WithText("That nickname is registered by another person");
    static readonly StanzaError PasswordRequired =
        StanzaError.NotAuthorized.WithText("A password is required to enter this room");
    static readonly StanzaError WrongPassword = StanzaError.NotAuthorized.WithText("Incorrect password");
    static readonly StanzaError MayNotCreate =
        StanzaError.NotAllowed.WithText("Room creation is denied by service policy: no_matching_acl_rule");
    static readonly StanzaError RoomIdTooLong =
        StanzaError.NotAllowed.WithText("Room creation is denied by service policy: room_id_too_long");

    /// <summary>What is sent on entering beside the room's own limits.</summary>
    int HistoryCount => _options.HistoryLength ?? Policy.HistorySize;
    int HistoryMax => Math.Min(Math.Max(Policy.HistorySize, HistoryCount), Policy.HistorySizeMax);

    StanzaError? ReceivePresence(Presence presence, in RoomInput input, List<RoomEffect> effects)
    {
        bool inside = _occupants.TryFind(presence.From, out var session);
        switch (presence.Type)
        {
            case PresenceType.Available when inside:
                return Update(session!, presence, input, effects);
            case PresenceType.Available:
                return Enter(presence, input, effects);
            case PresenceType.Unavailable when inside:
                Leave(session!, presence, input.Now, effects);
                return null;
            case PresenceType.Unavailable:
                _checks.Remove(presence.From); // muc.md §17: whoever left before the answer does not enter by it
                return null;
            case PresenceType.Error when inside:
                ReceiveBounce(session!, presence, effects);
                return null;
            case PresenceType.Probe:
                return Probe(session, presence, effects);
            default:
                return null; // muc.md §4: other types mean nothing to a room
        }
    }

    StanzaError? Enter(Presence presence, in RoomInput input, List<RoomEffect> effects)
    {
        if (CheckNick(presence.To) is { } unusable) return unusable;
        if (presence.Child(Namespaces.Muc, "x") is not { } x)
        {
            // muc.md §3.5: somebody believes to be inside, for example after this room was lost and made anew.
            effects.Add(new RoomEffect.Send(NotInside(presence.To), presence.From));
            return null;
        }
        return Enter(presence, x, isChecked: false, input, effects);
    }

    /// <summary>Lets somebody in, or says why not. <c>isChecked</c>: another service has found the password
    /// right.</summary>
    StanzaError? Enter(Presence presence, Element x, bool isChecked, in RoomInput input, List<RoomEffect> effects)
    {
        var join = MucJoin.Read(x);
        var inRoom = presence.To;
        bool assigned = AssignNick(presence.From, input.Sender, ref inRoom);
        if (CheckEntry(presence.From, inRoom, input.Sender) is { } refusal) return refusal;
        if (_state == State.New && CheckCreation(input.Sender) is { } denial) return denial;
        if (IsCheckedElsewhere(input.Sender))
        {
            if (!isChecked) return AskForCheck(presence, join.Password, input, effects);
        }
        else if (_state != State.New && !input.Sender.IsServiceAdmin && CheckPassword(join.Password) is { } wrong)
        {
            return wrong;
        }
        if (_state == State.New) BecomeOwner(presence.From, input);
        Admit(presence, inRoom, join, input, assigned, effects);
        return null;
    }

    StanzaError? CheckNick(Jid inRoom)
    {
        if (!inRoom.IsFull) return NoNickname;
        if (inRoom.Resource.IsWhiteSpace()) return BlankNickname;
        return Encoding.UTF8.GetByteCount(inRoom.Resource) > Policy.NickBytesMax ? LongNickname : null;
    }

    bool LocksNicks => _options.RegisteredNicksOnly || Policy.EnforcesNicks;

    /// <summary>Nick lock-down (XEP-0045 §7.2.2 #enter-pres): who has a registered nick gets it. True when it is
    /// another than asked for.</summary>
    bool AssignNick(Jid user, in SenderFacts facts, ref Jid inRoom)
    {
        if (!LocksNicks) return false;
        string? registered = _affiliations.Exactly(user.Bare)?.Nick ?? facts.ReservedNick;
        if (registered is null || inRoom.Resource.SequenceEqual(registered)) return false;
        if (!Address.TryWithResource(registered, out var own)) return false;
        inRoom = own;
        return true;
    }

    // muc.md §3.2: the first failing check answers.
    StanzaError? CheckEntry(Jid user, Jid inRoom, in SenderFacts facts)
    {
        var affiliation = AffiliationOf(user, facts);
        if (!facts.IsServiceAdmin && _occupants.SessionCount >= UsersMaxFor(affiliation)) return RoomFull;
        if (facts.InTooManyRooms && _occupants.OfUser(user.Bare).IsEmpty) return InTooManyRooms;
        if (affiliation == Affiliation.Outcast) return Banned;
        if (_options.MembersOnly && affiliation == Affiliation.None && _state != State.New) return MembersOnly;
        if (_state == State.Locked) return RoomLocked;
        return CheckNickFree(user, inRoom, facts, _options.AllowMultipleSessions);
    }

    int UsersMaxFor(Affiliation affiliation)
    {
        int max = Math.Min(_options.MaxUsers, Policy.UsersMax);
        return affiliation >= Affiliation.Admin ? max + Policy.UsersAdminThreshold : max;
    }

    /// <summary>Whether a user may use a nick that it does not use with this session yet (XEP-0045 §7.2.8
    /// #enter-conflict).</summary>
    StanzaError? CheckNickFree(Jid user, Jid inRoom, in SenderFacts facts, bool mayShare)
    {
        bool isOwn = false;
        if (_occupants.TryNick(inRoom.Resource, out var holder)) isOwn = mayShare && holder.User.SameBare(user);
        if (holder is not null && !isOwn) return NickInUse;
        string nick = inRoom.Resource.ToString();
        var owner = _affiliations.OwnerOf(nick);
        if (!owner.IsNone && !owner.SameBare(user)) return NickReserved;
        // The service's reservation holds for the nick that was asked for, not for one that the room assigned.
        var reserver = facts.ReservedNick == nick ? default : facts.NickOwner;
        return reserver.IsNone || reserver.SameBare(user) ? null : NickReserved;
    }

    StanzaError? CheckPassword(string? given)
    {
        if (!_options.PasswordProtected) return null;
        if (given is null) return PasswordRequired;
        // Fixed time, so that the answer's delay tells nothing of how much was right.
        byte[] givenBytes = Encoding.UTF8.GetBytes(given), rightBytes = Encoding.UTF8.GetBytes(_options.Password);
        return CryptographicOperations.FixedTimeEquals(givenBytes, rightBytes) ? null : WrongPassword;
    }

    StanzaError? CheckCreation(in SenderFacts facts)
    {
        if (!facts.MayCreate && !facts.IsServiceAdmin) return MayNotCreate;
        return Encoding.UTF8.GetByteCount(Address.Local) > Policy.RoomIdBytesMax ? RoomIdTooLong : null;
    }

    /// <summary>XEP-0045 §10.1.1 #createroom-general: the room is there, but locked until its owner configures it or
    /// accepts the defaults.</summary>
    void BecomeOwner(Jid creator, in RoomInput input)
    {
        _affiliations.Set(new AffiliationEntry(creator.Bare, Affiliation.Owner), input.NextId);
        _state = State.Locked;
        _lockEndsAt = input.Now + Policy.LockTime;
    }

    /// <summary>Opens a new room with the options that it has now (XEP-0045 §10.1.2 #createroom-instant).</summary>
    void Unlock(List<RoomEffect> effects)
    {
        _state = State.Open;
        if (_options.Persistent) Store(effects);
    }

    void Store(List<RoomEffect> effects)
    {
        _stored = true;
        effects.Add(new RoomEffect.Persist(new RoomChange.Created(Snapshot())));
    }

    void Admit(Presence presence, Jid inRoom, MucJoin join, in RoomInput input, bool assigned, List<RoomEffect> effects)
    {
        var affiliation = AffiliationOf(presence.From, input.Sender);
        bool first = !_occupants.TryNick(inRoom.Resource, out var occupant);
        if (occupant is null)
        {
            occupant = new Occupant(inRoom.Resource.ToString(), inRoom, presence.From.Bare, OccupantId(presence.From))
            {
                Role = DefaultRole(affiliation),
                // Decided once, so that everybody has the same view of who is there for as long as it is.
                Unannounced = affiliation == Affiliation.None && _occupants.Count >= Policy.AnnouncedOccupantsMax,
            };
        }
        occupant.Affiliation = affiliation;
        occupant.IsServiceAdmin |= input.Sender.IsServiceAdmin;
        var session = new OccupantSession(presence.From, occupant, input.Now)
        {
            IsLocal = input.Sender.IsLocal,
        };
        Show(session, presence);
        var others = AudienceOf(occupant); // before the newcomer is among them
        _occupants.Add(session);
        if (first && IsShown(occupant)) CastAvailable(occupant, others, effects);
        if (!first) AnnounceSession(occupant, session, effects);
        effects.Add(new RoomEffect.Entered(session.Real, occupant.Nick, first));
        ReserveNick(occupant, input, effects);
        SendRoom(session, presence.Id, join, input, assigned, effects);
        if (first) SendRequests(session, input, effects);
    }

    /// <summary><c>muc_auto_reserve_nicks</c>: the nick with which somebody of the list enters is the registered one
    /// from now on, if none is and it is nobody's.</summary>
    void ReserveNick(Occupant occupant, in RoomInput input, List<RoomEffect> effects)
    {
        if (!Policy.ReservesNicks || !_affiliations.OwnerOf(occupant.Nick).IsNone) return;
        var entry = _affiliations.Exactly(occupant.User);
        if (entry is not { Affiliation: >= Affiliation.Member, Nick: null }) return;
        if (!input.Sender.NickOwner.IsNone && !input.Sender.NickOwner.SameBare(occupant.User)) return;
        StoreAffiliation(entry with { Nick = occupant.Nick }, input, effects);
    }

    /// <summary>All that somebody who enters gets, in the strict order of XEP-0045 §7.1 #order.</summary>
    void SendRoom(OccupantSession session, string? id, MucJoin join, in RoomInput input, bool assigned,
        List<RoomEffect> effects)
    {
        // XEP-0463 §5.2.1: before any presence.
        if (join.Affiliations is { } known) SendAffiliations(session, known.Since, input, effects);
        foreach (var other in _occupants.All)
        {
            if (other != session.Occupant && IsShown(other))
                effects.Add(new RoomEffect.Send(PresenceOf(other, SeesAddress(session.Occupant, other)), session.Real));
        }
        List<int> statuses = [];
        if (!_options.Anonymous) statuses.Add(MucStatus.NonAnonymous);
        statuses.Add(MucStatus.Self);
        if (_options.Logging) statuses.Add(MucStatus.LoggingOn);
        // The codes of creating are for the creator only, who is alone while the room is locked.
        if (_state == State.Locked) statuses.Add(MucStatus.Created);
        if (assigned) statuses.Add(MucStatus.NickAssigned);
        effects.Add(new RoomEffect.Send(SelfPresence(session.Occupant, id, statuses, VersionNow), session.Real));
        foreach (var message in _history.Select(join.History, HistoryCount, session.Real, input.Now))
            effects.Add(new RoomEffect.Send(message, session.Real));
        effects.Add(new RoomEffect.Send(SubjectMessage(), session.Real));
    }

    /// <summary>XEP-0045 §7.14 #exit and 1.32: what a session gets that is not inside but believes so.</summary>
    static Presence NotInside(Jid inRoom) => new(PresenceType.Unavailable, inRoom, default, null,
        new MucUser(new MucItem(Affiliation.None, Role.None, Reason: "You are not in the room."),
            MucStatus.Self, MucStatus.Kicked, MucStatus.TechnicalError).ToElement());
}
