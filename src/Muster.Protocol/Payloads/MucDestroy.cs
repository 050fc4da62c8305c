using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>The end of a room: an owner's request (muc#owner) and the news to occupants (muc#user) (XEP-0045 §10.9
/// #destroyroom).</summary>
/// <param name="Alternate">The room to go to instead, or <see cref="Jid.None"/>.</param>
/// <param name="Reason">Text for people, or null.</param>
/// <param name="Password">Password of the alternate room, or null.</param>
public sealed record MucDestroy(Jid Alternate = default, string? Reason = null, string? Password = null)
{
    /// <summary>The <c>destroy</c> element, in the namespace of the query or x that it stands in.</summary>
    public Element ToElement(string ns = Namespaces.MucUser)
    {
        var destroy = new Element(ns, "destroy",
            string.IsNullOrEmpty(Reason) ? null : new Element(ns, "reason", Reason),
            Password is null ? null : new Element(ns, "password", Password));
        return Alternate.IsNone ? destroy : destroy.With("jid", Alternate.ToString());
    }

    /// <summary>Reads a destroy of either namespace. Null with jid-malformed when the alternate address is
    /// none.</summary>
    public static MucDestroy? Read(Element destroy, out StanzaError? problem)
    {
        Jid alternate = default;
        problem = destroy.Attribute("jid") is { Length: > 0 } jid && !Jid.TryParse(jid, out alternate)
            ? StanzaError.JidMalformed
            : null;
        return problem is null
            ? new(alternate, MucItem.TextOf(destroy, "reason"), MucItem.TextOf(destroy, "password"))
            : null;
    }
}
