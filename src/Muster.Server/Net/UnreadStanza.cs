using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Server.Net;

/// <summary>Stanzas of another server or a component that cannot be read, but answered (RFC 6120 §8.3.3.1: it is the
/// stanza that is wrong, not the stream).</summary>
static class UnreadStanza
{
    /// <summary>A stanza of the same kind and addresses that can be answered; null when it must not be.</summary>
    public static Stanza? Answerable(Element element)
    {
        if (element.Attribute("type") is "error" or "result") return null;
        var plain = new Element(Namespaces.Client, "message").With("id", element.Attribute("id"))
            .With("from", element.Attribute("from")).With("to", element.Attribute("to"));
        var message = Stanza.Read(plain, out _);
        return element.Name switch
        {
            "iq" => message is null ? null : new Iq(IqType.Get, message.From, message.To, message.Id ?? "", null),
            "presence" => message is null ? null : new Presence(PresenceType.Available, message.From, message.To,
                message.Id),
            _ => message,
        };
    }
}
