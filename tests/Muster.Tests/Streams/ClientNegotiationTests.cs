using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using Muster.Testing;

namespace Muster.Tests.Streams;

/// <summary>Whole negotiations, and every wrong turn.</summary>
public sealed class ClientNegotiationTests
{
    const string Header = NegotiationBench.Header;
    const string StartTls = "<starttls xmlns='~tls'/>";
    const string Bind = "<iq type='set' id='b'><bind xmlns='~bind'/></iq>";
    const string Session = "<iq type='set' id='s'><session xmlns='~session'/></iq>";

    [Fact]
    [Spec("RFC 6120", "4.2")]
    [Spec("RFC 6120", "5.4")]
    [Spec("RFC 6120", "6.4")]
    [Spec("RFC 6120", "7.6")]
    public void StartTlsThenLoginThenBind()
    {
        var bench = new NegotiationBench(policy => policy with
        {
            ServerFeatures = (progress, _) =>
                [new("urn:x", progress.HasFlag(StreamProgress.Authenticated) ? "in" : "out")],
        });
        Snap.Match(bench.Send(Header.Replace("to=", "from='romeo@localhost' to=", StringComparison.Ordinal)), """
            open from=localhost to=romeo@localhost id=stream-1
            send <stream:features><starttls xmlns='~tls'><required/></starttls></stream:features>
            """);
        Snap.Match(bench.Send(StartTls), """
            send <proceed xmlns='~tls'/> and start TLS
            """);
        Snap.Match(bench.Send(Header), """
            open from=localhost to= id=stream-3
            send <stream:features><mechanisms xmlns='~sasl'><mechanism>SCRAM-SHA-256-PLUS</mechanism>
               <mechanism>SCRAM-SHA-256</mechanism><mechanism>SCRAM-SHA-1-PLUS</mechanism>
               <mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism></mechanisms>
               <sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>
               <channel-binding type='tls-server-end-point'/></sasl-channel-binding>
               <authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256-PLUS</mechanism>
               <mechanism>SCRAM-SHA-256</mechanism><mechanism>SCRAM-SHA-1-PLUS</mechanism>
               <mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism><inline>
               <bind xmlns='urn:xmpp:bind:0'/><sm xmlns='urn:xmpp:sm:3'/></inline></authentication>
               <out xmlns='urn:x'/></stream:features>
            """);
        Snap.Match(bench.Send(NegotiationBench.Auth("romeo")), """
            find romeo@localhost
            send <success xmlns='~sasl'/>
            authenticated romeo@localhost by PLAIN
            restart
            """);
        Snap.Match(bench.Send(Header), """
            open from=localhost to= id=stream-5
            send <stream:features><bind xmlns='~bind'/><sm xmlns='urn:xmpp:sm:2'/>
               <sm xmlns='urn:xmpp:sm:3'/><session xmlns='~session'><optional/></session>
               <in xmlns='urn:x'/></stream:features>
            """);
        Snap.Match(bench.Send("<iq type='set' id='b1'><bind xmlns='~bind'>" +
            "<resource>orchard</resource></bind></iq>"), """
            bind romeo@localhost orchard
            send <iq id='b1' type='result'><bind xmlns='~bind'><jid>romeo@localhost/orchard</jid>
               </bind></iq>
            """);
        Snap.Match(bench.Send(Session), """
            send <iq id='s' type='result'/>
            """);
        Snap.Match(bench.Send("</stream:stream>"), """
            close
            """);
    }

