using Muster.Testing;

namespace Muster.Tests.Push;

/// <summary>Push notifications of room services, with a whole server and an app server (muc-push.md §6, §7).</summary>
[Spec("XEP-0357", "5")]
public class RoomPushTests
{
    const string Service = "conference.localhost", Room = "garden@conference.localhost";
    const string Listener = """
        [[listen.c2s]]
        port = 0
        tls.mode = "none"

        """;

    static string Mention(string body, int begin, int end, string id = "m1") =>
        $"<message to='{Room}' type='groupchat' id='{id}'><body>{body}</body>" +
        $"<reference xmlns='urn:xmpp:reference:0' type='mention' begin='{begin}' end='{end}'/></message>";

    sealed record Scene(TestServer Server, TestClient Juliet, TestClient Romeo, PushApp App)
    {
        public async Task SayAsync(string xml)
        {
            await Juliet.SendAsync(xml);
            await Juliet.DrainAsync();
            await Server.SettleAsync();
        }

        public Task SayWordsAsync(string id, string body) =>
            SayAsync($"<message to='{Room}' type='groupchat' id='{id}'><body>{body}</body></message>");
    }

    /// <summary>Juliet is in her room; Romeo was there, has registered his nick and for pushes, and left.</summary>
    static async Task<Scene> BeginAsync(TestServer server, string content = "", bool leaves = true,
        bool membersOnly = false, string to = Service)
    {
        var app = await PushApp.StartAsync(server);
        var juliet = await server.LoginAsync("juliet", "balcony");
        await juliet.CreateRoomAsync(Room, "Juliet");
        var romeo = await server.LoginAsync("romeo", "phone");
        await romeo.EnterAsync(Room, "Rómeo 🌹");
        await romeo.RegisterNickAsync(Room, "Rómeo 🌹");
        if (membersOnly) await juliet.ConfigureAsync(Room, ("muc#roomconfig_membersonly", "1"));
        Assert.Equal("result", (await romeo.EnablePushAsync(app.Address, "n", to, content)).Attribute("type"));
        if (leaves) await romeo.LeaveAsync(Room, "Rómeo 🌹");
        return new Scene(server, juliet, romeo, app);
    }

    [Fact, Feature("CN-01", "CN-02", "CN-09")]
    public async Task A_member_who_is_not_inside_hears_of_a_mention_and_of_nothing_else()
    {
        await using var server = await TestServer.StartAsync();
        var scene = await BeginAsync(server, PushScenes.Secret("s3cret"));
        await scene.SayWordsAsync("m0", "nobody in particular");
        await scene.App.NothingAsync();
        // Code points: 🎭 is one, though two in UTF-16.
        await scene.SayAsync(Mention("🎭 Rómeo 🌹: wherefore?", 2, 9));
        var push = await scene.App.TakeAsync();
        Assert.Equal((Service, "n", "s3cret"), (push.From, push.Node, push.Options["secret"]));
        Assert.Equal(("1", "New Message!", null),
            (push["message-count"], push["last-message-body"], push["last-message-sender"]));
        await scene.SayAsync(Mention("Tybalt?", 0, 6, "m2"));
        await scene.App.NothingAsync();
    }

    [Theory, Feature("CN-02")]
    [InlineData("<body>@Rómeo 🌹</body>{mention} begin='0' end='8'/>", true)]
    [InlineData("<body>x</body>{mention} uri='xmpp:romeo@localhost'/>", true)]
    [InlineData("{mention} uri='xmpp:garden@conference.localhost/R%C3%B3meo%20%F0%9F%8C%B9'/><body>x</body>", true)]
    [InlineData("<encrypted xmlns='urn:xmpp:omemo:2'/>{mention} uri='xmpp:romeo@localhost'/>", true)]
    [InlineData("<body>Rómeo 🌹</body><reference xmlns='urn:xmpp:reference:0' type='data' begin='0' end='7'/>", false)]
    [InlineData("<body>Rómeo 🌹</body>{mention} begin='0' end='70'/>", false)]
    [InlineData("<body>x</body><no-store xmlns='urn:xmpp:hints'/>{mention} uri='xmpp:romeo@localhost'/>", false)]
    public async Task What_counts_as_a_mention(string content, bool isPushed)
    {
        await using var server = await TestServer.StartAsync();
        var scene = await BeginAsync(server);
        await scene.SayAsync($"<message to='{Room}' type='groupchat' id='m1'>" +
            content.Replace("{mention}", "<reference xmlns='urn:xmpp:reference:0' type='mention'",
                StringComparison.Ordinal) + "</message>");
        if (isPushed) await scene.App.TakeAsync();
        await scene.App.NothingAsync();
    }

