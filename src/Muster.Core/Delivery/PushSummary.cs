using System.Globalization;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;

namespace Muster.Core.Delivery;

/// <summary>What a push service is told (XEP-0357 §7): as little as the configuration and the user allow.</summary>
public sealed record PushSummary
{
    /// <summary>The form of a summary.</summary>
    public const string FormType = "urn:xmpp:push:summary";
    const string PubSub = "http://jabber.org/protocol/pubsub";
    internal const string RoomInfo = "http://tigase.org/protocol/muc#offline";

    /// <summary>Messages that it stands for; 0 leaves it open: only wake up.</summary>
    public int Count { get; init; } = 1;
    /// <summary>Who wrote, or <see cref="Jid.None"/>.</summary>
    public Jid Sender { get; init; }
    /// <summary>Text, or null.</summary>
    public string? Body { get; init; }
    /// <summary>Whether it should be shown at once; null where nobody asked to know.</summary>
    public bool? IsUrgent { get; init; }
    /// <summary>The sender's nick in a room, or null.</summary>
    public string? Nick { get; init; }

    /// <summary>The payload of the request that publishes it.</summary>
    /// <param name="node">The node at the push service; may be empty.</param>
    /// <param name="options">The form that the user gave for it, or null.</param>
    public Element ToPublish(string node, Element? options) => new(PubSub, "pubsub",
        new Element(PubSub, "publish", new Element(PubSub, "item", ToNotification())).With("node", node),
        options is null ? null : new Element(PubSub, "publish-options", options));

    Element ToNotification() => new(PushContent.Namespace, "notification",
        new DataForm(DataFormType.Form, FormType,
            Count == 0 ? null
                : Field("message-count", FieldType.TextSingle, Count.ToString(CultureInfo.InvariantCulture)),
            new FormField("pending-subscription-count", FieldType.TextSingle, []),
            Sender.IsNone ? null : Field("last-message-sender", FieldType.JidSingle, Sender.ToString()),
            Body is null ? null : Field("last-message-body", FieldType.TextSingle, Body)).ToElement(),
        IsUrgent is { } urgent ? new Element(PushFilters.Priority, "priority", urgent ? "high" : "low") : null,
        Nick is null ? null : new Element(RoomInfo, "groupchat", new Element(RoomInfo, "nickname", Nick)));

    static FormField Field(string name, FieldType type, string value) => new(name, type, value);
}
