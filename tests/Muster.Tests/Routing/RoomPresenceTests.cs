using Muster.Testing;

namespace Muster.Tests.Routing;

/// <summary>What rooms rely on: they hear of the end of everybody whom they let in (RFC 6121 §4.6.3).</summary>
[Spec("RFC 6121", "4.6")]
public class RoomPresenceTests
{
    static async Task JoinAsync(TestClient client, string nick)
    {
        await client.SendAsync(
            $"<presence to='garden@conference.localhost/{nick}'>" +
            "<x xmlns='http://jabber.org/protocol/muc'/></presence>");
        // The subject ends what comes on entering (XEP-0045 §7.2.1).
        while ((await client.ReceiveAsync()).Child("subject") is null) { }
    }

    /// <summary>Enters the room first and opens it to others (XEP-0045 §10.1.2).</summary>
    static async Task CreateAsync(TestClient client, string nick)
    {
        await JoinAsync(client, nick);
        await client.AskAsync("<iq type='set' to='garden@conference.localhost'>" +
            "<query xmlns='http://jabber.org/protocol/muc#owner'>" +
            "<x xmlns='jabber:x:data' type='submit'/></query></iq>");
    }

    [Theory]
    [InlineData("close")]
    [InlineData("cut")]
    [InlineData("unavailable")]
    [InlineData("replaced")]
    public async Task Whoever_goes_has_left_the_room(string how)
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.LoginAsync("juliet");
        await CreateAsync(juliet, "juliet");
        var romeo = await server.OnlineAsync("romeo");
        await JoinAsync(romeo, "romeo");
        await juliet.ExpectEventuallyAsync("<presence from='garden@conference.localhost/romeo' to='*'>...</presence>");

        if (how == "close") await romeo.CloseAsync();
        else if (how == "cut") await romeo.DisposeAsync();
        else if (how == "unavailable") await romeo.SendAsync("<presence type='unavailable'/>");
        else await server.LoginAsync("romeo");

        await juliet.ExpectAsync(
            "<presence from='garden@conference.localhost/romeo' to='*' type='unavailable'>...</presence>");
    }

    [Fact]
    public async Task Who_was_kicked_is_not_said_to_leave_again()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.LoginAsync("juliet");
        await CreateAsync(juliet, "juliet");
        var romeo = await server.LoginAsync("romeo");
        await JoinAsync(romeo, "romeo");
        await juliet.ExpectEventuallyAsync("<presence from='garden@conference.localhost/romeo' to='*'>...</presence>");
        var session = server.Services.Sessions.FindSession(romeo.Jid)!;
        var room = Muster.Protocol.Addresses.Jid.Parse("garden@conference.localhost/romeo");
        Assert.True(session.HasDirectedTo(room));

        await juliet.SendAsync("<iq type='set' id='k' to='garden@conference.localhost'>" +
            "<query xmlns='http://jabber.org/protocol/muc#admin'><item nick='romeo' role='none'/></query></iq>");

        await romeo.ExpectEventuallyAsync($"<presence from='{room}' to='*' type='unavailable'>...</presence>");
        Assert.False(session.HasDirectedTo(room));
    }
}
