using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Features;

/// <summary>Rooms as a client sees them, through the whole server.</summary>
public sealed class GroupChatTests
{
    const string Service = "conference.localhost";
    const string Room = "garden@conference.localhost";
    const string Subject = "<message from='*' to='*' id='**' type='groupchat'><subject/></message>";

    [Fact, Spec("XEP-0045", "enter")]
    public async Task TwoUsersMeetAndTalk()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        var juliet = await server.LoginAsync("juliet");
        await Create(romeo, "garden");
        await juliet.SendAsync($"<presence to='{Room}/Juliet'><x xmlns='{Namespaces.Muc}'/></presence>");
        await juliet.ExpectEventuallyAsync(Subject);

        await juliet.SendAsync($"<message to='{Room}' type='groupchat' id='m1'><body>O Romeo</body></message>");
        var heard = await romeo.ExpectEventuallyAsync(
            $"<message type='groupchat' from='{Room}/Juliet' to='*' id='m1'><body>O Romeo</body>...</message>");
        var own = await juliet.ExpectEventuallyAsync(
            $"<message type='groupchat' from='{Room}/Juliet' to='*' id='m1'><body>O Romeo</body>...</message>");
        Assert.Equal(heard.Child(Namespaces.StanzaIds, "stanza-id")?.Attribute("id"),
            own.Child(Namespaces.StanzaIds, "stanza-id")?.Attribute("id"));
        Assert.NotNull(heard.Child(Namespaces.OccupantId, "occupant-id"));
    }

    [Fact, Spec("XEP-0045", "disco-rooms"), Feature("MU-02"), Feature("MU-34")]
    public async Task TheServiceIsFoundAndListsItsRooms()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        var services =
            await romeo.AskAsync($"<iq type='get' id='1' to='localhost'><query xmlns='{Namespaces.DiscoItems}'/></iq>");
        Assert.Contains(services.FirstElement!.Elements, item => item.Attribute("jid") == Service);
        var info = await romeo.AskAsync(
            $"<iq type='get' id='2' to='{Service}'><query xmlns='{Namespaces.DiscoInfo}'/></iq>");
        Assert.Contains(info.FirstElement!.Elements, e => e.Name == "feature" && e.Attribute("var") == Namespaces.Muc);
        Assert.Contains(info.FirstElement!.Elements, e =>
            e.Name == "identity" && e.Attribute("category") == "conference");

        foreach (string room in (string[])["garden", "balcony", "tomb"])
        {
            await Create(romeo, room);
        }
        var page = await romeo.AskAsync($"<iq type='get' id='3' to='{Service}'><query " +
            $"xmlns='{Namespaces.DiscoItems}'><set xmlns='{Namespaces.ResultSets}'><max>2</max></set></query></iq>");
        Assert.Equal(["balcony (1)", "garden (1)"], page.FirstElement!.Children(Namespaces.DiscoItems, "item")
            .Select(i => i.Attribute("name")));
        Assert.Equal("3", page.FirstElement!.Child(Namespaces.ResultSets, "set")?.Child("count")?.Text);
        page = await romeo.AskAsync($"<iq type='get' id='4' to='{Service}'><query xmlns='{Namespaces.DiscoItems}'>" +
            $"<set xmlns='{Namespaces.ResultSets}'><max>2</max><after>garden</after></set></query></iq>");
        Assert.Equal(["tomb (1)"], page.FirstElement!.Children(Namespaces.DiscoItems, "item")
            .Select(i => i.Attribute("name")));
    }

    [Fact, Spec("XEP-0045", "disco-rooms"), Feature("MU-34")]
    public async Task AHiddenRoomIsListedForItsAdminsAndThoseInsideAlsoWhenItSleeps()
    {
        await using var server = await TestServer.StartAsync("""
            [[listen.c2s]]
              port = 0
              tls.mode = "none"
            [modules.mod_muc]
              default_room.persistent = true
              default_room.public = false
            """);
        var romeo = await server.LoginAsync("romeo");
        var juliet = await server.LoginAsync("juliet");
        await Create(romeo, "garden");
        await Create(juliet, "balcony");
        Assert.Equal(["garden (private, 1)"], await Rooms(romeo));
        await juliet.SendAsync($"<presence to='{Room}/Juliet'><x xmlns='{Namespaces.Muc}'/></presence>");
        await juliet.ExpectEventuallyAsync(Subject);
        Assert.Equal(["balcony (private, 1)", "garden (private, 2)"], await Rooms(juliet));
        foreach (string self in (string[])[$"{Room}/Juliet", $"balcony@{Service}/Romeo"])
        {
            await juliet.SendAsync($"<presence type='unavailable' to='{self}'/>");
            await juliet.ExpectEventuallyAsync(
                $"<presence type='unavailable' from='{self}' to='*' id='**'>...</presence>");
        }
        await romeo.ExpectEventuallyAsync(
            $"<presence type='unavailable' from='{Room}/Juliet' to='*'>...</presence>");
        await server.SettleAsync();
        await server.Services.Rooms[Service].Hibernate(Protocol.Addresses.Jid.Parse($"balcony@{Service}"));
        await server.SettleAsync();
        Assert.Equal(["balcony"], await Rooms(juliet));
        Assert.Equal(["garden (private, 1)"], await Rooms(romeo));

        static async Task<IEnumerable<string?>> Rooms(TestClient client)
        {
            var page = await client.AskAsync(
                $"<iq type='get' to='{Service}'><query xmlns='{Namespaces.DiscoItems}'/></iq>");
            return page.FirstElement!.Children(Namespaces.DiscoItems, "item").Select(i => i.Attribute("name"));
        }
    }

    [Fact]
    public async Task ANickReservedAtTheServiceIsNobodyElses()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        var juliet = await server.LoginAsync("juliet");
        const string Set = "<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>" +
            "<field var='nick'><value>Montague</value></field></x></query>";
        var answer = await romeo.AskAsync($"<iq type='set' id='1' to='{Service}'>{Set}</iq>");
        Assert.Equal("result", answer.Attribute("type"));
        answer = await juliet.AskAsync($"<iq type='set' id='2' to='{Service}'>{Set}</iq>");
        Assert.NotNull(answer.Child("error")?.Child(Namespaces.StanzaErrors, "conflict"));
        answer = await romeo.AskAsync($"<iq type='get' id='3' to='{Service}'><query xmlns='jabber:iq:register'/></iq>");
        Assert.NotNull(answer.FirstElement!.Child("registered"));

        // In a room the owner of the nick enters with it, and nobody else.
        await Create(romeo, "garden");
        await juliet.SendAsync($"<presence to='{Room}/Montague'><x xmlns='{Namespaces.Muc}'/></presence>");
        var refused =
            await juliet.ExpectEventuallyAsync("<presence type='error' from='*' to='*' id='**'>...</presence>");
        Assert.NotNull(refused.Child("error")?.Child(Namespaces.StanzaErrors, "conflict"));
    }

    [Fact, Spec("XEP-0045", "exit")]
    public async Task WhoEndsTheSessionLeavesItsRooms()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        var juliet = await server.LoginAsync("juliet");
        await Create(romeo, "garden");
        await juliet.SendAsync($"<presence to='{Room}/Juliet'><x xmlns='{Namespaces.Muc}'/></presence>");
        await juliet.ExpectEventuallyAsync(Subject);
        await romeo.CloseAsync();
        await juliet.ExpectEventuallyAsync(
            $"<presence type='unavailable' from='{Room}/Romeo' to='*' id='**'>...</presence>");
    }

    // An instant room (XEP-0045 §10.1.2); the creator's nick is Romeo.
    static async Task Create(TestClient client, string room)
    {
        await client.SendAsync($"<presence to='{room}@{Service}/Romeo'><x xmlns='{Namespaces.Muc}'/></presence>");
        await client.ExpectEventuallyAsync(Subject);
        var answer = await client.AskAsync(
            $"<iq type='set' to='{room}@{Service}'><query xmlns='{Namespaces.MucOwner}'>" +
            "<x xmlns='jabber:x:data' type='submit'/></query></iq>");
        Assert.Equal("result", answer.Attribute("type"));
    }
}
