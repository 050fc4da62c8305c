using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>Unique and stable ids of stanzas (XEP-0359): the id under which a room or an account keeps a
/// message.</summary>
public static class StanzaIds
{
    /// <summary>A <c>stanza-id</c>.</summary>
    /// <param name="id">The id in the archive of <paramref name="by"/>.</param>
    /// <param name="by">The room or account that gave it, a bare JID.</param>
    public static Element StanzaId(string id, Jid by) =>
        new Element(Namespaces.StanzaIds, "stanza-id").With("id", id).With("by", by.ToString());

    /// <summary>True for a <c>stanza-id</c> in the name of <paramref name="by"/>.</summary>
    public static bool IsBy(Element element, Jid by) =>
        element.Is(Namespaces.StanzaIds, "stanza-id") &&
        Jid.TryParse(element.Attribute("by"), out var giver) && giver == by;

    /// <summary>The stanza without ids in the name of <paramref name="by"/>, which somebody else has forged (XEP-0359
    /// §3: who
    /// gives ids must take them out even where it adds none).</summary>
    public static Stanza Strip(Stanza stanza, Jid by) => stanza.Without(element => IsBy(element, by));

    /// <summary>The id that <paramref name="by"/> gave, or null.</summary>
    public static string? Find(Stanza stanza, Jid by)
    {
        foreach (var element in stanza.Elements)
            if (IsBy(element, by) && element.Attribute("id") is { Length: > 0 } id) return id;
        return null;
    }

    /// <summary>The id that the sender's client gave (XEP-0359 §2.2), or null. Anybody can say anything
    /// there.</summary>
    public static string? OriginId(Stanza stanza) =>
        stanza.Child(Namespaces.StanzaIds, "origin-id")?.Attribute("id") is { Length: > 0 } id ? id : null;
}
