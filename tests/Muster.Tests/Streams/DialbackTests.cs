using System.Formats.Asn1;
using System.Text;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Testing;

namespace Muster.Tests.Streams;

/// <summary>Keys and certificates.</summary>
public sealed class DialbackTests
{
    static readonly byte[] Secret = Encoding.ASCII.GetBytes(PeerBench.Secret);

    [Fact]
    [Spec("XEP-0185", "3")]
    public void The_key_of_the_example() => Assert.Equal(
        "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643",
        Dialback.Key(Secret, Jid.Parse("xmpp.example.com"), Jid.Parse("example.org"), "D60000229F"));

    [Fact]
    public void A_key_is_for_one_stream_between_two_domains()
    {
        Jid a = Jid.Parse("a.test"), b = Jid.Parse("b.test");
        string key = Dialback.Key(Secret, a, b, "1");
        Assert.True(Dialback.IsKey($" {key}\n", Secret, a, b, "1"));
        Assert.False(Dialback.IsKey(key, Secret, b, a, "1"));
        Assert.False(Dialback.IsKey(key, Secret, a, b, "2"));
        Assert.False(Dialback.IsKey(key, "other"u8, a, b, "1"));
        Assert.False(Dialback.IsKey("", Secret, a, b, "1"));
    }

    [Theory]
    [Spec("RFC 6125", "6.4")]
    [InlineData("verona.test", "verona.test", true)]
    [InlineData("VERONA.test", "verona.test", true)]
    [InlineData("*.verona.test", "rooms.verona.test", true)]
    [InlineData("*.verona.test", "verona.test", false)]
    [InlineData("*.verona.test", "a.b.verona.test", false)]
    [InlineData("*.test", "verona.test", false)]
    [InlineData("ro*.verona.test", "rooms.verona.test", false)]
    [InlineData("xn--bcher-kva.test", "b\u00fccher.test", true)]
    [InlineData("other.test", "verona.test", false)]
    public void Names_of_a_certificate(string name, string domain, bool matches) => Assert.Equal(matches,
        new PeerCertificate(TestAuthority.Names(name), null).Proves(Jid.Parse(domain)));

    [Theory]
    [Spec("RFC 6120", "13.7.1.2.1")]
    [InlineData("1.3.6.1.5.5.7.8.5", UniversalTagNumber.UTF8String, "verona.test", true)]
    [InlineData("1.3.6.1.5.5.7.8.5", UniversalTagNumber.UTF8String, "user@verona.test", false)]
    [InlineData("1.3.6.1.5.5.7.8.7", UniversalTagNumber.IA5String, "_xmpp-server.verona.test", true)]
    [InlineData("1.3.6.1.5.5.7.8.7", UniversalTagNumber.IA5String, "_xmpp-client.verona.test", false)]
    [InlineData("1.3.6.1.5.5.7.8.9", UniversalTagNumber.UTF8String, "verona.test", false)]
    public void Names_of_other_types(string kind, UniversalTagNumber type, string value, bool matches) =>
        Assert.Equal(matches, new PeerCertificate(TestAuthority.OtherName(kind, type, value), null)
            .Proves(Jid.Parse("verona.test")));

    [Fact]
    public void Names_that_cannot_be_read_prove_nothing()
    {
        byte[] names = TestAuthority.Names("verona.test");
        for (int length = 1; length < names.Length; length++)
            Assert.False(new PeerCertificate(names.AsMemory(0, length), null).Proves(Jid.Parse("verona.test")));
        Assert.Equal("there is none", PeerCertificate.None.ProblemFor(Jid.Parse("verona.test")));
    }
}
