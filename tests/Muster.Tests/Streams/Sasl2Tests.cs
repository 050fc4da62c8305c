using System.Text;
using Muster.Core.Streams;
using Muster.Testing;

namespace Muster.Tests.Streams;

/// <summary>Logging in and binding in one round trip, and every wrong turn (XEP-0388, XEP-0386,
/// XEP-0198).</summary>
public sealed class Sasl2Tests
{
    const string Header = NegotiationBench.Header;
    const string Agent = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>Balcony</software>" +
        "<device>phone</device></user-agent>";
    const string Bind = "<bind xmlns='urn:xmpp:bind:0'><tag>Balcony</tag></bind>";

    [Fact]
    [Spec("XEP-0388", "feature")]
    [Spec("XEP-0388", "success")]
    public void ALoginIsFollowedByTheFeaturesWithoutANewStream()
    {
        var bench = new NegotiationBench(NegotiationBench.WithTokens);
        Snap.Match(bench.Send(Header), """
            open from=localhost to= id=stream-1
            send <stream:features><mechanisms xmlns='~sasl'><mechanism>PLAIN</mechanism></mechanisms>
               <authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism><inline>
               <bind xmlns='urn:xmpp:bind:0'><inline><feature var='urn:xmpp:carbons:2'/></inline></bind>
               <fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast>
               <sm xmlns='urn:xmpp:sm:3'/></inline></authentication></stream:features>
            """);
        Snap.Match(bench.Send(Authenticate("romeo")), """
            find romeo@localhost
            authenticated romeo@localhost by PLAIN
            send <success xmlns='urn:xmpp:sasl:2'>
               <authorization-identifier>romeo@localhost</authorization-identifier></success>
            lift limits
            send <stream:features><bind xmlns='~bind'/><sm xmlns='urn:xmpp:sm:2'/>
               <sm xmlns='urn:xmpp:sm:3'/><session xmlns='~session'><optional/></session>
               </stream:features>
            """);
        Snap.Match(bench.Send("<iq type='set' id='b1'><bind xmlns='~bind'/></iq>"), """
            bind romeo@localhost
            send <iq id='b1' type='result'><bind xmlns='~bind'><jid>romeo@localhost/made</jid></bind>
               </iq>
            """);
    }

    [Fact]
    [Spec("XEP-0386", "bind-request")]
    [Spec("XEP-0386", "identifiers")]
    public void ALoginBindsWithIt()
    {
        var bench = Opened();
        Snap.Match(bench.Send(Authenticate("romeo", Agent, "<bind xmlns='urn:xmpp:bind:0'><tag>Balcony</tag>" +
            "<enable xmlns='urn:xmpp:carbons:2'/></bind>")), """
            find romeo@localhost
            authenticated romeo@localhost by PLAIN
            bind romeo@localhost Balcony/KzYTxW6FKMLl of e1b3062182d29a28f76b7f032f339dbb with (enable)
            send <success xmlns='urn:xmpp:sasl:2'>
               <authorization-identifier>romeo@localhost/Balcony/KzYTxW6FKMLl</authorization-identifier>
               <bound xmlns='urn:xmpp:bind:0'><done xmlns='urn:xmpp:carbons:2'/></bound></success>
            lift limits
            send <stream:features/>
            """);
        Assert.True(bench.Negotiation.Progress.HasFlag(StreamProgress.Bound));
    }

