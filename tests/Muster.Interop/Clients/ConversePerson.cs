using Microsoft.Playwright;
using Muster.Interop.Servers;

namespace Muster.Interop.Clients;

/// <summary>A person with the web chat in a browser of their own: Converse, used by its buttons and forms.</summary>
sealed class ConversePerson
{
    static readonly string[] ChromiumArguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    readonly string _name;

    ConversePerson(IPage page, string name)
    {
        Page = page;
        _name = name;
    }

    /// <summary>What they see.</summary>
    public IPage Page { get; }

    /// <summary>Starts Chromium as Debian ships it.</summary>
    public static Task<IBrowser> OpenBrowserAsync(IPlaywright playwright) =>
        playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = ChromiumArguments });

    /// <summary>Opens the chat and logs in; the password is the name.</summary>
    public static async Task<ConversePerson> LogInAsync(IBrowser browser, ServerProcess server, string user,
        Func<IBrowserContext, Task>? prepare = null)
    {
        var context = await browser.NewContextAsync(new() { ViewportSize = new() { Width = 1100, Height = 720 } });
        if (prepare is not null) await prepare(context);
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(30_000);
        await page.GotoAsync(new Uri(server.Http, "/chat/").ToString());
        await page.FillAsync("input[name=jid]", $"{user}@localhost");
        await page.FillAsync("input[name=password]", user);
        await page.PressAsync("input[name=password]", "Enter");
        await page.WaitForSelectorAsync("converse-rooms-list");
        return new ConversePerson(page, user);
    }

    /// <summary>Loads the page again, as a person does when something is stuck.</summary>
    public async Task ReloadAsync()
    {
        await Page.ReloadAsync();
        await Page.WaitForSelectorAsync("converse-rooms-list");
    }

    /// <summary>Enters a room, or makes it.</summary>
    public async Task JoinAsync(string room = "garden@conference.localhost")
    {
        await OpenAsync(room);
        await Page.WaitForSelectorAsync("converse-muc textarea.chat-textarea");
    }

    /// <summary>Asks to enter: the menu of the group chats, "Add groupchat", the room's address.</summary>
    public async Task OpenAsync(string room)
    {
        await Page.ClickAsync("converse-rooms-list converse-dropdown button");
        await Page.ClickAsync(".show-add-muc-modal");
        await Page.FillAsync("converse-add-muc-modal input[name=chatroom]", room);
        await Page.PressAsync("converse-add-muc-modal input[name=chatroom]", "Enter");
    }

    /// <summary>Writes into the room.</summary>
    public async Task SayAsync(string text)
    {
        await Page.FillAsync("converse-muc textarea.chat-textarea", text);
        await Page.PressAsync("converse-muc textarea.chat-textarea", "Enter");
    }

    /// <summary>Waits until a message shows.</summary>
    public Task SeesAsync(string text) => ShowsAsync($"converse-muc .chat-msg__text:has-text(\"{text}\")");

    /// <summary>Waits until something shows.</summary>
    public Task ShowsAsync(string selector) => Page.WaitForSelectorAsync(selector);

    /// <summary>Chooses from the menu at the head of the room.</summary>
    public async Task ChooseAsync(string entry)
    {
        await Page.ClickAsync("converse-muc-heading converse-dropdown button");
        await Page.ClickAsync($"converse-muc-heading {entry}");
    }

    /// <summary>Keeps what they see, for a person to look at.</summary>
    public Task ShootAsync(string what) =>
        Page.ScreenshotAsync(new() { Path = Path.Combine(Repository.Artifacts, $"{what}-{_name}.png") });
}
