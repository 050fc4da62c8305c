using Muster.Protocol.Addresses;

namespace Muster.Tests.Addresses;

/// <summary>Local parts (UsernameCaseMapped) and resources (OpaqueString).</summary>
public class PrecisTests
{
    [Theory]
    [InlineData("juliet", "juliet")]
    [InlineData("!#$%()*+,-.;=?[\\]^_`{|}~09", "!#$%()*+,-.;=?[\\]^_`{|}~09")]
    [InlineData("JULIET", "juliet")]
    [InlineData("\u00c4rger", "\u00e4rger")]
    [InlineData("A\u0308rger", "\u00e4rger")]
    [InlineData("\uff21\uff42\uff13", "ab3")]                    // fullwidth
    [InlineData("\uff76\uff9e", "\u30ac")]                       // halfwidth katakana and its voicing mark
    [InlineData("\u1f88", "\u1f80")]                             // a title-case letter
    [InlineData("\u0130", "i\u0307")]                            // the one lower case that is two code points
    [InlineData("\ud801\udc00", "\ud801\udc28")]                 // DESERET, beyond the first plane
    [InlineData("\u03a3\u038a\u03a3\u03a5\u03a6\u039f\u03a3",
        "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3")]          // no final sigma
    [InlineData("\u1e9e", "\u00df")]
    [InlineData("\u212a\u212b", "k\u00e5")]                      // canonically equivalent to ordinary letters
    [InlineData("\u1112\u1161\u11ab", "\ud55c")]                 // so are conjoining jamo
    [InlineData("\u05d0\u05d1", "\u05d0\u05d1")]
    [InlineData("\u05d01", "\u05d01")]
    [InlineData("\u0627\u0628\u0660", "\u0627\u0628\u0660")]
    [InlineData("l\u00b7l", "l\u00b7l")]
    [InlineData("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937")]
    public void Local_parts_are_mapped(string text, string expected)
    {
        Assert.True(JidPrep.TryLocal(text, out string? local));
        Assert.Equal(expected, local);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a\u00a0b")]
    [InlineData("a\u3000b")]
    [InlineData("\"")]
    [InlineData("&")]
    [InlineData("'")]
    [InlineData("/")]
    [InlineData(":")]
    [InlineData("<")]
    [InlineData(">")]
    [InlineData("@")]
    [InlineData("\uff1a")]                     // FULLWIDTH COLON becomes one
    [InlineData("\u0000")]
    [InlineData("a\u007f")]
    [InlineData("\u0085")]
    [InlineData("henry\u2163")]                // has a compatibility equivalent
    [InlineData("\ufb01")]                     // LATIN SMALL LIGATURE FI
    [InlineData("\u00b9")]
    [InlineData("\u265a")]                     // symbol
    [InlineData("\u221e")]
    [InlineData("\u201c")]                     // punctuation
    [InlineData("\u16ee")]                     // letter number
    [InlineData("\u0640")]                     // exceptions of RFC 8264 §9.6
    [InlineData("\u3031")]
    [InlineData("a\u034f")]                    // default ignorable
    [InlineData("a\u00ad")]
    [InlineData("a\ufe0f")]
    [InlineData("\u1100")]                     // old Hangul jamo that compose with nothing
    [InlineData("\ue000")]                     // private use
    [InlineData("\uffff")]                     // noncharacter
    [InlineData("\u0378")]                     // unassigned
    [InlineData("\u05d0a")]                    // Bidi Rule: left-to-right in a right-to-left name
    [InlineData("a\u05d0")]
    [InlineData("1\u05d0")]
    [InlineData("\u05d0-")]
    [InlineData("\u05d0\u0660\u00310")]        // Arabic and European digits
    [InlineData("a\u00b7l")]                   // contextual rules of RFC 5892
    [InlineData("\u200d")]
    [InlineData("a\u200db")]
    [InlineData("a\u200cb")]
    [InlineData("\u30fb")]
    [InlineData("\u0375")]
    [InlineData("\u0375a")]
    public void Invalid_local_parts_are_refused(string text)
    {
        Assert.False(JidPrep.TryLocal(text, out string? local));
        Assert.Null(local);
    }

    [Theory]
    [InlineData("Balcony", "Balcony")]
    [InlineData(" foo  bar ", " foo  bar ")]
    [InlineData("a\u00a0b\u3000c\u2003d", "a b c d")]
    [InlineData("\uff21", "\uff21")]                              // no width mapping
    [InlineData("A\u030a", "\u00c5")]
    [InlineData("\u212b", "\u00c5")]
    [InlineData("\u03d2\u0301\u2163\ufb01", "\u03d3\u2163\ufb01")] // NFC, not NFKC
    [InlineData("\u1112\u1161\u11ab", "\ud55c")]
    [InlineData("\"&'/:<>@", "\"&'/:<>@")]
    [InlineData("\u05d0a1", "\u05d0a1")]                          // no directionality rule
    [InlineData("\ud83d\ude00 \ufffd", "\ud83d\ude00 \ufffd")]
    public void Resources_are_mapped(string text, string expected)
    {
        Assert.True(JidPrep.TryResource(text, out string? resource));
        Assert.Equal(expected, resource);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\u0000")]
    [InlineData("a\nb")]
    [InlineData("a\u007f")]
    [InlineData("a\u0085")]
    [InlineData("a\u200bb")]
    [InlineData("a\u200eb")]                   // direction marks
    [InlineData("a\u202eb")]
    [InlineData("\ufeff")]
    [InlineData("\u2764\ufe0f")]               // a variation selector is default ignorable
    [InlineData("\u2028")]
    [InlineData("a\u00b7b")]
    [InlineData("\ud83d\udc69\u200d\ud83d\udcbb")]
    [InlineData("\u1100")]
    [InlineData("\ue000")]
    [InlineData("\ufdd0")]
    [InlineData("\u0378")]
    public void Invalid_resources_are_refused(string text)
    {
        Assert.False(JidPrep.TryResource(text, out string? resource));
        Assert.Null(resource);
    }

    // Not as data of the tests above: xunit would put U+FFFD, a valid symbol, in their place.
    [Fact]
    public void A_surrogate_that_stands_alone_is_refused()
    {
        string[] texts = ["\ud800", "a\udc00", "\udc00\ud800", "a\ud83db", "\u00fc\ud83d", "\ud83d\ud83d\ude00"];
        foreach (string text in texts)
        {
            Assert.False(JidPrep.TryLocal(text, out _));
            Assert.False(JidPrep.TryResource(text, out _));
            Assert.False(JidPrep.TryDomain(text, out _));
            Assert.False(Jid.TryParse($"a@example.com/{text}", out _));
        }
    }

    // RFC 5892 appendix A, in the order of the appendix; FreeformClass has the same rules (RFC 8264 §4.3.2).
    [Theory]
    [InlineData("\u0628\u200c\u0627", true)]         // A.1: D ZWNJ R
    [InlineData("\u0628\u0610\u200c\u0610\u0627", true)]
    [InlineData("\u0627\u200c\u0628", false)]        // R does not join to the left
    [InlineData("\u0628\u200c", false)]
    [InlineData("\u200c\u0628", false)]
    [InlineData("\u0915\u094d\u200c", true)]         // after a virama
    [InlineData("\u0915\u094d\u200d", true)]         // A.2
    [InlineData("\u0628\u200d\u0627", false)]
    [InlineData("l\u00b7l", true)]                   // A.3
    [InlineData("l\u00b7", false)]
    [InlineData("\u00b7l", false)]
    [InlineData("L\u00b7L", false)]
    [InlineData("\u0375\u03b2", true)]               // A.4
    [InlineData("\u03b2\u0375", false)]
    [InlineData("\u05d0\u05f3", true)]               // A.5
    [InlineData("a\u05f3", false)]
    [InlineData("\u05d0\u05f4\u05d1", true)]         // A.6
    [InlineData("\u05f4\u05d1", false)]
    [InlineData("\u30fb\u30a2", true)]               // A.7: Katakana, Hiragana, Han, anywhere
    [InlineData("a\u30fb\u3042", true)]
    [InlineData("\u6f22x\u30fb", true)]
    [InlineData("a\u30fbb", false)]
    [InlineData("\u0661\u0662", true)]               // A.8, A.9
    [InlineData("\u06f1\u06f2", true)]
    [InlineData("\u0661\u06f1", false)]
    [InlineData("\u06f1x\u0661", false)]
    public void Contextual_characters_need_their_context(string text, bool valid) =>
        Assert.Equal(valid, JidPrep.TryResource(text, out _));

    // RFC 5893 §2, condition by condition; the texts pass or fail by that one alone.
    [Theory]
    [InlineData("\u05d0\u05b0", true)]
    [InlineData("\u0300\u05d0", false)]              // 1: begins with a mark
    [InlineData("\u0660\u05d0", false)]              // 1: begins with an Arabic number
    [InlineData("\u05d0\u0915", false)]              // 2
    [InlineData("\u05d0+-\u05d1", true)]
    [InlineData("\u05d0+", false)]                   // 3
    [InlineData("\u05d01\u05b0", true)]
    [InlineData("\u06271\u0661", false)]             // 4
    [InlineData("a\u0661", false)]                   // 5
    public void The_bidi_rule_binds_right_to_left_names(string text, bool valid) =>
        Assert.Equal(valid, JidPrep.TryLocal(text, out _));

    [Theory]
    [InlineData("romeo")]
    [InlineData("\u00e4rger")]
    [InlineData("\u05d0\u05d1")]
    [InlineData("l\u00b7l")]
    [InlineData("q\u0323\u0301")]
    public void A_normal_text_comes_back_itself(string text)
    {
        Assert.True(JidPrep.TryLocal(text, out string? local));
        Assert.Same(text, local);
        Assert.True(JidPrep.TryResource(text, out string? resource));
        Assert.Same(text, resource);
    }

    [Fact]
    public void Very_long_texts_are_refused_quickly()
    {
        // Marks in the worst order for a sort by exchange.
        string marks = string.Concat(Enumerable.Range(0, 1_000_000).Select(i => i % 2 == 0 ? '\u0301' : '\u0323'));
        Assert.False(JidPrep.TryLocal(marks, out _));
        Assert.False(JidPrep.TryLocal(marks[..4000], out _));
        Assert.False(JidPrep.TryResource(marks[..4000], out _));
        Assert.False(JidPrep.TryDomain(marks[..4000], out _));
        Assert.True(JidPrep.TryResource("a" + marks[..500], out string? resource));
        Assert.Equal('\u1ea1', resource[0]);
    }
}
