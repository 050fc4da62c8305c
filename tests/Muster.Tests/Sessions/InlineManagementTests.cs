using System.Text;
using Muster.Protocol.Xml;
using Muster.Server.Storage;
using Muster.Server.Storage.Memory;
using Muster.Testing;
using static Muster.Tests.Sessions.ManagementTests;

namespace Muster.Tests.Sessions;

/// <summary>Stream management in one round trip with the login (XEP-0198, XEP-0386, XEP-0388;
/// stream-management.md §10).</summary>
[Spec("XEP-0198", "5")]
public class InlineManagementTests
{
    const string Sm = "xmlns='urn:xmpp:sm:3'";
    const string Enable = $"<bind xmlns='urn:xmpp:bind:0'><tag>phone</tag><enable {Sm} resume='true'/></bind>";
    const string Enabled = $"<enabled {Sm} id='{{token}}' resume='true' max='600'/>";
    const string Features = "<stream:features>...</stream:features>";

    [Fact]
    [Spec("XEP-0386", "3.2")]
    public async Task Who_binds_hears_where_the_archive_begins_and_ends()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet", "balcony");
        await server.AddUserAsync("romeo");
        foreach (string id in (string[])["m1", "m2"])
            await juliet.SendAsync($"<message type='chat' to='romeo@localhost' id='{id}'><body>{id}</body></message>");
        await juliet.AskAsync("<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>");
        var (romeo, success) = await AuthenticateAsync(server, "<bind xmlns='urn:xmpp:bind:0'/>");
        Pattern("<bound xmlns='urn:xmpp:bind:0'><metadata xmlns='urn:xmpp:mam:2'>" +
            "<start id='{first}' timestamp='*'/><end id='{last}' timestamp='*'/></metadata></bound>", romeo).AssertFits(
            success.Child(Namespaces.Bind2, "bound")!);
        Assert.NotEqual(romeo.Names["first"], romeo.Names["last"]);
    }

    [Fact, Feature("SM-02")]
    public async Task A_client_binds_drops_and_comes_back_each_in_one_round_trip()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var (romeo, success) = await AuthenticateAsync(server, Enable);
        Pattern($"<bound xmlns='urn:xmpp:bind:0'>{Enabled}</bound>", romeo).AssertFits(
            success.Child(Namespaces.Bind2, "bound")!);
        await romeo.ExpectAsync(Features);
        string token = romeo.Names["token"], jid = IdentifierOf(success);
        Assert.StartsWith("romeo@localhost/phone/", jid, StringComparison.Ordinal);

        // Both sides count from the first stanza on.
        await romeo.SendAsync("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>");
        await romeo.ExpectAsync($"<iq type='result' id='p' from='romeo@localhost' to='{jid}'/>");
        await romeo.ExpectAsync($"<r {Sm}/>");
        await romeo.SendAsync($"<r {Sm}/>");
        await romeo.ExpectAsync($"<a {Sm} h='1'/>");
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        await juliet.SendAsync($"<message type='chat' to='{jid}' id='m'><body>wherefore</body></message>");
        await juliet.DrainAsync();

        // No resource is bound, no features are told: what has waited comes at once.
        (romeo, success) = await AuthenticateAsync(server, Resume(token, 1) + Enable);
        Pattern($"""
            <success xmlns='urn:xmpp:sasl:2'>
              <authorization-identifier>{jid}</authorization-identifier>
              <resumed {Sm} h='1' previd='{token}'/>
            </success>
            """, romeo).AssertFits(success);
        await romeo.ExpectAsync($"<message type='chat' from='{juliet.Jid}' to='{jid}' id='m'><body>wherefore</body>" +
            "<delay xmlns='urn:xmpp:delay' from='romeo@localhost' stamp='*'/></message>");
        await romeo.ExpectAsync($"<r {Sm}/>");
        Assert.Equal(2, server.Services.Sessions.Count);
        // It is a session like any other, with the limits of one.
        string body = new('x', 100_000);
        await romeo.SendAsync($"<a {Sm} h='2'/><message to='{juliet.Jid}' id='long'><body>{body}</body></message>");
        Assert.Equal(body, (await juliet.ReceiveAsync()).Child("body")!.Text);
        await romeo.SendAsync($"<r {Sm}/>");
        await romeo.ExpectAsync($"<a {Sm} h='2'/>");
    }

    [Fact]
    public async Task A_session_of_which_nobody_knows_is_replaced_in_the_same_round_trip()
    {
        await using var server = await TestServer.StartAsync();
        var (romeo, success) = await AuthenticateAsync(server, Enable);
        string jid = IdentifierOf(success);
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        (romeo, success) = await AuthenticateAsync(server, Resume("stolen", 0) + Enable);
        Pattern($"""
            <success xmlns='urn:xmpp:sasl:2'>
              <authorization-identifier>{jid}</authorization-identifier>
              <failed {Sm}><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>
              <bound xmlns='urn:xmpp:bind:0'>{Enabled}</bound>
            </success>
            """, romeo).AssertFits(success);
        await romeo.ExpectAsync(Features);
        // XEP-0386 §bind-request: the same client's session of before is over, whether it is connected or waits.
        await WaitingAsync(server, 0);
        Assert.Equal(1, server.Services.Sessions.Count);

        // The new one can be resumed in its turn, by its own account alone.
        string token = romeo.Names["token"];
        var (stranger, refused) = await AuthenticateAsync(server, Resume(token, 0), "juliet");
        Assert.Equal("item-not-found", refused.Child(Namespaces.StreamManagement, "failed")!.FirstElement!.Name);
        Assert.Equal("juliet@localhost", IdentifierOf(refused));
        await stranger.ExpectAsync(Features);
        await stranger.BindAsync("classic");
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        (_, success) = await AuthenticateAsync(server, Resume(token, 0));
        Assert.NotNull(success.Child(Namespaces.StreamManagement, "resumed"));
    }

    [Fact]
    public async Task Of_a_session_that_has_ended_the_count_is_told()
    {
        await using var server = await TestServer.StartAsync();
        var (romeo, success) = await AuthenticateAsync(server, Enable);
        Pattern($"<bound xmlns='urn:xmpp:bind:0'>{Enabled}</bound>", romeo).AssertFits(
            success.Child(Namespaces.Bind2, "bound")!);
        await romeo.ExpectAsync(Features);
        await romeo.DrainAsync();
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        await server.AdvanceAsync(TimeSpan.FromSeconds(601));
        await WaitingAsync(server, 0);
        (_, success) = await AuthenticateAsync(server, Resume(romeo.Names["token"], 0) + Enable);
        Assert.Equal("1", success.Child(Namespaces.StreamManagement, "failed")!.Attribute("h"));
        Assert.NotNull(success.Child(Namespaces.Bind2, "bound")!.Child(Namespaces.StreamManagement, "enabled"));
    }

    [Fact]
    public async Task A_client_may_want_acknowledgements_alone_and_nothing_else_than_enable_turns_them_on()
    {
        await using var server = await TestServer.StartAsync();
        var (_, success) = await AuthenticateAsync(server, $"<bind xmlns='urn:xmpp:bind:0'><enable {Sm}/></bind>");
        Pattern($"<bound xmlns='urn:xmpp:bind:0'><enabled {Sm}/></bound>").AssertFits(
            success.Child(Namespaces.Bind2, "bound")!);
        (var romeo, success) = await AuthenticateAsync(
            server, $"<bind xmlns='urn:xmpp:bind:0'><resume {Sm} previd='x' h='0'/></bind>");
        Assert.Equal("unexpected-request", RefusalOf(success));
        // The classic way stays open.
        await romeo.ExpectAsync(Features);
        await EnableAsync(romeo);
    }

    [Fact]
    public async Task Without_the_module_it_is_neither_offered_nor_done()
    {
        await using var server = await TestServer.StartAsync("""
            [[listen.c2s]]
            port = 0
            tls.mode = "none"
            [modules.mod_smacks]
            enabled = false
            """);
        var features = await server.Connect().OpenAsync();
        Assert.DoesNotContain("urn:xmpp:sm:", features.ToString(), StringComparison.Ordinal);
        Assert.Contains("urn:xmpp:carbons:2", features.ToString(), StringComparison.Ordinal);
        var (_, success) = await AuthenticateAsync(server, Resume("x", 0) + Enable);
        Assert.Equal("feature-not-implemented",
            success.Child(Namespaces.StreamManagement, "failed")!.FirstElement!.Name);
        Assert.Equal("feature-not-implemented", RefusalOf(success));
    }

    [Fact]
    public async Task A_store_that_is_away_costs_the_resumption_and_not_the_login()
    {
        await using var server = await TestServer.StartAsync();
        server.ErrorsExpected = true;
        await server.AddUserAsync("romeo");
        var database = (MemoryDatabase)server.Services.Database;
        database.BeforeWrite = static _ => throw new StorageException(default, "the database is away");
        var (romeo, success) = await SendAsync(server, Enable, "romeo");
        database.BeforeWrite = null;
        Assert.Equal("internal-server-error", RefusalOf(success));
        await romeo.ExpectAsync(Features);
        await EnableAsync(romeo);
    }

    static string Resume(string token, int h) => $"<resume {Sm} previd='{token}' h='{h}'/>";

    static string IdentifierOf(Element success) => success.Child("authorization-identifier")!.Text;

    static string RefusalOf(Element success) => success.Child(Namespaces.Bind2, "bound")!
        .Child(Namespaces.StreamManagement, "failed")!.FirstElement!.Name;

    static XmlPattern Pattern(string xml, TestClient? client = null) => new(xml, client?.Names);

    static async Task<(TestClient Client, Element Success)> AuthenticateAsync(
        TestServer server, string requests, string user = "romeo")
    {
        await server.AddUserAsync(user);
        return await SendAsync(server, requests, user);
    }

    static async Task<(TestClient Client, Element Success)> SendAsync(TestServer server, string requests, string user)
    {
        var client = server.Connect(name: user);
        await client.OpenAsync();
        string response = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{user}"));
        await client.SendAsync("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>" +
            $"<initial-response>{response}</initial-response>" +
            $"<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/>{requests}</authenticate>");
        var success = await client.ReceiveAsync();
        Assert.True(success.Is(Namespaces.Sasl2, "success"), success.ToString());
        return (client, success);
    }
}
