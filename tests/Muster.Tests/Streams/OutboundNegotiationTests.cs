using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Testing;

namespace Muster.Tests.Streams;

/// <summary>Streams that this server opens to others.</summary>
public sealed class OutboundNegotiationTests
{
    const string Answer = "<stream:stream from='mantua.test' to='verona.test' id='i1' version='1.0' " +
        "xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams'>";
    const string TlsFeature = "<stream:features><starttls xmlns='~tls'/></stream:features>";
    const string External = "<mechanisms xmlns='~sasl'><mechanism>EXTERNAL</mechanism></mechanisms>";
    const string Errors = "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>";
    const string Bidi = "<bidi xmlns='urn:xmpp:features:bidi'/>";
    const string AuthVerona = "send <auth xmlns='~sasl' mechanism='EXTERNAL'>dmVyb25hLnRlc3Q=</auth>";

    static string Features(string features) => $"<stream:features>{features}</stream:features>";

    static string Result() =>
        "send <db:result from='verona.test' to='mantua.test'>" +
        $"{PeerBench.Key("verona.test", "mantua.test", "i1")}</db:result>";

    /// <summary>Inside TLS, before the features.</summary>
    static PeerBench Secured(PeerPolicy? policy = null, PeerCertificate? certificate = null, bool triesExternal = true)
    {
        var bench = PeerBench.Outbound(policy, triesExternal);
        bench.Handle(new PeerInput.Connected());
        bench.Send(Answer + TlsFeature + "<proceed xmlns='~tls'/>");
        bench.Handle(new PeerInput.TlsStarted(certificate ?? PeerCertificate.None));
        bench.Send(Answer);
        return bench;
    }

    static PeerInput Authorize(string local = "verona.test") =>
        new PeerInput.Authorize(new PeerPair(Jid.Parse(local), Jid.Parse("mantua.test")));

    [Fact]
    [Spec("RFC 6120", "5.4")]
    public void It_goes_into_TLS_and_there_waits_for_something_to_do()
    {
        var bench = PeerBench.Outbound();
        Assert.Equal("open from=verona.test to=mantua.test id=", bench.Handle(new PeerInput.Connected()));
        Assert.Equal("", bench.Send(Answer));
        Assert.Equal("send <starttls xmlns='~tls'/>", bench.Send(TlsFeature));
        Assert.Equal("start TLS", bench.Send("<proceed xmlns='~tls'/>"));
        Assert.Equal("open from=verona.test to=mantua.test id=",
            bench.Handle(new PeerInput.TlsStarted(PeerCertificate.None)));
        Assert.Equal("", bench.Send(Answer + Features(External + Errors)));
        Assert.True(bench.Negotiation.IsUnused);
    }

    [Fact]
    [Spec("XEP-0368", "3")]
    public void TLS_may_come_with_the_connection()
    {
        var bench = PeerBench.Outbound(direct: true);
        Assert.Equal("start TLS", bench.Handle(new PeerInput.Connected()));
        Assert.StartsWith("open ", bench.Handle(new PeerInput.TlsStarted(PeerCertificate.None)),
            StringComparison.Ordinal);
    }

    [Fact]
    [Spec("XEP-0178", "3")]
    public void It_proves_itself_by_certificate_where_that_is_offered()
    {
        var bench = Secured();
        Assert.Equal("", bench.Handle(Authorize()));
        Assert.Equal(AuthVerona, bench.Send(Features(External + Errors)));
        Assert.Equal("restart\nopen from=verona.test to=mantua.test id=", bench.Send("<success xmlns='~sasl'/>"));
        Assert.Equal("authorized verona.test to mantua.test", bench.Send(Answer + Features(Errors)));
        Assert.False(bench.Negotiation.TakesMorePairs);
    }

    [Fact]
    public void It_falls_back_to_dialback_when_that_is_refused()
    {
        var bench = Secured();
        bench.Handle(Authorize());
        bench.Send(Features(External + Errors));
        Assert.Equal($"trouble mantua.test: it refused this server's certificate: not-authorized\n{Result()}",
            bench.Send("<failure xmlns='~sasl'><not-authorized/></failure>"));
        Assert.Equal("authorized verona.test to mantua.test",
            bench.Send("<db:result from='mantua.test' to='verona.test' type='valid'/>"));
    }

    [Theory]
    [InlineData(true, "")]
    [InlineData(false, External)]
    public void Else_by_dialback(bool triesExternal, string offered)
    {
        var bench = Secured(triesExternal: triesExternal);
        bench.Handle(Authorize());
        Assert.Equal(Result(), bench.Send(Features(offered)));
    }

    [Fact]
    [Spec("XEP-0220", "2.6.1")]
    public void More_of_its_domains_follow_on_the_same_stream()
    {
        var bench = Secured();
        bench.Handle(Authorize());
        bench.Send(Features(Errors) + "<db:result from='mantua.test' to='verona.test' type='valid'/>");
        Assert.True(bench.Negotiation.TakesMorePairs);
        Assert.StartsWith("send <db:result from='rooms.verona.test' to='mantua.test'>",
            bench.Handle(Authorize("rooms.verona.test")), StringComparison.Ordinal);
        Assert.Equal("", bench.Handle(Authorize("rooms.verona.test"))); // once is enough
        Assert.Equal("authorized rooms.verona.test to mantua.test",
            bench.Send("<db:result from='mantua.test' to='rooms.verona.test' type='valid'/>"));
    }

