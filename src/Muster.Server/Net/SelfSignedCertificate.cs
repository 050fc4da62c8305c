using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Muster.Protocol.Addresses;

namespace Muster.Server.Net;

/// <summary>The certificate of a server whose operator has none yet: made at the first start and kept.</summary>
static class SelfSignedCertificate
{
    /// <summary>The files in a data folder; made when they are not there.</summary>
    /// <param name="folder">The data folder.</param>
    /// <param name="hosts">The domains to name.</param>
    /// <param name="now">The time.</param>
    public static (string CertFile, string KeyFile) Ensure(string folder, IEnumerable<string> hosts, DateTimeOffset now)
    {
        string certFile = Path.Combine(folder, "self-signed.pem"), keyFile = Path.Combine(folder, "self-signed.key");
        if (!File.Exists(certFile) || !File.Exists(keyFile)) Write(certFile, keyFile, hosts, now);
        return (certFile, keyFile);
    }

    /// <summary>Makes a certificate for domains, and for this machine as the world does not see it.</summary>
    public static X509Certificate2 Create(IEnumerable<string> hosts, DateTimeOffset now)
    {
        string[] names = [.. hosts.Append("localhost").Select(Ascii).Distinct(StringComparer.OrdinalIgnoreCase)];
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // RFC 6125 §6.4.4: the subject's name is for people; software reads the alternative names.
        var request = new CertificateRequest($"CN={names[0]}", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (string name in names) alternatives.AddDnsName(name);
        alternatives.AddIpAddress(IPAddress.Loopback);
        alternatives.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(
            [new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        return request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10));
    }

    static void Write(string certFile, string keyFile, IEnumerable<string> hosts, DateTimeOffset now)
    {
        using var certificate = Create(hosts, now);
        using var key = certificate.GetECDsaPrivateKey()!;
        // The key first and for its owner alone: a crash in between leaves a pair that is made again.
        DataFolder.WritePrivate(keyFile, Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()));
        File.WriteAllText(certFile, certificate.ExportCertificatePem());
    }

    // Not IdnMapping: it has the rules of IDNA2003, by which another domain could come out (a sharp s becomes ss).
    static string Ascii(string host) => JidPrep.ToAscii(host);
}
