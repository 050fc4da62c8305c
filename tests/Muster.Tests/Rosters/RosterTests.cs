using Muster.Testing;

namespace Muster.Tests.Rosters;

/// <summary>RFC 6121 §2 in a whole server.</summary>
[Spec("RFC 6121", "2")]
public class RosterTests
{
    const string Ns = "jabber:iq:roster";

    static string Item(string item) => $"<iq type='set'><query xmlns='{Ns}'>{item}</query></iq>";

    [Fact]
    public async Task A_roster_begins_empty_and_keeps_what_is_put_into_it()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        Assert.Empty(await romeo.RosterAsync());

        await romeo.SendAsync(
            "<iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='Juliet@localhost' name='Juliet' " +
            "subscription='both' ask='subscribe' approved='true'><group>Friends</group><group>Capulets</group></item>" +
                "</query></iq>");
        await romeo.ExpectAsync("<iq type='set' id='*' from='romeo@localhost' to='romeo@localhost/test'>" +
            "<query xmlns='jabber:iq:roster' ver='*'><item jid='juliet@localhost' name='Juliet' subscription='none'>" +
            "<group>Friends</group><group>Capulets</group></item></query></iq>");
        await romeo.ExpectAsync("<iq type='result' id='s' from='romeo@localhost' to='romeo@localhost/test'/>");

