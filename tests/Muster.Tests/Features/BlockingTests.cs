using Muster.Server.Routing;
using Muster.Testing;

namespace Muster.Tests.Features;

/// <summary>XEP-0191 in a whole server.</summary>
[Spec("XEP-0191", "usecases")]
public class BlockingTests
{
    const string Ns = "urn:xmpp:blocking";

    static string Block(params string[] jids) => $"<iq type='set'><block xmlns='{Ns}'>{Items(jids)}</block></iq>";

    static string Unblock(params string[] jids) => $"<iq type='set'><unblock xmlns='{Ns}'>{Items(jids)}</unblock></iq>";

    static string Items(string[] jids) => string.Concat(jids.Select(jid => $"<item jid='{jid}'/>"));

    static async Task<(TestClient Romeo, TestClient Juliet)> FriendsAsync(TestServer server)
    {
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        await romeo.BefriendAsync(juliet);
        return (romeo, juliet);
    }

    [Fact]
    public async Task The_list_is_kept_and_changes_are_pushed_to_those_who_asked_for_it()
    {
        await using var server = await TestServer.StartAsync();
        var one = await server.LoginAsync("juliet", "one");
        var two = await server.LoginAsync("juliet", "two");
        var three = await server.LoginAsync("juliet", "three");
        foreach (var client in (TestClient[])[one, two])
        {
            await client.SendAsync($"<iq type='get' id='g'><blocklist xmlns='{Ns}'/></iq>");
            await client.ExpectAsync($"<iq type='result' id='g' from='*' to='*'><blocklist xmlns='{Ns}'/></iq>");
        }

        Assert.Null((await three.AskAsync(Block("Romeo@localhost", "example.org"))).ErrorCondition());

        string both = Items(["romeo@localhost", "example.org"]);
        foreach (var client in (TestClient[])[one, two])
            await client.ExpectAsync(
                $"<iq type='set' id='*' from='juliet@localhost' to='*'><block xmlns='{Ns}'>{both}</block></iq>");
        Assert.Null((await three.AskAsync(Unblock("romeo@localhost"))).ErrorCondition());
        await one.ExpectAsync(
            $"<iq type='set' id='*' from='*' to='*'><unblock xmlns='{Ns}'>{Items(["romeo@localhost"])}</unblock></iq>");
        await one.SendAsync($"<iq type='get' id='g'><blocklist xmlns='{Ns}'/></iq>");
        await one.ExpectAsync($"<iq type='result' id='g' from='*' to='*'>" +
            $"<blocklist xmlns='{Ns}'>{Items(["example.org"])}</blocklist></iq>");
        Assert.Null((await three.AskAsync(Unblock())).ErrorCondition());
        await one.ExpectAsync($"<iq type='set' id='*' from='*' to='*'><unblock xmlns='{Ns}'/></iq>");
        await three.ExpectNothingAsync();
    }

