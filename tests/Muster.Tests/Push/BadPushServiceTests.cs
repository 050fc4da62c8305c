using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Muster.Testing;

namespace Muster.Tests.Push;

/// <summary>Push services that answer slowly, wrongly or never, and rooms with a crowd that is away (muc-push.md §4,
/// §6).</summary>
[Feature("CN-06")]
public sealed class BadPushServiceTests
{
    const string Listener = """
        [[listen.c2s]]
        port = 0
        tls.mode = "none"
        [modules.mod_ping]
        send_pings = false

        """;

    static readonly Jid Romeo = Jid.Parse("romeo@localhost");

    static async Task<(TestClient Juliet, PushApp App)> AwayAsync(TestServer server, params PushApp[] more)
    {
        var app = await PushApp.StartAsync(server);
        var romeo = await server.LoginAsync("romeo", "phone");
        foreach (var other in (PushApp[])[app, .. more]) await romeo.EnablePushAsync(other.Address);
        await romeo.CloseAsync();
        await Patience.Eventually(() => server.Services.Sessions.Find(romeo.Jid) is null);
        return (await server.LoginAsync("juliet", "balcony"), app);
    }

    static async Task WriteAsync(TestServer server, TestClient juliet, string id)
    {
        await juliet.SendAsync($"<message to='romeo@localhost' type='chat' id='{id}'><body>x</body></message>");
        await juliet.DrainAsync();
        await server.SettleAsync();
    }

    static async Task<StoredPush> StoredAsync(TestServer server) =>
        (await server.Services.Database.Pushes.Load("localhost", Romeo))[0];

    static async Task AnswerAsync(TestServer server, PushApp app, string xml)
    {
        await app.Connection.SendAsync(xml);
        await app.Connection.DrainAsync();
        await server.SettleAsync();
    }

    [Theory]
    [InlineData(28, 0)]
    [InlineData(32, 1)]
    public async Task A_slow_answer_counts_until_it_is_too_late(int seconds, int errors)
    {
        await using var server = await TestServer.StartAsync(Listener);
        var (juliet, app) = await AwayAsync(server);
        await WriteAsync(server, juliet, "m1");
        var push = await app.TakeAsync(error: "");
        await server.AdvanceAsync(TimeSpan.FromSeconds(seconds));
        await app.AnswerAsync(push);
        await app.Connection.DrainAsync();
        await server.SettleAsync();
        var stored = await StoredAsync(server);
        Assert.Equal((errors, errors == 0), (stored.Errors, stored.LastSuccessAt is not null));
        await WriteAsync(server, juliet, "m2");
        await app.TakeAsync();
    }

    [Fact]
    public async Task A_service_that_does_not_answer_holds_up_no_other_and_gets_no_more_than_it_was_asked()
    {
        await using var server = await TestServer.StartAsync(Listener);
        var good = await PushApp.StartAsync(server, "good");
        var (juliet, silent) = await AwayAsync(server, good);
        for (int i = 0; i < 55; i++)
        {
            await WriteAsync(server, juliet, $"m{i}");
            await good.TakeAsync();
        }
        Assert.Equal(50, (await silent.Connection.DrainAsync()).Count);
        await server.AdvanceAsync(TimeSpan.FromSeconds(32));
        Assert.Equal(5, (await silent.Connection.DrainAsync()).Count);
    }

    [Theory]
    [InlineData("<iq type='error' to='{from}' id='{id}'/>", 1)]
    [InlineData("<iq type='error' to='{from}' id='{id}'><error/></iq>", 1)]
    [InlineData("<iq type='error' to='{from}' id='{id}'><error type='cancel'><x xmlns='y'/></error></iq>", 1)]
    [InlineData("<iq type='result' to='{from}' id='{id}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>" +
        "<publish node='another'><item id='i'/></publish></pubsub></iq>", 0)]
    [InlineData("<iq type='result' to='{from}' id='{id}'><x xmlns='y'>words</x></iq>", 0)]
    public async Task What_a_service_answers_need_not_make_sense(string answer, int errors)
    {
        await using var server = await TestServer.StartAsync(Listener);
        var (juliet, app) = await AwayAsync(server);
        await WriteAsync(server, juliet, "m1");
        var push = await app.TakeAsync(error: "");
        answer = answer.Replace("{from}", push.From, StringComparison.Ordinal)
            .Replace("{id}", push.Id, StringComparison.Ordinal);
        await AnswerAsync(server, app, answer);
        await AnswerAsync(server, app, answer); // once more: nobody waits for it
        Assert.Equal((errors, errors == 0), ((await StoredAsync(server)).Errors,
            (await StoredAsync(server)).LastSuccessAt is not null));
        await WriteAsync(server, juliet, "m2");
        await app.TakeAsync();
    }

