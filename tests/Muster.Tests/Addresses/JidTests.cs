using Muster.Protocol.Addresses;

namespace Muster.Tests.Addresses;

public class JidTests
{
    // RFC 7622 §3.5 table 1, and what each becomes.
    [Theory]
    [InlineData("juliet@example.com", "juliet", "example.com", "")]
    [InlineData("juliet@example.com/foo", "juliet", "example.com", "foo")]
    [InlineData("juliet@example.com/foo bar", "juliet", "example.com", "foo bar")]
    [InlineData("juliet@example.com/foo@bar", "juliet", "example.com", "foo@bar")]
    [InlineData("foo\\20bar@example.com", "foo\\20bar", "example.com", "")]
    [InlineData("fussball@example.com", "fussball", "example.com", "")]
    [InlineData("fu\u00dfball@example.com", "fu\u00dfball", "example.com", "")]
    [InlineData("\u03c0@example.com", "\u03c0", "example.com", "")]
    [InlineData("\u03a3@example.com/foo", "\u03c3", "example.com", "foo")]
    [InlineData("\u03c3@example.com/foo", "\u03c3", "example.com", "foo")]
    [InlineData("\u03c2@example.com/foo", "\u03c2", "example.com", "foo")]
    [InlineData("king@example.com/\u265a", "king", "example.com", "\u265a")]
    [InlineData("example.com", "", "example.com", "")]
    [InlineData("example.com/foobar", "", "example.com", "foobar")]
    [InlineData("a.example.com/b@example.net", "", "a.example.com", "b@example.net")]
    // Not in the table.
    [InlineData("room@chat.example.com/a/b@c/d", "room", "chat.example.com", "a/b@c/d")]
    [InlineData("JULIET@EXAMPLE.COM/Balcony", "juliet", "example.com", "Balcony")]
    [InlineData("juliet@[::1]/x", "juliet", "[::1]", "x")]
    [InlineData("juliet@example.com./x", "juliet", "example.com", "x")]
    [InlineData("juliet@xn--mnchen-3ya.example", "juliet", "m\u00fcnchen.example", "")]
    // Table 2 #18 calls a leading space invalid; RFC 7622 erratum 4560 takes that back: OpaqueString allows it.
    [InlineData("juliet@example.com/ foo", "juliet", "example.com", " foo")]
    public void Valid_addresses_are_read(string text, string local, string domain, string resource)
    {
        Assert.True(Jid.TryParse(text, out var jid));
        Assert.Equal(local, jid.Local.ToString());
        Assert.Equal(domain, jid.Domain.ToString());
        Assert.Equal(resource, jid.Resource.ToString());
        Assert.Equal(local.Length > 0, jid.HasLocal);
        Assert.Equal(resource.Length > 0, jid.IsFull);
        Assert.Equal(resource.Length == 0, jid.IsBare);
        Assert.Equal(resource.Length == 0 && local.Length == 0, jid.IsDomain);
        Assert.Equal(jid, Jid.Parse(jid.ToString()));
        string? Part(string part) => part.Length > 0 ? part : null;
        Assert.True(Jid.TryCreate(Part(local), domain, Part(resource), out var made));
        Assert.Equal(jid, made);
    }

