using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Stanzas;

/// <summary>
/// A message, presence or iq with its addresses read and checked (RFC 6120 §8). Immutable: a stanza with another
/// address is a new object that shares the content.
/// </summary>
public abstract class Stanza
{
    private protected Stanza(Jid from, Jid to, string? id, string? lang, object[] content)
    {
        From = from;
        To = to;
        Id = id;
        Lang = lang;
        ContentItems = content;
    }

    /// <summary>Sender, or <see cref="Jid.None"/>.</summary>
    public Jid From { get; }
    /// <summary>Intended recipient, or <see cref="Jid.None"/>.</summary>
    public Jid To { get; }
    /// <summary>The sender's id of the stanza, or null.</summary>
    public string? Id { get; }
    /// <summary>Default language of the stanza's texts (xml:lang), or null.</summary>
    public string? Lang { get; }
    /// <summary>Element name: message, presence or iq.</summary>
    public abstract string Name { get; }
    /// <summary>The type attribute as written on the wire, or null where it is left out (a normal message, an available
    /// presence).</summary>
    public abstract string? TypeName { get; }
    /// <summary>True for type='error'. An error is never answered with an error (RFC 6120 §8.3.1).</summary>
    public abstract bool IsError { get; }

    private protected object[] ContentItems { get; }

    /// <summary>The content: strings and <see cref="Element"/>s.</summary>
    public ReadOnlySpan<object> Content => ContentItems;

    /// <summary>The child elements in document order.</summary>
    public IEnumerable<Element> Elements => ContentItems.OfType<Element>();

    /// <summary>The first child of the given name, or null.</summary>
    public Element? Child(string ns, string name)
    {
        foreach (var item in ContentItems)
            if (item is Element child && child.Is(ns, name)) return child;
        return null;
    }

    /// <summary>The first child in the stanza namespace (body, subject, show, status …), or null.</summary>
    public Element? Child(string name) => Child(Namespaces.Client, name);

    /// <summary>The error carried by a stanza of type error; null when there is none.</summary>
    public StanzaError? Error => Child("error") is { } error ? StanzaError.Read(error) : null;

    /// <summary>The same stanza with another sender and recipient.</summary>
    public abstract Stanza Readdressed(Jid from, Jid to);
    /// <summary>The same stanza with another id.</summary>
    public abstract Stanza WithId(string? id);
    /// <summary>The same stanza with its content replaced; null items are left out.</summary>
    public abstract Stanza WithContent(params IEnumerable<Element?> content);

    /// <summary>The same stanza with children added at the end; null items are left out.</summary>
    public Stanza Add(params IEnumerable<Element?> children) => WithContent(Elements.Concat(children));

    /// <summary>The same stanza without the children that match.</summary>
    public Stanza Without(Predicate<Element> match) =>
        Elements.Any(e => match(e)) ? WithContent(Elements.Where(e => !match(e))) : this;

    /// <summary>The answer that refuses this stanza: addresses swapped, id kept, error added (RFC 6120 §8.3). Must not
    /// be called on an error.</summary>
    /// <param name="error">What to answer.</param>
    /// <param name="from">Who answers, where it is not the addressee; else <see cref="Jid.None"/>.</param>
    public abstract Stanza Refuse(StanzaError error, Jid from = default);

    /// <summary>The stanza as an element.</summary>
    public Element ToElement()
    {
        int count = (From.IsNone ? 0 : 1) + (To.IsNone ? 0 : 1) + (Id is null ? 0 : 1) + (TypeName is null ? 0 : 1)
            + (Lang is null ? 0 : 1);
        var attributes = new XmlAttribute[count];
        int at = 0;
        if (!From.IsNone) attributes[at++] = new("from", From.ToString());
        if (!To.IsNone) attributes[at++] = new("to", To.ToString());
        if (Id is not null) attributes[at++] = new("id", Id);
        if (TypeName is not null) attributes[at++] = new("type", TypeName);
        if (Lang is not null) attributes[at] = new("lang", Lang, Namespaces.Xml);
        return new Element(Namespaces.Client, Name, attributes, ContentItems);
    }

    /// <summary>The stanza as XML text, for logs and tests.</summary>
    public override string ToString() => ToElement().ToString();

    /// <summary>Reads a stanza from an element. On failure <paramref name="problem"/> says what to answer
    /// with.</summary>
    /// <returns>Null when the element is no stanza (then <paramref name="problem"/> is null too: a stream error is due)
    /// or has an invalid address, an unknown iq or presence type, or an iq without id.</returns>
    public static Stanza? Read(Element element, out StanzaError? problem)
    {
        Jid from = default;
        if (!IsStanza(element) || element.Attribute("from") is not { } text || Jid.TryParse(text, out from))
            return Read(element, from, null, out problem);
        problem = StanzaError.JidMalformed;
        return null;
    }

    /// <summary>Reads a stanza that a client sent: it comes from that client, whatever it says itself.</summary>
    /// <param name="element">What was sent.</param>
    /// <param name="from">The client's full JID.</param>
    /// <param name="lang">Language of the client's stream: that of a stanza which names none (RFC 6120 §8.1.5).</param>
    /// <param name="problem">What to answer with on failure.</param>
    /// <returns>As <see cref="Read(Element, out StanzaError?)"/>.</returns>
    public static Stanza? Read(Element element, Jid from, string? lang, out StanzaError? problem)
    {
        problem = null;
        if (!IsStanza(element)) return null;
        Jid to = default;
        // RFC 6120 §8.1.1.1, §8.3.3.8: an address that cannot be read is jid-malformed.
        if (element.Attribute("to") is { } text && !Jid.TryParse(text, out to))
        {
            problem = StanzaError.JidMalformed;
            return null;
        }
        string? id = element.Attribute("id"), type = element.Attribute("type");
        lang = element.Attribute(Namespaces.Xml, "lang") ?? lang;
        object[] content = element.ContentItems;
        switch (element.Name)
        {
            case "message":
                // RFC 6121 §5.2.2: a type that is not understood is handled as normal.
                return new Message(Message.TypeOf(type), from, to, id, lang, content);
            case "presence":
                if (Presence.TypeOf(type) is { } presence) return new Presence(presence, from, to, id, lang, content);
                break;
            default:
                // RFC 6120 §8.2.3: id and type are required, a request has exactly one child element.
                if (id is not null && Iq.TypeOf(type) is { } iq)
                {
                    var stanza = new Iq(iq, from, to, id, lang, content);
                    if (iq is IqType.Result or IqType.Error || stanza.Elements.Take(2).Count() == 1) return stanza;
                }
                break;
        }
        problem = StanzaError.BadRequest;
        return null;
    }

    static bool IsStanza(Element element) =>
        element.Namespace == Namespaces.Client && element.Name is ("message" or "presence" or "iq");

    private protected static object[] ToContent(IEnumerable<Element?> content) =>
        [.. content.Where(e => e is not null).Select(e => (object)e!)];

    private protected static object[] ErrorContent(StanzaError error) =>
        // RFC 6120 §8.3.1: the original content may be sent back; it is kept out here, as it only costs bytes.
        [error.ToElement()];
}