    [Fact]
    [Spec("XEP-0386", "identifiers")]
    public void TheResourceIsTheSameForTheSameClientAndTagOnly()
    {
        string first = ResourceOf(Opened().Send(Authenticate("romeo", Agent, Bind)));
        Assert.StartsWith("Balcony/", first, StringComparison.Ordinal);
        Assert.Equal(first, ResourceOf(Opened().Send(Authenticate("romeo", Agent, Bind))));
        string otherAgent = Agent.Replace("d4565", "d4566", StringComparison.Ordinal);
        Assert.NotEqual(first, ResourceOf(Opened().Send(Authenticate("romeo", otherAgent, Bind))));
        string otherTag = Bind.Replace("Balcony", "Orchard", StringComparison.Ordinal);
        string second = ResourceOf(Opened().Send(Authenticate("romeo", Agent, otherTag)));
        Assert.NotEqual(first.Split('/')[1], second.Split('/')[1]);
        // XEP-0386 §identifiers: the client's id is not told.
        Assert.DoesNotContain("d4565fa7", first, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutAClientIdTheResourceIsAnotherEachTime()
    {
        var first = Opened();
        string one = ResourceOf(first.Send(Authenticate("romeo", Bind)));
        var second = Opened();
        second.Send(" "); // counts the nonces on
        Assert.NotEqual(one, ResourceOf(second.Send(Authenticate("romeo", Bind))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<tag/>")]
    [InlineData("<tag>&#9;</tag>")]
    [InlineData("long")]
    public void ATagThatNoResourceCanHaveIsLeftOut(string tag)
    {
        if (tag == "long") tag = $"<tag>{new string('x', 1020)}</tag>";
        string resource = ResourceOf(Opened().Send(
            Authenticate("romeo", Agent, $"<bind xmlns='urn:xmpp:bind:0'>{tag}</bind>")));
        Assert.Equal(12, resource.Length);
    }

    [Fact]
    public void ABindThatIsRefusedLeavesTheLoginAndTheClassicBind()
    {
        var bench = Opened();
        Snap.Match(bench.Send(Authenticate("romeo", Agent,
            Bind.Replace("Balcony", "taken", StringComparison.Ordinal))), """
            find romeo@localhost
            authenticated romeo@localhost by PLAIN
            bind romeo@localhost taken/wxfbshqBzHXp of e1b3062182d29a28f76b7f032f339dbb with ()
            send <success xmlns='urn:xmpp:sasl:2'>
               <authorization-identifier>romeo@localhost</authorization-identifier></success>
            lift limits
            send <stream:features><bind xmlns='~bind'/><sm xmlns='urn:xmpp:sm:2'/>
               <sm xmlns='urn:xmpp:sm:3'/><session xmlns='~session'><optional/></session>
               </stream:features>
            """);
        Assert.StartsWith("bind romeo@localhost", bench.Send("<iq type='set' id='b'><bind xmlns='~bind'/></iq>"),
            StringComparison.Ordinal);
    }

    [Fact]
    [Spec("XEP-0198", "5")]
    public void ASessionGoesOnInOneRoundTrip()
    {
        var bench = Opened();
        // What it would have bound is left alone, and no features follow: what has waited does.
        Snap.Match(bench.Send(Authenticate("romeo", Agent, Bind, Resume("known"),
            "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>")), """
            find romeo@localhost
            authenticated romeo@localhost by PLAIN
            issue HT-SHA-256-NONE to romeo@localhost e1b3062182d29a28f76b7f032f339dbb
            resume romeo@localhost known
            send <success xmlns='urn:xmpp:sasl:2'>
               <authorization-identifier>romeo@localhost/before</authorization-identifier>
               <resumed xmlns='urn:xmpp:sm:3' h='5' previd='known'/>
               <token xmlns='urn:xmpp:fast:0' token='issued' expiry='2026-03-25T12:00:00.000Z'/></success>
            lift limits
            """);
        Assert.True(bench.Negotiation.Progress.HasFlag(StreamProgress.Bound));
        Assert.Contains("<not-allowed", bench.Send("<iq type='set' id='b'><bind xmlns='~bind'/></iq>"),
            StringComparison.Ordinal);
    }

    [Fact]
    [Spec("XEP-0198", "5")]
    public void ASessionThatIsGoneIsReplacedInOneRoundTrip()
    {
        Snap.Match(Opened().Send(Authenticate("romeo", Agent, Resume("ended"), Bind)), """
            find romeo@localhost
            authenticated romeo@localhost by PLAIN
            resume romeo@localhost ended
            bind romeo@localhost Balcony/KzYTxW6FKMLl of e1b3062182d29a28f76b7f032f339dbb with ()
            send <success xmlns='urn:xmpp:sasl:2'>
               <authorization-identifier>romeo@localhost/Balcony/KzYTxW6FKMLl</authorization-identifier>
               <failed xmlns='urn:xmpp:sm:3' h='7'><item-not-found xmlns='~stanzas'/></failed>
               <bound xmlns='urn:xmpp:bind:0'/></success>
            lift limits
            send <stream:features/>
            """);
        // Without a wish to bind the stream stays usable for it.
        Snap.Match(Opened().Send(Authenticate("romeo", Resume("stolen"))), """
            find romeo@localhost
            authenticated romeo@localhost by PLAIN
            resume romeo@localhost stolen
            send <success xmlns='urn:xmpp:sasl:2'>
               <authorization-identifier>romeo@localhost</authorization-identifier>
               <failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='~stanzas'/></failed></success>
            lift limits
            send <stream:features><bind xmlns='~bind'/><sm xmlns='urn:xmpp:sm:2'/>
               <sm xmlns='urn:xmpp:sm:3'/><session xmlns='~session'><optional/></session>
               </stream:features>
            """);
    }

    [Theory]
    [InlineData("previd='known'"), InlineData("h='0'"), InlineData(""), InlineData("previd='' h='0'")]
    [InlineData("previd='known' h='-1'"), InlineData("previd='known' h='4294967296'")]
    public void AMalformedWishToResumeCostsNeitherTheLoginNorTheBind(string attributes)
    {
        string effects = Opened().Send(
            Authenticate("romeo", Agent, Bind, $"<resume xmlns='urn:xmpp:sm:3' {attributes}/>"));
        Assert.DoesNotContain("resume romeo", effects, StringComparison.Ordinal);
        Assert.Contains("<failed xmlns='urn:xmpp:sm:3'><bad-request xmlns='~stanzas'/></failed>", Unfolded(effects),
            StringComparison.Ordinal);
        Assert.Contains("<bound xmlns='urn:xmpp:bind:0'/>", effects, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutStreamManagementNothingIsResumedNorOffered()
    {
        var bench = new NegotiationBench(policy =>
            NegotiationBench.WithTokens(policy) with { StreamManagement = false });
        Assert.DoesNotContain("urn:xmpp:sm:", bench.Send(Header), StringComparison.Ordinal);
        string effects = bench.Send(Authenticate("romeo", Agent, Bind, Resume("known")));
        Assert.DoesNotContain("resume romeo", effects, StringComparison.Ordinal);
        Assert.Contains("<failed xmlns='urn:xmpp:sm:3'><feature-not-implemented ", Unfolded(effects),
            StringComparison.Ordinal);
        Assert.Contains("<bound", effects, StringComparison.Ordinal);
    }

    [Fact]
    public void NothingIsResumedForWhoHasNotLoggedIn()
    {
        string effects = Opened().Send(Attempt("romeo", "wrong", Resume("known")));
        Assert.DoesNotContain("resume romeo", effects, StringComparison.Ordinal);
        Assert.DoesNotContain("urn:xmpp:sm:3", effects, StringComparison.Ordinal);
    }

    [Fact]
    [Spec("XEP-0388", "challenge")]
    public void ChallengesAndResponsesAreInItsNamespace()
    {
        var bench = Opened();
        Snap.Match(bench.Send("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>"), """
            send <challenge xmlns='urn:xmpp:sasl:2'/>
            """);
        Snap.Match(bench.Send($"<response xmlns='urn:xmpp:sasl:2'>{Plain("romeo", "romeo")}</response>"), """
            find romeo@localhost
            authenticated romeo@localhost by PLAIN
            send <success xmlns='urn:xmpp:sasl:2'>
               <authorization-identifier>romeo@localhost</authorization-identifier></success>
            lift limits
            send <stream:features><bind xmlns='~bind'/><sm xmlns='urn:xmpp:sm:2'/>
               <sm xmlns='urn:xmpp:sm:3'/><session xmlns='~session'><optional/></session>
               </stream:features>
            """);
    }

    [Fact]
    [Spec("XEP-0388", "failure")]
    public void FailuresAreCountedWithThoseOfTheClassicProfile()
    {
        var bench = Opened();
        Snap.Match(bench.Send(Attempt("romeo", "wrong", Bind)), """
            find romeo@localhost
            send <failure xmlns='urn:xmpp:sasl:2'><not-authorized xmlns='~sasl'/></failure>
            failed romeo@localhost: not-authorized
            """);
        bench.Send(NegotiationBench.Auth("romeo", "wrong"));
        Snap.Match(bench.Send("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>" +
            "<abort xmlns='urn:xmpp:sasl:2'><text>changed my mind</text></abort>"), """
            send <challenge xmlns='urn:xmpp:sasl:2'/>
            send <failure xmlns='urn:xmpp:sasl:2'><aborted xmlns='~sasl'/></failure>
            failed : aborted
            """);
        bench.Send(NegotiationBench.Auth("romeo", "wrong"));
        Assert.EndsWith("close policy-violation: too many failed attempts to log in",
            bench.Send(Attempt("romeo", "wrong")), StringComparison.Ordinal);
    }

    [Fact]
    [Spec("XEP-0388", "initiation")]
    public void TheFromOfTheStreamIsWhoLogsIn()
    {
        var bench = new NegotiationBench(NegotiationBench.WithTokens);
        bench.Send(Header.Replace("to=", "from='juliet@localhost' to=", StringComparison.Ordinal));
        Snap.Match(bench.Send(Authenticate("romeo", Bind)), """
            find romeo@localhost
            send <failure xmlns='urn:xmpp:sasl:2'><invalid-authzid xmlns='~sasl'/></failure>
            failed romeo@localhost: invalid-authzid
            """);
    }

    [Fact]
    [Spec("XEP-0388", "security")]
    public void WithoutTlsItIsNeitherOfferedNorTaken()
    {
        var bench = new NegotiationBench(policy => policy with { Tls = TlsPolicy.Optional });
        Assert.DoesNotContain("urn:xmpp:sasl:2", bench.Send(Header), StringComparison.Ordinal);
        Snap.Match(bench.Send("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-256'>" +
            "<initial-response>biwsbj1yb21lbyxyPWFiYw==</initial-response></authenticate>"), """
            send <failure xmlns='urn:xmpp:sasl:2'><encryption-required xmlns='~sasl'/></failure>
            failed : encryption-required
            """);
        var owed = new NegotiationBench();
        owed.Send(Header);
        Assert.Contains("<encryption-required", owed.Send(Authenticate("romeo")), StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutAMechanismItIsNotOffered()
    {
        var bench = new NegotiationBench(policy => NegotiationBench.WithTokens(policy) with { Mechanisms = [] });
        Assert.DoesNotContain("urn:xmpp:sasl:2", bench.Send(Header), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Wrong => new()
    {
        { "<authenticate xmlns='urn:xmpp:sasl:2'/>", "invalid-mechanism" },
        { "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='X-NONE'/>", "invalid-mechanism" },
        { "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='plain'/>", "invalid-mechanism" },
        { Raw("=", ""), "incorrect-encoding" },
        { Raw("%%%", ""), "incorrect-encoding" },
        { Raw(" AHJvbWVvAHJvbWVv ", ""), "incorrect-encoding" },
        { Raw("", ""), "malformed-request" },
        { Raw("AAAA", ""), "malformed-request" },
        { Raw("AAAA", "<initial-response>AAAA</initial-response>"), "malformed-request" },
        { Raw("AAAA", Agent + Agent), "malformed-request" },
        { Raw("AAAA", $"<user-agent id='{new string('a', 129)}'/>"), "malformed-request" },
        { Raw("AAAA", Bind + Bind), "malformed-request" },
        { Raw("AAAA", Resume("known") + Resume("known")), "malformed-request" },
        { Raw("AAAA", "<fast xmlns='urn:xmpp:fast:0'/>"), "malformed-request" },
        { "<response xmlns='urn:xmpp:sasl:2'>AAAA</response>", "malformed-request" },
        { "<abort xmlns='urn:xmpp:sasl:2'/>", "malformed-request" },
        { "<next xmlns='urn:xmpp:sasl:2' task='TOTP'/>", "malformed-request" },
        { "<task-data xmlns='urn:xmpp:sasl:2'/>", "malformed-request" },
        { "<success xmlns='urn:xmpp:sasl:2'/>", "malformed-request" },
    };

    [Theory, MemberData(nameof(Wrong))]
    public void AWrongRequestFailsInItsNamespace(string xml, string condition)
    {
        string effects = Opened().Send(xml);
        Assert.StartsWith($"send <failure xmlns='urn:xmpp:sasl:2'><{condition} ", effects, StringComparison.Ordinal);
        Assert.DoesNotContain("find", effects, StringComparison.Ordinal);
    }

    [Theory]
    [Spec("XEP-0388", "during")]
    [InlineData("<presence/>")]
    [InlineData("<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>")]
    [InlineData("<auth xmlns='~sasl' mechanism='PLAIN'>=</auth>")]
    [InlineData("<response xmlns='~sasl'>=</response>")]
    [InlineData("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>")]
    [InlineData("<next xmlns='urn:xmpp:sasl:2' task='TOTP'/>")]
    [InlineData("<x xmlns='urn:x'/>")]
    public void NothingElseIsTakenMeanwhile(string xml)
    {
        var bench = Opened();
        bench.Send("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>");
        Assert.Equal("close policy-violation: an authentication is under way", bench.Send(xml));
    }

    [Fact]
    public void TheOtherProfilesAnswerIsNoAnswerToAClassicChallenge()
    {
        var bench = Opened();
        bench.Send("<auth xmlns='~sasl' mechanism='PLAIN'/>");
        Assert.StartsWith("send <failure xmlns='urn:xmpp:sasl:2'><malformed-request",
            bench.Send($"<response xmlns='urn:xmpp:sasl:2'>{Plain("romeo", "romeo")}</response>"),
            StringComparison.Ordinal);
    }

    [Theory]
    [Spec("XEP-0388", "multiple-authentication")]
    [InlineData(true), InlineData(false)]
    public void NobodyLogsInTwice(bool bound)
    {
        var bench = Opened();
        bench.Send(Authenticate("romeo", bound ? Bind : ""));
        Assert.Equal("close policy-violation: this stream has been authenticated", bench.Send(Authenticate("romeo")));
    }

    static string Resume(string token) => $"<resume xmlns='urn:xmpp:sm:3' previd='{token}' h='3'/>";

    // Long lines are broken between elements.
    static string Unfolded(string effects) => effects.Replace("\n   ", "", StringComparison.Ordinal);

    internal static string Authenticate(string user, params string[] children) =>
        Attempt(user, user, string.Concat(children));

    static string Attempt(string user, string password, string? children = null) =>
        Raw(Plain(user, password), children ?? "");

    static string Raw(string response, string children) => "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>" +
        $"<initial-response>{response}</initial-response>{children}</authenticate>";

    static string Plain(string user, string password) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{password}"));

    static NegotiationBench Opened()
    {
        var bench = new NegotiationBench(NegotiationBench.WithTokens);
        bench.Send(Header);
        return bench;
    }

    static string ResourceOf(string effects)
    {
        string line = effects.Split('\n').Single(line => line.StartsWith("bind ", StringComparison.Ordinal));
        return line.Split(' ')[2];
    }
}
