using System.Runtime.InteropServices;

namespace Muster.Protocol.Addresses;

/// <summary>Unicode Normalization Form C (Unicode Standard §3.11, UAX #15) over code points. Our own, because the
/// platform's needs ICU and changes with it, while an address that is stored must stay equal to itself.</summary>
static class Nfc
{
    // Unicode Standard §3.12: Hangul syllables are composed by arithmetic.
    const int SBase = 0xac00, LBase = 0x1100, VBase = 0x1161, TBase = 0x11a7;
    const int LCount = 19, VCount = 21, TCount = 28, SCount = LCount * VCount * TCount;

    /// <summary>The text in NFC, in a list of its own.</summary>
    public static List<int> Normalize(ReadOnlySpan<int> text)
    {
        var result = new List<int>(text.Length);
        foreach (int cp in text) Decompose(cp, result);
        Order(CollectionsMarshal.AsSpan(result));
        Compose(result);
        return result;
    }

    static void Decompose(int cp, List<int> result)
    {
        int syllable = cp - SBase;
        if (syllable is >= 0 and < SCount)
        {
            result.Add(LBase + syllable / (VCount * TCount));
            result.Add(VBase + syllable / TCount % VCount);
            if (syllable % TCount != 0) result.Add(TBase + syllable % TCount);
        }
        else if (CodePoint.TryDecompose(cp, out int first, out int second))
        {
            Decompose(first, result); // The first may decompose again; the database holds one level. At most four deep.
            if (second != 0) Decompose(second, result);
        }
        else
        {
            result.Add(cp);
        }
    }

    /// <summary>The canonical ordering algorithm: in each run of non-starters a stable sort by combining
    /// class.</summary>
    static void Order(Span<int> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            int start = i;
            while (i < text.Length && CodePoint.Of(text[i]).CombiningClass != 0) i++;
            if (i - start > 1) OrderMarks(text[start..i]);
        }
    }

    // A sort, not the usual exchange of neighbours: a long run of marks chosen by an attacker must not take quadratic
    // time.
    static void OrderMarks(Span<int> marks)
    {
        var keys = new long[marks.Length];
        for (int i = 0; i < marks.Length; i++) keys[i] = (long)CodePoint.Of(marks[i]).CombiningClass << 32 | (uint)i;
        keys.AsSpan().Sort(marks);
    }

    /// <summary>The canonical composition algorithm (D117), in place.</summary>
    static void Compose(List<int> text)
    {
        int starter = -1, lastClass = 0, length = 0;
        for (int i = 0; i < text.Count; i++)
        {
            int combiningClass = CodePoint.Of(text[i]).CombiningClass;
            // Blocked (D115) is what has something of the same or a higher class, or a starter, between it and the
            // starter.
            bool reachable = starter >= 0 && (length == starter + 1 || lastClass < combiningClass);
            if (reachable && TryCompose(text[starter], text[i], out int composed))
            {
                text[starter] = composed;
                continue;
            }
            if (combiningClass == 0) starter = length;
            lastClass = combiningClass;
            text[length++] = text[i];
        }
        text.RemoveRange(length, text.Count - length);
    }

    static bool TryCompose(int first, int second, out int composed)
    {
        int l = first - LBase, v = second - VBase, s = first - SBase, t = second - TBase;
        if (l is >= 0 and < LCount && v is >= 0 and < VCount)
        {
            composed = SBase + (l * VCount + v) * TCount;
            return true;
        }
        if (s is >= 0 and < SCount && s % TCount == 0 && t is > 0 and < TCount)
        {
            composed = first + t;
            return true;
        }
        return CodePoint.TryCompose(first, second, out composed);
    }
}
