using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <summary>
/// A stream between this server and another as a state machine: what was read goes in, what is to be done comes out.
/// The two roles are <see cref="InboundNegotiation"/> and <see cref="OutboundNegotiation"/>; this is what they share:
/// which domains may speak to which on the stream, and dialback (XEP-0220), by which more of them come in all its life.
/// </summary>
public abstract partial class PeerNegotiation
{
    /// <summary>Namespace of the wish for a stream that carries stanzas both ways (XEP-0288 §2.2).</summary>
    public const string BidiNamespace = "urn:xmpp:bidi";

    /// <summary>Namespace of its stream feature.</summary>
    public const string BidiFeatureNamespace = "urn:xmpp:features:bidi";

    /// <summary>Namespace of stream management (XEP-0198).</summary>
    public const string AcksNamespace = "urn:xmpp:sm:3";

    readonly HashSet<PeerPair> _accepted = [];
    readonly HashSet<PeerPair> _authorized = [];

    private protected PeerNegotiation(PeerPolicy policy) => Policy = policy;

    /// <summary>The rules.</summary>
    public PeerPolicy Policy { get; }

    /// <summary>What has been reached. Authenticated means that stanzas flow in one direction at least.</summary>
    public StreamProgress Progress { get; private protected set; }

    /// <summary>The id that the receiving side gave the stream; "" before.</summary>
    public string StreamId { get; private protected set; } = "";

    /// <summary>What the peer's certificate proves.</summary>
    public PeerCertificate Certificate { get; private protected set; } = PeerCertificate.None;

    /// <summary>Whether stanzas flow both ways (XEP-0288).</summary>
    public bool IsBidi { get; private protected set; }

    /// <summary>Whether the peer may be asked for acknowledgements (XEP-0198).</summary>
    public bool OffersAcks { get; private protected set; }

    /// <summary>Whether more pairs may be asked for (XEP-0220 §2.6): the peer knew this server by dialback, and will
    /// know its other domains so. One that trusts a certificate may trust nothing else.</summary>
    public abstract bool TakesMorePairs { get; }

    /// <summary>True once the stream is over.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>The other server's domain that the stream was opened by or to; for logs.</summary>
    public abstract Jid Remote { get; }

    /// <summary>The pairs of which the peer may send stanzas.</summary>
    public IReadOnlyCollection<PeerPair> Accepted => _accepted;

    /// <summary>The pairs of which the peer takes stanzas.</summary>
    public IReadOnlyCollection<PeerPair> Authorized => _authorized;

    /// <summary>The only door: takes an input, adds what is to be done.</summary>
    public void Handle(PeerInput input, List<PeerEffect> effects)
    {
        if (IsClosed) return;
        switch (input)
        {
            case PeerInput.Item item: ReceiveItem(item, effects); break;
            case PeerInput.Connected: Begin(effects); break;
            case PeerInput.TlsStarted tls: EnterTls(tls.Certificate, effects); break;
            case PeerInput.Authorize { Pair: var pair }: Ask(pair, effects); break;
            case PeerInput.Verify verify: Question(verify, effects); break;
            case PeerInput.Verified verified: AnswerRequest(verified.Pair, verified.Outcome, effects); break;
            default: throw new InvalidOperationException($"no such input: {input}");
        }
    }

    /// <summary>Whether an element is for the negotiation, at whatever time it comes, and no stanza or
    /// acknowledgement.</summary>
    public static bool Claims(Element element) => element.Namespace is not (Namespaces.Client or AcksNamespace);

    /// <summary>Whether the peer may send a stanza with these addresses on this stream; else the error that ends
    /// it.</summary>
    public StreamError? CheckSender(Jid from, Jid to)
    {
        // RFC 6120 §4.9.3.12: nothing is processed before the peer has proved who it is.
        if (_accepted.Count == 0) return StreamError.NotAuthorized.WithText("prove your domain first");
        // RFC 6120 §4.9.3.9. Of the pair the remote domain alone is checked: it is the one that was proved, and what
        // this server serves it takes from everybody whom it knows.
        var remote = from.DomainJid;
        if (!_accepted.Any(pair => pair.Remote == remote))
            return StreamError.InvalidFrom.WithText($"{remote} has not been proved on this stream");
        // RFC 6120 §4.9.3.6.
        return Policy.IsLocal(to.DomainJid)
            ? null
            : StreamError.HostUnknown.WithText($"{to.DomainJid} is not served here");
    }

    private protected abstract void Begin(List<PeerEffect> effects);
    private protected abstract void EnterTls(PeerCertificate certificate, List<PeerEffect> effects);
    private protected abstract void ReceiveHeader(Element header, PeerInput.Item item, List<PeerEffect> effects);
    private protected abstract void ReceiveElement(Element element, PeerInput.Item item, List<PeerEffect> effects);

    void ReceiveItem(PeerInput.Item item, List<PeerEffect> effects)
    {
        switch (item.Value.Kind)
        {
            case XmlItemKind.StreamOpen: ReceiveHeader(item.Value.Element!, item, effects); break;
            case XmlItemKind.Element when item.Value.Element!.Is(Namespaces.Streams, "error"):
                Close(null, effects); // RFC 6120 §4.9.1.1: the one who gets an error ends the stream too
                break;
            case XmlItemKind.Element: ReceiveElement(item.Value.Element!, item, effects); break;
            case XmlItemKind.StreamClose: Close(null, effects); break;
            case XmlItemKind.Error: Close(item.Value.Error, effects); break;
            default: break;
        }
    }

    /// <summary>What is wrong with a stream's start, whoever sends it; null when nothing is.</summary>
    private protected static StreamError? CheckHeader(Element header, string? contentNamespace)
    {
        // RFC 6120 §4.9.3.10.
        if (!header.Is(Namespaces.Streams, "stream"))
            return StreamError.InvalidNamespace.WithText("a stream begins with <stream:stream/>");
        if (contentNamespace != Namespaces.Server)
            return StreamError.InvalidNamespace.WithText("the content namespace of servers is jabber:server");
        return StreamVersion.IsOneOrMore(header.Attribute("version"))
            ? null
            : StreamError.UnsupportedVersion.WithText("version 1.0 is spoken here");
    }

    /// <summary>The peer has proved that it speaks for the remote domain.</summary>
    private protected void Accept(PeerPair pair, string method, List<PeerEffect> effects)
    {
        if (!_accepted.Add(pair)) return;
        Progress |= StreamProgress.Authenticated;
        effects.Add(new PeerEffect.Accepted(pair, method));
    }

    /// <summary>The peer takes stanzas of the pair.</summary>
    private protected void Allow(PeerPair pair, List<PeerEffect> effects)
    {
        if (!_authorized.Add(pair)) return;
        Progress |= StreamProgress.Authenticated;
        effects.Add(new PeerEffect.Authorized(pair));
    }

    private protected bool HasRoomFor(PeerPair pair) =>
        _accepted.Contains(pair) || _accepted.Count + _checking.Count < Policy.PairsMax;

    private protected static void Send(Element element, List<PeerEffect> effects) =>
        effects.Add(new PeerEffect.Send(element));

    private protected void Close(StreamError? error, List<PeerEffect> effects)
    {
        IsClosed = true;
        effects.Add(new PeerEffect.Close(error));
    }
}
