using Muster.Core.Sessions;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;
using static Muster.Tests.Sessions.ManagementTests;

namespace Muster.Tests.Sessions;

/// <summary>What waits while nobody looks at the client (XEP-0352), and what does not.</summary>
[Spec("XEP-0352", "usecases")]
public class ClientStateTests
{
    const string Active = "<active xmlns='urn:xmpp:csi:0'/>", Inactive = "<inactive xmlns='urn:xmpp:csi:0'/>";
    const string Composing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";
    const string Romeo = "romeo@localhost/orchard", Juliet = "juliet@localhost/balcony";
    const string Garden = "garden@conference.localhost", Sm = "xmlns='urn:xmpp:sm:3'";
    const string Listener = """
        [[listen.c2s]]
        port = 0
        tls.mode = "none"

        """;

    [Theory]
    [InlineData("<presence/>", true)]
    [InlineData("<presence type='unavailable'/>", true)]
    [InlineData("<presence type='subscribe'/>", false)]
    [InlineData("<presence type='error'/>", false)]
    [InlineData("<presence><x xmlns='http://jabber.org/protocol/muc#user'><status code='307'/></x></presence>", true)]
    [InlineData("<presence><x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x></presence>", false)]
    [InlineData("<message>" + Composing + "</message>", true)]
    [InlineData("<message type='groupchat'>" + Composing + "<no-store xmlns='urn:xmpp:hints'/></message>", true)]
    [InlineData("<message><received xmlns='urn:xmpp:receipts' id='m'/></message>", true)]
    [InlineData("<message><displayed xmlns='urn:xmpp:chat-markers:0' id='m'/><thread>t</thread></message>", true)]
    [InlineData("<message><body>hello</body>" + Composing + "</message>", false)]
    [InlineData("<message type='groupchat'><body>Romeo: come</body></message>", false)]
    [InlineData("<message type='groupchat'><subject>roses</subject></message>", false)]
    [InlineData("<message type='error'>" + Composing + "</message>", false)]
    [InlineData("<message><x xmlns='urn:example:unknown'/>" + Composing + "</message>", false)]
    [InlineData("<message><thread>t</thread></message>", false)]
    [InlineData("<message/>", false)]
    [InlineData("<message type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'/></message>", true)]
    [InlineData("<message type='headline'><body>news</body></message>", false)]
    [InlineData("<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", false)]
    [InlineData("<iq type='result' id='1'/>", false)]
    public void What_may_wait(string xml, bool waits)
    {
        var element = TestXml.Parse(xml).With("from", Juliet).With("to", Romeo);
        Assert.Equal(waits, ClientState.MayWait(Stanza.Read(element, out _)!));
    }

