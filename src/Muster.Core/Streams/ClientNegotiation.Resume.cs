using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <content>Resumption of an earlier session in place of binding (XEP-0198 §5).</content>
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
        _state = State.Element;
        Send(outcome.Answer, effects);
    }
}
