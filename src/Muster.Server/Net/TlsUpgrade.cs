using System.Net.Security;
using System.Runtime.InteropServices;
using System.Security.Authentication;
using System.Security.Authentication.ExtendedProtection;
using System.Security.Cryptography.X509Certificates;

namespace Muster.Server.Net;

/// <summary>How this server speaks TLS to clients.</summary>
static class TlsUpgrade
{
    const int HeaderBytes = 32;

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

    /// <summary>Data of the channel binding tls-unique of a finished handshake; null when the platform gives
    /// none.</summary>
    public static byte[]? UniqueOf(SslStream tls)
    {
        // The platform gives a structure with a header of 32 bytes, then "tls-unique:", then the data.
        ReadOnlySpan<byte> prefix = "tls-unique:"u8;
        using var binding = tls.TransportContext.GetChannelBinding(ChannelBindingKind.Unique);
        if (binding is null || binding.Size <= HeaderBytes + prefix.Length) return null;
        byte[] bytes = new byte[binding.Size];
        Marshal.Copy(binding.DangerousGetHandle(), bytes, 0, bytes.Length);
        return bytes.AsSpan(HeaderBytes).StartsWith(prefix) ? bytes[(HeaderBytes + prefix.Length)..] : null;
    }
}
