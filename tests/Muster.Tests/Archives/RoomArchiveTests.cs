using Muster.Protocol.Addresses;
using Muster.Testing;

namespace Muster.Tests.Archives;

/// <summary>Archives of rooms in a whole server: who may read them, what is shown to whom, page by page.</summary>
[Spec("XEP-0313", "business-storeret-muc-archives")]
public class RoomArchiveTests
{
    const string Room = "garden@conference.localhost";
    const string Owner = "juliet@localhost/test", Item = "http://jabber.org/protocol/muc#user";

    static async Task<(TestServer Server, TestClient Juliet)> StartAsync(params (string Name, string Value)[] options)
    {
        var server = await TestServer.StartAsync();
        var juliet = await server.LoginAsync("juliet");
        await juliet.EnterAsync(Room, "J");
        await juliet.ConfigureAsync(Room, [("muc#roomconfig_persistentroom", "1"), .. options]);
        return (server, juliet);
    }

    [Fact]
    public async Task What_everybody_saw_can_be_read_page_by_page_in_both_directions()
    {
        var (server, juliet) = await StartAsync();
        await using var _ = server;
        for (int i = 1; i <= 10; i++) await juliet.SayAsync(Room, $"m{i}");
        await juliet.SendAsync($"<message type='groupchat' to='{Room}'>" +
            "<active xmlns='http://jabber.org/protocol/chatstates'/></message>");

        var all = await juliet.ArchiveAsync(Room);
        Assert.Equal(Enumerable.Range(1, 10).Select(i => $"m{i}"), all.Bodies);
        Assert.True(all.Complete);
        Assert.All(all.Messages, message =>
        {
            Assert.Equal($"{Room}/J", message.Attribute("from"));
            Assert.Null(message.Attribute("to"));
            Assert.Equal("groupchat", message.Attribute("type"));
        });

        var first = await juliet.ArchiveAsync(Room, MamScenes.Page(4));
        var second = await juliet.ArchiveAsync(Room, MamScenes.Page(4, after: first.Ids[^1]));
        var third = await juliet.ArchiveAsync(Room, MamScenes.Page(4, after: second.Ids[^1]));
        Assert.Equal(all.Ids, first.Ids.Concat(second.Ids).Concat(third.Ids));
        Assert.Equal((false, false, true), (first.Complete, second.Complete, third.Complete));

        var last = await juliet.ArchiveAsync(Room, MamScenes.Page(4, before: ""));
        var middle = await juliet.ArchiveAsync(Room, MamScenes.Page(4, before: last.Ids[0]));
        var oldest = await juliet.ArchiveAsync(Room, MamScenes.Page(4, before: middle.Ids[0]));
        Assert.Equal(all.Ids, oldest.Ids.Concat(middle.Ids).Concat(last.Ids));
        Assert.Equal((false, false, true), (last.Complete, middle.Complete, oldest.Complete));

        var flipped = await juliet.ArchiveAsync(Room, MamScenes.Page(4, before: "") + "<flip-page/>");
        Assert.Equal(last.Ids.Reverse(), flipped.Ids);
        Assert.Equal(last.Set.ToString(), flipped.Set.ToString());

        var between = await juliet.ArchiveAsync(Room,
            MamScenes.Form(("after-id", all.Ids[1]), ("before-id", all.Ids[5])));
        Assert.Equal(all.Ids[2..5], between.Ids);
        var single = await juliet.ArchiveAsync(Room, MamScenes.Form(("ids", all.Ids[7]), ("ids", all.Ids[2])));
        Assert.Equal([all.Ids[2], all.Ids[7]], single.Ids);
        var count = await juliet.ArchiveAsync(Room, MamScenes.Page(0));
        Assert.Equal(("10", false), (count.Set.Child("count")!.Text, count.Complete));
    }

    [Fact]
    public async Task Impossible_bounds_find_nothing_and_unknown_messages_are_not_found()
    {
        var (server, juliet) = await StartAsync();
        await using var _ = server;
        for (int i = 1; i <= 3; i++) await juliet.SayAsync(Room, $"m{i}");
        string[] ids = (await juliet.ArchiveAsync(Room, MamScenes.Page(1_000_000))).Ids;

        foreach (string nothing in (string[])
        [
            MamScenes.Form(("start", "2026-01-02T00:00:00Z"), ("end", "2026-01-01T00:00:00Z")),
            MamScenes.Form(("start", "9999-12-31T23:59:59Z")),
            MamScenes.Form(("end", "0001-01-01T00:00:00Z")),
            MamScenes.Form(("after-id", ids[2]), ("before-id", ids[0])),
            MamScenes.Form(("with", "nobody@nowhere.example")),
            MamScenes.Page(10, after: ids[2]),
            MamScenes.Page(10, before: ids[0]),
        ])
        {
            var answer = await juliet.ArchiveAsync(Room, nothing);
            Assert.Empty(answer.Results);
            Assert.True(answer.Complete);
            Assert.Empty(answer.Set.Elements);
        }
        foreach (string unknown in (string[])
        [
            MamScenes.Page(10, after: "17"), MamScenes.Page(10, before: "x"), MamScenes.Form(("ids", "17")),
            MamScenes.Form(("ids", ids[0]), ("ids", "18")), MamScenes.Form(("after-id", "17")),
            MamScenes.Form(("before-id", long.MaxValue.ToString(System.Globalization.CultureInfo.InvariantCulture))),
        ])
            Assert.Equal("item-not-found", (await juliet.ArchiveAsync(Room, unknown)).Condition);
    }

