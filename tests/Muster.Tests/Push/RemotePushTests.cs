using System.Text.RegularExpressions;
using Muster.Protocol.Addresses;
using Muster.Testing;

namespace Muster.Tests.Push;

/// <summary>Push notifications of room services to users of other servers, which need not manage streams (muc-push.md
/// §6, §7).</summary>
[Spec("XEP-0357", "5")]
public sealed partial class RemotePushTests : IAsyncLifetime
{
    const string Service = "conference.verona.test", Room = $"garden@{Service}";
    const string Config = """
        [s2s]
          use_starttls = "optional"
        [modules.mod_ping]
          send_pings = false
        [modules.mod_muc_cloud_notify]
          push_notification_with_body = true
        """;

    readonly PeerWorld _world = new();
    readonly List<TestServer> _servers = [];
    Task _taking = Task.CompletedTask;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var server in _servers) await server.DisposeAsync();
    }

    async Task<TestServer> ServeAsync(string domain, string config)
    {
        var server = await _world.ServeAsync(domain, config);
        _servers.Add(server);
        return server;
    }

    /// <summary>Romeo of another server, without stream management, in Juliet's room; he is registered.</summary>
    async Task<(TestServer Verona, TestClient Juliet, TestServer Mantua, TestClient Romeo)> BeginAsync(
        string app)
    {
        var verona = await ServeAsync("verona.test", Config);
        var mantua = await ServeAsync("mantua.test", """
            [s2s]
              use_starttls = "optional"
            [modules.mod_ping]
              send_pings = false
            [modules.mod_smacks]
              enabled = false
            """);
        var juliet = await verona.LoginAsync("juliet@verona.test", "balcony");
        await juliet.CreateRoomAsync(Room, "Juliet");
        var romeo = await mantua.LoginAsync("romeo@mantua.test", "phone");
        await romeo.EnterAsync(Room, "Romeo");
        await romeo.RegisterNickAsync(Room, "Romeo");
        Assert.Equal("result", (await romeo.EnablePushAsync(app, "phone", Service, PushScenes.Secret("s3cret")))
            .Attribute("type"));
        return (verona, juliet, mantua, romeo);
    }

    static async Task SayAsync(TestServer server, TestClient juliet, string id, string body, string more = "")
    {
        await juliet.SendAsync(
            $"<message to='{Room}' type='groupchat' id='{id}'><body>{body}</body>{more}</message>");
        await juliet.DrainAsync();
        await server.SettleAsync();
    }

    const string Mention = "<reference xmlns='urn:xmpp:reference:0' type='mention' begin='0' end='5'/>";

    [Fact, Feature("CN-03")]
    public async Task A_user_of_another_server_without_stream_management_is_told_of_a_mention()
    {
        const string Address = "app@mantua.test/push";
        var (verona, juliet, mantua, romeo) = await BeginAsync(Address);
        var app = new PushApp(await mantua.LoginAsync("app@mantua.test", "push")) { Address = Address };
        await romeo.LeaveAsync(Room, "Romeo");
        await SayAsync(verona, juliet, "m1", "nobody in particular");
        await SayAsync(verona, juliet, "m2", "Romeo, wherefore?", Mention);
        var push = await app.TakeAsync();
        Assert.Equal((Service, "phone", "s3cret", "Romeo, wherefore?"),
            (push.From, push.Node, push.Options["secret"], push["last-message-body"]));

        // The answer came back over the other stream; what is taken back there is taken back.
        await Patience.Eventually(() => verona.Services.Pushes.Registrations.Known(Service, romeo.Jid.Bare)!.All[0]
            .Stored.LastSuccessAt is not null);
        Assert.Equal("result", (await romeo.DisablePushAsync(Address, to: Service)).Attribute("type"));
        await SayAsync(verona, juliet, "m3", "Romeo, once more", Mention);
        await app.NothingAsync();
    }

    [Fact, Feature("CN-01")]
    public async Task A_stranger_of_another_server_cannot_register()
    {
        var verona = await ServeAsync("verona.test", Config);
        var mantua = await ServeAsync("mantua.test", "[s2s]\n  use_starttls = \"optional\"");
        var juliet = await verona.LoginAsync("juliet@verona.test", "balcony");
        await juliet.CreateRoomAsync(Room, "Juliet");
        var paris = await mantua.LoginAsync("paris@mantua.test", "phone");
        foreach (string to in (string[])[Service, Room])
            Assert.Equal("forbidden",
                (await paris.EnablePushAsync("app@mantua.test/push", "n", to)).ErrorCondition());
        await paris.EnterAsync(Room, "Paris");
        Assert.Equal("result", (await paris.EnablePushAsync("app@mantua.test/push", "n", Service)).Attribute("type"));
    }

    [Fact, Feature("CN-03", "CN-16")]
    public async Task A_user_whose_server_is_away_is_told_of_what_came_back()
    {
        const string Address = "app@verona.test/push";
        var (verona, juliet, _, _) = await BeginAsync(Address);
        var app = new PushApp(await verona.LoginAsync("app@verona.test", "push")) { Address = Address };
        _world.Forget("mantua.test");
        _world.CutAll();
        await SayAsync(verona, juliet, "m1", "Romeo, are you there?");
        for (int i = 0; i < 60; i++) await verona.AdvanceAsync(TimeSpan.FromSeconds(5));
        var push = await app.TakeAsync();
        Assert.Equal((Service, "Romeo, are you there?"), (push.From, push["last-message-body"]));
        await app.NothingAsync();
    }

    [Fact, Feature("CN-03", "CN-14", "CN-15", "CN-16")]
    public async Task A_user_whose_server_swallows_everything_is_told_once_that_is_known()
    {
        const string Address = "app@verona.test/push";
        var verona = await ServeAsync("verona.test", Config);
        var app = new PushApp(await verona.LoginAsync("app@verona.test", "push")) { Address = Address };
        var juliet = await verona.LoginAsync("juliet@verona.test", "balcony");
        await juliet.CreateRoomAsync(Room, "Juliet");
        // A server that takes what comes and says no more, as if its machine had been switched off behind a wire.
        var mantua = await SwallowAsync(verona);
        await mantua.RunAsync($"> <presence from='romeo@mantua.test/phone' to='{Room}/Romeo'>" +
            "<x xmlns='http://jabber.org/protocol/muc'/></presence>");
        await juliet.ExpectEventuallyAsync($"<presence from='{Room}/Romeo' to='**'>...</presence>");
        await mantua.RunAsync($"> <iq type='set' from='romeo@mantua.test/phone' to='{Service}' id='p1'>" +
            $"<enable xmlns='urn:xmpp:push:0' jid='{Address}' node='phone'/></iq>");
        await Patience.Eventually(() =>
            verona.Services.Pushes.Registrations.Known(Service, Jid.Parse("romeo@mantua.test"))
                is { All.IsEmpty: false });
        await _taking.WaitAsync(TestClient.Patience);
        await verona.AdvanceAsync(TimeSpan.FromSeconds(30));
        await SayAsync(verona, juliet, "m1", "Romeo, good night");
        await SayAsync(verona, juliet, "m2", "parting is such sweet sorrow");
        await app.NothingAsync();
        // After a quarter of an hour of silence the room asks, and asks once more.
        for (int i = 0; i < 30; i++) await verona.AdvanceAsync(TimeSpan.FromMinutes(1));
        var push = await app.TakeAsync();
        Assert.Equal((Service, "2", "Romeo, good night"),
            (push.From, push["message-count"], push["last-message-body"]));
        await app.NothingAsync();
        await juliet.ExpectEventuallyAsync($"<presence type='unavailable' from='{Room}/Romeo' to='**'>...</presence>");
    }

    /// <summary>A server that proves its domain and takes what it is sent, and whose users a test plays.</summary>
    async Task<ScriptedPeer> SwallowAsync(TestServer server)
    {
        var calls = _world.Script("mantua.test");
        var peer = new ScriptedPeer(server.AcceptPeer());
        await peer.RunAsync($"> {PeerWorld.Header("mantua.test", Service)}");
        await peer.RunAsync($"> <db:result from='mantua.test' to='{Service}'>key</db:result>");
        var call = await calls.ReadAsync();
        await call.RunAsync("""
            < <stream:stream
            > <stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' id='i' version='1.0'
            > \nxmlns:stream='http://etherx.jabber.org/streams'><stream:features/>
            """);
        string question = await call.WaitAsync(Question());
        await call.RunAsync($"> <db:verify from='mantua.test' to='{Service}' id='{Id().Match(question).Groups[1]}' " +
            "type='valid'/>");
        await peer.RunAsync($"< <db:result from='{Service}' to='mantua.test' type='valid'/>");
        _taking = call.RunAsync($"""
            < <db:result from='{Service}' to='mantua.test'>
            > <db:result from='mantua.test' to='{Service}' type='valid'/>
            """);
        return peer;
    }

    [GeneratedRegex("<db:verify [^>]*>[^<]*</db:verify>")]
    private static partial Regex Question();

    [GeneratedRegex("id='([^']*)'")]
    private static partial Regex Id();
}
