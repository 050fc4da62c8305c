using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;

namespace Muster.Protocol.Addresses;

/// <summary>The domainpart of a JID (RFC 7622 §3.2): an IP literal, or a domain name by IDNA2008 (RFC 5890-5893) whose
/// labels are ASCII labels and U-labels; A-labels become U-labels.</summary>
static class DomainName
{
    public const int LabelBytesMax = 63; // RFC 1034 §3.1; for a U-label RFC 5890 §2.3.2.1 means its A-label
    const string AcePrefix = "xn--";

    static readonly SearchValues<char> Ipv6Chars = SearchValues.Create("0123456789abcdefABCDEF:.");

    /// <summary>The normal form. Null when the text is no domain; the same instance when it is in that form
    /// already.</summary>
    public static string? Normalize(string text)
    {
        if (text.StartsWith('[')) return Ipv6Literal(text);
        if (!Precis.TryDecode(text, out var mapped)) return null;
        // RFC 5895 §2, to which RFC 7622 §3.2.2 refers for the order: case, then width, then NFC, then dots.
        Precis.MapCase(mapped);
        Precis.MapWidth(mapped);
        var output = new List<int>(mapped.Count);
        mapped = Nfc.Normalize(CollectionsMarshal.AsSpan(mapped));
        if (!TryLabels(CollectionsMarshal.AsSpan(mapped), output)) return null;
        // RFC 5893 §1.4, §2: one right-to-left label makes a Bidi domain name, and the rule binds all labels of one.
        var name = CollectionsMarshal.AsSpan(output);
        if (BidiRule.IsRightToLeft(name) && !EachLabelHoldsBidiRule(name)) return null;
        string normal = Precis.Encode(output);
        return string.Equals(normal, text, StringComparison.Ordinal) ? text : normal;
    }

    /// <summary>A normal name with its U-labels as A-labels.</summary>
    public static string ToAscii(ReadOnlySpan<char> normal)
    {
        if (Ascii.IsValid(normal)) return normal.ToString();
        var text = new StringBuilder();
        foreach (var range in normal.Split('.'))
        {
            if (text.Length > 0) text.Append('.');
            var label = normal[range];
            if (Ascii.IsValid(label))
            {
                text.Append(label);
                continue;
            }
            Precis.TryDecode(label, out var codePoints);
            if (!Punycode.TryEncode(CollectionsMarshal.AsSpan(codePoints), out var ace))
            {
                throw new ArgumentException("not a normal domain", nameof(normal));
            }
            text.Append(AcePrefix);
            foreach (int c in ace) text.Append((char)c);
        }
        return text.ToString();
    }

    static bool TryLabels(ReadOnlySpan<int> name, List<int> output)
    {
        // RFC 7622 §3.2: a final dot is no part of the name.
        if (!name.IsEmpty && IsDot(name[^1])) name = name[..^1];
        for (int start = 0, end; start <= name.Length; start = end + 1)
        {
            for (end = start; end < name.Length && !IsDot(name[end]); end++) { }
            if (start > 0) output.Add('.');
            if (!TryLabel(name[start..end], output)) return false;
        }
        return true;
    }

    // RFC 5895 §2 step 4: IDEOGRAPHIC FULL STOP is a dot too; the wide and narrow dots have become one of these.
    static bool IsDot(int cp) => cp is '.' or 0x3002;

    static bool TryLabel(ReadOnlySpan<int> label, List<int> output)
    {
        if (label.ContainsAnyExceptInRange(0, 0x7f))
        {
            output.AddRange(label);
            return IsULabel(label) && Punycode.TryEncode(label, out var ace)
                && AcePrefix.Length + ace.Count <= LabelBytesMax;
        }
        if (label.Length > LabelBytesMax) return false;
        if (label is not ['x', 'n', '-', '-', ..])
        {
            output.AddRange(label);
            return IsAsciiLabel(label);
        }
        // RFC 5891 §5.4: what claims to be an A-label must be exactly the one that its U-label has.
        var claimed = label[AcePrefix.Length..];
        if (Punycode.Decode(claimed) is not { } decoded) return false;
        var unicode = CollectionsMarshal.AsSpan(decoded);
        output.AddRange(unicode);
        return unicode.ContainsAnyExceptInRange(0, 0x7f) && IsULabel(unicode)
            && Punycode.TryEncode(unicode, out var again) && CollectionsMarshal.AsSpan(again).SequenceEqual(claimed);
    }

