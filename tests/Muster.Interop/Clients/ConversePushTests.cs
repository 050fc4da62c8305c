using System.Text.Json;
using Microsoft.Playwright;
using Muster.Interop.Servers;
using Muster.Testing;

namespace Muster.Interop.Clients;

/// <summary>Notifications of the web chat while its page is closed, in Chromium: the button, the registration, the push
/// at the vendor's service, and what the service worker shows. The vendor alone is the test's: Chromium itself would
/// subscribe at its maker's, and get the push from there.</summary>
public sealed class ConversePushTests
{
    const string Button = "#muster-push button", On = "#muster-push[data-state=on]",
        Off = "#muster-push[data-state=off]";

    [RealPeerFact("chromium", "converse.js")]
    public async Task WhoClosesThePageIsNotifiedByTheBrowser()
    {
        string folder = Directory.CreateTempSubdirectory("muster-vendor-").FullName;
        using var authority = new TestAuthority(folder);
        await using var vendor = await PushVendor.StartAsync(authority);
        await using var server = await ServerProcess.StartAsync("""
            [modules.mod_web_push]
              web_push_private_hosts = ["localhost"]
            [modules.mod_muc_cloud_notify]
              push_notification_with_sender = true
            [modules.mod_cloud_notify]
              push_notification_with_body = true
              push_notification_with_sender = true
            """, environment: ("SSL_CERT_FILE", authority.RootFile));
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await ConversePerson.OpenBrowserAsync(playwright);
        var keys = vendor.Browser();
        var juliet = await ConversePerson.LogInAsync(browser, server, "juliet", context => PrepareAsync(context, keys));
        await using var romeo = await SocketClient.LogInAsync(server, "romeo");
        try
        {
            await juliet.ShowsAsync(Off);
            Assert.Equal("Notify me when this page is closed", (await juliet.Page.TextContentAsync(Button))!.Trim());
            // Below the lists, beside the rooms: nothing lies over what one writes into.
            await juliet.JoinAsync();
            var box = (await juliet.Page.Locator(Button).BoundingBoxAsync())!;
            Assert.InRange(box.X + box.Width, 100, 300);
            Assert.InRange(box.Y, 600, 720);
            await juliet.ShootAsync("push-off");
            await IsAppAsync(juliet.Page);
            var worker = await WorkerAsync(juliet.Page);
            await juliet.Page.ClickAsync(Button);
            await juliet.ShowsAsync(On);
            await juliet.ShootAsync("push-on");

            var scene = new Scene(server, juliet, romeo, vendor, keys);
            await RoomTellsAsync(scene);
            await ClosedAsync(scene, worker);
            await TurnedOffAsync(scene);
            await LoggedOutAsync(scene);
        }
        catch
        {
            await juliet.ShootAsync("push-failed");
            await File.WriteAllTextAsync(Path.Combine(Repository.Artifacts, "push-failed.log"), server.Output);
            throw;
        }
        Directory.Delete(folder, recursive: true);
    }

    [RealPeerFact("chromium", "converse.js")]
    public async Task WhereTheBrowserShowsNoneThePageSaysSo()
    {
        await using var server = await ServerProcess.StartAsync();
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await ConversePerson.OpenBrowserAsync(playwright);
        // What is not granted then is refused.
        var juliet = await ConversePerson.LogInAsync(
            browser, server, "juliet", context => context.GrantPermissionsAsync(["geolocation"]));
        await juliet.ShowsAsync("#muster-push[data-state=denied]");
        Assert.False(await juliet.Page.IsVisibleAsync(Button));
        Assert.Contains("This browser is set to show no notifications",
            await juliet.Page.TextContentAsync("#muster-push"), StringComparison.Ordinal);
        await juliet.Page.SetViewportSizeAsync(400, 700);
        await juliet.ShootAsync("push-denied");
    }

