using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Testing;

namespace Muster.Tests.Streams;

/// <summary>Streams that other servers open to this one.</summary>
public sealed class InboundNegotiationTests
{
    const string MechanismExternal =
        "<mechanisms xmlns='~sasl'><mechanism>EXTERNAL</mechanism></mechanisms>";
    const string Rest = "<bidi xmlns='urn:xmpp:features:bidi'/>" +
        "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>";
    const string Sm = "<sm xmlns='urn:xmpp:sm:3'/>";

    static string Result(string from, string to) => $"<db:result from='{from}' to='{to}'>key</db:result>";

    static PeerPair Pair(string local, string remote) => new(Jid.Parse(local), Jid.Parse(remote));

    static string Domain(string text) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));

    [Fact]
    [Spec("RFC 6120", "5.3.1")]
    public void TLS_comes_first() => Assert.Equal("""
        open from=verona.test to=mantua.test id=stream-1
        send <stream:features><starttls xmlns='~tls'><required/></starttls></stream:features>
        """, PeerBench.Inbound().Send(PeerBench.Header()));

    [Fact]
    [Spec("XEP-0178", "3")]
    public void A_certificate_that_proves_the_domain_logs_in()
    {
        var bench = PeerBench.Inbound();
        bench.Send(PeerBench.Header());
        Assert.Equal("send <proceed xmlns='~tls'/> and start TLS", bench.Send("<starttls xmlns='~tls'/>"));
        bench.Handle(new PeerInput.TlsStarted(PeerBench.Certificate()));
        Assert.Equal($"""
            open from=verona.test to=mantua.test id=stream-3
            send <stream:features>{MechanismExternal}{Rest}</stream:features>
            """, bench.Send(PeerBench.Header()));
        Assert.Equal("""
            send <success xmlns='~sasl'/>
            restart
            accepted mantua.test to verona.test by EXTERNAL
            """, bench.Send($"<auth xmlns='~sasl' mechanism='EXTERNAL'>{Domain("mantua.test")}</auth>"));
        Assert.Equal($"""
            open from=verona.test to=mantua.test id=stream-5
            send <stream:features>{Rest}{Sm}</stream:features>
            """, bench.Send(PeerBench.Header()));
        Assert.Null(bench.Negotiation.CheckSender(Jid.Parse("a@mantua.test/r"), Jid.Parse("b@verona.test")));
    }

    [Theory]
    [Spec("RFC 6120", "13.7.2")]
    [InlineData("other.test", null)]
    [InlineData("mantua.test", "it has expired")]
    public void One_that_does_not_is_not_asked_for(string domain, string? problem)
    {
        var bench = PeerBench.Inbound();
        bench.Send(PeerBench.Header());
        bench.Send("<starttls xmlns='~tls'/>");
        bench.Handle(new PeerInput.TlsStarted(PeerBench.Certificate(domain, problem)));
        Assert.Equal($"""
            open from=verona.test to=mantua.test id=stream-3
            send <stream:features>{Rest}{Sm}</stream:features>
            """, bench.Send(PeerBench.Header()));
        Assert.Equal("""
            trouble mantua.test: EXTERNAL with a certificate that proves nothing
            send <failure xmlns='~sasl'><not-authorized/></failure>
            """, bench.Send($"<auth xmlns='~sasl' mechanism='EXTERNAL'>=</auth>"));
    }

    [Theory]
    [Spec("RFC 6120", "6.5")]
    [InlineData("<auth xmlns='~sasl' mechanism='PLAIN'>=</auth>", "invalid-mechanism")]
    [InlineData("<auth xmlns='~sasl' mechanism='EXTERNAL'>b3RoZXIudGVzdA==</auth>", "invalid-authzid")] // other.test
    [InlineData("<auth xmlns='~sasl' mechanism='EXTERNAL'>x</auth>", "incorrect-encoding")]
    [InlineData("<auth xmlns='~sasl' mechanism='EXTERNAL'>AA==</auth>", "malformed-request")]
    [InlineData("<response xmlns='~sasl'/>", "malformed-request")]
    public void Logins_fail_with_the_condition_for_it(string xml, string condition) =>
        Assert.Equal($"send <failure xmlns='~sasl'><{condition}/></failure>",
            PeerBench.Secured(PeerBench.Certificate()).Send(xml));

    [Fact]
    [Spec("RFC 6120", "6.4.5")]
    public void A_few_failed_logins_end_the_stream()
    {
        var bench = PeerBench.Secured();
        bench.Send("<auth xmlns='~sasl' mechanism='EXTERNAL'>=</auth>");
        bench.Send("<auth xmlns='~sasl' mechanism='EXTERNAL'>=</auth>");
        Assert.EndsWith("close policy-violation: too many failed logins",
            bench.Send("<auth xmlns='~sasl' mechanism='EXTERNAL'>=</auth>"), StringComparison.Ordinal);
    }

    [Theory]
    [Spec("RFC 6120", "4.9.3")]
    [InlineData("mantua.test", "elsewhere.test", "version='1.0'", "jabber:server", "host-unknown")]
    [InlineData("mantua.test", "user@verona.test", "version='1.0'", "jabber:server", "host-unknown")]
    [InlineData("user@mantua.test", "verona.test", "version='1.0'", "jabber:server", "invalid-from")]
    [InlineData("verona.test", "verona.test", "version='1.0'", "jabber:server", "invalid-from")]
    [InlineData("rooms.verona.test", "verona.test", "version='1.0'", "jabber:server", "invalid-from")]
    [InlineData("tybalt.test", "verona.test", "version='1.0'", "jabber:server", "policy-violation")]
    [InlineData("mantua.test", "verona.test", "version='1.0'", "jabber:client", "invalid-namespace")]
    [InlineData("mantua.test", "verona.test", "", "jabber:server", "unsupported-version")]
    public void A_wrong_header_ends_the_stream(string from, string to, string more, string ns, string condition)
    {
        string effects = PeerBench.Inbound().Send(PeerBench.Header(from, to, more, ns));
        Assert.StartsWith("open from=verona.test", effects, StringComparison.Ordinal);
        Assert.Contains($"\nclose {condition}:", effects, StringComparison.Ordinal);
    }

    [Fact]
    [Spec("RFC 6120", "6.4.6")]
    public void A_login_is_for_the_domains_that_it_was_made_for()
    {
        var bench = PeerBench.Secured(PeerBench.Certificate());
        bench.Send("<auth xmlns='~sasl' mechanism='EXTERNAL'>=</auth>");
        Assert.Contains("close invalid-from", bench.Send(PeerBench.Header(from: "other.test")),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<auth xmlns='~sasl' mechanism='EXTERNAL'>=</auth>",
        "send <failure xmlns='~sasl'><encryption-required/></failure>")]
    [InlineData("<what xmlns='ever'/>", "close unsupported-stanza-type: <what/> is not understood here")]
    [InlineData("<starttls xmlns='~tls'/>", "send <proceed xmlns='~tls'/> and start TLS")]
    public void Before_TLS_little_is_possible(string xml, string effects)
    {
        var bench = PeerBench.Inbound();
        bench.Send(PeerBench.Header());
        Assert.Equal(effects, bench.Send(xml));
    }

    [Fact]
    [Spec("XEP-0220", "2.5")]
    public void Dialback_before_TLS_is_a_violation_of_policy()
    {
        var bench = PeerBench.Inbound();
        bench.Send(PeerBench.Header());
        Assert.Equal("trouble mantua.test: dialback refused: TLS comes first\n" +
            "send <db:result from='verona.test' to='mantua.test' type='error'><error type='modify'>" +
            "<policy-violation xmlns='~stanzas'/><text xmlns='~stanzas'>TLS comes first</text></error></db:result>",
            bench.Send(Result("mantua.test", "verona.test")));
    }

    [Fact]
    [Spec("XEP-0220", "2.2.1")]
    public void A_key_is_verified_by_the_server_that_it_names()
    {
        var bench = PeerBench.Secured();
        Assert.Equal("verify mantua.test for verona.test: stream-3", bench.Send(Result("mantua.test", "verona.test")));
        Assert.Equal("not-authorized",
            bench.Negotiation.CheckSender(Jid.Parse("mantua.test"), Jid.Parse("verona.test"))!.Condition);
        Assert.Equal("""
            accepted mantua.test to verona.test by dialback
            send <db:result from='verona.test' to='mantua.test' type='valid'/>
            """, bench.Handle(new PeerInput.Verified(Pair("verona.test", "mantua.test"), KeyOutcome.Valid)));
        Assert.Null(bench.Negotiation.CheckSender(Jid.Parse("mantua.test"), Jid.Parse("verona.test")));
        // Again: known already.
        Assert.Equal("send <db:result from='verona.test' to='mantua.test' type='valid'/>",
            bench.Send(Result("mantua.test", "verona.test")));
    }

    [Fact]
    [Spec("XEP-0220", "2.2.1")]
    public void A_forged_key_ends_the_stream()
    {
        var bench = PeerBench.Secured();
        bench.Send(Result("mantua.test", "verona.test"));
        Assert.Equal("""
            trouble mantua.test: somebody claims to be it with a key that it does not know
            send <db:result from='verona.test' to='mantua.test' type='invalid'/>
            close
            """, bench.Handle(new PeerInput.Verified(Pair("verona.test", "mantua.test"), KeyOutcome.Invalid)));
    }

    [Theory]
    [Spec("XEP-0220", "2.5")]
    [InlineData(KeyOutcome.NotFound, "remote-server-not-found")]
    [InlineData(KeyOutcome.Timeout, "remote-server-timeout")]
    public void A_server_that_cannot_be_asked_is_an_error_and_no_end(KeyOutcome outcome, string condition)
    {
        var bench = PeerBench.Secured();
        bench.Send(Result("mantua.test", "verona.test"));
        string effects = bench.Handle(new PeerInput.Verified(Pair("verona.test", "mantua.test"), outcome));
        Assert.Contains("type='error'", effects, StringComparison.Ordinal);
        Assert.Contains($"<{condition} ", effects, StringComparison.Ordinal);
        Assert.False(bench.Negotiation.IsClosed);
    }

    [Theory]
    [Spec("XEP-0220", "2.5")]
    [InlineData("mantua.test", "elsewhere.test", "item-not-found")]
    [InlineData("verona.test", "verona.test", "not-acceptable")]
    [InlineData("tybalt.test", "verona.test", "forbidden")]
    [InlineData("strict.test", "verona.test", "not-authorized")]
    public void Some_are_refused_before_anybody_is_asked(string from, string to, string condition)
    {
        var bench = PeerBench.Secured();
        string effects = bench.Send(Result(from, to));
        Assert.Contains($"<{condition} ", effects, StringComparison.Ordinal);
        Assert.DoesNotContain("verify ", effects, StringComparison.Ordinal);
        Assert.False(bench.Negotiation.IsClosed);
    }

    [Fact]
    [Spec("XEP-0220", "2.6")]
    public void More_domains_come_in_on_the_same_stream()
    {
        var bench = PeerBench.Secured(PeerBench.Certificate());
        bench.Send("<auth xmlns='~sasl' mechanism='EXTERNAL'>=</auth>");
        bench.Send(PeerBench.Header());
        Assert.Equal("verify rooms.mantua.test for rooms.verona.test: stream-5",
            bench.Send(Result("rooms.mantua.test", "rooms.verona.test")));
        bench.Handle(new PeerInput.Verified(Pair("rooms.verona.test", "rooms.mantua.test"), KeyOutcome.Valid));
        Assert.Null(bench.Negotiation.CheckSender(Jid.Parse("x@rooms.mantua.test"), Jid.Parse("verona.test")));
        // A third, whose key is forged, costs the others nothing.
        bench.Send(Result("third.test", "verona.test"));
        Assert.Contains("<forbidden ", bench.Handle(
            new PeerInput.Verified(Pair("verona.test", "third.test"), KeyOutcome.Invalid)), StringComparison.Ordinal);
        Assert.Equal("invalid-from",
            bench.Negotiation.CheckSender(Jid.Parse("x@third.test"), Jid.Parse("verona.test"))!.Condition);
        Assert.Null(bench.Negotiation.CheckSender(Jid.Parse("x@mantua.test"), Jid.Parse("verona.test")));
        Assert.Equal("host-unknown",
            bench.Negotiation.CheckSender(Jid.Parse("x@mantua.test"), Jid.Parse("elsewhere.test"))!.Condition);
    }

    [Fact]
    public void The_number_of_domains_has_a_bound()
    {
        var bench = PeerBench.Secured(policy: PeerBench.Policy() with { PairsMax = 2 });
        bench.Send(Result("a.test", "verona.test") + Result("b.test", "verona.test"));
        Assert.Contains("<resource-constraint ", bench.Send(Result("c.test", "verona.test")),
            StringComparison.Ordinal);
    }

    [Fact]
    [Spec("XEP-0220", "2.2.2")]
    public void Questions_about_own_keys_are_answered_to_anybody()
    {
        var bench = PeerBench.Inbound();
        bench.Send(PeerBench.Header());
        string key = PeerBench.Key(from: "verona.test", to: "mantua.test", "D60000229F");
        Assert.Equal("send <db:verify from='verona.test' to='mantua.test' id='D60000229F' type='valid'/>",
            bench.Send($"<db:verify from='mantua.test' to='verona.test' id='D60000229F'>{key}</db:verify>"));
        Assert.Equal("""
            trouble mantua.test: it was given a key in the name of verona.test that was not made here
            send <db:verify from='verona.test' to='mantua.test' id='other' type='invalid'/>
            """, bench.Send($"<db:verify from='mantua.test' to='verona.test' id='other'>{key}</db:verify>"));
        Assert.Contains("<item-not-found ",
            bench.Send($"<db:verify from='mantua.test' to='elsewhere.test' id='D6'>{key}</db:verify>"),
            StringComparison.Ordinal);
    }

    [Theory]
    [Spec("XEP-0220", "4.1")]
    [InlineData("<db:result from='mantua.test' to='verona.test' type='valid'/>")]
    [InlineData("<db:verify from='mantua.test' to='verona.test' id='stream-3' type='valid'/>")]
    public void Answers_that_nobody_asked_for_are_not_believed(string xml)
    {
        var bench = PeerBench.Secured();
        bench.Send(Result("mantua.test", "verona.test"));
        Assert.Equal("", bench.Send(xml));
        Assert.Empty(bench.Negotiation.Accepted);
        Assert.Empty(bench.Negotiation.Authorized);
    }

    [Fact]
    [Spec("RFC 6120", "4.9.3.7")]
    public void Dialback_without_addresses_ends_the_stream() => Assert.Equal(
        "close improper-addressing: dialback is between two domains",
        PeerBench.Secured().Send("<db:result from='user@mantua.test' to='verona.test'>key</db:result>"));

    [Fact]
    [Spec("XEP-0288", "2.2")]
    public void A_stream_that_goes_both_ways_does_so_once_the_peer_is_proved()
    {
        var bench = PeerBench.Secured();
        Assert.Equal("", bench.Send("<bidi xmlns='urn:xmpp:bidi'/>"));
        bench.Send(Result("mantua.test", "verona.test"));
        Assert.Empty(bench.Negotiation.Authorized);
        Assert.EndsWith("authorized verona.test to mantua.test", bench.Handle(
            new PeerInput.Verified(Pair("verona.test", "mantua.test"), KeyOutcome.Valid)), StringComparison.Ordinal);
        // And this server may ask for its rooms on it.
        Assert.StartsWith("send <db:result from='rooms.verona.test' to='mantua.test'>",
            bench.Handle(new PeerInput.Authorize(Pair("rooms.verona.test", "mantua.test"))), StringComparison.Ordinal);
        Assert.Equal("""
            authorized rooms.verona.test to mantua.test
            accepted mantua.test to rooms.verona.test by dialback of ours
            """, bench.Send("<db:result from='mantua.test' to='rooms.verona.test' type='valid'/>"));
    }

    [Fact]
    [Spec("XEP-0288", "2.2")]
    public void After_a_login_it_does_so_in_the_new_stream()
    {
        var bench = PeerBench.Secured(PeerBench.Certificate());
        bench.Send("<bidi xmlns='urn:xmpp:bidi'/>");
        Assert.DoesNotContain("authorized", bench.Send("<auth xmlns='~sasl' mechanism='EXTERNAL'>=</auth>"),
            StringComparison.Ordinal);
        Assert.EndsWith("\nauthorized verona.test to mantua.test", bench.Send(PeerBench.Header()),
            StringComparison.Ordinal);
    }
}
