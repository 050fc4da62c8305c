using Muster.Core.Delivery;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Archives;
using Muster.Server.Sessions;

namespace Muster.Server.Routing;

// XEP-0280: copies of messages for the other devices of an account. They go straight to sessions, and never through the
// rules for messages: so no copy is answered, stored or copied again (§10.3).
sealed partial class LocalDomain
{
    /// <summary>Copies a message that a client sends, before its recipient can answer.</summary>
    /// <param name="session">Whose client sent it.</param>
    /// <param name="message">The message.</param>
    /// <param name="kept">Where it is in the account's archive, or null.</param>
    void CopySent(Session session, Message message, KeptMessage? kept = null)
    {
        // To the user's own account: it is received there, and copied as such.
        if (message.Type is MessageType.Groupchat or MessageType.Error || message.To.SameBare(session.Account) ||
            _sessions.Find(session.Account) is not { } online ||
            OthersWithCarbons(online, session, Jid.None) is not { } others ||
            !CarbonCopy.IsDue(message, isSent: true)) return;
        // XEP-0313 §3.5: those who may read the archive learn the id, so that they know the message when they do.
        if (kept is not null) message = (Message)message.Add(kept.StanzaId(session.Account));
        var copy = SharedStanza.From(CarbonCopy.OfSent(message, session.Account));
        bool isToOccupant = CarbonCopy.IsToOccupant(message);
        foreach (var other in others)
            if (!isToOccupant || !other.DirectedWithin(message.To).IsNone) other.Deliver(copy);
    }

    static void CopyReceived(Message message, List<Session>? others)
    {
        if (others is null || !CarbonCopy.IsDue(message, isSent: false)) return;
        var copy = SharedStanza.From(CarbonCopy.OfReceived(message, others[0].Account));
        foreach (var other in others) other.Deliver(copy);
    }

    /// <summary>A message that no session takes, and that is stored perhaps: those who are there and want nothing that
    /// is sent to the account (a negative priority) see it all the same. Who has not come yet gets it from the
    /// store.</summary>
    void CopyWaiting(Message message)
    {
        if (_sessions.Find(message.To) is not { } online) return;
        List<Session>? there = null;
        foreach (var session in online.All)
        {
            if (session is { HasCarbons: true, Available: not null } && session.Jid != message.From &&
                !session.IsBlocked(message.From)) (there ??= []).Add(session);
        }
        CopyReceived(message, there);
    }

    /// <summary>The sessions that want copies but for one, and but for the sender's own; null when there is none. §7
    /// asks for no presence: a client that has just logged in misses nothing.</summary>
    static List<Session>? OthersWithCarbons(AccountSessions online, Session served, Jid sender)
    {
        List<Session>? others = null;
        foreach (var session in online.All)
            if (session.HasCarbons && session != served && session.Jid != sender) (others ??= []).Add(session);
        return others;
    }
}
