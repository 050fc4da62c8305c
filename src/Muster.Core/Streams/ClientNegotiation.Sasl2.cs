using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <content>Authentication by the extensible profile (XEP-0388), and what the client wants done with it in the same
/// round trip: a token (XEP-0484), its earlier session (XEP-0198) or a resource (XEP-0386).</content>
public sealed partial class ClientNegotiation
{
    /// <summary>A login that has been proved, while its requests are met one after the other.</summary>
    sealed class Login(InlineRequests requests, byte[]? data, Jid jid)
    {
        public InlineRequests Requests => requests;
        public byte[]? Data => data;
        /// <summary>Who the client is: with a resource once it is bound.</summary>
        public Jid Jid { get; set; } = jid;
        /// <summary>The mechanism for which a token is still to be given out, or null.</summary>
        public string? TokenMechanism { get; set; }
        public Element? Token { get; set; }
        /// <summary>The request to resume a session, until it is met.</summary>
        public Element? Resume { get; set; } = requests.Resume;
        /// <summary>What came of it.</summary>
        public Element? Resumption { get; set; }
        public bool IsResumed { get; set; }
        public Element? Bound { get; set; }
    }

    const int ResourceBytes = 9; // 12 characters

    InlineRequests? _inline; // of the exchange under way, when it is one of this profile
    Login? _login;

    // XEP-0388 §security: after TLS only, or where the operator says that the connection needs none.
    bool IsSafe => (Progress & StreamProgress.Secure) != 0 || _policy.PlaintextAllowed;

    IEnumerable<Element> OfferAuthentication()
    {
        var offer = Offer;
        // XEP-0388 §feature: not without a mechanism. Types of channel binding (XEP-0440) stand beside it already.
        if (!IsSafe || offer.Mechanisms.Count == 0) return [];
        var bind = new Element(Namespaces.Bind2, "bind", _policy.InlineFeatures.Count == 0
            ? null
            : new Element(Namespaces.Bind2, "inline", _policy.InlineFeatures.Select(
                feature => new Element(Namespaces.Bind2, "feature").With("var", feature))));
        var mechanisms = offer.Mechanisms.Select(
            mechanism => new Element(Namespaces.Sasl2, "mechanism", mechanism.Name));
        return
        [
            new Element(Namespaces.Sasl2, "authentication", mechanisms)
                .Add(new Element(Namespaces.Sasl2, "inline", bind, OfferTokens(), OfferResumption())),
        ];
    }

    void ReceiveSasl2(Element element, string nonce, List<NegotiationEffect> effects)
    {
        switch (element.Name)
        {
            case "authenticate" when _state == State.Element: BeginSasl2(element, nonce, effects); break;
            case "response" when _inline is not null: ContinueSasl2(element, effects); break;
            case "abort" when _inline is not null: Fail(SaslFailure.Aborted, effects); break;
            // Also <next/> and <task-data/>: no tasks are asked for here, so none can be done.
            default: Fail(SaslFailure.MalformedRequest, effects, Namespaces.Sasl2); break;
        }
    }

    static bool IsAnswer(Element element) =>
        element.Namespace == Namespaces.Sasl2 && element.Name is "response" or "abort";

    void BeginSasl2(Element authenticate, string nonce, List<NegotiationEffect> effects)
    {
        _claimed = Jid.None;
        if (!IsSafe)
        {
            Fail(SaslFailure.EncryptionRequired, effects, Namespaces.Sasl2);
            return;
        }
        _inline = InlineRequests.Read(authenticate, nonce);
        if (_inline is null)
        {
            Fail(SaslFailure.MalformedRequest, effects, Namespaces.Sasl2);
            return;
        }
        // XEP-0388 §encoding: no element is no message, and an empty one is an empty message.
        byte[]? message = null;
        bool isDecoded = _inline.InitialResponse is not { } text || SaslBase64.TryDecode(text, out message);
        if (HashedToken.Find(_inline.Mechanism) is { } mechanism)
            BeginToken(mechanism, isDecoded, message, effects);
        else if (_inline.HasToken)
            Fail(SaslFailure.MalformedRequest, effects);
        else
            BeginExchange(_inline.Mechanism, isDecoded, message, nonce, effects);
    }

    void ContinueSasl2(Element response, List<NegotiationEffect> effects)
    {
        if (!SaslBase64.TryDecode(response.Text, out var message)) Fail(SaslFailure.IncorrectEncoding, effects);
        else Take(_exchange!.Continue(message), effects);
    }

    /// <summary>The client has proved who it is. XEP-0388 §success: only now are its requests looked at, and the
    /// success tells what came of them.</summary>
    void BeginInline(byte[]? data, List<NegotiationEffect> effects)
    {
        var requests = _inline!;
        _login = new Login(requests, data, _account) { TokenMechanism = TokenWanted(requests) };
        AbandonExchange();
        ContinueInline(effects);
    }

    void ContinueInline(List<NegotiationEffect> effects)
    {
        var login = _login!;
        if (login.TokenMechanism is { } mechanism)
        {
            login.TokenMechanism = null;
            _state = State.Tokens;
            effects.Add(new NegotiationEffect.IssueToken(_account, login.Requests.Client!, mechanism));
        }
        else if (login.Resume is { } resume)
        {
            login.Resume = null;
            ResumeInline(resume, effects);
        }
        else if (login.Requests.Bind is { } bind)
        {
            _state = State.Binding;
            effects.Add(new NegotiationEffect.Bind(_account, ResourceFor(bind.Child("tag")?.Text, login.Requests))
            {
                Client = login.Requests.Client,
                Requests = [.. bind.Elements.Where(request => request.Namespace != Namespaces.Bind2)],
            });
        }
        else
        {
            FinishInline(effects);
        }
    }

    /// <summary>XEP-0386 §identifiers: the client's tag, and after it what the server makes. That is the same for each
    /// bind of the same client with the same tag, and does not tell its id.</summary>
    string ResourceFor(string? tag, InlineRequests requests)
    {
        string source = $"resource\0{_account}\0{requests.Client ?? requests.Nonce}\0{tag}";
        byte[] hash = HMACSHA256.HashData(_policy.Pepper.Span, Encoding.UTF8.GetBytes(source));
        string id = Base64Url.EncodeToString(hash.AsSpan(0, ResourceBytes));
        // A tag that no resource can have is left out.
        return !string.IsNullOrEmpty(tag) && _account.TryWithResource($"{tag}/{id}", out _) ? $"{tag}/{id}" : id;
    }

    void CompleteInline(NegotiationInput.Bound bound, List<NegotiationEffect> effects)
    {
        _login!.Jid = bound.Jid;
        _login.Bound = new Element(Namespaces.Bind2, "bound", bound.Results);
        FinishInline(effects);
    }

    void FinishInline(List<NegotiationEffect> effects)
    {
        var login = _login!;
        _login = null;
        _state = State.Element;
        Send(new Element(Namespaces.Sasl2, "success",
            login.Data is null ? null : new Element(Namespaces.Sasl2, "additional-data", SaslBase64.Encode(login.Data)),
            new Element(Namespaces.Sasl2, "authorization-identifier", login.Jid.ToString()),
            login.Resumption, login.Bound, login.Token), effects);
        effects.Add(new NegotiationEffect.LiftLimits());
        // XEP-0388 §success: the features follow at once, in the same stream. Where a session goes on, what has waited
        // for it follows.
        if (!login.IsResumed) Send(FeaturesElement(), effects);
    }
}
