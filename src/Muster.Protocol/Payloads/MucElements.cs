using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>What the elements of XEP-0045 have in common.</summary>
public static class MucElements
{
    /// <summary>True for an element in a namespace of XEP-0045. Only the room speaks in them: it takes such children
    /// out of
    /// what an occupant sends before it passes that on, so that nobody can forge an item or a status code.</summary>
    public static bool IsMuc(Element element) =>
        element.Namespace.StartsWith(Namespaces.Muc, StringComparison.Ordinal) &&
        (element.Namespace.Length == Namespaces.Muc.Length || element.Namespace[Namespaces.Muc.Length] == '#');

    /// <summary>Reads the attributes to and from; false with jid-malformed when one is there and is no
    /// address.</summary>
    internal static bool TryAddresses(Element element, out Jid to, out Jid from, out StanzaError? problem)
    {
        to = from = default;
        problem = (element.Attribute("to") is { } t && !Jid.TryParse(t, out to)) ||
            (element.Attribute("from") is { } f && !Jid.TryParse(f, out from))
            ? StanzaError.JidMalformed
            : null;
        return problem is null;
    }
}
