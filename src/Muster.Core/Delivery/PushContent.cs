using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Delivery;

/// <summary>What a stanza means to somebody who is not there to read it: whether it is worth waking a device
/// (muc-push.md §3).</summary>
public static class PushContent
{
    /// <summary>The namespace of the protocol (XEP-0357).</summary>
    public const string Namespace = "urn:xmpp:push:0";
    const string Jingle = "urn:xmpp:jingle-message:0";
    const string Forward = "urn:xmpp:forward:0";

    /// <summary>The message that a stanza for an account brings: of a copy (XEP-0280) what was received. Null for what
    /// never concerns a device that is away: copies of the user's own messages, errors, and everything but
    /// messages.</summary>
    public static Message? Read(Stanza stanza, Jid account)
    {
        if (stanza is not Message { IsError: false } message) return null;
        if (!CarbonCopy.Is(message, account)) return message;
        return message.Child(CarbonCopy.Namespace, "received")?.Child(Forward, "forwarded")?.Child(Namespaces.Client,
            "message") is { } inner ? Stanza.Read(inner, out _) as Message : null;
    }

    /// <summary>Whether a person would want to know of it.</summary>
    public static bool IsImportant(Message message)
    {
        if (message.Type is MessageType.Headline or MessageType.Error) return false;
        bool isSubject = false, hasBody = false, isSecret = false, isInvitation = false;
        foreach (object item in message.Content)
        {
            if (item is not Element child) continue;
            switch (child.Namespace)
            {
                case Namespaces.Client:
                    hasBody |= child.Name == "body" && !child.IsEmpty;
                    isSubject |= child.Name == "subject";
                    break;
                case Jingle:
                    if (child.Name == "propose") return true;
                    break;
                case Namespaces.DirectInvitation:
                    isInvitation |= child.Name == "x";
                    break;
                case Namespaces.MucUser:
                    isInvitation |= child.Child("invite") is not null;
                    break;
                default:
                    isSecret |= IsEncrypted(child);
                    break;
            }
        }
        // Somebody who joins a room gets its subject: nobody has said anything.
        if (isSubject && message.Type == MessageType.Groupchat) return false;
        return hasBody || isSecret || isInvitation;
    }

    /// <summary>Whether it cannot wait: a call rings on every device (XEP-0353).</summary>
    public static bool IsUrgent(Message message) => message.Child(Jingle, "propose") is not null;

    /// <summary>The name of a message among those pushed to a user: the same whether it is in a queue, an archive or
    /// the offline store. Null when it has none.</summary>
    /// <param name="message">The message.</param>
    /// <param name="account">The user.</param>
    public static string? KeyOf(Message message, Jid account)
    {
        if (message.Type == MessageType.Groupchat && StanzaIds.Find(message, message.From.Bare) is { } inRoom)
            return $"{message.From.Bare}\n{inRoom}";
        if (StanzaIds.Find(message, account) is { } id) return id;
        return message.Id is { } own ? $"{message.From}\n{own}" : null;
    }

    static bool IsEncrypted(Element child) => child.Namespace switch
    {
        "eu.siacs.conversations.axolotl" or "urn:xmpp:omemo:0" or "urn:xmpp:omemo:2" =>
            child.Name == "encrypted",
        "urn:xmpp:openpgp:0" => child.Name == "openpgp",
        "jabber:x:encrypted" => child.Name == "x",
        "urn:xmpp:eme:0" => child.Name == "encryption",
        _ => false,
    };
}
