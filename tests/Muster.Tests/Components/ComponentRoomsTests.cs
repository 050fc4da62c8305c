using System.Text.RegularExpressions;
using Muster.Testing;

namespace Muster.Tests.Components;

/// <summary>Rooms of a component: a gateway to another network, perhaps. It is another program, which forgets who is
/// inside when it is restarted, and its users are looked after as in rooms of other servers
/// (muc-presence-reliability.md §10).</summary>
[Spec("XEP-0410", "3.2")]
public sealed partial class ComponentRoomsTests
{
    const string User = "http://jabber.org/protocol/muc#user";
    const string Occupant = "#verona@irc.localhost/Romeo", Romeo = "romeo@localhost/test";
    const string Domain = "irc.localhost";
    const string Notice = $"<presence type='unavailable' id='*' from='{Occupant}' to='{Romeo}'><x xmlns='{User}'>" +
        "<item affiliation='none' role='none'><reason>*</reason></item>" +
        "<status code='110'/><status code='330'/><status code='333'/></x></presence>";

    static Task<TestServer> StartAsync() => TestServer.StartAsync(ComponentBench.Config + """

        [modules.mod_ping]
          send_pings = false
        """);

    static async Task EnterAsync(TestClient romeo, ScriptedPeer irc)
    {
        await romeo.SendAsync($"<presence to='{Occupant}'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
        await irc.RunAsync($"""
            < <presence to='{Occupant}' from='{Romeo}'*</presence>
            > <presence from='{Occupant}' to='{Romeo}'><x xmlns='{User}'>
            > <item affiliation='member' role='participant'/><status code='110'/></x></presence>
            """);
        await romeo.ExpectAsync($"<presence from='{Occupant}' to='{Romeo}'>...</presence>");
    }

    /// <summary>The connection of the component ends, and the server has noticed.</summary>
    static async Task CutAsync(TestServer server, ScriptedPeer irc)
    {
        await irc.RunAsync("! reset");
        for (int i = 0; i < 500 && server.Services.Components.All.Single().Link is not null; i++) await Task.Delay(10);
        Assert.Null(server.Services.Components.All.Single().Link);
    }

    static Task AdvanceAsync(TestServer server, int seconds) => server.AdvanceAsync(TimeSpan.FromSeconds(seconds));

    static async Task AnswerPingAsync(ScriptedPeer irc, string? condition)
    {
        string ping = await irc.WaitAsync(Ping());
        Assert.Contains($"to='{Occupant}'", ping, StringComparison.Ordinal);
        Assert.Contains($"from='{Romeo}'", ping, StringComparison.Ordinal);
        string addresses = $"id='{ping.Split("id='")[1].Split('\'')[0]}' from='{Occupant}' to='{Romeo}'";
        await irc.RunAsync(condition is null ? $"> <iq type='result' {addresses}/>"
            : $"> <iq type='error' {addresses}><error type='cancel'><{condition} " +
                "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
    }

    [Fact]
    [Feature("PM-04", "PM-06")]
    public async Task WhenAComponentIsRestartedItsRoomsAreAskedAndWhoIsOutIsTold()
    {
        await using var server = await StartAsync();
        var romeo = await server.LoginAsync("romeo");
        var irc = await ComponentBench.ConnectAsync(server, Domain);
        await EnterAsync(romeo, irc);
        Assert.Contains("muc_joined_rooms 1", server.Host.Metrics.ToPrometheus(), StringComparison.Ordinal);
        await CutAsync(server, irc);
        irc = await ComponentBench.ConnectAsync(server, Domain);
        await AdvanceAsync(server, 59);
        Assert.DoesNotMatch(Ping(), irc.Rest);
        await AdvanceAsync(server, 2);
        await AnswerPingAsync(irc, "not-acceptable");
        await romeo.ExpectAsync(Notice);
        await romeo.ExpectNothingAsync();
        // And it may enter again.
        await EnterAsync(romeo, irc);
    }

    [Fact]
    public async Task WhoIsStillInsideHearsNothing()
    {
        await using var server = await StartAsync();
        var romeo = await server.LoginAsync("romeo");
        var irc = await ComponentBench.ConnectAsync(server, Domain);
        await EnterAsync(romeo, irc);
        await CutAsync(server, irc);
        irc = await ComponentBench.ConnectAsync(server, Domain);
        await AdvanceAsync(server, 61);
        await AnswerPingAsync(irc, condition: null);
        // Whatever was said before this has been read.
        await irc.RunAsync($"""
            > <iq type='get' id='last' from='{Domain}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>
            < id='last' type='result'
            """);
        await romeo.ExpectNothingAsync();
        Assert.Contains("ping_muc_result_total{outcome=\"ok\"} 1", server.Host.Metrics.ToPrometheus(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhileTheComponentIsAwayNothingIsKnownUntilItHasBeenAwayForTooLong()
    {
        await using var server = await StartAsync();
        var romeo = await server.LoginAsync("romeo");
        var irc = await ComponentBench.ConnectAsync(server, Domain);
        await EnterAsync(romeo, irc);
        await CutAsync(server, irc);
        for (int i = 0; i < 20; i++) await AdvanceAsync(server, 30);
        await romeo.ExpectNothingAsync();
        Assert.Contains("ping_muc_result_total{outcome=\"undecided\"}", server.Host.Metrics.ToPrometheus(),
            StringComparison.Ordinal);
        for (int i = 0; i < 50; i++) await AdvanceAsync(server, 30);
        await romeo.ExpectAsync(Notice);
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    public async Task RoomsOfTheServerItselfAreNotAsked()
    {
        await using var server = await StartAsync();
        var romeo = await server.LoginAsync("romeo");
        await romeo.SendAsync("<presence to='hall@conference.localhost/Romeo'>" +
            "<x xmlns='http://jabber.org/protocol/muc'/></presence>");
        await romeo.ExpectEventuallyAsync("<presence from='hall@conference.localhost/Romeo' " +
            "to='*' xml:lang='**' id='**'>...</presence>");
        Assert.Contains("muc_joined_rooms 0", server.Host.Metrics.ToPrometheus(), StringComparison.Ordinal);
    }

    [GeneratedRegex("<iq [^>]*><ping xmlns='urn:xmpp:ping'/></iq>")]
    private static partial Regex Ping();
}
