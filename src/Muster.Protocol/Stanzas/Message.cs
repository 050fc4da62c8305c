using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Stanzas;

/// <summary>Types of messages (RFC 6121 §5.2.2).</summary>
public enum MessageType
{
#pragma warning disable CS1591
    Normal,
    Chat,
    Groupchat,
    Headline,
    Error,
#pragma warning restore CS1591
}

/// <summary>A message stanza (RFC 6121 §5).</summary>
public sealed class Message : Stanza
{
    internal Message(MessageType type, Jid from, Jid to, string? id, string? lang, object[] content)
        : base(from, to, id, lang, content) => Type = type;

    /// <summary>Makes a message; null children are left out.</summary>
    public Message(MessageType type, Jid from, Jid to, string? id, params IEnumerable<Element?> content)
        : this(type, from, to, id, null, ToContent(content)) { }

    /// <summary>What kind of message it is.</summary>
    public MessageType Type { get; }
    /// <inheritdoc/>
    public override string Name => "message";
    /// <inheritdoc/>
    public override bool IsError => Type == MessageType.Error;
    /// <summary>Text of the first body, or null when there is none.</summary>
    public string? Body => Child("body")?.Text;

    /// <summary>True when it has a subject and says nothing: what rooms send on entering, and when the subject is
    /// changed (XEP-0045 §7.2.15, §8.1).</summary>
    public bool IsSubjectOnly => Child("subject") is not null && Child("body") is null;

    /// <inheritdoc/>
    public override string? TypeName => Type switch
    {
        MessageType.Chat => "chat",
        MessageType.Groupchat => "groupchat",
        MessageType.Headline => "headline",
        MessageType.Error => "error",
        _ => null,
    };

    internal static MessageType TypeOf(string? type) => type switch
    {
        "chat" => MessageType.Chat,
        "groupchat" => MessageType.Groupchat,
        "headline" => MessageType.Headline,
        "error" => MessageType.Error,
        _ => MessageType.Normal,
    };

    /// <inheritdoc/>
    public override Message Readdressed(Jid from, Jid to) => new(Type, from, to, Id, Lang, ContentItems);
    /// <inheritdoc/>
    public override Message WithId(string? id) => new(Type, From, To, id, Lang, ContentItems);
    /// <inheritdoc/>
    public override Message WithContent(params IEnumerable<Element?> content) =>
        new(Type, From, To, Id, Lang, ToContent(content));
    /// <summary>The same message with other addresses, id and content in one step, for those who pass on
    /// many.</summary>
    public Message Rewritten(Jid from, Jid to, string? id, IReadOnlyList<Element> content) =>
        new(Type, from, to, id, Lang, [.. content]);
    /// <summary>The same message with another type.</summary>
    public Message WithType(MessageType type) => new(type, From, To, Id, Lang, ContentItems);
    /// <inheritdoc/>
    public override Message Refuse(StanzaError error, Jid from = default) =>
        new(MessageType.Error, from.IsNone ? To : from, From, Id, null, ErrorContent(error));
}
