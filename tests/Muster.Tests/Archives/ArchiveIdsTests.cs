using System.Globalization;
using Muster.Core.Archive;
using Muster.Testing;

namespace Muster.Tests.Archives;

/// <summary>Ids of archived messages as users see them (XEP-0359 §4, §6).</summary>
[Spec("XEP-0359", "4")]
public sealed class ArchiveIdsTests
{
    static readonly ArchiveIds Ids = new(Convert.FromHexString("000102030405060708090a0b0c0d0e0f"));

    /// <summary>The test vector of Speck64/128 in the paper: key 1b1a1918 13121110 0b0a0908 03020100.</summary>
    [Fact]
    public void The_permutation_is_the_published_one()
    {
        var ids = new ArchiveIds(Convert.FromHexString("0001020308090a0b10111213" + "18191a1b"));
        Assert.Equal("8c6fa548454e028b", ids.ToText(0x3b7265747475432d));
        Assert.True(ids.TryRead("8c6fa548454e028b", out long id));
        Assert.Equal(0x3b7265747475432d, id);
    }

    [Fact]
    public void Every_id_comes_back_as_the_number_that_it_was()
    {
        long start = 1_790_000_000_000_000;
        var seen = new HashSet<string>();
        foreach (long id in (long[])[1, 2, 3, long.MaxValue, .. Enumerable.Range(0, 10_000).Select(i => start + i)])
        {
            string text = Ids.ToText(id);
            Assert.Equal(16, text.Length);
            Assert.True(seen.Add(text));
            Assert.True(Ids.TryRead(text, out long back));
            Assert.Equal(id, back);
        }
    }

    [Fact]
    public void Neighbours_in_time_have_nothing_in_common()
    {
        // Of the bits of two ids that follow each other half differ, whatever the ids.
        double sum = 0;
        for (long id = 1_790_000_000_000_000, end = id + 1000; id < end; id++)
            sum += System.Numerics.BitOperations.PopCount(Number(Ids.ToText(id)) ^ Number(Ids.ToText(id + 1)));
        Assert.InRange(sum / 1000, 31, 33);
        Assert.NotEqual(Ids.ToText(1), new ArchiveIds(new byte[16]).ToText(1)); // another key, other ids

        static ulong Number(string text) => ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("17")]
    [InlineData("8C6FA548454E028B")]
    [InlineData("8c6fa548454e028")]
    [InlineData("8c6fa548454e028b0")]
    [InlineData(" 8c6fa548454e028")]
    [InlineData("8c6fa548454e028g")]
    [InlineData("-c6fa548454e028b")]
    [InlineData("0x6fa548454e028b")]
    [InlineData("٣c6fa548454e028b")]
    public void Another_text_is_no_id(string? text)
    {
        Assert.False(Ids.TryRead(text, out long id));
        Assert.Equal(0, id);
    }

    [Fact]
    public void The_numbers_themselves_are_not_taken_for_ids()
    {
        // 16 digits may be read; but as a number that is in no archive.
        for (long id = 1_790_000_000_000_000, end = id + 1000; id < end; id++)
            if (Ids.TryRead(id.ToString(CultureInfo.InvariantCulture), out long read)) Assert.NotEqual(id, read);
    }

    [Fact]
    public void A_key_has_its_length() =>
        Assert.Throws<ArgumentException>(() => new ArchiveIds(new byte[15]));
}