    [Fact]
    [Spec("RFC 6120", "6.4.5")]
    [Spec("RFC 6120", "6.5")]
    public void FiveFailuresEndTheStream()
    {
        var bench = new NegotiationBench(NegotiationBench.Plaintext);
        bench.Send(Header);
        Snap.Match(bench.Send(NegotiationBench.Auth("romeo", "wrong")), """
            find romeo@localhost
            send <failure xmlns='~sasl'><not-authorized/></failure>
            failed romeo@localhost: not-authorized
            """);
        Snap.Match(bench.Send(NegotiationBench.Auth("nobody")), """
            find nobody@localhost
            send <failure xmlns='~sasl'><not-authorized/></failure>
            failed nobody@localhost: not-authorized
            """);
        Snap.Match(bench.Send("<auth xmlns='~sasl' mechanism='X-NONE'>=</auth>"), """
            send <failure xmlns='~sasl'><invalid-mechanism/></failure>
            failed : invalid-mechanism
            """);
        Snap.Match(bench.Send("<auth xmlns='~sasl' mechanism='PLAIN'>%%%</auth>"), """
            send <failure xmlns='~sasl'><incorrect-encoding/></failure>
            failed : incorrect-encoding
            """);
        Snap.Match(bench.Send("<auth xmlns='~sasl' mechanism='PLAIN'>=</auth>"), """
            send <failure xmlns='~sasl'><malformed-request/></failure>
            failed : malformed-request
            close policy-violation: too many failed attempts to log in
            """);
        Assert.Equal("", bench.Send(NegotiationBench.Auth("romeo")));
    }

    [Fact]
    public void AFailureBeforeTheLastLeavesRoomForSuccess()
    {
        var bench = new NegotiationBench(NegotiationBench.Plaintext);
        bench.Send(Header);
        for (int i = 0; i < 4; i++) bench.Send(NegotiationBench.Auth("romeo", "wrong"));
        Assert.EndsWith("restart", bench.Send(NegotiationBench.Auth("romeo")), StringComparison.Ordinal);
    }

    [Fact]
    [Spec("RFC 6120", "6.4.3")]
    [Spec("RFC 6120", "6.4.4")]
    public void ChallengeAbortAndResponseOutOfOrder()
    {
        var bench = new NegotiationBench(NegotiationBench.Plaintext);
        bench.Send(Header);
        Snap.Match(bench.Send("<auth xmlns='~sasl' mechanism='PLAIN'/>"), """
            send <challenge xmlns='~sasl'/>
            """);
        Snap.Match(bench.Send("<abort xmlns='~sasl'/>"), """
            send <failure xmlns='~sasl'><aborted/></failure>
            failed : aborted
            """);
        Snap.Match(bench.Send("<response xmlns='~sasl'/>"), """
            send <failure xmlns='~sasl'><malformed-request/></failure>
            failed : malformed-request
            """);
        bench.Send("<auth xmlns='~sasl' mechanism='PLAIN'/>");
        string response = NegotiationBench.Auth("romeo").Replace("auth", "response", StringComparison.Ordinal);
        Assert.EndsWith("restart", bench.Send(response), StringComparison.Ordinal);
    }

    [Fact]
    [Spec("RFC 6120", "6.5.2")]
    [Spec("RFC 6120", "6.5.11")]
    public void DisabledAccountsAndAnAbsentDatabaseAreToldApart()
    {
        var bench = new NegotiationBench(NegotiationBench.Plaintext);
        bench.Send(Header);
        Snap.Match(bench.Send(NegotiationBench.Auth("tybalt", "wrong")), """
            find tybalt@localhost
            send <failure xmlns='~sasl'><not-authorized/></failure>
            failed tybalt@localhost: not-authorized
            """);
        Snap.Match(bench.Send(NegotiationBench.Auth("tybalt", "romeo")), """
            find tybalt@localhost
            send <failure xmlns='~sasl'><account-disabled/></failure>
            failed tybalt@localhost: account-disabled
            """);
        Snap.Match(bench.Send(NegotiationBench.Auth("away")), """
            find away@localhost
            send <failure xmlns='~sasl'><temporary-auth-failure/></failure>
            failed away@localhost: temporary-auth-failure
            """);
    }

