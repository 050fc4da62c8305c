using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Stanzas;

/// <summary>Types of presence (RFC 6121 §4.7.1).</summary>
public enum PresenceType
{
#pragma warning disable CS1591
    Available,
    Unavailable,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
    Probe,
    Error,
#pragma warning restore CS1591
}

/// <summary>A presence stanza (RFC 6121 §3, §4).</summary>
public sealed class Presence : Stanza
{
    internal Presence(PresenceType type, Jid from, Jid to, string? id, string? lang, object[] content)
        : base(from, to, id, lang, content) => Type = type;

    /// <summary>Makes a presence; null children are left out.</summary>
    public Presence(PresenceType type, Jid from, Jid to, string? id, params IEnumerable<Element?> content)
        : this(type, from, to, id, null, ToContent(content)) { }

    /// <summary>What kind of presence it is.</summary>
    public PresenceType Type { get; }
    /// <inheritdoc/>
    public override string Name => "presence";
    /// <inheritdoc/>
    public override bool IsError => Type == PresenceType.Error;
    /// <summary>True for subscribe, subscribed, unsubscribe and unsubscribed (RFC 6121 §3).</summary>
    public bool IsSubscription => Type is >= PresenceType.Subscribe and <= PresenceType.Unsubscribed;
    /// <summary>Priority of an available resource, −128 to 127; 0 when absent or unreadable (RFC 6121
    /// §4.7.2.3).</summary>
    public int Priority => sbyte.TryParse(Child("priority")?.Text, out sbyte priority) ? priority : 0;

    /// <inheritdoc/>
    public override string? TypeName => Type switch
    {
        PresenceType.Available => null,
        PresenceType.Unavailable => "unavailable",
        PresenceType.Subscribe => "subscribe",
        PresenceType.Subscribed => "subscribed",
        PresenceType.Unsubscribe => "unsubscribe",
        PresenceType.Unsubscribed => "unsubscribed",
        PresenceType.Probe => "probe",
        _ => "error",
    };

    internal static PresenceType? TypeOf(string? type) => type switch
    {
        null or "" => PresenceType.Available,
        "unavailable" => PresenceType.Unavailable,
        "subscribe" => PresenceType.Subscribe,
        "subscribed" => PresenceType.Subscribed,
        "unsubscribe" => PresenceType.Unsubscribe,
        "unsubscribed" => PresenceType.Unsubscribed,
        "probe" => PresenceType.Probe,
        "error" => PresenceType.Error,
        _ => null,
    };

    /// <summary>The same presence with another default language of its texts, or none.</summary>
    public Presence WithLang(string? lang) => lang == Lang ? this : new(Type, From, To, Id, lang, ContentItems);

    /// <inheritdoc/>
    public override Presence Readdressed(Jid from, Jid to) => new(Type, from, to, Id, Lang, ContentItems);
    /// <inheritdoc/>
    public override Presence WithId(string? id) => new(Type, From, To, id, Lang, ContentItems);
    /// <inheritdoc/>
    public override Presence WithContent(params IEnumerable<Element?> content) =>
        new(Type, From, To, Id, Lang, ToContent(content));
    /// <inheritdoc/>
    public override Presence Refuse(StanzaError error, Jid from = default) =>
        new(PresenceType.Error, from.IsNone ? To : from, From, Id, null, ErrorContent(error));
}
