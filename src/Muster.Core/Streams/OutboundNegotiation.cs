using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <summary>The stream that this server opened to another: the initiating side of RFC 6120 §4 to §6.</summary>
/// <remarks>It goes as far as it can without proving anything, which suffices to ask about keys (XEP-0220 §2.1.2), and
/// authenticates when there are stanzas to send (<see cref="PeerInput.Authorize"/>).</remarks>
public sealed class OutboundNegotiation : PeerNegotiation
{
    /// <summary>What is awaited.</summary>
    enum State
    {
        /// <summary>The connection.</summary>
        Connection,
        /// <summary>The peer's start of the stream.</summary>
        Header,
        /// <summary>Its features.</summary>
        Features,
        /// <summary>Its consent to TLS.</summary>
        Proceed,
        /// <summary>The handshake.</summary>
        Tls,
        /// <summary>The outcome of EXTERNAL.</summary>
        Sasl,
        /// <summary>Nothing: dialback comes and goes, stanzas flow.</summary>
        Open,
    }

    readonly PeerPair _pair;
    readonly bool _beginsInTls;
    State _state = State.Connection;
    bool _triesExternal, _offersExternal, _isAuthenticated, _wantsPair;
    bool _hasDialbackErrors; // the peer answers dialback with errors, so that more domains may be tried

    /// <summary>Begins to negotiate.</summary>
    /// <param name="policy">The rules.</param>
    /// <param name="pair">Between whom the stream is opened.</param>
    /// <param name="beginsInTls">Whether TLS comes with the connection (XEP-0368).</param>
    /// <param name="triesExternal">Whether to prove this server's domain by its certificate where the peer
    /// offers.</param>
    public OutboundNegotiation(PeerPolicy policy, PeerPair pair, bool beginsInTls, bool triesExternal) : base(policy)
    {
        (_pair, _beginsInTls, _triesExternal) = (pair, beginsInTls, triesExternal);
    }

    /// <summary>The pair that the stream was opened for.</summary>
    public PeerPair Pair => _pair;

    /// <inheritdoc/>
    public override Jid Remote => _pair.Remote;

    /// <summary>Whether the peer offered to be proved by certificate and refused it.</summary>
    public bool HasFailedExternal { get; private set; }

    /// <inheritdoc/>
    public override bool TakesMorePairs => !IsClosed && !_isAuthenticated && _hasDialbackErrors
        && Authorized.Count > 0 && Authorized.Count < Policy.PairsMax;

    private protected override bool TakesRequests => IsBidi;

    private protected override bool AwaitsAuthentication => _wantsPair || _isAuthenticated || _state == State.Sasl;

    PeerTls Tls => Policy.TlsFor(_pair.Remote);

    bool IsSecure => (Progress & StreamProgress.Secure) != 0;

    private protected override void Begin(List<PeerEffect> effects)
    {
        if (_beginsInTls)
        {
            _state = State.Tls;
            effects.Add(new PeerEffect.StartTls(null));
            return;
        }
        Open(effects);
    }

    void Open(List<PeerEffect> effects)
    {
        _state = State.Header;
        effects.Add(new PeerEffect.Open(new StreamHeader
        {
            From = _pair.Local,
            To = _pair.Remote,
            // No language: what users write is in theirs, and some servers would stamp it with the stream's.
            ContentNamespace = Namespaces.Server,
            Dialback = true,
        }));
    }

    private protected override void EnterTls(PeerCertificate certificate, List<PeerEffect> effects)
    {
        Certificate = certificate;
        Progress |= StreamProgress.Secure;
        if (Tls == PeerTls.RequiredTrusted && certificate.ProblemFor(_pair.Remote) is { } problem)
        {
            // Not a word more to somebody who may be anybody (RFC 6120 §13.7.2).
            effects.Add(new PeerEffect.Trouble(_pair.Remote, $"its certificate is not accepted: {problem}"));
            Close(null, effects);
            return;
        }
        Open(effects);
    }

    private protected override void ReceiveHeader(Element header, PeerInput.Item item, List<PeerEffect> effects)
    {
        if (_state != State.Header)
        {
            Close(StreamError.BadFormat.WithText("the stream is open already"), effects);
            return;
        }
        if (CheckHeader(header, item.Value.ContentNamespace) is { } error)
        {
            Close(error, effects);
            return;
        }
        // RFC 6120 §4.7.3: the receiving side gives an id. Without one there can be no dialback.
        StreamId = header.Attribute("id") ?? "";
        _state = State.Features;
    }

