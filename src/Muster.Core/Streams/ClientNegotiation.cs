using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <summary>
/// The stream of a client from its first byte to the bound resource (RFC 6120 §4 to §7), as a state machine: what was
/// read goes in, what is to be done comes out.
/// </summary>
/// <remarks>
/// The state is three things: <see cref="Phase"/>, what is awaited now; <see cref="Progress"/>, what has been reached;
/// and the SASL exchange under way. The rows of <see cref="Features"/> decide by the second alone what is offered and
/// accepted, so a new step of negotiation is a new row. After binding the machine stays, for what a bound client may
/// still ask of it (<see cref="Claims"/>).
/// </remarks>
public sealed partial class ClientNegotiation
{
    /// <summary>What is awaited.</summary>
    enum State
    {
        /// <summary>The start of a stream.</summary>
        Header,
        /// <summary>An element that chooses a feature.</summary>
        Element,
        /// <summary>The connection's TLS handshake.</summary>
        Tls,
        /// <summary>The client's next SASL message.</summary>
        Response,
        /// <summary>An account's facts.</summary>
        Account,
        /// <summary>An answer about tokens.</summary>
        Tokens,
        /// <summary>The outcome of binding.</summary>
        Binding,
        /// <summary>The answer to a request made before login.</summary>
        Answer,
        /// <summary>Whether a session is resumed.</summary>
        Resuming,
        /// <summary>Nothing more: the stream is over.</summary>
        Closed,
    }

    readonly ClientPolicy _policy;
    readonly StreamFeature<ClientNegotiation>[] _features;
    State _state = State.Header;
    byte[]? _channelBinding;
    byte[]? _tlsUnique;
    IReadOnlyList<Jid> _certificateAddresses = [];
    Jid _host;
    Jid _from; // bare JID that the client gave in its stream's start, or none
    Jid _account;

    /// <summary>Begins to negotiate a connection.</summary>
    public ClientNegotiation(ClientPolicy policy)
    {
        _policy = policy;
        _features = FeaturesOf(policy.Tls);
    }

    /// <summary>What has been reached.</summary>
    public StreamProgress Progress { get; private set; }

    /// <summary>The authenticated account, or <see cref="Jid.None"/>.</summary>
    public Jid Account => _account;

    /// <summary>The domain that the client addressed; the default one until it is known.</summary>
    public Jid Host => _host.IsNone ? _policy.DefaultHost : _host;

    /// <summary>Language that the client named for its stream, or null (RFC 6120 §4.7.4).</summary>
    public string? Lang { get; private set; }

    /// <summary>What is awaited, for logs.</summary>
    public string Phase => _state.ToString();

    /// <summary>The only door: takes an input, adds what is to be done.</summary>
    public void Handle(NegotiationInput input, List<NegotiationEffect> effects)
    {
        if (_state == State.Closed) return;
        switch (input)
        {
            case NegotiationInput.Item item: ReceiveItem(item, effects); break;
            case NegotiationInput.TlsStarted tls when IsTlsExpected: EnterTls(tls); break;
            case NegotiationInput.AccountFound found when _state == State.Account:
                ReceiveAccount(found.Facts, effects);
                break;
            case NegotiationInput.Bound bound when _state == State.Binding:
                CompleteBinding(bound, effects);
                break;
            case NegotiationInput.BindRefused refused when _state == State.Binding:
                RefuseBinding(refused.Error, effects);
                break;
            case NegotiationInput.ResumeAnswered resumed when _state == State.Resuming:
                CompleteResumption(resumed, effects);
                break;
            case NegotiationInput.TokensFound found when _state == State.Tokens: ReceiveTokens(found, effects); break;
            case NegotiationInput.TokenUsed used when _state == State.Tokens: ReceiveUse(used.Done, effects); break;
            case NegotiationInput.TokenIssued issued when _state == State.Tokens:
                ReceiveToken(issued.Token, effects);
                break;
            case NegotiationInput.Answered answered when _state == State.Answer:
                Send(answered.Answer.ToElement(), effects);
                _state = State.Element;
                break;
            default: throw new InvalidOperationException($"{input.GetType().Name} while the stream awaits {_state}");
        }
    }

