using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <content>Authentication: the profile of SASL in RFC 6120 §6.</content>
public sealed partial class ClientNegotiation
{
    SaslExchange? _exchange;
    SaslStep.Success? _unchecked; // proved by a certificate; whether the account exists is being looked up
    Jid _claimed;                 // as whom the client tries to log in, for logs
    bool _isDisabled;
    int _failureCount;

    SaslOffer Offer => new(Host, _policy.Mechanisms, new SaslConnection
    {
        Encrypted = (Progress & StreamProgress.Secure) != 0,
        PlaintextAllowed = _policy.PlaintextAllowed,
        ChannelBinding = _channelBinding,
        TlsUnique = _tlsUnique,
        CertificateAddresses = [.. _certificateAddresses.Where(jid => jid.Domain.SequenceEqual(Host.Domain))],
    });

    IEnumerable<Element> OfferMechanisms()
    {
        var offer = Offer;
        if (offer.Mechanisms.Count == 0) return [];
        // XEP-0440 §2: the types of channel binding stand beside the mechanisms that use them.
        bool binds = offer.HasBinding || (IsSafe && IsOffered(HashedToken.Sha256EndPoint));
        return binds ? [offer.ToElement(), ChannelBinding.Advertisement()] : [offer.ToElement()];
    }

    void ReceiveSasl(Element element, string nonce, List<NegotiationEffect> effects)
    {
        switch (element.Name)
        {
            case "auth" when _state == State.Element: BeginExchange(element, nonce, effects); break;
            case "response" when _state == State.Response: ContinueExchange(element, effects); break;
            // RFC 6120 §6.4.4.
            case "abort" when _state == State.Response: Fail(SaslFailure.Aborted, effects); break;
            // RFC 6120 §6.5.9: a response out of order, a second auth inside an exchange, what is no SASL at all.
            default: Fail(SaslFailure.MalformedRequest, effects); break;
        }
    }

    void RefuseSasl(string profile, List<NegotiationEffect> effects)
    {
        if (!IsAuthenticated)
        {
            // RFC 6120 §6.5.4: TLS is owed first.
            Fail(SaslFailure.EncryptionRequired, effects, profile);
            return;
        }
        // RFC 6120 §6.3.4, XEP-0388 §multiple-authentication: nobody logs in twice on a stream.
        Close(StreamError.PolicyViolation.WithText("this stream has been authenticated"), effects);
    }

    /// <summary>The profile of the exchange under way: its elements are in this namespace.</summary>
    string Profile => _inline is null ? Namespaces.Sasl : Namespaces.Sasl2;

    void BeginExchange(Element auth, string nonce, List<NegotiationEffect> effects)
    {
        bool isDecoded = SaslBase64.TryDecodeInitial(auth.Text, out var message);
        BeginExchange(auth.Attribute("mechanism") ?? "", isDecoded, message, nonce, effects);
    }

    void BeginExchange(
        string mechanism, bool isDecoded, byte[]? message, string nonce, List<NegotiationEffect> effects)
    {
        _claimed = Jid.None;
        _isDisabled = false;
        var inputs = new SaslInputs(nonce, _policy.Pepper, _policy.Iterations, _policy.Proved);
        _exchange = Offer.Begin(mechanism, inputs, out var failure);
        if (_exchange is null) Fail(failure!, effects);
        else if (!isDecoded) Fail(SaslFailure.IncorrectEncoding, effects);
        else Take(_exchange.Start(message), effects);
    }

    void ContinueExchange(Element response, List<NegotiationEffect> effects)
    {
        // An empty response is written as "=" by some clients; RFC 6120 §6.4.3 has it empty.
        if (!SaslBase64.TryDecodeInitial(response.Text, out var message)) Fail(SaslFailure.IncorrectEncoding, effects);
        else Take(_exchange!.Continue(message ?? []), effects);
    }

    void Take(SaslStep step, List<NegotiationEffect> effects)
    {
        switch (step)
        {
            case SaslStep.Challenge challenge:
                _state = State.Response;
                Send(new Element(Profile, "challenge", SaslBase64.Encode(challenge.Data)), effects);
                break;
            case SaslStep.NeedSecret need:
                FindAccount(need.User, need.Hash, effects);
                break;
            case SaslStep.Success success when _exchange!.Mechanism == SaslMechanism.External:
                _unchecked = success;
                FindAccount(success.User, null, effects);
                break;
            case SaslStep.Success success:
                Succeed(success.User, success.Data, _exchange!.Mechanism.Name, effects);
                break;
            case SaslStep.Failure failure:
                Fail(failure.Reason, effects);
                break;
        }
    }

    void FindAccount(Jid user, ScramHash? hash, List<NegotiationEffect> effects)
    {
        _claimed = user;
        _state = State.Account;
        effects.Add(new NegotiationEffect.FindAccount(user, hash));
    }

    void ReceiveAccount(AccountFacts facts, List<NegotiationEffect> effects)
    {
        _isDisabled = facts.Disabled;
        if (facts.Unavailable) Fail(SaslFailure.TemporaryAuthFailure, effects);
        else if (_unchecked is not { } success) Take(_exchange!.Supply(facts.Exists ? facts.Secret : null), effects);
        else if (facts.Exists) Succeed(success.User, success.Data, _exchange!.Mechanism.Name, effects);
        else Fail(SaslFailure.NotAuthorized, effects);
    }

    void Succeed(Jid user, byte[]? data, string mechanism, List<NegotiationEffect> effects)
    {
        // RFC 6120 §6.5.2: told only to who has proved that the account is theirs.
        if (_isDisabled)
        {
            Fail(SaslFailure.AccountDisabled, effects);
            return;
        }
        // XEP-0388 §initiation: the stream's from is whom the client wants to be. The classic profile checks that in
        // the header that follows.
        if (_inline is not null && !_from.IsNone && _from != user)
        {
            Fail(SaslFailure.InvalidAuthzid, effects);
            return;
        }
        _account = user;
        Progress |= StreamProgress.Authenticated;
        if (_inline is not null)
        {
            effects.Add(new NegotiationEffect.Authenticated(user, mechanism));
            BeginInline(data, effects);
            return;
        }
        AbandonExchange();
        _state = State.Header; // RFC 6120 §6.4.6: both sides begin a new stream
        Send(new Element(Namespaces.Sasl, "success", SaslBase64.EncodeFinal(data)), effects);
        effects.Add(new NegotiationEffect.Authenticated(user, mechanism));
        effects.Add(new NegotiationEffect.RestartReader());
    }

    void Fail(SaslFailure failure, List<NegotiationEffect> effects, string? profile = null)
    {
        Send(failure.ToElement(profile ?? Profile), effects);
        effects.Add(new NegotiationEffect.AuthenticationFailed(_claimed, failure.Condition));
        AbandonExchange();
        _state = State.Element;
        // RFC 6120 §6.4.5: too many attempts end the stream.
        if (++_failureCount >= _policy.FailuresMax)
            Close(StreamError.PolicyViolation.WithText("too many failed attempts to log in"), effects);
    }

    void AbandonExchange()
    {
        _exchange = null;
        _unchecked = null;
        _inline = null;
        _tokenLogin = null;
    }
}
