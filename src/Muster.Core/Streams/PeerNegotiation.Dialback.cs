using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <content>Server dialback in all four roles (XEP-0220): what was not asked for is never believed (§4.1).</content>
public abstract partial class PeerNegotiation
{
    readonly HashSet<PeerPair> _asked = [];                         // step 1 sent, step 4 awaited
    readonly HashSet<PeerPair> _checking = [];                      // step 1 received, the key is being verified
    readonly HashSet<(PeerPair Pair, string StreamId)> _questions = []; // step 2 sent, step 3 awaited
    List<PeerInput>? _waiting = [];                                 // until dialback is possible; then null

    /// <summary>Whether the peer may ask to be heard, and about keys: it opened the stream, or both sides send on it
    /// (XEP-0288 §2.2).</summary>
    private protected abstract bool TakesRequests { get; }

    /// <summary>True while nothing is carried, asked or answered, nor waits to be.</summary>
    public bool IsUnused => _waiting is null && !AwaitsAuthentication
        && _authorized.Count + _accepted.Count + _asked.Count + _questions.Count + _checking.Count == 0;

    /// <summary>Whether a proof of this server's domain is under way that is not dialback.</summary>
    private protected virtual bool AwaitsAuthentication => false;

    /// <summary>From now on elements of dialback may be sent.</summary>
    private protected void BecomeReady(List<PeerEffect> effects)
    {
        if (_waiting is not { } waiting) return;
        _waiting = null;
        foreach (var input in waiting) Handle(input, effects);
    }

    /// <summary>Asks the peer to take stanzas of a pair: step 1.</summary>
    private protected virtual void Ask(PeerPair pair, List<PeerEffect> effects)
    {
        if (_authorized.Contains(pair) || _asked.Contains(pair)) return;
        if (_waiting is not null)
        {
            if (_waiting.Count < Policy.PairsMax) _waiting.Add(new PeerInput.Authorize(pair));
            else RefuseAsking(pair, effects);
            return;
        }
        if (_asked.Count >= Policy.PairsMax)
        {
            RefuseAsking(pair, effects);
            return;
        }
        _asked.Add(pair);
        Send(Dialback.Result(pair,
            Dialback.Key(Policy.DialbackSecret.Span, pair.Remote, pair.Local, StreamId)), effects);
    }

    static void RefuseAsking(PeerPair pair, List<PeerEffect> effects) =>
        effects.Add(new PeerEffect.Refused(pair, StanzaError.ResourceConstraint));

    /// <summary>Asks the peer about a key: step 2.</summary>
    void Question(PeerInput.Verify verify, List<PeerEffect> effects)
    {
        if (_waiting is not null && _waiting.Count < Policy.PairsMax)
        {
            _waiting.Add(verify);
            return;
        }
        if (_waiting is not null || _questions.Count >= Policy.PairsMax)
        {
            effects.Add(new PeerEffect.KeyVerified(verify.Pair, verify.StreamId, KeyOutcome.Timeout));
            return;
        }
        if (_questions.Add((verify.Pair, verify.StreamId)))
            Send(Dialback.Verify(verify.Pair, verify.StreamId, verify.Key), effects);
    }

    private protected void ReceiveDialback(Element element, List<PeerEffect> effects)
    {
        if (!Dialback.TryAddresses(element, out var from, out var to))
        {
            // RFC 6120 §4.9.3.7.
            Close(StreamError.ImproperAddressing.WithText("dialback is between two domains"), effects);
            return;
        }
        var pair = new PeerPair(to, from);
        string? type = element.Attribute("type");
        switch (element.Name)
        {
            case "result" when type is not null: ReceiveRequestAnswer(pair, type, element, effects); break;
            case "verify" when type is not null: ReceiveQuestionAnswer(pair, type, element, effects); break;
            case "result" when TakesRequests: ReceiveRequest(pair, element, effects); break;
            case "verify" when TakesRequests: ReceiveQuestion(pair, element, effects); break;
            default:
                Close(StreamError.PolicyViolation.WithText("no dialback in this direction"), effects);
                break;
        }
    }

    /// <summary>The peer asks to be heard as a domain: step 1.</summary>
    void ReceiveRequest(PeerPair pair, Element request, List<PeerEffect> effects)
    {
        if (RefusalOf(pair) is { } refusal)
        {
            effects.Add(new PeerEffect.Trouble(pair.Remote, $"dialback refused: {refusal.Text}"));
            Send(Dialback.Refuse(request, refusal), effects);
        }
        else if (_accepted.Contains(pair))
        {
            Send(Dialback.ResultAnswer(pair, isValid: true), effects);
        }
        else if (Certificate.Proves(pair.Remote))
        {
            // XEP-0220 §1.2: how the key is checked is ours to choose, and the certificate has proved more already.
            Hear(pair, "certificate", effects);
        }
        else if (_checking.Add(pair))
        {
            effects.Add(new PeerEffect.VerifyKey(pair, StreamId, request.Text.Trim()));
        }
    }