    [Fact]
    public async Task What_is_no_answer_to_the_push_counts_for_nothing()
    {
        await using var server = await TestServer.StartAsync(Listener);
        var (juliet, app) = await AwayAsync(server);
        await WriteAsync(server, juliet, "m1");
        var push = await app.TakeAsync(error: "");
        // A request and a message with its id; an answer to another id; one to another address of the server.
        await AnswerAsync(server, app, $"<iq type='get' to='{push.From}' id='{push.Id}'><x xmlns='y'/></iq>");
        await AnswerAsync(server, app, $"<message type='error' to='{push.From}' id='{push.Id}'/>");
        await AnswerAsync(server, app, $"<iq type='result' to='{push.From}' id='{push.Id}x'/>");
        await AnswerAsync(server, app, $"<iq type='result' to='conference.localhost' id='{push.Id}'/>");
        // The same account, but not the address that was registered.
        var other = await server.LoginAsync("app", "other");
        await other.SendAsync($"<iq type='error' to='{push.From}' id='{push.Id}'><error type='cancel'>" +
            "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
        await other.DrainAsync();
        await server.SettleAsync();
        var stored = await StoredAsync(server);
        Assert.Equal((0, null), (stored.Errors, stored.LastSuccessAt));
        await app.AnswerAsync(push);
        await app.Connection.DrainAsync();
        await server.SettleAsync();
        Assert.NotNull((await StoredAsync(server)).LastSuccessAt);
    }

    [Fact, Feature("CN-02")]
    public async Task A_crowd_of_absent_members_is_told_without_holding_up_the_room()
    {
        const int Members = 10_000, Registered = 1500;
        const string Service = "conference.localhost", Room = $"square@{Service}";
        await using var server = await TestServer.StartAsync(
            Listener + "[limits]\nroom_affiliations = 20000");
        var app = await PushApp.StartAsync(server);
        var now = server.Clock.GetUtcNow();
        for (int i = 0; i < Registered; i++)
        {
            var key = new PushKey(Service, Jid.Parse($"u{i}@localhost"), Jid.None, Jid.Parse(app.Address), $"n{i}");
            await server.Services.Database.Pushes.Enable(
                new StoredPush { Key = key, CreatedAt = now, UpdatedAt = now }, max: 5);
        }
        var juliet = await server.LoginAsync("juliet", "balcony");
        await juliet.CreateRoomAsync(Room, "Juliet");
        await juliet.ConfigureAsync(Room, ("muc#roomconfig_membersonly", "1"));
        foreach (int[] some in Enumerable.Range(0, Members).Chunk(200))
        {
            var answer = await juliet.RequestAsync("set", Room, "<query xmlns='http://jabber.org/protocol/muc#admin'>"
                + string.Concat(some.Select(i => $"<item jid='u{i}@localhost' affiliation='member'/>")) + "</query>");
            Assert.Null(answer.ErrorCondition());
        }
        await juliet.SayAsync(Room, "m1", "all of you");
        await juliet.ExpectEventuallyAsync(
            $"<message from='{Room}/Juliet' to='**' type='groupchat' id='m1'>...</message>");
        var told = new HashSet<string>();
        while (told.Count < Registered) Assert.True(told.Add((await app.TakeAsync()).Node));
        await app.NothingAsync();

        // Those who are mentioned are picked out of them; what was said a moment ago to the others waits.
        await juliet.SendAsync($"<message to='{Room}' type='groupchat' id='m2'><body>you</body>" +
            "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:u711@localhost'/></message>");
        await juliet.DrainAsync();
        await server.SettleAsync();
        Assert.Equal("n711", (await app.TakeAsync()).Node);
        await app.NothingAsync();
    }
}