    // RFC 7622 §3.5 table 2 (without #18), then more of the kind.
    [Theory]
    [InlineData("\"juliet\"@example.com")]
    [InlineData("foo bar@example.com")]
    [InlineData("@example.com/")]
    [InlineData("henry\u2163@example.com")]
    [InlineData("\u265a@example.com")]
    [InlineData("juliet@")]
    [InlineData("/foobar")]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("@")]
    [InlineData("/")]
    [InlineData("@/")]
    [InlineData("@example.com")]
    [InlineData("example.com/")]
    [InlineData("juliet@example.com/")]
    [InlineData("juliet@/balcony")]
    [InlineData("juliet@@example.com")]
    [InlineData("juliet@capulet@example.com")]
    [InlineData("juliet@example.com:5222")]
    [InlineData("xmpp:juliet@example.com")]
    [InlineData(" juliet@example.com")]
    [InlineData("juliet@example.com ")]
    [InlineData("juliet@example.com\n")]
    [InlineData("juliet@example.com/a\tb")]
    [InlineData("jul\uff20iet@example.com")]     // FULLWIDTH COMMERCIAL AT becomes an at-sign after the parts are taken
    [InlineData("juliet@example\uff0fcom")]
    public void Invalid_addresses_are_refused(string? text)
    {
        Assert.False(Jid.TryParse(text, out var jid));
        Assert.True(jid.IsNone);
        if (text is not null) Assert.Throws<FormatException>(() => Jid.Parse(text));
    }

    // XEP-0029 and RFC 3920 had a limit on characters or on the whole; RFC 7622 §3.1 has one on the bytes of each part.
    [Fact]
    public void Each_part_has_its_own_limit_in_bytes()
    {
        string label = new('a', 63);
        string domain = string.Join('.', Enumerable.Repeat(label, 15)) + "." + new string('b', 63);
        Assert.Equal(JidPrep.PartBytesMax, Jid.Parse(domain).Domain.Length);
        string ascii = new('x', JidPrep.PartBytesMax), umlauts = new('\u00fc', 511), kings = new('\u265a', 341);
        foreach (string part in new[] { ascii, umlauts, umlauts + "x" })
        {
            Assert.True(Jid.TryCreate(part, domain, part, out var jid));
            Assert.True(Jid.TryParse(jid.ToString(), out var again));
            Assert.Equal(jid, again);
            Assert.False(Jid.TryCreate(part + "xx", domain, null, out _));
            Assert.False(Jid.TryCreate(null, domain, part + "xx", out _));
        }
        Assert.True(Jid.TryCreate(null, "example.com", kings, out _));
        Assert.False(Jid.TryCreate(null, "example.com", kings + "x", out _));
        Assert.False(Jid.TryCreate(null, domain + "c", null, out _));
        // The limit is on the result: three code points of the first text become one of three bytes.
        string decomposed = string.Concat(Enumerable.Repeat("\u1112\u1161\u11ab", 341));
        Assert.True(Jid.TryCreate(decomposed, "example.com", null, out var hangul));
        Assert.Equal(new string('\ud55c', 341), hangul.Local.ToString());
        Assert.False(Jid.TryCreate(decomposed + decomposed, "example.com", null, out _));
    }

    [Fact]
    public void Equality_is_that_of_the_normal_form()
    {
        var jid = Jid.Parse("Romeo@Example.COM/Orchard");
        Assert.Equal(jid, Jid.Parse("romeo@example.com/Orchard"));
        Assert.Equal(jid.GetHashCode(), Jid.Parse("romeo@example.com/Orchard").GetHashCode());
        Assert.True(jid == Jid.Parse("romeo@example.com./Orchard"));
        Assert.True(jid != Jid.Parse("romeo@example.com/orchard"));
        Assert.NotEqual(jid, jid.Bare);
        Assert.False(jid.Equals("romeo@example.com/Orchard"));
        Assert.Equal("romeo@example.com/Orchard", jid.ToString());
        // The same letters around another separator are another address.
        Assert.NotEqual(Jid.Parse("a.b/c@d"), Jid.Parse("c@d/a.b"));
        Assert.NotEqual(Jid.Parse("romeo/example.com"), Jid.Parse("romeo@example.com"));
    }

    [Fact]
    public void Order_is_ordinal()
    {
        string[] sorted = ["a@b", "a@b/A", "a@b/a", "b", "b@a", "\u00fc@a"];
        var jids = sorted.Reverse().Select(Jid.Parse).Order();
        Assert.Equal(sorted, jids.Select(jid => jid.ToString()));
        Assert.True(Jid.Parse("a@b") < Jid.Parse("a@b/a") && Jid.Parse("a@b/a") > Jid.None);
        Assert.True(Jid.Parse("a@b") <= Jid.Parse("A@B") && Jid.Parse("a@b") >= Jid.Parse("A@B"));
    }

    [Fact]
    public void Bare_and_domain_are_taken_out()
    {
        var full = Jid.Parse("romeo@example.com/orchard");
        Assert.Equal(Jid.Parse("romeo@example.com"), full.Bare);
        Assert.Equal(full.Bare, full.Bare.Bare);
        Assert.Equal("romeo", full.Bare.Local.ToString());
        Assert.Equal("example.com", full.Bare.Domain.ToString());
        Assert.Equal(Jid.Parse("example.com"), full.DomainJid);
        Assert.Equal(full.DomainJid, full.DomainJid.DomainJid);
        Assert.Equal(Jid.Parse("example.com"), Jid.Parse("example.com/x").DomainJid);
    }

    [Theory]
    [InlineData("a@b/c", "a@b/d", true)]
    [InlineData("a@b/c", "a@b", true)]
    [InlineData("a@b", "a@b", true)]
    [InlineData("b/c", "b", true)]
    [InlineData("a@b", "b", false)]
    [InlineData("a@b", "a@c", false)]
    [InlineData("a@b", "aa@b", false)]
    [InlineData("b/a", "a/b", false)]
    [InlineData("a.b/c", "a.b.d/c", false)]
    public void SameBare_looks_at_local_and_domain_alone(string one, string other, bool same)
    {
        Assert.Equal(same, Jid.Parse(one).SameBare(Jid.Parse(other)));
        Assert.Equal(same, Jid.Parse(other).SameBare(Jid.Parse(one)));
        Assert.Equal(same, Jid.Parse(one).Bare == Jid.Parse(other).Bare);
        Assert.False(Jid.None.SameBare(Jid.Parse(one)));
    }

    [Fact]
    public void None_is_nobody()
    {
        var none = Jid.None;
        Assert.True(none.IsNone);
        Assert.False(none.IsBare || none.IsFull || none.IsDomain || none.HasLocal);
        Assert.Equal(0, none.Local.Length + none.Domain.Length + none.Resource.Length);
        Assert.Equal("", none.ToString());
        Assert.Equal(0, none.GetHashCode());
        Assert.Equal(none, none.Bare);
        Assert.Equal(none, none.DomainJid);
        Assert.False(none.TryWithResource("x", out _));
        Assert.Equal(default, none);
    }

    [Theory]
    [InlineData("romeo@example.com", "Orchard", "romeo@example.com/Orchard")]
    [InlineData("romeo@example.com/old", "a/b", "romeo@example.com/a/b")]
    [InlineData("example.com", "x\u00a0y", "example.com/x y")]
    [InlineData("example.com", "", null)]
    [InlineData("example.com", "\u0007", null)]
    public void A_resource_is_put_on_or_exchanged(string jid, string resource, string? expected)
    {
        Assert.Equal(expected is not null, Jid.Parse(jid).TryWithResource(resource, out var full));
        Assert.Equal(expected ?? "", full.ToString());
        if (expected is not null) Assert.Equal(Jid.Parse(expected), full);
    }

    [Fact]
    public void What_is_printed_is_read_again_as_the_same()
    {
        var random = new RandomText(seed: 5);
        int valid = 0;
        for (int i = 0; i < 30_000; i++)
        {
            string text = (i % 3) switch
            {
                0 => $"{random.Next(4)}@{random.Next(4)}/{random.Next(4)}",
                1 => $"{random.Next(3)}@example.com/{random.NextBroken(3)}",
                _ => random.Next(12),
            };
            if (!Jid.TryParse(text, out var jid)) continue;
            valid++;
            Assert.True(Jid.TryParse(jid.ToString(), out var again), text);
            Assert.True(jid == again && jid.GetHashCode() == again.GetHashCode(), text);
            Assert.Equal(jid.Local.Length, again.Local.Length);
            Assert.Equal(jid.Bare, again.Bare);
            Assert.True(Jid.TryParse(jid.Bare.ToString(), out var bare) && bare == jid.Bare, text);
        }
        Assert.True(valid > 1_000, $"only {valid} of the texts were addresses");
    }

    [Theory]
    [InlineData("romeo@montague.example/orchard 1")]
    [InlineData("montague.example")]
    [InlineData("garden@conference.montague.example/\u0410\u043d\u043d\u0430 \ud83c\udf39")]
    [InlineData("\u0430\u043d\u043d\u0430@montague.example")]
    public void Reading_a_normal_address_allocates_nothing(string text)
    {
        Assert.True(Jid.TryParse(text, out var jid));
        Assert.Same(text, jid.ToString());
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) jid = Jid.Parse(text);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
