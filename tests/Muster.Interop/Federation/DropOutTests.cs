using Muster.Interop.Servers;
using Muster.Testing;

namespace Muster.Interop.Federation;

/// <summary>
/// Users in rooms of another server, while the connection between the servers breaks and while either server is
/// restarted: who has dropped out is told in time, and who has not hears nothing. With real servers of others, and with
/// two of this kind.
/// </summary>
public sealed class DropOutTests : IAsyncLifetime, IAsyncDisposable
{
    const string Domain = "muster.example";
    const string Muc = "http://jabber.org/protocol/muc";
    const string Config = """
        [modules.mod_ping_muc]
          ping_muc_delay = 6
        """;

    readonly string _folder = Directory.CreateTempSubdirectory("muster-dropout-").FullName;
    readonly ScriptedDns _dns = new();
    readonly int _peerPort = ServerProcess.FreePort();
    readonly TestAuthority _authority;
    readonly Wire _toMuster;
    ServerProcess? _other, _muster;
    PeerProgram? _peer;
    Wire? _toPeer;
    Func<Task<TestClient>> _loginJuliet = null!;
    string _there = "";

    public DropOutTests()
    {
        _authority = new TestAuthority(_folder) { IsForClients = true };
        _toMuster = new Wire(_peerPort);
        foreach (string host in (string[])[Domain, $"conference.{Domain}"])
            _dns.Service($"_xmpp-server._tcp.{host}", 5, 0, _toMuster.Port, "localhost");
        _dns.Address("localhost", "127.0.0.1");
    }

    public Task InitializeAsync() => Task.CompletedTask;

    // The runner asks for this interface alone.
    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        if (_muster is not null) await _muster.DisposeAsync();
        if (_other is not null) await _other.DisposeAsync();
        if (_peer is not null) await _peer.DisposeAsync();
        if (_toPeer is not null) await _toPeer.DisposeAsync();
        await _toMuster.DisposeAsync();
        _dns.Dispose();
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [RealPeerFact("prosody", "lua-unbound")]
    public Task WithProsody() => PlayAsync(StartProsodyAsync);

    [RealPeerFact("prosody", "lua-unbound")]
    public Task BroughtBackToProsody() => PlayAsync(StartProsodyAsync, Config + "\n  ping_muc_autorejoin = true",
        PlayBringingBackAsync);

    [RealPeerFact("ejabberd")]
    public Task WithEjabberd() => PlayAsync(StartEjabberdAsync);

    [Fact]
    public Task TwoOfItsKind() => PlayAsync(StartOtherAsync);

    Task PlayAsync(Func<Task> startPeer) => PlayAsync(startPeer, Config, async () =>
    {
        await PlayTheirRoomAsync();
        await PlayOurRoomAsync();
    });

    async Task PlayAsync(Func<Task> startPeer, string config, Func<Task> play)
    {
        await startPeer();
        _muster = await StartAsync(Domain, _peerPort, PeerProgram.AddressAsToml(_there, _toPeer!.Port), config);
        await AddAsync(_muster, "romeo");
        try
        {
            await play();
        }
        catch (Exception error)
        {
            throw new InvalidOperationException(
                $"{error.Message}\n--- Muster:\n{_muster.Output}\n--- peer:\n{_other?.Output ?? _peer?.Log}", error);
        }
    }

