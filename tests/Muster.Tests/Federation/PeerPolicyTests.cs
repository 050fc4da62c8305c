using Muster.Protocol.Addresses;
using Muster.Testing;

namespace Muster.Tests.Federation;

/// <summary>Whom the server talks with and how much of it: rules that change while it runs, floods, loops, and what
/// never left it.</summary>
public sealed class PeerPolicyTests : IAsyncLifetime
{
    const string Plain = """
        [s2s]
          use_starttls = "optional"
        """;
    const string NotAllowed = "<error type='cancel' by='verona.test'>" +
        "<not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>*</text></error>";

    readonly PeerWorld _world = new();
    readonly List<TestServer> _servers = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var server in _servers) await server.DisposeAsync();
    }

    async Task<TestServer> ServeAsync(string domain, string config = Plain, string s2s = "tls.mode = 'none'")
    {
        var server = await _world.ServeAsync(domain, config, s2s);
        _servers.Add(server);
        return server;
    }

    [Fact]
    public async Task WhoIsDeniedByAReloadIsCutOffAndTheOthersAreNot()
    {
        var verona = await ServeAsync("verona.test");
        var mantua = await ServeAsync("mantua.test");
        var padua = await ServeAsync("padua.test");
        var romeo = await verona.LoginAsync("romeo@verona.test");
        var juliet = await mantua.LoginAsync("juliet@mantua.test");
        var kate = await padua.LoginAsync("kate@padua.test");
        foreach (var friend in (TestClient[])[juliet, kate])
        {
            await romeo.SendAsync($"<message to='{friend.Jid}' id='m1'/>");
            await friend.ExpectAsync($"<message from='{romeo.Jid}' to='{friend.Jid}' id='m1'/>");
        }
        await PeerWorld.ReloadAsync(verona, "verona.test", """
            [s2s]
              use_starttls = "optional"
              default_policy = "deny"
              [[s2s.host_policy]]
                host = "padua.test"
                policy = "allow"
            """);
        await Patience.Eventually(() => !verona.Services.Peers.HasStreamWith(Jid.Parse("mantua.test")));
        await romeo.SendAsync($"<message to='{juliet.Jid}' id='m2'/>");
        await romeo.ExpectAsync(
            $"<message type='error' from='{juliet.Jid}' to='{romeo.Jid}' id='m2'>{NotAllowed}</message>");
        await juliet.SendAsync($"<message to='{romeo.Jid}' id='m3'/>");
        var returned = await juliet.ReceiveAsync();
        Assert.Equal("remote-server-timeout", returned.ErrorCondition());
        await romeo.SendAsync($"<message to='{kate.Jid}' id='m4'/>");
        await kate.ExpectAsync($"<message from='{romeo.Jid}' to='{kate.Jid}' id='m4'/>");

        // And back again.
        await PeerWorld.ReloadAsync(verona, "verona.test", Plain);
        await romeo.SendAsync($"<message to='{juliet.Jid}' id='m5'/>");
        await juliet.ExpectAsync($"<message from='{romeo.Jid}' to='{juliet.Jid}' id='m5'/>");
    }

    [Fact]
    public async Task OptionsOfStreamsAreReloaded()
    {
        var verona = await ServeAsync("verona.test");
        await PeerWorld.ReloadAsync(verona, "verona.test", """
            [s2s]
              use_starttls = "optional"
              stream_timeout = 5000
            [modules.mod_s2s_keepalive]
              enabled = false
            """);
        var mantua = await _world.ProveAsync(verona, "mantua.test", "verona.test");
        await verona.AdvanceAsync(TimeSpan.FromSeconds(7));
        await mantua.RunAsync("< </stream:stream>");
    }

    [Fact]
    public async Task AFloodFromOneDomainSlowsThatDomainAlone()
    {
        var verona = await ServeAsync("verona.test", Plain + """

            [shaper.slow]
              max_rate = 1000
            """, """
            tls.mode = "none"
              shaper = "slow"
            """);
        var romeo = await verona.LoginAsync("romeo@verona.test");
        var one = await _world.ProveAsync(verona, "flood.test", "verona.test");
        var two = await _world.ProveAsync(verona, "flood.test", "verona.test");
        var other = await _world.ProveAsync(verona, "other.test", "verona.test");
        await verona.AdvanceAsync(TimeSpan.FromSeconds(5)); // what the negotiation took is forgotten
        string Message(string id, string domain, int length = 0) =>
            $"<message from='x@{domain}' to='{romeo.Jid}' id='{id}'><body>{new string('x', length)}</body></message>";
        await one.RunAsync($"> {Message("a1", "flood.test", 8000)}");
        await romeo.ExpectAsync($"<message from='x@flood.test' to='{romeo.Jid}' id='a1'><body>*</body></message>");
        // The domain has used up seven seconds: another stream of it does not help.
        await two.RunAsync($"> {Message("b1", "flood.test")}");
        await romeo.ExpectAsync($"<message from='x@flood.test' to='{romeo.Jid}' id='b1'>...</message>");
        await two.RunAsync($"> {Message("b2", "flood.test")}");
        foreach (string id in (string[])["c1", "c2", "c3"])
        {
            await other.RunAsync($"> {Message(id, "other.test")}");
            await romeo.ExpectAsync($"<message from='x@other.test' to='{romeo.Jid}' id='{id}'>...</message>");
        }
        await romeo.ExpectNothingAsync();
        for (int i = 0; i < 10; i++) await verona.AdvanceAsync(TimeSpan.FromSeconds(1));
        await romeo.ExpectAsync($"<message from='x@flood.test' to='{romeo.Jid}' id='b2'>...</message>");
        Assert.Contains(
            "muster_peer_shaper_pauses_total", verona.Host.Metrics.ToPrometheus(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADomainThatLeadsBackHereIsNoLoop()
    {
        var verona = await ServeAsync("verona.test");
        _world.Reach(verona, "loop.test");
        var romeo = await verona.LoginAsync("romeo@verona.test");
        await romeo.SendAsync("<message to='echo@loop.test' id='m1'><body>hello?</body></message>");
        var answer = await romeo.ReceiveAsync();
        Assert.Equal("remote-server-not-found", answer.ErrorCondition());
        Assert.Equal(["loop.test"], _world.Dialed);
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    public async Task ServersDoNotAnswerEachOthersErrors()
    {
        var verona = await ServeAsync("verona.test");
        var mantua = await ServeAsync("mantua.test");
        var romeo = await verona.LoginAsync("romeo@verona.test");
        await romeo.SendAsync("<message to='nobody@mantua.test' id='m1' type='chat'><body>hello?</body></message>");
        Assert.Equal("service-unavailable", (await romeo.ReceiveAsync()).ErrorCondition());
        // To somebody who is not there, in the name of somebody who is not there any more.
        await romeo.SendAsync(
            "<iq type='get' to='nobody@mantua.test/x' id='q'><query xmlns='jabber:iq:version'/></iq>");
        await romeo.DisposeAsync();
        await verona.AdvanceAsync(TimeSpan.FromSeconds(1));
        await Patience.Eventually(() => Received(mantua).EndsWith(" 2", StringComparison.Ordinal));
        string before = Received(mantua);
        await Task.Delay(200);
        Assert.Equal(before, Received(mantua));

        static string Received(TestServer server) => server.Host.Metrics.ToPrometheus().Split('\n')
            .First(line => line.StartsWith("muster_peer_received_stanzas_total ", StringComparison.Ordinal));
    }

    [Fact]
    [Spec("RFC 6120", "10.4.3")]
    public async Task WhatNeverLeftThisServerComesBack()
    {
        var verona = await ServeAsync("verona.test");
        var romeo = await verona.LoginAsync("romeo@verona.test");
        var calls = _world.Script("mantua.test");
        await romeo.SendAsync("<message to='juliet@mantua.test' id='m0'><body>x</body></message>");
        var peer = await calls.ReadAsync();
        // It knows no stream management, and stops reading.
        await peer.RunAsync($"""
            {PeerWorld.Welcome}
            < id='m0'*</message>
            """);
        string body = new('x', 50_000);
        for (int i = 1; i <= 9; i++)
            await romeo.SendAsync($"<message to='juliet@mantua.test' id='m{i}'><body>{body}</body></message>");
        await romeo.ExpectNothingAsync();
        await peer.RunAsync("! reset");
        var lost = await romeo.ReceiveAsync();
        Assert.Equal("remote-server-timeout", lost.ErrorCondition());
        Assert.NotEqual("m0", lost.Attribute("id")); // that one left; whether it arrived nobody knows
        while (lost.Attribute("id") != "m9") lost = await romeo.ReceiveAsync();
        await romeo.ExpectNothingAsync();
    }
}
