using Muster.Interop.Servers;
using Muster.Testing;

namespace Muster.Interop.Federation;

/// <summary>The real program beside real servers of others: messages, subscriptions and rooms, both ways, proved by
/// certificates and by dialback.</summary>
public sealed class FederationTests : IDisposable
{
    const string Domain = "muster.example";

    readonly string _folder = Directory.CreateTempSubdirectory("muster-federation-").FullName;
    readonly ScriptedDns _dns = new();
    readonly int _peerPort = ServerProcess.FreePort();
    readonly TestAuthority _authority, _stranger;

    public FederationTests()
    {
        // ejabberd does not take a certificate for servers alone from the side that connects.
        _authority = new TestAuthority(_folder) { IsForClients = true };
        _stranger = new TestAuthority(_folder, "Stranger");
        foreach (string host in (string[])[Domain, $"conference.{Domain}"])
            _dns.Service($"_xmpp-server._tcp.{host}", 5, 0, _peerPort, "localhost");
        // ejabberd has the system look the address up; a resolver has no need to.
        _dns.Address("localhost", "127.0.0.1");
    }

    public void Dispose()
    {
        _dns.Dispose();
        _authority.Dispose();
        _stranger.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [RealPeerFact("prosody", "lua-unbound")]
    public async Task WithProsodyByCertificate()
    {
        await using var prosody = await Prosody.StartAsync(
            "prosody.example", ["juliet"], _authority, _authority.RootFile, Names("prosody.example"), isSecure: true);
        await TalkAsync(prosody, "required_trusted", _authority, "EXTERNAL");
    }

    [RealPeerFact("prosody", "lua-unbound")]
    public async Task WithProsodyByDialback()
    {
        await using var prosody = await Prosody.StartAsync(
            "prosody.example", ["juliet"], _stranger, _stranger.RootFile, Names("prosody.example"), isSecure: false);
        await TalkAsync(prosody, "required", _authority, "dialback");
    }

    [RealPeerFact("ejabberd")]
    public async Task WithEjabberdByCertificate()
    {
        await using var ejabberd = await Ejabberd.StartAsync(
            "ejabberd.example", ["juliet"], _authority, _authority.RootFile, Names("ejabberd.example"), isSecure: true);
        await TalkAsync(ejabberd, "required_trusted", _authority, "EXTERNAL");
    }

    [RealPeerFact("ejabberd")]
    public async Task WithEjabberdByDialback()
    {
        await using var ejabberd = await Ejabberd.StartAsync(
            "ejabberd.example", ["juliet"], _stranger, _stranger.RootFile, Names("ejabberd.example"), isSecure: false);
        await TalkAsync(ejabberd, "required", _authority, "dialback");
    }

    [Fact]
    public async Task TwoOfItsKind()
    {
        int otherPort = ServerProcess.FreePort();
        await using var other = await StartAsync("other.example", otherPort, "required", _stranger,
            PeerProgram.AddressAsToml(Domain, _peerPort));
        await using var muster = await StartAsync(Domain, _peerPort, "required", _authority,
            PeerProgram.AddressAsToml("other.example", otherPort));
        await AddAsync(other, "juliet@other.example");
        await AddAsync(muster, $"romeo@{Domain}");
        await using var juliet = await PeerClients.LoginAsync(other.PlainPort, "juliet", "other.example");
        await using var romeo = await PeerClients.LoginAsync(muster.PlainPort, "romeo", Domain);
        await TalkAsync(romeo, juliet, "other.example");
        Assert.Contains("proved by dialback", muster.Output + other.Output, StringComparison.Ordinal);
    }

    ScriptedDns Names(string domain)
    {
        _dns.Address(domain, "127.0.0.1");
        return _dns;
    }

    async Task TalkAsync(PeerProgram peer, string tls, TestAuthority authority, string proof)
    {
        await using var muster = await StartAsync(Domain, _peerPort, tls, authority,
            PeerProgram.AddressAsToml(peer.Domain, peer.PeerPort));
        await AddAsync(muster, $"romeo@{Domain}");
        try
        {
            await using var juliet = await peer.LoginAsync("juliet");
            await using var romeo = await PeerClients.LoginAsync(muster.PlainPort, "romeo", Domain);
            await TalkAsync(romeo, juliet, peer.Domain);
            Assert.Contains($"proved by {proof}", muster.Output, StringComparison.Ordinal);
        }
        catch (Exception error)
        {
            throw new InvalidOperationException(
                $"{error.Message}\n--- Muster:\n{muster.Output}\n--- peer:\n{peer.Log}", error);
        }
    }

    /// <summary>All that users of two servers do with each other.</summary>
    static async Task TalkAsync(TestClient romeo, TestClient juliet, string there)
    {
        // Messages.
        await romeo.SendAsync($"<message to='{juliet.Jid}' type='chat' id='m1'><body>hello there</body></message>");
        await juliet.ExpectEventuallyAsync($"<message from='{romeo.Jid}' to='{juliet.Jid}' type='chat' id='m1' " +
            "xml:lang='**'>...<body>hello there</body></message>");
        await juliet.SendAsync($"<message to='{romeo.Jid}' type='chat' id='m2'><body>hello here</body></message>");
        await romeo.ExpectEventuallyAsync($"<message from='{juliet.Jid}' to='{romeo.Jid}' type='chat' id='m2' " +
            "xml:lang='**'>...<body>hello here</body></message>");
        // Subscriptions, and the presence that comes of them.
        await SubscribeAsync(romeo, juliet);
        await SubscribeAsync(juliet, romeo);
        // Rooms.
        await MeetAsync(host: juliet, guest: romeo, $"garden@conference.{there}");
        await MeetAsync(host: romeo, guest: juliet, $"hall@conference.{Domain}");
    }

    static async Task SubscribeAsync(TestClient asker, TestClient asked)
    {
        string from = asker.Jid.Bare.ToString(), to = asked.Jid.Bare.ToString();
        await asker.SendAsync($"<presence type='subscribe' to='{to}' id='s1'/>");
        await asked.ExpectEventuallyAsync(
            $"<presence type='subscribe' from='{from}' to='{to}*' id='**' xml:lang='**'>...</presence>");
        await asked.SendAsync($"<presence type='subscribed' to='{from}' id='s2'/>");
        await asker.ExpectEventuallyAsync(
            $"<presence from='{asked.Jid}' to='*' id='**' xml:lang='**'>...</presence>");
    }

    static async Task MeetAsync(TestClient host, TestClient guest, string room)
    {
        const string Muc = "<x xmlns='http://jabber.org/protocol/muc'/>";
        await host.SendAsync($"<presence to='{room}/Host'>{Muc}</presence>");
        await host.ExpectEventuallyAsync(Subject(room, host));
        await host.SendAsync($"<iq type='set' to='{room}' id='open'>" +
            "<query xmlns='http://jabber.org/protocol/muc#owner'>" +
            "<x xmlns='jabber:x:data' type='submit'/></query></iq>");
        await host.ExpectEventuallyAsync("<iq type='result' id='open' from='*' to='*' xml:lang='**'>...</iq>");
        await guest.SendAsync($"<presence to='{room}/Guest'>{Muc}</presence>");
        await guest.ExpectEventuallyAsync(Subject(room, guest));
        await guest.SendAsync($"<message to='{room}' type='groupchat' id='g1'><body>from afar</body></message>");
        await host.ExpectEventuallyAsync($"<message from='{room}/Guest' to='{host.Jid}' type='groupchat' id='g1' " +
            "xml:lang='**'>...<body>from afar</body></message>");
        await guest.ExpectEventuallyAsync($"<message from='{room}/Guest' to='{guest.Jid}' type='groupchat' id='g1' " +
            "xml:lang='**'>...<body>from afar</body></message>");
        await guest.SendAsync($"<presence type='unavailable' to='{room}/Guest'/>");
        await host.ExpectEventuallyAsync(
            $"<presence type='unavailable' from='{room}/Guest' to='{host.Jid}' id='**' xml:lang='**'>...</presence>");
    }

    static string Subject(string room, TestClient client) => $"<message type='groupchat' from='*' to='{client.Jid}' " +
        "id='**' xml:lang='**'>...<subject>...</subject></message>";

    Task<ServerProcess> StartAsync(string domain, int port, string tls, TestAuthority authority, string addresses) =>
        ServerProcess.StartAsync($"""
            [general]
              hosts = ["{domain}"]
            [s2s]
              use_starttls = "{tls}"
              cacertfile = "{_authority.RootFile}"
            {addresses}
            """, demo: false, port, authority.IssueAsToml([domain, $"conference.{domain}"]));

    static async Task AddAsync(ServerProcess server, string user)
    {
        string name = user.Split('@')[0];
        var (exit, output) = await server.RunAsync("user", "add", user, "--password", name);
        Assert.True(exit == 0, output);
    }
}