    [Fact]
    [Spec("XEP-0178", "c2s")]
    public void ACertificateLogsIn()
    {
        var bench = new NegotiationBench(policy => policy with
        {
            Tls = TlsPolicy.NotOffered,
            Mechanisms = [SaslMechanism.External, SaslMechanism.ScramSha256Plus],
        });
        Jid[] addresses = [Jid.Parse("romeo@localhost"), Jid.Parse("romeo@elsewhere")];
        Assert.Equal("", bench.Handle(new NegotiationInput.TlsStarted([1], addresses)));
        Snap.Match(bench.Send(Header), """
            open from=localhost to= id=stream-1
            send <stream:features><mechanisms xmlns='~sasl'><mechanism>EXTERNAL</mechanism>
               <mechanism>SCRAM-SHA-256-PLUS</mechanism></mechanisms>
               <sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>
               <channel-binding type='tls-server-end-point'/></sasl-channel-binding>
               <authentication xmlns='urn:xmpp:sasl:2'><mechanism>EXTERNAL</mechanism>
               <mechanism>SCRAM-SHA-256-PLUS</mechanism><inline><bind xmlns='urn:xmpp:bind:0'/>
               <sm xmlns='urn:xmpp:sm:3'/></inline></authentication></stream:features>
            """);
        Snap.Match(bench.Send("<auth xmlns='~sasl' mechanism='EXTERNAL'>=</auth>"), """
            find romeo@localhost
            send <success xmlns='~sasl'/>
            authenticated romeo@localhost by EXTERNAL
            restart
            """);
    }

    [Fact]
    [Spec("RFC 6120", "7.6.2")]
    [Spec("RFC 6120", "7.7.2")]
    public void BindingMayBeRefusedAndTriedAgain()
    {
        var bench = NegotiationBench.Authenticated();
        Snap.Match(bench.Send("<iq type='set' id='b1'><bind xmlns='~bind'>" +
            "<resource>taken</resource></bind></iq>"), """
            bind romeo@localhost taken
            send <iq from='localhost' to='romeo@localhost' id='b1' type='error'><error type='wait'>
               <resource-constraint xmlns='~stanzas'/></error></iq>
            """);
        Snap.Match(bench.Send(Bind.Replace("'set'", "'get'", StringComparison.Ordinal)), """
            send <iq from='localhost' to='romeo@localhost' id='b' type='error'><error type='modify'>
               <bad-request xmlns='~stanzas'/></error></iq>
            """);
        Snap.Match(bench.Send(Session), """
            send <iq from='localhost' to='romeo@localhost' id='s' type='error'><error type='wait'>
               <unexpected-request xmlns='~stanzas'/><text xmlns='~stanzas'>bind a resource first</text>
               </error></iq>
            """);
        Snap.Match(bench.Send(Bind), """
            bind romeo@localhost
            send <iq id='b' type='result'><bind xmlns='~bind'><jid>romeo@localhost/made</jid></bind>
               </iq>
            """);
        Snap.Match(bench.Send(Bind), """
            send <iq from='localhost' to='romeo@localhost' id='b' type='error'><error type='cancel'>
               <not-allowed xmlns='~stanzas'/><text xmlns='~stanzas'>a resource is bound already</text>
               </error></iq>
            """);
    }

    [Fact]
    [Spec("XEP-0077", "usecases-register")]
    public void RequestsThatNeedNoLoginAreAsked()
    {
        var bench = new NegotiationBench(NegotiationBench.Plaintext);
        bench.Send(Header);
        Snap.Match(bench.Send("<iq type='get' id='r1' to='localhost'><query xmlns='jabber:iq:register'/></iq>"), """
            ask <iq to='localhost' id='r1' type='get'><query xmlns='jabber:iq:register'/></iq>
            send <iq from='localhost' id='r1' type='result'/>
            """);
        Assert.EndsWith("restart", bench.Send(NegotiationBench.Auth("romeo")), StringComparison.Ordinal);
    }

