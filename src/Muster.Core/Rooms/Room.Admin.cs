using System.Collections.Immutable;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Roles and affiliations as moderators, admins and owners read and change them (XEP-0045 §8, §9, §10.3-10.8; muc.md
// §10).
public sealed partial class Room
{
    static readonly StanzaError NoSuchNick = StanzaError.NotAcceptable.WithText("No occupant has this nickname");
    static readonly StanzaError RoleDenied =
        StanzaError.NotAllowed.WithText("You may not give this role to this occupant");
    static readonly StanzaError AffiliationDenied = StanzaError.Forbidden.WithText("You may not give this affiliation");
    static readonly StanzaError AffiliationProtected =
        StanzaError.NotAllowed.WithText("The user's affiliation is higher than yours");
    static readonly StanzaError LastOwner = StanzaError.Conflict.WithText("A room cannot be left without an owner");
    static readonly StanzaError AffiliationsFull =
        StanzaError.ResourceConstraint.WithText("The list of affiliations is full");
    static readonly StanzaError ListDenied = StanzaError.Forbidden.WithText("You may not read this list");

    /// <summary>Who asks for a change: somebody inside, an absent admin, or an administrator of the service.</summary>
    readonly record struct Actor(Jid User, Affiliation Affiliation, Role Role, string? Nick)
    {
        public MucActor Shown => new(Nick, User.Bare);
    }

    Actor ActorOf(Iq iq, in SenderFacts facts)
    {
        var affiliation = AffiliationOf(iq.From, facts);
        if (_occupants.TryFind(iq.From, out var session))
            return new(iq.From, affiliation, session.Occupant.Role, session.Occupant.Nick);
        // Admins may act without entering; what moderators may do comes with it.
        return new(iq.From, affiliation, affiliation >= Affiliation.Admin ? Role.Moderator : Role.None, null);
    }

    StanzaError? ReceiveAdminSet(Iq iq, Element query, in RoomInput input, List<RoomEffect> effects)
    {
        var items = new List<MucItem>();
        foreach (var child in query.Children(Namespaces.MucAdmin, "item"))
        {
            if (MucItem.Read(child, out var problem) is not { } item) return problem;
            items.Add(item);
        }
        if (items.Count == 0) return StanzaError.BadRequest;
        var actor = ActorOf(iq, input.Sender);
        // All are checked before any is applied: a list is changed whole or not at all.
        foreach (var item in items)
            if (CheckItem(item, actor) is { } refusal) return refusal;
        if (CheckList(items) is { } whole) return whole;
        foreach (var item in items)
        {
            if (item.Role is { } role) ApplyRole(item, role, actor, effects);
            else ApplyAffiliation(item, item.Affiliation!.Value, actor, input, effects);
        }
        return Succeed(iq, null, effects);
    }

    StanzaError? CheckItem(MucItem item, in Actor actor)
    {
        if (item.Role is not null && item.Affiliation is not null) return StanzaError.BadRequest;
        if (item.Role is { } role)
        {
            if (item.Nick is null) return StanzaError.BadRequest;
            return _occupants.TryNick(item.Nick, out var target) ? CheckRole(actor, target, role) : NoSuchNick;
        }
        if (item.Affiliation is not { } affiliation) return StanzaError.BadRequest;
        if (item.Jid.IsNone && item.Nick is null) return StanzaError.BadRequest;
        var user = UserOf(item);
        return user.IsNone ? NoSuchNick : CheckAffiliation(actor, user, affiliation);
    }

    /// <summary>Whom an affiliation item means: its JID, or else the user behind the nick.</summary>
    Jid UserOf(MucItem item)
    {
        if (!item.Jid.IsNone) return item.Jid.Bare;
        return item.Nick is not null && _occupants.TryNick(item.Nick, out var occupant) ? occupant.User : default;
    }

    // XEP-0045 §5.1.2 table of role changes, §8.2 #kick to §8.5, §9.6 #grantmod, §9.7 #revokemod.
    static StanzaError? CheckRole(in Actor actor, Occupant target, Role role)
    {
        if (actor.Role != Role.Moderator) return RoleDenied;
        if (role == target.Role) return null;
        // XEP-0045 §8.2 #kick: nobody of higher affiliation; and to kick a moderator is to revoke the role.
        if (role == Role.None && target.Affiliation > actor.Affiliation) return RoleDenied;
        if (role == Role.None && target.Role != Role.Moderator) return null;
        if (role == Role.None) return actor.Affiliation < Affiliation.Admin ? RoleDenied : null;
        // Nobody lowers the role of an admin or owner; only these give and take moderation.
        if (target.Affiliation >= Affiliation.Admin) return RoleDenied;
        bool moderation = role == Role.Moderator || target.Role == Role.Moderator;
        return moderation && actor.Affiliation < Affiliation.Admin ? RoleDenied : null;
    }

    // XEP-0045 §5.2.2 table of affiliation changes, §9.1 #ban to §9.5, §10.3 to §10.8.
    StanzaError? CheckAffiliation(in Actor actor, Jid user, Affiliation wanted)
    {
        var current = Listed(user);
        // XEP-0045 §9.1 #ban: nobody bans oneself.
        if (wanted == Affiliation.Outcast && user == actor.User.Bare) return StanzaError.Conflict;
        if (IsServiceAdminInside(user)) return AffiliationProtected;
        if (actor.Affiliation < Affiliation.Admin)
        {
            bool admin = current >= Affiliation.Admin;
            return admin ? AffiliationProtected : AffiliationDenied;
        }
        if (actor.Affiliation == Affiliation.Admin)
        {
            if (current == Affiliation.Owner) return AffiliationProtected;
            if (current == Affiliation.Admin && wanted != current) return AffiliationDenied;
            if (wanted >= Affiliation.Admin && wanted != current) return AffiliationDenied;
        }
        return null;
    }

    /// <summary>The affiliation that the list gives to exactly this address.</summary>
    Affiliation Listed(Jid user) => _affiliations.Exactly(user)?.Affiliation ?? Affiliation.None;

    bool IsServiceAdminInside(Jid user) => _occupants.OfUser(user).Any(occupant => occupant.IsServiceAdmin);

    StanzaError? CheckList(List<MucItem> items)
    {
        var wanted = new Dictionary<Jid, Affiliation>();
        foreach (var item in items)
            if (item.Affiliation is { } affiliation) wanted[UserOf(item)] = affiliation;
        int owners = _affiliations.Owners, count = _affiliations.Count;
        foreach (var (user, affiliation) in wanted)
        {
            var current = Listed(user);
            if (affiliation == Affiliation.Owner && user.HasLocal) owners++;
            if (current == Affiliation.Owner) owners--;
            if (affiliation != Affiliation.None) count++;
            if (current != Affiliation.None) count--;
        }
        // XEP-0045 §10.4 #revokeowner.
        if (owners == 0 && _affiliations.Owners > 0) return LastOwner;
        return count > Policy.AffiliationsMax && count > _affiliations.Count ? AffiliationsFull : null;
    }

    void ApplyRole(MucItem item, Role role, in Actor actor, List<RoomEffect> effects)
    {
        // An earlier item of the same request may have taken the occupant out.
        if (!_occupants.TryNick(item.Nick, out var occupant) || occupant.Role == role) return;
        if (role == Role.None)
        {
            var kick = new Departure(MucStatus.Kicked) { Actor = actor.Shown, Reason = item.Reason };
            RemoveOccupant(occupant, kick, effects);
            return;
        }
        SetRole(occupant, role, actor.Shown, item.Reason, effects);
    }

    /// <summary>Gives an occupant a role, or announces another change of its item, to all.</summary>
    void SetRole(Occupant occupant, Role role, MucActor? actor, string? reason, List<RoomEffect> effects,
        MucVersion? version = null)
    {
        bool wasShown = IsShown(occupant);
        bool promoted = role == Role.Moderator && occupant.Role != Role.Moderator;
        occupant.Role = role;
        _occupants.RoleChanged(occupant);
        // A role whose presence is not broadcast looks to the others like having left.
        if (wasShown && !IsShown(occupant))
            CastUnavailable(occupant, occupant.Representative.Real, new Departure(0), effects);
        Announce(occupant, effects, null, actor, reason, version);
        if (promoted && _options.Anonymous) ShowAddresses(occupant, effects);
    }

    /// <summary>A new moderator may see real JIDs from now on: it gets the presence of the others once more.</summary>
    void ShowAddresses(Occupant moderator, List<RoomEffect> effects)
    {
        ImmutableArray<Jid> sessions = [.. SessionsOf(moderator)];
        foreach (var other in _occupants.All)
            if (other.User != moderator.User && IsShown(other)) Cast(PresenceOf(other, open: true), sessions, effects);
    }

    void ApplyAffiliation(MucItem item, Affiliation affiliation, in Actor actor, in RoomInput input,
        List<RoomEffect> effects)
    {
        var user = UserOf(item);
        // muc.md §2: a domain can be outcast, member or admin, but never owner.
        if (user.IsNone || (affiliation == Affiliation.Owner && !user.HasLocal)) return;
        bool sameNick = item.Nick is null || item.Jid.IsNone || item.Nick == _affiliations.Exactly(user)?.Nick;
        if (Listed(user) == affiliation && sameNick) return;
        SetAffiliation(user, affiliation, item, actor.Shown, input, effects);
    }

    /// <summary>Changes an affiliation with all that follows from it: storage, role, removal, notice to those inside
    /// and to the absent.</summary>
    void SetAffiliation(Jid user, Affiliation affiliation, MucItem item, MucActor? actor, in RoomInput input,
        List<RoomEffect> effects)
    {
        var version = StoreAffiliation(Entry(user, affiliation, item), input, effects);
        bool inside = ShowAffiliation(user, version, actor, item.Reason, input, effects);
        if (!inside && user.HasLocal) NotifyAbsent(user, affiliation, item.Reason, input, effects);
    }

    /// <summary>Shows those inside what the list says of a user now: its occupants to all, and the entry itself to
    /// those who may read the list and did not see the change there. True when the user is inside.</summary>
    bool ShowAffiliation(Jid user, MucVersion? version, MucActor? actor, string? reason, in RoomInput input,
        List<RoomEffect> effects)
    {
        var occupants = Matching(user);
        // The presence of one user would not tell of the entry of a whole domain.
        bool isOne = user is { HasLocal: true, IsBare: true };
        bool isSeen = false;
        foreach (var occupant in occupants)
        {
            if (occupant.IsServiceAdmin) continue;
            isSeen |= UpdateAffiliation(occupant, actor, reason, isOne ? version : null, effects) && isOne;
        }
        if (version is not null) TellReaders(user, version, isSeen, reason, input, effects);
        return occupants.Length > 0;
    }

    AffiliationEntry Entry(Jid user, Affiliation affiliation, MucItem item)
    {
        var old = _affiliations.Exactly(user);
        bool keeps = affiliation >= Affiliation.Member;
        // XEP-0045 §9.3: a nick in the item becomes the reserved one, unless it is somebody else's.
        bool givesNick = item.Nick is not null && !item.Jid.IsNone && _affiliations.OwnerOf(item.Nick).IsNone;
        string? nick = givesNick ? item.Nick : old?.Nick;
        return new AffiliationEntry(user, affiliation)
        {
            Nick = keeps ? nick : null,
            Reason = item.Reason,
            OfflineDelivery = keeps ? old?.OfflineDelivery : null,
        };
    }

    /// <summary>Takes an entry into the list. From which version to which that leads; null when the affiliation is the
    /// same as before.</summary>
    MucVersion? StoreAffiliation(AffiliationEntry entry, in RoomInput input, List<RoomEffect> effects)
    {
        var version = _affiliations.Set(entry, input.NextId);
        PersistKnown(entry.User, effects);
        if (_affiliations.Forget(Policy.RemovalsMax) is { } forgotten) PersistKnown(forgotten, effects);
        return version;
    }

    void PersistKnown(Jid user, List<RoomEffect> effects) => Persist(_affiliations.Known(user) is { } entry
        ? new RoomChange.AffiliationSet(entry)
        : new RoomChange.AffiliationRemoved(user), effects);

    Occupant[] Matching(Jid user) => user.HasLocal
        ? [.. _occupants.OfUser(user)]
        : [.. _occupants.All.Where(occupant => occupant.User.DomainJid == user.DomainJid)];

    /// <summary>Brings one occupant in line with the list: out, or with another role. True when others saw
    /// it.</summary>
    bool UpdateAffiliation(Occupant occupant, MucActor? actor, string? reason, MucVersion? version,
        List<RoomEffect> effects)
    {
        var before = occupant.Affiliation;
        var now = _affiliations.Of(occupant.Representative.Real);
        if (now == before) return false;
        bool isShown = IsShown(occupant);
        occupant.Affiliation = now;
        int code = now == Affiliation.Outcast ? MucStatus.Banned
            : _options.MembersOnly && now == Affiliation.None ? MucStatus.AffiliationLost
            : 0;
        if (code != 0)
        {
            var departure = new Departure(code) { Actor = actor, Reason = reason, Version = version };
            RemoveOccupant(occupant, departure, effects);
            return isShown;
        }
        // XEP-0045 §9, §10: a higher affiliation never lowers the role given before, a lower one gives its own.
        var role = DefaultRole(now);
        if (now > before && occupant.Role > role) role = occupant.Role;
        SetRole(occupant, role, actor, reason, effects, version);
        return IsShown(occupant);
    }

    // [D] muc.md §10: who is not inside hears of it by a message; a new member of a members-only room is invited.
    void NotifyAbsent(Jid user, Affiliation affiliation, string? reason, in RoomInput input, List<RoomEffect> effects)
    {
        var news =
            new MucUser(new MucItem(affiliation, Jid: user, Reason: reason), MucStatus.AffiliationChangedWhileAway);
        effects.Add(new RoomEffect.Send(new Message(MessageType.Normal, Address, user, MakeId(input),
            news.ToElement())));
        if (_options.MembersOnly && affiliation == Affiliation.Member)
            effects.Add(new RoomEffect.Send(Invitation(new MucInvite(user, Reason: reason), Address, MakeId(input))));
    }
}
