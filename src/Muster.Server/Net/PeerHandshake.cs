using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;

namespace Muster.Server.Net;

/// <summary>TLS with another server. The handshake itself refuses nobody: what the certificate proves is found out, and
/// what follows of it is for the policy, which may fall back to dialback (RFC 6120 §13.7.2).</summary>
/// <param name="settings">The certificate to show and the authorities to trust.</param>
/// <param name="now">When, for what has expired.</param>
#pragma warning disable CA5359 // Whoever shows what is asked who he is afterwards, by the negotiation.
sealed class PeerHandshake(PeerSettings settings, DateTimeOffset now)
{
    // XEP-0368 §3.
    static readonly List<SslApplicationProtocol> ServerProtocol = [new("xmpp-server")];

    const string AlternativeNames = "2.5.29.17";

    /// <summary>What the peer's certificate proves; known after the handshake.</summary>
    public PeerCertificate Certificate { get; private set; } = PeerCertificate.None;

    /// <summary>Options for the side that accepted the connection.</summary>
    public SslServerAuthenticationOptions AsServer() => new()
    {
        ServerCertificateContext = settings.Certificate!.Current.Context,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, // RFC 9325 §3.1.1
        AllowRenegotiation = false,
        // A resumed handshake shows no certificate.
        AllowTlsResume = false,
        ClientCertificateRequired = true,
        RemoteCertificateValidationCallback = Examine,
        CertificateChainPolicy = Policy(),
        ApplicationProtocols = settings.BeginsInTls ? ServerProtocol : null,
    };

    /// <summary>Options for the side that connected.</summary>
    public SslClientAuthenticationOptions AsClient(Jid remote, bool direct)
    {
        string name = JidPrep.ToAscii(remote.Domain);
        return new()
        {
            // RFC 6066 §3, XEP-0368 §3: the domain, whatever the machine is called; never an address.
            TargetHost = name.StartsWith('[') || System.Net.IPAddress.TryParse(name, out _) ? "" : name,
            ClientCertificateContext = settings.Certificate?.Current.Context,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            AllowRenegotiation = false,
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = Examine,
            CertificateChainPolicy = Policy(),
            ApplicationProtocols = direct ? ServerProtocol : null,
        };
    }

    bool Examine(object sender, X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        if (shown is null) return true;
        using var certificate = X509CertificateLoader.LoadCertificate(shown.GetRawCertData());
        var names = certificate.Extensions[AlternativeNames];
        Certificate = new PeerCertificate(names?.RawData ?? [], ProblemOf(certificate, chain?.ChainPolicy.ExtraStore));
        return true;
    }

    string? ProblemOf(X509Certificate2 certificate, X509Certificate2Collection? sent)
    {
        string? problem = ProblemOf(certificate, sent, X509ChainTrustMode.System);
        if (problem is null || settings.Authorities.Count == 0) return problem;
        return ProblemOf(certificate, sent, X509ChainTrustMode.CustomRootTrust);
    }

    string? ProblemOf(X509Certificate2 certificate, X509Certificate2Collection? sent, X509ChainTrustMode trust)
    {
        using var chain = new X509Chain { ChainPolicy = Policy() };
        chain.ChainPolicy.TrustMode = trust;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.NoFlag;
        if (sent is not null) chain.ChainPolicy.ExtraStore.AddRange(sent);
        if (trust == X509ChainTrustMode.CustomRootTrust)
            chain.ChainPolicy.CustomTrustStore.AddRange(settings.Authorities);
        if (chain.Build(certificate)) return null;
        var status = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status);
        if ((status & X509ChainStatusFlags.NotTimeValid) != 0)
        {
            return now > certificate.NotAfter ? "it has expired"
                : now < certificate.NotBefore ? "it is not valid yet"
                : "one that signed it has expired";
        }
        if ((status & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0)
            return "nobody who is trusted has signed it";
        return $"it is broken ({status})";
    }

    // No application policy: what authorities write about the use of certificates says "server" alone more and more,
    // and in a stream between servers one of them is the client of TLS.
    X509ChainPolicy Policy() => new()
    {
        RevocationMode = X509RevocationMode.NoCheck,
        // Nothing is fetched while a peer waits, from where its certificate says.
        DisableCertificateDownloads = true,
        VerificationTime = now.UtcDateTime,
        VerificationTimeIgnored = false,
        VerificationFlags = X509VerificationFlags.AllFlags,
    };
}
