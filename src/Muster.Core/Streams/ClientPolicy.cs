using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <summary>Where TLS stands in a client's stream.</summary>
public enum TlsPolicy
{
    /// <summary>STARTTLS comes before all else (RFC 6120 §5.3.1).</summary>
    Required,
    /// <summary>STARTTLS is offered; without it no password is taken in the clear.</summary>
    Optional,
    /// <summary>STARTTLS is not offered: the connection begins inside TLS (XEP-0368), or there is none at
    /// all.</summary>
    NotOffered,
}

/// <summary>The rules of one listener for the streams of clients. Shared by all its connections.</summary>
public sealed record ClientPolicy
{
    /// <summary>The domains that clients may log in to.</summary>
    public required IReadOnlySet<Jid> Hosts { get; init; }

    /// <summary>The domain that speaks where the client named none that is known (RFC 6120 §4.9.1.3).</summary>
    public required Jid DefaultHost { get; init; }

    /// <summary>Language of what the server writes, told in the stream's start (RFC 6120 §4.7.4).</summary>
    public string Language { get; init; } = "en";

    /// <summary>Where TLS stands.</summary>
    public TlsPolicy Tls { get; init; } = TlsPolicy.Required;

    /// <summary>True on a listener that takes passwords without TLS.</summary>
    public bool PlaintextAllowed { get; init; }

    /// <summary>The mechanisms to offer, in order, where the connection can do them.</summary>
    public IReadOnlyList<SaslMechanism> Mechanisms { get; init; } = SaslMechanism.All;

    /// <summary>Random bytes that this server made once: see <see cref="ScramSecret.Fake"/>.</summary>
    public ReadOnlyMemory<byte> Pepper { get; init; }

    /// <summary>PBKDF2 iterations of new secrets.</summary>
    public int Iterations { get; init; } = ScramSecret.IterationsDefault;

    /// <summary>Passwords that PLAIN has proved before; null: none is remembered.</summary>
    public ProvedPasswords? Proved { get; init; }

    /// <summary>Authentication attempts that may fail on one connection (RFC 6120 §6.4.5: two to five).</summary>
    public int FailuresMax { get; init; } = 5;

    /// <summary>Whether streams can be managed (XEP-0198).</summary>
    public bool StreamManagement { get; init; } = true;

    /// <summary>Whether tokens are given out and taken (XEP-0484).</summary>
    public bool OffersTokens { get; init; }

    /// <summary>Age from which a token that was used is replaced by another (XEP-0484 §token-rotation).</summary>
    public TimeSpan TokenRotation { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Namespaces of what a client can turn on in the request with which it binds (XEP-0386
    /// §support).</summary>
    public IReadOnlyList<string> InlineFeatures { get; init; } = [];

    /// <summary>What features of the server advertise at a point of the stream, beside the rows of the table.</summary>
    public Func<StreamProgress, Jid, IEnumerable<Element>> ServerFeatures { get; init; } = static (_, _) => [];

    /// <summary>Namespaces of the requests that a client may make before it has logged in (XEP-0077).</summary>
    public IReadOnlySet<string> EarlyRequests { get; init; } = new HashSet<string>();
}
