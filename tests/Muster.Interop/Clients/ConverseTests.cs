using Microsoft.Playwright;
using Muster.Interop.Servers;
using Muster.Testing;

namespace Muster.Interop.Clients;

/// <summary>The web chat as two people use it: two browser pages with Converse, each with its own user.</summary>
public sealed class ConverseTests
{
    [RealPeerFact("chromium", "converse.js")]
    public async Task TwoPeopleSeeEachOthersMessagesInTheBrowser()
    {
        await using var server = await ServerProcess.StartAsync();
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await ConversePerson.OpenBrowserAsync(playwright);
        var romeo = await ConversePerson.LogInAsync(browser, server, "romeo");
        var juliet = await ConversePerson.LogInAsync(browser, server, "juliet");
        try
        {
            await romeo.JoinAsync();
            await juliet.JoinAsync();
            await romeo.SayAsync("But soft, what light through yonder window breaks?");
            await juliet.SeesAsync("But soft, what light through yonder window breaks?");
            await juliet.SayAsync("O Romeo, Romeo, wherefore art thou Romeo?");
            await romeo.SeesAsync("O Romeo, Romeo, wherefore art thou Romeo?");
        }
        finally
        {
            await romeo.ShootAsync("chat");
            await juliet.ShootAsync("chat");
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
        await using var browser = await ConversePerson.OpenBrowserAsync(playwright);
        var romeo = await ConversePerson.LogInAsync(browser, server, "romeo");
        await romeo.JoinAsync();
        for (int i = 1; i <= 5; i++)
        {
            await romeo.SayAsync($"Line number {i} of the balcony scene");
            await romeo.SeesAsync($"Line number {i} of the balcony scene");
        }

        var juliet = await ConversePerson.LogInAsync(browser, server, "juliet");
        try
        {
            await juliet.JoinAsync();
            for (int i = 1; i <= 5; i++) await juliet.SeesAsync($"Line number {i} of the balcony scene");
            Assert.Equal(5, await juliet.Page.Locator("converse-muc .chat-msg__text").CountAsync());
        }
        finally
        {
            await juliet.ShootAsync("archive");
        }
    }

    [RealPeerFact("chromium", "converse.js"), Feature("MU-01")]
    public async Task ARoomIsMadeConfiguredModeratedAndDestroyedByItsButtons()
    {
        const string Room = "orchard@conference.localhost";
        await using var server = await ServerProcess.StartAsync();
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await ConversePerson.OpenBrowserAsync(playwright);
        var romeo = await ConversePerson.LogInAsync(browser, server, "romeo");
        var juliet = await ConversePerson.LogInAsync(browser, server, "juliet");
        try
        {
            await romeo.JoinAsync(Room);
            await ConfigureAsync(romeo);
            await juliet.JoinAsync(Room);
            await juliet.SayAsync("O Romeo");
            await romeo.SeesAsync("O Romeo");
            await MuteAsync(romeo, "juliet");
            await juliet.ShowsAsync("converse-muc .muc-bottom-panel--muted");
            await juliet.ShootAsync("room-muted");

            await romeo.SayAsync("/kick juliet it is late");
            await juliet.ShowsAsync("converse-muc-disconnected:has-text(\"it is late\")");
            await juliet.ShootAsync("room-kicked");
            await juliet.ReloadAsync();
            await juliet.JoinAsync(Room);

            await DestroyAsync(romeo, Room);
            await romeo.Page.WaitForSelectorAsync("converse-muc", new() { State = WaitForSelectorState.Detached });
            // Converse shows the end of a room to who comes again; what tells of it at once it does not look at.
            await juliet.ReloadAsync();
            await juliet.OpenAsync(Room);
            await juliet.ShowsAsync("converse-muc-destroyed:has-text(\"the sun rises\")");
            await juliet.ShowsAsync("converse-muc-destroyed:has-text(\"garden@conference.localhost\")");
            await juliet.ShootAsync("room-destroyed");
        }
        catch
        {
            await romeo.ShootAsync("room-failed");
            await juliet.ShootAsync("room-failed");
            await File.WriteAllTextAsync(Path.Combine(Repository.Artifacts, "room-failed.log"), server.Output);
            throw;
        }
        var shown = await server.RunAsync("room", "show", Room);
        Assert.Equal((1, $"muster: there is no room {Room}\n"), shown);
    }

    [RealPeerFact("chromium", "converse.js")]
    public async Task WhoWasKickedLoadsThePageAgainAndEnters()
    {
        const string Room = "garden@conference.localhost";
        int rounds = int.TryParse(Environment.GetEnvironmentVariable("MUSTER_RELOADS"), out int wanted) ? wanted : 3;
        await using var server = await ServerProcess.StartAsync("[general]\n  loglevel = \"all\"");
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await ConversePerson.OpenBrowserAsync(playwright);
        await using var moderator = await SocketClient.LogInAsync(server, "romeo");
        await moderator.SendAsync(
            $"<presence to='{Room}/romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
        var juliet = await ConversePerson.LogInAsync(browser, server, "juliet");
        var console = new System.Collections.Concurrent.ConcurrentQueue<string>();
        juliet.Page.Console += (_, message) => console.Enqueue(message.Text);
        int round = 0;
        try
        {
            for (; round < rounds; round++)
            {
                await juliet.JoinAsync(Room);
                await juliet.SayAsync($"round {round}");
                await juliet.SeesAsync($"round {round}");
                await moderator.SendAsync($"<iq type='set' id='k{round}' to='{Room}'>" +
                    "<query xmlns='http://jabber.org/protocol/muc#admin'><item nick='juliet' role='none'>" +
                    $"<reason>kick {round}</reason></item></query></iq>");
                await juliet.ShowsAsync($"converse-muc-disconnected:has-text(\"kick {round}\")");
                await juliet.ReloadAsync();
            }
        }
        catch
        {
            await juliet.ShootAsync($"reload-failed-{round}");
            await File.WriteAllTextAsync(Path.Combine(Repository.Artifacts, "reload-failed.log"), server.Output);
            await File.WriteAllLinesAsync(Path.Combine(Repository.Artifacts, "reload-console.log"), console);
            throw;
        }
    }

    static async Task ConfigureAsync(ConversePerson owner)
    {
        await owner.ChooseAsync(".configure-chatroom-button");
        const string Form = "converse-muc-config-modal form";
        await owner.Page.FillAsync($"{Form} input[name='muc#roomconfig_roomname']", "Capulet's orchard");
        await owner.Page.CheckAsync($"{Form} input[name='muc#roomconfig_moderatedroom']");
        await owner.Page.CheckAsync($"{Form} input[name='muc#roomconfig_persistentroom']");
        await owner.ShootAsync("room-configure");
        await owner.Page.ClickAsync($"{Form} input[type=submit]");
        await owner.ShowsAsync("converse-muc-heading:has-text(\"Capulet's orchard\")");
        await owner.Page.WaitForSelectorAsync(Form, new() { State = WaitForSelectorState.Hidden });
    }

    // "Moderate": the list of participants, the wrench beside one of them, another role.
    static async Task MuteAsync(ConversePerson moderator, string nick)
    {
        const string Tools = "converse-modtools";
        await moderator.ChooseAsync(".moderate-chatroom-button");
        await moderator.Page.ClickAsync($"{Tools} #roles-tab");
        await moderator.Page.SelectOptionAsync($"{Tools} select.select-role", "participant");
        await moderator.Page.ClickAsync($"{Tools} input[name=users_with_role]");
        string line = $"{Tools} #roles-tabpanel li[data-nick='{nick}']";
        await moderator.Page.ClickAsync($"{line} a.toggle-form");
        await moderator.Page.SelectOptionAsync($"{line} converse-muc-role-form select.select-role", "visitor");
        await moderator.ShootAsync("room-moderate");
        await moderator.Page.ClickAsync($"{line} converse-muc-role-form button[type=submit]");
        await moderator.ShowsAsync($"{Tools} .alert:has-text(\"Role changed\")");
        await moderator.Page.ClickAsync("converse-modtools-modal .modal-footer button");
    }

    static async Task DestroyAsync(ConversePerson owner, string room)
    {
        await owner.ChooseAsync(".destroy-chatroom-button");
        const string Form = "form.confirm";
        await owner.Page.FillAsync($"{Form} input[name=challenge]", room);
        await owner.Page.FillAsync($"{Form} input[name=reason]", "the sun rises");
        await owner.Page.FillAsync($"{Form} input[name=newjid]", "garden@conference.localhost");
        await owner.ShootAsync("room-destroy");
        await owner.Page.ClickAsync($"{Form} button[type=submit]");
    }
}
