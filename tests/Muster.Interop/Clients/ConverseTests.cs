using Microsoft.Playwright;
using Muster.Interop.Servers;
using Muster.Testing;

namespace Muster.Interop.Clients;

/// <summary>The web chat as two people use it: two browser pages with Converse, each with its own user.</summary>
public sealed class ConverseTests
{
    static readonly string[] ChromiumArguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    [RealPeerFact("chromium", "converse.js")]
    public async Task TwoPeopleSeeEachOthersMessagesInTheBrowser()
    {
        await using var server = await ServerProcess.StartAsync();
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(
            new() { ExecutablePath = "/usr/bin/chromium", Args = ChromiumArguments });
        var romeo = await LogInAsync(browser, server, "romeo");
        var juliet = await LogInAsync(browser, server, "juliet");
        try
        {
            await JoinAsync(romeo);
            await JoinAsync(juliet);
            await SayAsync(romeo, "But soft, what light through yonder window breaks?");
            await SeesAsync(juliet, "But soft, what light through yonder window breaks?");
            await SayAsync(juliet, "O Romeo, Romeo, wherefore art thou Romeo?");
            await SeesAsync(romeo, "O Romeo, Romeo, wherefore art thou Romeo?");
        }
        finally
        {
            await romeo.ScreenshotAsync(new() { Path = Path.Combine(Repository.Artifacts, "chat-romeo.png") });
            await juliet.ScreenshotAsync(new() { Path = Path.Combine(Repository.Artifacts, "chat-juliet.png") });
        }
    }

    [RealPeerFact("chromium", "converse.js")]
    public async Task WhatWasSaidBeforeComesFromTheArchive()
    {
        // No history on entering, so that what is seen can have come from the archive alone.
        await using var server = await ServerProcess.StartAsync("""
            [modules.mod_muc]
              history_size = 0
            """);
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(
            new() { ExecutablePath = "/usr/bin/chromium", Args = ChromiumArguments });
        var romeo = await LogInAsync(browser, server, "romeo");
        await JoinAsync(romeo);
        for (int i = 1; i <= 5; i++)
        {
            await SayAsync(romeo, $"Line number {i} of the balcony scene");
            await SeesAsync(romeo, $"Line number {i} of the balcony scene");
        }

        var juliet = await LogInAsync(browser, server, "juliet");
        try
        {
            await JoinAsync(juliet);
            for (int i = 1; i <= 5; i++) await SeesAsync(juliet, $"Line number {i} of the balcony scene");
            Assert.Equal(5, await juliet.Locator("converse-muc .chat-msg__text").CountAsync());
        }
        finally
        {
            await juliet.ScreenshotAsync(new() { Path = Path.Combine(Repository.Artifacts, "archive-juliet.png") });
        }
    }

    static async Task<IPage> LogInAsync(IBrowser browser, ServerProcess server, string user)
    {
        var context = await browser.NewContextAsync(new() { ViewportSize = new() { Width = 1100, Height = 720 } });
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(30_000);
        await page.GotoAsync(new Uri(server.Http, "/chat/").ToString());
        await page.FillAsync("input[name=jid]", $"{user}@localhost");
        await page.FillAsync("input[name=password]", user);
        await page.PressAsync("input[name=password]", "Enter");
        await page.WaitForSelectorAsync("converse-rooms-list");
        return page;
    }

    // As a person does: the menu of the group chats, "Add groupchat", the room's address.
    static async Task JoinAsync(IPage page)
    {
        await page.ClickAsync("converse-rooms-list converse-dropdown button");
        await page.ClickAsync(".show-add-muc-modal");
        await page.FillAsync("converse-add-muc-modal input[name=chatroom]", "garden@conference.localhost");
        await page.PressAsync("converse-add-muc-modal input[name=chatroom]", "Enter");
        await page.WaitForSelectorAsync("converse-muc textarea.chat-textarea");
    }

    static async Task SayAsync(IPage page, string text)
    {
        await page.FillAsync("converse-muc textarea.chat-textarea", text);
        await page.PressAsync("converse-muc textarea.chat-textarea", "Enter");
    }

    static async Task SeesAsync(IPage page, string text) =>
        await page.WaitForSelectorAsync($"converse-muc .chat-msg__text:has-text(\"{text}\")");
}
