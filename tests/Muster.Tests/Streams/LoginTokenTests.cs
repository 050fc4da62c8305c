using System.Text;
using Muster.Core.Streams;
using Muster.Protocol.Sasl;
using Muster.Testing;

namespace Muster.Tests.Streams;

/// <summary>Tokens in the negotiation (XEP-0484).</summary>
public sealed class LoginTokenTests
{
    const string Agent = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>";
    const string Fast = "<fast xmlns='urn:xmpp:fast:0'/>";
    const string Bind = "<bind xmlns='urn:xmpp:bind:0'/>";

    static readonly DateTimeOffset Now = NegotiationBench.Now;
    static readonly LoginToken Good = new("good", "HT-SHA-256-NONE", Now.AddHours(-1), Now.AddDays(20));

    [Fact]
    [Spec("XEP-0484", "token-response")]
    public void ATokenIsGivenOutWithTheLogin() => Snap.Match(Opened().Send(Sasl2Tests.Authenticate("romeo", Agent,
        "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>")), """
        find romeo@localhost
        authenticated romeo@localhost by PLAIN
        issue HT-SHA-256-NONE to romeo@localhost e1b3062182d29a28f76b7f032f339dbb
        send <success xmlns='urn:xmpp:sasl:2'>
           <authorization-identifier>romeo@localhost</authorization-identifier>
           <token xmlns='urn:xmpp:fast:0' token='issued' expiry='2026-03-25T12:00:00.000Z'/></success>
        lift limits
        send <stream:features><bind xmlns='~bind'/><sm xmlns='urn:xmpp:sm:2'/>
           <sm xmlns='urn:xmpp:sm:3'/><session xmlns='~session'><optional/></session>
           </stream:features>
        """);

    [Theory]
    [InlineData("", "HT-SHA-256-NONE")] // the client does not say which it is
    [InlineData(Agent, "HT-SHA-256-ENDP")] // not offered without TLS
    [InlineData(Agent, "HT-SHA-512-NONE")]
    [InlineData(Agent, "PLAIN")]
    [InlineData(Agent, "")]
    public void WhatCannotBeGivenOutIsLeftOut(string agent, string mechanism)
    {
        string effects = Opened().Send(Sasl2Tests.Authenticate("romeo", agent,
            $"<request-token xmlns='urn:xmpp:fast:0' mechanism='{mechanism}'/>"));
        Assert.DoesNotContain("issue", effects, StringComparison.Ordinal);
        Assert.Contains("send <success", effects, StringComparison.Ordinal);
    }

    [Fact]
    public void AStoreThatIsAwayCostsTheTokenAndNotTheLogin()
    {
        var bench = Opened();
        bench.Issues = false;
        string effects = bench.Send(Sasl2Tests.Authenticate("romeo", Agent,
            "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"));
        Assert.Contains("issue HT-SHA-256-NONE", effects, StringComparison.Ordinal);
        Assert.Contains("<success", effects, StringComparison.Ordinal);
        Assert.DoesNotContain("<token", effects, StringComparison.Ordinal);
    }

    [Fact]
    [Spec("XEP-0484", "fast-auth")]
    public void ATokenLogsInAndBindsInOneRoundTrip()
    {
        var bench = Opened(Good);
        Snap.Match(bench.Send(Use("good", Agent, "<fast xmlns='urn:xmpp:fast:0' count='7'/>", Bind)), """
            find tokens of romeo@localhost e1b3062182d29a28f76b7f032f339dbb
            use good count=7 invalidates=False
            authenticated romeo@localhost by HT-SHA-256-NONE
            bind romeo@localhost 7TqfAdFuzMHf of e1b3062182d29a28f76b7f032f339dbb with ()
            send <success xmlns='urn:xmpp:sasl:2'>
               <additional-data>Ednjp3aGxyFzL5EHqLo6MkZ+5daldBF8+/FxsQWT0kc=</additional-data>
               <authorization-identifier>romeo@localhost/7TqfAdFuzMHf</authorization-identifier>
               <bound xmlns='urn:xmpp:bind:0'/></success>
            lift limits
            send <stream:features/>
            """);
        byte[] answer = HashedToken.Sha256.Answer("good", []);
        Assert.Equal("Ednjp3aGxyFzL5EHqLo6MkZ+5daldBF8+/FxsQWT0kc=", Convert.ToBase64String(answer));
    }

