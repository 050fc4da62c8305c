using Microsoft.Playwright;
using Muster.Interop.Clients;
using Muster.Interop.Servers;
using Muster.Testing;

namespace Muster.Interop.Push;

/// <summary>A push service of other people's making, attached as a component, with real clients that register
/// it.</summary>
public sealed class PushAppTests
{
    const string Room = "garden@conference.localhost", Service = "conference.localhost", App = "push.localhost";

    readonly int _port = ServerProcess.FreePort();

    Task<ServerProcess> ServeAsync() => ServerProcess.StartAsync($"""
        {PushAppProcess.Listener(_port)}
        [modules.mod_muc_cloud_notify]
          push_notification_with_body = true
          push_notification_with_sender = true
        """);

    [RealPeerFact("python3-slixmpp"), Feature("CN-01", "CN-02", "CN-11", "CN-12")]
    public async Task AClientOfSlixmppIsToldWhatItMissedAndReadsItInTheArchive()
    {
        await using var server = await ServeAsync();
        await using var app = await PushAppProcess.StartAsync(App, _port);
        await using var juliet = await Device.StartAsync("juliet@localhost/balcony", server.ClientPort);
        var romeo = await Device.StartAsync("romeo@localhost/phone", server.ClientPort);
        try
        {
            await juliet.DoAsync($"join {Room} Juliet", $"joined {Room}");
            await romeo.DoAsync($"join {Room} Romeo", $"joined {Room}");
            await romeo.DoAsync($"register {Room} Romeo", $"registered {Room} Romeo");
            foreach (string jid in (string[])[App, Service, "romeo@localhost"])
                await romeo.DoAsync($"supports {jid} {PushScenes.Push}", $"supports {jid} {PushScenes.Push} True");
            await romeo.DoAsync($"enable {App} phone s3cret {Service}", $"enabled {Service}");
            await juliet.DoAsync($"say {Room} m1", $"heard {Room} m1");
            await romeo.HearAsync($"heard {Room} m1");
            await romeo.DoAsync("quit", "done");
            await romeo.DisposeAsync();

            // He is away: words are for those who are there, his name is for him.
            await Task.Delay(6000); // what was said moments before he went would count as missed
            await juliet.DoAsync($"say {Room} m2", $"heard {Room} m2");
            await juliet.DoAsync($"mention {Room} m3 Romeo", $"heard {Room} m3");
            await Patience.Eventually(() => app.Pushes.Count > 0);
            Assert.Equal(new PrintedPush(Service, "phone", "1", $"{Room}/Juliet", "s3cret", "Romeo, look"),
                Assert.Single(app.Pushes));

            // He comes back, reads, and has enough of it.
            romeo = await Device.StartAsync("romeo@localhost/phone", server.ClientPort);
            await romeo.DoAsync($"join {Room} Romeo", $"joined {Room}");
            await romeo.DoAsync($"read {Room}", $"read {Room} m1 m2 m3");
            await romeo.DoAsync($"disable {App} phone {Service}", $"disabled {Service}");
            await romeo.DoAsync("quit", "done");
            await juliet.DoAsync($"mention {Room} m4 Romeo", $"heard {Room} m4");
            await juliet.DoAsync("quit", "done");
            Assert.Single(app.Pushes);
            Assert.DoesNotContain(romeo.Lines, line => line.StartsWith("error", StringComparison.Ordinal));
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\nRomeo:\n{string.Join('\n', romeo.Lines)}\n" +
                $"Juliet:\n{string.Join('\n', juliet.Lines)}\nthe server:\n{server.Output}", e);
        }
        finally
        {
            await romeo.DisposeAsync();
        }
    }

    [RealPeerFact("chromium", "converse.js", "python3-slixmpp"), Feature("CN-10")]
    public async Task ConverseRegistersItsPushServersWithTheServiceOfARoomAndItsNickWithTheRoom()
    {
        await using var server = await ServeAsync();
        await using var app = await PushAppProcess.StartAsync(App, _port);
        await using var juliet = await Device.StartAsync("juliet@localhost/balcony", server.ClientPort);
        await juliet.DoAsync($"join {Room} Juliet", $"joined {Room}");
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await ConversePerson.OpenBrowserAsync(playwright);
        var romeo = await ConversePerson.LogInAsync(browser, server, "romeo", UseSettingsAsync);
        try
        {
            await romeo.JoinAsync(Room);
            await romeo.SayAsync("I am here");
            await romeo.SeesAsync("I am here");
            // Converse registers at its own pace, and says nothing of it.
            for (int i = 0; !(await server.RunAsync("room", "affiliation", Room)).Output.Contains(
                "romeo@localhost", StringComparison.Ordinal); i++)
            {
                Assert.True(i < 30, "Converse has not registered its nick");
                await Task.Delay(500);
            }
            await Task.Delay(2000);
        }
        finally
        {
            await romeo.ShootAsync("push");
        }
        // He is sent out, and does not see what is said then.
        var kicked = await server.RunAsync("room", "kick", Room, "romeo");
        Assert.True(kicked.Exit == 0, kicked.Output);
        await juliet.DoAsync($"mention {Room} m1 romeo", $"heard {Room} m1");
        await Patience.Eventually(() => app.Pushes.Any(push => push.From == Service));
        Assert.Equal(
            new PrintedPush(Service, "5ad5d2b1", "1", $"{Room}/Juliet", "eruio234vzxc2kla-91", "romeo, look"),
            app.Pushes.Single(push => push.From == Service));
    }

    /// <summary>Gives the page's Converse the settings that the documentation of mod_muc_cloud_notify
    /// names.</summary>
    static Task UseSettingsAsync(IBrowserContext context) => context.RouteAsync("**/chat.js", async route =>
    {
        const string Start = ".initialize({", Settings = """

              push_app_servers: [{ jid: 'push.localhost', node: '5ad5d2b1', secret: 'eruio234vzxc2kla-91' }],
              enable_muc_push: true,
              auto_register_muc_nickname: true,
            """;
        var response = await route.FetchAsync();
        string script = await response.TextAsync();
        Assert.Contains(Start, script, StringComparison.Ordinal);
        await route.FulfillAsync(new()
        {
            Response = response,
            Body = script.Replace(Start, Start + Settings, StringComparison.Ordinal),
        });
    });
}
