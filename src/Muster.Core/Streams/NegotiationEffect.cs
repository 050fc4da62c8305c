using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <summary>What a negotiation asks its connection to do, in order. Plain data: tests compare it, logs print
/// it.</summary>
/// <remarks>StartTls, FindAccount, Bind, Resume, Ask and those about tokens come last in a list, and nothing is read
/// until they are answered with the input that belongs to them.</remarks>
public abstract record NegotiationEffect
{
    NegotiationEffect() { }

    /// <summary>Write the stream's start.</summary>
    public sealed record Open(StreamHeader Header) : NegotiationEffect;

    /// <summary>Write an element.</summary>
    public sealed record Send(Element Element) : NegotiationEffect;

    /// <summary>Write this, then become the server of a TLS handshake. Bytes that the client sent after its request
    /// must not survive (RFC 6120 §5.4.3.3): where there are any, somebody put them there, and the stream is closed
    /// instead.</summary>
    public sealed record StartTls(Element Proceed) : NegotiationEffect;

    /// <summary>Look up an account, and its secret of a hash (null: of any).</summary>
    public sealed record FindAccount(Jid Account, ScramHash? Hash) : NegotiationEffect;

    /// <summary>The client has proved to be this account; for logs and limits.</summary>
    public sealed record Authenticated(Jid Account, string Mechanism) : NegotiationEffect;

    /// <summary>Authentication failed; for logs and limits.</summary>
    /// <param name="Account">As whom it was tried, or <see cref="Jid.None"/> when it did not come so far.</param>
    /// <param name="Reason">Name of the SASL condition.</param>
    public sealed record AuthenticationFailed(Jid Account, string Reason) : NegotiationEffect;

    /// <summary>The next thing read is the start of a new stream (RFC 6120 §4.3.3): begin with a new reader.</summary>
    public sealed record RestartReader : NegotiationEffect;

    /// <summary>The stream goes on, and the next thing read may be as large as a stanza of a client that has logged
    /// in.</summary>
    public sealed record LiftLimits : NegotiationEffect;

    /// <summary>Load the tokens of a client of an account (XEP-0484).</summary>
    /// <param name="Account">The account.</param>
    /// <param name="Client">Stands for the client installation.</param>
    public sealed record FindTokens(Jid Account, string Client) : NegotiationEffect;

    /// <summary>Note that a client has logged in with a token: it stays good, unless that is taken back, and those
    /// before it are good no longer (XEP-0484 §token-rotation).</summary>
    /// <param name="Account">The account.</param>
    /// <param name="Client">Stands for the client installation.</param>
    /// <param name="Token">One of those that were found.</param>
    /// <param name="Count">The client's count, which must be higher than any before; null when it told none.</param>
    /// <param name="Invalidates">True when the client wants to log in with no token any more.</param>
    public sealed record UseToken(Jid Account, string Client, LoginToken Token, long? Count, bool Invalidates)
        : NegotiationEffect;

    /// <summary>Give out a token.</summary>
    /// <param name="Account">The account.</param>
    /// <param name="Client">Stands for the client installation.</param>
    /// <param name="Mechanism">What it shall be good for.</param>
    public sealed record IssueToken(Jid Account, string Client, string Mechanism) : NegotiationEffect;

    /// <summary>Bind a resource; null asks the server to choose.</summary>
    public sealed record Bind(Jid Account, string? Resource) : NegotiationEffect
    {
        /// <summary>Stands for the client installation: its sessions of before end (XEP-0386 §bind-request). Null when
        /// it is not known.</summary>
        public string? Client { get; init; }

        /// <summary>What to turn on in the new session (XEP-0386 §bind-request); null with the classic request, for
        /// which nothing of XEP-0386 holds.</summary>
        public IReadOnlyList<Element>? Requests { get; init; }
    }

    /// <summary>Give the client its earlier session back (XEP-0198 §5).</summary>
    /// <param name="Account">Whose.</param>
    /// <param name="Request">The <c>resume</c>, which names a session and a count.</param>
    public sealed record Resume(Jid Account, Element Request) : NegotiationEffect;

    /// <summary>Answer a request that is open to clients that have not logged in (XEP-0077).</summary>
    public sealed record Ask(Iq Request) : NegotiationEffect;

    /// <summary>Close the stream, with an error when there is one.</summary>
    public sealed record Close(StreamError? Error) : NegotiationEffect;
}
