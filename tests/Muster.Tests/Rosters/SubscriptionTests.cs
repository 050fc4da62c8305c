using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Routing;
using Muster.Testing;

namespace Muster.Tests.Rosters;

/// <summary>RFC 6121 §3 in a whole server: asking, approving, refusing, leaving, as both sides see it.</summary>
[Spec("RFC 6121", "3")]
public class SubscriptionTests
{
    static string Push(string item) =>
        $"<iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='*'>{item}</query></iq>";

    static async Task<(TestClient Romeo, TestClient Juliet)> BothAsync(TestServer server)
    {
        var romeo = await server.OnlineAsync("romeo", "orchard");
        var juliet = await server.OnlineAsync("juliet", "balcony");
        await romeo.RosterAsync();
        await juliet.RosterAsync();
        return (romeo, juliet);
    }

    [Fact]
    public async Task Asking_and_approving_as_both_sides_see_it()
    {
        await using var server = await TestServer.StartAsync();
        var (romeo, juliet) = await BothAsync(server);

        await romeo.SendAsync(
            "<presence to='juliet@localhost/balcony' type='subscribe' id='s1'><status>please</status></presence>");
        await romeo.ExpectAsync(Push("<item jid='juliet@localhost' subscription='none' ask='subscribe'/>"));
        await juliet.ExpectAsync("<presence from='romeo@localhost' to='juliet@localhost' type='subscribe' id='s1'>" +
            "<status>please</status></presence>");
        Assert.Empty(await juliet.RosterAsync());

        await juliet.SendAsync("<presence to='romeo@localhost' type='subscribed'/>");
        await juliet.ExpectAsync(Push("<item jid='romeo@localhost' subscription='from'/>"));
        await romeo.ExpectAsync("<presence from='juliet@localhost' to='romeo@localhost' type='subscribed'/>");
        await romeo.ExpectAsync(Push("<item jid='juliet@localhost' subscription='to'/>"));
        await romeo.ExpectAsync("<presence from='juliet@localhost/balcony' to='romeo@localhost'/>");
        await romeo.ExpectNothingAsync();
        await juliet.ExpectNothingAsync();
    }

    [Fact]
    public async Task Refusing_a_request()
    {
        await using var server = await TestServer.StartAsync();
        var (romeo, juliet) = await BothAsync(server);
        await romeo.SendAsync("<presence to='juliet@localhost' type='subscribe'/>");
        await romeo.DrainAsync();
        await juliet.DrainAsync();

        await juliet.SendAsync("<presence to='romeo@localhost' type='unsubscribed'/>");
        await juliet.ExpectNothingAsync();

        await romeo.ExpectAsync("<presence from='juliet@localhost' to='romeo@localhost' type='unsubscribed'/>");
        await romeo.ExpectAsync(Push("<item jid='juliet@localhost' subscription='none'/>"));
        var later = await server.OnlineAsync("juliet", "later");
        Assert.DoesNotContain(await later.DrainAsync(), element => element.Attribute("type") == "subscribe");
    }

    [Fact]
    public async Task Taking_a_subscription_back_ends_the_presence_first()
    {
        await using var server = await TestServer.StartAsync();
        var (romeo, juliet) = await BothAsync(server);
        await romeo.BefriendAsync(juliet);

        await juliet.SendAsync("<presence to='romeo@localhost' type='unsubscribed'/>");

        await juliet.ExpectAsync(Push("<item jid='romeo@localhost' subscription='to'/>"));
        await romeo.ExpectAsync("<presence from='juliet@localhost/balcony' to='romeo@localhost' type='unavailable'/>");
        await romeo.ExpectAsync("<presence from='juliet@localhost' to='romeo@localhost' type='unsubscribed'/>");
        await romeo.ExpectAsync(Push("<item jid='juliet@localhost' subscription='from'/>"));
    }

    [Fact]
    public async Task Leaving_a_subscription()
    {
        await using var server = await TestServer.StartAsync();
        var (romeo, juliet) = await BothAsync(server);
        await romeo.BefriendAsync(juliet);

        await romeo.SendAsync("<presence to='juliet@localhost' type='unsubscribe'/>");

        await romeo.ExpectAsync(Push("<item jid='juliet@localhost' subscription='from'/>"));
        await juliet.ExpectAsync("<presence from='romeo@localhost' to='juliet@localhost' type='unsubscribe'/>");
        await juliet.ExpectAsync(Push("<item jid='romeo@localhost' subscription='to'/>"));
        await romeo.ExpectAsync("<presence from='juliet@localhost/balcony' to='romeo@localhost' type='unavailable'/>");
    }

