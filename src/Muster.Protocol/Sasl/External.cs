using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;
using Muster.Protocol.Addresses;

namespace Muster.Protocol.Sasl;

/// <summary>The message of EXTERNAL (RFC 4422 appendix A): as whom to act, or nothing.</summary>
public static class External
{
    /// <summary>The longest JID in bytes (RFC 7622 §3.1).</summary>
    public const int AuthzidBytesMax = 3071;

    /// <summary>Reads the message; false when it is malformed.</summary>
    /// <param name="message">The message.</param>
    /// <param name="authzid">As whom to act; empty for the one whom the certificate names.</param>
    public static bool TryParse(ReadOnlySpan<byte> message, [NotNullWhen(true)] out string? authzid)
    {
        bool valid = message.Length <= AuthzidBytesMax && Utf8.IsValid(message) && !message.Contains((byte)0);
        authzid = valid ? Encoding.UTF8.GetString(message) : null;
        return valid;
    }
}

/// <summary>EXTERNAL for clients with a certificate (XEP-0178 §2): TLS has proved the addresses, the client picks
/// one.</summary>
sealed class ExternalServer(SaslMechanism mechanism, SaslOffer offer) : SaslExchange(mechanism, offer.Domain)
{
    private protected override SaslStep ReceiveMessage(byte[] message)
    {
        if (!External.TryParse(message, out string? authzid)) return Fail(SaslFailure.MalformedRequest);
        if (authzid.Length > 0)
        {
            return Jid.TryParse(authzid, out var wanted) && offer.CertificateAddresses.Contains(wanted)
                ? new SaslStep.Success(wanted)
                : Fail(SaslFailure.InvalidAuthzid);
        }
        return offer.CertificateAddresses switch
        {
            [var only] => new SaslStep.Success(only),
            [] => Fail(SaslFailure.NotAuthorized),
            // XEP-0178 §2 #c2s: of several addresses the client must name one.
            _ => Fail(SaslFailure.InvalidAuthzid),
        };
    }

    private protected override SaslStep ReceiveSecret(ScramSecret? secret) =>
        throw new InvalidOperationException("EXTERNAL needs no secret");
}