    [Theory]
    [InlineData("open", "none", true)]
    [InlineData("open", "outcast", false)]
    [InlineData("membersonly", "none", false)]
    [InlineData("membersonly", "member", true)]
    [InlineData("password", "none", false)]
    [InlineData("password", "member", true)]
    [InlineData("password", "inside", true)]
    public async Task Whoever_may_enter_may_read(string kind, string reader, bool allowed)
    {
        var (server, juliet) = await StartAsync(kind switch
        {
            "membersonly" => [("muc#roomconfig_membersonly", "1")],
            "password" => [("muc#roomconfig_passwordprotectedroom", "1"), ("muc#roomconfig_roomsecret", "s")],
            _ => [],
        });
        await using var _ = server;
        await juliet.SayAsync(Room, "hello");
        var romeo = await server.LoginAsync("romeo");
        if (reader is "member" or "outcast")
        {
            await juliet.DrainAsync();
            await juliet.SendAsync($"<iq type='set' id='a' to='{Room}'>" +
                "<query xmlns='http://jabber.org/protocol/muc#admin'>" +
                $"<item affiliation='{reader}' jid='romeo@localhost'/></query></iq>");
            await juliet.ExpectEventuallyAsync($"<iq type='result' id='a' from='{Room}' to='*'/>");
        }
        if (reader == "inside")
            await romeo.SendAsync($"<presence to='{Room}/R'><x xmlns='http://jabber.org/protocol/muc'>" +
                "<password>s</password></x></presence>");

        var answer = await romeo.ArchiveAsync(Room);
        Assert.Equal(allowed ? null : "forbidden", answer.Condition);
        if (allowed) Assert.Equal(["hello"], answer.Bodies);
        await romeo.SendAsync($"<iq type='get' id='m' to='{Room}'><metadata xmlns='urn:xmpp:mam:2'/></iq>");
        await romeo.ExpectEventuallyAsync(allowed
            ? $"<iq type='result' id='m' from='{Room}' to='*'>...</iq>"
            : $"<iq type='error' id='m' from='{Room}' to='*'>...</iq>");
    }

    [Fact]
    public async Task Who_sent_a_message_is_shown_by_the_rules_of_the_moment()
    {
        var (server, juliet) = await StartAsync(("muc#roomconfig_whois", "moderators"));
        await using var _ = server;
        var romeo = await server.LoginAsync("romeo");
        await romeo.EnterAsync(Room, "R");
        await juliet.SayAsync(Room, "from juliet");
        await romeo.SendAsync($"<message type='groupchat' to='{Room}'><body>from romeo</body>" +
            "<x xmlns='http://jabber.org/protocol/muc#user'><item jid='forged@example.org/x'/></x></message>");
        await juliet.ExpectEventuallyAsync(
            "<message type='groupchat' from='*' to='*' id='**'>...<body>from romeo</body></message>");

        static string[] Senders(MamAnswer answer) =>
            [.. answer.Messages.Select(m => m.Child(Item, "x")?.Child("item")?.Attribute("jid") ?? "")];
        Assert.Equal([Owner, "romeo@localhost/test"], Senders(await juliet.ArchiveAsync(Room)));
        // One's own address is no secret.
        Assert.Equal(["", "romeo@localhost/test"], Senders(await romeo.ArchiveAsync(Room)));
        Assert.Equal("forbidden",
            (await romeo.ArchiveAsync(Room, MamScenes.Form(("with", "juliet@localhost")))).Condition);
        Assert.Equal(["from romeo"],
            (await romeo.ArchiveAsync(Room, MamScenes.Form(("with", "romeo@localhost")))).Bodies);
        Assert.Equal(["from juliet"], (await juliet.ArchiveAsync(Room, MamScenes.Form(("with", Owner)))).Bodies);
        Assert.Empty((await juliet.ArchiveAsync(Room, MamScenes.Form(("with", "juliet@localhost/else")))).Bodies);

        await juliet.ConfigureAsync(Room, ("muc#roomconfig_whois", "anyone"));
        Assert.Equal([Owner, "romeo@localhost/test"], Senders(await romeo.ArchiveAsync(Room)));
    }

