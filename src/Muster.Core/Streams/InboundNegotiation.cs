using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <summary>The stream of a server that connected to this one: the receiving side of RFC 6120 §4 to §6.</summary>
/// <remarks>The rows of the table decide by the progress alone what is offered and accepted, as for clients.</remarks>
public sealed class InboundNegotiation : PeerNegotiation
{
    static readonly PeerFeature<InboundNegotiation>[] Rows =
    [
        // RFC 6120 §5.
        new("starttls", StreamProgress.None, StreamProgress.Secure | StreamProgress.Authenticated)
        {
            Offer = static n => n.OfferTls(),
            Claims = static (_, e) => e.Namespace == Namespaces.Tls,
            Receive = static (n, e, _, effects) => n.ReceiveStartTls(e, effects),
            Refuse = static (n, _, effects) => n.RefuseTls(effects),
        },
        // RFC 6120 §6, XEP-0178 §3: EXTERNAL alone, for a certificate that proves the domain.
        new("sasl", StreamProgress.Secure, StreamProgress.Authenticated)
        {
            Offer = static n => n.OfferExternal(),
            Claims = static (_, e) => e.Namespace == Namespaces.Sasl,
            Receive = static (n, e, _, effects) => n.ReceiveSasl(e, effects),
            Refuse = static (n, _, effects) => n.RefuseSasl(effects),
        },
        // XEP-0288.
        new("bidi", StreamProgress.None, StreamProgress.None)
        {
            Offer = static n => n.OwesTls || n.IsBidi || !n.Policy.Bidi
                ? []
                : [new Element(BidiFeatureNamespace, "bidi")],
            Claims = static (n, e) => n.Policy.Bidi && e.Is(BidiNamespace, "bidi"),
            Receive = static (n, _, _, effects) => n.ReceiveBidi(effects),
        },
        // XEP-0220 §2.4.2. A question about a key needs no TLS: it is answered to anybody.
        new("dialback", StreamProgress.None, StreamProgress.None)
        {
            Offer = static n => n.OwesTls
                ? []
                : [Dialback.Feature()],
            Claims = static (_, e) => e.Namespace == Namespaces.Dialback,
            Receive = static (n, e, _, effects) => n.ReceiveDialback(e, effects),
        },
        // XEP-0198 §3: after authentication. Dialback begins no new stream with features of its own, so it is told
        // before where dialback is all that can follow.
        new("acks", StreamProgress.None, StreamProgress.None)
        {
            Offer = static n => n.Policy.Acks && !n.OwesTls
                && (n._isAuthenticated || !n.Certificate.Proves(n.Remote))
                ? [new Element(AcksNamespace, "sm")]
                : [],
        },
    ];

    bool _awaitsHeader = true, _awaitsTls, _isAuthenticated;
    int _failureCount;
    PeerPair? _allowsLater; // both ways, once the stream has begun anew
    Jid _local, _remote;

    /// <summary>Begins to negotiate.</summary>
    public InboundNegotiation(PeerPolicy policy) : base(policy) { }

    /// <inheritdoc/>
    public override Jid Remote => _remote;

    /// <inheritdoc/>
    public override bool TakesMorePairs => !IsClosed && !_isAuthenticated && IsBidi
        && Authorized.Count > 0 && Authorized.Count < Policy.PairsMax;

    private protected override bool TakesRequests => true;

    bool OwesTls => Policy.TlsFor(_remote) != PeerTls.Optional && (Progress & StreamProgress.Secure) == 0;

    private protected override void Begin(List<PeerEffect> effects) { } // the other side speaks first

    private protected override void EnterTls(PeerCertificate certificate, List<PeerEffect> effects)
    {
        // RFC 6120 §5.4.3.3: what was said before is forgotten.
        (_local, _remote) = (default, default);
        (_awaitsHeader, _awaitsTls) = (true, false);
        Certificate = certificate;
        Progress |= StreamProgress.Secure;
    }

    private protected override void ReceiveHeader(Element header, PeerInput.Item item, List<PeerEffect> effects)
    {
        _ = Jid.TryParse(header.Attribute("from"), out var from);
        _ = Jid.TryParse(header.Attribute("to"), out var to);
        var error = CheckHeader(header, item.Value.ContentNamespace) ?? CheckAddresses(header, from, to);
        bool isOurs = to.IsDomain && Policy.IsLocal(to);
        StreamId = item.StreamId;
        // RFC 6120 §4.9.1.3: an error in the header is told inside a stream, so ours is opened first.
        effects.Add(new PeerEffect.Open(new StreamHeader
        {
            From = isOurs ? to : Policy.DefaultHost,
            To = from.DomainJid,
            Id = StreamId,
            Lang = Policy.Language,
            ContentNamespace = Namespaces.Server,
            Dialback = true,
        }));
        if (error is not null)
        {
            Close(error, effects);
            return;
        }
        (_local, _remote, _awaitsHeader) = (to, from, false);
        Send(new Element(Namespaces.Streams, "features",
            Rows.Where(row => row.IsOpen(Progress)).SelectMany(row => row.Offer(this))), effects);
        if (_allowsLater is { } pair) Allow(pair, effects);
        _allowsLater = null;
        if (!OwesTls) BecomeReady(effects);
    }

