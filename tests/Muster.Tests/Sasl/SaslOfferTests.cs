using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using Muster.Protocol.Xml;
using static Muster.Tests.Sasl.ScramClient;

namespace Muster.Tests.Sasl;

public class SaslOfferTests
{
    static readonly Jid Domain = Jid.Parse("example.org");
    static readonly SaslConnection Tls = new() { Encrypted = true };
    static readonly Jid Romeo = Jid.Parse("romeo@example.org");
    static readonly Jid Juliet = Jid.Parse("juliet@example.org");
    static readonly SaslInputs Inputs = new("nonce+nonce+nonce+nonce", new byte[32], 4096);
    static readonly ScramSecret Secret = ScramSecret.Derive(ScramHash.Sha1, "pencil", new byte[16], 4096)!;

    static SaslOffer Offer(SaslConnection connection) => new(Domain, SaslMechanism.All, connection);

    static SaslOffer Offer(SaslConnection connection, params string[] configured) =>
        new(Domain, [.. configured.Select(name => SaslMechanism.Find(name)!)], connection);

    static SaslStep Start(SaslConnection connection, string mechanism, byte[]? message)
    {
        var exchange = Offer(connection).Begin(mechanism, Inputs, out var failure);
        Assert.Null(failure);
        return exchange!.Start(message);
    }

    static string Condition(SaslStep step) => Assert.IsType<SaslStep.Failure>(step).Reason.Condition;

    [Theory]
    // encrypted, plaintext allowed, binding, certificate
    [InlineData(false, false, false, false, "SCRAM-SHA-256 SCRAM-SHA-1")]
    [InlineData(false, true, false, false, "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN")]
    [InlineData(false, true, true, true, "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN")]
    [InlineData(true, false, false, false, "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN")]
    [InlineData(true, false, true, false, "SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 PLAIN")]
    [InlineData(true, false, true, true,
        "EXTERNAL SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 PLAIN")]
    public void What_is_offered(bool encrypted, bool plaintext, bool binding, bool certificate, string expected)
    {
        var offer = Offer(new SaslConnection
        {
            Encrypted = encrypted,
            PlaintextAllowed = plaintext,
            ChannelBinding = binding ? new byte[32] : null,
            CertificateAddresses = certificate ? [Romeo] : [],
        });
        Assert.Equal(expected, string.Join(' ', offer.Mechanisms));
        Assert.Equal(expected.Contains("PLUS"), offer.HasBinding);
        var element = offer.ToElement();
        Assert.True(element.Is(Namespaces.Sasl, "mechanisms"));
        Assert.Equal(expected, string.Join(' ', element.Elements.Select(e => e.Text)));
    }

    [Fact]
    public void The_configuration_rules_and_orders() => Assert.Equal(
        ["PLAIN", "SCRAM-SHA-1"],
        Offer(Tls, "PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS")
            .Mechanisms.Select(m => m.Name));

