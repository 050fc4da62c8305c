using Muster.Protocol.Addresses;

namespace Muster.Tests.Addresses;

public class PunycodeTests
{
    // From the samples of RFC 3492 §7.1, lower-cased.
    [Theory]
    [InlineData("egbpdaj6bu4bxfgehfvwxn",
        "\u0644\u064a\u0647\u0645\u0627\u0628\u062a\u0643\u0644\u0645\u0648\u0634\u0639\u0631\u0628\u064a\u061f")]
    [InlineData("ihqwcrb4cv8a8dqg056pqjye", "\u4ed6\u4eec\u4e3a\u4ec0\u4e48\u4e0d\u8bf4\u4e2d\u6587")]
    [InlineData("3b-ww4c5e180e575a65lsy2b", "3\u5e74b\u7d44\u91d1\u516b\u5148\u751f")]
    [InlineData("mnchen-3ya", "m\u00fcnchen")]
    [InlineData("tda", "\u00fc")]
    [InlineData("abc-", "abc")]
    [InlineData("", "")]
    [InlineData("lp8h", "\ud83d\udc40")]
    public void Samples(string encoded, string text)
    {
        Assert.True(Precis.TryDecode(text, out var codePoints));
        Assert.True(Punycode.TryEncode([.. codePoints], out var written));
        Assert.Equal(encoded, string.Concat(written.Select(c => (char)c)));
        Assert.Equal(codePoints, Punycode.Decode([.. encoded.Select(c => (int)c)]));
    }

    [Theory]
    [InlineData("!")]
    [InlineData("mnchen-3y")]                  // ends within a number
    [InlineData("a-\u00fc")]
    [InlineData("99999999")]                   // beyond Unicode
    [InlineData("9999999999999999999999999")]  // beyond any number
    [InlineData("aA")]                         // the caller lower-cases
    public void What_is_no_punycode_is_refused(string encoded) =>
        Assert.Null(Punycode.Decode([.. encoded.Select(c => (int)c)]));

    [Fact]
    public void There_and_back()
    {
        var random = new RandomText(seed: 3);
        for (int i = 0; i < 10_000; i++)
        {
            int[] text = random.CodePoints(20);
            if (!Punycode.TryEncode(text, out var encoded)) continue;
            Assert.DoesNotContain(encoded, c => c > 0x7f);
            if (encoded.Exists(c => c is >= 'A' and <= 'Z')) continue;
            Assert.Equal(text, Punycode.Decode([.. encoded]));
        }
    }

    [Fact]
    public void Noise_is_read_or_refused_but_never_breaks()
    {
        var random = new Random(4);
        int read = 0;
        for (int i = 0; i < 20_000; i++)
        {
            int[] noise = new int[random.Next(1, 64)];
            for (int j = 0; j < noise.Length; j++) noise[j] = "abcdefghijklmnopqrstuvwxyz0123456789-"[random.Next(37)];
            if (Punycode.Decode(noise) is not { } text) continue;
            read++;
            Assert.DoesNotContain(text, cp => cp is < 0 or (>= 0xd800 and <= 0xdfff) or > 0x10ffff);
        }
        Assert.True(read > 100);
    }

    [Fact]
    public void A_text_that_no_label_can_hold_is_refused()
    {
        int[] tooLong = new int[64];
        Array.Fill(tooLong, 'a');
        Assert.False(Punycode.TryEncode(tooLong, out _));
        Assert.Null(Punycode.Decode(tooLong));
        int[] wide = [.. Enumerable.Range(0, 60).Select(i => 0x10000 + i * 997)];
        Assert.False(Punycode.TryEncode(wide, out _));
    }
}
