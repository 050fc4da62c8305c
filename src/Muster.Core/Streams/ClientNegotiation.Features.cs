using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <content>The table: every step of a client's negotiation, with what it requires and forbids.</content>
public sealed partial class ClientNegotiation
{
    static readonly StreamFeature<ClientNegotiation>[]
        TlsFirst = Features(StreamProgress.Secure),
        TlsNotFirst = Features(StreamProgress.None);

    static StanzaError BoundAlready => StanzaError.NotAllowed.WithText("a resource is bound already");
    static StanzaError NotBound => StanzaError.UnexpectedRequest.WithText("bind a resource first");

    static StreamFeature<ClientNegotiation>[] FeaturesOf(TlsPolicy tls) =>
        tls == TlsPolicy.Required ? TlsFirst : TlsNotFirst;

    /// <param name="secure">What must be there before anything else: TLS, or nothing.</param>
    static StreamFeature<ClientNegotiation>[] Features(StreamProgress secure) =>
    [
        // RFC 6120 §5.
        new("starttls", StreamProgress.None, StreamProgress.Secure | StreamProgress.Authenticated)
        {
            Offer = static n => n.OfferTls(),
            Claims = static (_, e) => e.Namespace == Namespaces.Tls,
            Receive = static (n, e, _, effects) => n.ReceiveStartTls(e, effects),
            Refuse = static (n, _, effects) => n.RefuseTls(effects),
        },
        // RFC 6120 §6.
        new("sasl", secure, StreamProgress.Authenticated)
        {
            Offer = static n => n.OfferMechanisms(),
            Claims = static (_, e) => e.Namespace == Namespaces.Sasl,
            Receive = static (n, e, item, effects) => n.ReceiveSasl(e, item.Nonce, effects),
            Refuse = static (n, _, effects) => n.RefuseSasl(Namespaces.Sasl, effects),
        },
        // XEP-0388, with what it takes along: XEP-0386, XEP-0484.
        new("sasl2", secure, StreamProgress.Authenticated)
        {
            Offer = static n => n.OfferAuthentication(),
            Claims = static (_, e) => e.Namespace == Namespaces.Sasl2,
            Receive = static (n, e, item, effects) => n.ReceiveSasl2(e, item.Nonce, effects),
            Refuse = static (n, _, effects) => n.RefuseSasl(Namespaces.Sasl2, effects),
        },
        // RFC 6120 §7.
        new("bind", StreamProgress.Authenticated, StreamProgress.Bound)
        {
            Offer = static _ => [new Element(Namespaces.Bind, "bind")],
            Claims = static (n, e) => n.IsRequest(e, Namespaces.Bind),
            Receive = static (n, e, _, effects) => n.ReceiveBind(e, effects),
            Refuse = static (n, e, effects) => n.RefuseRequest(e, BoundAlready, effects),
        },
        // XEP-0198: here only what comes before a resource is bound; the session takes the rest.
        new("sm", StreamProgress.Authenticated, StreamProgress.Bound)
        {
            Offer = static n => n._policy.StreamManagement ? SmElements.Features : [],
            Claims = static (n, e) => SmElements.Has(e) && !n.IsBound,
            Receive = static (n, e, _, effects) => n.ReceiveManagement(e, effects),
            Refuse = static (_, e, effects) => Send(SmElements.Failed(e.Namespace, StanzaError.UnexpectedRequest),
                effects),
        },
        // RFC 3921 §3, kept for old clients; it does nothing (RFC 6121 appendix E).
        new("session", StreamProgress.Bound, StreamProgress.None)
        {
            Claims = static (n, e) => n.IsRequest(e, Namespaces.Session),
            Receive = static (n, e, _, effects) => n.ReceiveSession(e, effects),
            Refuse = static (n, e, effects) => n.RefuseRequest(e, NotBound, effects),
        },
        // Advertised beside bind, though it is taken only afterwards.
        new("session-offer", StreamProgress.Authenticated, StreamProgress.Bound)
        {
            Offer = static _ => [SessionOffer],
        },
        // XEP-0077 and its like: requests that need no login.
        new("early-request", secure, StreamProgress.Authenticated)
        {
            Claims = static (n, e) => n.IsEarlyRequest(e),
            Receive = static (n, e, _, effects) => n.ReceiveEarlyRequest(e, effects),
            Refuse = static (n, _, effects) => n.CloseUnauthorized(effects),
        },
    ];

    static Element SessionOffer =>
        new(Namespaces.Session, "session", new Element(Namespaces.Session, "optional"));

    IEnumerable<Element> OfferTls() => _policy.Tls switch
    {
        TlsPolicy.Required => [new Element(Namespaces.Tls, "starttls", new Element(Namespaces.Tls, "required"))],
        TlsPolicy.Optional => [new Element(Namespaces.Tls, "starttls")],
        _ => [],
    };

    void ReceiveStartTls(Element element, List<NegotiationEffect> effects)
    {
        if (_policy.Tls == TlsPolicy.NotOffered || element.Name != "starttls" || _state != State.Element)
        {
            RefuseTls(effects);
            return;
        }
        effects.Add(new NegotiationEffect.StartTls(new Element(Namespaces.Tls, "proceed")));
        _state = State.Tls;
    }

    void RefuseTls(List<NegotiationEffect> effects)
    {
        // RFC 6120 §5.4.2.2: failure, then the end of the stream.
        Send(new Element(Namespaces.Tls, "failure"), effects);
        Close(null, effects);
    }

    /// <summary>An iq for this server or for the client's own account whose payload has a namespace.</summary>
    bool IsRequest(Element element, string payloadNamespace)
    {
        if (!element.Is(Namespaces.Client, "iq") || element.FirstElement?.Namespace != payloadNamespace) return false;
        if (element.Attribute("type") is not ("get" or "set")) return false;
        return element.Attribute("to") is not { } to
            || (Jid.TryParse(to, out var jid) && (jid == Host || (!_account.IsNone && jid == _account)));
    }

    bool IsEarlyRequest(Element element) =>
        !IsAuthenticated && element.Is(Namespaces.Client, "iq")
        && element.FirstElement is { } payload && _policy.EarlyRequests.Contains(payload.Namespace);

    void ReceiveEarlyRequest(Element element, List<NegotiationEffect> effects)
    {
        // The client has no address yet; the request is for the domain that it addressed.
        if (Stanza.Read(element.With("from", null).With("to", null), out _) is not Iq { IsRequest: true } iq)
        {
            CloseUnauthorized(effects);
            return;
        }
        AbandonExchange();
        _state = State.Answer;
        effects.Add(new NegotiationEffect.Ask(iq.Readdressed(Jid.None, Host)));
    }
}