    sealed record Scene(
        ServerProcess Server, ConversePerson Juliet, TestClient Romeo, PushVendor Vendor, PushBrowser Keys)
    {
        public IPage Page => Juliet.Page;

        public Task OpenAsync() => Page.GotoAsync(new Uri(Server.Http, "/chat/").ToString());

        public Task CloseAsync() => Page.GotoAsync("about:blank");

        public Task WriteAsync(string text) => Romeo.SendAsync(
            $"<message to='juliet@localhost' type='chat' id='{text.Length}'><body>{text}</body></message>");

        public async Task NothingAsync()
        {
            await Task.Delay(TimeSpan.FromSeconds(3));
            Assert.Equal(0, Vendor.Waiting);
        }
    }

    /// <summary>The room service tells of a mention in a room that one has left.</summary>
    static async Task RoomTellsAsync(Scene scene)
    {
        const string Room = "garden@conference.localhost";
        await scene.Juliet.ChooseAsync(".close-chatbox-button");
        await scene.Page.ClickAsync("form.confirm button[type=submit]");
        await scene.Page.WaitForSelectorAsync("converse-muc", new() { State = WaitForSelectorState.Detached });
        await scene.Romeo.SendAsync(
            $"<presence to='{Room}/romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
        await scene.Romeo.SendAsync($"<message to='{Room}' type='groupchat' id='r1'><body>juliet?</body>" +
            "<reference xmlns='urn:xmpp:reference:0' type='mention' begin='0' end='6' uri='xmpp:juliet@localhost'/>" +
            "</message>");
        var told = scene.Keys.Read(await scene.Vendor.NextAsync());
        Assert.Equal(("conference.localhost", $"{Room}/romeo"),
            (told.GetProperty("host").GetString(), told.GetProperty("sender").GetString()));
    }

    /// <summary>The page is closed, a message comes, the browser shows it. Another page of the same browser
    /// looks.</summary>
    static async Task ClosedAsync(Scene scene, Worker worker)
    {
        var watch = await scene.Page.Context.NewPageAsync();
        await watch.GotoAsync(new Uri(scene.Server.Http, "/chat/settings.json").ToString());
        await scene.CloseAsync();
        await scene.WriteAsync("Wherefore?");
        var push = await scene.Vendor.NextAsync();
        var told = scene.Keys.Read(push);
        Assert.Equal("Wherefore?", told.GetProperty("body").GetString());
        Assert.Equal(await KeyAsync(watch), VapidToken.Read(push.Headers["Authorization"]).Key);
        var still = await worker.FromAsync(watch);
        string shown = "";
        // A browser under load drops what comes while it stops or starts the worker, and does not say so.
        for (int tries = 0; tries < 6 && shown.Length == 0; tries++)
        {
            await still.DeliverAsync(scene.Server.Http, told.GetRawText());
            shown = await ShownAsync(watch);
        }
        Assert.Equal("romeo@localhost: Wherefore?", shown);
    }

    /// <summary>Back on the page: it has registered again by itself. Then they are turned off.</summary>
    static async Task TurnedOffAsync(Scene scene)
    {
        await scene.OpenAsync();
        await scene.Juliet.ShowsAsync(On);
        await scene.Page.ClickAsync(Button);
        await scene.Juliet.ShowsAsync(Off);
        await scene.CloseAsync();
        await scene.WriteAsync("Are you there?");
        await scene.NothingAsync();
    }

    /// <summary>Whoever logs out leaves nothing behind.</summary>
    static async Task LoggedOutAsync(Scene scene)
    {
        await scene.OpenAsync();
        await scene.Page.ClickAsync(Button);
        await scene.Juliet.ShowsAsync(On);
        await scene.Page.ClickAsync("converse-user-profile .show-profile");
        await scene.Page.ClickAsync("converse-profile-modal .modal-footer .btn-danger");
        await scene.Page.ClickAsync("form.confirm button[type=submit]");
        await scene.Juliet.ShowsAsync("input[name=password]");
        Assert.Equal(0, await scene.Page.Locator(Button).CountAsync());
        Assert.Null(await scene.Page.EvaluateAsync<string?>("localStorage.getItem('subscribed')"));
        await scene.WriteAsync("Where are you?");
        await scene.NothingAsync();
    }

    /// <summary>Permission to notify, and a vendor of our own.</summary>
    static async Task PrepareAsync(IBrowserContext context, PushBrowser keys)
    {
        await context.GrantPermissionsAsync(["notifications"]);
        await context.AddInitScriptAsync($$"""
            const subscription = {
              endpoint: '{{keys.Endpoint}}',
              toJSON: () => ({
                endpoint: '{{keys.Endpoint}}', keys: { p256dh: '{{keys.Key}}', auth: '{{keys.Auth}}' },
              }),
              unsubscribe: async () => localStorage.removeItem('subscribed'),
            };
            PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
              if (!userVisibleOnly || applicationServerKey.length !== 65) throw new Error('refused');
              localStorage.setItem('subscribed', 'yes');
              return subscription;
            };
            PushManager.prototype.getSubscription =
              async () => localStorage.getItem('subscribed') ? subscription : null;
            """);
    }

    sealed record Worker(ICDPSession Session, string Registration)
    {
        /// <summary>The same worker, spoken to by a page that stays.</summary>
        public async Task<Worker> FromAsync(IPage page)
        {
            var session = await page.Context.NewCDPSessionAsync(page);
            await session.SendAsync("ServiceWorker.enable");
            return this with { Session = session };
        }

        public Task DeliverAsync(Uri origin, string data) => Session.SendAsync("ServiceWorker.deliverPushMessage", new()
        {
            ["origin"] = origin.GetLeftPart(UriPartial.Authority),
            ["registrationId"] = Registration,
            ["data"] = data,
        });
    }

    /// <summary>The service worker of the page, once it is registered.</summary>
    static async Task<Worker> WorkerAsync(IPage page)
    {
        var session = await page.Context.NewCDPSessionAsync(page);
        var registration = new TaskCompletionSource<string>();
        session.Event("ServiceWorker.workerRegistrationUpdated").OnEvent += (_, update) =>
        {
            foreach (var found in update!.Value.GetProperty("registrations").EnumerateArray())
                registration.TrySetResult(found.GetProperty("registrationId").GetString()!);
        };
        await session.SendAsync("ServiceWorker.enable");
        return new Worker(session, await registration.Task.WaitAsync(TimeSpan.FromSeconds(30)));
    }

    /// <summary>Where pages must be among the apps to notify, this one can be.</summary>
    static async Task IsAppAsync(IPage page)
    {
        var session = await page.Context.NewCDPSessionAsync(page);
        var manifest = (await session.SendAsync("Page.getAppManifest"))!.Value;
        Assert.EndsWith("/chat/app.webmanifest", manifest.GetProperty("url").GetString(), StringComparison.Ordinal);
        Assert.Empty(manifest.GetProperty("errors").EnumerateArray());
        Assert.Contains("\"standalone\"", manifest.GetProperty("data").GetString(), StringComparison.Ordinal);
    }

    static async Task<string> KeyAsync(IPage page) =>
        (await page.EvaluateAsync<JsonElement>("fetch('/chat/settings.json').then(answer => answer.json())"))
            .GetProperty("push_key").GetString()!;

    static async Task<string> ShownAsync(IPage page) => await page.EvaluateAsync<string>("""
        (async () => {
          const worker = await navigator.serviceWorker.getRegistration('/chat/');
          for (let i = 0; i < 80; i++) {
            const [shown] = await worker.getNotifications();
            if (shown) return `${shown.title}: ${shown.body}`;
            await new Promise(done => setTimeout(done, 100));
          }
          return '';
        })()
        """);
}
