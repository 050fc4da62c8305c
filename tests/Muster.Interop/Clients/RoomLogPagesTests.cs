using Microsoft.Playwright;
using Muster.Interop.Servers;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Interop.Clients;

/// <summary>Public logs of rooms as a visitor's browser shows them, written by the real server.</summary>
public sealed class RoomLogPagesTests
{
    const string Room = "garden@conference.localhost";
    const string Evil = "\"><img src=x onerror=alert(1)><script>alert(1)</script>";

    [RealPeerFact("chromium")]
    [Feature("ML-01", "ML-02", "ML-03", "ML-06", "ML-07", "ML-08", "ML-09", "ML-10")]
    public async Task AVisitorReadsThemInLightAndDarkAndNothingRuns()
    {
        await using var server = await ServerProcess.StartAsync("""
            [acl]
              admin = [{ user = "romeo" }]
            [modules.mod_muc_log]
            """, environment: [("TZ", "Asia/Kolkata")]);
        await TalkAsync(server);
        await server.StopAsync();
        string root = Path.Combine(server.Data, "www", "muc"); // the default
        string file = Assert.Single(Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories));
        Assert.Matches($"^{Room}/\\d{{4}}/\\d\\d/\\d\\d\\.html$", Path.GetRelativePath(root, file));

        using var playwright = await Playwright.CreateAsync();
        await using var browser = await ConversePerson.OpenBrowserAsync(playwright);
        var colours = new List<string>();
        foreach (var scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            var context = await browser.NewContextAsync(new()
            {
                ColorScheme = scheme, ViewportSize = new() { Width = 900, Height = 800 },
            });
            var page = await context.NewPageAsync();
            var surprises = new List<string>();
            page.Dialog += (_, dialog) => surprises.Add(dialog.Message);
            page.Request += (_, request) => surprises.Add(request.Url);
            page.Console += (_, message) => surprises.Add(message.Text);
            await page.GotoAsync(new Uri(file).ToString());
            // The page itself, and nothing that it would load or run.
            Assert.Equal([new Uri(file).ToString()], surprises);
            Assert.Equal(0, await page.Locator("script, img, iframe, object, form").CountAsync());
            Assert.Contains(Evil, await page.Locator(".l .t").First.InnerTextAsync(), StringComparison.Ordinal);
            Assert.Equal($"Garden {Evil}", await page.Locator("h1").InnerTextAsync());
            var link = page.Locator(".l .t a");
            Assert.Equal(("https://example.org/?a=1&b=2", "nofollow"),
                (await link.GetAttributeAsync("href"), await link.GetAttributeAsync("rel")));
            Assert.Equal("/", await page.Locator("nav.top a").GetAttributeAsync("href"));
            Assert.Equal("GMT+5:30", await page.InnerTextAsync(".zone"));
            // Without script the details open, and a line has an address of its own.
            await page.ClickAsync("details.rc summary");
            Assert.True(await page.Locator("details.rc dl").IsVisibleAsync());
            await page.ClickAsync("details.rc summary");
            await page.Locator(".l a.ts").Last.ClickAsync();
            Assert.Matches("#\\d\\d:\\d\\d:\\d\\d\\.\\d{6}$", page.Url);
            // Nothing reaches over the edge, whatever was written.
            Assert.True(await page.EvaluateAsync<bool>(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"));
            colours.Add(await page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor"));
            await page.ScreenshotAsync(new()
            {
                Path = Path.Combine(Repository.Artifacts, $"room-log-{scheme.ToString().ToLowerInvariant()}.png"),
                FullPage = true,
            });
            await page.SetViewportSizeAsync(380, 700);
            Assert.True(await page.EvaluateAsync<bool>(
                "document.documentElement.scrollWidth <= document.documentElement.clientWidth"));
        }
        Assert.Equal(2, colours.Distinct().Count());
    }

    static async Task TalkAsync(ServerProcess server)
    {
        await using var romeo = await SocketClient.LogInAsync(server, "romeo");
        await romeo.EnterAsync(Room, "Romeo");
        await romeo.ConfigureAsync(Room, ("muc#roomconfig_enablelogging", "1"),
            ("muc#roomconfig_roomname", System.Security.SecurityElement.Escape($"Garden {Evil}")));
        string[] lines = [Evil, "see https://example.org/?a=1&b=2", new('x', 400), "/me sighs", "two\nlines"];
        foreach (string line in lines)
        {
            await romeo.SayAsync(Room, "m", System.Security.SecurityElement.Escape(line));
            await romeo.UntilIdAsync("m");
        }
        await romeo.SendAsync($"<message to='{Room}' type='groupchat' id='s'>" +
            $"<subject>{System.Security.SecurityElement.Escape(Evil)}</subject></message>");
        await romeo.UntilIdAsync("s");
        await romeo.LeaveAsync(Room, "Romeo");
        // A leaving line is written before the answer to whatever comes after it.
        await romeo.RequestAsync("get", Room, $"<query xmlns='{Namespaces.DiscoInfo}'/>");
    }
}
