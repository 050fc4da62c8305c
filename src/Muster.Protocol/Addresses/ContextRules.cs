namespace Muster.Protocol.Addresses;

/// <summary>The contextual rules of RFC 5892 appendix A, which U-labels and both PRECIS classes share: characters that
/// are needed in some scripts and a means to deceive in all others.</summary>
static class ContextRules
{
    const int ZeroWidthNonJoiner = 0x200c, ZeroWidthJoiner = 0x200d;
    const int Virama = 9; // Canonical_Combining_Class

    /// <summary>Whether every contextual character of the text stands where its rule allows it.</summary>
    public static bool Hold(ReadOnlySpan<int> text)
    {
        bool katakanaDot = false, japanese = false, arabicDigit = false, extendedDigit = false;
        for (int i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case ZeroWidthNonJoiner when !MayNotJoin(text, i):
                case ZeroWidthJoiner when !FollowsVirama(text, i):
                // A.3 MIDDLE DOT: only between two l, for Catalan.
                case 0xb7 when !(i > 0 && text[i - 1] == 'l' && i + 1 < text.Length && text[i + 1] == 'l'):
                // A.4 GREEK LOWER NUMERAL SIGN: only before a Greek character.
                case 0x375 when !(i + 1 < text.Length && CodePoint.Of(text[i + 1]).Script == ScriptClass.Greek):
                // A.5, A.6 HEBREW GERESH, GERSHAYIM: only after a Hebrew character.
                case 0x5f3 or 0x5f4 when !(i > 0 && CodePoint.Of(text[i - 1]).Script == ScriptClass.Hebrew):
                    return false;
            }
            katakanaDot |= text[i] == 0x30fb;
            arabicDigit |= text[i] is >= 0x660 and <= 0x669;
            extendedDigit |= text[i] is >= 0x6f0 and <= 0x6f9;
            japanese |= CodePoint.Of(text[i]).Script == ScriptClass.Japanese;
        }
        // A.7 KATAKANA MIDDLE DOT: only with Hiragana, Katakana or Han; A.8, A.9: the two sets of digits are not mixed.
        return (!katakanaDot || japanese) && !(arabicDigit && extendedDigit);
    }

    // A.2 ZERO WIDTH JOINER: only after a virama.
    static bool FollowsVirama(ReadOnlySpan<int> text, int i) =>
        i > 0 && CodePoint.Of(text[i - 1]).CombiningClass == Virama;

    // A.1 ZERO WIDTH NON-JOINER: after a virama, or where it breaks a cursive connection: (L|D) T* ZWNJ T* (R|D).
    static bool MayNotJoin(ReadOnlySpan<int> text, int i)
    {
        if (FollowsVirama(text, i)) return true;
        int before = i - 1, after = i + 1;
        while (before >= 0 && CodePoint.Of(text[before]).Joining == JoiningType.T) before--;
        while (after < text.Length && CodePoint.Of(text[after]).Joining == JoiningType.T) after++;
        return before >= 0 && CodePoint.Of(text[before]).Joining is JoiningType.L or JoiningType.D
            && after < text.Length && CodePoint.Of(text[after]).Joining is JoiningType.R or JoiningType.D;
    }
}
