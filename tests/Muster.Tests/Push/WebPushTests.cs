using System.Net.Http.Json;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Muster.Server.Storage.Memory;
using Muster.Testing;
using Muster.Tests.Net;
using Muster.Tests.Sessions;

namespace Muster.Tests.Push;

/// <summary>Push to browsers, with a whole server and the push services of vendors over HTTPS on loopback.</summary>
[Spec("RFC 8030", "5")]
public sealed class WebPushTests : IDisposable
{
    const string Listener = """
        [[listen.c2s]]
        port = 0
        tls.mode = "none"

        """;
    const string Loopback = """

        [modules.mod_web_push]
        web_push_private_hosts = ["localhost"]

        """;
    const string Priority = "<priority xmlns='tigase:push:priority:0'/>";

    static readonly Jid Romeo = Jid.Parse("romeo@localhost");

    readonly string _folder = Directory.CreateTempSubdirectory("muster-test-").FullName;
    readonly TestAuthority _authority;

    public WebPushTests() => _authority = new TestAuthority(_folder);

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    Task<TestServer> StartAsync(string config = Loopback, Database? database = null) =>
        TestServer.StartAsync(Listener + config, database,
            webPushRoots: [X509CertificateLoader.LoadCertificateFromFile(_authority.RootFile)]);

    static string Chat(string id, string content = "<body>Wherefore?</body>") =>
        $"<message to='romeo@localhost' type='chat' id='{id}'>{content}</message>";

    /// <summary>Romeo has registered browsers and is away.</summary>
    static async Task<TestClient> AwayAsync(TestServer server, string more, params PushBrowser[] browsers)
    {
        var romeo = await server.LoginAsync("romeo", "browser");
        foreach (var browser in browsers)
        {
            var answer = await romeo.EnablePushAsync("localhost", browser.Endpoint, content: browser.Form + more);
            Assert.Equal("result", answer.Attribute("type"));
        }
        await romeo.CloseAsync();
        var juliet = await server.LoginAsync("juliet", "balcony");
        await Patience.Eventually(() => server.Services.Sessions.Find(romeo.Jid) is null);
        return juliet;
    }

    static async Task<IReadOnlyList<StoredPush>> RegisteredAsync(TestServer server)
    {
        await server.SettleAsync();
        return await server.Services.Database.Pushes.Load("localhost", Romeo);
    }

    static Task ErrorsAsync(TestServer server, int count, string condition) => Patience.Eventually(
        () => RegisteredAsync(server).GetAwaiter().GetResult() is [var push]
            && (push.Errors, push.LastError) == (count, condition));

    static Task GoneAsync(TestServer server) =>
        Patience.Eventually(() => RegisteredAsync(server).GetAwaiter().GetResult().Count == 0);

    [Fact, Spec("RFC 8292", "2"), Spec("RFC 8291", "2")]
    public async Task A_message_reaches_the_browser_encrypted_and_the_vendor_knows_who_sends()
    {
        await using var vendor = await PushVendor.StartAsync(_authority);
        await using var server = await StartAsync();
        var browser = vendor.Browser();
        var juliet = await AwayAsync(server, "", browser);
        await juliet.SendAsync(Chat("m1"));
        var push = await vendor.NextAsync();
        Assert.Equal("""{"host":"localhost","count":1,"body":"New Message!"}""", browser.Read(push).GetRawText());
        Assert.Equal(("86400", "normal", "aes128gcm", "application/octet-stream"), (push.Headers["TTL"],
            push.Headers["Urgency"], push.Headers["Content-Encoding"], push.Headers["Content-Type"]));
        Assert.Matches("^[A-Za-z0-9_-]{32}$", push.Headers["Topic"]);
        Assert.StartsWith("vapid ", push.Headers["Authorization"], StringComparison.Ordinal);
        var token = VapidToken.Read(push.Headers["Authorization"]);
        Assert.Equal((vendor.Origin, "mailto:postmaster@localhost", server.Services.WebPush!.PublicKey),
            (token.Audience, token.Contact, token.Key));
        Assert.InRange(token.Expires, server.Clock.GetUtcNow(), server.Clock.GetUtcNow().AddHours(24));
        await Patience.Eventually(() => RegisteredAsync(server).GetAwaiter().GetResult()[0].LastSuccessAt is not null);

        // The token is used again, and renewed in time.
        await juliet.SendAsync(Chat("m2"));
        Assert.Equal(push.Headers["Authorization"], (await vendor.NextAsync()).Headers["Authorization"]);
        await server.AdvanceAsync(TimeSpan.FromHours(7));
        juliet = await server.LoginAsync("juliet", "again");
        await juliet.SendAsync(Chat("m3"));
        Assert.InRange(VapidToken.Read((await vendor.NextAsync()).Headers["Authorization"]).Expires,
            server.Clock.GetUtcNow().AddHours(6), server.Clock.GetUtcNow().AddHours(24));
    }