    [Theory]
    [Spec("XEP-0220", "2.1.1")]
    [InlineData("<db:result from='mantua.test' to='verona.test' type='invalid'/>", "internal-server-error")]
    [InlineData("<db:result from='mantua.test' to='verona.test' type='error'><error type='cancel'>" +
        "<item-not-found xmlns='~stanzas'/></error></db:result>", "remote-server-timeout")]
    [InlineData("<db:result from='mantua.test' to='verona.test' type='error'/>", "remote-server-timeout")]
    public void A_refusal_has_an_error_for_those_who_wait(string xml, string condition)
    {
        var bench = Secured();
        bench.Handle(Authorize());
        bench.Send(Features(Errors));
        Assert.Equal($"refused verona.test to mantua.test: {condition}", bench.Send(xml));
    }

    [Theory]
    [Spec("XEP-0220", "4.1")]
    [InlineData("<db:result from='mantua.test' to='verona.test' type='valid'/>")]
    [InlineData("<db:result from='other.test' to='verona.test' type='valid'/>")]
    [InlineData("<db:verify from='mantua.test' to='verona.test' id='s9' type='valid'/>")]
    public void Answers_that_nobody_asked_for_are_not_believed(string xml)
    {
        var bench = Secured();
        Assert.Equal("", bench.Send(Features(Errors) + xml));
        Assert.Empty(bench.Negotiation.Authorized);
    }

    [Fact]
    [Spec("XEP-0220", "2.1.2")]
    public void Questions_about_keys_need_no_authentication()
    {
        var bench = Secured();
        Assert.Equal("", bench.Handle(new PeerInput.Verify(PeerBench.Pair, "s9", "key")));
        Assert.Equal("send <db:verify from='verona.test' to='mantua.test' id='s9'>key</db:verify>",
            bench.Send(Features(External)));
        Assert.False(bench.Negotiation.IsUnused);
        Assert.Equal("", bench.Send("<db:verify from='mantua.test' to='verona.test' id='s8' type='valid'/>"));
        Assert.Equal("key of mantua.test for verona.test on s9: Valid",
            bench.Send("<db:verify from='mantua.test' to='verona.test' id='s9' type='valid'/>"));
        Assert.True(bench.Negotiation.IsUnused);
    }

    [Fact]
    [Spec("RFC 6120", "13.7.2")]
    public void Where_trust_is_required_a_bad_certificate_ends_it()
    {
        var bench = PeerBench.Outbound(PeerBench.Policy(PeerTls.RequiredTrusted));
        bench.Handle(new PeerInput.Connected());
        bench.Send(Answer + TlsFeature + "<proceed xmlns='~tls'/>");
        Assert.Equal("trouble mantua.test: its certificate is not accepted: it has expired\nclose",
            bench.Handle(new PeerInput.TlsStarted(PeerBench.Certificate(problem: "it has expired"))));
    }

    [Theory]
    [InlineData(PeerTls.Required, "trouble mantua.test: it offers no TLS, which is required\n" +
        "close policy-violation: TLS is required here")]
    [InlineData(PeerTls.Optional, "")]
    public void A_server_without_TLS_is_talked_to_where_that_is_allowed(PeerTls tls, string effects)
    {
        var bench = PeerBench.Outbound(PeerBench.Policy(tls));
        bench.Handle(new PeerInput.Connected());
        Assert.Equal(effects, bench.Send(Answer + Features(Errors)));
    }

    [Fact]
    [Spec("XEP-0288", "2.2")]
    public void It_asks_for_both_ways_before_it_authenticates()
    {
        var bench = Secured();
        bench.Handle(Authorize());
        Assert.Equal("send <bidi xmlns='urn:xmpp:bidi'/>\n" + AuthVerona, bench.Send(Features(External + Bidi)));
        bench.Send("<success xmlns='~sasl'/>");
        Assert.Equal("authorized verona.test to mantua.test\naccepted mantua.test to verona.test by EXTERNAL of ours",
            bench.Send(Answer + Features("")));
        // Then the peer may ask for its other domains, whose keys are verified elsewhere.
        Assert.Equal("verify rooms.mantua.test for verona.test: i1",
            bench.Send("<db:result from='rooms.mantua.test' to='verona.test'>key</db:result>"));
    }

    [Fact]
    public void Without_it_nobody_may_ask_in_that_direction() => Assert.Equal(
        "close policy-violation: no dialback in this direction",
        Secured().Send(Features(Errors) + "<db:result from='mantua.test' to='verona.test'>key</db:result>"));

    [Theory]
    [InlineData("<stream:stream id='i' xmlns='jabber:client' version='1.0' " +
        "xmlns:stream='http://etherx.jabber.org/streams'>", "invalid-namespace")]
    [InlineData("<stream:stream id='i' xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>",
        "unsupported-version")]
    public void A_wrong_header_ends_the_stream(string header, string condition)
    {
        var bench = PeerBench.Outbound();
        bench.Handle(new PeerInput.Connected());
        Assert.StartsWith($"close {condition}", bench.Send(header), StringComparison.Ordinal);
    }

    [Fact]
    public void A_stream_without_id_makes_no_key()
    {
        var bench = PeerBench.Outbound(PeerBench.Policy(PeerTls.Optional));
        bench.Handle(new PeerInput.Connected());
        bench.Handle(Authorize());
        Assert.Equal("close bad-format: the stream has no id", bench.Send(
            Answer.Replace("id='i1' ", "", StringComparison.Ordinal) + Features(Errors)));
    }

    [Fact]
    [Spec("RFC 6120", "4.9.1.1")]
    public void An_error_of_the_peer_ends_the_stream() => Assert.Equal("close",
        Secured().Send("<stream:error><host-unknown xmlns='~streams'/></stream:error>"));
}
