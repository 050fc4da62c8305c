using Muster.Server.Storage.Memory;
using Muster.Testing;
using static Muster.Tests.Sessions.ManagementTests;

namespace Muster.Tests.Push;

/// <summary>Pushes to devices whose session waits for them (muc-push.md §5 a to d; stream-management.md §8).</summary>
[Spec("XEP-0357", "9")]
public class SessionPushTests
{
    const string Listener = """
        [[listen.c2s]]
        port = 0
        tls.mode = "none"
        [modules.mod_ping]
        send_pings = false

        """;

    static string Chat(string id, string content = "<body>Wherefore?</body>") =>
        $"<message to='romeo@localhost/phone' type='chat' id='{id}'>{content}</message>";

    sealed record Scene(TestServer Server, TestClient Phone, TestClient Juliet, PushApp App, string Token)
    {
        public async Task SayAsync(string id, string content = "<body>Wherefore?</body>")
        {
            await Juliet.SendAsync(Chat(id, content));
            await Juliet.DrainAsync();
        }

        public async Task PassAsync(double seconds)
        {
            await Server.AdvanceAsync(TimeSpan.FromSeconds(seconds));
            await Server.SettleAsync();
        }

        public async Task BreakAsync()
        {
            await Phone.DisposeAsync();
            await WaitingAsync(Server, 1);
            await Server.SettleAsync();
        }
    }

    static async Task<Scene> BeginAsync(TestServer server)
    {
        var app = await PushApp.StartAsync(server);
        var phone = await server.OnlineAsync("romeo", "phone");
        string token = await EnableAsync(phone);
        await phone.EnablePushAsync(app.Address, "phone");
        await phone.SendAsync("<a xmlns='urn:xmpp:sm:3' h='1'/>");
        await phone.DrainAsync();
        return new Scene(server, phone, await server.LoginAsync("juliet", "balcony"), app, token);
    }

    [Fact, Feature("SM-10", "SM-19")]
    public async Task A_client_that_is_frozen_is_pushed_to_after_half_a_minute_and_not_again_when_it_is_given_up()
    {
        await using var server = await TestServer.StartAsync(Listener);
        var scene = await BeginAsync(server);
        await scene.SayAsync("m1");
        await scene.PassAsync(29);
        await scene.App.NothingAsync();
        await scene.PassAsync(2);
        Assert.Equal("phone", (await scene.App.TakeAsync()).Node);
        // What comes then is pushed within a second, gathered.
        await scene.SayAsync("m2");
        await scene.SayAsync("m3");
        await scene.PassAsync(1);
        Assert.Equal("2", (await scene.App.TakeAsync())["message-count"]);
        await scene.BreakAsync();
        await scene.PassAsync(5);
        await scene.App.NothingAsync();
    }

    [Fact, Feature("SM-11", "SM-12")]
    public async Task A_client_that_loses_its_connection_is_pushed_to_at_once_and_for_what_comes_then_once()
    {
        await using var server = await TestServer.StartAsync(Listener);
        var scene = await BeginAsync(server);
        await scene.SayAsync("m1");
        await scene.BreakAsync();
        await scene.App.TakeAsync();
        await scene.SayAsync("m2");
        await scene.App.NothingAsync();
        await scene.PassAsync(1);
        await scene.App.TakeAsync();
        await scene.SayAsync("c1", "<composing xmlns='http://jabber.org/protocol/chatstates'/>");
        await scene.PassAsync(1);
        var push = await scene.App.TakeAsync();
        Assert.Null(push["last-message-body"]);
        await scene.SayAsync("c2", "<paused xmlns='http://jabber.org/protocol/chatstates'/>");
        await scene.PassAsync(1);
        await scene.App.NothingAsync();
        // It never comes back: what waited goes to the offline store, and nobody is pushed to twice for it.
        await scene.PassAsync(700);
        await server.SettleAsync();
        await scene.App.NothingAsync();
    }

