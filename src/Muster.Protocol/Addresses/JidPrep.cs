using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Muster.Protocol.Addresses;

/// <summary>Normalises and checks the parts of a JID (RFC 7622): one place decides what two equal addresses
/// are.</summary>
/// <remarks>
/// The result of each function is a fixed point: normalising it again gives the same text. It depends on the tables of
/// this assembly alone, never on the platform, because addresses are stored and must stay equal for ever. A text that
/// is normal already comes back as the same instance; for ASCII, and for most other scripts outside domains, nothing is
/// allocated then.
/// </remarks>
public static class JidPrep
{
    /// <summary>RFC 7622 §3.2, §3.3, §3.4: no part may be longer, in bytes of UTF-8.</summary>
    public const int PartBytesMax = 1023;

    // LIMIT: a longer text is refused unseen. None of them could shrink far enough: what shrinks most is a short
    // A-label, "xn--4ca." with 8 characters to 3 bytes.
    const int InputCharsMax = 4 * PartBytesMax;

    // All of the ASCII that the IdentifierClass has, without capitals and without the eight of RFC 7622 §3.3.1.
    static readonly SearchValues<char> PlainLocal =
        SearchValues.Create("!#$%()*+,-.0123456789;=?[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    static readonly SearchValues<char> PlainResource =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c)]);

    static readonly SearchValues<char> ExcludedLocal = SearchValues.Create("\"&'/:<>@");

    /// <summary>The local part by the UsernameCaseMapped profile (RFC 8265 §3.3), without the characters of
    /// RFC 7622 §3.3.1. False when the text is no local part.</summary>
    public static bool TryLocal(string text, [NotNullWhen(true)] out string? local)
    {
        local = IsNormalLocal(text) ? text : text.Length > InputCharsMax ? null : Precis.Username(text);
        if (local is not null && (!FitsPart(local) || local.AsSpan().ContainsAny(ExcludedLocal))) local = null;
        return local is not null;
    }

    /// <summary>The resource by the OpaqueString profile (RFC 8265 §4.2). False when the text is no resource.</summary>
    public static bool TryResource(string text, [NotNullWhen(true)] out string? resource)
    {
        resource = IsNormalResource(text) ? text : text.Length > InputCharsMax ? null : Precis.Opaque(text);
        if (resource is not null && !FitsPart(resource)) resource = null;
        return resource is not null;
    }

    /// <summary>The domain: an IDNA2008 name in U-label form or an IPv6 literal (RFC 7622 §3.2), without a final dot.
    /// False when the text is neither.</summary>
    public static bool TryDomain(string text, [NotNullWhen(true)] out string? domain)
    {
        domain = IsNormalDomain(text) ? text : text.Length > InputCharsMax ? null : DomainName.Normalize(text);
        if (domain is not null && !FitsPart(domain)) domain = null;
        return domain is not null;
    }

    /// <summary>A domain as DNS and certificates have it: every U-label as its A-label (RFC 5890 §2.3.2.1).</summary>
    /// <param name="domain">In the form that <see cref="TryDomain"/> gives.</param>
    public static string ToAscii(ReadOnlySpan<char> domain) => DomainName.ToAscii(domain);

    /// <summary>A quick look: true only for a local part in its normal form, but not for all of them.</summary>
    internal static bool IsNormalLocal(ReadOnlySpan<char> text)
    {
        int plain = text.IndexOfAnyExcept(PlainLocal);
        return FitsPart(text) && (plain < 0 || IsInertLocal(text[plain..]));
    }

    /// <summary>A quick look: true only for a resource in its normal form, but not for all of them.</summary>
    internal static bool IsNormalResource(ReadOnlySpan<char> text)
    {
        int plain = text.IndexOfAnyExcept(PlainResource);
        return FitsPart(text) && (plain < 0 || IsInertResource(text[plain..]));
    }

    /// <summary>A quick look: true only for a domain in its normal form, but not for all of them.</summary>
    internal static bool IsNormalDomain(ReadOnlySpan<char> text)
    {
        if (!FitsPart(text)) return false;
        int start = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && text[i] != '.')
            {
                if (!(text[i] is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_')) return false;
                continue;
            }
            var label = text[start..i];
            if (label.Length > DomainName.LabelBytesMax || !DomainName.HyphensAreRight(label, '-')) return false;
            start = i + 1;
        }
        return true;
    }

    // The rest after an ASCII beginning: every character allowed, changed by no mapping, and none that a neighbour
    // could change or forbid.
    static bool IsInertLocal(ReadOnlySpan<char> text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.IsAscii)
            {
                if (!PlainLocal.Contains((char)rune.Value)) return false;
                continue;
            }
            var cp = CodePoint.Of(rune.Value);
            if (cp.Precis != PrecisClass.Valid || !cp.IsNfcInert || !cp.IsMapInert || cp.IsRightToLeft) return false;
        }
        return true;
    }

    static bool IsInertResource(ReadOnlySpan<char> text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value is >= ' ' and <= '~') continue;
            if (rune == Rune.ReplacementChar) return false; // It may stand for a lone surrogate.
            var cp = CodePoint.Of(rune.Value);
            if (cp.Precis is PrecisClass.Disallowed or PrecisClass.Contextual) return false;
            if (!cp.IsNfcInert || cp.IsSpace) return false;
        }
        return true;
    }

    // A character takes three bytes at most, so only a long text needs counting.
    static bool FitsPart(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= PartBytesMax
        && (text.Length <= PartBytesMax / 3 || Encoding.UTF8.GetByteCount(text) <= PartBytesMax);
}
