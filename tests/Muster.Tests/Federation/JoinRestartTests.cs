using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;
using Muster.Server.Storage;
using Muster.Server.Storage.Memory;
using Muster.Testing;

namespace Muster.Tests.Federation;

/// <summary>Rooms and users of different servers while one of them is restarted, crashes, or a client is away
/// (muc-presence-reliability.md §5).</summary>
public sealed class JoinRestartTests : IAsyncLifetime, IAsyncDisposable
{
    const string User = "http://jabber.org/protocol/muc#user";
    const string Garden = "garden@rooms.test/Romeo";
    const string Enable = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>";

    readonly PeerWorld _world = new();
    readonly List<TestServer> _servers = [];
    readonly Database _database = new MemoryDatabase();

    public Task InitializeAsync() => Task.CompletedTask;

    // The runner asks for this interface alone.
    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers) await server.DisposeAsync();
        await _database.DisposeAsync();
    }

    async Task<TestServer> ServeAsync(string domain = "verona.test", Database? database = null)
    {
        var server = await _world.ServeAsync(domain, """
            [s2s]
              use_starttls = "optional"
            [modules.mod_s2s_keepalive]
              enabled = false
            [modules.mod_ping]
              send_pings = false
            """, "tls.mode = 'none'", database ?? _database);
        _servers.Add(server);
        return server;
    }

    async Task StopAsync(TestServer server)
    {
        _servers.Remove(server);
        await server.DisposeAsync();
    }

    static async Task<string> EnableAsync(TestClient client)
    {
        await client.SendAsync(Enable);
        return (await client.ExpectEventuallyAsync("<enabled xmlns='urn:xmpp:sm:3' id='**' resume='true' max='**'/>"))
            .Attribute("id")!;
    }

    static async Task<TestClient> ResumeAsync(TestServer server, string token)
    {
        var client = server.Connect("verona.test", "romeo");
        await client.AuthenticateAsync("romeo", "romeo");
        await client.SendAsync($"<resume xmlns='urn:xmpp:sm:3' previd='{token}' h='0'/>");
        await client.ExpectEventuallyAsync($"<resumed xmlns='urn:xmpp:sm:3' previd='{token}' h='**'/>");
        return client;
    }

    const string Notice = $"<presence type='unavailable' id='*' from='{Garden}' to='romeo@verona.test/test'>" +
        $"<x xmlns='{User}'><item affiliation='none' role='none'><reason>*</reason></item>" +
        "<status code='110'/><status code='330'/><status code='333'/></x>...</presence>";

    [Fact]
    [Feature("PM-04")]
    public async Task AClientThatIsAwayIsToldWhenItIsBack()
    {
        var server = await ServeAsync();
        var romeo = await server.LoginAsync("romeo@verona.test");
        string token = await EnableAsync(romeo);
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        await romeo.DisposeAsync();
        await Patience.Eventually(() => server.Services.Local.Resumable.WaitingCount > 0);
        await rooms.CutAsync();
        await server.AdvanceAsync(TimeSpan.FromSeconds(61));
        await rooms.AcceptAsync();
        await rooms.AnswerAsync(await rooms.PingAsync(romeo.Jid), romeo.Jid, "not-acceptable");
        await Patience.Eventually(() =>
            server.Host.Metrics.ToPrometheus().Contains("ping_muc_notices_total 1", StringComparison.Ordinal));
        var back = await ResumeAsync(server, token);
        await back.ExpectEventuallyAsync(Notice);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AfterARestartRoomsAreAskedForSessionsThatGoOn(bool isInside)
    {
        var first = await ServeAsync();
        var romeo = await first.LoginAsync("romeo@verona.test");
        string token = await EnableAsync(romeo);
        var rooms = new ScriptedRooms(_world, first);
        await rooms.AdmitAsync(romeo);
        await StopAsync(first);

        var second = await ServeAsync();
        rooms = new ScriptedRooms(_world, second);
        var back = await ResumeAsync(second, token);
        await second.AdvanceAsync(TimeSpan.FromSeconds(62));
        await rooms.AcceptAsync();
        string id = await rooms.PingAsync(back.Jid.IsNone ? Jid.Parse("romeo@verona.test/test") : back.Jid);
        await rooms.AnswerAsync(id, Jid.Parse("romeo@verona.test/test"), isInside ? null : "not-acceptable");
        if (!isInside) await back.ExpectEventuallyAsync(Notice);
        await rooms.SendAsync($"<message type='groupchat' id='g' from='{Garden}' to='romeo@verona.test/test'/>");
        Element last;
        do
        {
            last = await back.ReceiveAsync();
            Assert.NotEqual("unavailable", last.Attribute("type"));
            Assert.NotEqual("iq", last.Name);
        }
        while (last.Attribute("id") != "g");
    }

    [Fact]
    public async Task ARoomThatLetsAClientInOnlyAfterARestartIsLookedAfter()
    {
        var first = await ServeAsync();
        var romeo = await first.LoginAsync("romeo@verona.test");
        string token = await EnableAsync(romeo);
        var rooms = new ScriptedRooms(_world, first);
        await romeo.SendAsync($"<presence to='{Garden}'/>");
        await rooms.AcceptAsync();
        await rooms.ReceiveAsync($"to='{Garden}'*");
        await StopAsync(first);

        var second = await ServeAsync();
        rooms = new ScriptedRooms(_world, second);
        var back = await ResumeAsync(second, token);
        await back.SendAsync("<message to='garden@rooms.test' type='groupchat' id='m'/>");
        await rooms.AcceptAsync();
        await rooms.SendAsync($"<presence from='{Garden}' to='romeo@verona.test/test'><x xmlns='{User}'>" +
            "<item affiliation='none' role='participant'/><status code='110'/></x></presence>");
        await back.ExpectEventuallyAsync($"<presence from='{Garden}' to='romeo@verona.test/test'>...</presence>");
        Assert.Contains("muc_joined_rooms 1", second.Host.Metrics.ToPrometheus(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhoEndsWithTheServerHasLeftItsRoomsBefore()
    {
        var server = await ServeAsync();
        var romeo = await server.LoginAsync("romeo@verona.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        var stop = StopAsync(server);
        await rooms.ReceiveAsync($"<presence to='{Garden}' from='romeo@verona.test/test' type='unavailable'/>*" +
            "<system-shutdown ");
        await rooms.SendAsync("</stream:stream>");
        await stop;
    }

    [Fact]
    public async Task AfterACrashRoomsHearThatNobodyIsThere()
    {
        var server = await ServeAsync();
        var romeo = await server.LoginAsync("romeo@verona.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        await server.AdvanceAsync(TimeSpan.FromSeconds(2)); // what is stored is stored within a second
        Assert.Equal(Garden, Assert.Single(await _database.Joins.Load()).Occupant.ToString());

        // What a crash leaves: the same data, and a process that knows nothing of the session.
        var crashed = new MemoryDatabase();
        await crashed.Joins.Change(await _database.Joins.Load());
        var next = await ServeAsync(database: crashed);
        rooms = new ScriptedRooms(_world, next);
        await next.AdvanceAsync(TimeSpan.FromSeconds(2));
        await rooms.AcceptAsync();
        await rooms.ReceiveAsync($"<presence to='{Garden}' from='romeo@verona.test/test' type='unavailable'/>");
        await next.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Empty(await crashed.Joins.Load());
    }

    [Fact]
    public async Task ARoomThatAClientIsBackInIsNotToldOfItsCrash()
    {
        await _database.Joins.Change([new StoredJoin(Jid.Parse("romeo@verona.test/test"),
            Jid.Parse("garden@rooms.test"), Jid.Parse(Garden))]);
        var server = await ServeAsync();
        var romeo = await server.LoginAsync("romeo@verona.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        await server.AdvanceAsync(TimeSpan.FromSeconds(5));
        await romeo.SendAsync("<message type='groupchat' to='garden@rooms.test' id='m1'/>");
        await rooms.ReceiveAsync("id='m1'");
        Assert.Equal(Garden, Assert.Single(await _database.Joins.Load()).Occupant.ToString());
    }

    [Fact]
    public async Task OccupantsOfOtherServersStayOverARestartAndAreAsked()
    {
        const string Hall = "hall@conference.verona.test";
        const string Subject = $"<message type='groupchat' from='{Hall}' to='*' id='**'>...<subject/></message>";
        var first = await ServeAsync();
        var romeo = await first.LoginAsync("romeo@verona.test");
        await romeo.SendAsync($"<presence to='{Hall}/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
        await romeo.ExpectEventuallyAsync(Subject);
        await romeo.AskAsync($"<iq type='set' id='open' to='{Hall}'>" +
            "<query xmlns='http://jabber.org/protocol/muc#owner'>" +
            "<x xmlns='jabber:x:data' type='submit'/></query></iq>");
        string token = await EnableAsync(romeo);
        var mantua = await ServeAsync("mantua.test", new MemoryDatabase());
        var juliet = await mantua.LoginAsync("juliet@mantua.test");
        await juliet.SendAsync($"<presence to='{Hall}/Juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
        await juliet.ExpectEventuallyAsync(Subject);
        await romeo.ExpectEventuallyAsync($"<presence from='{Hall}/Juliet' to='*'>...</presence>");
        await StopAsync(first);
        // She goes while nobody is there to be told.
        _world.Forget("conference.verona.test");
        _world.Forget("verona.test");
        await juliet.CloseAsync();

        var second = await ServeAsync();
        var back = await ResumeAsync(second, token);
        // The room is loaded in the background: its time begins then.
        var hall = Jid.Parse(Hall);
        await Patience.Eventually(() => second.Services.Rooms.Values.Any(rooms => rooms.FindLive(hall) is not null));
        await second.AdvanceAsync(TimeSpan.FromSeconds(50));
        Assert.DoesNotContain(await back.DrainAsync(), stanza => stanza.Attribute("type") == "unavailable");
        await second.AdvanceAsync(TimeSpan.FromSeconds(20));
        await back.ExpectEventuallyAsync($"<presence type='unavailable' from='{Hall}/Juliet' to='*'>...</presence>");
        Assert.Contains("muc_ghosts_kicked_total{condition=\"service-unavailable\"} 1",
            second.Host.Metrics.ToPrometheus(), StringComparison.Ordinal);
    }
}
