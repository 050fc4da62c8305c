using Muster.Protocol.Addresses;
using Muster.Testing;

namespace Muster.Tests.Routing;

/// <summary>RFC 6120 §7 and what follows from it for an account's sessions.</summary>
[Spec("RFC 6120", "7.7")]
[Spec("RFC 6121", "8.5.3")]
public class BindTests
{
    [Fact]
    public async Task A_second_login_of_a_resource_wins_and_the_world_sees_the_first_go()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var old = await server.OnlineAsync("juliet", "balcony");
        await romeo.BefriendAsync(old);
        await old.SendAsync("<presence to='tybalt@localhost'/>");
        await old.DrainAsync();

        var young = await server.LoginAsync("juliet", "balcony");

        await old.ExpectStreamErrorAsync("conflict");
        await romeo.ExpectAsync("<presence from='juliet@localhost/balcony' to='romeo@localhost' type='unavailable'/>");
        await young.SendAsync("<presence/>");
        await romeo.ExpectAsync("<presence from='juliet@localhost/balcony' to='romeo@localhost'/>");
        await romeo.ExpectNothingAsync();
        await romeo.SendAsync("<message to='juliet@localhost/balcony'><body>hi</body></message>");
        await young.ExpectEventuallyAsync("<message from='*' to='juliet@localhost/balcony'><body>hi</body></message>");
    }

    [Fact]
    public async Task A_resource_is_chosen_where_the_client_names_none()
    {
        await using var server = await TestServer.StartAsync();
        var one = await server.LoginAsync("juliet", null);
        var two = await server.LoginAsync("juliet", null);
        Assert.NotEqual(one.Jid, two.Jid);
        Assert.Equal(12, one.Jid.Resource.Length);
    }

    [Fact]
    public async Task An_account_has_so_many_sessions_and_no_more()
    {
        await using var server = await TestServer.StartAsync();
        int max = server.Services.Limits.SessionsPerUserMax;
        var clients = new List<TestClient>();
        for (int i = 0; i < max; i++) clients.Add(await server.LoginAsync("juliet", $"r{i}"));

        var over = server.Connect();
        await over.AuthenticateAsync("juliet", "juliet");
        var answer = await over.AskAsync("<iq type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
        Assert.Equal("resource-constraint", answer.ErrorCondition());

        // One that is replaced is no more than before; one that has gone makes room.
        var again = await server.LoginAsync("juliet", "r3");
        await clients[5].CloseAsync();
        var next = await server.LoginAsync("juliet", "next");
        Assert.Equal(max, server.Services.Sessions.Find(again.Jid)!.All.Length);
        Assert.NotNull(server.Services.Sessions.FindSession(next.Jid));
    }

    [Fact]
    public async Task An_account_that_was_removed_after_authenticating_gets_no_session()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("juliet");
        var client = server.Connect();
        await client.AuthenticateAsync("juliet", "juliet");
        await server.Services.Database.Accounts.Remove(Jid.Parse("juliet@localhost"));
        var answer = await client.AskAsync("<iq type='set'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
        Assert.Equal("not-allowed", answer.ErrorCondition());
    }

    [Fact]
    public async Task Iqs_go_to_the_resource_that_they_name_and_answers_come_back()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        var juliet = await server.LoginAsync("juliet");

        await romeo.SendAsync(
            "<iq type='get' id='q' to='juliet@localhost/test'><query xmlns='jabber:iq:version'/></iq>");
        await juliet.ExpectAsync("<iq type='get' id='q' from='romeo@localhost/test' to='juliet@localhost/test'>" +
            "<query xmlns='jabber:iq:version'/></iq>");
        await juliet.SendAsync(
            "<iq type='result' id='q' to='romeo@localhost/test'><query xmlns='jabber:iq:version'/></iq>");
        await romeo.ExpectAsync("<iq type='result' id='q' from='juliet@localhost/test' to='romeo@localhost/test'>" +
            "<query xmlns='jabber:iq:version'/></iq>");
    }

    [Theory]
    [InlineData("juliet@localhost/gone")]
    [InlineData("nobody@localhost/x")]
    [InlineData("juliet@localhost")]
    [InlineData("nobody@localhost")]
    [InlineData("localhost")]
    [InlineData("localhost/x")]
    public async Task A_request_that_nobody_knows_is_service_unavailable_and_answers_are_never_answered(string to)
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        await server.LoginAsync("juliet");
        foreach (string type in (string[])["get", "set"])
        {
            var answer = await romeo.AskAsync($"<iq type='{type}' to='{to}'><query xmlns='some:unknown'/></iq>");
            Assert.Equal("service-unavailable", answer.ErrorCondition());
            Assert.Equal(to, answer.Attribute("from"));
        }
        await romeo.SendAsync($"<iq type='result' id='1' to='{to}'/>");
        await romeo.SendAsync($"<iq type='error' id='2' to='{to}'><error type='cancel'/></iq>");
        await romeo.SendAsync($"<message type='error' id='3' to='{to}'><error type='cancel'/></message>");
        await romeo.SendAsync($"<presence type='error' id='4' to='{to}'><error type='cancel'/></presence>");
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    public async Task Several_domains_in_one_server_keep_their_accounts_apart()
    {
        await using var server = await TestServer.StartAsync("""
            [general]
            hosts = ["montague.example", "capulet.example"]
            [[listen.c2s]]
            port = 0
            tls.mode = "none"
            """);
        var romeo = await server.OnlineAsync("romeo@montague.example");
        var juliet = await server.OnlineAsync("juliet@capulet.example");
        await romeo.BefriendAsync(juliet);
        await romeo.SendAsync("<message to='juliet@capulet.example' type='chat'><body>hi</body></message>");
        await juliet.ExpectAsync(
            "<message from='romeo@montague.example/test' to='juliet@capulet.example' type='chat'><body>hi</body>" +
                "</message>");
        await romeo.SendAsync("<message to='romeo@capulet.example' type='chat'><body>me?</body></message>");
        Assert.Equal("service-unavailable", (await romeo.ReceiveAsync()).ErrorCondition());
        await romeo.SendAsync("<presence><show>away</show></presence>");
        await juliet.ExpectAsync(
            "<presence from='romeo@montague.example/test' to='juliet@capulet.example'><show>away</show></presence>");
    }

    [Fact]
    public async Task A_store_that_fails_loses_no_word_silently_and_no_session()
    {
        var database = new Muster.Server.Storage.Memory.MemoryDatabase();
        await using var server = await TestServer.StartAsync(null, database);
        server.ErrorsExpected = true;
        await server.AddUserAsync("juliet");
        var romeo = await server.OnlineAsync("romeo");
        database.BeforeWrite = _ => throw new Muster.Server.Storage.StorageException(
            Muster.Server.Storage.StorageFault.Full, "the disk is full");

        await romeo.SendAsync("<message to='juliet@localhost' id='m'><body>hi</body></message>");
        Assert.Equal("resource-constraint", (await romeo.ReceiveAsync()).ErrorCondition());
        await romeo.SendAsync("<presence to='juliet@localhost' id='p' type='subscribe'/>");
        Assert.Equal("resource-constraint", (await romeo.ReceiveAsync()).ErrorCondition());
        var set = await romeo.AskAsync(
            "<iq type='set'><query xmlns='jabber:iq:roster'><item jid='a@localhost'/></query></iq>");
        Assert.Equal("internal-server-error", set.ErrorCondition());

        database.BeforeWrite = null;
        Assert.Empty(await romeo.RosterAsync());
        await romeo.SendAsync("<message to='juliet@localhost' id='m'><body>hi</body></message>");
        var juliet = await server.LoginAsync("juliet");
        await juliet.SendAsync("<presence/>");
        await juliet.ExpectAsync("<message from='*' to='*' id='m'><body>hi</body>" +
            "<delay xmlns='urn:xmpp:delay' from='*' stamp='*'>*</delay></message>");
    }
}
