using Muster.Protocol.Addresses;
using Muster.Server.Config;
using Muster.Server.Storage.Memory;
using Muster.Testing;

namespace Muster.Tests.Push;

/// <summary>Push notifications of accounts, with a whole server and an app server (XEP-0357; muc-push.md §2 to
/// §5).</summary>
[Spec("XEP-0357", "5")]
public class CloudNotifyTests
{
    const string Listener = """
        [[listen.c2s]]
        port = 0
        tls.mode = "none"

        """;

    static readonly Jid Romeo = Jid.Parse("romeo@localhost");

    static string Chat(string id, string content = "<body>Wherefore?</body>", string type = "chat") =>
        $"<message to='romeo@localhost' type='{type}' id='{id}'>{content}</message>";

    /// <summary>Romeo has registered and is away.</summary>
    static async Task<(TestClient Juliet, PushApp App)> AwayAsync(
        TestServer server, string content = "", string node = "n")
    {
        var app = await PushApp.StartAsync(server);
        var romeo = await server.LoginAsync("romeo", "phone");
        var answer = await romeo.EnablePushAsync(app.Address, node, content: content);
        Assert.Equal("result", answer.Attribute("type"));
        await romeo.CloseAsync();
        await romeo.DisposeAsync();
        var juliet = await server.LoginAsync("juliet", "balcony");
        await Patience.Eventually(() => server.Services.Sessions.Find(romeo.Jid) is null);
        return (juliet, app);
    }

    [Fact, Feature("CN-17", "CN-09")]
    public async Task A_message_for_an_account_that_is_away_is_pushed_without_saying_what_it_is()
    {
        await using var server = await TestServer.StartAsync();
        var (juliet, app) = await AwayAsync(server);
        await juliet.SendAsync(Chat("m1"));
        var push = await app.TakeAsync();
        Assert.Equal(("localhost", "n"), (push.From, push.Node));
        Assert.Equal("urn:xmpp:push:summary", push["FORM_TYPE"]);
        Assert.Equal(("1", "New Message!", null),
            (push["message-count"], push["last-message-body"], push["last-message-sender"]));
        Assert.Empty(push.Options);
        await app.NothingAsync();
    }

    [Fact, Feature("CN-04", "CN-05")]
    public async Task Text_and_sender_are_told_where_the_operator_says_so_and_the_user_does_not_object()
    {
        await using var server = await TestServer.StartAsync(Listener + """
            [modules.mod_cloud_notify]
            push_notification_with_body = true
            push_notification_with_sender = true
            """);
        var (juliet, app) = await AwayAsync(server);
        await juliet.SendAsync(Chat("m1"));
        var push = await app.TakeAsync();
        Assert.Equal(("Wherefore?", "juliet@localhost/balcony"),
            (push["last-message-body"], push["last-message-sender"]));

        // The command of the user, who hides the text and then everything.
        var romeo = await server.LoginAsync("romeo", "laptop");
        const string command = "<command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:push:0#privacy'";
        var form = await romeo.RequestAsync("set", "localhost", $"{command}/>");
        Assert.Contains("share-body", form.ToString(), StringComparison.Ordinal);
        Assert.Contains("Registered: app@localhost/push n", form.ToString(), StringComparison.Ordinal);
        var done = await romeo.RequestAsync("set", "localhost", $"{command} action='complete'>" +
            "<x xmlns='jabber:x:data' type='submit'><field var='share-body'><value>0</value></field></x></command>");
        Assert.Equal("completed", done.FirstElement!.Attribute("status"));
        await romeo.CloseAsync();
        await Patience.Eventually(() => server.Services.Sessions.Find(romeo.Jid) is null);
        await juliet.SendAsync(Chat("m2"));
        push = await app.TakeAsync();
        Assert.Equal(("New Message!", "juliet@localhost/balcony"),
            (push["last-message-body"], push["last-message-sender"]));
    }

    [Fact, Feature("CN-07")]
    public async Task The_text_that_stands_for_messages_can_be_another_or_none()
    {
        foreach (string text in (string[])["Ciao", ""])
        {
            await using var server = await TestServer.StartAsync(Listener +
                $"[modules.mod_cloud_notify]\npush_notification_important_body = \"{text}\"");
            var (juliet, app) = await AwayAsync(server);
            await juliet.SendAsync(Chat("m1"));
            Assert.Equal(text.Length == 0 ? null : text, (await app.TakeAsync())["last-message-body"]);
        }
    }

