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
            return MayListRoles(actor) ? AnswerRoles(iq, query, role, actor, effects) : ListDenied;
        if (item.Affiliation is not { } affiliation || item.Role is not null || affiliation == Affiliation.None)
            return StanzaError.BadRequest;
        return MayListAffiliations(actor, affiliation)
            ? AnswerAffiliations(iq, query, affiliation, effects)
            : ListDenied;
    }

    bool MayListRoles(in Actor actor) => actor.Role == Role.Moderator || _options.MayGetMemberList.Contains(actor.Role);

    bool MayListAffiliations(in Actor actor, Affiliation list)
    {
        if (actor.Affiliation >= Affiliation.Admin || _options.MayGetMemberList.Contains(actor.Role)) return true;
        // [D] muc.md §10: members of a private group encrypt for all of it, so they must know who belongs to it.
        return _options is { MembersOnly: true, Anonymous: false } && actor.Affiliation >= Affiliation.Member
            && list != Affiliation.Outcast;
    }

    StanzaError? AnswerRoles(Iq iq, Element query, Role role, in Actor actor, List<RoomEffect> effects)
    {
        bool open = !_options.Anonymous || actor.Role == Role.Moderator;
        return AnswerPage(iq, query, [.. _occupants.All.Where(occupant => occupant.Role == role)
            .OrderBy(occupant => occupant.Nick, StringComparer.Ordinal)
            .Select(occupant => new MucItem(
                occupant.Affiliation, role, open ? occupant.Representative.Real : default, occupant.Nick))],
            item => item.Nick!, effects);
    }

    StanzaError? AnswerAffiliations(Iq iq, Element query, Affiliation affiliation, List<RoomEffect> effects) =>
        AnswerPage(iq, query, [.. _affiliations.All.Where(entry => entry.Affiliation == affiliation)
            .OrderBy(entry => entry.User)
            .Select(entry => new MucItem(affiliation, Jid: entry.User, Nick: entry.Nick, Reason: entry.Reason))],
            item => item.Jid.ToString(), effects);

    // [D] muc.md §10: large lists are read page by page (XEP-0059), which XEP-0045 does not know.
    StanzaError? AnswerPage(Iq iq, Element query, List<MucItem> all, Func<MucItem, string> id, List<RoomEffect> effects)
    {
        if (ResultSetRequest.Read(query, out var problem) is not { } request) return problem;
        var (items, page) = ResultSet.Page(all, id, request, Policy.ListPageMax);
        bool whole = request == new ResultSetRequest() && items.Count == all.Count;
        return Succeed(iq, new Element(Namespaces.MucAdmin, "query",
            [.. items.Select(item => item.ToElement(Namespaces.MucAdmin)), whole ? null : page.ToElement()]), effects);
    }
}