    [Fact]
    [Spec("XEP-0484", "token-rotation")]
    public void AnOldTokenIsReplaced()
    {
        string effects = Opened(Good with { CreatedAt = Now.AddDays(-2) }).Send(Use("good", Agent, Fast));
        Assert.Contains("issue HT-SHA-256-NONE to romeo@localhost", effects, StringComparison.Ordinal);
        Assert.Contains("token='issued'", effects, StringComparison.Ordinal);
    }

    [Fact]
    [Spec("XEP-0484", "invalidation")]
    public void ATokenThatIsGivenUpIsNotReplacedUnlessAnotherIsAskedFor()
    {
        const string GiveUp = "<fast xmlns='urn:xmpp:fast:0' invalidate='true'/>";
        var old = Good with { CreatedAt = Now.AddDays(-2) };
        string effects = Opened(old).Send(Use("good", Agent, GiveUp));
        Assert.Contains("use good count= invalidates=True", effects, StringComparison.Ordinal);
        Assert.DoesNotContain("issue", effects, StringComparison.Ordinal);
        Assert.Contains("<success", effects, StringComparison.Ordinal);
        effects = Opened(old).Send(Use("good", Agent, GiveUp,
            "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"));
        Assert.Contains("issue", effects, StringComparison.Ordinal);
    }

    [Fact]
    public void OfTwoTokensEachIsGood()
    {
        var fresh = Good with { Text = "fresh" };
        Assert.Contains("use good", Opened(fresh, Good).Send(Use("good", Agent, Fast)), StringComparison.Ordinal);
        Assert.Contains("use fresh", Opened(fresh, Good).Send(Use("fresh", Agent, Fast)), StringComparison.Ordinal);
    }

    public static TheoryData<string, LoginToken, string> Refused => new()
    {
        { Use("bad", Agent, Fast), Good, "not-authorized" },
        { Use("good", Agent, Fast), Good with { ExpiresAt = Now }, "credentials-expired" },
        { Use("bad", Agent, Fast), Good with { ExpiresAt = Now }, "not-authorized" },
        { Use("good", Agent, Fast), Good with { Mechanism = "HT-SHA-256-ENDP" }, "not-authorized" },
        { Use("good", Agent, Counted("7")), Good with { LastCount = 7 }, "not-authorized" },
        { Use("good", Agent, Counted("-1")), Good, "malformed-request" },
        { Use("good", Agent, Counted("9999999999999999999")), Good, "malformed-request" },
        { Use("good", Agent, Counted("")), Good, "malformed-request" },
        { Use("good", Agent, "<fast xmlns='urn:xmpp:fast:0' invalidate='yes'/>"), Good, "malformed-request" },
        { Use("good", Agent, Fast + Fast), Good, "malformed-request" },
        { Use("good", Agent), Good, "malformed-request" },
        { Use("good", Fast), Good, "malformed-request" },
        { Use("good", Agent, Fast).Replace("NONE", "ENDP", StringComparison.Ordinal), Good, "invalid-mechanism" },
        { Use("good", Agent, Fast).Replace("NONE", "UNIQ", StringComparison.Ordinal), Good, "malformed-request" },
        { Raw("romeo\0short"), Good, "malformed-request" },
        { Raw(new string('\0', 40)), Good, "malformed-request" },
        { Raw("@@@\0" + new string('x', 32)), Good, "not-authorized" },
        { Raw("nobody\0" + new string('x', 32)), Good, "not-authorized" },
        { Raw("away\0" + new string('x', 32)), Good, "temporary-auth-failure" },
        { Use("good", Agent, Fast, user: "tybalt"), Good, "account-disabled" },
        { Use("bad", Agent, Fast, user: "tybalt"), Good, "not-authorized" },
    };

