using Muster.Core.Archive;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Delivery;

/// <summary>What becomes of a stanza that a session did not bring to its client.</summary>
public enum UnackedFate
{
    /// <summary>Nothing: it is of no use any more, or the client finds it in the archive.</summary>
    Drop,
    /// <summary>It waits for the account's next login.</summary>
    Store,
    /// <summary>Its sender is told.</summary>
    Bounce,
    /// <summary>It goes to the account's other sessions, as a message to the bare address does.</summary>
    Redeliver,
}

/// <summary>What the configuration says of them.</summary>
public sealed record UnackedRules
{
    /// <summary>A message that the account's other sessions do not have goes to them (<c>smacks_redeliver</c>), and is
    /// not bounced.</summary>
    public bool RedeliversToOthers { get; init; } = true;

    /// <summary>Presence is bounced (<c>smacks_bounce_presence</c>).</summary>
    public bool BouncesPresence { get; init; }

    /// <summary>Messages wait for an account that is offline.</summary>
    public bool KeepsOffline { get; init; } = true;

    /// <summary>A message that cannot wait is dropped without a word, as the archive has it
    /// (<c>mod_nooffline_noerror</c>).</summary>
    public bool IsSilentWithoutOffline { get; init; }
}

/// <summary>What is known of the session that has died.</summary>
/// <param name="Session">Its full JID.</param>
/// <param name="HasOthers">The account has other sessions, connected or waiting.</param>
/// <param name="OthersHaveIt">An available one of them got the same message, or a copy of it.</param>
/// <param name="UsesArchive">Its client has asked the archive of the account: what is there it finds itself.</param>
public readonly record struct UnackedFacts(Jid Session, bool HasOthers, bool OthersHaveIt, bool UsesArchive);

/// <summary>The fate of what was sent to a session that died and not acknowledged: the table of
/// stream-management.md §7, a row a line.</summary>
public static class UnackedPolicy
{
    /// <summary>Decides for one stanza.</summary>
    public static UnackedFate Choose(Stanza stanza, in UnackedFacts facts, UnackedRules rules)
    {
        // Errors and answers are never answered; what the session sent comes from nobody else.
        if (stanza.IsError || stanza.From == facts.Session || stanza.From.IsNone) return UnackedFate.Drop;
        return stanza switch
        {
            Iq iq => iq.IsRequest ? UnackedFate.Bounce : UnackedFate.Drop,
            // Subscriptions are kept by the roster, and come again with the next login (RFC 6121 §3.1.3).
            Presence presence => rules.BouncesPresence && !presence.IsSubscription
                && presence.Type != PresenceType.Probe ? UnackedFate.Bounce : UnackedFate.Drop,
            Message message => Choose(message, facts, rules),
            _ => UnackedFate.Drop,
        };
    }

    static UnackedFate Choose(Message message, in UnackedFacts facts, UnackedRules rules)
    {
        // A copy of what another session got, or the answer to a question that nobody waits for any more (XEP-0313).
        if (CarbonCopy.Is(message, facts.Session.Bare) || message.Child(ArchiveRequest.Namespace, "result") is not null)
            return UnackedFate.Drop;
        switch (message.Type)
        {
            // Always, whatever else is there: the room must learn that its occupant is a ghost (muc.md §9).
            case MessageType.Groupchat: return UnackedFate.Bounce;
            case MessageType.Headline: return UnackedFate.Drop;
        }
        if (facts.UsesArchive && StanzaIds.Find(message, facts.Session.Bare) is not null) return UnackedFate.Drop;
        if (facts.HasOthers)
        {
            if (!rules.RedeliversToOthers) return UnackedFate.Bounce;
            return facts.OthersHaveIt ? UnackedFate.Drop : UnackedFate.Redeliver;
        }
        if (rules.KeepsOffline) return UnackedFate.Store;
        return rules.IsSilentWithoutOffline ? UnackedFate.Drop : UnackedFate.Bounce;
    }
}
