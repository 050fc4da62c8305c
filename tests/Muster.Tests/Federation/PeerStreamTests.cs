using Muster.Testing;

namespace Muster.Tests.Federation;

/// <summary>The life of streams: sharing, idling, pings, and what rooms make of it.</summary>
public sealed class PeerStreamTests : IAsyncLifetime
{
    readonly PeerWorld _world = new();
    readonly List<TestServer> _servers = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var server in _servers) await server.DisposeAsync();
    }

    async Task<TestServer> ServeAsync(string domain, string keepalive = "enabled = false")
    {
        var server = await _world.ServeAsync(domain, $"""
            [s2s]
              use_starttls = "optional"
            [modules.mod_s2s_keepalive]
              {keepalive}
            [modules.mod_ping]
              send_pings = false
            [modules.mod_smacks]
              smacks_enabled_s2s = false
            """);
        _servers.Add(server);
        return server;
    }

    static async Task EnterAsync(
        TestClient client, string nick, bool first = false, string room = "garden@conference.mantua.test")
    {
        await client.SendAsync(
            $"<presence to='{room}/{nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
        await client.ExpectEventuallyAsync(
            $"<message type='groupchat' from='{room}' to='{client.Jid}' id='**'>...<subject/></message>");
        if (!first) return;
        await client.AskAsync($"<iq type='set' id='open' to='{room}'>" +
            "<query xmlns='http://jabber.org/protocol/muc#owner'>" +
            "<x xmlns='jabber:x:data' type='submit'/></query></iq>");
    }

    [Fact]
    public async Task AnIdleStreamIsClosedAndNobodyLeavesARoomForIt()
    {
        var verona = await ServeAsync("verona.test");
        var mantua = await ServeAsync("mantua.test");
        var juliet = await mantua.LoginAsync("juliet@mantua.test");
        await EnterAsync(juliet, "Juliet", first: true);
        var romeo = await verona.LoginAsync("romeo@verona.test");
        await EnterAsync(romeo, "Romeo");
        int dialed = _world.Dialed.Count;
        for (int i = 0; i < 11; i++)
        {
            await verona.AdvanceAsync(TimeSpan.FromMinutes(1));
            await mantua.SettleAsync();
        }
        await Patience.Eventually(() => verona.Services.Peers.LinkCount == 0 && mantua.Services.Peers.LinkCount == 0);
        await juliet.SendAsync("<message type='groupchat' to='garden@conference.mantua.test' id='g1'>" +
            "<body>are you there?</body></message>");
        await romeo.ExpectEventuallyAsync("<message type='groupchat' from='garden@conference.mantua.test/Juliet' " +
            "to='romeo@verona.test/test' id='g1'>...<body>are you there?</body></message>");
        Assert.True(_world.Dialed.Count > dialed);
    }

    [Fact]
    [Spec("XEP-0220", "2.6.1")]
    public async Task DomainsOfOneServerShareAStream()
    {
        var verona = await ServeAsync("verona.test");
        var mantua = await ServeAsync("mantua.test");
        var juliet = await mantua.LoginAsync("juliet@mantua.test");
        var romeo = await verona.LoginAsync("romeo@verona.test");
        await juliet.SendAsync("<presence/>");
        await juliet.ExpectAsync("<presence from='juliet@mantua.test/test' to='juliet@mantua.test'/>");
        await romeo.SendAsync("<message to='juliet@mantua.test/test' id='m1'/>");
        await juliet.ExpectAsync("<message from='romeo@verona.test/test' to='juliet@mantua.test/test' id='m1'/>");
        // A room of Verona's writes to Juliet: it goes on the stream that romeo's message has opened.
        await EnterAsync(romeo, "Romeo", first: true, "hall@conference.verona.test");
        await romeo.SendAsync("<message to='hall@conference.verona.test'>" +
            "<x xmlns='http://jabber.org/protocol/muc#user'><invite to='juliet@mantua.test'/></x></message>");
        await juliet.ExpectAsync(
            "<message from='hall@conference.verona.test' to='juliet@mantua.test' id='**'>...</message>");
        Assert.Single(_world.Dialed, domain => domain == "mantua.test");
    }

    [Fact]
    public async Task ADeadServerIsFoundOutByPings()
    {
        var verona = await ServeAsync("verona.test", "keepalive_timeout = 150");
        var romeo = await verona.LoginAsync("romeo@verona.test");
        var peers = _world.Script("mantua.test");
        await romeo.SendAsync("<message to='juliet@mantua.test' id='m1'/>");
        var peer = await peers.ReadAsync();
        await peer.RunAsync($"""
            {PeerWorld.Welcome}
            < id='m1'
            """);
        await verona.AdvanceAsync(TimeSpan.FromSeconds(62));
        string ping = await peer.WaitAsync(new("<iq [^>]*><ping xmlns='urn:xmpp:ping'/></iq>"));
        string id = ping.Split("id='")[1].Split('\'')[0];
        // An error is an answer too; it comes on a stream of the peer's own.
        var incoming = new ScriptedPeer(verona.AcceptPeer());
        await incoming.RunAsync($"> {PeerWorld.Header("mantua.test", "verona.test")}");
        await incoming.RunAsync("> <db:result from='mantua.test' to='verona.test'>key</db:result>");
        string question = (await peer.WaitAsync(new("<db:verify [^>]*>"))).Split(" id='")[1].Split('\'')[0];
        await peer.RunAsync($"> <db:verify from='mantua.test' to='verona.test' id='{question}' type='valid'/>");
        await incoming.RunAsync("< type='valid'/>");
        await incoming.RunAsync($"> <iq type='error' from='mantua.test' to='verona.test' id='{id}'/>");
        await incoming.RunAsync("> <iq type='get' from='mantua.test' to='verona.test' id='p'>" +
            "<ping xmlns='urn:xmpp:ping'/></iq>");
        await peer.RunAsync("< id='p'"); // so the answer has been taken
        await verona.AdvanceAsync(TimeSpan.FromSeconds(120));
        Assert.DoesNotContain("stream:error", peer.Rest, StringComparison.Ordinal);
        await verona.AdvanceAsync(TimeSpan.FromSeconds(32));
        await peer.RunAsync("< <stream:error><connection-timeout *</stream:stream>");
        Assert.Contains("s2s_keepalive_timeouts_total 1", verona.Host.Metrics.ToPrometheus(), StringComparison.Ordinal);
        await romeo.ExpectNothingAsync(); // whose answers they are is nobody's business
    }

    [Fact]
    public async Task APeerThatDoesNotReadIsCutOffAndTheRoomNoticesTheGhost()
    {
        var verona = await ServeAsync("verona.test");
        var romeo = await verona.LoginAsync("romeo@verona.test");
        var peers = _world.Script("mantua.test");
        await romeo.SendAsync("<message to='juliet@mantua.test' id='m1'/>");
        var peer = await peers.ReadAsync();
        await peer.RunAsync($"""
            {PeerWorld.Welcome}
            < id='m1'
            """);
        string body = new('x', 100_000);
        for (int i = 0; i < 60; i++)
            await romeo.SendAsync($"<message to='juliet@mantua.test' id='b{i}'><body>{body}</body></message>");
        await romeo.ExpectEventuallyAsync(
            "<message type='error' from='juliet@mantua.test' to='romeo@verona.test/test' id='*'>" +
            "<error type='wait' by='verona.test'>" +
            "<remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>...</error></message>");
    }
}