    /// <summary>Whether an element that a bound client sent is for the negotiation rather than for its session: a
    /// second bind, the legacy session request, STARTTLS or SASL out of order.</summary>
    public bool Claims(Element element)
    {
        // Nearly all elements of a bound stream are messages and presence: no row wants those.
        if (element.Namespace == Namespaces.Client && element.Name != "iq") return false;
        return FindFeature(element) is not null;
    }

    bool IsBound => (Progress & StreamProgress.Bound) != 0;

    bool IsAuthenticated => (Progress & StreamProgress.Authenticated) != 0;

    // TLS comes at first (XEP-0368), or when the client asked for it.
    bool IsTlsExpected =>
        _state == State.Tls || (_state == State.Header && Progress == StreamProgress.None && _host.IsNone);

    void EnterTls(NegotiationInput.TlsStarted tls)
    {
        // RFC 6120 §5.4.3.3: what the client said before TLS is forgotten, its stream header included.
        _host = _from = Jid.None;
        _channelBinding = tls.ChannelBinding;
        _tlsUnique = tls.TlsUnique;
        _certificateAddresses = tls.CertificateAddresses;
        Progress |= StreamProgress.Secure;
        _state = State.Header;
    }

    void ReceiveItem(NegotiationInput.Item item, List<NegotiationEffect> effects)
    {
        switch (item.Value.Kind)
        {
            case XmlItemKind.StreamOpen: ReceiveHeader(item, effects); break;
            case XmlItemKind.Element: ReceiveElement(item.Value.Element!, item, effects); break;
            case XmlItemKind.StreamClose: Close(null, effects); break;
            case XmlItemKind.Error: Close(item.Value.Error, effects); break;
            default: break; // White space is legal everywhere but inside a SASL exchange, where it hurts nobody.
        }
    }

    void ReceiveElement(Element element, NegotiationInput.Item item, List<NegotiationEffect> effects)
    {
        if (_state is not (State.Element or State.Response))
        {
            if (_state != State.Header)
                throw new InvalidOperationException($"an element while the stream awaits {_state}");
            // Only a framing that marks the start otherwise than by XML can lack it (RFC 7395 §3.4).
            Close(StreamError.BadFormat.WithText("the stream has not been opened"), effects);
        }
        else if (_state == State.Response && _inline is not null && !IsAnswer(element))
        {
            // XEP-0388 §during: a client sends nothing else meanwhile, and one that does is disconnected.
            Close(StreamError.PolicyViolation.WithText("an authentication is under way"), effects);
        }
        else if (FindFeature(element) is not { } feature)
        {
            ReceiveUnclaimed(element, effects);
        }
        else if (feature.IsOpen(Progress))
        {
            feature.Receive(this, element, item, effects);
        }
        else
        {
            feature.Refuse(this, element, effects);
        }
    }

    /// <summary>An element that no row knows. The session takes those of a bound client, so nobody is bound
    /// here.</summary>
    void ReceiveUnclaimed(Element element, List<NegotiationEffect> effects)
    {
        bool isStanza = element.Namespace == Namespaces.Client && (element.Name is "message" or "presence" or "iq");
        if (isStanza || !IsAuthenticated)
        {
            // RFC 6120 §4.9.3.12, §7.1: nothing is processed before login, no stanza before a resource is bound.
            CloseUnauthorized(effects);
            return;
        }
        Close(StreamError.UnsupportedStanzaType.WithText($"<{element.Name}/> is not understood here"), effects);
    }

    StreamFeature<ClientNegotiation>? FindFeature(Element element)
    {
        foreach (var feature in _features)
            if (feature.Claims(this, element)) return feature;
        return null;
    }

    void CloseUnauthorized(List<NegotiationEffect> effects) =>
        Close(StreamError.NotAuthorized.WithText(IsAuthenticated ? "bind a resource first" : "log in first"), effects);

    static void Send(Element element, List<NegotiationEffect> effects) =>
        effects.Add(new NegotiationEffect.Send(element));

    void Close(StreamError? error, List<NegotiationEffect> effects)
    {
        _state = State.Closed;
        effects.Add(new NegotiationEffect.Close(error));
    }
}