    [Fact, Feature("SM-12")]
    public async Task A_client_that_is_back_within_the_second_is_left_in_peace()
    {
        await using var server = await TestServer.StartAsync(Listener);
        var scene = await BeginAsync(server);
        await scene.BreakAsync();
        await scene.SayAsync("m1");
        var phone = await ConnectAsync(server, "romeo");
        await phone.SendAsync($"<resume xmlns='urn:xmpp:sm:3' h='1' previd='{scene.Token}'/>");
        await phone.ExpectEventuallyAsync(
            "<message from='juliet@localhost/balcony' to='*' id='m1' type='chat'>...</message>");
        await scene.PassAsync(5);
        await scene.App.NothingAsync();
        // The session is the device's still: no need to register again.
        await phone.DisposeAsync();
        await WaitingAsync(server, 1);
        await server.SettleAsync();
        await scene.App.TakeAsync(); // m1 was not acknowledged
    }

    [Fact, Feature("SM-11", "SM-15")]
    public async Task A_silent_device_keeps_its_session_for_days_and_ten_minutes_once_it_was_told()
    {
        await using var server = await TestServer.StartAsync(Listener);
        var scene = await BeginAsync(server);
        await scene.BreakAsync();
        await scene.PassAsync(71 * 3600);
        Assert.NotNull(server.Services.Sessions.FindSession(scene.Phone.Jid));
        await scene.App.NothingAsync();
        await scene.SayAsync("m1");
        await scene.PassAsync(1);
        await scene.App.TakeAsync();
        await scene.PassAsync(590);
        Assert.NotNull(server.Services.Sessions.FindSession(scene.Phone.Jid));
        await scene.PassAsync(15);
        await Patience.Eventually(() => server.Services.Sessions.FindSession(scene.Phone.Jid) is null);
    }

    [Fact, Feature("SM-11")]
    public async Task Shortly_before_the_end_of_its_long_wait_a_device_is_woken_to_come_back()
    {
        await using var server = await TestServer.StartAsync(Listener);
        var scene = await BeginAsync(server);
        await scene.BreakAsync();
        for (int hour = 0; hour < 71; hour++) await scene.PassAsync(3600);
        await scene.App.NothingAsync();
        for (int minute = 0; minute < 52; minute++) await scene.PassAsync(60);
        var push = await scene.App.TakeAsync();
        Assert.Null(push["message-count"]);
        Assert.Null(push["last-message-body"]);
    }

    [Fact, Feature("SM-11")]
    public async Task When_the_registration_goes_the_long_wait_goes_with_it()
    {
        await using var server = await TestServer.StartAsync(Listener);
        var scene = await BeginAsync(server);
        var laptop = await server.LoginAsync("romeo", "laptop");
        await scene.BreakAsync();
        await laptop.DisablePushAsync(scene.App.Address);
        await scene.PassAsync(601);
        await Patience.Eventually(() => server.Services.Sessions.FindSession(scene.Phone.Jid) is null);
    }

    [Fact, Feature("SM-11")]
    public async Task A_session_and_its_device_belong_together_after_a_restart_too()
    {
        var database = new MemoryDatabase();
        var server = await TestServer.StartAsync(Listener, database);
        var scene = await BeginAsync(server);
        await scene.SayAsync("m1");
        await scene.BreakAsync();
        await scene.App.TakeAsync();
        await scene.App.Connection.DrainAsync();
        await server.SettleAsync();
        var clock = server.Clock;
        await server.DisposeAsync();
        clock.Advance(TimeSpan.FromSeconds(5));
        await using var second = await TestServer.StartAsync(Listener, database, clock: clock);
        var app = await PushApp.StartAsync(second);
        await second.SettleAsync();
        await app.NothingAsync(); // m1 was pushed before
        var juliet = await second.LoginAsync("juliet", "balcony");
        await juliet.SendAsync(Chat("m2"));
        await juliet.DrainAsync();
        await second.AdvanceAsync(TimeSpan.FromSeconds(1));
        Assert.Equal("phone", (await app.TakeAsync()).Node);
    }
}
