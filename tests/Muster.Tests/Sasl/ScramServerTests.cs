using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using static Muster.Tests.Sasl.ScramClient;

namespace Muster.Tests.Sasl;

public class ScramServerTests
{
    const string ServerNonce = "3rfcNHYJY1ZVvWVs7j";
    const string First = "n,,n=user,r=abc";
    static readonly Jid Domain = Jid.Parse("example.org");
    static readonly Jid User = Jid.Parse("user@example.org");
    static readonly byte[] Pepper = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    static readonly byte[] Salt = Convert.FromBase64String("QSXCR+Q6sek8bf92");
    static readonly byte[] Binding = [.. Enumerable.Range(100, 32).Select(i => (byte)i)];
    static readonly ScramSecret Sha1Secret = ScramSecret.Derive(ScramHash.Sha1, "pencil", Salt, 4096)!;

    static SaslExchange Begin(string mechanism, string nonce = ServerNonce, byte[]? binding = null)
    {
        var connection = new SaslConnection { Encrypted = true, ChannelBinding = binding };
        var exchange = new SaslOffer(Domain, SaslMechanism.All, connection)
            .Begin(mechanism, new SaslInputs(nonce, Pepper, 4096), out var failure);
        Assert.Null(failure);
        return exchange!;
    }

    static string Text(byte[] data) => Encoding.UTF8.GetString(data);

    static string ServerFirst(SaslExchange exchange, string clientFirst, ScramSecret? secret)
    {
        Assert.IsType<SaslStep.NeedSecret>(exchange.Start(Utf8(clientFirst)));
        return Text(Assert.IsType<SaslStep.Challenge>(exchange.Supply(secret)).Data);
    }

    static string Condition(SaslStep step) => Assert.IsType<SaslStep.Failure>(step).Reason.Condition;

    [Fact]
    public void Tls_unique_binds_for_clients_that_know_no_other_type()
    {
        var connection = new SaslConnection { Encrypted = true, ChannelBinding = new byte[32], TlsUnique = Binding };
        var offer = new SaslOffer(Domain, SaslMechanism.All, connection);
        string LogIn(byte[] data)
        {
            var exchange = offer.Begin("SCRAM-SHA-1-PLUS", new SaslInputs(ServerNonce, Pepper, 4096), out _)!;
            string serverFirst = ServerFirst(exchange, "p=tls-unique,,n=user,r=abc", Sha1Secret);
            byte[] header = [.. Utf8("p=tls-unique,,"), .. data];
            var step = exchange.Continue(Final(ScramHash.Sha1, "pencil", "n=user,r=abc", serverFirst, header));
            return step is SaslStep.Success ? "success" : Condition(step);
        }
        Assert.Equal("success", LogIn(Binding));
        Assert.Equal("not-authorized", LogIn(new byte[32]));
    }