        var item = Assert.Single(await romeo.RosterAsync());
        Assert.Equal("Juliet", item.Attribute("name"));
        Assert.Equal("none", item.Attribute("subscription"));
    }

    [Fact]
    public async Task A_change_is_pushed_to_resources_that_have_the_roster_and_to_no_other()
    {
        await using var server = await TestServer.StartAsync();
        var one = await server.LoginAsync("romeo", "one");
        var two = await server.LoginAsync("romeo", "two");
        var three = await server.LoginAsync("romeo", "three");
        await one.RosterAsync();
        await two.RosterAsync();

        Assert.Null((await three.AskAsync(Item("<item jid='juliet@localhost'/>"))).ErrorCondition());

        await one.ExpectAsync(
            $"<iq type='set' id='*' from='*' to='*'><query xmlns='{Ns}' ver='{{v}}'>...</query></iq>");
        await two.ExpectAsync($"<iq type='set' id='*' from='*' to='*'><query xmlns='{Ns}' ver='*'>...</query></iq>");
        await one.SendAsync("<iq type='result' id='push1' to='romeo@localhost'/><iq type='error' id='x'/>");
        await one.ExpectNothingAsync();
        await three.ExpectNothingAsync();
    }

    [Fact]
    public async Task Removing_a_contact_takes_it_out_for_all_and_ends_the_subscriptions()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        await romeo.RosterAsync();
        await juliet.RosterAsync();
        await romeo.BefriendAsync(juliet);

        await romeo.SendAsync("<iq type='set' id='r'><query xmlns='jabber:iq:roster'>" +
            "<item jid='juliet@localhost' subscription='remove'/></query></iq>");

        await romeo.ExpectAsync("<iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='*'>" +
            "<item jid='juliet@localhost' subscription='remove'/></query></iq>");
        await romeo.ExpectEventuallyAsync("<iq type='result' id='r' from='*' to='*'/>");
        await juliet.ExpectAsync("<presence from='romeo@localhost/test' to='juliet@localhost' type='unavailable'/>");
        await juliet.ExpectAsync("<presence from='romeo@localhost' to='juliet@localhost' type='unsubscribed'/>");
        await juliet.ExpectAsync("<iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='*'>" +
            "<item jid='romeo@localhost' subscription='from'/></query></iq>");
        await juliet.ExpectAsync("<presence from='romeo@localhost' to='juliet@localhost' type='unsubscribe'/>");
        await juliet.ExpectAsync("<iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='*'>" +
            "<item jid='romeo@localhost' subscription='none'/></query></iq>");
        Assert.Empty(await romeo.RosterAsync());
        await romeo.SendAsync("<presence><show>away</show></presence>");
        await romeo.DrainAsync();
        await juliet.ExpectNothingAsync();
    }

    [Theory]
    [InlineData("", "bad-request")]
    [InlineData("<item jid='a@localhost'/><item jid='b@localhost'/>", "bad-request")]
    [InlineData("<thing jid='a@localhost'/>", "bad-request")]
    [InlineData("<item/>", "jid-malformed")]
    [InlineData("<item jid='@'/>", "jid-malformed")]
    [InlineData("<item jid='a@localhost'><group>G</group><group>G</group></item>", "bad-request")]
    [InlineData("<item jid='a@localhost'><group/></item>", "not-acceptable")]
    [InlineData("<item jid='romeo@localhost'/>", "not-allowed")]
    [InlineData("<item jid='a@localhost' subscription='remove'/>", "item-not-found")]
    public async Task Wrong_requests_get_their_errors_and_change_nothing(string item, string condition)
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");

        Assert.Equal(condition, (await romeo.AskAsync(Item(item))).ErrorCondition());

        Assert.Empty(await romeo.RosterAsync());
    }

    [Fact]
    public async Task Names_groups_and_contacts_have_limits()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        string longest = new('ü', 511), tooLong = new('ü', 512);
        var limits = server.Services.Limits;
        string groups = string.Concat(Enumerable.Range(0, limits.RosterGroupsMax).Select(i => $"<group>{i}</group>"));

        Assert.Null((await romeo.AskAsync(Item($"<item jid='a@localhost' name='{longest}'/>"))).ErrorCondition());
        Assert.Equal("not-acceptable",
            (await romeo.AskAsync(Item($"<item jid='a@localhost' name='{tooLong}'/>"))).ErrorCondition());
        Assert.Equal("not-acceptable",
            (await romeo.AskAsync(Item($"<item jid='a@localhost'><group>{tooLong}</group></item>"))).ErrorCondition());
        Assert.Null((await romeo.AskAsync(Item($"<item jid='a@localhost'>{groups}</item>"))).ErrorCondition());
        Assert.Equal("not-acceptable",
            (await romeo.AskAsync(Item($"<item jid='a@localhost'>{groups}<group>one more</group></item>")))
                .ErrorCondition());

        for (int i = 1; i < limits.RosterItemsMax; i++)
            await romeo.SendAsync(Item($"<item jid='c{i}@localhost'/>")
                .Replace("type='set'", "type='set' id='f'", StringComparison.Ordinal));
        Assert.All(await romeo.DrainAsync(), answer => Assert.Null(answer.ErrorCondition()));
        Assert.Equal("resource-constraint", (await romeo.AskAsync(Item("<item jid='over@localhost'/>")))
            .ErrorCondition());
        Assert.Null((await romeo.AskAsync(Item("<item jid='c1@localhost' name='known'/>"))).ErrorCondition());
        // The same bound holds for contacts that come by asking for their presence.
        await romeo.SendAsync("<presence type='subscribe' to='over@localhost' id='p'/>");
        Assert.Equal("resource-constraint", (await romeo.ReceiveAsync()).ErrorCondition());
    }

    [Fact]
    public async Task A_roster_is_its_owners_alone()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        await server.AddUserAsync("juliet");
        foreach (string target in (string[])["juliet@localhost", "nobody@localhost"])
        {
            var get = await romeo.AskAsync($"<iq type='get' to='{target}'><query xmlns='jabber:iq:roster'/></iq>");
            var set = await romeo.AskAsync(
                $"<iq type='set' to='{target}'><query xmlns='jabber:iq:roster'><item jid='a@localhost'/></query></iq>");
            Assert.Equal(("forbidden", "forbidden"), (get.ErrorCondition(), set.ErrorCondition()));
        }
    }

    [Fact]
    public async Task A_client_that_knows_a_version_gets_only_what_changed()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        await romeo.AskAsync(Item("<item jid='a@localhost'/>"));
        await romeo.AskAsync(Item("<item jid='b@localhost'/>"));
        var whole = await romeo.AskAsync("<iq type='get'><query xmlns='jabber:iq:roster' ver=''/></iq>");
        string version = whole.Child(Ns, "query")!.Attribute("ver")!;
        Assert.Equal(2, whole.Child(Ns, "query")!.Elements.Count());

        var same = await romeo.AskAsync($"<iq type='get'><query xmlns='{Ns}' ver='{version}'/></iq>");
        Assert.Null(same.FirstElement);

        var other = await server.LoginAsync("romeo", "other");
        await other.AskAsync(Item("<item jid='c@localhost' name='C'/>"));
        await other.AskAsync(Item("<item jid='b@localhost' subscription='remove'/>"));
        await other.AskAsync(Item("<item jid='a@localhost' name='A'/>"));
        var late = await server.LoginAsync("romeo", "late");
        Assert.Null((await late.AskAsync($"<iq type='get'><query xmlns='{Ns}' ver='{version}'/></iq>")).FirstElement);
        await late.ExpectAsync(Push("<item jid='c@localhost' name='C' subscription='none'/>"));
        await late.ExpectAsync(Push("<item jid='b@localhost' subscription='remove'/>"));
        await late.ExpectAsync(Push("<item jid='a@localhost' name='A' subscription='none'/>"));
        await late.ExpectNothingAsync();

        foreach (string unknown in (string[])["nonsense", "1", "99999999999999999999", "9000000000000000000"])
        {
            var answer = await late.AskAsync($"<iq type='get'><query xmlns='{Ns}' ver='{unknown}'/></iq>");
            Assert.Equal(2, answer.Child(Ns, "query")?.Elements.Count());
        }

        static string Push(string item) =>
            $"<iq type='set' id='*' from='*' to='*'><query xmlns='{Ns}' ver='*'>{item}</query></iq>";
    }

    [Fact]
    public async Task A_roster_outlives_the_server()
    {
        var database = new Muster.Server.Storage.Memory.MemoryDatabase();
        string version;
        await using (var first = await TestServer.StartAsync(null, database))
        {
            var romeo = await first.LoginAsync("romeo");
            await romeo.AskAsync(Item("<item jid='juliet@localhost' name='Juliet'><group>G</group></item>"));
            version = (await romeo.AskAsync("<iq type='get'><query xmlns='jabber:iq:roster' ver=''/></iq>"))
                .Child(Ns, "query")!.Attribute("ver")!;
        }
        await using var second = await TestServer.StartAsync(null, database);
        var again = await second.LoginAsync("romeo");
        Assert.Null((await again.AskAsync($"<iq type='get'><query xmlns='{Ns}' ver='{version}'/></iq>")).FirstElement);
        var item = Assert.Single(await again.RosterAsync());
        Assert.Equal("Juliet", item.Attribute("name"));
        Assert.Equal("G", item.Child("group")!.Text);
    }

    [Fact]
    public async Task The_stream_features_say_what_the_roster_can_do()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("romeo");
        var features = await server.Connect().AuthenticateAsync("romeo", "romeo");
        Assert.NotNull(features.Child("urn:xmpp:features:rosterver", "ver"));
        Assert.NotNull(features.Child("urn:xmpp:features:pre-approval", "sub"));
        Assert.NotNull(features.Child("http://jabber.org/protocol/caps", "c"));
    }
}