    /// <summary>Our user in a room of theirs.</summary>
    async Task PlayTheirRoomAsync()
    {
        string room = $"garden@conference.{_there}";
        var juliet = await _loginJuliet();
        var romeo = await PeerClients.LoginAsync(_muster!.PlainPort, "romeo", Domain);
        await EnterAsync(juliet, room, "Host", isFirst: true);
        await EnterAsync(romeo, room, "Guest");

        // The connection breaks and nobody is forgotten: nothing reaches the client. (Prosody removes whoever has not
        // acknowledged what it was sent on entering.)
        await Task.Delay(2000);
        CutBoth();
        await Task.Delay(500);
        ReopenBoth();
        await CountedAsync("ping_muc_result_total{outcome=\"ok\"} 1");
        await romeo.ExpectNothingAsync();

        // It breaks, and the room removes the occupant meanwhile: the client is told.
        CutBoth();
        await KickAsync(juliet, room);
        await Task.Delay(4000); // until the other server has given up telling it
        ReopenBoth();
        await ExpectOutAsync(romeo, room);
        await EnterAsync(romeo, room, "Guest");
        await CountedAsync("muc_joined_rooms 1");

        // Our server is restarted, and the client goes on as if its connection alone had broken.
        await romeo.SendAsync("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
        string token = (await romeo.ExpectEventuallyAsync("<enabled xmlns='urn:xmpp:sm:3' id='{token}' " +
            "resume='true' max='**'/>")).Attribute("id")!;
        await RestartAsync();
        romeo = await ResumeAsync(token);
        await CountedAsync("ping_muc_result_total{outcome=\"ok\"} 1");
        Assert.DoesNotContain(await romeo.DrainAsync(),
            stanza => stanza.Name == "iq" || stanza.Attribute("type") == "unavailable");

        // The same, and the room removes the occupant while our server is away.
        await _muster!.StopAsync();
        await KickAsync(juliet, room);
        _muster = await _muster.RestartAsync();
        romeo = await ResumeAsync(token);
        await ExpectOutAsync(romeo, room);

        // It is killed: the room hears that the session is gone.
        await EnterAsync(romeo, room, "Guest");
        await juliet.ExpectEventuallyAsync(
            $"<presence from='{room}/Guest' to='*' id='**' xml:lang='**'>...</presence>");
        await Task.Delay(1500); // what is stored is stored within a second
        await _muster.KillAsync();
        await _muster.DisposeProcessAsync();
        _muster = await _muster.RestartAsync();
        await juliet.ExpectEventuallyAsync(
            $"<presence type='unavailable' from='{room}/Guest' to='{juliet.Jid}' id='**' xml:lang='**'>...</presence>");
        await juliet.DisposeAsync();
        await romeo.DisposeAsync();
    }

    /// <summary>Our user in a room of theirs, which forgets him: his server brings him back, and he gets what was said
    /// meanwhile as if nothing had happened.</summary>
    async Task PlayBringingBackAsync()
    {
        string room = $"garden@conference.{_there}";
        var juliet = await _loginJuliet();
        var romeo = await PeerClients.LoginAsync(_muster!.PlainPort, "romeo", Domain);
        await EnterAsync(juliet, room, "Host", isFirst: true);
        await EnterAsync(romeo, room, "Guest");
        await SayAsync(juliet, romeo, room, "before");
        await Task.Delay(2000); // what it was sent on entering is acknowledged

        CutBoth();
        await KickAsync(juliet, room);
        await juliet.SendAsync($"<message to='{room}' type='groupchat' id='missed-1'><body>missed</body></message>");
        await Task.Delay(4000); // until the other server has given up telling it
        ReopenBoth();
        await CountedAsync("ping_muc_rejoins_total{outcome=\"done\"} 1");
        await romeo.SendAsync($"<message to='{room}' type='groupchat' id='last-1'><body>I am back</body></message>");
        var seen = new List<string>();
        while (true)
        {
            var stanza = await romeo.ReceiveAsync();
            string? id = stanza.Attribute("id");
            Assert.False(stanza.Attribute("type") == "unavailable", $"{stanza}");
            Assert.False(id?.StartsWith("muc-ping", StringComparison.Ordinal) == true, $"{stanza}");
            if (stanza.Name == "message" && stanza.Child("body") is not null) seen.Add(id ?? "");
            if (id == "last-1") break;
        }
        Assert.Equal(["missed-1", "last-1"], seen);
        await juliet.ExpectEventuallyAsync($"<message from='{room}/Guest' to='*' type='groupchat' id='last-1' " +
            "xml:lang='**'>...<body>I am back</body></message>");
        await CountedAsync("muc_joined_rooms 1");
        await romeo.DisposeAsync();
        await juliet.DisposeAsync();
    }

    /// <summary>Their user in a room of ours.</summary>
    async Task PlayOurRoomAsync()
    {
        string room = $"hall@conference.{Domain}";
        var juliet = await _loginJuliet();
        var romeo = await PeerClients.LoginAsync(_muster!.PlainPort, "romeo", Domain);
        await EnterAsync(romeo, room, "Host", isFirst: true);
        await EnterAsync(juliet, room, "Guest");

        // A broken connection removes nobody.
        CutBoth();
        await Task.Delay(500);
        ReopenBoth();
        await SayAsync(romeo, juliet, room, "after the cut");

        // Nor does a restart of our server.
        await romeo.SendAsync("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
        string token = (await romeo.ExpectEventuallyAsync("<enabled xmlns='urn:xmpp:sm:3' id='**' " +
            "resume='true' max='**'/>")).Attribute("id")!;
        await RestartAsync();
        romeo = await ResumeAsync(token);
        await SayAsync(romeo, juliet, room, "after the restart");

        // Who goes while nobody can tell is a ghost, until something that is said to it comes back.
        CutBoth();
        await juliet.SendAsync("</stream:stream>");
        await Task.Delay(1000);
        ReopenBoth();
        await romeo.SendAsync($"<message to='{room}' type='groupchat' id='last'><body>gone?</body></message>");
        await romeo.ExpectEventuallyAsync($"<presence type='unavailable' from='{room}/Guest' to='*'>" +
            $"...<x xmlns='{Muc}#user'>...<status code='333'/></x></presence>");
        await romeo.DisposeAsync();
        await juliet.DisposeAsync();
    }

    async Task StartProsodyAsync()
    {
        _there = "prosody.example";
        _dns.Address(_there, "127.0.0.1");
        var prosody = await Prosody.StartAsync(
            _there, ["juliet"], _authority, _authority.RootFile, _dns, isSecure: false);
        Use(prosody);
    }

    async Task StartEjabberdAsync()
    {
        _there = "ejabberd.example";
        _dns.Address(_there, "127.0.0.1");
        var ejabberd = await Ejabberd.StartAsync(
            _there, ["juliet"], _authority, _authority.RootFile, _dns, isSecure: true);
        Use(ejabberd);
    }

    void Use(PeerProgram peer)
    {
        _peer = peer;
        _toPeer = new Wire(peer.PeerPort);
        _loginJuliet = () => peer.LoginAsync("juliet");
    }

    async Task StartOtherAsync()
    {
        _there = "other.example";
        int port = ServerProcess.FreePort();
        _toPeer = new Wire(port);
        var other = await StartAsync(_there, port, PeerProgram.AddressAsToml(Domain, _toMuster.Port));
        _other = other;
        await AddAsync(other, "juliet");
        _loginJuliet = () => PeerClients.LoginAsync(other.PlainPort, "juliet", _there);
    }

    void CutBoth()
    {
        _toMuster.Break();
        _toPeer!.Break();
    }

    void ReopenBoth()
    {
        _toMuster.Mend();
        _toPeer!.Mend();
    }

    async Task RestartAsync()
    {
        Assert.Equal(0, await _muster!.StopAsync());
        await _muster.DisposeProcessAsync();
        _muster = await _muster.RestartAsync();
    }

    async Task<TestClient> ResumeAsync(string token)
    {
        var client = await PeerClients.ConnectAsync(_muster!.PlainPort, "romeo", Domain);
        await client.AuthenticateAsync("romeo", "romeo");
        // What the client has got before does not matter here: it is sent again, and let pass.
        await client.SendAsync($"<resume xmlns='urn:xmpp:sm:3' previd='{token}' h='0'/>");
        await client.ExpectEventuallyAsync($"<resumed xmlns='urn:xmpp:sm:3' previd='{token}' h='**'/>");
        return client;
    }

    async Task CountedAsync(string line)
    {
        using var http = new HttpClient();
        string page = "";
        for (int i = 0; i < 200; i++)
        {
            page = await http.GetStringAsync(new Uri(_muster!.Http, "/metrics"));
            if (page.Contains(line, StringComparison.Ordinal)) return;
            await Task.Delay(100);
        }
        Assert.Fail($"{line} is not in\n{page}");
    }

    static async Task EnterAsync(TestClient client, string room, string nick, bool isFirst = false)
    {
        await client.SendAsync($"<presence to='{room}/{nick}'><x xmlns='{Muc}'>" +
            "<history maxstanzas='0'/></x></presence>");
        await client.ExpectEventuallyAsync("<message type='groupchat' from='*' to='*' id='**' " +
            "xml:lang='**'>...<subject>...</subject></message>");
        if (!isFirst) return;
        await client.SendAsync($"<iq type='set' to='{room}' id='open'><query xmlns='{Muc}#owner'>" +
            "<x xmlns='jabber:x:data' type='submit'/></query></iq>");
        await client.ExpectEventuallyAsync("<iq type='result' id='open' from='*' to='*' xml:lang='**'>...</iq>");
    }

    static async Task KickAsync(TestClient owner, string room)
    {
        await owner.SendAsync($"<iq type='set' to='{room}' id='kick'><query xmlns='{Muc}#admin'>" +
            "<item nick='Guest' role='none'/></query></iq>");
        await owner.ExpectEventuallyAsync("<iq type='result' id='kick' from='*' to='*' xml:lang='**'>...</iq>");
    }

    static async Task SayAsync(TestClient one, TestClient other, string room, string text)
    {
        await one.SendAsync($"<message to='{room}' type='groupchat' id='say'><body>{text}</body></message>");
        await other.ExpectEventuallyAsync($"<message from='{room}/Host' to='{other.Jid}' type='groupchat' id='say' " +
            $"xml:lang='**'>...<body>{text}</body></message>");
    }

    /// <summary>Waits until the client is told that it is out, as mod_ping_muc documents it, and sees to it that it
    /// gets neither ping nor answer before.</summary>
    async Task ExpectOutAsync(TestClient romeo, string room)
    {
        while (true)
        {
            var stanza = await romeo.ReceiveAsync();
            Assert.False(
                stanza.Attribute("id")?.StartsWith("muc-ping", StringComparison.Ordinal) == true, $"{stanza}");
            if (stanza.Attribute("from") != $"{room}/Guest" || stanza.Attribute("type") != "unavailable") continue;
            // Streams between two of this kind are resumed: what was to be told when it broke is told then.
            bool isKick = stanza.ToString().Contains("code='307'", StringComparison.Ordinal);
            if (_other is not null && isKick) return;
            var notice = new XmlPattern($"<presence type='unavailable' id='*' from='{room}/Guest' to='*'>" +
                $"<x xmlns='{Muc}#user'><item affiliation='none' role='none'><reason>*</reason></item>" +
                "<status code='110'/><status code='330'/><status code='333'/></x>...</presence>", []);
            notice.AssertFits(stanza);
            return;
        }
    }

    Task<ServerProcess> StartAsync(
        string domain, int port, string addresses, string config = Config) => ServerProcess.StartAsync($"""
        [general]
          hosts = ["{domain}"]
        [s2s]
          use_starttls = "required"
          cacertfile = "{_authority.RootFile}"
        {addresses}
        {config}
        """, demo: false, port, _authority.IssueAsToml([domain, $"conference.{domain}"]));

    static async Task AddAsync(ServerProcess server, string name)
    {
        string domain = name == "romeo" ? Domain : "other.example";
        var (exit, output) = await server.RunAsync("user", "add", $"{name}@{domain}", "--password", name);
        Assert.True(exit == 0, output);
    }
}
