using System.Globalization;
using System.Net;
using Muster.Protocol.Addresses;

namespace Muster.Tests.Addresses;

public class DomainNameTests
{
    [Theory]
    [InlineData("example.com", "example.com")]
    [InlineData("localhost", "localhost")]
    [InlineData("EXAMPLE.Com", "example.com")]
    [InlineData("example.com.", "example.com")]
    [InlineData("3com.example", "3com.example")]
    [InlineData("a-b--c.example", "a-b--c.example")]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("my_service.lan", "my_service.lan")]                  // see DomainName.IsAsciiLabel
    [InlineData("_xmpp._tcp.example", "_xmpp._tcp.example")]
    [InlineData("\uff25xample\uff0e\u3002com", null)]                 // two dots
    [InlineData("\uff25xample\uff0ecom", "example.com")]              // RFC 5895: width, dots
    [InlineData("example\u3002com\uff61", "example.com")]
    [InlineData("M\u00dcNCHEN.example", "m\u00fcnchen.example")]
    [InlineData("mu\u0308nchen.example", "m\u00fcnchen.example")]
    [InlineData("xn--mnchen-3ya.example", "m\u00fcnchen.example")]
    [InlineData("XN--MNCHEN-3YA.example", "m\u00fcnchen.example")]
    [InlineData("stra\u00dfe.example", "stra\u00dfe.example")]        // valid since IDNA2008
    [InlineData("xn--strae-oqa.example", "stra\u00dfe.example")]
    [InlineData("\u03b2\u03cc\u03bb\u03bf\u03c2.com", "\u03b2\u03cc\u03bb\u03bf\u03c2.com")]
    [InlineData("xn--nxasmm1c.com", "\u03b2\u03cc\u03bb\u03bf\u03c2.com")]
    [InlineData("\u0130.example", "i\u0307.example")]
    [InlineData("\u65e5\u672c\u8a9e\u3002jp", "\u65e5\u672c\u8a9e.jp")]
    [InlineData("\u30a2\u30fb\u30a2.jp", "\u30a2\u30fb\u30a2.jp")]
    [InlineData("\u05d0\u05d1.example", "\u05d0\u05d1.example")]
    [InlineData("\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com", "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com")]
    [InlineData("xn--mgba3gch31f060k.com", "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.com")]
    [InlineData("[::1]", "[::1]")]
    [InlineData("[::1].", "[::1]")]
    [InlineData("[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]")]
    [InlineData("[0:0:0:0:0:ffff:192.0.2.1]", "[::ffff:192.0.2.1]")]
    [InlineData("", null)]
    [InlineData(".", null)]
    [InlineData("..", null)]
    [InlineData(".example", null)]
    [InlineData("example..com", null)]
    [InlineData("example.com..", null)]
    [InlineData("-example.com", null)]
    [InlineData("example-.com", null)]
    [InlineData("ab--cd.example", null)]                              // reserved LDH label
    [InlineData("exa mple.com", null)]
    [InlineData("example.com:5222", null)]
    [InlineData("example,com", null)]
    [InlineData("ex@mple.com", null)]
    [InlineData("\u00fc_b.example", null)]                            // no underscore in a U-label
    [InlineData("xn--.example", null)]
    [InlineData("xn---.example", null)]
    [InlineData("xn--abc-.example", null)]                            // Punycode of ASCII
    [InlineData("xn--mnchen-3ya!.example", null)]
    [InlineData("xn--99999999999.example", null)]                     // overflows
    [InlineData("xn--mnchen-3y.example", null)]                       // ends within a number
    [InlineData("xn--Mnchen-3ya\u00fc.example", null)]
    [InlineData("xn--zca-\u00df.example", null)]
    [InlineData("xn--u-ccb.example", null)]                           // u and a diaeresis: not NFC
    [InlineData("xn--tda-.example", null)]
    [InlineData("xn--mnchen-gra.example", null)]                      // MÜNCHEN's capital letter
    [InlineData("xn--o3cw4h.example", "\u0e44\u0e17\u0e22.example")]
    [InlineData("\u0301a.example", null)]                             // begins with a mark
    [InlineData("\u00fc-.example", null)]
    [InlineData("-\u00fc.example", null)]
    [InlineData("\u00fcbc--d.example", "\u00fcbc--d.example")]
    [InlineData("\u00fc---c.example", null)]
    [InlineData("\u265a.example", null)]
    [InlineData("\u2163.example", null)]
    [InlineData("\u00b7.example", null)]
    [InlineData("a\u200bb.example", null)]
    [InlineData("a\u200db.example", null)]
    [InlineData("a\u00adb.example", null)]
    [InlineData("\ud834\udd5e.example", null)]                        // a musical symbol
    [InlineData("\u05d0a.example", null)]                             // Bidi Rule in the label
    [InlineData("\u05d0.1a.example", null)]                           // and in its neighbours
    [InlineData("1a.example", "1a.example")]
    [InlineData("[]", null)]
    [InlineData("[", null)]
    [InlineData("[::1", null)]
    [InlineData("::1", null)]
    [InlineData("[::1]x", null)]
    [InlineData("[::1]..", null)]
    [InlineData("[127.0.0.1]", null)]
    [InlineData("[::1%25eth0]", null)]
    [InlineData("[::1]:5269", null)]
    [InlineData("[:::1]", null)]
    [InlineData("[1:2:3:4:5:6:7]", null)]
    [InlineData("[1:2:3:4:5:6:7:8:9]", null)]
    [InlineData("[12345::]", null)]
    [InlineData("[::ffff:256.0.0.1]", null)]
    [InlineData("[::ffff:01.2.3.4]", null)]
    [InlineData("[::1.2.3]", null)]
    [InlineData("[v1.fe80::a+en1]", null)]
    public void Domains_are_mapped_or_refused(string text, string? expected)
    {
        Assert.Equal(expected is not null, JidPrep.TryDomain(text, out string? domain));
        Assert.Equal(expected, domain);
    }

    [Fact]
    public void A_label_has_63_bytes_as_ascii()
    {
        Assert.True(JidPrep.TryDomain(new string('a', 63), out _));
        Assert.False(JidPrep.TryDomain(new string('a', 64), out _));
        Assert.False(JidPrep.TryDomain(new string('A', 64), out _));
        // "xn--" and "-4ya": 55 letters have room beside one umlaut.
        string longest = "\u00fc" + new string('a', 55);
        Assert.True(Punycode.TryEncode([.. longest.Select(c => (int)c)], out var ace));
        Assert.Equal(59, ace.Count);
        Assert.True(JidPrep.TryDomain(longest, out _));
        Assert.False(JidPrep.TryDomain(longest + "a", out _));
        string aLabel = "xn--" + string.Concat(ace.Select(c => (char)c));
        Assert.True(JidPrep.TryDomain(aLabel, out string? domain));
        Assert.Equal(longest, domain);
    }

    [Theory]
    [InlineData("example.com", "example.com")]
    [InlineData("m\u00fcnchen.my_lan.stra\u00dfe", "xn--mnchen-3ya.my_lan.xn--strae-oqa")]
    [InlineData("[::1]", "[::1]")]
    public void A_domain_has_a_form_for_dns(string domain, string ascii)
    {
        Assert.Equal(ascii, JidPrep.ToAscii(domain));
        Assert.True(JidPrep.TryDomain(ascii, out string? back));
        Assert.Equal(domain, back);
    }

    [Fact]
    public void A_normal_domain_comes_back_itself()
    {
        foreach (string text in new[] { "example.com", "m\u00fcnchen.example", "[::1]" })
        {
            Assert.True(JidPrep.TryDomain(text, out string? domain));
            Assert.Same(text, domain);
        }
    }

    // RFC 5952 §4: no zero leads a group, the longest run of zero groups is left out (of equal ones the first, and not
    // a single group), letters are small; §5: an address with an IPv4 one inside shows it.
    [Theory]
    [InlineData("2001:0DB8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1")]
    [InlineData("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1")]
    [InlineData("2001:0:0:1:0:0:0:1", "2001:0:0:1::1")]
    [InlineData("2001:db8::0:1", "2001:db8::1")]
    [InlineData("2001:db8:1:2:3:4::", "2001:db8:1:2:3:4::")]
    [InlineData("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8")]
    [InlineData("0:0:0:0:0:0:0:0", "::")]
    [InlineData("::FFFF:c000:0201", "::ffff:192.0.2.1")]
    [InlineData("::192.0.2.1", "::c000:201")]
    [InlineData("fe80::5efe:192.0.2.1", "fe80::5efe:c000:201")]
    public void Ipv6_literals_are_spelled_in_one_way(string address, string expected)
    {
        Assert.True(JidPrep.TryDomain($"[{address}]", out string? domain));
        Assert.Equal($"[{expected}]", domain);
    }

    [Fact]
    public void Every_ipv6_address_is_a_fixed_point_and_keeps_its_meaning()
    {
        var random = new Random(6);
        for (int i = 0; i < 2_000; i++)
        {
            var groups = Enumerable.Range(0, 8).Select(_ => random.Next(3) == 0 ? random.Next(0x10000) : 0).ToArray();
            byte[] bytes = [.. groups.SelectMany(group => new[] { (byte)(group >> 8), (byte)group })];
            string full = string.Join(':', groups.Select(group => group.ToString("X4", CultureInfo.InvariantCulture)));
            Assert.True(JidPrep.TryDomain($"[{full}]", out string? domain));
            Assert.Equal(new IPAddress(bytes), IPAddress.Parse(domain[1..^1]));
            Assert.True(JidPrep.TryDomain(domain, out string? again));
            Assert.Same(domain, again);
        }
    }
}
