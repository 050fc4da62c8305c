using Muster.Testing;
using Muster.Tests.Commands;

namespace Muster.Tests.Components;

/// <summary>External components (XEP-0114) on a whole server.</summary>
[Spec("XEP-0114", "3")]
public sealed class ComponentTests
{
    static Task<TestServer> StartAsync(string more = "") => TestServer.StartAsync(ComponentBench.Config + "\n" + more);

    static async Task AskAsync(TestClient client, string iq, string answer)
    {
        await client.SendAsync(iq);
        await client.ExpectAsync(answer);
    }

    [Fact]
    public async Task MessagesGoBothWays()
    {
        await using var server = await StartAsync();
        var romeo = await server.LoginAsync("romeo");
        var plays = await ComponentBench.ConnectAsync(server);
        await romeo.SendAsync("<message type='chat' to='hamlet@plays.localhost/act3' id='m1'><body>to be?</body>" +
            "</message>");
        await plays.RunAsync("""
            < <message to='hamlet@plays.localhost/act3' from='romeo@localhost/test' id='m1' type='chat'*>
            < <body>to be?</body></message>
            > <message type='chat' from='hamlet@plays.localhost/act3' to='romeo@localhost/test' id='m2'>
            > <body>or not</body></message>
            """);
        await romeo.ExpectAsync("<message type='chat' from='hamlet@plays.localhost/act3' to='romeo@localhost/test' " +
            "id='m2'><body>or not</body></message>");
        // Requests of the component itself, of the server and of an account.
        await plays.RunAsync("""
            > <iq type='get' id='i1' from='plays.localhost' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>
            < <iq to='plays.localhost' from='localhost' id='i1' type='result'/>
            > <iq type='get' id='i2' from='plays.localhost' to='romeo@localhost/test'><ping xmlns='urn:xmpp:ping'/></iq>
            """);
        await romeo.ExpectAsync("<iq type='get' id='i2' from='plays.localhost' to='romeo@localhost/test'>" +
            "<ping xmlns='urn:xmpp:ping'/></iq>");
        await romeo.SendAsync("<iq type='result' id='i2' to='plays.localhost'/>");
        await plays.RunAsync("< <iq to='plays.localhost' from='romeo@localhost/test' id='i2' type='result'*/>");
    }

    [Fact]
    public async Task AStanzaThatCannotBeReadComesBackAndTheStreamGoesOn()
    {
        await using var server = await StartAsync();
        var plays = await ComponentBench.ConnectAsync(server);
        await plays.RunAsync("""
            > <iq type='odd' id='i1' from='plays.localhost' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>
            < <iq to='plays.localhost' from='localhost' id='i1' type='error'><error type='modify'><bad-request*</iq>
            > <iq type='get' id='i2' from='plays.localhost' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>
            < <iq to='plays.localhost' from='localhost' id='i2' type='result'/>
            """);
    }

    [Fact]
    public async Task AComponentThatIsAwayIsAnsweredForAndComesBack()
    {
        await using var server = await StartAsync();
        var romeo = await server.LoginAsync("romeo");
        // Before it first came nobody knows that the domain is one of a component.
        await AskAsync(romeo, "<iq type='get' id='q0' to='plays.localhost'><ping xmlns='urn:xmpp:ping'/></iq>",
            "<iq type='error' id='q0' from='plays.localhost' to='romeo@localhost/test'><error type='cancel' " +
            "by='localhost'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>...</error></iq>");
        for (int i = 0; i < 3; i++)
        {
            var plays = await ComponentBench.ConnectAsync(server);
            Assert.True(await WithItemsAsync(romeo, "<item jid='plays.localhost'/>"));
            await plays.RunAsync("""
                > </stream:stream>
                < </stream:stream>
                ! end
                ! ended
                """);
            var route = Assert.Single(server.Services.Components.All);
            await Patience.Eventually(() => route.Link is null);
            await AskAsync(romeo, "<iq type='get' id='q1' to='plays.localhost'><ping xmlns='urn:xmpp:ping'/></iq>",
                "<iq type='error' id='q1' from='plays.localhost' to='romeo@localhost/test'><error type='wait'>" +
                "<remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
                "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>plays.localhost is not connected</text>" +
                "</error></iq>");
            Assert.False(await WithItemsAsync(romeo, "<item jid='plays.localhost'/>"));
        }
        // What must not be answered is not: errors, answers, and what says that somebody goes.
        await romeo.SendAsync("<message type='error' to='plays.localhost'/>");
        await romeo.SendAsync("<iq type='result' id='r' to='plays.localhost'/>");
        await romeo.SendAsync("<presence type='unavailable' to='plays.localhost'/>");
        await romeo.ExpectNothingAsync();
    }