    [Fact]
    public async Task A_sleeping_room_answers_and_a_message_that_was_taken_back_leaves_its_place()
    {
        var (server, juliet) = await StartAsync();
        await using var _ = server;
        await juliet.SayAsync(Room, "regretted");
        await juliet.SayAsync(Room, "kept");
        string id = (await juliet.ArchiveAsync(Room)).Ids[0];
        await juliet.SendAsync($"<iq type='set' id='r' to='{Room}'><moderate id='{id}' " +
            "xmlns='urn:xmpp:message-moderate:1'><retract xmlns='urn:xmpp:message-retract:1'/></moderate></iq>");
        await juliet.ExpectEventuallyAsync($"<iq type='result' id='r' from='{Room}' to='*'/>");
        await juliet.SendAsync($"<presence to='{Room}/J' type='unavailable'/>");
        await server.SettleAsync();
        var rooms = server.Services.Rooms["conference.localhost"];
        await rooms.Hibernate(Jid.Parse(Room));
        await server.SettleAsync();
        Assert.Null(rooms.FindLive(Jid.Parse(Room)));

        var answer = await juliet.ArchiveAsync(Room);

        Assert.Equal(id, answer.Ids[0]);
        Assert.Equal("", answer.Bodies[0]);
        Assert.NotNull(answer.Messages[0].Child("urn:xmpp:message-retract:1", "retracted"));
        Assert.Equal("kept", answer.Bodies[1]);
        Assert.Equal("item-not-found", (await juliet.ArchiveAsync("nowhere@conference.localhost")).Condition);
    }

    [Fact]
    public async Task Private_messages_are_in_the_archives_of_both_users_once_and_never_in_the_rooms()
    {
        var (server, juliet) = await StartAsync(("muc#roomconfig_allowpm", "anyone"));
        await using var _ = server;
        await juliet.ConfigureAsync(Room, ("muc#roomconfig_allowmultisessions", "1"));
        var balcony = await server.LoginAsync("romeo", "balcony");
        var garden = await server.LoginAsync("romeo", "garden");
        await balcony.EnterAsync(Room, "R");
        await garden.EnterAsync(Room, "R");

        await juliet.SendAsync($"<message type='chat' to='{Room}/R' id='pm'><body>psst</body></message>");
        foreach (var client in (TestClient[])[balcony, garden])
            await client.ExpectEventuallyAsync(
                "<message type='chat' from='*' to='*' id='pm'><body>psst</body>...</message>");

        Assert.Equal(["psst"], (await balcony.ArchiveAsync()).Bodies);
        Assert.Equal(["psst"], (await juliet.ArchiveAsync(content: MamScenes.Form(("with", Room)))).Bodies);
        Assert.Empty((await juliet.ArchiveAsync(Room)).Bodies);
    }

    [Fact]
    public async Task It_is_announced_with_its_form_and_not_there_when_it_is_off()
    {
        var (server, juliet) = await StartAsync();
        await using var _ = server;
        const string Disco = "<query xmlns='http://jabber.org/protocol/disco#info'/>";
        string info = (await juliet.AskAsync($"<iq type='get' to='{Room}'>{Disco}</iq>")).ToString();
        Assert.Contains("'urn:xmpp:mam:2'", info);
        Assert.Contains("'urn:xmpp:mam:2#extended'", info);
        string own = (await juliet.AskAsync($"<iq type='get' to='juliet@localhost'>{Disco}</iq>")).ToString();
        Assert.Contains("'urn:xmpp:mam:2#groupchat-field'", own);
        foreach (string to in (string[])[Room, "juliet@localhost"])
        {
            var form = await juliet.AskAsync($"<iq type='get' to='{to}'><query xmlns='urn:xmpp:mam:2'/></iq>");
            Assert.Contains("var='before-id'", form.ToString());
        }

        await using var without = await TestServer.StartAsync("""
            [[listen.c2s]]
            port = 0
            tls.mode = "none"
            [modules.mod_mam]
            enabled = false
            """);
        var romeo = await without.LoginAsync("romeo");
        await romeo.EnterAsync(Room, "R");
        await romeo.ConfigureAsync(Room);
        Assert.Equal("service-unavailable", (await romeo.ArchiveAsync(Room)).Condition);
        Assert.Equal("service-unavailable", (await romeo.ArchiveAsync()).Condition);
        Assert.DoesNotContain("urn:xmpp:mam:2",
            (await romeo.AskAsync($"<iq type='get' to='{Room}'>{Disco}</iq>")).ToString());
    }
}
