using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Reading the lists of roles and affiliations (XEP-0045 §8.5, §9.2, §9.5, §9.8, §10.5, §10.8; muc.md §10).
public sealed partial class Room
{
    StanzaError? AnswerList(Iq iq, Element query, in RoomInput input, List<RoomEffect> effects)
    {
        if (query.Child("item") is not { } child) return StanzaError.BadRequest;
        if (MucItem.Read(child, out var problem) is not { } item) return problem;
        var actor = ActorOf(iq, input.Sender);
        if (item.Role is { } role && item.Affiliation is null)
            return MayListRoles(actor) ? Succeed(iq, RoleList(role, actor), effects) : ListDenied;
        if (item.Affiliation is not { } affiliation || item.Role is not null || affiliation == Affiliation.None)
            return StanzaError.BadRequest;
        return MayListAffiliations(actor, affiliation) ? Succeed(iq, AffiliationList(affiliation),
            effects) : ListDenied;
    }

    bool MayListRoles(in Actor actor) => actor.Role == Role.Moderator || _options.MayGetMemberList.Contains(actor.Role);

    bool MayListAffiliations(in Actor actor, Affiliation list)
    {
        if (actor.Affiliation >= Affiliation.Admin || (actor.Role != Role.None
            && _options.MayGetMemberList.Contains(actor.Role))) return true;
        // [D] muc.md §10: members of a private group encrypt for all of it, so they must know who belongs to it.
        return _options is { MembersOnly: true, Anonymous: false } && actor.Affiliation >= Affiliation.Member
            && list != Affiliation.Outcast;
    }

    Element RoleList(Role role, Actor actor)
    {
        bool open = !_options.Anonymous || actor.Role == Role.Moderator;
        return new Element(Namespaces.MucAdmin, "query", _occupants.All.Where(occupant => occupant.Role == role)
            .Take(Policy.ListPageMax)
            .Select(occupant => new MucItem(occupant.Affiliation, occupant.Role, open
                ? occupant.Representative.Real : default, occupant.Nick)
                .ToElement(Namespaces.MucAdmin)));
    }

    Element AffiliationList(Affiliation affiliation) =>
        new(Namespaces.MucAdmin, "query", _affiliations.All.Where(entry => entry.Affiliation == affiliation)
            .OrderBy(entry => entry.User)
            .Take(Policy.ListPageMax)
            .Select(entry => new MucItem(entry.Affiliation, null, entry.User, entry.Nick, null,
                entry.Reason).ToElement(Namespaces.MucAdmin)));
}