    StanzaError? RefusalOf(PeerPair pair)
    {
        if (!Policy.IsLocal(pair.Local)) return StanzaError.ItemNotFound.WithText($"{pair.Local} is not served here");
        if (Policy.IsLocal(pair.Remote))
            return StanzaError.NotAcceptable.WithText($"{pair.Remote} is served here and nowhere else");
        if (!Policy.Allows(pair.Remote)) return StanzaError.Forbidden.WithText("this domain is not welcome here");
        var tls = Policy.TlsFor(pair.Remote);
        if (tls != PeerTls.Optional && (Progress & StreamProgress.Secure) == 0)
            return StanzaError.PolicyViolation.WithText("TLS comes first");
        if (tls == PeerTls.RequiredTrusted && Certificate.ProblemFor(pair.Remote) is { } problem)
            return StanzaError.NotAuthorized.WithText($"a trusted certificate is required: {problem}");
        return HasRoomFor(pair) ? null : StanzaError.ResourceConstraint.WithText("too many domains on one stream");
    }

    /// <summary>What the authoritative server said of the peer's key: step 4 follows.</summary>
    void AnswerRequest(PeerPair pair, KeyOutcome outcome, List<PeerEffect> effects)
    {
        if (!_checking.Remove(pair)) return;
        var request = Dialback.Result(new PeerPair(pair.Remote, pair.Local), "");
        switch (outcome)
        {
            case KeyOutcome.Valid:
                Hear(pair, "dialback", effects);
                break;
            case KeyOutcome.Invalid:
                effects.Add(new PeerEffect.Trouble(pair.Remote,
                    "somebody claims to be it with a key that it does not know"));
                // XEP-0220 §2.2.1: after "invalid" the stream must end, and with it the domains that were proved.
                if (_accepted.Count > 0)
                {
                    Send(Dialback.Refuse(request, StanzaError.Forbidden), effects);
                    break;
                }
                Send(Dialback.ResultAnswer(pair, isValid: false), effects);
                Close(null, effects);
                break;
            default:
                // XEP-0220 §2.5.
                var error = outcome == KeyOutcome.NotFound
                    ? StanzaError.RemoteServerNotFound
                    : StanzaError.RemoteServerTimeout;
                Send(Dialback.Refuse(request, error), effects);
                break;
        }
    }

    void Hear(PeerPair pair, string method, List<PeerEffect> effects)
    {
        Accept(pair, method, effects);
        Send(Dialback.ResultAnswer(pair, isValid: true), effects);
        // XEP-0288 §2.2: the inverse of a pair that was asked for.
        if (IsBidi) Allow(pair, effects);
    }

    /// <summary>The peer took or refused a pair: step 4.</summary>
    void ReceiveRequestAnswer(PeerPair pair, string type, Element answer, List<PeerEffect> effects)
    {
        if (!_asked.Remove(pair)) return;
        if (type == "valid")
        {
            Allow(pair, effects);
            if (IsBidi) Accept(pair, "dialback of ours", effects);
            return;
        }
        // XEP-0220 §2.1.1: what the senders of the stanzas are told.
        string condition = answer.Child(Namespaces.Client, "error") is { } error
            ? StanzaError.Read(error).Condition
            : "no reason given";
        effects.Add(new PeerEffect.Refused(pair, type == "invalid"
            ? StanzaError.InternalServerError.WithText($"{pair.Remote} does not believe that this is {pair.Local}")
            : StanzaError.RemoteServerTimeout.WithText($"{pair.Remote} refused dialback: {condition}")));
    }

    /// <summary>The peer asks whether a key was made here: step 2.</summary>
    void ReceiveQuestion(PeerPair pair, Element question, List<PeerEffect> effects)
    {
        string? streamId = question.Attribute("id");
        if (!Policy.IsLocal(pair.Local) || streamId is null)
        {
            var error = streamId is null ? StanzaError.BadRequest : StanzaError.ItemNotFound;
            Send(Dialback.Refuse(question, error), effects);
            return;
        }
        bool isOurs = Dialback.IsKey(
            question.Text, Policy.DialbackSecret.Span, pair.Remote, pair.Local, streamId);
        if (!isOurs)
        {
            effects.Add(new PeerEffect.Trouble(pair.Remote,
                $"it was given a key in the name of {pair.Local} that was not made here"));
        }
        Send(Dialback.VerifyAnswer(question, isOurs), effects);
    }

    /// <summary>The peer answers a question about a key: step 3.</summary>
    void ReceiveQuestionAnswer(PeerPair pair, string type, Element answer, List<PeerEffect> effects)
    {
        string streamId = answer.Attribute("id") ?? "";
        if (!_questions.Remove((pair, streamId))) return;
        var outcome = type switch
        {
            "valid" => KeyOutcome.Valid,
            "invalid" => KeyOutcome.Invalid,
            _ => KeyOutcome.NotFound,
        };
        effects.Add(new PeerEffect.KeyVerified(pair, streamId, outcome));
    }
}
