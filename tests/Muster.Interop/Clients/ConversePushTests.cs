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
            var worker = await WorkerAsync(juliet.Page);
            await juliet.Page.ClickAsync(Button);
            await juliet.ShowsAsync(On);
            await juliet.ShootAsync("push-on");

            // Another page of the same browser looks at what it shows. The chat itself is closed.
            var watch = await juliet.Page.Context.NewPageAsync();
            await watch.GotoAsync(new Uri(server.Http, "/chat/settings.json").ToString());
            await juliet.Page.GotoAsync("about:blank");
            await romeo.SendAsync(
                "<message to='juliet@localhost' type='chat' id='m1'><body>Wherefore?</body></message>");
            var push = await vendor.NextAsync();
            var told = keys.Read(push);
            Assert.Equal("Wherefore?", told.GetProperty("body").GetString());
            Assert.Equal(await KeyAsync(watch), VapidToken.Read(push.Headers["Authorization"]).Key);
            await worker.DeliverAsync(server.Http, told.GetRawText());
            string shown = await ShownAsync(watch);
            Assert.Equal("romeo@localhost: Wherefore?", shown);

            // Back on the page: it registers again by itself, and goes on.
            await juliet.Page.GotoAsync(new Uri(server.Http, "/chat/").ToString());
            await juliet.ShowsAsync(On);
            await juliet.Page.ClickAsync(Button);
            await juliet.ShowsAsync(Off);
            await juliet.Page.GotoAsync("about:blank");
            await romeo.SendAsync("<message to='juliet@localhost' type='chat' id='m2'><body>Gone?</body></message>");
            await Task.Delay(TimeSpan.FromSeconds(3));
            Assert.Equal(0, vendor.Waiting);
        }
        catch
        {
            await juliet.ShootAsync("push-failed");
            await File.WriteAllTextAsync(Path.Combine(Repository.Artifacts, "push-failed.log"), server.Output);
            throw;
        }
        Directory.Delete(folder, recursive: true);
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

    static async Task<string> KeyAsync(IPage page) =>
        (await page.EvaluateAsync<JsonElement>("fetch('/chat/settings.json').then(answer => answer.json())"))
            .GetProperty("push_key").GetString()!;

    static async Task<string> ShownAsync(IPage page) => await page.EvaluateAsync<string>("""
        (async () => {
          const worker = await navigator.serviceWorker.getRegistration('/chat/');
          for (let i = 0; i < 300; i++) {
            const [shown] = await worker.getNotifications();
            if (shown) return `${shown.title}: ${shown.body}`;
            await new Promise(done => setTimeout(done, 100));
          }
          return 'nothing';
        })()
        """);
}
