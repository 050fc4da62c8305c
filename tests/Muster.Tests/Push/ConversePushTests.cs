using Muster.Testing;

namespace Muster.Tests.Push;

/// <summary>What Converse does with <c>push_app_servers</c>, <c>enable_muc_push</c> and
/// <c>auto_register_muc_nickname</c>, request by request (muc-push.md §6).</summary>
[Feature("CN-10")]
public sealed class ConversePushTests
{
    const string Service = "conference.localhost", Room = $"garden@{Service}";

    static async Task<string[]> FeaturesAsync(TestClient client, string to)
    {
        var info = await client.RequestAsync("get", to, "<query xmlns='http://jabber.org/protocol/disco#info'/>");
        return [.. info.Child("http://jabber.org/protocol/disco#info", "query")!.Elements
            .Where(child => child.Name == "feature").Select(child => child.Attribute("var")!)];
    }

    static async Task EnableAsync(TestClient client, string app, string? to) => Assert.Equal("result",
        (await client.EnablePushAsync(app, "5ad5d2b1", to, PushScenes.Secret("eruio234vzxc2kla-91")))
            .Attribute("type"));

    [Fact]
    public async Task Its_app_servers_are_registered_with_the_account_and_with_each_service_that_is_entered()
    {
        await using var server = await TestServer.StartAsync();
        var app = await PushApp.StartAsync(server);
        var juliet = await server.LoginAsync("juliet", "balcony");
        await juliet.CreateRoomAsync(Room, "juliet");
        var romeo = await server.LoginAsync("romeo", "converse.js-1");

        // statusInitialized: the own account is asked, and told.
        Assert.Contains(PushScenes.Push, await FeaturesAsync(romeo, "romeo@localhost"));
        await EnableAsync(romeo, app.Address, null);

        // A room is opened: at once its service is asked and told, whether or not the room has let the user in.
        Assert.Contains(PushScenes.Push, await FeaturesAsync(romeo, Service));
        await EnableAsync(romeo, app.Address, Service);
        await romeo.EnterAsync(Room, "romeo");

        // Inside, the nick is registered: Converse asks for the form and wants no required field but the nick's.
        Assert.Contains("jabber:iq:register", await FeaturesAsync(romeo, Room));
        var form = await romeo.RequestAsync("get", Room, "<query xmlns='jabber:iq:register'/>");
        Assert.Equal(["muc#register_roomnick"], form.Child("jabber:iq:register", "query")!
            .Child("jabber:x:data", "x")!.Elements.Where(field => field.Child("required") is not null)
            .Select(field => field.Attribute("var")!));
        var done = await romeo.RequestAsync("set", Room, "<query xmlns='jabber:iq:register'>" +
            "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>" +
            "<value>http://jabber.org/protocol/muc#register</value></field>" +
            "<field var='muc#register_roomnick'><value>romeo</value></field></x></query>");
        Assert.Equal("result", done.Attribute("type"));

        // The page is closed; a mention of the registered nick goes to the app server, from the service.
        await romeo.CloseAsync();
        await Patience.Eventually(() => server.Services.Sessions.Find(romeo.Jid) is null);
        await juliet.SendAsync($"<message to='{Room}' type='groupchat' id='m1'><body>hey @romeo</body>" +
            "<reference xmlns='urn:xmpp:reference:0' type='mention' begin='4' end='10' uri='xmpp:romeo@localhost'/>" +
            "</message>");
        await juliet.DrainAsync();
        await server.SettleAsync();
        var push = await app.TakeAsync();
        Assert.Equal((Service, "5ad5d2b1", "eruio234vzxc2kla-91"), (push.From, push.Node, push.Options["secret"]));
        await app.NothingAsync();

        // With disable: true in its settings the next login takes both back.
        romeo = await server.LoginAsync("romeo", "converse.js-2");
        foreach (string? to in (string?[])[null, Service])
            Assert.Equal("result",
                (await romeo.DisablePushAsync(app.Address, "5ad5d2b1", to)).Attribute("type"));
        foreach (string host in (string[])["localhost", Service])
            Assert.Empty(await server.Services.Database.Pushes.Load(host, romeo.Jid.Bare));
    }
}
