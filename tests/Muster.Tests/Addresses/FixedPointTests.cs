using Muster.Protocol.Addresses;

namespace Muster.Tests.Addresses;

/// <summary>What was normalised stays as it is when it is normalised again: stored addresses depend on it.</summary>
public class FixedPointTests
{
    delegate bool Prep(string text, out string? result);

    static readonly Prep[] Parts = [JidPrep.TryLocal, JidPrep.TryResource, JidPrep.TryDomain];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Every_result_is_a_fixed_point(int part)
    {
        var random = new RandomText(seed: 10 + part);
        int valid = 0;
        for (int i = 0; i < 60_000; i++)
        {
            string text = i % 50 == 0 ? random.NextBroken(3) : random.Next(1 + i % 6);
            if (!Parts[part](text, out string? once)) continue;
            valid++;
            Assert.True(Parts[part](once!, out string? twice), Shown(text));
            Assert.Equal(once, twice);
            Assert.Same(once, twice);
            Assert.DoesNotContain(once!, char.IsControl);
        }
        Assert.True(valid > 3_000, $"only {valid} of the texts were valid");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Every_code_point_alone_gives_a_fixed_point(int part)
    {
        for (int cp = 0; cp < 0x110000; cp++)
        {
            // Surrogates, and the two long stretches in which all are ideographs or nothing is assigned.
            if (cp is (>= 0xd800 and <= 0xdfff) or (> 0x20000 and < 0x2f800) or (> 0x31350 and < 0xe0000)) continue;
            if (!Parts[part](char.ConvertFromUtf32(cp), out string? once)) continue;
            Assert.True(Parts[part](once!, out string? twice) && once == twice, $"U+{cp:X4}");
        }
    }

    // Canonically equivalent texts are the same address or both none.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Equivalent_texts_have_the_same_result(int part)
    {
        var random = new RandomText(seed: 20 + part);
        for (int i = 0; i < 30_000; i++)
        {
            int[] text = random.CodePoints(4);
            string one = RandomText.Of(text), other = RandomText.Of(Nfc.Normalize(text));
            Assert.Equal(Parts[part](one, out string? a), Parts[part](other, out string? b));
            Assert.True(a == b, Shown(one));
        }
    }

    [Fact]
    public void The_quick_look_never_differs_from_the_whole_way()
    {
        var random = new RandomText(seed: 30);
        int[] seen = new int[3];
        for (int i = 0; i < 60_000; i++)
        {
            string text = i % 20 == 0 ? random.NextBroken(2) : random.Next(1 + i % 5);
            if (JidPrep.IsNormalLocal(text))
            {
                seen[0]++;
                Assert.Same(text, Precis.Username(text));
            }
            if (JidPrep.IsNormalResource(text))
            {
                seen[1]++;
                Assert.Same(text, Precis.Opaque(text));
            }
            if (JidPrep.IsNormalDomain(text))
            {
                seen[2]++;
                Assert.Same(text, DomainName.Normalize(text));
            }
        }
        Assert.All(seen, count => Assert.True(count > 500, $"only {count}"));
    }

    [Fact]
    public void The_quick_look_answers_for_all_of_ascii()
    {
        for (char c = '\0'; c < 0x80; c++)
        {
            foreach (string text in new[] { $"{c}", $"a{c}", $"a{c}a", $"{c}{c}{c}{c}", $"ab{c}-d", $"\u0430{c}" })
            {
                bool excluded = text.Any(c => "\"&'/:<>@".Contains(c, StringComparison.Ordinal));
                Assert.Equal(Precis.Username(text) == text && !excluded, JidPrep.IsNormalLocal(text));
                Assert.Equal(Precis.Opaque(text) == text, JidPrep.IsNormalResource(text));
                if (text[0] < 0x80) Assert.Equal(DomainName.Normalize(text) == text, JidPrep.IsNormalDomain(text));
            }
        }
    }

    static string Shown(string text) => string.Join(' ', text.Select(c => $"{(int)c:X4}"));
}