    [Fact]
    public async Task Presence_and_chat_states_wait_for_the_next_word_the_newest_of_an_address_alone()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var nurse = await server.OnlineAsync("nurse", "hall");
        var romeo = await RomeoAsync(server);
        await ShowAsync(juliet, "one");
        await ShowAsync(nurse, "busy");
        await juliet.SendAsync($"<message type='chat' to='{Romeo}'>{Composing}</message>");
        await ShowAsync(juliet, "two");
        var next = await SilenceAsync(romeo);
        await juliet.SendAsync($"<message type='chat' to='{Romeo}' id='m'><body>hello</body></message>");
        Fit(Presence("nurse@localhost/hall", "busy"), await next);
        await romeo.ExpectAsync($"<message type='chat' from='{Juliet}' to='{Romeo}'>{Composing}</message>");
        await romeo.ExpectAsync(Presence(Juliet, "two"));
        await romeo.ExpectAsync(
            $"<message type='chat' from='{Juliet}' to='{Romeo}' id='m'><body>hello</body></message>");
        await romeo.ExpectNothingAsync();
        // The client is inactive still.
        await ShowAsync(juliet, "three");
        next = await SilenceAsync(romeo);
        // A request does not wait, nor does the answer to one.
        await juliet.SendAsync($"<iq type='get' id='v' to='{Romeo}'><query xmlns='jabber:iq:version'/></iq>");
        Fit(Presence(Juliet, "three"), await next);
        await romeo.ExpectAsync(
            $"<iq type='get' id='v' from='{Juliet}' to='{Romeo}'><query xmlns='jabber:iq:version'/></iq>");
    }

    [Fact]
    public async Task What_waits_comes_when_the_client_is_active()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var romeo = await RomeoAsync(server);
        await romeo.SendAsync(Inactive); // said twice it loses nothing
        await ShowAsync(juliet, "one");
        await juliet.SendAsync($"<presence type='unavailable' to='{Romeo}'/>");
        await juliet.DrainAsync();
        var next = await SilenceAsync(romeo);
        await romeo.SendAsync(Active);
        Fit($"<presence type='unavailable' from='{Juliet}' to='{Romeo}'/>", await next);
        await ShowAsync(juliet, "two");
        await romeo.ExpectAsync(Presence(Juliet, "two"));
        await romeo.SendAsync(Active);
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    public async Task One_more_than_may_wait_brings_all()
    {
        await using var server = await TestServer.StartAsync(Listener + "[limits]\nwaiting_stanzas = 2\n");
        var clients = new List<TestClient>();
        for (int i = 0; i < 4; i++) clients.Add(await server.OnlineAsync("juliet", $"r{i}"));
        var romeo = await RomeoAsync(server);
        await ShowAsync(clients[0], "one");
        await ShowAsync(clients[1], "one");
        await ShowAsync(clients[0], "two"); // takes the place of the first
        var next = await SilenceAsync(romeo);
        await ShowAsync(clients[2], "one");
        Fit(Presence("juliet@localhost/r1", "one"), await next);
        await romeo.ExpectAsync(Presence("juliet@localhost/r0", "two"));
        await romeo.ExpectAsync(Presence("juliet@localhost/r2", "one"));
        await ShowAsync(clients[3], "one");
        next = await SilenceAsync(romeo);
        await romeo.SendAsync(Active);
        Fit(Presence("juliet@localhost/r3", "one"), await next);
    }

    [Fact]
    public async Task Without_the_module_nothing_waits()
    {
        await using var server = await TestServer.StartAsync(Listener + "[modules.mod_csi]\nenabled = false\n");
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var romeo = await RomeoAsync(server, offered: false);
        await ShowAsync(juliet, "one");
        await romeo.ExpectAsync(Presence(Juliet, "one"));
        await juliet.SendAsync($"<message type='chat' to='{Romeo}'>{Composing}</message>");
        await romeo.ExpectAsync($"<message type='chat' from='{Juliet}' to='{Romeo}'>{Composing}</message>");
    }

    [Fact]
    public async Task Who_comes_and_goes_in_a_room_waits_and_what_is_said_and_ones_own_place_do_not()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet", "balcony");
        await juliet.CreateRoomAsync(Garden, "Juliet");
        var romeo = await RomeoAsync(server);
        await romeo.EnterAsync(Garden, "Romeo");
        var mercutio = await server.OnlineAsync("mercutio");
        await mercutio.EnterAsync(Garden, "Mercutio");
        await mercutio.LeaveAsync(Garden, "Mercutio");
        await server.SettleAsync();
        var next = await SilenceAsync(romeo);
        await juliet.SayAsync(Garden, "m", "Romeo: come");
        Fit($"<presence type='unavailable' from='{Garden}/Mercutio' to='{Romeo}' id='**'>...</presence>", await next);
        await romeo.ExpectAsync(
            $"<message type='groupchat' from='{Garden}/Juliet' to='{Romeo}' id='m'>...</message>");
        await juliet.RequestAsync("set", Garden,
            "<query xmlns='http://jabber.org/protocol/muc#admin'><item nick='Romeo' role='none'/></query>");
        Assert.Contains("307", (await romeo.ReceiveAsync()).CodesOf());
    }

    [Fact]
    public async Task After_resumption_the_client_is_active_and_has_what_waited()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var romeo = await RomeoAsync(server);
        string token = await EnableAsync(romeo);
        await ShowAsync(juliet, "one");
        var next = await SilenceAsync(romeo);
        await romeo.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => next);
        await WaitingAsync(server, 1);
        romeo = await ConnectAsync(server, "romeo");
        await romeo.SendAsync($"<resume {Sm} previd='{token}' h='0'/>");
        await romeo.ExpectAsync($"<resumed {Sm} h='0' previd='{token}'/>");
        await romeo.ExpectAsync($"<presence from='{Juliet}' to='{Romeo}'><status>one</status>" +
            "<delay xmlns='urn:xmpp:delay' from='romeo@localhost' stamp='*'/></presence>");
        await romeo.ExpectAsync($"<r {Sm}/>");
        await ShowAsync(juliet, "two");
        await romeo.ExpectAsync(Presence(Juliet, "two"));
    }

    static string Presence(string from, string status) =>
        $"<presence from='{from}' to='{Romeo}'><status>{status}</status></presence>";

    static void Fit(string pattern, Element element) => new XmlPattern(pattern).AssertFits(element);

    /// <summary>Shows romeo something, and waits until the server has dealt with it.</summary>
    static async Task ShowAsync(TestClient client, string status)
    {
        await client.SendAsync($"<presence to='{Romeo}'><status>{status}</status></presence>");
        await client.DrainAsync();
    }

    /// <summary>Fails when something comes. A request for a ping would bring what waits, so that time alone can
    /// tell.</summary>
    static async Task<Task<Element>> SilenceAsync(TestClient client)
    {
        var next = client.ReceiveAsync();
        await Assert.ThrowsAsync<TimeoutException>(() => next.WaitAsync(TimeSpan.FromMilliseconds(150)));
        return next;
    }

    /// <summary>Romeo, who has said that nobody looks at him.</summary>
    static async Task<TestClient> RomeoAsync(TestServer server, bool offered = true)
    {
        await server.AddUserAsync("romeo");
        var romeo = server.Connect(name: "romeo");
        var features = await romeo.AuthenticateAsync("romeo", "romeo");
        Assert.Equal(offered, features.Child(Namespaces.ClientState, "csi") is not null);
        await romeo.BindAsync("orchard");
        await romeo.BecomeAvailableAsync();
        await romeo.SendAsync(Inactive);
        await romeo.DrainAsync();
        return romeo;
    }
}
