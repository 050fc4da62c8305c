using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>What the sender wants done with a message (XEP-0334 §4).</summary>
[Flags]
public enum MessageHints
{
    /// <summary>Nothing special.</summary>
    None = 0,
    /// <summary>Not to be kept in archives and logs.</summary>
    NoPermanentStore = 1,
    /// <summary>Not to be kept at all, not even until the recipient comes online.</summary>
    NoStore = 2,
    /// <summary>Not to be copied to the recipient's other devices.</summary>
    NoCopy = 4,
    /// <summary>To be kept though it has no body.</summary>
    Store = 8,
}

/// <summary>Reads the hints of messages.</summary>
public static class MessageHintsReader
{
    /// <summary>The hints of a message; none for an error, which may quote those of its cause (XEP-0334 §5).</summary>
    public static MessageHints Hints(this Message message)
    {
        var hints = MessageHints.None;
        if (message.IsError) return hints;
        foreach (var element in message.Elements)
        {
            if (element.Namespace != Namespaces.Hints) continue;
            hints |= element.Name switch
            {
                "no-permanent-store" => MessageHints.NoPermanentStore,
                "no-store" => MessageHints.NoStore,
                "no-copy" => MessageHints.NoCopy,
                "store" => MessageHints.Store,
                _ => MessageHints.None,
            };
        }
        return hints;
    }

    /// <summary>Whether a hint forbids an archive to keep the message. To forbid is stronger than to ask for
    /// it.</summary>
    public static bool ForbidsArchive(this MessageHints hints) =>
        (hints & (MessageHints.NoStore | MessageHints.NoPermanentStore)) != 0;
}
