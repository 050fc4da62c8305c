using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>Who did what an item tells of (XEP-0045 §8.2). The JID only for those who may see it.</summary>
/// <param name="Nick">The actor's nick, or null.</param>
/// <param name="Jid">The actor's bare JID, or <see cref="Jid.None"/>.</param>
public sealed record MucActor(string? Nick, Jid Jid = default);

/// <summary>
/// The <c>item</c> of muc#user and muc#admin (XEP-0045 §19.2, §19.3): the place of one user or occupant in a room.
/// Parts that are left out are null, as a request's meaning depends on which ones stand there.
/// </summary>
/// <param name="Affiliation">Affiliation, or null when the attribute is absent.</param>
/// <param name="Role">Role, or null when the attribute is absent.</param>
/// <param name="Jid">Real JID, or <see cref="Jid.None"/>.</param>
/// <param name="Nick">Nick in its normalised form, or null. A nick that no occupant can have is kept as written: it
/// matches nobody.</param>
/// <param name="Actor">Who did it, or null.</param>
/// <param name="Reason">Text for people, or null.</param>
public sealed record MucItem(
    Affiliation? Affiliation = null, Role? Role = null, Jid Jid = default, string? Nick = null,
    MucActor? Actor = null, string? Reason = null)
{
    /// <summary>The element, in the namespace of the query or x that it stands in.</summary>
    public Element ToElement(string ns = Namespaces.MucUser)
    {
        var item = new Element(ns, "item",
            Actor is null ? null : ActorElement(ns, Actor),
            string.IsNullOrEmpty(Reason) ? null : new Element(ns, "reason", Reason));
        if (Affiliation is { } affiliation) item = item.With("affiliation", affiliation.ToName());
        if (Role is { } role) item = item.With("role", role.ToName());
        if (!Jid.IsNone) item = item.With("jid", Jid.ToString());
        return Nick is null ? item : item.With("nick", Nick);
    }

    /// <summary>Reads an item of either namespace.</summary>
    /// <returns>Null when <paramref name="problem"/> is set: bad-request for an unknown affiliation or role (RFC
    /// 6120 §8.3.3.1), jid-malformed for an address that is none.</returns>
    public static MucItem? Read(Element item, out StanzaError? problem)
    {
        problem = null;
        Affiliation? affiliation = null;
        Role? role = null;
        Jid jid = default;
        if (item.Attribute("affiliation") is { } a)
        {
            if (!MucNames.TryAffiliation(a, out var known)) problem = StanzaError.BadRequest;
            affiliation = known;
        }
        if (item.Attribute("role") is { } r)
        {
            if (!MucNames.TryRole(r, out var known)) problem = StanzaError.BadRequest;
            role = known;
        }
        if (item.Attribute("jid") is { } j && !Jid.TryParse(j, out jid)) problem = StanzaError.JidMalformed;
        if (problem is not null) return null;
        return new(affiliation, role, jid, ReadNick(item), ReadActor(item), TextOf(item, "reason"));
    }

    /// <summary>Text of a child in the element's own namespace, or null when the child is absent.</summary>
    internal static string? TextOf(Element parent, string name) => parent.Child(name)?.Text;

    static string? ReadNick(Element element) =>
        element.Attribute("nick") is { } nick && JidPrep.TryResource(nick, out string? prepared)
            ? prepared
            : element.Attribute("nick");

    static MucActor? ReadActor(Element item)
    {
        if (item.Child("actor") is not { } actor) return null;
        _ = Jid.TryParse(actor.Attribute("jid"), out var jid);
        return new(ReadNick(actor), jid);
    }

    static Element ActorElement(string ns, MucActor actor)
    {
        var element = new Element(ns, "actor");
        if (actor.Nick is not null) element = element.With("nick", actor.Nick);
        return actor.Jid.IsNone ? element : element.With("jid", actor.Jid.ToString());
    }
}