    [Theory, MemberData(nameof(Refused))]
    [Spec("XEP-0484", "rules-servers")]
    public void ATokenThatIsNotGoodIsRefused(string xml, LoginToken token, string condition)
    {
        string effects = Opened(token).Send(xml);
        Assert.Contains($"send <failure xmlns='urn:xmpp:sasl:2'><{condition} ", effects, StringComparison.Ordinal);
        Assert.DoesNotContain("use ", effects, StringComparison.Ordinal);
        Assert.DoesNotContain("bind ", effects, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "not-authorized")]
    [InlineData(null, "temporary-auth-failure")]
    public void ATokenThatIsTakenBackMeanwhileIsRefused(bool? use, string condition)
    {
        var bench = Opened(Good);
        bench.Use = use;
        string effects = bench.Send(Use("good", Agent, Fast, Bind));
        Assert.Contains($"<{condition} ", effects, StringComparison.Ordinal);
        Assert.DoesNotContain("bind ", effects, StringComparison.Ordinal);
    }

    [Fact]
    public void WhereTokensAreOffNoneIsOfferedTakenOrGivenOut()
    {
        var bench = new NegotiationBench(policy => NegotiationBench.WithTokens(policy) with { OffersTokens = false });
        bench.Tokens.Add(Good);
        Assert.DoesNotContain("urn:xmpp:fast:0", bench.Send(NegotiationBench.Header), StringComparison.Ordinal);
        Assert.Contains("<invalid-mechanism", bench.Send(Use("good", Agent, Fast)), StringComparison.Ordinal);
        Assert.DoesNotContain("issue", bench.Send(Sasl2Tests.Authenticate("romeo", Agent,
            "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>")), StringComparison.Ordinal);
    }

    [Fact]
    [Spec("XEP-0484", "support")]
    public void InsideTlsATokenIsBoundToTheCertificate()
    {
        var bench = new NegotiationBench(
            policy => NegotiationBench.WithTokens(policy) with { PlaintextAllowed = false });
        bench.Handle(new NegotiationInput.TlsStarted([1, 2, 3], []));
        bench.Tokens.Add(Good with { Mechanism = "HT-SHA-256-ENDP" });
        string features = bench.Send(NegotiationBench.Header).Replace("\n   ", "", StringComparison.Ordinal);
        Assert.Contains("<fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-ENDP</mechanism>", features,
            StringComparison.Ordinal);
        Assert.Contains("urn:xmpp:sasl-cb:0", features, StringComparison.Ordinal); // XEP-0440
        string Bound(byte[] binding) => Raw(
            "romeo\0" + Encoding.Latin1.GetString(HashedToken.Sha256EndPoint.Prove("good", binding)))
            .Replace("NONE", "ENDP", StringComparison.Ordinal);
        Assert.Contains("<not-authorized", bench.Send(Bound([1, 2, 4])), StringComparison.Ordinal);
        Assert.Contains("<not-authorized", bench.Send(Bound([])), StringComparison.Ordinal);
        // A token that was given out for the one mechanism is not good for the other.
        Assert.Contains("<not-authorized", bench.Send(Use("good", Agent, Fast)), StringComparison.Ordinal);
        Assert.Contains("use good", bench.Send(Bound([1, 2, 3])), StringComparison.Ordinal);
    }

    static string Counted(string count) => $"<fast xmlns='urn:xmpp:fast:0' count='{count}'/>";

    static string Use(string token, string first, string second = "", string third = "", string user = "romeo") => Raw(
        $"{user}\0" + Encoding.Latin1.GetString(HashedToken.Sha256.Prove(token, [])), first + second + third);

    static string Raw(string message, string children = Agent + Fast) =>
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-NONE'><initial-response>" +
        $"{Convert.ToBase64String(Encoding.Latin1.GetBytes(message))}</initial-response>{children}</authenticate>";

    static NegotiationBench Opened(params LoginToken[] tokens)
    {
        var bench = new NegotiationBench(NegotiationBench.WithTokens);
        bench.Tokens.AddRange(tokens);
        bench.Send(NegotiationBench.Header);
        return bench;
    }
}