    StreamError? CheckAddresses(Element header, Jid from, Jid to)
    {
        // RFC 6120 §4.9.3.6.
        if (!to.IsDomain || !Policy.IsLocal(to))
            return StreamError.HostUnknown.WithText("that domain is not served here");
        // RFC 6120 §4.7.1 wants a from; servers that know dialback alone leave it out, and name their domain later.
        if (header.Attribute("from") is null) return null;
        if (!from.IsDomain) return StreamError.InvalidFrom.WithText("a server's address is a domain");
        // Nobody else is one of ours; and this server does not talk to itself over the network.
        if (Policy.IsLocal(from)) return StreamError.InvalidFrom.WithText($"{from} is served here and nowhere else");
        // RFC 6120 §6.4.6: after authentication it is the same stream.
        if (_isAuthenticated && (from != _remote || to != _local))
            return StreamError.InvalidFrom.WithText("the login was for other domains");
        // RFC 6120 §4.9.3.14.
        return Policy.Allows(from) ? null : StreamError.PolicyViolation.WithText("this domain is not welcome here");
    }

    private protected override void ReceiveElement(Element element, PeerInput.Item item, List<PeerEffect> effects)
    {
        if (_awaitsHeader || _awaitsTls)
            throw new InvalidOperationException("an element while the stream awaits its start");
        foreach (var row in Rows)
        {
            if (!row.Claims(this, element)) continue;
            if (row.IsOpen(Progress)) row.Receive(this, element, item, effects);
            else row.Refuse(this, element, effects);
            return;
        }
        Close(StreamError.UnsupportedStanzaType.WithText($"<{element.Name}/> is not understood here"), effects);
    }

    IEnumerable<Element> OfferTls()
    {
        if (!Policy.OffersTls) return [];
        var required = OwesTls ? new Element(Namespaces.Tls, "required") : null;
        return [new Element(Namespaces.Tls, "starttls", required)];
    }

    void ReceiveStartTls(Element element, List<PeerEffect> effects)
    {
        if (element.Name != "starttls" || !Policy.OffersTls)
        {
            RefuseTls(effects);
            return;
        }
        _awaitsTls = true;
        effects.Add(new PeerEffect.StartTls(new Element(Namespaces.Tls, "proceed")));
    }

    void RefuseTls(List<PeerEffect> effects)
    {
        // RFC 6120 §5.4.2.2.
        Send(new Element(Namespaces.Tls, "failure"), effects);
        Close(null, effects);
    }

    IEnumerable<Element> OfferExternal()
    {
        if (_remote.IsNone || !Certificate.Proves(_remote)) return [];
        return [new Element(Namespaces.Sasl, "mechanisms", new Element(Namespaces.Sasl, "mechanism", "EXTERNAL"))];
    }

    void ReceiveSasl(Element element, List<PeerEffect> effects)
    {
        if (element.Name != "auth") Fail(SaslFailure.MalformedRequest, effects);
        else if (element.Attribute("mechanism") != "EXTERNAL") Fail(SaslFailure.InvalidMechanism, effects);
        else if (!SaslBase64.TryDecodeInitial(element.Text.Trim(), out byte[]? message))
            Fail(SaslFailure.IncorrectEncoding, effects);
        else Authenticate(message ?? [], effects);
    }

    void Authenticate(byte[] message, List<PeerEffect> effects)
    {
        if (!External.TryParse(message, out string? authzid))
        {
            Fail(SaslFailure.MalformedRequest, effects);
            return;
        }
        // XEP-0178 §3 step 11: the identity is the 'from' of the stream, said again or not.
        if (authzid.Length > 0 && (!Jid.TryParse(authzid, out var wanted) || wanted != _remote))
        {
            Fail(SaslFailure.InvalidAuthzid, effects);
            return;
        }
        if (_remote.IsNone || Certificate.ProblemFor(_remote) is not null)
        {
            effects.Add(new PeerEffect.Trouble(_remote, "EXTERNAL with a certificate that proves nothing"));
            Fail(SaslFailure.NotAuthorized, effects);
            return;
        }
        _isAuthenticated = _awaitsHeader = true;
        Send(new Element(Namespaces.Sasl, "success"), effects);
        effects.Add(new PeerEffect.RestartReader());
        var pair = new PeerPair(_local, _remote);
        Accept(pair, "EXTERNAL", effects);
        if (IsBidi) _allowsLater = pair;
    }

    void Fail(SaslFailure failure, List<PeerEffect> effects)
    {
        Send(failure.ToElement(), effects);
        // RFC 6120 §6.4.5: it may try again, or go on with dialback.
        if (++_failureCount >= Policy.FailuresMax)
            Close(StreamError.PolicyViolation.WithText("too many failed logins"), effects);
    }

    void RefuseSasl(List<PeerEffect> effects)
    {
        if ((Progress & StreamProgress.Authenticated) == 0)
        {
            Fail(SaslFailure.EncryptionRequired, effects);
            return;
        }
        Close(StreamError.PolicyViolation.WithText("this stream has been authenticated"), effects);
    }

    void ReceiveBidi(List<PeerEffect> effects)
    {
        IsBidi = true;
        foreach (var pair in Accepted.ToList()) Allow(pair, effects);
    }
}
