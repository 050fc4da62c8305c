using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <content>Resource binding (RFC 6120 §7) and the legacy session request (RFC 3921 §3).</content>
public sealed partial class ClientNegotiation
{
    Element? _bindRequest; // the request that is being answered

    void ReceiveBind(Element request, List<NegotiationEffect> effects)
    {
        var payload = request.Child(Namespaces.Bind, "bind");
        if (payload is null || request.Attribute("id") is null || request.Attribute("type") != "set")
        {
            RefuseRequest(request, StanzaError.BadRequest, effects);
            return;
        }
        string? resource = payload.Child(Namespaces.Bind, "resource")?.Text;
        _bindRequest = request;
        _state = State.Binding;
        // RFC 6120 §7.6: without a resource the server chooses. Some clients send an empty one and mean the same.
        effects.Add(new NegotiationEffect.Bind(_account, string.IsNullOrEmpty(resource) ? null : resource));
    }

    void CompleteBinding(NegotiationInput.Bound bound, List<NegotiationEffect> effects)
    {
        Progress |= StreamProgress.Bound;
        if (_login is not null)
        {
            CompleteInline(bound, effects);
            return;
        }
        string id = _bindRequest!.Attribute("id")!;
        _bindRequest = null;
        _state = State.Element;
        var bind = new Element(Namespaces.Bind, "bind", new Element(Namespaces.Bind, "jid", bound.Jid.ToString()));
        Send(new Iq(IqType.Result, Jid.None, Jid.None, id, bind).ToElement(), effects);
    }

    void RefuseBinding(StanzaError error, List<NegotiationEffect> effects)
    {
        if (_login is not null)
        {
            // XEP-0386 has no word for it: the login stands, and the features that follow offer to bind once more,
            // which tells the client why it cannot.
            FinishInline(effects);
            return;
        }
        var request = _bindRequest!;
        _bindRequest = null;
        _state = State.Element;
        RefuseRequest(request, error, effects);
    }

    void ReceiveSession(Element request, List<NegotiationEffect> effects)
    {
        if (Stanza.Read(request.With("from", null), out _) is Iq { Type: IqType.Set } iq)
            Send(iq.Result().Readdressed(Jid.None, Jid.None).ToElement(), effects);
        else
            RefuseRequest(request, StanzaError.BadRequest, effects);
    }

    /// <summary>Answers a request with an error; before login no request is answered at all.</summary>
    void RefuseRequest(Element request, StanzaError error, List<NegotiationEffect> effects)
    {
        if (!IsAuthenticated) CloseUnauthorized(effects);
        else if (StanzaRefusal.Answer(request, error, _account) is { } answer)
            Send(answer, effects);
    }
}
