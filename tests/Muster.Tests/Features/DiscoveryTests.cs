using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Features;

/// <summary>XEP-0030 and XEP-0115 of the server and of accounts.</summary>
[Spec("XEP-0030", "info")]
[Spec("XEP-0115", "advertise")]
public class DiscoveryTests
{
    static string Info(string to, string node = "") => Query(Namespaces.DiscoInfo, to, node);

    static string Items(string to, string node = "") => Query(Namespaces.DiscoItems, to, node);

    static string Query(string ns, string to, string node) =>
        $"<iq type='get' to='{to}'><query xmlns='{ns}'{(node.Length == 0 ? "" : $" node='{node}'")}/></iq>";

    [Fact]
    public async Task The_server_says_what_it_is_and_can_do()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        var info = DiscoInfo.Read((await romeo.AskAsync(Info("localhost"))).FirstElement!, out _)!;
        Assert.Contains(new DiscoIdentity("server", "im", "Muster"), info.Identities);
        foreach (string feature in (string[])[
            Namespaces.DiscoInfo, Namespaces.DiscoItems, "urn:xmpp:blocking", "vcard-temp", "jabber:iq:last",
            "jabber:iq:version", "urn:xmpp:time", "urn:xmpp:ping", "msgoffline", "jabber:iq:private",
            "http://jabber.org/protocol/commands", "jabber:iq:register", EntityCaps.Namespace])
            Assert.Contains(feature, info.Features);
        Assert.Equal(info.Features.Count, info.Features.Distinct().Count());
    }

    [Fact]
    public async Task The_capabilities_in_the_stream_features_are_those_of_the_answer()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("romeo");
        var client = server.Connect();
        var features = await client.AuthenticateAsync("romeo", "romeo");
        var caps = EntityCaps.Read(features.Child(EntityCaps.Namespace, "c")!)!;
        await client.BindAsync("test");

        var answer = (await client.AskAsync(Info("localhost", caps.DiscoNode))).FirstElement!;

        Assert.Equal(caps.DiscoNode, answer.Attribute("node"));
        Assert.True(caps.Matches(DiscoInfo.Read(answer, out _)!));
        Assert.True(caps.Matches(DiscoInfo.Read((await client.AskAsync(Info("localhost"))).FirstElement!, out _)!));
    }

    [Fact]
    public async Task The_server_lists_its_services()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        var items = DiscoItems.Read((await romeo.AskAsync(Items("localhost"))).FirstElement!);
        Assert.Contains(items.Items, item => item.Jid.ToString() == "conference.localhost");
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("romeo@localhost")]
    public async Task A_node_that_nobody_knows_is_not_found(string to)
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        Assert.Equal("item-not-found", (await romeo.AskAsync(Info(to, "no-such-node"))).ErrorCondition());
    }

    [Fact]
    public async Task An_account_shows_itself_to_its_owner_and_contacts_and_to_nobody_else()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        await romeo.BefriendAsync(juliet);
        var tybalt = await server.OnlineAsync("tybalt");
        foreach (var (asker, target) in new[] { (juliet, "juliet@localhost"), (romeo, "juliet@localhost") })
        {
            var info = DiscoInfo.Read((await asker.AskAsync(Info(target))).FirstElement!, out _)!;
            Assert.Contains(info.Identities, identity => identity is { Category: "account", Type: "registered" });
            var items = DiscoItems.Read((await asker.AskAsync(Items(target))).FirstElement!);
            Assert.Equal(["juliet@localhost/test"], items.Items.Select(item => item.Jid.ToString()));
        }

        foreach (string target in (string[])["juliet@localhost", "nobody@localhost"])
        {
            Assert.Equal("service-unavailable", (await tybalt.AskAsync(Info(target))).ErrorCondition());
            Assert.Equal("service-unavailable", (await tybalt.AskAsync(Info(target, "node"))).ErrorCondition());
            Assert.Empty(DiscoItems.Read((await tybalt.AskAsync(Items(target))).FirstElement!).Items);
            Assert.Empty(DiscoItems.Read((await tybalt.AskAsync(Items(target, "node"))).FirstElement!).Items);
        }
    }
}
