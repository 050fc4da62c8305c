using Muster.Protocol.Addresses;

namespace Muster.Core.Streams;

/// <summary>Whether a stream between servers must be encrypted, and by what its other end must be proved.</summary>
public enum PeerTls
{
    /// <summary>Encrypted where the other side can.</summary>
    Optional,
    /// <summary>Encrypted; a certificate that proves nothing falls back to dialback (XEP-0220).</summary>
    Required,
    /// <summary>Encrypted, with a certificate that a known authority issued for the domain.</summary>
    RequiredTrusted,
}

/// <summary>The rules for streams of other servers.</summary>
public sealed record PeerPolicy
{
    /// <summary>Whether a domain is served here: one of accounts, of rooms, of components.</summary>
    public required Func<Jid, bool> IsLocal { get; init; }

    /// <summary>The domain that speaks where the peer named none that is served (RFC 6120 §4.9.1.3).</summary>
    public required Jid DefaultHost { get; init; }

    /// <summary>Whether another server's domain may talk with this server.</summary>
    public Func<Jid, bool> Allows { get; init; } = static _ => true;

    /// <summary>How streams with a domain must be protected.</summary>
    public Func<Jid, PeerTls> TlsFor { get; init; } = static _ => PeerTls.Required;

    /// <summary>Whether STARTTLS can be offered to those who connect.</summary>
    public bool OffersTls { get; init; } = true;

    /// <summary>Whether streams that carry stanzas both ways are spoken (XEP-0288).</summary>
    public bool Bidi { get; init; } = true;

    /// <summary>Whether streams are managed (XEP-0198).</summary>
    public bool Acks { get; init; } = true;

    /// <summary>Secret of the dialback keys.</summary>
    public ReadOnlyMemory<byte> DialbackSecret { get; init; }

    /// <summary>Language of what this server writes.</summary>
    public string Language { get; init; } = "en";

    /// <summary>Domain pairs that one stream may carry, and as many may be asked for at a time.</summary>
    public int PairsMax { get; init; } = 100;

    /// <summary>Authentications by certificate that may fail on one stream (RFC 6120 §6.4.5: two to five).</summary>
    public int FailuresMax { get; init; } = 3;
}
