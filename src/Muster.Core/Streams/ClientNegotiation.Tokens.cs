using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Sasl;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <content>Logging in with a token that was given out before (XEP-0484).</content>
public sealed partial class ClientNegotiation
{
    /// <summary>A login with a token, as far as it has come.</summary>
    /// <param name="Mechanism">The mechanism.</param>
    /// <param name="Proof">What the client sent.</param>
    sealed record TokenLogin(HashedToken Mechanism, byte[] Proof)
    {
        /// <summary>The token that the client has, once it is known.</summary>
        public LoginToken? Token { get; init; }
        /// <summary>True when it is old enough to be replaced.</summary>
        public bool IsDue { get; init; }
    }

    TokenLogin? _tokenLogin;

    bool IsOffered(HashedToken mechanism) =>
        _policy.OffersTokens && (!mechanism.Binds || _channelBinding is not null);

    /// <summary>XEP-0484 §support. Without the attribute that allows data in TLS 0-RTT: the platform takes none, so
    /// what is read here has not been replayed.</summary>
    Element? OfferTokens() => !_policy.OffersTokens
        ? null
        : new Element(Namespaces.Fast, "fast", HashedToken.All.Where(IsOffered).Select(
            mechanism => new Element(Namespaces.Fast, "mechanism", mechanism.Name)));

    void BeginToken(HashedToken mechanism, bool isDecoded, byte[]? message, List<NegotiationEffect> effects)
    {
        if (!IsOffered(mechanism)) Fail(SaslFailure.InvalidMechanism, effects);
        else if (!isDecoded) Fail(SaslFailure.IncorrectEncoding, effects);
        // XEP-0484 §fast-auth, §rules-clients: the element and the client's id must be there.
        else if (!_inline!.HasToken || _inline.Client is not { } client
            || !HashedToken.TryParse(message, out string? username, out byte[]? proof))
            Fail(SaslFailure.MalformedRequest, effects);
        else if (!Jid.TryCreate(username, Host.ToString(), null, out var user))
            Fail(SaslFailure.NotAuthorized, effects);
        else
        {
            _claimed = user;
            _tokenLogin = new TokenLogin(mechanism, proof);
            _state = State.Tokens;
            effects.Add(new NegotiationEffect.FindTokens(user, client));
        }
    }

    void ReceiveTokens(NegotiationInput.TokensFound found, List<NegotiationEffect> effects)
    {
        _isDisabled = found.Account.Disabled;
        if (found.Account.Unavailable)
        {
            Fail(SaslFailure.TemporaryAuthFailure, effects);
            return;
        }
        var token = found.Account.Exists ? FindProved(found.Tokens) : null;
        // XEP-0484 §rules-servers: who has the token may know that it is too old, nobody else.
        var failure = token switch
        {
            null => SaslFailure.NotAuthorized,
            _ when token.ExpiresAt <= found.Now => SaslFailure.CredentialsExpired,
            _ when _inline!.Count <= token.LastCount => SaslFailure.NotAuthorized,
            _ when _isDisabled => SaslFailure.AccountDisabled,
            _ => null,
        };
        if (failure is not null)
        {
            Fail(failure, effects);
            return;
        }
        _tokenLogin = _tokenLogin! with
        {
            Token = token,
            IsDue = found.Now - token!.CreatedAt >= _policy.TokenRotation,
        };
        effects.Add(new NegotiationEffect.UseToken(
            _claimed, _inline!.Client!, token, _inline.Count, _inline.Invalidates));
    }

    /// <summary>XEP-0484 §fast-auth: a token is good for its own mechanism alone.</summary>
    LoginToken? FindProved(IReadOnlyList<LoginToken> tokens)
    {
        var (mechanism, proof) = _tokenLogin!;
        LoginToken? proved = null;
        foreach (var token in tokens)
        {
            bool isProved = mechanism.Verify(token.Text, proof, _channelBinding);
            if (isProved && token.Mechanism == mechanism.Name) proved = token;
        }
        return proved;
    }

    void ReceiveUse(bool? done, List<NegotiationEffect> effects)
    {
        if (done != true)
        {
            Fail(done is null ? SaslFailure.TemporaryAuthFailure : SaslFailure.NotAuthorized, effects);
            return;
        }
        var (mechanism, _) = _tokenLogin!;
        byte[] answer = mechanism.Answer(_tokenLogin.Token!.Text, _channelBinding);
        Succeed(_claimed, answer, mechanism.Name, effects);
    }

    /// <summary>The mechanism for which a token is due: the client asks for it, or has used one that is old. Nobody
    /// gets one who did not say which client it is, or asks for what is not offered.</summary>
    string? TokenWanted(InlineRequests requests)
    {
        if (requests.Client is null) return null;
        if (HashedToken.Find(requests.TokenMechanism) is { } wanted && IsOffered(wanted)) return wanted.Name;
        // XEP-0484 §invalidation: none in the place of one that was given up.
        return _tokenLogin is { IsDue: true } && !requests.Invalidates ? _tokenLogin.Mechanism.Name : null;
    }

    void ReceiveToken(LoginToken? token, List<NegotiationEffect> effects)
    {
        if (token is not null)
        {
            _login!.Token = new Element(Namespaces.Fast, "token")
                .With("token", token.Text).With("expiry", Timestamp.Format(token.ExpiresAt));
        }
        ContinueInline(effects);
    }
}