    [Fact]
    public async Task Text_and_sender_go_where_the_operator_says_so_and_options_say_the_rest()
    {
        await using var vendor = await PushVendor.StartAsync(_authority);
        await using var server = await StartAsync(Loopback + """
            web_push_contact = "https://example.org/contact"
            web_push_ttl = 60
            [modules.mod_cloud_notify]
            push_notification_with_body = true
            push_notification_with_sender = true
            """);
        var browser = vendor.Browser();
        var juliet = await AwayAsync(server, Priority, browser);
        await juliet.SendAsync(Chat("m1", $"<body>{new string('\u6f22', 3000)}</body>"));
        var push = await vendor.NextAsync();
        var read = browser.Read(push);
        Assert.Equal(new string('\u6f22', 1000), read.GetProperty("body").GetString());
        Assert.Equal("juliet@localhost/balcony", read.GetProperty("sender").GetString());
        Assert.InRange(push.Body.Length, 3000, 4096);
        Assert.Equal(("60", "high"), (push.Headers["TTL"], push.Headers["Urgency"]));
        Assert.Equal("https://example.org/contact", VapidToken.Read(push.Headers["Authorization"]).Contact);
        // What is not for people is not shown to them.
        await juliet.SendAsync(
            Chat("m2", "<received xmlns='urn:xmpp:receipts' id='m0'/><store xmlns='urn:xmpp:hints'/>"));
        await juliet.SendAsync(Chat("m3"));
        Assert.Equal("Wherefore?", browser.Read(await vendor.NextAsync()).GetProperty("body").GetString());
        Assert.Equal(0, vendor.Waiting);
    }

    [Fact]
    public async Task Rooms_push_to_browsers_of_members_who_are_away()
    {
        const string Service = "conference.localhost", Room = $"garden@{Service}";
        await using var vendor = await PushVendor.StartAsync(_authority);
        await using var server = await StartAsync();
        var browser = vendor.Browser();
        var juliet = await server.LoginAsync("juliet", "balcony");
        await juliet.CreateRoomAsync(Room, "Juliet");
        var romeo = await server.LoginAsync("romeo", "browser");
        await juliet.ConfigureAsync(Room, ("muc#roomconfig_membersonly", "1"));
        var granted = await juliet.RequestAsync("set", Room, "<query xmlns='http://jabber.org/protocol/muc#admin'>" +
            "<item affiliation='member' jid='romeo@localhost'/></query>");
        Assert.Equal("result", granted.Attribute("type"));
        await romeo.EnterAsync(Room, "Romeo");
        var answer = await romeo.EnablePushAsync("localhost", "n", Service, browser.Form);
        Assert.Equal("result", answer.Attribute("type"));
        await romeo.LeaveAsync(Room, "Romeo");
        await juliet.SendAsync($"<message to='{Room}' type='groupchat' id='m1'><body>Romeo?</body></message>");
        var push = await vendor.NextAsync();
        Assert.Equal("""{"host":"conference.localhost","count":1,"body":"New Message!"}""",
            browser.Read(push).GetRawText());
    }

