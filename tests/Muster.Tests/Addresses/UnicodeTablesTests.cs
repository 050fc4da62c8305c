using Muster.Protocol.Addresses;

namespace Muster.Tests.Addresses;

public class UnicodeTablesTests
{
    // One of each rule of RFC 8264 §8 and RFC 5892 §3, as the RFCs give them.
    [Theory]
    [InlineData(0x00df, PrecisClass.Valid, IdnaClass.Valid)]              // exceptions
    [InlineData(0x3007, PrecisClass.Valid, IdnaClass.Valid)]
    [InlineData(0x00b7, PrecisClass.Contextual, IdnaClass.Contextual)]
    [InlineData(0x0669, PrecisClass.Contextual, IdnaClass.Contextual)]
    [InlineData(0x303b, PrecisClass.Disallowed, IdnaClass.Disallowed)]
    [InlineData(0x0378, PrecisClass.Disallowed, IdnaClass.Disallowed)]    // unassigned
    [InlineData('~', PrecisClass.Valid, IdnaClass.Disallowed)]            // ASCII7, LDH
    [InlineData('Z', PrecisClass.Valid, IdnaClass.Disallowed)]
    [InlineData('-', PrecisClass.Valid, IdnaClass.Valid)]
    [InlineData(' ', PrecisClass.Freeform, IdnaClass.Disallowed)]
    [InlineData(0x007f, PrecisClass.Disallowed, IdnaClass.Disallowed)]
    [InlineData(0x200d, PrecisClass.Contextual, IdnaClass.Contextual)]    // JoinControl
    [InlineData(0x1100, PrecisClass.Disallowed, IdnaClass.Disallowed)]    // OldHangulJamo
    [InlineData(0xa960, PrecisClass.Disallowed, IdnaClass.Disallowed)]
    [InlineData(0xd7b0, PrecisClass.Disallowed, IdnaClass.Disallowed)]
    [InlineData(0xac00, PrecisClass.Valid, IdnaClass.Valid)]
    [InlineData(0x00ad, PrecisClass.Disallowed, IdnaClass.Disallowed)]    // ignorable
    [InlineData(0xfffe, PrecisClass.Disallowed, IdnaClass.Disallowed)]
    [InlineData(0x2163, PrecisClass.Freeform, IdnaClass.Disallowed)]      // HasCompat, Unstable
    [InlineData(0xff21, PrecisClass.Freeform, IdnaClass.Disallowed)]
    [InlineData(0x212b, PrecisClass.Freeform, IdnaClass.Disallowed)]
    [InlineData(0x00e9, PrecisClass.Valid, IdnaClass.Valid)]              // LetterDigits
    [InlineData(0x00c9, PrecisClass.Valid, IdnaClass.Disallowed)]
    [InlineData(0x0301, PrecisClass.Valid, IdnaClass.Valid)]
    [InlineData(0x16ee, PrecisClass.Freeform, IdnaClass.Disallowed)]      // OtherLetterDigits
    [InlineData(0x0488, PrecisClass.Freeform, IdnaClass.Disallowed)]
    [InlineData(0x20d0, PrecisClass.Valid, IdnaClass.Disallowed)]         // IgnorableBlocks
    [InlineData(0x1d165, PrecisClass.Valid, IdnaClass.Disallowed)]
    [InlineData(0x265a, PrecisClass.Freeform, IdnaClass.Disallowed)]      // symbols, punctuation
    [InlineData(0x00a1, PrecisClass.Freeform, IdnaClass.Disallowed)]
    [InlineData(0xd800, PrecisClass.Disallowed, IdnaClass.Disallowed)]    // surrogate, private use
    [InlineData(0xe000, PrecisClass.Disallowed, IdnaClass.Disallowed)]
    [InlineData(0x19da, PrecisClass.Freeform, IdnaClass.Disallowed)]      // RFC 6452: changed with Unicode 6.0
    [InlineData(0x0cf1, PrecisClass.Valid, IdnaClass.Valid)]
    [InlineData(0x10ffff, PrecisClass.Disallowed, IdnaClass.Disallowed)]
    public void Derived_properties(int cp, object precis, object idna)
    {
        Assert.Equal(precis, CodePoint.Of(cp).Precis);
        Assert.Equal(idna, CodePoint.Of(cp).Idna);
    }

    [Fact]
    public void Properties_of_the_database()
    {
        Assert.Equal(BidiClass.AL, CodePoint.Of(0x627).Bidi);
        Assert.Equal(BidiClass.AN, CodePoint.Of(0x660).Bidi);
        Assert.Equal(BidiClass.EN, CodePoint.Of('1').Bidi);
        Assert.Equal(BidiClass.ES, CodePoint.Of('-').Bidi);
        Assert.Equal(BidiClass.NSM, CodePoint.Of(0x301).Bidi);
        Assert.Equal(JoiningType.D, CodePoint.Of(0x628).Joining);
        Assert.Equal(JoiningType.R, CodePoint.Of(0x627).Joining);
        Assert.Equal(JoiningType.T, CodePoint.Of(0x610).Joining);
        Assert.Equal(ScriptClass.Greek, CodePoint.Of(0x3b1).Script);
        Assert.Equal(ScriptClass.Hebrew, CodePoint.Of(0x5d0).Script);
        Assert.Equal(ScriptClass.Japanese, CodePoint.Of(0x4e00).Script);
        Assert.Equal(9, CodePoint.Of(0x94d).CombiningClass);
        Assert.Equal(240, CodePoint.Of(0x345).CombiningClass);
        Assert.True(CodePoint.Of(0x903).IsMark && !CodePoint.Of('a').IsMark);
        Assert.True(CodePoint.Of(0x3000).IsSpace && !CodePoint.Of('\t').IsSpace);
        Assert.Equal('a', CodePoint.Lower('A'));
        Assert.Equal('A', CodePoint.Width(0xff21));
    }

    // The look-up is a binary search, so the tables must be in order.
    [Fact]
    public void Tables_are_sorted_and_of_one_length()
    {
        AssertSorted(UnicodeTables.Runs);
        AssertSorted(UnicodeTables.LowerFrom);
        AssertSorted(UnicodeTables.WidthFrom);
        AssertSorted(UnicodeTables.DecomposedFrom);
        AssertSorted(UnicodeTables.ComposedFrom);
        Assert.Equal(0, UnicodeTables.Runs[0] >> 8);
        Assert.Equal(UnicodeTables.LowerFrom.Length, UnicodeTables.LowerTo.Length);
        Assert.Equal(UnicodeTables.WidthFrom.Length, UnicodeTables.WidthTo.Length);
        Assert.Equal(UnicodeTables.DecomposedFrom.Length, UnicodeTables.DecomposedTo.Length);
        Assert.Equal(UnicodeTables.ComposedFrom.Length, UnicodeTables.ComposedTo.Length);
    }

    static void AssertSorted<T>(T[] table) where T : IComparable<T>
    {
        Assert.True(table.Length > 100);
        for (int i = 1; i < table.Length; i++) Assert.True(table[i - 1].CompareTo(table[i]) < 0);
    }
}