    [Fact, Feature("CN-04", "CN-05", "CN-07")]
    public async Task A_room_service_has_options_of_its_own()
    {
        await using var server = await TestServer.StartAsync(Listener + """
            [modules.mod_muc_cloud_notify]
            push_notification_with_body = true
            push_notification_with_sender = true
            muc_push_notify = "all"
            """);
        var scene = await BeginAsync(server);
        await scene.SayWordsAsync("m1", "Good night");
        var push = await scene.App.TakeAsync();
        Assert.Equal(("Good night", $"{Room}/Juliet"), (push["last-message-body"], push["last-message-sender"]));
    }

    [Fact, Feature("CN-02")]
    public async Task Who_is_inside_under_any_nick_is_not_pushed_to_and_every_absent_one_who_is_named_is()
    {
        await using var server = await TestServer.StartAsync();
        var scene = await BeginAsync(server, leaves: false);
        var paris = await server.LoginAsync("paris", "street");
        await paris.EnterAsync(Room, "Paris");
        await paris.EnablePushAsync(scene.App.Address, "paris", Service);
        await scene.Juliet.RequestAsync("set", Room, "<query xmlns='http://jabber.org/protocol/muc#admin'>" +
            "<item jid='paris@localhost' affiliation='member' nick='Paris'/></query>");
        await paris.LeaveAsync(Room, "Paris");
        await scene.SayAsync($"<message to='{Room}' type='groupchat' id='m1'><body>both</body>" +
            "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:romeo@localhost'/>" +
            "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:paris@localhost'/></message>");
        Assert.Equal("paris", (await scene.App.TakeAsync()).Node);
        await scene.App.NothingAsync();
        await scene.Romeo.LeaveAsync(Room, "Rómeo 🌹");
        await scene.SayAsync($"<message to='{Room}' type='groupchat' id='m2'><body>both</body>" +
            "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:romeo@localhost'/>" +
            "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:paris@localhost'/></message>");
        Assert.Equal(["n", "paris"], new[] { await scene.App.TakeAsync(), await scene.App.TakeAsync() }
            .Select(push => push.Node).Order());
    }

    [Fact, Feature("CN-02")]
    public async Task In_a_room_for_members_all_is_pushed_but_not_every_word_of_it()
    {
        await using var server = await TestServer.StartAsync();
        var scene = await BeginAsync(server, membersOnly: true);
        await scene.SayWordsAsync("m1", "one");
        Assert.Equal("1", (await scene.App.TakeAsync())["message-count"]);
        await scene.SayWordsAsync("m2", "two");
        await scene.SayWordsAsync("m3", "three");
        await scene.App.NothingAsync();
        await scene.SayAsync($"<message to='{Room}' type='groupchat' id='m4'><body>you</body>" +
            "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:romeo@localhost'/></message>");
        Assert.Equal("3", (await scene.App.TakeAsync())["message-count"]); // a mention does not wait
        await server.AdvanceAsync(TimeSpan.FromSeconds(31));
        await scene.SayWordsAsync("m5", "five");
        Assert.Equal("1", (await scene.App.TakeAsync())["message-count"]);
        // Whoever was inside has read it.
        await scene.Romeo.EnterAsync(Room, "Rómeo 🌹");
        await scene.Romeo.LeaveAsync(Room, "Rómeo 🌹");
        await scene.SayWordsAsync("m6", "six");
        await scene.App.TakeAsync();
        await scene.SayAsync($"<message to='{Room}' type='groupchat' id='s'><subject>new</subject></message>");
        await scene.App.NothingAsync();
    }

