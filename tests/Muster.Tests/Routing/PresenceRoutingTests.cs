using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Routing;
using Muster.Testing;

namespace Muster.Tests.Routing;

/// <summary>RFC 6121 §4 in a whole server: who learns that somebody is there.</summary>
[Spec("RFC 6121", "4")]
public class PresenceRoutingTests
{
    [Fact]
    public async Task Presence_goes_to_subscribers_and_own_resources_and_nobody_else()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var chamber = await server.OnlineAsync("juliet", "chamber");
        var tybalt = await server.OnlineAsync("tybalt");
        await romeo.BefriendAsync(juliet);
        foreach (var client in (TestClient[])[romeo, juliet, chamber, tybalt]) await client.DrainAsync();

        await romeo.SendAsync("<presence id='p'><show>dnd</show><status>courting</status></presence>");
        await romeo.DrainAsync();

        const string Pattern = "<presence from='romeo@localhost/test' to='juliet@localhost' id='p'>" +
            "<show>dnd</show><status>courting</status></presence>";
        await juliet.ExpectAsync(Pattern);
        await chamber.ExpectAsync(Pattern);
        await tybalt.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_resource_that_comes_learns_who_is_there()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet", "balcony");
        await romeo.BefriendAsync(juliet);
        await romeo.SendAsync("<presence><show>away</show></presence>");
        await romeo.DrainAsync();

        var chamber = await server.LoginAsync("juliet", "chamber");
        await chamber.SendAsync("<presence/>");

