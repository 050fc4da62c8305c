using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Sessions;

/// <summary>Answers what looks like a stanza and cannot be read as one: a bad address, an unknown type, an iq without
/// id.</summary>
public static class StanzaRefusal
{
    /// <summary>The error stanza, or null where no answer may be given (RFC 6120 §8.3.1: an error or a
    /// result).</summary>
    /// <param name="element">What the client sent.</param>
    /// <param name="error">Why it is refused.</param>
    /// <param name="client">Who sent it: the recipient of the answer.</param>
    public static Element? Answer(Element element, StanzaError error, Jid client)
    {
        if (element.Attribute("type") is "error" or "result") return null;
        // RFC 6120 §8.3.1: the answer comes from whom it was sent to; where that is no address, from the client's
        // server.
        var from = Jid.TryParse(element.Attribute("to"), out var to) ? to : client.DomainJid;
        return new Element(Namespaces.Client, element.Name, error.ToElement())
            .With("from", from.IsNone ? null : from.ToString())
            .With("to", client.IsNone ? null : client.ToString())
            .With("id", element.Attribute("id"))
            .With("type", "error");
    }
}