    [Theory] // RFC 5802 §5 and RFC 7677 §3
    [InlineData("SCRAM-SHA-1", ScramHash.Sha1, "QSXCR+Q6sek8bf92", "fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j",
        "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "rmF9pqV8S7suAoZWja4dJRkFsKQ=")]
    [InlineData("SCRAM-SHA-256", ScramHash.Sha256, "W22ZaJ0SNY7soEsUEjb6gQ==", "rOprNGfwEbeRWgbNEkqO",
        "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")]
    public void The_examples_of_the_rfcs(
        string mechanism, ScramHash hash, string salt, string cnonce, string snonce, string proof, string signature)
    {
        var exchange = Begin(mechanism, snonce);
        var need = Assert.IsType<SaslStep.NeedSecret>(exchange.Start(Utf8($"n,,n=user,r={cnonce}")));
        Assert.Equal(new SaslStep.NeedSecret(User, hash), need);
        var secret = ScramSecret.Derive(hash, "pencil", Convert.FromBase64String(salt), 4096);
        var challenge = Assert.IsType<SaslStep.Challenge>(exchange.Supply(secret));
        Assert.Equal($"r={cnonce}{snonce},s={salt},i=4096", Text(challenge.Data));
        var success = Assert.IsType<SaslStep.Success>(exchange.Continue(Utf8($"c=biws,r={cnonce}{snonce},p={proof}")));
        Assert.Equal(User, success.User);
        Assert.Equal($"v={signature}", Text(success.Data!));
    }

    [Fact]
    public void Without_initial_response_an_empty_challenge_asks_for_it()
    {
        var exchange = Begin("SCRAM-SHA-1");
        Assert.Empty(Assert.IsType<SaslStep.Challenge>(exchange.Start(null)).Data);
        Assert.IsType<SaslStep.NeedSecret>(exchange.Continue(Utf8(First)));
        string serverFirst = Text(Assert.IsType<SaslStep.Challenge>(exchange.Supply(Sha1Secret)).Data);
        var final = Final(ScramHash.Sha1, "pencil", "n=user,r=abc", serverFirst, Utf8("n,,"));
        Assert.IsType<SaslStep.Success>(exchange.Continue(final));
    }

    [Fact]
    public void A_wrong_password_and_an_unknown_user_fail_alike()
    {
        var known = Begin("SCRAM-SHA-1");
        string serverFirst = ServerFirst(known, First, Sha1Secret);
        var final = Final(ScramHash.Sha1, "crayon", "n=user,r=abc", serverFirst, Utf8("n,,"));
        var unknown = Begin("SCRAM-SHA-1");
        string fakeFirst = ServerFirst(unknown, First, null);
        var fakeFinal = Final(ScramHash.Sha1, "pencil", "n=user,r=abc", fakeFirst, Utf8("n,,"));
        var expected = new SaslStep.Failure(SaslFailure.NotAuthorized);
        Assert.Equal(expected, known.Continue(final));
        Assert.Equal(expected, unknown.Continue(fakeFinal));
        Assert.Equal(serverFirst.Split(',')[2], fakeFirst.Split(',')[2]);
    }

    [Fact]
    public void An_unknown_user_seems_to_have_one_salt_for_ever_and_in_any_spelling()
    {
        string Salt(string clientFirst, string nonce = ServerNonce) =>
            ServerFirst(Begin("SCRAM-SHA-1", nonce), clientFirst, null).Split(',')[1];
        Assert.Equal(Salt("n,,n=user,r=abc"), Salt("n,,n=User,r=xyz", "another+nonce+of+18"));
        Assert.NotEqual(Salt("n,,n=user,r=abc"), Salt("n,,n=user2,r=abc"));
    }

    [Fact]
    public void Names_are_unescaped_and_mapped_to_the_account()
    {
        var need = Begin("SCRAM-SHA-1").Start(Utf8("n,,n=A=2Cb=3D2Cc,r=abc"));
        Assert.Equal("a,b=2cc@example.org", Assert.IsType<SaslStep.NeedSecret>(need).User.ToString());
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("a=user@example.org", true)]
    [InlineData("a=User@Example.ORG", true)]
    [InlineData("a=user", false)]
    [InlineData("a=other@example.org", false)]
    [InlineData("a=user@example.org/phone", false)]
    [InlineData("a=user@example.net", false)]
    public void Nobody_may_act_for_another(string authzid, bool allowed)
    {
        var exchange = Begin("SCRAM-SHA-1");
        string serverFirst = ServerFirst(exchange, $"n,{authzid},n=user,r=abc", Sha1Secret);
        var binding = Utf8($"n,{authzid},");
        var step = exchange.Continue(Final(ScramHash.Sha1, "pencil", "n=user,r=abc", serverFirst, binding));
        if (allowed) Assert.Equal(User, Assert.IsType<SaslStep.Success>(step).User);
        else Assert.Equal(new SaslStep.Failure(SaslFailure.InvalidAuthzid), step);
    }

    [Theory]
    [InlineData("SCRAM-SHA-1-PLUS", ScramHash.Sha1)]
    [InlineData("SCRAM-SHA-256-PLUS", ScramHash.Sha256)]
    public void Plus_binds_to_the_connection(string mechanism, ScramHash hash)
    {
        const string Header = "p=tls-server-end-point,,";
        SaslStep Run(byte[] binding)
        {
            var exchange = Begin(mechanism, binding: Binding);
            var secret = ScramSecret.Derive(hash, "pencil", Salt, 4096);
            string serverFirst = ServerFirst(exchange, Header + "n=user,r=abc", secret);
            return exchange.Continue(Final(hash, "pencil", "n=user,r=abc", serverFirst, binding));
        }
        Assert.IsType<SaslStep.Success>(Run([.. Utf8(Header), .. Binding]));
        byte[] other = [.. Binding[..^1], 0];
        Assert.Equal("not-authorized", Condition(Run([.. Utf8(Header), .. other])));
        Assert.Equal("not-authorized", Condition(Run(Utf8(Header))));
        Assert.Equal("not-authorized", Condition(Run([.. Utf8("n,,"), .. Binding])));
    }

    [Theory]
    [InlineData("SCRAM-SHA-1-PLUS", true, "n,,", "malformed-request")]
    [InlineData("SCRAM-SHA-1-PLUS", true, "y,,", "malformed-request")]
    [InlineData("SCRAM-SHA-1-PLUS", true, "p=tls-unique,,", "not-authorized")]
    [InlineData("SCRAM-SHA-1-PLUS", true, "p=,,", "not-authorized")]
    [InlineData("SCRAM-SHA-1", true, "y,,", "not-authorized")] // a downgrade: -PLUS was offered
    [InlineData("SCRAM-SHA-1", true, "p=tls-server-end-point,,", "malformed-request")]
    [InlineData("SCRAM-SHA-1", false, "p=tls-server-end-point,,", "malformed-request")]
    [InlineData("SCRAM-SHA-1", true, "n,,", null)]
    [InlineData("SCRAM-SHA-1", false, "y,,", null)]
    [InlineData("SCRAM-SHA-1-PLUS", true, "p=tls-server-end-point,,", null)]
    public void The_binding_flag_has_to_fit(string mechanism, bool bindingOffered, string header, string? condition)
    {
        var step = Begin(mechanism, binding: bindingOffered ? Binding : null).Start(Utf8(header + "n=user,r=abc"));
        if (condition is null) Assert.IsType<SaslStep.NeedSecret>(step);
        else Assert.Equal(condition, Condition(step));
    }

    public static TheoryData<string> HostileFirst =>
    [
        "", ",", ",,", "n", "n,", "n,,", "n,,n=user", "n,,r=abc,n=user", "n,,n=user,", "n,,n=user,r=", "n,,n=,r=abc",
        "n,,n=user,r=a b", "n,,n=user,r=ä", "n,,n=user,r=a\u007f", "n,n=user,r=abc", "N,,n=user,r=abc",
        "x,,n=user,r=abc", "n ,,n=user,r=abc", " n,,n=user,r=abc", "n,,m=ext,n=user,r=abc", "n,,n=user,m=ext,r=abc",
        "n,,n=user,r=abc,m=ext", "n,,n=user,r=abc,r=abd", "n,,n=user,r=abc,n=other", "n,,n=user,r=abc,x=1,x=2",
        "n,,n=user,r=abc,x=", "n,,n=user,r=abc,xy", "n,,n=user,r=abc,1=2", "n,,n=user,r=abc,", "n,,n=us=er,r=abc",
        "n,,n=user=,r=abc", "n,,n=user=2c,r=abc", "n,,n==3=2CD,r=abc", "n,a=,n=user,r=abc", "n,b=user,n=user,r=abc",
        "n,a=us=er,n=user,r=abc", "n,a=user,a=user,n=user,r=abc", "n,,n=us\0er,r=abc", "n,,n=user,r=abc\0",
        "n,,a=user,n=user,r=abc", "n,,n=user,r=" + new string('a', 513),
        "n,,n=user,r=abc,x=" + new string('a', SaslExchange.MessageBytesMax),
    ];

    [Theory]
    [MemberData(nameof(HostileFirst))]
    public void Malformed_first_messages(string message)
    {
        var exchange = Begin("SCRAM-SHA-1");
        Assert.Equal("malformed-request", Condition(exchange.Start(Utf8(message))));
        Assert.Throws<InvalidOperationException>(() => exchange.Continue(Utf8(First)));
    }

    [Fact]
    public void Unknown_extensions_are_ignored_and_signed()
    {
        var exchange = Begin("SCRAM-SHA-1");
        string serverFirst = ServerFirst(exchange, First + ",x=1,y=a=b", Sha1Secret);
        var final = Final(ScramHash.Sha1, "pencil", "n=user,r=abc,x=1,y=a=b", serverFirst, Utf8("n,,"));
        Assert.IsType<SaslStep.Success>(exchange.Continue(final));
    }

    [Fact]
    public void Bad_utf8_is_malformed()
    {
        byte[] message = [.. Utf8("n,,n=us"), 0xC0, 0x80, .. Utf8(",r=a")];
        Assert.Equal("malformed-request", Condition(Begin("SCRAM-SHA-1").Start(message)));
    }

    // {n}: the nonce, {p}: the right proof.
    [Theory]
    [InlineData("c=biws,r={n},p={p}", null)]
    [InlineData("", "malformed-request")]
    [InlineData("c=biws,r={n}", "malformed-request")]
    [InlineData("c=biws,p={p}", "malformed-request")]
    [InlineData("r={n},c=biws,p={p}", "malformed-request")]
    [InlineData("c=biws,r={n},p={p},x=1", "malformed-request")]
    [InlineData("c=biws,r={n},p={p},p={p}", "malformed-request")]
    [InlineData("c=biws,r={n},r={n},p={p}", "malformed-request")]
    [InlineData("c=biws,c=biws,r={n},p={p}", "malformed-request")]
    [InlineData("c=biws,r={n},m=x,p={p}", "malformed-request")]
    [InlineData("c=biws,r={n},x=1,x=2,p={p}", "malformed-request")]
    [InlineData("c=biws,r={n},p=", "malformed-request")]
    [InlineData("c=biws,r={n},p=AAAA", "malformed-request")]
    [InlineData("c=biws,r={n},p= {p}", "malformed-request")]
    [InlineData("c=biws\n,r={n},p={p}", "malformed-request")]
    [InlineData("c=bi ws,r={n},p={p}", "malformed-request")]
    [InlineData("c=biw,r={n},p={p}", "malformed-request")]
    [InlineData("c=,r={n},p={p}", "malformed-request")]
    [InlineData("c=biws,r={n}x,p={p}", "not-authorized")]
    [InlineData("c=biws,r=abc,p={p}", "not-authorized")]
    [InlineData("c=eSws,r={n},p={p}", "not-authorized")] // "y,,", though the header was "n,,"
    [InlineData("c=biws,r={n},x=1,p={p}", "not-authorized")] // the proof does not cover the extension
    [InlineData("c=biws,r={n},p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "not-authorized")]
    public void Final_messages(string message, string? condition)
    {
        var exchange = Begin("SCRAM-SHA-1");
        string serverFirst = ServerFirst(exchange, First, Sha1Secret);
        string right = Text(Final(ScramHash.Sha1, "pencil", "n=user,r=abc", serverFirst, Utf8("n,,")));
        string sent = message.Replace("{n}", "abc" + ServerNonce).Replace("{p}", right[(right.IndexOf(",p=") + 3)..]);
        var step = exchange.Continue(Utf8(sent));
        if (condition is null) Assert.IsType<SaslStep.Success>(step);
        else Assert.Equal(condition, Condition(step));
    }

    [Fact]
    public void Every_flipped_bit_of_the_final_message_is_refused()
    {
        string serverFirst = ServerFirst(Begin("SCRAM-SHA-1"), First, Sha1Secret);
        byte[] right = Final(ScramHash.Sha1, "pencil", "n=user,r=abc", serverFirst, Utf8("n,,"));
        for (int bit = 0; bit < right.Length * 8; bit++)
        {
            byte[] wrong = [.. right];
            wrong[bit / 8] ^= (byte)(1 << bit % 8);
            var exchange = Begin("SCRAM-SHA-1");
            ServerFirst(exchange, First, Sha1Secret);
            Assert.IsType<SaslStep.Failure>(exchange.Continue(wrong));
        }
    }

    [Fact]
    public void A_secret_of_the_wrong_hash_is_a_bug_of_the_caller()
    {
        var exchange = Begin("SCRAM-SHA-256");
        exchange.Start(Utf8(First));
        Assert.Throws<ArgumentException>(() => exchange.Supply(Sha1Secret));
    }

    [Fact]
    public void Calls_out_of_order_are_bugs_of_the_caller()
    {
        var exchange = Begin("SCRAM-SHA-1");
        Assert.Throws<InvalidOperationException>(() => exchange.Continue([]));
        Assert.Throws<InvalidOperationException>(() => exchange.Supply(null));
        exchange.Start(Utf8(First));
        Assert.Throws<InvalidOperationException>(() => exchange.Start(Utf8(First)));
        Assert.Throws<InvalidOperationException>(() => exchange.Continue(Utf8(First)));
    }

    [Theory]
    [InlineData("short")]
    [InlineData("with,a,comma,of,18,chars")]
    [InlineData("with a space of 18 chars")]
    public void A_bad_server_nonce_is_a_bug_of_the_caller(string nonce) =>
        Assert.Throws<ArgumentException>(() => Begin("SCRAM-SHA-1", nonce));
}
