using System.Formats.Asn1;
using System.Security.Cryptography;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Sasl;

/// <summary>Channel binding: ties a login to the TLS connection, so that nobody in the middle can pass it on (RFC
/// 5056).</summary>
public static class ChannelBinding
{
    /// <summary>The type that is advertised (RFC 5929 §4), which XEP-0440 §3 requires of servers.</summary>
    public const string Type = "tls-server-end-point";

    /// <summary>A type that is understood but not advertised (RFC 5929 §3).</summary>
    /// <remarks>COMPAT slixmpp up to 1.8: it knows no other type and uses it with TLS 1.3 too, where RFC 9266 has taken
    /// it back in favour of tls-exporter. Refused, it says that it cannot bind ('y'), which looks like an attack, and
    /// sends the password instead. The data are those of a full handshake, so the binding holds.</remarks>
    public const string UniqueType = "tls-unique";

    const string AdvertisementNamespace = "urn:xmpp:sasl-cb:0";

    /// <summary>The stream feature that names the types (XEP-0440 §2), to stand beside mechanisms that bind.</summary>
    public static Element Advertisement() => new(AdvertisementNamespace, "sasl-channel-binding",
        new Element(AdvertisementNamespace, "channel-binding").With("type", Type));

    /// <summary>The data of tls-server-end-point: a hash of the certificate that the server showed (RFC 5929
    /// §4.1).</summary>
    /// <param name="certificateDer">The server's certificate in DER.</param>
    /// <returns>Null when the type is undefined for the certificate: its signature uses no single known hash (Ed25519,
    /// for
    /// example). Then mechanisms with channel binding are not offered.</returns>
    public static byte[]? TlsServerEndPoint(byte[] certificateDer)
    {
        try
        {
            var certificate = new AsnReader(certificateDer, AsnEncodingRules.DER).ReadSequence();
            certificate.ReadEncodedValue(); // tbsCertificate
            var hash = HashOfSignature(certificate.ReadSequence());
            return hash is { } known ? CryptographicOperations.HashData(known, certificateDer) : null;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    /// <summary>The hash function to use for a signatureAlgorithm (RFC 5280 §4.1.1.2), or null.</summary>
    static HashAlgorithmName? HashOfSignature(AsnReader algorithm) => algorithm.ReadObjectIdentifier() switch
    {
        // RFC 5929 §4.1: MD5 and SHA-1 are replaced by SHA-256; other hashes stay.
        "1.2.840.113549.1.1.4" => HashAlgorithmName.SHA256,  // RSA with MD5
        "1.2.840.113549.1.1.5" => HashAlgorithmName.SHA256,  // RSA with SHA-1
        "1.2.840.10045.4.1" => HashAlgorithmName.SHA256,     // ECDSA with SHA-1
        "1.2.840.10040.4.3" => HashAlgorithmName.SHA256,     // DSA with SHA-1
        "1.2.840.113549.1.1.11" => HashAlgorithmName.SHA256, // RSA
        "1.2.840.113549.1.1.12" => HashAlgorithmName.SHA384,
        "1.2.840.113549.1.1.13" => HashAlgorithmName.SHA512,
        "1.2.840.10045.4.3.2" => HashAlgorithmName.SHA256,   // ECDSA
        "1.2.840.10045.4.3.3" => HashAlgorithmName.SHA384,
        "1.2.840.10045.4.3.4" => HashAlgorithmName.SHA512,
        "1.2.840.113549.1.1.10" => HashOfPss(algorithm),
        _ => null,
    };

    /// <summary>RSASSA-PSS names its hash in the parameters (RFC 4055 §3.1): [0] hashAlgorithm, SHA-1 when
    /// absent.</summary>
    static HashAlgorithmName? HashOfPss(AsnReader algorithm)
    {
        var hashTag = new Asn1Tag(TagClass.ContextSpecific, 0);
        if (!algorithm.HasData) return HashAlgorithmName.SHA256;
        var parameters = algorithm.ReadSequence();
        if (!parameters.HasData || !parameters.PeekTag().HasSameClassAndValue(hashTag)) return HashAlgorithmName.SHA256;
        return parameters.ReadSequence(hashTag).ReadSequence().ReadObjectIdentifier() switch
        {
            "1.3.14.3.2.26" or "1.2.840.113549.2.5" => HashAlgorithmName.SHA256, // SHA-1, MD5
            "2.16.840.1.101.3.4.2.1" => HashAlgorithmName.SHA256,
            "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
            "2.16.840.1.101.3.4.2.3" => HashAlgorithmName.SHA512,
            _ => null,
        };
    }
}
