using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>Versions of a room's affiliations (XEP-0463 §5): in the presence that enters, what the client knows; in
/// what the room says, from which version to which a change leads. The versions mean nothing but to the room.</summary>
/// <param name="Since">The version before, or null: nothing is known, or all is told.</param>
/// <param name="Until">The version after, or null in a client's request.</param>
public sealed record MucVersion(string? Since = null, string? Until = null)
{
    /// <summary>Its namespace, which is a feature of rooms, too.</summary>
    public const string Namespace = "urn:xmpp:muc:affiliations:1";

    /// <summary>The <c>mav</c> element.</summary>
    public Element ToElement() => new Element(Namespace, "mav").With("since", Since).With("until", Until);

    /// <summary>Reads the <c>mav</c> in an <c>x</c>; null when there is none.</summary>
    public static MucVersion? Of(Element x) => x.Child(Namespace, "mav") is { } mav
        ? new(mav.Attribute("since"), mav.Attribute("until"))
        : null;
}