    [Theory, Feature("CN-17")]
    [InlineData("<encrypted xmlns='eu.siacs.conversations.axolotl'><header/></encrypted>", true)]
    [InlineData("<propose xmlns='urn:xmpp:jingle-message:0' id='1'/><store xmlns='urn:xmpp:hints'/>", true)]
    [InlineData("<received xmlns='urn:xmpp:receipts' id='1'/>", false)]
    public async Task Only_what_a_person_would_want_to_know_carries_text(string content, bool isImportant)
    {
        await using var server = await TestServer.StartAsync();
        var (juliet, app) = await AwayAsync(server);
        await juliet.SendAsync(Chat("m1", content));
        Assert.Equal(isImportant ? "New Message!" : null, (await app.TakeAsync())["last-message-body"]);
    }

    [Fact, Feature("CN-11", "CN-12")]
    public async Task The_form_goes_with_each_push_and_a_registration_is_taken_back_by_node_or_service()
    {
        await using var server = await TestServer.StartAsync();
        var (juliet, app) = await AwayAsync(server, PushScenes.Secret("s3cret"));
        var romeo = await server.LoginAsync("romeo", "laptop");
        await romeo.EnablePushAsync(app.Address, "other", content: PushScenes.Secret("another"));
        await romeo.EnablePushAsync("elsewhere@localhost/push", "other");
        await juliet.SendAsync(Chat("m1"));
        ReceivedPush[] pushes = [await app.TakeAsync(), await app.TakeAsync()];
        Assert.Equal(["n s3cret", "other another"],
            pushes.Select(push => $"{push.Node} {push.Options["secret"]}").Order());

        Assert.Equal("result", (await romeo.DisablePushAsync(app.Address, "n")).Attribute("type"));
        Assert.Equal("result", (await romeo.DisablePushAsync(app.Address, "unknown")).Attribute("type"));
        await juliet.SendAsync(Chat("m2"));
        Assert.Equal("other", (await app.TakeAsync()).Node);
        await romeo.DisablePushAsync(app.Address);
        await juliet.SendAsync(Chat("m3"));
        await juliet.DrainAsync();
        await server.SettleAsync();
        await app.NothingAsync();
        Assert.Equal(["elsewhere@localhost/push"], (await server.Services.Database.Pushes.Load(
            "localhost", romeo.Jid.Bare)).Select(push => push.Key.App.ToString()));
    }

    [Fact, Feature("CN-08")]
    public async Task A_sixth_device_takes_the_place_of_the_oldest()
    {
        await using var server = await TestServer.StartAsync();
        var app = await PushApp.StartAsync(server);
        var romeo = await server.LoginAsync("romeo", "phone");
        for (int i = 1; i <= 6; i++)
        {
            await romeo.EnablePushAsync(app.Address, $"n{i}");
            await server.AdvanceAsync(TimeSpan.FromSeconds(1));
        }
        await romeo.CloseAsync();
        await Patience.Eventually(() => server.Services.Sessions.Find(romeo.Jid) is null);
        var juliet = await server.LoginAsync("juliet", "balcony");
        await juliet.SendAsync(Chat("m1"));
        var nodes = new List<string>();
        for (int i = 0; i < 5; i++) nodes.Add((await app.TakeAsync()).Node);
        Assert.Equal(["n2", "n3", "n4", "n5", "n6"], nodes.Order());
        await app.NothingAsync();
    }

    [Fact, Feature("CN-06")]
    public async Task After_sixteen_errors_in_a_row_a_service_is_left_alone_and_success_begins_anew()
    {
        await using var server = await TestServer.StartAsync();
        var (juliet, app) = await AwayAsync(server);
        int sent = 0;
        async Task PushedAsync(string? error)
        {
            await juliet.SendAsync(Chat($"m{++sent}"));
            await app.TakeAsync(error);
            await app.Connection.DrainAsync();
            await server.SettleAsync();
        }
        for (int i = 0; i < 15; i++) await PushedAsync("cancel:service-unavailable");
        await PushedAsync(null);
        for (int i = 0; i < 15; i++) await PushedAsync("modify:not-acceptable");
        for (int i = 0; i < 20; i++) await PushedAsync("wait:resource-constraint");
        await PushedAsync("auth:forbidden");
        await juliet.SendAsync(Chat("last"));
        await juliet.DrainAsync();
        await server.SettleAsync();
        await app.NothingAsync();
        Assert.Empty(await server.Services.Database.Pushes.Load("localhost", Romeo));
    }

