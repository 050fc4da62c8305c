using Muster.Testing;

namespace Muster.Tests.Federation;

/// <summary>A client that is brought back into a room of another server by its own server: it sees only what it
/// missed.</summary>
public sealed class AutoRejoinTests : IAsyncLifetime
{
    const string User = "http://jabber.org/protocol/muc#user";
    const string Room = "garden@rooms.test", Own = $"{Room}/Romeo", Romeo = "romeo@verona.test/test";

    readonly PeerWorld _world = new();
    TestServer _server = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => _server.DisposeAsync().AsTask();

    async Task<(TestClient Client, ScriptedRooms Rooms)> StartAsync(string option)
    {
        _server = await _world.ServeAsync("verona.test", $"""
            [s2s]
              use_starttls = "optional"
            [modules.mod_s2s_keepalive]
              enabled = false
            [modules.mod_ping]
              send_pings = false
            [modules.mod_ping_muc]
              {option}
            """);
        return (await _server.LoginAsync("romeo@verona.test"), new ScriptedRooms(_world, _server));
    }

    const string Subject =
        $"<message type='groupchat' from='{Room}' to='{Romeo}'><subject>Love</subject></message>";

    static string Shown(string nick) => $"<presence from='{Room}/{nick}' to='{Romeo}'><x xmlns='{User}'>" +
        "<item affiliation='none' role='participant'/></x></presence>";

    static string Said(string id, bool isOld) =>
        $"<message type='groupchat' from='{Room}/Juliet' to='{Romeo}' id='{id}'><body>x</body>" +
        $"{(isOld ? "<delay xmlns='urn:xmpp:delay' stamp='2030-01-01T11:00:00Z'/>" : "")}</message>";

    /// <summary>The room forgets Romeo, the server notices.</summary>
    async Task LoseAsync(TestClient romeo, ScriptedRooms rooms)
    {
        await rooms.CutAsync();
        await _server.AdvanceAsync(TimeSpan.FromSeconds(61));
        await rooms.AcceptAsync();
        await rooms.AnswerAsync(await rooms.PingAsync(romeo.Jid), romeo.Jid, "not-acceptable");
    }

    [Fact]
    public async Task TheClientGetsWhatItMissedAndNothingElse()
    {
        var (romeo, rooms) = await StartAsync("ping_muc_autorejoin = true");
        await rooms.AdmitAsync(romeo);
        await rooms.SendAsync(Shown("Juliet") + Shown("Tybalt") + Said("m1", isOld: false));
        for (int i = 0; i < 3; i++) await romeo.ReceiveAsync();
        await LoseAsync(romeo, rooms);
        await rooms.ReceiveAsync($"<presence to='{Own}' from='{Romeo}'*<history since='*</presence>");
        await rooms.SendAsync(Shown("Juliet") + Shown("Nurse"));
        await rooms.SendAsync($"<presence from='{Own}' to='{Romeo}'><x xmlns='{User}'><item role='participant'/>" +
            "<status code='110'/></x></presence>");
        await rooms.SendAsync(Said("m1", isOld: true) + Said("m2", isOld: true));
        await rooms.SendAsync(Subject);
        await romeo.ExpectAsync($"<presence from='{Room}/Nurse' to='{Romeo}'>...</presence>");
        await romeo.ExpectAsync($"<presence type='unavailable' from='{Room}/Tybalt' to='{Romeo}'>...</presence>");
        await romeo.ExpectAsync($"<message type='groupchat' from='{Room}/Juliet' to='{Romeo}' id='m2'>...</message>");
        await romeo.ExpectAsync(Subject);
        await romeo.ExpectNothingAsync();
        Assert.Contains("ping_muc_rejoins_total{outcome=\"done\"} 1", _server.Host.Metrics.ToPrometheus(),
            StringComparison.Ordinal);
        // And it is looked after there as before.
        await LoseAsync(romeo, rooms);
        await rooms.ReceiveAsync($"<presence to='{Own}' from='{Romeo}'*<history since='*</presence>");
    }

    [Fact]
    public async Task WhereItFailsTheClientIsTold()
    {
        var (romeo, rooms) = await StartAsync("ping_muc_autorejoin = true");
        await rooms.AdmitAsync(romeo);
        await LoseAsync(romeo, rooms);
        await rooms.ReceiveAsync($"to='{Own}'*<history since='*</presence>");
        await rooms.SendAsync($"<presence type='error' from='{Own}' to='{Romeo}'><error type='auth'>" +
            "<registration-required xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>");
        await romeo.ExpectAsync($"<presence type='unavailable' id='*' from='{Own}' to='{Romeo}'><x xmlns='{User}'>" +
            "<item affiliation='none' role='none'><reason>registration-required</reason></item>" +
            "<status code='110'/><status code='330'/><status code='333'/></x></presence>");
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    public async Task AUserMayChooseOtherwise()
    {
        var (romeo, rooms) = await StartAsync("");
        async Task ChooseAsync(string value) => Assert.Equal("result", (await romeo.AskAsync(
            "<iq type='set' to='verona.test'><command xmlns='http://jabber.org/protocol/commands' " +
            "node='urn:muster:rooms#autorejoin'><x xmlns='jabber:x:data' type='submit'><field var='autorejoin'>" +
            $"<value>{value}</value></field></x></command></iq>")).Attribute("type"));
        var form = await romeo.AskAsync("<iq type='set' to='verona.test'>" +
            "<command xmlns='http://jabber.org/protocol/commands' node='urn:muster:rooms#autorejoin'/></iq>");
        Assert.Contains("autorejoin", form.ToString(), StringComparison.Ordinal);
        await ChooseAsync("1");
        await rooms.AdmitAsync(romeo);
        await LoseAsync(romeo, rooms);
        await rooms.ReceiveAsync($"to='{Own}'*<history since='*</presence>");
        await rooms.SendAsync($"<presence from='{Own}' to='{Romeo}'><x xmlns='{User}'><item role='participant'/>" +
            "<status code='110'/></x></presence>");
        await ChooseAsync("0");
        await LoseAsync(romeo, rooms);
        await romeo.ExpectAsync($"<presence type='unavailable' id='*' from='{Own}' to='{Romeo}'>...</presence>");
    }
}
