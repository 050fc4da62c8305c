using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Muster.Testing;

/// <summary>A certificate authority of the test's own, that issues good certificates and bad ones.</summary>
public sealed class TestAuthority : IDisposable
{
    static readonly DateTimeOffset From = new(2025, 6, 1, 0, 0, 0, TimeSpan.Zero), Until = From.AddYears(20);

    const string ServerPurpose = "1.3.6.1.5.5.7.3.1", ClientPurpose = "1.3.6.1.5.5.7.3.2";

    readonly X509Certificate2 _root;
    int _serial;

    /// <summary>Makes one; its own certificate goes into the folder.</summary>
    public TestAuthority(string folder, string name = "Test Authority")
    {
        Folder = folder;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        _root = request.CreateSelfSigned(From, Until);
        RootFile = Path.Combine(folder, $"{name.Replace(' ', '-')}.pem");
        File.WriteAllText(RootFile, _root.ExportCertificatePem());
    }

    /// <summary>Whether its certificates say that they are good for clients of TLS, too. More and more authorities
    /// issue them for servers alone.</summary>
    public bool IsForClients { get; init; }

    /// <summary>Where the certificates go.</summary>
    public string Folder { get; }

    /// <summary>PEM file of its own certificate.</summary>
    public string RootFile { get; }

    /// <summary>Issues a certificate.</summary>
    /// <param name="domains">Names of it, of the type dNSName.</param>
    /// <param name="until">When it expires; null for late.</param>
    /// <returns>PEM files of the certificate and its key.</returns>
    public (string Cert, string Key) Issue(string[] domains, DateTimeOffset? until = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Issue(key, Names(domains), until);
        string file = Path.Combine(Folder, $"cert-{_serial}.pem"), keyFile = Path.ChangeExtension(file, ".key");
        File.WriteAllText(file, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        return (file, keyFile);
    }

    /// <summary>TOML for a listener that shows such a certificate.</summary>
    public string IssueAsToml(string[] domains, DateTimeOffset? until = null)
    {
        var (cert, key) = Issue(domains, until);
        return $"tls.certfile = '{cert}'\n  tls.keyfile = '{key}'";
    }

    /// <summary>Value of subjectAltName with names of the type dNSName.</summary>
    public static byte[] Names(params string[] domains)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (string domain in domains) names.AddDnsName(domain);
        return names.Build().RawData;
    }

    /// <summary>Value of subjectAltName with one name of another type (RFC 6120 §13.7.1.2.1).</summary>
    /// <param name="kind">Its object identifier.</param>
    /// <param name="type">UTF8String for id-on-xmppAddr, IA5String for id-on-dnsSRV.</param>
    /// <param name="value">The name.</param>
    public static byte[] OtherName(string kind, UniversalTagNumber type, string value)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        {
            writer.WriteObjectIdentifier(kind);
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                writer.WriteCharacterString(type, value);
        }
        return writer.Encode();
    }

    X509Certificate2 Issue(ECDsa key, byte[] names, DateTimeOffset? until)
    {
        var request = new CertificateRequest("CN=whoever", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension("2.5.29.17", names, critical: false));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        var purposes = new OidCollection { new Oid(ServerPurpose) };
        if (IsForClients) purposes.Add(new Oid(ClientPurpose));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(purposes, critical: false));
        byte[] serial = [1, 0, 0, (byte)(++_serial >> 8), (byte)_serial];
        return request.Create(_root, From, until ?? Until.AddDays(-1), serial);
    }

    public void Dispose() => _root.Dispose();
}
