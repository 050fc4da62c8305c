using Muster.Server.Storage;
using Muster.Testing;

namespace Muster.Tests.Federation;

/// <summary>Sessions in rooms of another server, from the client's side: what it is told after the stream between the
/// servers broke, and what it never sees (Prosody's mod_track_muc_joins and mod_ping_muc).</summary>
[Spec("XEP-0410", "3.2")]
public sealed class PingMucTests : IAsyncLifetime
{
    const string User = "http://jabber.org/protocol/muc#user";
    const string Garden = "garden@rooms.test/Romeo";

    readonly PeerWorld _world = new();
    readonly List<TestServer> _servers = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var server in _servers) await server.DisposeAsync();
    }

    async Task<TestServer> ServeAsync(string config = "", Database? database = null, string? more = null)
    {
        var server = await _world.ServeAsync("verona.test", $"""
            [s2s]
              use_starttls = "optional"
            [modules.mod_s2s_keepalive]
              enabled = false
            [modules.mod_ping]
              send_pings = false
            {config}
            """, "tls.mode = 'none'", database, more);
        _servers.Add(server);
        return server;
    }

    static string Notice(string reason = "Connection to remote server lost", string to = "romeo@verona.test/test",
        string codes = "<status code='110'/><status code='330'/><status code='333'/>", string occupant = Garden) =>
        $"<presence type='unavailable' id='*' from='{occupant}' to='{to}'><x xmlns='{User}'>" +
        $"<item affiliation='none' role='none'><reason>{reason}</reason></item>{codes}</x></presence>";

    static TimeSpan Seconds(int count) => TimeSpan.FromSeconds(count);

    [Fact]
    [Feature("PM-01", "PM-02", "PM-04", "PM-06", "PM-08", "PM-09", "PM-10", "PM-11", "PM-12")]
    public async Task WhoHasDroppedOutIsToldAndMayEnterAgain()
    {
        var server = await ServeAsync();
        var romeo = await server.LoginAsync("romeo@verona.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        await rooms.CutAsync();
        await server.AdvanceAsync(Seconds(59));
        Assert.False(rooms.IsCalled);
        await server.AdvanceAsync(Seconds(2));
        await rooms.AcceptAsync();
        string id = await rooms.PingAsync(romeo.Jid);
        await rooms.AnswerAsync(id, romeo.Jid, "not-acceptable");
        await romeo.ExpectAsync(Notice());
        await romeo.ExpectNothingAsync();
        Assert.Contains("ping_muc_result_total{outcome=\"dropped\"} 1", server.Host.Metrics.ToPrometheus(),
            StringComparison.Ordinal);
        Assert.Contains("muc_joined_rooms 0", server.Host.Metrics.ToPrometheus(), StringComparison.Ordinal);

        // And it is looked after there again.
        await rooms.AdmitAsync(romeo, isNew: false);
        Assert.Contains("muc_joined_rooms 1", server.Host.Metrics.ToPrometheus(), StringComparison.Ordinal);
        await rooms.CutAsync();
        await server.AdvanceAsync(Seconds(61));
        await rooms.AcceptAsync();
        await rooms.AnswerAsync(await rooms.PingAsync(romeo.Jid), romeo.Jid, "forbidden", text: "You were banned");
        await romeo.ExpectAsync(Notice("You were banned"));
    }

    [Theory]
    [Feature("PM-05")]
    [InlineData(null)]
    [InlineData("feature-not-implemented")]
    [InlineData("service-unavailable")]
    public async Task WhoIsStillInsideHearsNothing(string? condition)
    {
        var server = await ServeAsync();
        var romeo = await server.LoginAsync("romeo@verona.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        await rooms.CutAsync();
        await server.AdvanceAsync(Seconds(61));
        await rooms.AcceptAsync();
        string id = await rooms.PingAsync(romeo.Jid);
        await rooms.AnswerAsync(id, romeo.Jid, condition);
        await rooms.AnswerAsync(id, romeo.Jid, "not-acceptable"); // once more, late and wrong: it is no client's
        await rooms.SendAsync($"<message type='groupchat' id='g' from='{Garden}' to='{romeo.Jid}'/>");
        await romeo.ExpectAsync($"<message type='groupchat' id='g' from='{Garden}' to='{romeo.Jid}'/>");
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    [Feature("PM-03")]
    public async Task OnlyRoomsThatASessionIsInAreAsked()
    {
        var server = await ServeAsync();
        var romeo = await server.LoginAsync("romeo@verona.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        await rooms.AdmitAsync(romeo, "hall@rooms.test/Romeo", isNew: false);
        // A private message is no stay, nor is presence that nobody confirms.
        await romeo.SendAsync("<message type='chat' to='cellar@rooms.test/Tybalt'><body>Villain</body></message>");
        await romeo.SendAsync("<presence to='attic@rooms.test/Romeo'/>");
        await rooms.ReceiveAsync("to='attic@rooms.test/Romeo'");
        await romeo.SendAsync("<presence type='unavailable' to='hall@rooms.test/Romeo'/>");
        await rooms.ReceiveAsync("to='hall@rooms.test/Romeo'");
        await rooms.SendAsync($"<presence type='unavailable' from='hall@rooms.test/Romeo' to='{romeo.Jid}'>" +
            $"<x xmlns='{User}'><item role='none'/><status code='110'/></x></presence>");
        await romeo.ExpectEventuallyAsync(
            "<presence type='unavailable' from='hall@rooms.test/Romeo' to='*'>...</presence>");
        await rooms.CutAsync();
        await server.AdvanceAsync(Seconds(75));
        await rooms.AcceptAsync();
        await rooms.AnswerAsync(await rooms.PingAsync(romeo.Jid), romeo.Jid);
        await server.AdvanceAsync(Seconds(30));
        await romeo.SendAsync("<message to='garden@rooms.test' type='groupchat' id='last'/>");
        await rooms.ReceiveAsync("id='last'");
        Assert.DoesNotContain("ping_muc_sent_total 2", server.Host.Metrics.ToPrometheus(), StringComparison.Ordinal);
    }

    [Fact]
    [Feature("PM-06", "PM-13")]
    public async Task TheDelayIsAnOption()
    {
        var server = await ServeAsync("""
            [modules.mod_track_muc_joins]
            [modules.mod_ping_muc]
              ping_muc_delay = 1
              ping_muc_status_codes = [110, 333]
            """);
        var romeo = await server.LoginAsync("romeo@verona.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        await rooms.CutAsync();
        await server.AdvanceAsync(Seconds(2));
        await rooms.AcceptAsync();
        await rooms.AnswerAsync(await rooms.PingAsync(romeo.Jid), romeo.Jid, "not-acceptable");
        await romeo.ExpectAsync(Notice(codes: "<status code='110'/><status code='333'/>"));
        var info = await romeo.AskAsync("<iq type='get' to='verona.test'>" +
            "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
        Assert.Contains("https://modules.prosody.im/mod_ping_muc", info.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    [Feature("PM-07", "PM-13")]
    public async Task ADomainCanDoWithoutIt()
    {
        var server = await ServeAsync("""
            [[host_config]]
              host = "padua.test"
              [host_config.modules.mod_track_muc_joins]
                enabled = false
              [host_config.modules.mod_ping_muc]
                enabled = false
            """, more: "padua.test");
        var romeo = await server.LoginAsync("romeo@verona.test");
        var kate = await server.LoginAsync("kate@padua.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(kate, "garden@rooms.test/Kate");
        await rooms.CutAsync();
        await rooms.AdmitAsync(romeo);
        await rooms.CutAsync();
        await server.AdvanceAsync(Seconds(70));
        await rooms.AcceptAsync();
        await rooms.AnswerAsync(await rooms.PingAsync(romeo.Jid), romeo.Jid, "not-acceptable");
        await romeo.ExpectAsync(Notice());
        await kate.ExpectNothingAsync();
        Assert.False(rooms.IsCalled);
        var info = await kate.AskAsync("<iq type='get' to='padua.test'>" +
            "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
        Assert.DoesNotContain("mod_ping_muc", info.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    [Feature("PM-04")]
    public async Task EachDeviceIsToldOfItsOwnStayAlone()
    {
        var server = await ServeAsync();
        var phone = await server.LoginAsync("romeo@verona.test", "phone");
        var desk = await server.LoginAsync("romeo@verona.test", "desk");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(phone);
        await rooms.AdmitAsync(desk, isNew: false);
        await rooms.CutAsync();
        await server.AdvanceAsync(Seconds(62));
        await rooms.AcceptAsync();
        // In the order in which the table has them.
        string[] ids = [await rooms.PingAsync(phone.Jid), await rooms.PingAsync(desk.Jid)];
        await rooms.AnswerAsync(ids[0], phone.Jid);
        await rooms.AnswerAsync(ids[1], desk.Jid, "not-acceptable");
        await desk.ExpectAsync(Notice(to: "romeo@verona.test/desk"));
        await phone.ExpectNothingAsync();
    }

    [Fact]
    public async Task AServerThatIsAwayIsWaitedForAndThenGivenUp()
    {
        var server = await ServeAsync("""
            [modules.mod_ping_muc]
              ping_muc_give_up = 10
            """);
        var romeo = await server.LoginAsync("romeo@verona.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        _world.Forget("rooms.test");
        await rooms.CutAsync();
        for (int minute = 0; minute < 10; minute++) await server.AdvanceAsync(TimeSpan.FromMinutes(1));
        await romeo.ExpectNothingAsync(); // no error of a ping either
        Assert.Contains("ping_muc_result_total{outcome=\"undecided\"}", server.Host.Metrics.ToPrometheus(),
            StringComparison.Ordinal);
        for (int minute = 0; minute < 2; minute++) await server.AdvanceAsync(TimeSpan.FromMinutes(1));
        await romeo.ExpectAsync(Notice("*"));
    }

    [Fact]
    public async Task AnswersOfAnotherServerCountForNothing()
    {
        var server = await ServeAsync();
        var romeo = await server.LoginAsync("romeo@verona.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        await rooms.CutAsync();
        await server.AdvanceAsync(Seconds(61));
        await rooms.AcceptAsync();
        string id = await rooms.PingAsync(romeo.Jid);
        var evil = await _world.ProveAsync(server, "evil.test", "verona.test");
        await evil.RunAsync($"> <iq type='error' id='{id}' from='garden@evil.test/Romeo' to='{romeo.Jid}'>" +
            "<error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
        await evil.RunAsync($"> <message id='seen' from='x@evil.test' to='{romeo.Jid}'/>");
        await romeo.ExpectAsync($"<message id='seen' from='x@evil.test' to='{romeo.Jid}'/>");
        await rooms.AnswerAsync(id, romeo.Jid);
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    public async Task ARoomThatTheSessionNeverAskedCannotPutItInside()
    {
        var server = await ServeAsync();
        var romeo = await server.LoginAsync("romeo@verona.test");
        var evil = await _world.ProveAsync(server, "evil.test", "verona.test");
        await evil.RunAsync($"> <presence from='trap@evil.test/Romeo' to='{romeo.Jid}'><x xmlns='{User}'>" +
            "<status code='110'/></x></presence>");
        await romeo.ExpectAsync("<presence from='trap@evil.test/Romeo' to='*'>...</presence>");
        Assert.Contains("muc_joined_rooms 0", server.Host.Metrics.ToPrometheus(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheNewNickIsAskedFor()
    {
        var server = await ServeAsync();
        var romeo = await server.LoginAsync("romeo@verona.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        await romeo.SendAsync("<presence to='garden@rooms.test/Montague'/>");
        await rooms.ReceiveAsync("to='garden@rooms.test/Montague'");
        await rooms.SendAsync($"<presence type='unavailable' from='{Garden}' to='{romeo.Jid}'><x xmlns='{User}'>" +
            "<item nick='Montague' role='none'/><status code='303'/><status code='110'/></x></presence>");
        await rooms.SendAsync($"<presence from='garden@rooms.test/Montague' to='{romeo.Jid}'><x xmlns='{User}'>" +
            "<status code='110'/></x></presence>");
        await romeo.ExpectEventuallyAsync("<presence from='garden@rooms.test/Montague' to='*'>...</presence>");
        await rooms.CutAsync();
        await server.AdvanceAsync(Seconds(61));
        await rooms.AcceptAsync();
        string id = await rooms.PingAsync(romeo.Jid, "garden@rooms.test/Montague");
        await rooms.AnswerAsync(id, romeo.Jid, "not-acceptable", "garden@rooms.test/Montague");
        await romeo.ExpectAsync(Notice(occupant: "garden@rooms.test/Montague"));
    }

    [Fact]
    public async Task ASilentRoomIsAskedThoughNoStreamEnded()
    {
        var server = await ServeAsync("""
            [modules.mod_ping_muc]
              ping_muc_silence = 5
            """);
        var romeo = await server.LoginAsync("romeo@verona.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        for (int minute = 0; minute < 6; minute++) await server.AdvanceAsync(TimeSpan.FromMinutes(1));
        await rooms.AnswerAsync(await rooms.PingAsync(romeo.Jid), romeo.Jid, "not-acceptable");
        await romeo.ExpectAsync(Notice());
    }

    static string Shown(string room, string nick) => $"<presence from='{room}/{nick}' to='romeo@verona.test/test'>" +
        $"<x xmlns='{User}'><item affiliation='none' role='participant'/></x></presence>";

    const string NoAnswer =
        "<presence type='error' from='hall@rooms.test/Romeo' to='romeo@verona.test/test' id='enter'>" +
        "<error type='wait' by='verona.test'>" +
        "<remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>" +
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>the room did not answer</text></error></presence>";

    [Fact]
    public async Task ARoomThatNeverAnswersIsLeftAndTheClientToldSo()
    {
        var server = await ServeAsync();
        var romeo = await server.LoginAsync("romeo@verona.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        await romeo.SendAsync("<presence to='hall@rooms.test/Romeo' id='enter'>" +
            "<x xmlns='http://jabber.org/protocol/muc'/></presence>");
        await rooms.ReceiveAsync("<presence to='hall@rooms.test/Romeo'*<x xmlns='http://jabber.org/protocol/muc'/>*");
        // Another occupant of that name is no answer: rooms of this domain say who is meant.
        await rooms.SendAsync(Shown("hall@rooms.test", "Romeo"));
        await romeo.ExpectAsync(Shown("hall@rooms.test", "Romeo"));
        await server.AdvanceAsync(Seconds(119));
        await romeo.ExpectNothingAsync();
        for (int i = 0; i < 12; i++) await server.AdvanceAsync(Seconds(1));
        await romeo.ExpectAsync(NoAnswer);
        await rooms.ReceiveAsync("<presence to='hall@rooms.test/Romeo' from='romeo@verona.test/test' " +
            "type='unavailable'*");
        await romeo.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WhoHasLeftIsToldSoOnceThoughTheRoomsWordIsLost(bool entersAgain)
    {
        var server = await ServeAsync();
        var romeo = await server.LoginAsync("romeo@verona.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        await romeo.SendAsync($"<presence type='unavailable' to='{Garden}'/>");
        await rooms.ReceiveAsync($"<presence to='{Garden}'*type='unavailable'*");
        if (entersAgain)
        {
            await romeo.SendAsync($"<presence to='{Garden}' id='enter'>" +
                "<x xmlns='http://jabber.org/protocol/muc'/></presence>");
            await rooms.ReceiveAsync("<x xmlns='http://jabber.org/protocol/muc'/>*");
        }
        await server.AdvanceAsync(Seconds(58));
        await romeo.ExpectNothingAsync();
        for (int i = 0; i < 12; i++) await server.AdvanceAsync(Seconds(1));
        // It may have seen an older word of the room after its own, that it is inside.
        await romeo.ExpectAsync(Notice(codes: "<status code='110'/>")
            .Replace("<reason>Connection to remote server lost</reason>", "", StringComparison.Ordinal)
            .Replace("role='none'></item>", "role='none'/>", StringComparison.Ordinal));
        await romeo.ExpectNothingAsync();
        Assert.Contains("muc_joined_rooms 0", server.Host.Metrics.ToPrometheus(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ARoomThatTakesTheSessionForAnOccupantIsToldOnceThatItIsNone(bool byMessage)
    {
        var server = await ServeAsync();
        var romeo = await server.LoginAsync("romeo@verona.test");
        var rooms = new ScriptedRooms(_world, server);
        await rooms.AdmitAsync(romeo);
        string stray = byMessage
            ? "<message type='groupchat' from='hall@rooms.test/Juliet' to='romeo@verona.test/test' id='m'>" +
                "<body>Romeo?</body></message>"
            : Shown("hall@rooms.test", "Juliet");
        await rooms.SendAsync(stray + stray);
        await rooms.ReceiveAsync("<presence to='hall@rooms.test/Juliet' from='romeo@verona.test/test' " +
            "type='unavailable'*");
        // Of the room that it is in, nothing of the kind.
        await rooms.SendAsync("<message type='groupchat' from='garden@rooms.test/Juliet' " +
            "to='romeo@verona.test/test' id='last'><body>here</body></message>");
        await romeo.ExpectEventuallyAsync("<message type='groupchat' from='garden@rooms.test/Juliet' " +
            "to='romeo@verona.test/test' id='last'>...</message>");
        Assert.DoesNotContain("unavailable", rooms.Rest, StringComparison.Ordinal);
    }
}