    [Theory]
    [InlineData("<iq type='set'><block xmlns='urn:xmpp:blocking'/></iq>", "bad-request")]
    [InlineData("<iq type='set'><block xmlns='urn:xmpp:blocking'><item jid='@'/></block></iq>", "jid-malformed")]
    [InlineData("<iq type='set'><block xmlns='urn:xmpp:blocking'><item/></block></iq>", "jid-malformed")]
    [InlineData("<iq type='set'><unblock xmlns='urn:xmpp:blocking'><item jid='@'/></unblock></iq>", "jid-malformed")]
    [InlineData("<iq type='set' to='romeo@localhost'><block xmlns='urn:xmpp:blocking'><item jid='a@b'/></block></iq>",
        "forbidden")]
    [InlineData("<iq type='get' to='romeo@localhost'><blocklist xmlns='urn:xmpp:blocking'/></iq>", "forbidden")]
    [InlineData("<iq type='set'><blocklist xmlns='urn:xmpp:blocking'/></iq>", "service-unavailable")]
    public async Task Wrong_requests(string iq, string condition)
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("romeo");
        var juliet = await server.LoginAsync("juliet");
        Assert.Equal(condition, (await juliet.AskAsync(iq)).ErrorCondition());
    }

    [Fact]
    public async Task The_list_has_a_limit()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.LoginAsync("juliet");
        int max = server.Services.Limits.BlockListItemsMax;
        string[] most = [.. Enumerable.Range(0, max).Select(i => $"u{i}@localhost")];
        Assert.Null((await juliet.AskAsync(Block(most))).ErrorCondition());
        Assert.Equal("resource-constraint", (await juliet.AskAsync(Block("over@localhost"))).ErrorCondition());
        Assert.Null((await juliet.AskAsync(Block("u5@localhost"))).ErrorCondition());
    }

    [Theory]
    [InlineData("romeo@localhost")]
    [InlineData("romeo@localhost/test")]
    public async Task Nothing_comes_from_whom_one_blocks(string blocked)
    {
        await using var server = await TestServer.StartAsync();
        var (romeo, juliet) = await FriendsAsync(server);
        await juliet.AskAsync(Block(blocked));
        await romeo.ExpectAsync("<presence from='juliet@localhost/test' to='romeo@*' type='unavailable'/>");

        foreach (string to in (string[])["juliet@localhost", "juliet@localhost/test"])
        {
            await romeo.SendAsync($"<message to='{to}' type='chat' id='m'><body>hi</body></message>");
            Assert.Equal("service-unavailable", (await romeo.ReceiveAsync()).ErrorCondition());
            Assert.Equal("service-unavailable",
                (await romeo.AskAsync($"<iq type='get' to='{to}'><vCard xmlns='vcard-temp'/></iq>")).ErrorCondition());
        }
        await romeo.SendAsync("<message to='juliet@localhost/test' type='groupchat'><body>hi</body></message>");
        await romeo.SendAsync("<message to='juliet@localhost' type='headline'><body>hi</body></message>");
        await romeo.SendAsync("<message to='juliet@localhost/test' type='error'/>");
        await romeo.SendAsync("<iq to='juliet@localhost/test' type='result' id='r'/>");
        await romeo.SendAsync("<presence to='juliet@localhost/test'/>");
        await romeo.SendAsync("<presence to='juliet@localhost' type='probe'/>");
        if (blocked == "romeo@localhost") await romeo.SendAsync("<presence to='juliet@localhost' type='subscribe'/>");
        await romeo.ExpectNothingAsync();
        await romeo.SendAsync("<presence><show>dnd</show></presence>");
        await romeo.DrainAsync();
        await juliet.ExpectNothingAsync();
    }

    [Theory]
    [InlineData("<message to='romeo@localhost' id='x' type='chat'><body>hi</body></message>")]
    [InlineData("<message to='romeo@localhost/test' id='x'><body>hi</body></message>")]
    [InlineData("<presence to='romeo@localhost' id='x'/>")]
    [InlineData("<presence to='romeo@localhost' id='x' type='subscribe'/>")]
    [InlineData("<iq to='romeo@localhost/test' id='x' type='get'><ping xmlns='urn:xmpp:ping'/></iq>")]
    public async Task Nothing_goes_to_whom_one_blocks_and_the_client_is_told(string stanza)
    {
        await using var server = await TestServer.StartAsync();
        var (romeo, juliet) = await FriendsAsync(server);
        await juliet.AskAsync(Block("romeo@localhost"));
        await romeo.DrainAsync();

        await juliet.SendAsync(stanza);

        var answer = await juliet.ReceiveAsync();
        Assert.Equal("x", answer.Attribute("id"));
        Assert.Equal("not-acceptable", answer.ErrorCondition());
        Assert.Equal("cancel", answer.Child("error")!.Attribute("type"));
        Assert.NotNull(answer.Child("error")!.Child("urn:xmpp:blocking:errors", "blocked"));
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_blocked_contact_sees_the_user_go_and_come_back()
    {
        await using var server = await TestServer.StartAsync();
        var (romeo, juliet) = await FriendsAsync(server);
        var orchard = await server.OnlineAsync("romeo", "orchard");
        await orchard.DrainAsync();
        await juliet.DrainAsync();
        await romeo.DrainAsync();

        await juliet.AskAsync(Block("romeo@localhost"));
        foreach (var client in (TestClient[])[romeo, orchard])
            await client.ExpectAsync(
                "<presence from='juliet@localhost/test' to='romeo@localhost' type='unavailable'/>");
        await juliet.SendAsync("<presence><show>away</show></presence>");
        await juliet.DrainAsync();
        await romeo.ExpectNothingAsync();
        // Blocked over logins, and one who logs in anew sees nothing either.
        var later = await server.OnlineAsync("romeo", "later");
        Assert.DoesNotContain(await later.DrainAsync(), element =>
            element.Attribute("from")!.StartsWith("juliet", StringComparison.Ordinal));
        await juliet.CloseAsync();
        await romeo.DrainAsync();
        juliet = await server.OnlineAsync("juliet");
        Assert.Empty(await juliet.DrainAsync());
        await romeo.ExpectNothingAsync();

        await juliet.SendAsync("<presence><show>chat</show></presence>");
        await juliet.DrainAsync();
        await juliet.SendAsync(Unblock().Replace("type='set'", "type='set' id='u'", StringComparison.Ordinal));
        await romeo.ExpectAsync(
            "<presence from='juliet@localhost/test' to='romeo@localhost'><show>chat</show></presence>");
        // And sees the contact again.
        var seen = await juliet.DrainAsync();
        Assert.Contains(seen, element =>
            element.Attribute("from") == "romeo@localhost/test" && element.Name == "presence");
        await romeo.SendAsync("<message to='juliet@localhost'><body>at last</body></message>");
        await juliet.ExpectEventuallyAsync("<message from='*' to='*'><body>at last</body></message>");
    }

    [Fact]
    public async Task Directed_presence_to_the_blocked_is_ended()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet");
        var tybalt = await server.OnlineAsync("tybalt");
        await juliet.SendAsync("<presence to='tybalt@localhost/test'/>");
        await tybalt.ExpectAsync("<presence from='*' to='*'/>");
        await juliet.AskAsync(Block("tybalt@localhost"));
        await tybalt.ExpectAsync(
            "<presence from='juliet@localhost/test' to='tybalt@localhost/test' type='unavailable'/>");
        await juliet.CloseAsync();
        await tybalt.ExpectNothingAsync();
    }

    [Fact]
    public async Task Nobody_blocks_oneself_or_the_own_server()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet");
        var other = await server.OnlineAsync("juliet", "other");
        await juliet.DrainAsync();
        await other.DrainAsync();
        Assert.Null((await juliet.AskAsync(Block("localhost", "juliet@localhost"))).ErrorCondition());
        await juliet.ExpectNothingAsync();
        await juliet.SendAsync("<message to='juliet@localhost/other'><body>note</body></message>");
        await other.ExpectAsync(
            "<message from='juliet@localhost/test' to='juliet@localhost/other'><body>note</body></message>");
    }

    [Fact]
    public async Task A_message_to_an_offline_account_that_blocks_is_refused_and_not_kept()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.LoginAsync("juliet");
        await juliet.AskAsync(Block("elsewhere.example"));
        await juliet.CloseAsync();
        var elsewhere = new RecordingTarget();
        server.Services.Router.Connect(
            [KeyValuePair.Create("localhost", (IStanzaTarget)server.Services.Local)], elsewhere);
        foreach (string stanza in (
            string[])["<message from='r@elsewhere.example/x' to='juliet@localhost' id='a'><body>b</body></message>",
            "<iq from='elsewhere.example' to='juliet@localhost' id='a' type='get'><vCard xmlns='vcard-temp'/></iq>"])
        {
            await server.Services.Local.Route(RecordingTarget.Stanza(stanza));
            Assert.Equal("service-unavailable", elsewhere.Take().ErrorCondition());
        }
        foreach (string type in (string[])["probe", "subscribe", "unavailable"])
            await server.Services.Local.Route(RecordingTarget.Stanza(
                $"<presence from='r@elsewhere.example' to='juliet@localhost' type='{type}'/>"));
        Assert.True(elsewhere.IsEmpty);
        var back = await server.OnlineAsync("juliet");
        Assert.Empty(await back.DrainAsync());
    }
}