    [Fact, Feature("CN-06")]
    public async Task A_service_that_does_not_know_the_node_is_asked_three_times_only()
    {
        await using var server = await TestServer.StartAsync();
        var (juliet, app) = await AwayAsync(server);
        for (int i = 0; i < 3; i++)
        {
            await juliet.SendAsync(Chat($"m{i}"));
            await app.TakeAsync("cancel:item-not-found");
            await app.Connection.DrainAsync();
            await server.SettleAsync();
        }
        await juliet.SendAsync(Chat("m9"));
        await juliet.DrainAsync();
        await server.SettleAsync();
        await app.NothingAsync();
    }

    [Fact, Feature("CN-06")]
    public async Task Nobody_else_can_answer_for_a_push_service()
    {
        await using var server = await TestServer.StartAsync(Listener +
            "[modules.mod_cloud_notify]\npush_max_errors = 1");
        var (juliet, app) = await AwayAsync(server);
        await juliet.SendAsync(Chat("m1"));
        var push = await app.TakeAsync(error: "");
        await new PushApp(juliet) { Address = "" }.AnswerAsync(push, "cancel:forbidden"); // with the true id
        await juliet.DrainAsync();
        await server.SettleAsync();
        await app.AnswerAsync(push);
        await app.Connection.DrainAsync();
        await server.SettleAsync();
        await juliet.SendAsync(Chat("m2"));
        await app.TakeAsync();
    }

    [Fact, Feature("CN-06")]
    public async Task A_service_that_asks_to_wait_is_asked_once_more_and_one_that_is_silent_costs_little()
    {
        await using var server = await TestServer.StartAsync(Listener + "[modules.mod_ping]\nsend_pings = false");
        var (juliet, app) = await AwayAsync(server);
        await juliet.SendAsync(Chat("m1"));
        await app.TakeAsync("wait:resource-constraint");
        await app.Connection.DrainAsync();
        await server.AdvanceAsync(TimeSpan.FromSeconds(59));
        await app.NothingAsync();
        await server.AdvanceAsync(TimeSpan.FromSeconds(2));
        await app.TakeAsync(error: ""); // never answers
        for (int i = 0; i < 100; i++)
        {
            await server.AdvanceAsync(TimeSpan.FromSeconds(31));
            await juliet.SendAsync(Chat($"s{i}"));
            await app.TakeAsync(error: "");
        }
        await server.AdvanceAsync(TimeSpan.FromSeconds(31));
        // An hour has passed, and one timeout an hour counts.
        var stored = Assert.Single(await server.Services.Database.Pushes.Load(
            "localhost", Romeo));
        Assert.InRange(stored.Errors, 1, 2);
        Assert.Equal("timeout", stored.LastError);
    }