    [Fact]
    public async Task A_request_waits_for_its_answer_over_logins_and_restarts_and_is_kept_whole()
    {
        var database = new Muster.Server.Storage.Memory.MemoryDatabase();
        await using (var first = await TestServer.StartAsync(null, database))
        {
            await first.AddUserAsync("juliet");
            var romeo = await first.OnlineAsync("romeo");
            await romeo.SendAsync(
                "<presence to='juliet@localhost' type='subscribe' id='s'><nick xmlns='n'>Romeo</nick></presence>");
            await romeo.ExpectNothingAsync();
            // A second request is not shown a second time.
            await romeo.SendAsync("<presence to='juliet@localhost' type='subscribe' id='t'/>");
            await romeo.ExpectNothingAsync();
        }
        await using var second = await TestServer.StartAsync(null, database);
        for (int login = 0; login < 2; login++)
        {
            var juliet = await second.OnlineAsync("juliet", $"r{login}");
            var request = Assert.Single(await juliet.DrainAsync(), element => element.Attribute("type") == "subscribe");
            new XmlPattern("<presence from='romeo@localhost' to='juliet@localhost' type='subscribe' id='s'>" +
                "<nick xmlns='n'>Romeo</nick></presence>").AssertFits(request);
            Assert.Empty(await juliet.RosterAsync());
        }
        var last = await second.OnlineAsync("juliet", "last");
        await last.SendAsync("<presence to='romeo@localhost' type='subscribed'/>");
        await last.DrainAsync();
        var answered = await second.OnlineAsync("juliet", "answered");
        Assert.DoesNotContain(await answered.DrainAsync(), element => element.Attribute("type") == "subscribe");
        var back = await second.OnlineAsync("romeo");
        await back.DrainAsync();
        var item = Assert.Single(await back.RosterAsync());
        Assert.Equal("to", item.Attribute("subscription"));
    }

    [Fact]
    public async Task Approving_before_anybody_asks()
    {
        await using var server = await TestServer.StartAsync();
        var (romeo, juliet) = await BothAsync(server);

        await juliet.SendAsync("<presence to='romeo@localhost' type='subscribed'/>");
        await juliet.ExpectAsync(Push("<item jid='romeo@localhost' subscription='none' approved='true'/>"));
        await juliet.ExpectNothingAsync();
        await romeo.ExpectNothingAsync();

        await romeo.SendAsync("<presence to='juliet@localhost' type='subscribe'/>");
        await romeo.ExpectAsync(Push("<item jid='juliet@localhost' subscription='none' ask='subscribe'/>"));
        await romeo.ExpectAsync("<presence from='juliet@localhost' to='romeo@localhost' type='subscribed'/>");
        await romeo.ExpectAsync(Push("<item jid='juliet@localhost' subscription='to'/>"));
        await romeo.ExpectAsync("<presence from='juliet@localhost/balcony' to='romeo@localhost'/>");
        await juliet.ExpectAsync(Push("<item jid='romeo@localhost' subscription='from'/>"));
        await juliet.ExpectNothingAsync();
    }

    [Fact]
    public async Task An_approval_given_before_can_be_taken_back()
    {
        await using var server = await TestServer.StartAsync();
        var (romeo, juliet) = await BothAsync(server);
        await juliet.SendAsync("<presence to='romeo@localhost' type='subscribed'/>");
        await juliet.DrainAsync();

        await juliet.SendAsync("<presence to='romeo@localhost' type='unsubscribed'/>");
        await juliet.ExpectAsync(Push("<item jid='romeo@localhost' subscription='none'/>"));
        await romeo.ExpectNothingAsync();

        await romeo.SendAsync("<presence to='juliet@localhost' type='subscribe'/>");
        await juliet.ExpectAsync("<presence from='romeo@localhost' to='juliet@localhost' type='subscribe'/>");
    }

    [Fact]
    public async Task Who_has_a_subscription_and_asks_again_is_answered_by_the_server()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet");
        var elsewhere = new RecordingTarget();
        server.Services.Router.Connect(
            [KeyValuePair.Create("localhost", (IStanzaTarget)server.Services.Local)], elsewhere);
        const string Subscribe =
            "<presence from='romeo@elsewhere.example' to='juliet@localhost' type='subscribe' id='s'/>";
        await server.Services.Router.Route(RecordingTarget.Stanza(Subscribe));
        await juliet.ExpectAsync(Subscribe);
        await juliet.SendAsync("<presence to='romeo@elsewhere.example' type='subscribed'/>");
        await juliet.DrainAsync();
        Assert.Equal("subscribed", elsewhere.Take().Attribute("type"));
        Assert.Equal("juliet@localhost/test", elsewhere.Take().Attribute("from"));

        await server.Services.Router.Route(RecordingTarget.Stanza(Subscribe));