    [Theory, Feature("CN-02")]
    [InlineData("always", "any words", true)]
    [InlineData("mentioned", "any words", false)]
    [InlineData("mentioned", "has Rómeo 🌹 come?", true)]
    [InlineData("never", "has Rómeo 🌹 come?", false)]
    public async Task The_users_own_rule_for_a_room_counts_more_than_the_services(
        string rule, string body, bool isPushed)
    {
        await using var server = await TestServer.StartAsync();
        var scene = await BeginAsync(server, $"<groupchat xmlns='tigase:push:filter:groupchat:0'>" +
            $"<room jid='{Room}' allow='{rule}'/></groupchat>");
        await scene.SayWordsAsync("m1", body);
        if (isPushed) await scene.App.TakeAsync();
        await scene.App.NothingAsync();
    }

    [Fact, Feature("CN-12", "CN-08", "CN-11")]
    public async Task A_registration_with_the_service_is_apart_from_that_of_the_account_and_can_be_taken_back()
    {
        await using var server = await TestServer.StartAsync(Listener +
            "[modules.mod_muc_cloud_notify]\npush_max_devices = 2\nmuc_push_notify = \"all\"\nmuc_push_interval = 0");
        var scene = await BeginAsync(server, leaves: false);
        await scene.Romeo.EnablePushAsync(scene.App.Address, "account");
        await server.AdvanceAsync(TimeSpan.FromSeconds(1));
        foreach (string node in (string[])["two", "three"])
        {
            await scene.Romeo.EnablePushAsync(scene.App.Address, node, Service);
            await server.AdvanceAsync(TimeSpan.FromSeconds(1));
        }
        await scene.Romeo.LeaveAsync(Room, "Rómeo 🌹");
        await scene.SayWordsAsync("m1", "hello");
        Assert.Equal(["three", "two"], new[] { await scene.App.TakeAsync(), await scene.App.TakeAsync() }
            .Select(push => push.Node).Order());
        await scene.Romeo.DisablePushAsync(scene.App.Address, "two", Service);
        await scene.SayWordsAsync("m2", "hello");
        Assert.Equal("three", (await scene.App.TakeAsync()).Node);
        await scene.Romeo.DisablePushAsync(scene.App.Address, to: Service);
        await scene.SayWordsAsync("m3", "hello");
        await scene.App.NothingAsync();
        Assert.Single(await server.Services.Database.Pushes.Load("localhost", scene.Romeo.Jid.Bare));
    }

    [Fact, Feature("CN-01")]
    public async Task A_registration_with_a_room_is_for_that_room()
    {
        await using var server = await TestServer.StartAsync(Listener +
            "[modules.mod_muc_cloud_notify]\nmuc_push_notify = \"all\"");
        var scene = await BeginAsync(server, to: Room);
        await scene.SayWordsAsync("m1", "hello");
        Assert.Equal(Service, (await scene.App.TakeAsync()).From);
        const string other = "orchard@conference.localhost";
        await scene.Juliet.CreateRoomAsync(other, "Juliet");
        await scene.Juliet.RequestAsync("set", other, "<query xmlns='http://jabber.org/protocol/muc#admin'>" +
            "<item jid='romeo@localhost' affiliation='member'/></query>");
        await scene.SayAsync($"<message to='{other}' type='groupchat' id='m2'><body>hello</body></message>");
        await scene.App.NothingAsync();
        await scene.Romeo.DisablePushAsync(scene.App.Address, to: Room);
        await server.AdvanceAsync(TimeSpan.FromMinutes(1));
        await scene.SayWordsAsync("m3", "hello");
        await scene.App.NothingAsync();
    }

    [Fact, Feature("CN-06")]
    public async Task Errors_remove_the_registration_of_that_user_alone()
    {
        await using var server = await TestServer.StartAsync(Listener +
            "[modules.mod_muc_cloud_notify]\npush_max_errors = 2\nmuc_push_notify = \"all\"\nmuc_push_interval = 0");
        var scene = await BeginAsync(server);
        for (int i = 0; i < 2; i++)
        {
            await scene.SayWordsAsync($"m{i}", "hello");
            await scene.App.TakeAsync("cancel:service-unavailable");
            await scene.App.Connection.DrainAsync();
            await server.SettleAsync();
        }
        await scene.SayWordsAsync("m9", "hello");
        await scene.App.NothingAsync();
    }