    public static TheoryData<string, string> BadHeaders => new()
    {
        { "to='elsewhere.example' version='1.0'", "host-unknown" },
        { "version='1.0'", "host-unknown" },
        { "to='@' version='1.0'", "host-unknown" },
        { "to='localhost'", "unsupported-version" },
        { "to='localhost' version='0.9'", "unsupported-version" },
        { "to='localhost' version='one'", "unsupported-version" },
        { "to='localhost' version='1.0' from='@'", "invalid-from" },
    };

    [Theory, MemberData(nameof(BadHeaders))]
    [Spec("RFC 6120", "4.7")]
    [Spec("RFC 6120", "4.9.3")]
    public void ABadHeaderIsAnsweredInsideAStream(string attributes, string condition)
    {
        string effects = new NegotiationBench().Send(
            $"<stream:stream {attributes} xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>");
        string[] lines = effects.Split('\n');
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("open from=localhost ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"close {condition}:", lines[1], StringComparison.Ordinal);
    }

    [Theory]
    [Spec("RFC 6120", "4.8")]
    [Spec("RFC 6120", "4.9.3.10")]
    [InlineData($"<stream:stream to='localhost' version='1.0' xmlns='jabber:server' {NegotiationBench.Streams}>")]
    [InlineData("<stream:stream to='localhost' version='1.0' xmlns:stream='http://etherx.jabber.org/streams'>")]
    [InlineData("<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='urn:other'>")]
    public void AnotherNamespaceIsRefused(string header) =>
        Assert.Contains("close invalid-namespace", new NegotiationBench().Send(header), StringComparison.Ordinal);

    [Theory]
    [InlineData("1.0"), InlineData("1.5"), InlineData("2.0"), InlineData("01.00")]
    public void HigherVersionsAreAnsweredWithOurs(string version)
    {
        string effects = new NegotiationBench().Send(Header.Replace("1.0", version, StringComparison.Ordinal));
        Assert.Contains("send <stream:features", effects, StringComparison.Ordinal);
    }

    const string LogInFirst = "close not-authorized: log in first";
    const string BindFirst = "close not-authorized: bind a resource first";
    const string LoggedInAlready = "close policy-violation: this stream has been authenticated";
    const string TlsFailed = "<failure xmlns='~tls'/>\nclose";
    const string RegisterGet = "<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>";

    public static TheoryData<string, string, string> WrongTurns => new()
    {
        // Where the stream stands, what comes, how it ends.
        { "tls owed", "<message to='a@b'><body>x</body></message>", LogInFirst },
        { "tls owed", RegisterGet, LogInFirst },
        { "tls owed", Bind, LogInFirst },
        { "tls owed", Session, LogInFirst },
        { "tls owed", "<proceed xmlns='~tls'/>", TlsFailed },
        { "tls owed", "<x xmlns='urn:x'/>", LogInFirst },
        { "plain", StartTls, TlsFailed },
        { "plain", "<presence/>", LogInFirst },
        { "plain", "<iq type='result' id='1'><query xmlns='jabber:iq:register'/></iq>", LogInFirst },
        { "authenticated", "<message to='a@b'><body>x</body></message>", BindFirst },
        { "authenticated", "<presence/>", BindFirst },
        { "authenticated", "<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>", BindFirst },
        { "authenticated", RegisterGet, BindFirst },
        { "authenticated", StartTls, TlsFailed },
        { "authenticated", NegotiationBench.Auth("romeo"), LoggedInAlready },
        { "authenticated", "<x xmlns='urn:x'/>", "close unsupported-stanza-type: <x/> is not understood here" },
        { "bound", StartTls, TlsFailed },
        { "bound", NegotiationBench.Auth("romeo"), LoggedInAlready },
        { "bound", "<oops", "" },
        { "bound", "</stream:stream>", "close" },
        { "bound", "<!-- no -->", "close restricted-xml: comment" },
    };

    [Theory, MemberData(nameof(WrongTurns))]
    [Spec("RFC 6120", "4.9.3.12")]
    [Spec("RFC 6120", "5.4.2.2")]
    [Spec("RFC 6120", "7.1")]
    public void AWrongTurnHasItsError(string where, string xml, string end)
    {
        var bench = where switch
        {
            "tls owed" => Opened(new NegotiationBench()),
            "plain" => Opened(new NegotiationBench(NegotiationBench.Plaintext)),
            "authenticated" => NegotiationBench.Authenticated(),
            _ => NegotiationBench.Bound(),
        };
        Assert.EndsWith(end, bench.Send(xml), StringComparison.Ordinal);
    }

    [Fact]
    [Spec("RFC 6120", "6.5.4")]
    public void NobodyLogsInBeforeTls()
    {
        string effects = Opened(new NegotiationBench()).Send(NegotiationBench.Auth("romeo"));
        Assert.Contains("<encryption-required/>", effects, StringComparison.Ordinal);
        Assert.DoesNotContain("find", effects, StringComparison.Ordinal);
    }

    [Fact]
    public void OptionalTlsOffersNoPasswordInTheClear()
    {
        string features = new NegotiationBench(policy => policy with { Tls = TlsPolicy.Optional }).Send(Header);
        Assert.Contains("<mechanism>SCRAM-SHA-256</mechanism>", features, StringComparison.Ordinal);
        Assert.DoesNotContain("PLAIN", features, StringComparison.Ordinal);
        Assert.DoesNotContain("PLUS", features, StringComparison.Ordinal);
        Assert.DoesNotContain("<required/>", features, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("to='localhost'", "to='example.org'", "close not-authorized")]
    [InlineData("to=", "from='juliet@localhost' to=", "close invalid-from")]
    [InlineData("to=", "from='romeo@localhost' to=", "</stream:features>")]
    [InlineData("to=", "from='romeo@localhost/orchard' to=", "</stream:features>")]
    public void AfterLoginTheHeaderMustFitIt(string old, string changed, string end)
    {
        var bench = Opened(new NegotiationBench(NegotiationBench.Plaintext));
        bench.Send(NegotiationBench.Auth("romeo"));
        string effects = bench.Send(Header.Replace(old, changed, StringComparison.Ordinal));
        Assert.Contains(end, effects, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<message/>", false)]
    [InlineData("<presence/>", false)]
    [InlineData("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>", false)]
    [InlineData(Bind, true)]
    [InlineData(Session, true)]
    [InlineData("<iq type='set' id='1' to='romeo@localhost'><session xmlns='~session'/></iq>", true)]
    [InlineData("<iq type='set' id='1' to='localhost'><session xmlns='~session'/></iq>", true)]
    [InlineData("<iq type='set' id='1' to='juliet@localhost'><session xmlns='~session'/></iq>", false)]
    [InlineData("<iq type='result' id='1'><bind xmlns='~bind'/></iq>", false)]
    [InlineData(StartTls, true)]
    public void OnlyItsOwnIsClaimedFromABoundClient(string xml, bool claimed) =>
        Assert.Equal(claimed, NegotiationBench.Bound().Negotiation.Claims(TestXml.Parse(NegotiationBench.Long(xml))));

    [Fact]
    public void AnInputOutOfOrderIsABugOfTheConnection()
    {
        var bench = Opened(new NegotiationBench());
        Assert.Throws<InvalidOperationException>(() => bench.Handle(new NegotiationInput.Bound(Jid.Parse("a@b/c"))));
        Assert.Throws<InvalidOperationException>(() => bench.Handle(new NegotiationInput.TlsStarted(null, [])));
        Assert.Throws<InvalidOperationException>(() => bench.Handle(new NegotiationInput.AccountFound(default)));
    }

    static NegotiationBench Opened(NegotiationBench bench)
    {
        bench.Send(Header);
        return bench;
    }
}
