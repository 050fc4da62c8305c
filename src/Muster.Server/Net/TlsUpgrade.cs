using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Muster.Server.Net;

/// <summary>How this server speaks TLS to clients.</summary>
static class TlsUpgrade
{
    // XEP-0368 §4.
    static readonly List<SslApplicationProtocol> ClientProtocol = [new("xmpp-client")];

    /// <summary>Options for one handshake.</summary>
    /// <param name="identity">The certificate to show.</param>
    /// <param name="direct">True where the connection begins with TLS: a client may then name the protocol
    /// (XEP-0368).</param>
    public static SslServerAuthenticationOptions ServerOptions(TlsIdentity identity, bool direct) => new()
    {
        ServerCertificateContext = identity.Context,
        // RFC 9325 §3.1.1: nothing before 1.2.
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        // RFC 9325 §3.5: no renegotiation, which some have used to confuse one session with another.
        AllowRenegotiation = false,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        ApplicationProtocols = direct ? ClientProtocol : null,
    };
}
