using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Delivery;

/// <summary>Message carbons (XEP-0280): which messages a user's other devices get a copy of, and what a copy looks
/// like.</summary>
public static class CarbonCopy
{
    /// <summary>The namespace of the protocol.</summary>
    public const string Namespace = "urn:xmpp:carbons:2";
    const string Forward = "urn:xmpp:forward:0";

    /// <summary>Whether a message is copied to the account's other devices (§6.1).</summary>
    /// <param name="message">The message, as its recipient gets it.</param>
    /// <param name="isSent">True for the account that sent it, false for the one that received it.</param>
    /// <remarks>Errors are not copied: nobody remembers which message they answer (§6.1, fourth rule, cannot be kept
    /// without).</remarks>
    public static bool IsDue(Message message, bool isSent)
    {
        if (message.Type is MessageType.Groupchat or MessageType.Error) return false;
        bool speaks = message.Type == MessageType.Chat, fromRoom = false, invites = false;
        foreach (object item in message.Content)
        {
            if (item is not Element child) continue;
            switch (child.Namespace)
            {
                // §9: the sender forbids it with <private/>. A copy is never copied, whoever made it.
                case Namespace:
                // XEP-0334 §4.3.
                case Namespaces.Hints when child.Name == "no-copy":
                    return false;
                case Namespaces.Client:
                    speaks |= child.Name == "body" && message.Type == MessageType.Normal;
                    break;
                case Namespaces.MucUser when child.Name == "x":
                    fromRoom = true;
                    invites |= child.Child("invite") is not null;
                    break;
                case Namespaces.DirectInvitation:
                    invites |= child.Name == "x";
                    break;
                // XEP-0184, XEP-0085, XEP-0333: what goes with instant messages.
                case "urn:xmpp:receipts" or "http://jabber.org/protocol/chatstates" or "urn:xmpp:chat-markers:0":
                    speaks = true;
                    break;
            }
        }
        // §6.1: a room gives a private message to each of the user's sessions that is inside.
        if (fromRoom && !invites && !isSent && message.From.IsFull) return false;
        return speaks || invites;
    }

    /// <summary>Whether a message that is due and sent is a private message to an occupant of a room: it is copied only
    /// to those devices that are in that room too, as others could not answer (§6.1, note).</summary>
    public static bool IsToOccupant(Message message) =>
        message.To.IsFull && message.Child(Namespaces.MucUser, "x") is not null;

    /// <summary>The copy for the other devices of the account that received a message (§7).</summary>
    public static Message OfReceived(Message message, Jid account) => Wrap("received", message, account);

    /// <summary>The copy for the other devices of the account that sent a message (§8).</summary>
    public static Message OfSent(Message message, Jid account) => Wrap("sent", message, account);

    /// <summary>Whether a message to a session of an account is such a copy. It is the server's own: when it cannot be
    /// delivered it is neither answered (§10.3) nor kept for later, as the original is elsewhere.</summary>
    public static bool Is(Message message, Jid account)
    {
        // From the account itself, without a resource: its own clients' messages have one.
        if (message.From != account) return false;
        foreach (object item in message.Content)
            if (item is Element { Namespace: Namespace, Name: "received" or "sent" }) return true;
        return false;
    }

    static Message Wrap(string direction, Message message, Jid account) => new(
        message.Type, account, Jid.None, null,
        new Element(Namespace, direction, new Element(Forward, "forwarded", message.ToElement())));
}
