namespace Muster.Protocol.Addresses;

/// <summary>The Bidi Rule (RFC 5893 §2): a text with right-to-left characters must read the same way wherever it is
/// shown, so that it cannot be taken for another.</summary>
static class BidiRule
{
    /// <summary>RFC 5893 §1.4: whether there is a character of class R, AL or AN.</summary>
    public static bool IsRightToLeft(ReadOnlySpan<int> text)
    {
        foreach (int cp in text)
        {
            if (CodePoint.Of(cp).IsRightToLeft) return true;
        }
        return false;
    }

    /// <summary>The six conditions. They bind a text with right-to-left characters, and every label of a domain name
    /// that has such a label.</summary>
    public static bool Holds(ReadOnlySpan<int> text)
    {
        if (text.IsEmpty) return false;
        // Condition 1: the first character decides the direction.
        switch (CodePoint.Of(text[0]).Bidi)
        {
            case BidiClass.L: return LeftToRightHolds(text);
            case BidiClass.R or BidiClass.AL: return RightToLeftHolds(text);
            default: return false;
        }
    }

    static bool LeftToRightHolds(ReadOnlySpan<int> text)
    {
        foreach (int cp in text)
        {
            // Condition 5.
            if (CodePoint.Of(cp).Bidi is BidiClass.R or BidiClass.AL or BidiClass.AN or BidiClass.Other) return false;
        }
        return LastBeforeMarks(text) is BidiClass.L or BidiClass.EN; // Condition 6.
    }

    static bool RightToLeftHolds(ReadOnlySpan<int> text)
    {
        bool european = false, arabic = false;
        foreach (int cp in text)
        {
            var bidi = CodePoint.Of(cp).Bidi;
            if (bidi is BidiClass.L or BidiClass.Other) return false; // Condition 2.
            european |= bidi == BidiClass.EN;
            arabic |= bidi == BidiClass.AN;
        }
        // Conditions 4 and 3.
        return !(european && arabic)
            && LastBeforeMarks(text) is BidiClass.R or BidiClass.AL or BidiClass.EN or BidiClass.AN;
    }

    static BidiClass LastBeforeMarks(ReadOnlySpan<int> text)
    {
        for (int i = text.Length - 1; i >= 0; i--)
        {
            var bidi = CodePoint.Of(text[i]).Bidi;
            if (bidi != BidiClass.NSM) return bidi;
        }
        return BidiClass.NSM;
    }
}
