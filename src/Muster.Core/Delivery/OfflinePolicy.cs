using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Delivery;

/// <summary>What becomes of a message that could be stored until its recipient is there.</summary>
public enum OfflineChoice
{
    /// <summary>It is stored.</summary>
    Store,
    /// <summary>It says nothing that is worth knowing later.</summary>
    Drop,
    /// <summary>It may not be stored, and its sender should know that it did not arrive.</summary>
    Refuse,
}

/// <summary>Which messages wait for their recipient (XEP-0160 §3), by type and content.</summary>
public static class OfflinePolicy
{
    const string ChatStates = "http://jabber.org/protocol/chatstates";

    /// <summary>Decides for one message that nobody is there to take.</summary>
    public static OfflineChoice Choose(Message message)
    {
        // XEP-0160 §3: groupchat, headline and error are about the moment. Delivery rules refuse or drop them before.
        if (message.Type is not (MessageType.Normal or MessageType.Chat)) return OfflineChoice.Drop;
        // XEP-0334 §4.2: no-store means not here either; who wrote words must hear that they are lost.
        if (message.Child(Namespaces.Hints, "no-store") is not null)
            return message.Body is null ? OfflineChoice.Drop : OfflineChoice.Refuse;
        if (message.Child(Namespaces.Hints, "store") is not null) return OfflineChoice.Store;
        return SaysSomething(message) ? OfflineChoice.Store : OfflineChoice.Drop;
    }

    // XEP-0160 §3: a chat that contains only chat states (XEP-0085), with what merely accompanies them, is not stored.
    static bool SaysSomething(Message message)
    {
        foreach (var child in message.Elements)
        {
            bool accompanies = child.Namespace is ChatStates or Namespaces.Hints or Namespaces.StanzaIds ||
                child.Is(Namespaces.Client, "thread");
            if (!accompanies) return true;
        }
        return message.Type == MessageType.Normal;
    }
}
