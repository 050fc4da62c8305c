namespace Muster.Protocol.Addresses;

/// <summary>The derived property of RFC 8264 §8: where a code point may stand.</summary>
enum PrecisClass
{
    /// <summary>DISALLOWED or UNASSIGNED: nowhere.</summary>
    Disallowed,

    /// <summary>PVALID: in the IdentifierClass and in the FreeformClass.</summary>
    Valid,

    /// <summary>CONTEXTJ or CONTEXTO: in both where <see cref="ContextRules"/> allow it.</summary>
    Contextual,

    /// <summary>ID_DIS or FREE_PVAL: in the FreeformClass only.</summary>
    Freeform,
}

/// <summary>The derived property of RFC 5892 §3: whether a code point may stand in a U-label.</summary>
enum IdnaClass
{
    /// <summary>DISALLOWED or UNASSIGNED.</summary>
    Disallowed,

    /// <summary>PVALID.</summary>
    Valid,

    /// <summary>CONTEXTJ or CONTEXTO: where <see cref="ContextRules"/> allow it.</summary>
    Contextual,
}

/// <summary>Bidi_Class, as far as RFC 5893 names its values.</summary>
enum BidiClass { Other, L, R, AL, AN, EN, ES, CS, ET, ON, BN, NSM }

/// <summary>Joining_Type, as far as RFC 5892 appendix A.1 names its values.</summary>
enum JoiningType { None, L, D, R, T }

/// <summary>The scripts that RFC 5892 appendix A asks about; the last is Hiragana, Katakana or Han.</summary>
enum ScriptClass { Other, Greek, Hebrew, Japanese }

/// <summary>What the address rules ask about one code point, read from <see cref="UnicodeTables"/>.</summary>
readonly struct CodePoint
{
    readonly int _properties;

    CodePoint(int properties) => _properties = properties;

    /// <summary>Looks a code point up; any number from 0 to 0x10FFFF.</summary>
    public static CodePoint Of(int value)
    {
        int run = Array.BinarySearch(UnicodeTables.Runs, value << 8 | 0xff);
        // Not found is the rule: then the run before the place where it would stand is meant.
        int start = UnicodeTables.Runs[run >= 0 ? run : ~run - 1];
        return new CodePoint(UnicodeTables.Kinds[start & 0xff]);
    }

    public PrecisClass Precis => (PrecisClass)(_properties & 3);
    public IdnaClass Idna => (IdnaClass)(_properties >> 2 & 3);
    public BidiClass Bidi => (BidiClass)(_properties >> 4 & 15);
    public JoiningType Joining => (JoiningType)(_properties >> 8 & 7);
    public ScriptClass Script => (ScriptClass)(_properties >> 11 & 3);

    /// <summary>General category Mn, Mc or Me.</summary>
    public bool IsMark => (_properties & 1 << 13) != 0;

    /// <summary>General category Zs.</summary>
    public bool IsSpace => (_properties & 1 << 14) != 0;

    /// <summary>A starter that no neighbour can compose with: a text of these alone is in NFC.</summary>
    public bool IsNfcInert => (_properties & 1 << 15) != 0;

    /// <summary>Neither a lower-case nor a width mapping changes it.</summary>
    public bool IsMapInert => (_properties & 1 << 16) != 0;

    /// <summary>Canonical_Combining_Class; 0 for a starter.</summary>
    public int CombiningClass => _properties >> 17;

    /// <summary>RFC 5893 §1.4: a character that makes a label a right-to-left one.</summary>
    public bool IsRightToLeft => Bidi is BidiClass.R or BidiClass.AL or BidiClass.AN;

    /// <summary>The simple lower-case mapping, itself when it has none.</summary>
    public static int Lower(int value) => Map(UnicodeTables.LowerFrom, UnicodeTables.LowerTo, value);

    /// <summary>The ordinary form of a fullwidth or halfwidth code point, itself otherwise.</summary>
    public static int Width(int value) => Map(UnicodeTables.WidthFrom, UnicodeTables.WidthTo, value);

    /// <summary>One level of the canonical decomposition; a second of 0 is none. False: it has none.</summary>
    public static bool TryDecompose(int value, out int first, out int second)
    {
        int i = Array.BinarySearch(UnicodeTables.DecomposedFrom, value);
        long pair = i < 0 ? 0 : UnicodeTables.DecomposedTo[i];
        (first, second) = ((int)(pair >> 21), (int)(pair & 0x1fffff));
        return i >= 0;
    }

    /// <summary>The primary composite of two code points, composition exclusions left out.</summary>
    public static bool TryCompose(int first, int second, out int composed)
    {
        int i = Array.BinarySearch(UnicodeTables.ComposedFrom, (long)first << 21 | (uint)second);
        composed = i < 0 ? 0 : UnicodeTables.ComposedTo[i];
        return i >= 0;
    }

    static int Map(int[] from, int[] to, int value)
    {
        int i = Array.BinarySearch(from, value);
        return i < 0 ? value : to[i];
    }
}