    [Fact, Spec("XEP-0198", "3")]
    public async Task A_page_that_was_closed_is_told_what_waits_but_does_not_stay_for_days()
    {
        await using var vendor = await PushVendor.StartAsync(_authority);
        await using var server = await StartAsync(Loopback + """
            [modules.mod_ping]
            send_pings = false
            """);
        var browser = vendor.Browser();
        var romeo = await server.OnlineAsync("romeo", "browser");
        await ManagementTests.EnableAsync(romeo);
        await romeo.EnablePushAsync("localhost", "n", content: browser.Form);
        await romeo.DisposeAsync(); // the page is closed: nothing is said
        await ManagementTests.WaitingAsync(server, 1);
        await server.AdvanceAsync(TimeSpan.FromMinutes(9));
        var juliet = await server.LoginAsync("juliet", "balcony");
        await juliet.SendAsync(Chat("m1"));
        await juliet.DrainAsync();
        await server.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.Equal(1, browser.Read(await vendor.NextAsync()).GetProperty("count").GetInt32());
        Assert.NotNull(server.Services.Sessions.Find(Romeo));
        await server.AdvanceAsync(TimeSpan.FromMinutes(2));
        await Patience.Eventually(() => server.Services.Sessions.Find(Romeo) is null);
        await server.SettleAsync();
        Assert.Equal(0, vendor.Waiting); // once is enough
    }

