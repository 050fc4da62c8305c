using Muster.Core.Rooms;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Archive;

/// <summary>Decides which messages are kept: one place, so that archive, history and push agree.</summary>
public static class ArchivePolicy
{
    /// <summary>What a groupchat message is (muc.md §8, §21).</summary>
    public static RoomMessageKind KindOf(Message message)
    {
        bool body = false, subject = false, thread = false, payload = false, store = false;
        foreach (object item in message.Content)
        {
            if (item is not Element child) continue;
            switch (child.Namespace)
            {
                case Namespaces.Client:
                    body |= child.Name == "body";
                    subject |= child.Name == "subject";
                    thread |= child.Name == "thread";
                    break;
                case Namespaces.Hints:
                    // XEP-0334 §4: the sender's wish not to be stored wins over everything.
                    if (child.Name is "no-store" or "no-permanent-store") return RoomMessageKind.Passing;
                    store |= child.Name == "store";
                    break;
                default:
                    payload |= IsPayload(child);
                    break;
            }
        }
        // XEP-0045 §8.1 #subject-mod: a subject change has a subject and neither body nor thread.
        if (subject && !body && !thread) return RoomMessageKind.Subject;
        return body || payload || store ? RoomMessageKind.Message : RoomMessageKind.Passing;
    }

    /// <summary>Whether a message between users belongs into their archives (XEP-0313 §6.1.1): what was said, and what
    /// is said about it. Chat states and the like do not; nor what rooms show to all, headlines and errors.</summary>
    public static bool KeepsForAccount(Message message)
    {
        if (message.Type is not (MessageType.Normal or MessageType.Chat)) return false;
        bool kept = false;
        foreach (object item in message.Content)
        {
            if (item is not Element child) continue;
            switch (child.Namespace)
            {
                case Namespaces.Client:
                    // A subject alone is a letter without text.
                    kept |= child.Name == "body" || (child.Name == "subject" && message.Type == MessageType.Normal);
                    break;
                case Namespaces.Hints:
                    // XEP-0334 §4.1, §4.2.
                    if (child.Name is "no-store" or "no-permanent-store") return false;
                    kept |= child.Name == "store";
                    break;
                case Namespaces.DirectInvitation:
                    kept |= child.Name == "x";
                    break;
                case Namespaces.MucUser:
                    kept |= child.Child("invite") is not null;
                    break;
                default:
                    kept |= IsPayload(child);
                    break;
            }
        }
        return kept;
    }

    /// <summary>Content that stands in for a body: encrypted text, and what refers to an earlier message.</summary>
    static bool IsPayload(Element child) => child.Namespace switch
    {
        "eu.siacs.conversations.axolotl" or "urn:xmpp:omemo:2" => child.Name == "encrypted",
        "urn:xmpp:openpgp:0" => child.Name == "openpgp",
        "jabber:x:encrypted" => child.Name == "x",
        "urn:xmpp:eme:0" => child.Name == "encryption",
        "urn:xmpp:chat-markers:0" => child.Name is "received" or "displayed" or "acknowledged",
        "urn:xmpp:receipts" => child.Name == "received",
        "urn:xmpp:reactions:0" => child.Name == "reactions",
        "urn:xmpp:message-retract:1" => child.Name == "retract",
        _ => false,
    };
}
