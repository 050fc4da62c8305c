using Muster.Core.Streams;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Streams;

/// <summary>Whatever comes, in whatever state: the machine answers, never throws, and lets nobody in without a
/// password.</summary>
public sealed class ClientNegotiationFuzzTests
{
    // "romeo", NUL and 32 bytes that no token gives.
    const string ForgedToken = "cm9tZW8AeHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=";

    static readonly string[] Pieces =
    [
        "<starttls xmlns='~tls'/>",
        "<proceed xmlns='~tls'/>",
        "<auth xmlns='~sasl' mechanism='PLAIN'/>",
        "<auth xmlns='~sasl' mechanism='PLAIN'>=</auth>",
        "<auth xmlns='~sasl' mechanism='SCRAM-SHA-256'>biwsbj1yb21lbyxyPWFiYw==</auth>",
        "<auth xmlns='~sasl' mechanism='SCRAM-SHA-1-PLUS'>bm9uc2Vuc2U=</auth>",
        "<auth xmlns='~sasl'><x/></auth>",
        "<response xmlns='~sasl'>AAAA</response>",
        "<response xmlns='~sasl'/>",
        "<abort xmlns='~sasl'/>",
        "<success xmlns='~sasl'/>",
        "<iq type='set' id='1'><bind xmlns='~bind'/></iq>",
        "<iq type='set' id='1'><bind xmlns='~bind'><resource>taken</resource></bind></iq>",
        "<iq type='set'><bind xmlns='~bind'/></iq>",
        "<iq type='get' id='1'><bind xmlns='~bind'/><x/></iq>",
        "<iq type='set' id='1'><session xmlns='~session'/></iq>",
        "<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>",
        "<iq type='set' id='1' to='@'><query xmlns='jabber:iq:register'/></iq>",
        "<iq type='error' id='1'><error/></iq>",
        "<iq/>", "<message/>", "<presence/>", "<message to='juliet@localhost'><body>hello</body></message>",
        "<enable xmlns='urn:xmpp:sm:3'/>", "<resume xmlns='urn:xmpp:sm:3' previd='known' h='0'/>",
        "<resume xmlns='urn:xmpp:sm:2' previd='gone' h='0'/>", "<resume xmlns='urn:xmpp:sm:3'/>",
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>",
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AAAA</initial-response>"
            + "<bind xmlns='urn:xmpp:bind:0'><tag>x</tag></bind></authenticate>",
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>AAAA</initial-response>"
            + "<resume xmlns='urn:xmpp:sm:3' previd='known' h='0'/></authenticate>",
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response/><user-agent id='1'/>"
            + "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/></authenticate>",
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-NONE'><user-agent id='1'/>"
            + "<fast xmlns='urn:xmpp:fast:0' count='1'/><initial-response>" + ForgedToken + "</initial-response>"
            + "<bind xmlns='urn:xmpp:bind:0'/></authenticate>",
        "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-NONE'>"
            + "<fast xmlns='urn:xmpp:fast:0'/></authenticate>",
        "<response xmlns='urn:xmpp:sasl:2'>AAAA</response>", "<abort xmlns='urn:xmpp:sasl:2'/>",
        "<next xmlns='urn:xmpp:sasl:2' task='x'/>", "<success xmlns='urn:xmpp:sasl:2'/>",
        "<error xmlns='http://etherx.jabber.org/streams'/>", "<x xmlns='urn:x'/>",
    ];

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(5)]
    public void NobodyGetsInByChance(int seed)
    {
        var random = new Random(seed);
        for (int run = 0; run < 400; run++)
        {
            var bench = Start(random.Next(7));
            var before = bench.Negotiation.Progress;
            bool closed = false;
            for (int step = 0; step < 12; step++)
            {
                string effects = bench.Handle(Next(random));
                var progress = bench.Negotiation.Progress;
                Assert.True(!closed || effects.Length == 0, "effects after the end");
                // No piece holds a password, so only what had been reached before can have been.
                Assert.Equal(before & StreamProgress.Authenticated, progress & StreamProgress.Authenticated);
                if (!progress.HasFlag(StreamProgress.Authenticated))
                {
                    Assert.DoesNotContain("bind ", effects, StringComparison.Ordinal);
                    Assert.DoesNotContain("resume romeo", effects, StringComparison.Ordinal);
                }
                closed |= effects.Split('\n').Any(line => line.StartsWith("close", StringComparison.Ordinal));
            }
        }
    }

    static readonly string[] Requests =
    [
        "<user-agent id='1'/>", "<user-agent/>", "<x xmlns='urn:x'/>",
        "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>",
        "<bind xmlns='urn:xmpp:bind:0'/>", "<bind xmlns='urn:xmpp:bind:0'><tag>taken</tag></bind>",
        "<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3'/></bind>",
        "<resume xmlns='urn:xmpp:sm:3' previd='known' h='0'/>", "<resume xmlns='urn:xmpp:sm:3' previd='ended' h='0'/>",
        "<resume xmlns='urn:xmpp:sm:3' previd='known' h='no'/>", "<resume xmlns='urn:xmpp:sm:2' previd='known' h='0'/>",
    ];

    /// <summary>Whatever is asked for together with a login, in whatever order, ends in one answer that says what the
    /// stream has come to.</summary>
    [Theory]
    [InlineData(1), InlineData(2), InlineData(3)]
    public void ALoginIsAnsweredOnceWhateverItAsksFor(int seed)
    {
        var random = new Random(seed);
        for (int run = 0; run < 400; run++)
        {
            var bench = new NegotiationBench(policy =>
                NegotiationBench.WithTokens(policy) with { StreamManagement = random.Next(4) > 0 });
            bench.Issues = random.Next(2) == 0;
            bench.Send(NegotiationBench.Header);
            string effects = bench.Send(Sasl2Tests.Authenticate("romeo", random.GetItems(Requests, random.Next(5))));
            bool isIn = effects.Contains("send <success", StringComparison.Ordinal);
            Assert.NotEqual(isIn, effects.Contains("<malformed-request", StringComparison.Ordinal));
            Assert.Equal(2, effects.Split("send <success").Length + effects.Split("send <failure").Length - 1);
            var progress = bench.Negotiation.Progress;
            Assert.Equal(isIn, progress.HasFlag(StreamProgress.Authenticated));
            bool isBound = progress.HasFlag(StreamProgress.Bound);
            Assert.Equal(isBound, effects.Contains(">romeo@localhost/", StringComparison.Ordinal));
            bool isResumed = effects.Contains("<resumed", StringComparison.Ordinal);
            Assert.True(!isResumed || isBound);
            Assert.True(!isResumed || !effects.Contains("<bound", StringComparison.Ordinal));
            Assert.Equal(isIn && !isResumed, effects.Contains("send <stream:features", StringComparison.Ordinal));
            Assert.Equal("Element", bench.Negotiation.Phase);
        }
    }

    static NegotiationBench Start(int state)
    {
        if (state == 4) return NegotiationBench.Authenticated();
        if (state == 5) return NegotiationBench.Bound();
        var bench = new NegotiationBench(state < 2 ? null : NegotiationBench.WithTokens);
        bench.Tokens.Add(new LoginToken(
            "good", "HT-SHA-256-NONE", NegotiationBench.Now, NegotiationBench.Now.AddDays(1)));
        if (state > 0) bench.Send(NegotiationBench.Header);
        if (state == 3) bench.Send(Pieces[2]); // inside an exchange
        if (state == 6) bench.Send("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'/>");
        return bench;
    }

    static XmlItem Next(Random random) => random.Next(30) switch
    {
        0 => new XmlItem(XmlItemKind.Whitespace),
        1 => new XmlItem(XmlItemKind.StreamOpen, new Element(Namespaces.Streams, "stream")
            .With("to", "localhost").With("version", "1.0")) { ContentNamespace = Namespaces.Client },
        2 => new XmlItem(XmlItemKind.Error, Error: StreamError.NotWellFormed),
        3 => new XmlItem(XmlItemKind.StreamClose),
        _ => new XmlItem(XmlItemKind.Element, TestXml.Parse(NegotiationBench.Long(Pieces[random.Next(Pieces.Length)]))),
    };
}