        var received = await chamber.DrainAsync();
        Assert.Equal(["juliet@localhost/chamber", "juliet@localhost/balcony", "romeo@localhost/test"],
            received.Select(element => element.Attribute("from")));
        Assert.Equal("away", received[^1].Child("show")!.Text);
        // Who has been there all the time hears of it once.
        Assert.Single(await romeo.DrainAsync(), element => element.Attribute("from") == "juliet@localhost/chamber");
    }

    [Fact]
    public async Task A_session_without_presence_sees_and_shows_nothing()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        await romeo.BefriendAsync(juliet);

        var silent = await server.LoginAsync("juliet", "silent");
        await silent.ExpectNothingAsync();
        await romeo.SendAsync("<presence><show>away</show></presence>");
        await romeo.DrainAsync();
        await silent.ExpectNothingAsync();
        await silent.CloseAsync();

        Assert.DoesNotContain(await romeo.DrainAsync(), element =>
            element.Attribute("from") == "juliet@localhost/silent");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_end_of_a_resource_is_told_to_all_who_saw_it(bool politely)
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        await romeo.BefriendAsync(juliet);
        var tybalt = await server.OnlineAsync("tybalt");
        await juliet.SendAsync("<presence to='tybalt@localhost/test'/>");
        await tybalt.ExpectAsync("<presence from='juliet@localhost/test' to='tybalt@localhost/test'/>");

        if (politely) await juliet.CloseAsync();
        else await juliet.DisposeAsync();

        await romeo.ExpectEventuallyAsync(
            "<presence from='juliet@localhost/test' to='romeo@localhost' type='unavailable'/>");
        await tybalt.ExpectAsync(
            "<presence from='juliet@localhost/test' to='tybalt@localhost/test' type='unavailable'/>");
        await tybalt.ExpectNothingAsync();
    }

    [Fact]
    public async Task Going_unavailable_tells_why_and_the_session_goes_on()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        await romeo.BefriendAsync(juliet);

        await juliet.SendAsync("<presence type='unavailable'><status>asleep</status></presence>");

        const string Status = "<status>asleep</status>";
        await juliet.ExpectAsync(
            $"<presence from='juliet@localhost/test' to='juliet@localhost' type='unavailable'>{Status}</presence>");
        await romeo.ExpectAsync(
            $"<presence from='juliet@localhost/test' to='romeo@localhost' type='unavailable'>{Status}</presence>");
        await juliet.ExpectNothingAsync();
        await juliet.CloseAsync();
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    public async Task Directed_presence_is_ended_once_and_not_repeated_to_subscribers()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        await romeo.BefriendAsync(juliet);
        var tybalt = await server.OnlineAsync("tybalt");
        await juliet.SendAsync("<presence to='tybalt@localhost'/><presence to='romeo@localhost'/>");
        await juliet.SendAsync("<presence to='tybalt@localhost' type='unavailable'/>");
        await juliet.DrainAsync();
        await tybalt.DrainAsync();
        await romeo.DrainAsync();

        await juliet.CloseAsync();

        await romeo.ExpectAsync("<presence from='juliet@localhost/test' to='romeo@localhost' type='unavailable'/>");
        await romeo.ExpectNothingAsync();
        await tybalt.ExpectNothingAsync();
    }

    [Fact]
    public async Task Directed_presence_has_a_bound()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        int max = server.Services.Limits.DirectedPresencesMax;
        for (int i = 0; i < max; i++) await romeo.SendAsync($"<presence to='tybalt@localhost/{i}'/>");
        await romeo.ExpectNothingAsync();

        await romeo.SendAsync("<presence to='tybalt@localhost/over' id='p'/>");
        Assert.Equal("resource-constraint", (await romeo.ReceiveAsync()).ErrorCondition());

        // One that has it already is no new one.
        await romeo.SendAsync("<presence to='tybalt@localhost/5'/>");
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_refused_or_ended_directed_presence_needs_no_end()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        await romeo.SendAsync("<presence to='juliet@localhost/test'/>");
        await juliet.ExpectAsync("<presence from='romeo@localhost/test' to='juliet@localhost/test'/>");
        await juliet.SendAsync("<presence to='romeo@localhost/test' type='error'><error type='cancel'>" +
            "<not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>");
        await juliet.DrainAsync();
        Assert.Equal("not-allowed", (await romeo.ReceiveAsync()).ErrorCondition());

        await romeo.CloseAsync();

        await juliet.ExpectNothingAsync();
    }

    /// <summary>The word about an older session of the same address, which has just left the room, says nothing of the
    /// new one that enters it under the same nick: when that ends, the room must hear of it.</summary>
    [Fact]
    public void A_room_that_has_not_answered_yet_speaks_of_an_older_session()
    {
        var romeo = Jid.Parse("romeo@localhost/orchard");
        var occupant = Jid.Parse("garden@conference.localhost/Romeo");
        var session = new Session(romeo, null, "1");
        session.Manage(new SmTerms { Namespace = Namespaces.StreamManagement, Token = "t" }, new Deaf());
        Presence Said(PresenceType type, string? id) =>
            new(type, occupant, romeo, id, new Element(Namespaces.MucUser, "x"));
        Assert.True(session.TrackDirected(new Presence(PresenceType.Available, romeo, occupant, "join"), 10));

        session.Deliver(Said(PresenceType.Unavailable, null));
        session.Deliver(Said(PresenceType.Available, "older"));
        session.Deliver(Said(PresenceType.Unavailable, null));
        Assert.True(session.HasDirectedTo(occupant));

        session.Deliver(Said(PresenceType.Available, "join"));
        session.Deliver(Said(PresenceType.Unavailable, null));
        Assert.False(session.HasDirectedTo(occupant));
    }

    sealed class Deaf : SessionWatcher
    {
        public override DateTimeOffset Now => DateTimeOffset.UnixEpoch;
        public override void Held(Session session, SharedStanza stanza) { }
        public override void Overflowed(Session session, IReadOnlyList<SmEntry> lost) { }
        public override void Settled(Session session) { }
    }

    [Fact]
    public async Task A_probe_is_answered_by_what_the_asker_may_know()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        await romeo.BefriendAsync(juliet);
        var tybalt = await server.OnlineAsync("tybalt");

        await romeo.SendAsync("<presence type='probe' to='juliet@localhost'/>");
        await romeo.ExpectAsync("<presence from='juliet@localhost/test' to='romeo@localhost/test'/>");
        await juliet.CloseAsync();
        await romeo.DrainAsync();
        await romeo.SendAsync("<presence type='probe' to='juliet@localhost'/>");
        await romeo.ExpectAsync("<presence from='juliet@localhost' to='romeo@localhost/test' type='unavailable'/>");

        // A stranger gets the same for somebody who is there, who is not, and who does not exist: which is nothing that
        // it could see, as no subscription of its own ends by it.
        foreach (string target in (string[])["romeo@localhost", "juliet@localhost", "nobody@localhost"])
            await tybalt.SendAsync($"<presence type='probe' to='{target}'/>");
        await tybalt.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_probe_by_another_server_of_a_stranger_and_of_nobody_is_answered_alike()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("juliet");
        var elsewhere = new RecordingTarget();
        server.Services.Router.Connect(
            [KeyValuePair.Create("localhost", (IStanzaTarget)server.Services.Local)], elsewhere);

        foreach (string target in (string[])["juliet@localhost", "nobody@localhost"])
        {
            await server.Services.Router.Route(RecordingTarget.Stanza(
                $"<presence type='probe' from='spy@elsewhere.example/x' to='{target}'/>"));
            new XmlPattern($"<presence type='unsubscribed' from='{target}' to='spy@elsewhere.example'/>")
                .AssertFits(elsewhere.Take());
        }
        foreach (string type in (string[])["subscribed", "unsubscribe", "unsubscribed", "unavailable"])
        {
            await server.Services.Router.Route(RecordingTarget.Stanza(
                $"<presence type='{type}' from='spy@elsewhere.example/x' to='nobody@localhost'/>"));
        }
        await server.Services.Router.Route(RecordingTarget.Stanza(
            "<presence from='spy@elsewhere.example/x' to='nobody@localhost'/>"));
        await server.Services.Router.Route(RecordingTarget.Stanza(
            "<presence type='subscribe' from='spy@elsewhere.example' to='nobody@localhost'/>"));
        Assert.True(elsewhere.IsEmpty);
    }

    [Theory]
    [InlineData("<presence type='subscribe'/>", "bad-request")]
    [InlineData("<presence type='unsubscribed'/>", "bad-request")]
    [InlineData("<presence type='sleeping'/>", "bad-request")]
    [InlineData("<presence to='@localhost'/>", "jid-malformed")]
    [InlineData("<presence type='probe'/>", null)]
    [InlineData("<presence type='error'/>", null)]
    [InlineData("<presence type='error' to='nobody@localhost'/>", null)]
    [InlineData("<presence to='localhost'/>", null)]
    [InlineData("<presence to='romeo@localhost' type='subscribe'/>", null)]
    public async Task Presence_that_makes_no_sense(string presence, string? condition)
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");

        await romeo.SendAsync(presence);

        if (condition is not null) Assert.Equal(condition, (await romeo.ReceiveAsync()).ErrorCondition());
        await romeo.ExpectNothingAsync();
    }
}