    [Theory]
    [InlineData("PLAIN", "encryption-required")]
    [InlineData("SCRAM-SHA-1", "invalid-mechanism")]     // not configured
    [InlineData("SCRAM-SHA-256-PLUS", "invalid-mechanism")]
    [InlineData("EXTERNAL", "invalid-mechanism")]
    [InlineData("DIGEST-MD5", "invalid-mechanism")]
    [InlineData("plain", "invalid-mechanism")]
    [InlineData("", "invalid-mechanism")]
    public void What_is_not_offered_cannot_begin(string mechanism, string condition)
    {
        var offer = Offer(new SaslConnection(), "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "EXTERNAL");
        Assert.Null(offer.Begin(mechanism, Inputs, out var failure));
        Assert.Equal(condition, failure!.Condition);
    }

    [Theory]
    [InlineData("\0user\0pencil", null)]
    [InlineData("\0User\0pencil", null)]
    [InlineData("user@example.org\0user\0pencil", null)]
    [InlineData("admin@example.org\0user\0pencil", "invalid-authzid")]
    [InlineData("user\0user\0pencil", "invalid-authzid")]
    [InlineData("\0user\0crayon", "not-authorized")]
    public void Plain_logs_in_by_the_stored_keys(string message, string? condition)
    {
        var exchange = Offer(Tls).Begin("PLAIN", Inputs, out _)!;
        Assert.Equal(new SaslStep.NeedSecret(Jid.Parse("user@example.org"), null), exchange.Start(Utf8(message)));
        var step = exchange.Supply(Secret);
        if (condition is null) Assert.Equal(new SaslStep.Success(Jid.Parse("user@example.org")), step);
        else Assert.Equal(condition, Condition(step));
    }

    [Fact]
    public void Plain_refuses_an_unknown_user()
    {
        var exchange = Offer(Tls).Begin("PLAIN", Inputs, out _)!;
        exchange.Start(Utf8("\0user\0pencil"));
        Assert.Equal("not-authorized", Condition(exchange.Supply(null)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("user")]
    [InlineData("user\0pencil")]
    [InlineData("\0\0pencil")]
    [InlineData("\0user\0")]
    [InlineData("\0user\0pen\0cil")]
    [InlineData("\0\0")]
    public void Malformed_plain(string message)
    {
        Assert.False(Plain.TryParse(Utf8(message), out _));
        Assert.Equal("malformed-request", Condition(Start(Tls, "PLAIN", Utf8(message))));
    }

    [Fact]
    public void Plain_has_bounds_and_wants_utf8()
    {
        string longest = new('a', Plain.PartBytesMax);
        Assert.True(Plain.TryParse(Utf8($"{longest}\0{longest}\0{longest}"), out var plain));
        Assert.Equal((longest, longest, longest), (plain.Authzid, plain.Username, plain.Password));
        Assert.DoesNotContain(new string('a', Plain.PartBytesMax + 10), plain.ToString());
        Assert.False(Plain.TryParse(Utf8($"a\0{longest}a\0a"), out _));
        Assert.False(Plain.TryParse(Utf8($"a\0a\0{longest}a"), out _));
        Assert.False(Plain.TryParse(Utf8($"{longest}a\0a\0a"), out _));
        Assert.False(Plain.TryParse([0, 0xFF, 0, (byte)'a'], out _));
    }

    [Fact]
    public void Plain_does_not_show_the_password_in_logs()
    {
        Assert.True(Plain.TryParse(Utf8("\0user\0pencil"), out var plain));
        Assert.Equal("PLAIN user", plain.ToString());
    }

    [Theory]
    [InlineData("us\u0007er")]
    [InlineData("us er")]
    [InlineData("user@example.org")]
    [InlineData("user/x")]
    public void A_name_that_no_account_can_have_is_as_good_as_a_wrong_password(string name)
    {
        Assert.Equal("not-authorized", Condition(Start(Tls, "PLAIN", Utf8($"\0{name}\0pencil"))));
        Assert.Equal("not-authorized", Condition(Start(Tls, "SCRAM-SHA-1", Utf8($"n,,n={name},r=abc"))));
    }

    [Theory]
    [InlineData(1, "", "romeo@example.org")]
    [InlineData(1, "romeo@example.org", "romeo@example.org")]
    [InlineData(1, "Romeo@EXAMPLE.org", "romeo@example.org")]
    [InlineData(2, "juliet@example.org", "juliet@example.org")]
    [InlineData(2, "", null)]                              // several: the client must say which
    [InlineData(1, "juliet@example.org", null)]
    [InlineData(1, "romeo@example.org/orchard", null)]
    [InlineData(1, "example.org", null)]
    [InlineData(1, "@", null)]
    public void External_takes_who_the_certificate_names(int addresses, string authzid, string? user)
    {
        var connection = new SaslConnection
        {
            Encrypted = true,
            CertificateAddresses = addresses == 1 ? [Romeo] : [Romeo, Juliet],
        };
        var step = Start(connection, "EXTERNAL", Utf8(authzid));
        if (user is not null) Assert.Equal(new SaslStep.Success(Jid.Parse(user)), step);
        else Assert.Equal("invalid-authzid", Condition(step));
    }

    [Fact]
    public void Malformed_external()
    {
        Assert.False(External.TryParse([0xFF], out _));
        Assert.False(External.TryParse(Utf8("a\0b"), out _));
        Assert.False(External.TryParse(new byte[External.AuthzidBytesMax + 1], out _));
        Assert.True(External.TryParse([], out string? authzid));
        Assert.Equal("", authzid);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("AA==", "00")]
    [InlineData("biws", "6E2C2C")]
    [InlineData("=", null)]
    [InlineData("AA", null)]
    [InlineData("AA=", null)]
    [InlineData("AB==", null)]      // the same byte in another spelling
    [InlineData("bi ws", null)]
    [InlineData("biws\n", null)]
    [InlineData("b-_s", null)]
    [InlineData("AA==AA==", null)]
    public void Base64_is_strict(string text, string? hex)
    {
        Assert.Equal(hex is not null, SaslBase64.TryDecode(text, out byte[]? data));
        Assert.Equal(hex, data is null ? null : Convert.ToHexString(data));
    }

    [Fact]
    public void Base64_has_a_bound()
    {
        Assert.True(SaslBase64.TryDecode(new string('A', SaslBase64.CharsMax), out _));
        Assert.False(SaslBase64.TryDecode(new string('A', SaslBase64.CharsMax + 4), out _));
    }

    [Fact]
    public void No_message_and_an_empty_message_differ()
    {
        Assert.True(SaslBase64.TryDecodeInitial("", out byte[]? data));
        Assert.Null(data);
        Assert.True(SaslBase64.TryDecodeInitial("=", out data));
        Assert.Equal([], data!);
        Assert.True(SaslBase64.TryDecodeInitial("AA==", out data));
        Assert.Equal([0], data!);
        Assert.False(SaslBase64.TryDecodeInitial("==", out _));
        Assert.Null(SaslBase64.EncodeFinal(null));
        Assert.Equal("=", SaslBase64.EncodeFinal([]));
        Assert.Equal("AA==", SaslBase64.EncodeFinal([0]));
    }

    [Fact]
    public void A_failure_as_xml()
    {
        var failure = SaslFailure.NotAuthorized.WithText("No").ToElement();
        Assert.True(failure.Is(Namespaces.Sasl, "failure"));
        Assert.NotNull(failure.Child(Namespaces.Sasl, "not-authorized"));
        Assert.Equal("No", failure.Child("text")!.Text);
        var second = SaslFailure.NotAuthorized.WithText("No").ToElement("urn:xmpp:sasl:2");
        Assert.NotNull(second.Child(Namespaces.Sasl, "not-authorized"));
        Assert.NotNull(second.Child("urn:xmpp:sasl:2", "text"));
    }
}