        new XmlPattern("<presence from='juliet@localhost' to='romeo@elsewhere.example' type='subscribed' id='s'/>")
            .AssertFits(elsewhere.Take());
        await juliet.ExpectNothingAsync();
        // And when juliet comes again, the other server is asked nothing, but told.
        await juliet.SendAsync("<presence/>");
        await juliet.DrainAsync();
        new XmlPattern("<presence from='juliet@localhost/test' to='romeo@elsewhere.example'/>")
            .AssertFits(elsewhere.Take());
        Assert.True(elsewhere.IsEmpty);
    }

    [Fact]
    public async Task A_contact_on_another_server_is_probed_at_login()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet");
        var elsewhere = new RecordingTarget();
        server.Services.Router.Connect(
            [KeyValuePair.Create("localhost", (IStanzaTarget)server.Services.Local)], elsewhere);
        await juliet.SendAsync("<presence to='romeo@elsewhere.example' type='subscribe'/>");
        await juliet.DrainAsync();
        elsewhere.Take();
        await server.Services.Router.Route(RecordingTarget.Stanza(
            "<presence from='romeo@elsewhere.example' to='juliet@localhost' type='subscribed'/>"));

        var other = await server.OnlineAsync("juliet", "other");
        await other.DrainAsync();

        new XmlPattern("<presence type='probe' from='juliet@localhost/other' to='romeo@elsewhere.example'/>")
            .AssertFits(elsewhere.Take());
        Assert.True(elsewhere.IsEmpty);
    }

    [Fact]
    public async Task A_flood_of_requests_stops_at_the_limit_and_harms_nobody()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("juliet");
        int max = server.Services.Limits.SubscriptionRequestsMax;
        var local = server.Services.Local;
        for (int i = 0; i < max + 20; i++)
        {
            string status = i == 0 ? new string('x', 100_000) : "";
            await local.Route(RecordingTarget.Stanza(
                $"<presence from='spam{i}@elsewhere.example' to='juliet@localhost' type='subscribe'>" +
                    $"<status>{status}</status></presence>"));
        }
        var roster = await server.Services.Database.Rosters.Load(Jid.Parse("juliet@localhost"));
        Assert.Equal(max, roster.Items.Count);
        Assert.All(roster.Items, item => Assert.InRange(item.PendingIn!.Value.Length, 1, 4096));

        var juliet = await server.LoginAsync("juliet");
        Assert.Empty(await juliet.RosterAsync());
        await juliet.SendAsync("<presence/>");
        Assert.Equal(max, (await juliet.DrainAsync()).Count(element => element.Attribute("type") == "subscribe"));
        // An answer makes room for the next.
        await juliet.SendAsync("<presence to='spam1@elsewhere.example' type='unsubscribed'/>");
        await juliet.DrainAsync();
        await local.Route(RecordingTarget.Stanza(
            "<presence from='friend@elsewhere.example' to='juliet@localhost' type='subscribe'/>"));
        Assert.Equal("friend@elsewhere.example", (await juliet.ReceiveAsync()).Attribute("from"));
    }

    [Fact]
    public async Task Two_that_ask_each_other_at_the_same_time_do_not_wait_for_each_other()
    {
        await using var server = await TestServer.StartAsync();
        var (romeo, juliet) = await BothAsync(server);
        PresenceType[] types =
            [PresenceType.Subscribe, PresenceType.Subscribed, PresenceType.Unsubscribe, PresenceType.Unsubscribed];
        await Task.WhenAll(new[] { (romeo, "juliet", 1), (juliet, "romeo", 2) }.Select(side => Task.Run(async () =>
        {
            var random = new Random(side.Item3);
            for (int i = 0; i < 200; i++)
            {
                string type = types[random.Next(4)].ToString().ToLowerInvariant();
                await side.Item1.SendAsync($"<presence to='{side.Item2}@localhost' type='{type}'/>");
            }
            await side.Item1.DrainAsync();
        })));
        // After the storm both can still agree.
        foreach (var (one, other) in new[] { (romeo, juliet), (juliet, romeo) })
        {
            await one.SendAsync($"<presence to='{other.Jid.Bare}' type='unsubscribe'/>");
            await one.SendAsync($"<presence to='{other.Jid.Bare}' type='unsubscribed'/>");
            await one.DrainAsync();
        }
        await romeo.DrainAsync();
        await juliet.DrainAsync();
        await romeo.BefriendAsync(juliet);
        Assert.Equal("both", Assert.Single(await romeo.RosterAsync()).Attribute("subscription"));
        Assert.Equal("both", Assert.Single(await juliet.RosterAsync()).Attribute("subscription"));
    }
}
