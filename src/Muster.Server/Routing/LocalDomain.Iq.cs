using Muster.Core.Routing;
using Muster.Core.Sessions;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Features;

namespace Muster.Server.Routing;

// RFC 6121 §8.5.2.1.3, §8.5.3.1: requests that the server answers for its accounts, and those it passes on.
sealed partial class LocalDomain
{
    const string BlockingErrors = "urn:xmpp:blocking:errors";

    /// <summary>XEP-0191 §3.3: what a client gets that writes to somebody whom its user blocks.</summary>
    static readonly StanzaError BlockedError = StanzaError.NotAcceptable with
    {
        Type = StanzaErrorType.Cancel,
        Application = new Element(BlockingErrors, "blocked"),
    };

    ValueTask RouteIq(Iq iq)
    {
        // What the server itself has asked: push services.
        if (!iq.IsRequest && !iq.To.HasLocal && _pushService.TakeAnswer(iq)) return default;
        var session = iq.To.IsFull ? _sessions.FindSession(iq.To) : null;
        if (_joins.TakeAnswer(iq, session)) return default;
        return DeliveryRules.Iq(iq.Type, RecipientOf(iq.To, session)) switch
        {
            Delivery.Session => DeliverIq(session!, iq),
            Delivery.Server => iq.To.HasLocal ? AnswerForAccount(iq) : Answer(iq, Target.Server),
            Delivery.Refuse => Refuse(iq, StanzaError.ServiceUnavailable),
            _ => default,
        };
    }

    ValueTask DeliverIq(Session session, Iq iq)
    {
        // XEP-0012 §4: how long somebody has been idle is for those alone who may see the presence.
        if (iq.Type == IqType.Get && iq.Payload is { } payload && payload.Is(LastActivity.Ns, "query") &&
            _sessions.Find(session.Account) is { } online && !MaySee(iq.From, online))
            return Refuse(iq, StanzaError.Forbidden);
        return session.Deliver(iq) switch
        {
            DeliverOutcome.Written => default,
            // XEP-0191 §3.3: as if nobody were there. An answer to nobody is dropped by Refuse.
            _ => Refuse(iq, StanzaError.ServiceUnavailable),
        };
    }

    async ValueTask AnswerForAccount(Iq iq)
    {
        if (!iq.From.SameBare(iq.To) && (await _accounts.BlockedOf(iq.To)).Blocks(iq.From))
            await Refuse(iq, StanzaError.ServiceUnavailable);
        else await Answer(iq, Target.Account);
    }

    ValueTask Answer(Iq iq, Target target) => _iqTable is { } table
        ? table.Answer(iq, target, iq.To, Serves(iq.From) ? _sessions.FindSession(iq.From) : null)
        : Refuse(iq, StanzaError.ServiceUnavailable);

    /// <summary>XEP-0191 §3.3: the answer to a message that is blocked, the same as of an account that takes
    /// nothing.</summary>
    ValueTask RefuseBlocked(Message message) =>
        // A room would take an error for the loss of the occupant (XEP-0045 §18.4), so what rooms and news send is
        // dropped.
        message.Type is MessageType.Normal or MessageType.Chat
            ? Refuse(message, StanzaError.ServiceUnavailable)
            : default;
}