    private protected override void ReceiveElement(Element element, PeerInput.Item item, List<PeerEffect> effects)
    {
        switch (_state)
        {
            case State.Features when element.Is(Namespaces.Streams, "features"):
                ReceiveFeatures(element, effects);
                break;
            case State.Proceed when element.Is(Namespaces.Tls, "proceed"):
                _state = State.Tls;
                effects.Add(new PeerEffect.StartTls(null));
                break;
            case State.Sasl when element.Is(Namespaces.Sasl, "success"):
                _isAuthenticated = true;
                effects.Add(new PeerEffect.RestartReader());
                Open(effects);
                break;
            case State.Sasl when element.Is(Namespaces.Sasl, "failure"):
                ReceiveFailure(element, effects);
                break;
            case State.Open or State.Sasl when element.Namespace == Namespaces.Dialback:
                ReceiveDialback(element, effects);
                break;
            case State.Open when element.Is(Namespaces.Streams, "features"):
                break; // told again by some after authentication
            default:
                Close(StreamError.UnsupportedStanzaType.WithText($"<{element.Name}/> was not expected"), effects);
                break;
        }
    }

    void ReceiveFeatures(Element features, List<PeerEffect> effects)
    {
        if (!IsSecure)
        {
            if (features.Child(Namespaces.Tls, "starttls") is not null)
            {
                _state = State.Proceed;
                Send(new Element(Namespaces.Tls, "starttls"), effects);
                return;
            }
            if (Tls != PeerTls.Optional)
            {
                effects.Add(new PeerEffect.Trouble(_pair.Remote, "it offers no TLS, which is required"));
                Close(StreamError.PolicyViolation.WithText("TLS is required here"), effects);
                return;
            }
        }
        OffersAcks = features.Child(AcksNamespace, "sm") is not null;
        _hasDialbackErrors |= features.Child(Dialback.FeatureNamespace, "dialback")
            ?.Child(Dialback.FeatureNamespace, "errors") is not null;
        _offersExternal = features.Child(Namespaces.Sasl, "mechanisms")?.Children(Namespaces.Sasl, "mechanism")
            .Any(mechanism => mechanism.Text.Trim() == "EXTERNAL") == true;
        // XEP-0288 §2.2: before authentication.
        if (Policy.Bidi && !IsBidi && features.Child(BidiFeatureNamespace, "bidi") is not null)
        {
            IsBidi = true;
            Send(new Element(BidiNamespace, "bidi"), effects);
        }
        _state = State.Open;
        if (_isAuthenticated) BecomeAuthorized(effects);
        BecomeReady(effects);
        if (_wantsPair) Ask(_pair, effects);
    }

    void BecomeAuthorized(List<PeerEffect> effects)
    {
        _wantsPair = false;
        Allow(_pair, effects);
        if (IsBidi) Accept(_pair, "EXTERNAL of ours", effects);
    }

    private protected override void Ask(PeerPair pair, List<PeerEffect> effects)
    {
        if (pair != _pair)
        {
            base.Ask(pair, effects);
            return;
        }
        if (_isAuthenticated) return;
        if (_state != State.Open)
        {
            _wantsPair = true;
            return;
        }
        // XEP-0178 §3: what the peer offers it expects to succeed.
        if (_triesExternal && _offersExternal)
        {
            _state = State.Sasl;
            string identity = Convert.ToBase64String(Encoding.UTF8.GetBytes(pair.Local.ToString()));
            Send(new Element(Namespaces.Sasl, "auth", identity).With("mechanism", "EXTERNAL"), effects);
            return;
        }
        if (StreamId.Length == 0)
        {
            Close(StreamError.BadFormat.WithText("the stream has no id"), effects);
            return;
        }
        base.Ask(pair, effects);
    }

    void ReceiveFailure(Element failure, List<PeerEffect> effects)
    {
        (HasFailedExternal, _triesExternal, _state) = (true, false, State.Open);
        string condition = failure.FirstElement?.Name ?? "no reason given";
        effects.Add(new PeerEffect.Trouble(_pair.Remote, $"it refused this server's certificate: {condition}"));
        Ask(_pair, effects);
    }
}