    [Fact, Feature("CN-13", "CN-14", "CN-15", "CN-16")]
    public async Task What_a_ghost_did_not_get_is_pushed_once_when_its_bounce_comes()
    {
        await using var server = await TestServer.StartAsync(Listener + """
            [modules.mod_muc_cloud_notify]
            push_notification_with_body = true
            push_notification_with_sender = true
            """);
        var scene = await BeginAsync(server, leaves: false);
        for (int i = 1; i <= 3; i++) await scene.SayWordsAsync($"m{i}", $"word {i}");
        await scene.App.NothingAsync(); // he seems to be there
        foreach (string id in (string[])["m2", "m3"])
        {
            await scene.Romeo.SendAsync($"<message type='error' to='{Room}' id='{id}'><error type='cancel'>" +
                "<recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
        }
        await scene.Romeo.DrainAsync();
        await server.SettleAsync();
        var push = await scene.App.TakeAsync();
        Assert.Equal((Service, "2", "word 3", $"{Room}/Juliet"),
            (push.From, push["message-count"], push["last-message-body"], push["last-message-sender"]));
        await scene.App.NothingAsync();
        await scene.SayWordsAsync("m4", "he is a member who is away now");
        await scene.App.NothingAsync();
        await scene.SayAsync(Mention("Rómeo 🌹", 0, 7, "m5"));
        await scene.App.TakeAsync();
    }

    [Fact, Feature("CN-15", "CN-16")]
    public async Task What_the_room_has_no_longer_in_memory_is_read_from_its_archive_and_a_mention_comes_first()
    {
        await using var server = await TestServer.StartAsync(Listener + """
            [modules.mod_muc]
            history_size = 1
            [modules.mod_muc_cloud_notify]
            push_notification_with_body = true
            """);
        var scene = await BeginAsync(server, leaves: false);
        await scene.SayAsync(Mention("Rómeo 🌹!", 0, 7));
        for (int i = 2; i <= 4; i++) await scene.SayWordsAsync($"m{i}", $"word {i}");
        await scene.Romeo.SendAsync($"<message type='error' to='{Room}' id='m1'><error type='cancel'>" +
            "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
        var push = await scene.App.TakeAsync();
        Assert.Equal(("4", "Rómeo 🌹!"), (push["message-count"], push["last-message-body"]));
    }

    [Fact, Feature("CN-14")]
    public async Task A_ghost_whose_other_device_is_inside_is_not_pushed_to()
    {
        await using var server = await TestServer.StartAsync(Listener +
            "[modules.mod_muc.default_room]\nallow_multiple_sessions = true");
        var scene = await BeginAsync(server, leaves: false);
        var laptop = await server.LoginAsync("romeo", "laptop");
        await laptop.EnterAsync(Room, "Rómeo 🌹");
        await scene.SayWordsAsync("m1", "hello");
        await scene.Romeo.SendAsync($"<message type='error' to='{Room}' id='m1'><error type='cancel'>" +
            "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>");
        await scene.Romeo.DrainAsync();
        await server.SettleAsync();
        await scene.App.NothingAsync();
    }

    [Fact, Feature("CN-16")]
    public async Task The_same_device_is_told_once_though_the_account_and_the_room_have_reason_to()
    {
        await using var server = await TestServer.StartAsync(Listener + "[modules.mod_ping]\nsend_pings = false");
        var scene = await BeginAsync(server, leaves: false);
        await Sessions.ManagementTests.EnableAsync(scene.Romeo);
        await scene.Romeo.EnablePushAsync(scene.App.Address, "n");
        await scene.SayWordsAsync("m1", "hello");
        await scene.Romeo.DisposeAsync();
        await Sessions.ManagementTests.WaitingAsync(server, 1);
        await server.SettleAsync();
        Assert.Equal("localhost", (await scene.App.TakeAsync()).From); // it waits in the session's queue
        await server.AdvanceAsync(TimeSpan.FromSeconds(601));
        await Patience.Eventually(() => server.Services.Sessions.FindSession(scene.Romeo.Jid) is null);
        await scene.Juliet.DrainAsync();
        await server.SettleAsync();
        await scene.App.NothingAsync(); // and bounced to the room
    }
}
