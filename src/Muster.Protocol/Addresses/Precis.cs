using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace Muster.Protocol.Addresses;

/// <summary>The two PRECIS profiles (RFC 8264, RFC 8265) that JIDs are made with, over code points.</summary>
/// <remarks>
/// The class of the characters is checked after mapping and normalising, as RFC 8264 §7 orders the steps, not before,
/// as RFC 8265 §3.3.3 can be read: so canonically equivalent texts (Hangul in conjoining jamo, ANGSTROM SIGN) are one
/// address and not one address and an error. RFC 7622 §4 wants it so: map where possible, then reject.
/// </remarks>
static class Precis
{
    /// <summary>RFC 8264 §7: a text that three repetitions do not bring to rest is refused.</summary>
    const int RoundsMax = 4;

    const int CapitalIWithDot = 0x130, CombiningDotAbove = 0x307;

    /// <summary>UsernameCaseMapped (RFC 8265 §3.3). Null when the text is no such name; the same instance when it is
    /// one already.</summary>
    public static string? Username(string text) => Enforce(text, PrecisClass.Valid, static text =>
    {
        MapWidth(text);
        return Nfc.Normalize(MapCase(text));
    });

    /// <summary>OpaqueString (RFC 8265 §4.2). Null when the text is no such string; the same instance when it is one
    /// already.</summary>
    public static string? Opaque(string text) => Enforce(text, PrecisClass.Freeform, static text =>
    {
        foreach (ref int cp in CollectionsMarshal.AsSpan(text))
        {
            if (CodePoint.Of(cp).IsSpace) cp = ' '; // RFC 8265 §4.2.2: additional mapping
        }
        return Nfc.Normalize(CollectionsMarshal.AsSpan(text));
    });

    static string? Enforce(string text, PrecisClass widest, Func<List<int>, List<int>> map)
    {
        if (!TryDecode(text, out var current)) return null;
        for (int round = 0; round < RoundsMax; round++)
        {
            var next = map([.. current]);
            if (next.Count == current.Count && next.SequenceEqual(current))
            {
                if (!Allowed(CollectionsMarshal.AsSpan(next), widest)) return null;
                return round == 0 ? text : Encode(next);
            }
            current = next;
        }
        return null;
    }

    static bool Allowed(ReadOnlySpan<int> text, PrecisClass widest)
    {
        foreach (int cp in text)
        {
            var precis = CodePoint.Of(cp).Precis;
            if (precis == PrecisClass.Disallowed) return false;
            if (precis == PrecisClass.Freeform && widest != PrecisClass.Freeform) return false;
        }
        if (!ContextRules.Hold(text)) return false;
        // RFC 8265 §3.3.1 has a directionality rule, §4.2.2 has none.
        return widest == PrecisClass.Freeform || !BidiRule.IsRightToLeft(text) || BidiRule.Holds(text);
    }

    /// <summary>Fullwidth and halfwidth forms become ordinary ones, in place.</summary>
    public static void MapWidth(List<int> text)
    {
        foreach (ref int cp in CollectionsMarshal.AsSpan(text)) cp = CodePoint.Width(cp);
    }

    /// <summary>Unicode's toLowerCase(), of no locale and without the special case for a final sigma (RFC 8265 §3.6,
    /// RFC 7622 §3.5: the mapping rules "do not account for" it).</summary>
    public static Span<int> MapCase(List<int> text)
    {
        for (int i = text.Count - 1; i >= 0; i--)
        {
            // SpecialCasing.txt: the one code point whose lower case is two; scripts/unicode.cs watches that it stays
            // one.
            if (text[i] == CapitalIWithDot) text.Insert(i + 1, CombiningDotAbove);
            text[i] = CodePoint.Lower(text[i]);
        }
        return CollectionsMarshal.AsSpan(text);
    }

    /// <summary>The code points of a text. False when a surrogate stands alone.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, out List<int> codePoints)
    {
        codePoints = new List<int>(text.Length);
        while (!text.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(text, out var rune, out int length) != OperationStatus.Done) return false;
            codePoints.Add(rune.Value);
            text = text[length..];
        }
        return true;
    }

    /// <summary>The text of code points.</summary>
    public static string Encode(List<int> codePoints)
    {
        var text = new StringBuilder(codePoints.Count);
        foreach (int cp in codePoints) text.Append(new Rune(cp));
        return text.ToString();
    }
}