    [Fact, Feature("CN-17")]
    public async Task The_device_without_a_session_hears_of_what_another_device_gets_and_a_call_rings_on_all()
    {
        await using var server = await TestServer.StartAsync();
        var app = await PushApp.StartAsync(server);
        var laptop = await server.OnlineAsync("romeo", "laptop");
        await laptop.EnablePushAsync(app.Address, "laptop");
        var phone = await server.LoginAsync("romeo", "phone");
        await phone.EnablePushAsync(app.Address, "phone");
        await phone.CloseAsync();
        await Patience.Eventually(() => server.Services.Sessions.FindSession(phone.Jid) is null);
        var juliet = await server.LoginAsync("juliet", "balcony");
        await juliet.SendAsync(Chat("m1"));
        Assert.Equal("phone", (await app.TakeAsync()).Node);
        await app.NothingAsync();
        await juliet.SendAsync(
            Chat("m2", "<propose xmlns='urn:xmpp:jingle-message:0' id='1'/><store xmlns='urn:xmpp:hints'/>"));
        Assert.Equal(["laptop", "phone"], new[] { await app.TakeAsync(), await app.TakeAsync() }
            .Select(push => push.Node).Order());
        // A marker, and what Romeo writes himself, wake nobody.
        await juliet.SendAsync(Chat("m3", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>"));
        await laptop.SendAsync(Chat("m4"));
        await laptop.DrainAsync();
        await juliet.DrainAsync();
        await server.SettleAsync();
        await app.NothingAsync();
    }

    [Fact, Feature("CN-17")]
    public async Task Registrations_outlive_a_restart_but_neither_the_account_nor_its_password()
    {
        var database = new MemoryDatabase();
        await using (var first = await TestServer.StartAsync(null, database)) await AwayAsync(first);
        await using var server = await TestServer.StartAsync(null, database);
        var app = await PushApp.StartAsync(server);
        var juliet = await server.LoginAsync("juliet", "balcony");
        await juliet.SendAsync(Chat("m1"));
        await app.TakeAsync();
        await server.Services.AccountBook.SetPassword(Romeo, "another");
        await juliet.SendAsync(Chat("m2"));
        await juliet.DrainAsync();
        await server.SettleAsync();
        await app.NothingAsync();
        Assert.Empty(await database.Pushes.Load("localhost", Romeo));
    }

    [Fact, Feature("CN-12")]
    public async Task A_push_service_can_take_the_registration_back_itself()
    {
        await using var server = await TestServer.StartAsync();
        var (juliet, app) = await AwayAsync(server);
        foreach (var (sender, expected) in new[] { (juliet, 1), (app.Connection, 0) })
        {
            await sender.SendAsync("<message to='romeo@localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub' " +
                "node='n'><affiliation jid='romeo@localhost' affiliation='none'/></pubsub></message>");
            await sender.DrainAsync();
            await server.SettleAsync();
            await app.Connection.DrainAsync();
            Assert.Equal(expected, (await server.Services.Database.Pushes.Load(
                "localhost", Romeo)).Count);
        }
    }

    [Fact, Feature("CN-17")]
    public async Task Who_is_muted_or_unknown_wakes_nobody_where_the_user_says_so()
    {
        await using var server = await TestServer.StartAsync();
        var (juliet, app) = await AwayAsync(server,
            "<muted xmlns='tigase:push:filter:muted:0'><item jid='juliet@localhost'/></muted>" +
            "<ignore-unknown xmlns='tigase:push:filter:ignore-unknown:0'/><priority xmlns='tigase:push:priority:0'/>");
        var paris = await server.LoginAsync("paris", "street");
        await juliet.SendAsync(Chat("m1"));
        await paris.SendAsync(Chat("m2"));
        await juliet.DrainAsync();
        await paris.DrainAsync();
        await app.NothingAsync();
        var romeo = await server.OnlineAsync("romeo", "laptop");
        await romeo.AskAsync(
            "<iq type='set'><query xmlns='jabber:iq:roster'><item jid='paris@localhost'/></query></iq>");
        await romeo.CloseAsync();
        await Patience.Eventually(() => server.Services.Sessions.Find(romeo.Jid) is null);
        await paris.SendAsync(Chat("m3"));
        var push = await app.TakeAsync();
        Assert.Equal("high", push.Notification.Child("tigase:push:priority:0", "priority")!.Text);
    }

    [Fact, Feature("CN-17")]
    public async Task Off_means_off()
    {
        await using var server = await TestServer.StartAsync(Listener +
            "[modules.mod_cloud_notify]\nenabled = false\n[modules.mod_muc_cloud_notify]\nenabled = false");
        var romeo = await server.LoginAsync("romeo", "phone");
        foreach (string? to in (string?[])[null, "conference.localhost"])
            Assert.Equal("service-unavailable", (await romeo.EnablePushAsync("app.example", to: to)).ErrorCondition());
        var info = await romeo.AskAsync(
            $"<iq type='get' to='romeo@localhost'><query xmlns='{Protocol.Xml.Namespaces.DiscoInfo}'/></iq>");
        Assert.DoesNotContain("urn:xmpp:push:0", info.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task How_often_a_user_may_register_can_be_changed_while_the_server_runs()
    {
        static string Config(int max) => Listener + $"[limits]\npush_enables_per_hour = {max}\n";
        await using var server = await TestServer.StartAsync(Config(2));
        var romeo = await server.LoginAsync("romeo", "phone");
        async Task<string?> RegisterAsync() => (await romeo.EnablePushAsync("app@localhost/push")).ErrorCondition();
        Assert.Null(await RegisterAsync());
        Assert.Null(await RegisterAsync());
        Assert.Equal("resource-constraint", await RegisterAsync());
        server.Host.ReadConfig = () => ConfigCheck.Parse(Config(3), "test");
        await server.Host.ReloadAsync();
        Assert.Null(await RegisterAsync());
        Assert.Equal("resource-constraint", await RegisterAsync());
    }
}
