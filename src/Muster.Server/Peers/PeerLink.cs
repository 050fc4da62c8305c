using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Server.Peers;

/// <summary>What became of a stanza given to a stream.</summary>
enum PeerSend
{
    /// <summary>It stands in the outbound buffer.</summary>
    Sent,
    /// <summary>The stream is over, or takes no stanzas of that pair.</summary>
    Gone,
    /// <summary>The peer does not read what it was sent before: the stream has been closed.</summary>
    Overflow,
}

/// <summary>A stream between this server and another, as those see it who have stanzas for it. The connection is
/// behind it; it calls back by <see cref="IPeerHost"/>.</summary>
/// <remarks>All methods may be called by any thread, under any lock but the connection's own, and none waits or calls
/// back at once.</remarks>
abstract class PeerLink
{
    /// <summary>Name of the connection in logs.</summary>
    public abstract string Id { get; }

    /// <summary>Whether this server opened it.</summary>
    public abstract bool IsOutgoing { get; }

    /// <summary>The pair that this server opened it for; null on one that the peer opened.</summary>
    public abstract PeerPair? Opened { get; }

    /// <summary>The pairs of which the peer may send.</summary>
    public abstract IReadOnlyCollection<PeerPair> AcceptedPairs { get; }

    /// <summary>Whether pairs beside the first may be asked for on it: the peer knew this server by dialback, and will
    /// know its other domains so.</summary>
    public abstract bool TakesMorePairs { get; }

    /// <summary>Whether the stream is neither over nor about to be.</summary>
    public abstract bool IsOpen { get; }

    /// <summary>Whether it is to go on with a stream that broke.</summary>
    public abstract bool IsResuming { get; }

    /// <summary>Begins to live.</summary>
    public abstract void Start();

    /// <summary>Sends a stanza, its addresses as they are.</summary>
    /// <param name="stanza">The stanza.</param>
    /// <param name="isAgain">Whether it was sent before, on a stream that died.</param>
    public abstract PeerSend Send(SharedStanza stanza, bool isAgain);

    /// <summary>Asks the peer to take stanzas of a pair. <see cref="IPeerHost.Authorized"/> or
    /// <see cref="IPeerHost.Refused"/> follows, or the end of the stream.</summary>
    public abstract void Authorize(PeerPair pair);

    /// <summary>Asks the peer about a key. <see cref="IPeerHost.KeyVerified"/> follows, or the end of the
    /// stream.</summary>
    public abstract void Verify(PeerPair pair, string streamId, string key);

    /// <summary>Answers what the connection asked by <see cref="IPeerHost.VerifyKey"/>.</summary>
    public abstract void Answer(PeerPair pair, KeyOutcome outcome);

    /// <summary>Sends a space, so that whoever sits between the servers sees life (RFC 6120 §4.6.1).</summary>
    public abstract void KeepAlive();

    /// <summary>Gives up what it knows of acknowledgements, for the stream that resumes it, and closes.</summary>
    public abstract PeerAcks? Surrender();

    /// <summary>Closes the stream, with an error when there is one to tell.</summary>
    public abstract void Close(StreamError? error);
}

/// <summary>How a stream ended.</summary>
/// <param name="Reason">Why, for people.</param>
/// <param name="Accepted">The pairs of which the peer could send.</param>
/// <param name="Authorized">The pairs of which stanzas could be sent to the peer.</param>
sealed record PeerEnd(string Reason, IReadOnlyCollection<PeerPair> Accepted, IReadOnlyCollection<PeerPair> Authorized)
{
    /// <summary>The pair that this server opened the stream for; null on one that the peer opened.</summary>
    public PeerPair? Opened { get; init; }

    /// <summary>What the peer has not acknowledged, and how to resume; null without stream management.</summary>
    public PeerAcks? Acks { get; init; }

    /// <summary>Stanzas given to it that never left this process, on a stream without stream management.</summary>
    public IReadOnlyList<Stanza> Unsent { get; init; } = [];

    /// <summary>Whether it may be resumed: the connection broke, nobody closed the stream.</summary>
    public bool IsResumable { get; init; }

    /// <summary>Condition of the stream error by which the peer ended it, or null.</summary>
    public string? PeerError { get; init; }

    /// <summary>Whether this server closed it, as nobody needed it: whoever came just then tries again.</summary>
    public bool WasUnused { get; init; }

    /// <summary>Whether the peer refused this server's certificate, so that another attempt had better do
    /// without.</summary>
    public bool HasFailedExternal { get; init; }
}

/// <summary>What the connections of other servers need of this one. It keeps Net from knowing who routes.</summary>
/// <remarks>Called without a lock of the connection's being held.</remarks>
interface IPeerHost
{
    /// <summary>Takes a stanza of a peer, whose <c>from</c> has been proved and whose <c>to</c> is served here.
    /// Completes when responsibility is taken.</summary>
    ValueTask Receive(PeerLink link, Stanza stanza);

    /// <summary>A peer has proved a domain. False when it has too many streams.</summary>
    bool Accepted(PeerLink link, PeerPair pair, string method);

    /// <summary>Stanzas of the pair may be sent on the link.</summary>
    void Authorized(PeerLink link, PeerPair pair);

    /// <summary>Stanzas of the pair may not be sent on the link.</summary>
    void Refused(PeerLink link, PeerPair pair, StanzaError error);

    /// <summary>Asks the authoritative server of the pair's remote domain about a key that came on the link; the link
    /// gets the answer.</summary>
    void VerifyKey(PeerLink link, PeerPair pair, string streamId, string key);

    /// <summary>The peer has answered a question about a key.</summary>
    void KeyVerified(PeerLink link, PeerPair pair, string streamId, KeyOutcome outcome);

    /// <summary>Something that an operator may want to know, once.</summary>
    void Trouble(Jid remote, string problem);

    /// <summary>A token by which the peer may resume the stream of the link; null when there are too many.</summary>
    string? TokenFor(PeerLink link, PeerPair pair);

    /// <summary>What is known of the stream that a token stands for, when it was of the same pair; it is the new link's
    /// from now on.</summary>
    PeerAcks? Resume(PeerLink link, PeerPair pair, string token);

    /// <summary>The stream that was to be resumed is not known to the peer any more: its stanzas are to be answered
    /// for.</summary>
    void NotResumed(PeerPair pair, PeerAcks acks);

    /// <summary>The connection is gone.</summary>
    void Ended(PeerLink link, PeerEnd end);
}

/// <summary>A server cannot be connected to.</summary>
/// <param name="message">Why, for people.</param>
/// <param name="isUnknown">Whether there is no such server, rather than one that does not answer.</param>
sealed class PeerUnreachableException(string message, bool isUnknown) : Exception(message)
{
    /// <summary>Whether there is no such server (RFC 6120 §10.4.3: remote-server-not-found).</summary>
    public bool IsUnknown => isUnknown;
}

/// <summary>Connects to the server of a pair's remote domain.</summary>
/// <param name="pair">The pair.</param>
/// <param name="triesExternal">Whether to show this server's certificate as proof.</param>
/// <param name="resumes">What is known of the stream to resume, or null.</param>
/// <returns>The stream, which is to be started.</returns>
/// <exception cref="PeerUnreachableException">There is no connection to be had.</exception>
delegate Task<PeerLink> PeerDial(PeerPair pair, bool triesExternal, PeerAcks? resumes);
