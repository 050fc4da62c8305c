using System.Text;
using Muster.Testing;
using static Muster.Tests.Sessions.ManagementTests;

namespace Muster.Tests.Sessions;

/// <summary>Managed sessions where time or numbers are not what one expects.</summary>
[Spec("XEP-0198", "5")]
public sealed class SessionExtremesTests
{
    const string Sm = "xmlns='urn:xmpp:sm:3'";
    const string Listener = """
        [[listen.c2s]]
        port = 0
        tls.mode = "none"
        [modules.mod_ping]
        send_pings = false

        """;

    [Theory, Feature("SM-03", "SM-04")]
    [InlineData(3)]
    [InlineData(-3)]
    public async Task A_clock_that_jumps_neither_ends_a_session_nor_keeps_it(int days)
    {
        await using var server = await TestServer.StartAsync(Listener);
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var romeo = await server.OnlineAsync("romeo", "orchard");
        await romeo.BefriendAsync(juliet);
        await juliet.DrainAsync();
        await romeo.SendAsync($"<enable {Sm} resume='true'/>");
        await romeo.ExpectAsync($"<enabled {Sm} id='*' resume='true' max='600'/>");
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);

        server.Clock.Jump(TimeSpan.FromDays(days));
        await server.AdvanceAsync(TimeSpan.FromSeconds(598));
        await juliet.ExpectNothingAsync();
        await server.AdvanceAsync(TimeSpan.FromSeconds(4));
        await juliet.ExpectAsync(
            "<presence type='unavailable' from='romeo@localhost/orchard' to='juliet@localhost'>...</presence>");
        await WaitingAsync(server, 0);
    }

    [Fact, Feature("SM-02")]
    public async Task A_session_in_a_thousand_rooms_is_resumed_with_all_that_was_said_in_them()
    {
        const int Rooms = 1000, Spoken = 8;
        await using var server = await TestServer.StartAsync(Listener +
            "[modules.mod_muc]\nmax_user_conferences = 1000");
        var romeo = await server.OnlineAsync("romeo", "orchard");
        await romeo.SendAsync($"<enable {Sm} resume='true'/>");
        await romeo.ExpectAsync($"<enabled {Sm} id='{{token}}' resume='true' max='600'/>");
        string token = romeo.Names["token"];
        var joins = new StringBuilder();
        for (int i = 0; i < Rooms; i++)
        {
            joins.Append($"<presence to='room{i}@conference.localhost/Romeo'>" +
                "<x xmlns='http://jabber.org/protocol/muc'/></presence>");
        }
        for (int i = 0; i < Rooms; i += Rooms / Spoken)
        {
            joins.Append($"<iq type='set' id='o{i}' to='room{i}@conference.localhost'>" +
                "<query xmlns='http://jabber.org/protocol/muc#owner'>" +
                "<x xmlns='jabber:x:data' type='submit'/></query></iq>");
        }
        await romeo.SendAsync(joins.ToString());
        await romeo.DrainAsync();
        Assert.Equal(Rooms, server.Services.Rooms["conference.localhost"].Hosts.Count());
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);

        var juliet = await server.OnlineAsync("juliet", "balcony");
        for (int i = 0; i < Rooms; i += Rooms / Spoken)
        {
            await juliet.SendAsync($"<presence to='room{i}@conference.localhost/Juliet'>" +
                "<x xmlns='http://jabber.org/protocol/muc'/></presence>" +
                $"<message type='groupchat' to='room{i}@conference.localhost' id='said{i}'>" +
                "<body>hello</body></message>");
            await juliet.ExpectEventuallyAsync(Said(i));
        }
        var back = await ConnectAsync(server, "romeo");
        await back.SendAsync($"<resume {Sm} previd='{token}' h='0'/>");
        await back.ExpectAsync($"<resumed {Sm} h='*' previd='{token}'/>");
        for (int i = 0; i < Rooms; i += Rooms / Spoken) await back.ExpectEventuallyAsync(Said(i));
    }

    static string Said(int i) => $"<message from='*' to='*' type='groupchat' id='said{i}'>...</message>";
}