    [Theory, Spec("RFC 8030", "7.3")]
    [InlineData(404)]
    [InlineData(410)]
    public async Task A_browser_that_has_unsubscribed_is_forgotten_at_once(int status)
    {
        await using var vendor = await PushVendor.StartAsync(_authority);
        await using var server = await StartAsync();
        var juliet = await AwayAsync(server, "", vendor.Browser($"/{status}/x"));
        await juliet.SendAsync(Chat("m1"));
        await vendor.NextAsync();
        await GoneAsync(server);
        Assert.Contains(server.Logs.Lines, line => line.Text.Contains("gone", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_service_that_never_answers_is_left_after_its_time_and_holds_up_nobody_else()
    {
        await using var slow = await PushVendor.StartAsync(_authority);
        await using var vendor = await PushVendor.StartAsync(_authority);
        await using var server = await StartAsync();
        var browser = vendor.Browser();
        var juliet = await AwayAsync(server, "", slow.Browser("/never/x"), browser);
        for (int i = 0; i < 6; i++)
        {
            await juliet.SendAsync(Chat($"m{i}"));
            browser.Read(await vendor.NextAsync());
        }
        // Four at a time for one browser; the others are told to come later.
        for (int i = 0; i < 4; i++) await slow.NextAsync();
        Assert.Equal(0, slow.Waiting);
        Assert.All(await RegisteredAsync(server), push => Assert.Equal(0, push.Errors));
        await server.AdvanceAsync(TimeSpan.FromSeconds(11));
        await Patience.Eventually(() => RegisteredAsync(server).GetAwaiter().GetResult()
            .Any(push => push is { Errors: 1, LastError: "remote-server-timeout" }));
        Assert.Matches("muster_web_push_total{outcome=\"timeout\"} [1-9]", server.Host.Metrics.ToPrometheus());
    }

    [Fact]
    public async Task Wrong_answers_are_errors_of_the_registration()
    {
        await using var vendor = await PushVendor.StartAsync(_authority);
        await using var server = await StartAsync();
        var juliet = await AwayAsync(server, "", vendor.Browser("/redirect/x"));
        await juliet.SendAsync(Chat("m1"));
        Assert.Equal("/redirect/x", (await vendor.NextAsync()).Path);
        await ErrorsAsync(server, 1, "not-acceptable");
        Assert.Equal(0, vendor.Waiting); // not followed

        // RFC 8292 §4.2: the key is not the one of the subscription.
        juliet = await AwayAsync(server, "", vendor.Browser("/403/x"));
        for (int i = 0; i < 3; i++)
        {
            await juliet.SendAsync(Chat($"m2{i}"));
            while ((await vendor.NextAsync()).Path != "/403/x") { }
        }
        await Patience.Eventually(() => RegisteredAsync(server).GetAwaiter().GetResult() is [var left]
            && left.Key.Node.Contains("redirect", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_service_that_asks_to_wait_is_asked_once_more_and_one_that_talks_without_end_is_cut_off()
    {
        await using var vendor = await PushVendor.StartAsync(_authority);
        await using var server = await StartAsync();
        var juliet = await AwayAsync(server, "", vendor.Browser("/429/x"), vendor.Browser("/endless/x"));
        await juliet.SendAsync(Chat("m1"));
        string[] paths = [(await vendor.NextAsync()).Path, (await vendor.NextAsync()).Path];
        Assert.Equal(["/429/x", "/endless/x"], paths.Order());
        await Patience.Eventually(() => RegisteredAsync(server).GetAwaiter().GetResult()
            .Any(push => push is { LastSuccessAt: not null, Errors: 0 }
                && push.Key.Node.EndsWith("endless/x", StringComparison.Ordinal)));
        await Patience.Eventually(() => server.Host.Metrics.ToPrometheus().Contains(
            "muster_push_answers_total{outcome=\"wait\"} 1", StringComparison.Ordinal));
        for (int i = 0; i < 62; i++) await server.AdvanceAsync(TimeSpan.FromSeconds(1));
        Assert.Equal("/429/x", (await vendor.NextAsync()).Path);
        Assert.All(await RegisteredAsync(server), push => Assert.Equal(0, push.Errors));
    }

    [Fact]
    public async Task No_browser_leads_the_server_into_its_own_network()
    {
        await using var vendor = await PushVendor.StartAsync(_authority);
        await using var server = await StartAsync("");
        var romeo = await server.LoginAsync("romeo", "browser");
        string port = new Uri(vendor.Origin).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        foreach (string host in (string[])["127.0.0.1", "[::1]", "169.254.169.254", "8.8.8.8", "2130706433", "0x7f.1"])
        {
            var refused = await romeo.EnablePushAsync(
                "localhost", "n", content: new PushBrowser($"https://{host}:{port}/201/x").Form);
            Assert.Equal("error", refused.Attribute("type"));
        }
        // A name is looked up only when it is needed.
        var juliet = await AwayAsync(server, "", vendor.Browser());
        await juliet.SendAsync(Chat("m1"));
        await ErrorsAsync(server, 1, "not-allowed");
        Assert.Equal(0, vendor.Waiting);
        Assert.Contains("muster_web_push_total{outcome=\"private\"} 1", server.Host.Metrics.ToPrometheus(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Push_services_can_be_limited_to_those_of_a_list()
    {
        await using var server = await StartAsync("""
            [modules.mod_web_push]
            web_push_hosts = ["push.example.net", "example.com"]
            """);
        var romeo = await server.LoginAsync("romeo", "browser");
        foreach (var (host, type) in ((string, string)[])[("push.example.net", "result"), ("eu.example.com", "result"),
            ("EXAMPLE.com", "result"), ("example.net", "error"), ("evilexample.com", "error"),
            ("example.com.example.org", "error")])
        {
            var answer = await romeo.EnablePushAsync(
                "localhost", "n", content: new PushBrowser($"https://{host}/x").Form);
            Assert.Equal((host, type), (host, answer.Attribute("type")));
        }
    }

    [Fact]
    public async Task What_is_no_subscription_is_refused_with_the_reason()
    {
        await using var server = await StartAsync();
        var romeo = await server.LoginAsync("romeo", "browser");
        var browser = new PushBrowser("https://push.example.net/x");
        foreach (var (form, reason) in ((string, string)[])[("", "endpoint"),
            (PushBrowser.FormOf("http://push.example.net/x", browser.Key, browser.Auth), "https"),
            (PushBrowser.FormOf(browser.Endpoint, "AAAA", browser.Auth), "p256dh"),
            (PushBrowser.FormOf(browser.Endpoint, browser.Key, "AAAA"), "auth")])
        {
            var answer = await romeo.EnablePushAsync("localhost", "n", content: form);
            var error = answer.Child("error")!;
            Assert.NotNull(error.Child("urn:ietf:params:xml:ns:xmpp-stanzas", "not-acceptable"));
            Assert.Contains(reason, error.Child("urn:ietf:params:xml:ns:xmpp-stanzas", "text")!.Text,
                StringComparison.Ordinal);
        }
        Assert.Empty(await RegisteredAsync(server));
    }

    [Fact]
    public async Task Nobody_but_this_server_and_its_rooms_can_have_it_call_somebody()
    {
        await using var vendor = await PushVendor.StartAsync(_authority);
        await using var server = await StartAsync();
        var romeo = await server.LoginAsync("romeo", "browser");
        var answer = await romeo.RequestAsync("set", "localhost", "<pubsub xmlns='http://jabber.org/protocol/pubsub'>" +
            "<publish node='n'><item><notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='form'>" +
            "<field var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>" +
            "<field var='message-count'><value>1</value></field></x></notification></item></publish>" +
            $"<publish-options>{vendor.Browser().Form}</publish-options></pubsub>");
        Assert.NotNull(answer.Child("error")!.Child("urn:ietf:params:xml:ns:xmpp-stanzas", "forbidden"));
        Assert.Equal(0, vendor.Waiting);
    }

    [Fact]
    public async Task The_key_outlives_a_restart_and_is_in_no_log()
    {
        var database = new MemoryDatabase();
        string key;
        await using (var server = await StartAsync(Loopback, database))
        {
            key = server.Services.WebPush!.PublicKey;
            string secret = Convert.ToBase64String(
                (await database.ServerKeys.GetOrAdd("web-push", default)).Span);
            Assert.DoesNotContain(server.Logs.Lines, line => line.Text.Contains(secret, StringComparison.Ordinal));
        }
        await using var again = await StartAsync(Loopback, database);
        Assert.Equal(key, again.Services.WebPush!.PublicKey);
    }

    [Fact]
    public async Task Off_means_off()
    {
        await using var server = await StartAsync("""
            [modules.mod_web_push]
            enabled = false
            """);
        var romeo = await server.LoginAsync("romeo", "browser");
        var answer = await romeo.EnablePushAsync("localhost", "n", content: new PushBrowser("https://x.example/").Form);
        Assert.NotNull(answer.Child("error")!.Child("urn:ietf:params:xml:ns:xmpp-stanzas", "service-unavailable"));
        var info = await romeo.RequestAsync(
            "get", "localhost", "<query xmlns='http://jabber.org/protocol/disco#info'/>");
        Assert.DoesNotContain("type='push'", info.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_page_of_the_chat_has_what_it_needs()
    {
        await using var bench = await SocketBench.StartAsync();
        using var http = new HttpClient { BaseAddress = bench.Http };
        var settings = await http.GetFromJsonAsync<JsonElement>("/chat/settings.json");
        Assert.Equal(bench.Host.Services.WebPush!.PublicKey, settings.GetProperty("push_key").GetString());
        foreach (var (file, type) in ((string, string)[])[("push.js", "text/javascript"),
            ("push-worker.js", "text/javascript"), ("app.webmanifest", "application/manifest+json")])
        {
            using var answer = await http.GetAsync($"/chat/{file}");
            Assert.Equal(type, answer.Content.Headers.ContentType!.MediaType);
            Assert.Contains("default-src 'self'", answer.Headers.GetValues("Content-Security-Policy").Single(),
                StringComparison.Ordinal);
        }
    }
}
