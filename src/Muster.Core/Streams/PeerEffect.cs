using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <summary>What happens to a stream between servers while it is negotiated, and later: domains come and go on
/// it.</summary>
public abstract record PeerInput
{
    PeerInput() { }

    /// <summary>The connection stands, inside TLS where it begins so: for the side that speaks first.</summary>
    public sealed record Connected : PeerInput;

    /// <summary>The peer sent something.</summary>
    /// <param name="Value">What the reader found.</param>
    /// <param name="StreamId">A fresh, unpredictable id, should this open a stream (RFC 6120 §4.7.3).</param>
    public sealed record Item(XmlItem Value, string StreamId) : PeerInput;

    /// <summary>The connection is inside TLS.</summary>
    public sealed record TlsStarted(PeerCertificate Certificate) : PeerInput;

    /// <summary>This server has stanzas for a pair: ask the peer to take them on this stream.</summary>
    public sealed record Authorize(PeerPair Pair) : PeerInput;

    /// <summary>Ask the peer, which is the authoritative server of the pair's remote domain, about a key.</summary>
    public sealed record Verify(PeerPair Pair, string StreamId, string Key) : PeerInput;

    /// <summary>Answers <see cref="PeerEffect.VerifyKey"/>.</summary>
    public sealed record Verified(PeerPair Pair, KeyOutcome Outcome) : PeerInput;
}

/// <summary>What the negotiation of a stream between servers asks its connection to do, in order.</summary>
public abstract record PeerEffect
{
    PeerEffect() { }

    /// <summary>Write the stream's start.</summary>
    public sealed record Open(StreamHeader Header) : PeerEffect;

    /// <summary>Write an element.</summary>
    public sealed record Send(Element Element) : PeerEffect;

    /// <summary>Write the element, if there is one, then do a TLS handshake: as its server on a stream that was
    /// accepted, else as its client. Nothing is handed in until <see cref="PeerInput.TlsStarted"/>.</summary>
    public sealed record StartTls(Element? Proceed) : PeerEffect;

    /// <summary>The next thing read is the start of a new stream.</summary>
    public sealed record RestartReader : PeerEffect;

    /// <summary>Ask the authoritative server of the pair's remote domain whether it made a key, on another
    /// stream.</summary>
    public sealed record VerifyKey(PeerPair Pair, string StreamId, string Key) : PeerEffect;

    /// <summary>The peer has answered a question about a key (<see cref="PeerInput.Verify"/>).</summary>
    public sealed record KeyVerified(PeerPair Pair, string StreamId, KeyOutcome Outcome) : PeerEffect;

    /// <summary>The peer has proved that it may speak for the remote domain.</summary>
    /// <param name="Pair">The pair.</param>
    /// <param name="Method">How, for logs.</param>
    public sealed record Accepted(PeerPair Pair, string Method) : PeerEffect;

    /// <summary>The peer takes stanzas of the pair on this stream.</summary>
    public sealed record Authorized(PeerPair Pair) : PeerEffect;

    /// <summary>The peer does not take stanzas of the pair.</summary>
    /// <param name="Pair">The pair.</param>
    /// <param name="Error">What the senders of stanzas are told.</param>
    public sealed record Refused(PeerPair Pair, StanzaError Error) : PeerEffect;

    /// <summary>Something that an operator may want to know: a certificate that proves nothing, a forged key.</summary>
    /// <param name="Remote">Whose trouble it is.</param>
    /// <param name="Problem">What it is.</param>
    public sealed record Trouble(Jid Remote, string Problem) : PeerEffect;

    /// <summary>Close the stream, with an error when there is one.</summary>
    public sealed record Close(StreamError? Error) : PeerEffect;
}