    static async Task<bool> WithItemsAsync(TestClient client, string item)
    {
        await client.SendAsync("<iq type='get' id='items' to='localhost'>" +
            "<query xmlns='http://jabber.org/protocol/disco#items'/></iq>");
        var answer = await client.ReceiveAsync();
        return answer.ToString().Contains(item, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADomainThatTheListenerNamesIsKnownBeforeItsComponentCame()
    {
        await using var server = await StartAsync("domains = ['plays.localhost', 'other.test']");
        var romeo = await server.LoginAsync("romeo");
        await AskAsync(romeo, "<iq type='get' id='q1' to='other.test'><ping xmlns='urn:xmpp:ping'/></iq>",
            "<iq type='error' id='q1' from='other.test' to='romeo@localhost/test'><error type='wait'>" +
            "<remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>...</error></iq>");
        await new ScriptedPeer(server.AcceptComponent()).RunAsync($"""
            > {ComponentBench.Header("elsewhere.localhost")}
            < <stream:error><host-unknown*</stream:stream>
            ! end
            ! ended
            """);
        // One below no domain of accounts stands in the list of the default one.
        await ComponentBench.ConnectAsync(server, "other.test");
        Assert.True(await WithItemsAsync(romeo, "<item jid='other.test'/>"));
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("conference.localhost")]
    public async Task WhatTheServerServesItselfIsNoComponents(string domain)
    {
        await using var server = await StartAsync();
        await new ScriptedPeer(server.AcceptComponent()).RunAsync($"""
            > {ComponentBench.Header(domain)}
            < <stream:error><conflict*</stream:stream>
            ! end
            ! ended
            """);
    }

    [Fact]
    public async Task ASecondConnectionIsRefused()
    {
        await using var server = await StartAsync();
        var romeo = await server.LoginAsync("romeo");
        var first = await ComponentBench.ConnectAsync(server);
        var second = await ComponentBench.OpenAsync(server.AcceptComponent());
        await second.RunAsync("""
            < <stream:error><conflict*is connected already*</stream:stream>
            ! end
            ! ended
            """);
        await romeo.SendAsync("<message to='plays.localhost' id='m1'/>");
        await first.RunAsync("< <message to='plays.localhost' from='romeo@localhost/test' id='m1'");
    }

    [Fact]
    public async Task ASecondConnectionTakesThePlaceWhereTheListenerSaysSo()
    {
        await using var server = await StartAsync("conflict_behaviour = 'kick_old'");
        var romeo = await server.LoginAsync("romeo");
        var first = await ComponentBench.ConnectAsync(server);
        var second = await ComponentBench.ConnectAsync(server);
        await first.RunAsync("< <stream:error><conflict*another connection took its place*</stream:stream>");
        await romeo.SendAsync("<message to='plays.localhost' id='m1'/>");
        await second.RunAsync("< <message to='plays.localhost' from='romeo@localhost/test' id='m1'");
        // The end of the old one takes nothing from the new one.
        await first.RunAsync("! end\n! ended");
        await romeo.SendAsync("<message to='plays.localhost' id='m2'/>");
        await second.RunAsync("< <message to='plays.localhost' from='romeo@localhost/test' id='m2'");
    }

    [Fact]
    public async Task AWrongSecretIsToldAndLogged()
    {
        await using var server = await StartAsync();
        var component = await ComponentBench.OpenAsync(server.AcceptComponent(), secret: "guess");
        await component.RunAsync("""
            < <stream:error><not-authorized*</stream:stream>
            ! end
            ! ended
            """);
        await Patience.Eventually(() => server.Logs.Lines.Any(line =>
            line.Text.Contains("as component plays.localhost: closed with not-authorized", StringComparison.Ordinal)));
        Assert.DoesNotContain(server.Logs.Lines, line => line.Text.Contains("s3cret", StringComparison.Ordinal));
        Assert.Empty(server.Services.Components.All);
    }

    [Fact]
    public async Task AComponentMaySendFromItsOwnDomainOnly()
    {
        await using var server = await StartAsync();
        var romeo = await server.LoginAsync("romeo");
        var plays = await ComponentBench.ConnectAsync(server);
        await plays.RunAsync("""
            > <message from='juliet@localhost' to='romeo@localhost/test'><body>trust me</body></message>
            < <stream:error><invalid-from*</stream:stream>
            ! end
            ! ended
            """);
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    public async Task WhoMaySendIsSaidByAnAccessRule()
    {
        await using var server = await StartAsync("""
            access = "gateway"
            [acl]
            staff = [{ user = "romeo", server = "localhost" }]
            [access]
            gateway = [{ acl = "staff", value = "allow" }]
            """);
        var (romeo, tybalt) = (await server.LoginAsync("romeo"), await server.LoginAsync("tybalt"));
        var plays = await ComponentBench.ConnectAsync(server);
        await AskAsync(tybalt, "<iq type='get' id='q1' to='plays.localhost'><ping xmlns='urn:xmpp:ping'/></iq>",
            "<iq type='error' id='q1' from='plays.localhost' to='tybalt@localhost/test'><error type='auth'>" +
            "<forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>...</error></iq>");
        await romeo.SendAsync("<message to='plays.localhost' id='m1'/>");
        await plays.RunAsync("< <message to='plays.localhost' from='romeo@localhost/test' id='m1'");
    }

    [Fact]
    public async Task AComponentThatDoesNotReadIsCutOffAndItsStanzasComeBack()
    {
        await using var server = await StartAsync("""
            [limits]
            outbound_bytes = 65536
            """);
        var romeo = await server.LoginAsync("romeo");
        var plays = await ComponentBench.ConnectAsync(server);
        string body = new('x', 8000);
        bool isBounced = false;
        for (int i = 0; i < 400 && !isBounced; i++)
        {
            await romeo.SendAsync($"<message to='plays.localhost' id='m{i}'><body>{body}</body></message>" +
                $"<iq type='get' id='p{i}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
            string answer = (await romeo.ReceiveAsync()).ToString();
            isBounced = answer.Contains("remote-server-timeout", StringComparison.Ordinal);
        }
        Assert.True(isBounced);
        // At once another connection may serve the domain.
        await ComponentBench.ConnectAsync(server);
        Assert.Contains(server.Logs.Lines, line => line.Text.Contains("reads too slowly", StringComparison.Ordinal));
        await plays.RunAsync("! reset");
    }

    [Fact]
    public async Task WhoDoesNotProveItselfIsCutOff()
    {
        await using var server = await StartAsync("login_timeout = 10");
        var silent = new ScriptedPeer(server.AcceptComponent());
        var half = new ScriptedPeer(server.AcceptComponent());
        await half.RunAsync($"> {ComponentBench.Header("plays.localhost")}\n< id='");
        for (int i = 0; i < 12; i++) await server.AdvanceAsync(TimeSpan.FromSeconds(1));
        await half.RunAsync("< <stream:error><connection-timeout*</stream:stream>");
        await silent.RunAsync("< <stream:error><connection-timeout*</stream:stream>");
        // Whoever does not go then is cut.
        for (int i = 0; i < 7; i++) await server.AdvanceAsync(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<InvalidOperationException>(() => silent.RunAsync("! ended"));

        var loud = new ScriptedPeer(server.AcceptComponent());
        await loud.RunAsync($"> {ComponentBench.Header("plays.localhost")}\n< id='");
        await loud.RunAsync($"> <handshake>{new string('x', 20_000)}</handshake>");
        await loud.RunAsync("< <stream:error><policy-violation*</stream:stream>");
    }

    [Fact]
    public async Task AComponentSaysAtOnceThatTheServerStopsAndASilentLinkIsKeptAlive()
    {
        var server = await StartAsync();
        await using (server)
        {
            var plays = await ComponentBench.ConnectAsync(server);
            for (int i = 0; i < 62; i++) await server.AdvanceAsync(TimeSpan.FromSeconds(1));
            await plays.RunAsync("<  ");
            var stop = server.Host.StopAsync(TimeSpan.FromSeconds(2));
            await plays.RunAsync("< <stream:error><system-shutdown*</stream:stream>");
            await plays.RunAsync("! end");
            await stop;
        }
    }

    [Fact]
    public async Task AComponentsUsersAreInRoomsUntilItGoes()
    {
        await using var server = await StartAsync();
        var romeo = await server.LoginAsync("romeo");
        await romeo.SendAsync("<presence to='garden@conference.localhost/Romeo'>" +
            "<x xmlns='http://jabber.org/protocol/muc'/></presence>");
        await romeo.ExpectEventuallyAsync(
            "<message type='groupchat' from='garden@conference.localhost' to='**' id='**'>...<subject/></message>");
        await romeo.AskAsync("<iq type='set' id='open' to='garden@conference.localhost'>" +
            "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query>" +
            "</iq>");
        var plays = await ComponentBench.ConnectAsync(server);
        await plays.RunAsync("""
            > <presence from='hamlet@plays.localhost/act3' to='garden@conference.localhost/Hamlet'>
            > <x xmlns='http://jabber.org/protocol/muc'/></presence>
            < <subject/></message>
            > <message type='groupchat' from='hamlet@plays.localhost/act3' to='garden@conference.localhost' id='g1'>
            > <body>words</body></message>
            < id='g1'*<body>words</body>
            """);
        await romeo.ExpectEventuallyAsync("<message type='groupchat' from='garden@conference.localhost/Hamlet' " +
            "to='romeo@localhost/test' id='g1'>...<body>words</body></message>");
        await plays.RunAsync("! reset");
        var route = Assert.Single(server.Services.Components.All);
        await Patience.Eventually(() => route.Link is null);
        // The next message comes back from where nobody is, and its addressee is taken out (XEP-0045 §16.3).
        await romeo.SendAsync("<message type='groupchat' to='garden@conference.localhost' id='g2'>" +
            "<body>hello?</body></message>");
        await romeo.ExpectEventuallyAsync("<presence type='unavailable' " +
            "from='garden@conference.localhost/Hamlet' to='romeo@localhost/test'>...</presence>");
    }

    [Fact]
    public async Task AdministratorsSeeWhoIsConnectedAndMetersCount()
    {
        await using var server = await StartAsync("domains = ['plays.localhost', 'away.localhost']");
        await server.Host.StartForAdminAsync();
        using var admin = new AdminHttp(server.Folder);
        var romeo = await server.LoginAsync("romeo");
        var plays = await ComponentBench.ConnectAsync(server);
        await romeo.SendAsync("<message to='plays.localhost' id='m1'/><message to='away.localhost' id='m2'/>");
        await plays.RunAsync("""
            < id='m1'
            > <presence type='unavailable' from='plays.localhost' to='romeo@localhost/test'/>
            """);
        await romeo.ExpectEventuallyAsync("<presence type='unavailable' from='plays.localhost' to='**'/>");
        var list = (await admin.DoneAsync("GET", "/api/components")).GetProperty("components");
        Assert.Equal(["away.localhost null 0 0 1", "plays.localhost 192.0.2.4 1 1 0"],
            list.EnumerateArray().Select(one => string.Join(' ', one.GetProperty("domain"),
                one.GetProperty("address").GetString() ?? "null", one.GetProperty("received"),
                one.GetProperty("sent"), one.GetProperty("bounced"))));
        string page = server.Host.Metrics.ToPrometheus();
        foreach (string line in (string[])["muster_components_connected{component=\"plays.localhost\"} 1",
            "muster_component_sent_stanzas_total{component=\"plays.localhost\"} 1",
            "muster_component_received_stanzas_total{component=\"plays.localhost\"} 1",
            "muster_component_bounced_stanzas_total{component=\"away.localhost\"," +
                "condition=\"remote-server-timeout\"} 1"])
            Assert.Contains(line, page, StringComparison.Ordinal);
    }
}