    /// <summary>RFC 5891 §4.2 and §5.4 for one label that is not all ASCII, but for the Bidi Rule.</summary>
    static bool IsULabel(ReadOnlySpan<int> label)
    {
        if (!HyphensAreRight(label, '-')) return false;
        if (CodePoint.Of(label[0]).IsMark) return false; // §4.2.3.2
        foreach (int cp in label)
        {
            if (CodePoint.Of(cp).Idna == IdnaClass.Disallowed) return false;
        }
        return ContextRules.Hold(label) && CollectionsMarshal.AsSpan(Nfc.Normalize(label)).SequenceEqual(label);
    }

    // An underscore is no letter of a host name (RFC 5890 §2.3.1), but it is one of the DNS (RFC 2181 §11), and servers
    // and components in private networks are named with it (the "my_service" of container networks). Nothing
    // else can be meant by it, so it is let through in labels that are all ASCII.
    static bool IsAsciiLabel(ReadOnlySpan<int> label)
    {
        foreach (int cp in label)
        {
            if (!(cp is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_')) return false;
        }
        return HyphensAreRight(label, '-');
    }

    // RFC 5891 §4.2.3.1; RFC 5890 §2.3.1: ASCII labels with "--" there are reserved, so they are no NR-LDH labels.
    public static bool HyphensAreRight<T>(ReadOnlySpan<T> label, T hyphen) where T : struct, IEquatable<T> =>
        !label.IsEmpty && !label[0].Equals(hyphen) && !label[^1].Equals(hyphen)
        && !(label.Length > 3 && label[2].Equals(hyphen) && label[3].Equals(hyphen));

    static bool EachLabelHoldsBidiRule(ReadOnlySpan<int> name)
    {
        foreach (var range in name.Split('.'))
        {
            if (!BidiRule.Holds(name[range])) return false;
        }
        return true;
    }

    /// <summary>RFC 3986 §3.2.2 IP-literal: an IPv6 address in brackets, written so that all spellings of an address
    /// are one domain. No zone (RFC 6874, made obsolete by RFC 9844), which means something in one machine only; no
    /// IPvFuture, as none was ever defined.</summary>
    static string? Ipv6Literal(string text)
    {
        var inner = text.AsSpan(1);
        if (inner.EndsWith('.')) inner = inner[..^1];
        if (!inner.EndsWith(']')) return null;
        inner = inner[..^1];
        if (inner.ContainsAnyExcept(Ipv6Chars) || !inner.Contains(':')) return null;
        if (!IPAddress.TryParse(inner, out var address)) return null;
        string normal = SpellIpv6(address);
        return string.Equals(normal, text, StringComparison.Ordinal) ? text : normal;
    }

    // RFC 5952 §4, §5. Not the platform's spelling, which has more cases and may get others.
    static string SpellIpv6(IPAddress address)
    {
        ReadOnlySpan<byte> bytes = address.GetAddressBytes();
        if (address.IsIPv4MappedToIPv6) return $"[::ffff:{bytes[12]}.{bytes[13]}.{bytes[14]}.{bytes[15]}]";
        Span<ushort> groups = stackalloc ushort[8];
        for (int i = 0; i < 8; i++) groups[i] = BinaryPrimitives.ReadUInt16BigEndian(bytes[(2 * i)..]);
        // The first longest run of two zero groups or more is left out.
        int gap = 8, gapLength = 1;
        for (int i = 0; i < 8; i++)
        {
            int run = groups[i..].IndexOfAnyExcept((ushort)0) is >= 0 and var length ? length : 8 - i;
            if (run > gapLength) (gap, gapLength) = (i, run);
        }
        var text = new StringBuilder("[");
        for (int i = 0; i < 8; i++)
        {
            if (i == gap) text.Append("::");
            if (i >= gap && i < gap + gapLength) continue;
            if (i > 0 && i != gap + gapLength) text.Append(':');
            text.Append(CultureInfo.InvariantCulture, $"{groups[i]:x}");
        }
        return text.Append(']').ToString();
    }
}
