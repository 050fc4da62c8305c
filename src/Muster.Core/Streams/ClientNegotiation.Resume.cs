using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <content>Resumption of an earlier session in place of binding (XEP-0198 §5), also in one round trip with the
/// login.</content>
public sealed partial class ClientNegotiation
{
    void ReceiveManagement(Element element, List<NegotiationEffect> effects)
    {
        if (CheckResume(element) is { } refusal)
        {
            Send(SmElements.Failed(element.Namespace, refusal), effects);
            return;
        }
        _state = State.Resuming;
        effects.Add(new NegotiationEffect.Resume(_account, element));
    }

    StanzaError? CheckResume(Element element)
    {
        if (!_policy.StreamManagement) return StanzaError.FeatureNotImplemented;
        // XEP-0198 §3: a stream is managed once a resource is bound; §5: it is resumed before.
        if (element.Name != "resume") return StanzaError.UnexpectedRequest;
        bool isWhole = element.Attribute("previd") is { Length: > 0 } && SmElements.ReadHandled(element) is not null;
        return isWhole ? null : StanzaError.BadRequest;
    }

    void CompleteResumption(NegotiationInput.ResumeAnswered outcome, List<NegotiationEffect> effects)
    {
        if (!outcome.Jid.IsNone) Progress |= StreamProgress.Bound;
        if (_login is not null)
        {
            CompleteInline(outcome, effects);
            return;
        }
        _state = State.Element;
        Send(outcome.Answer, effects);
    }

    // XEP-0388 §feature: only the version that such clients know.
    Element? OfferResumption() =>
        _policy.StreamManagement ? new Element(Namespaces.StreamManagement, "sm") : null;

    /// <summary>Before the client's wish to bind is looked at: a session that goes on has its resource.</summary>
    void ResumeInline(Element resume, List<NegotiationEffect> effects)
    {
        if (CheckResume(resume) is { } refusal)
        {
            _login!.Resumption = SmElements.Failed(resume.Namespace, refusal);
            ContinueInline(effects);
            return;
        }
        _state = State.Resuming;
        effects.Add(new NegotiationEffect.Resume(_account, resume));
    }

    void CompleteInline(NegotiationInput.ResumeAnswered outcome, List<NegotiationEffect> effects)
    {
        var login = _login!;
        login.Resumption = outcome.Answer;
        if (outcome.Jid.IsNone)
        {
            ContinueInline(effects); // the client bound with it, in case
            return;
        }
        login.Jid = outcome.Jid;
        login.IsResumed = true;
        FinishInline(effects);
    }
}
