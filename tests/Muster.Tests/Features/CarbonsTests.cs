using Muster.Testing;

namespace Muster.Tests.Features;

/// <summary>Message carbons in a whole server: every device gets a message once, whatever way.</summary>
[Spec("XEP-0280", "inbound")]
[Spec("XEP-0280", "outbound")]
public class CarbonsTests
{
    const string Enable = "<iq type='set'><enable xmlns='urn:xmpp:carbons:2'/></iq>";

    [Fact]
    public async Task A_message_to_the_account_reaches_the_best_devices_and_the_others_as_a_copy()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var high = await server.OnlineAsync("juliet", "high", 5);
        var low = await server.OnlineAsync("juliet", "low", 1);
        var negative = await server.OnlineAsync("juliet", "negative", -1);
        var silent = await server.LoginAsync("juliet", "silent");
        var plain = await server.OnlineAsync("juliet", "plain", 1);
        TestClient[] copied = [low, negative, silent];
        foreach (var client in (TestClient[])[.. copied, high]) await EnableAsync(client);
        foreach (var client in (TestClient[])[.. copied, high, plain]) await client.DrainAsync();

        await romeo.SendAsync("<message to='juliet@localhost' type='chat'><body>hi</body></message>");
        await romeo.ExpectNothingAsync();

        const string Original =
            "<message from='romeo@localhost/test' to='juliet@localhost' type='chat'><body>hi</body></message>";
        await high.ExpectAsync(Original);
        await high.ExpectNothingAsync();
        foreach (var client in copied)
        {
            await client.ExpectAsync($"<message from='juliet@localhost' to='{client.Jid}' type='chat'>" +
                "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>" +
                $"{Original.Replace("<message", "<message xmlns='jabber:client'")}</forwarded></received></message>");
            await client.ExpectNothingAsync();
        }
        await plain.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_message_of_a_device_to_its_own_account_comes_once_to_each()
    {
        await using var server = await TestServer.StartAsync();
        var sender = await server.OnlineAsync("juliet", "sender", 1);
        var target = await server.OnlineAsync("juliet", "target", 2);
        var third = await server.OnlineAsync("juliet", "third", 1);
        foreach (var client in (TestClient[])[sender, target, third]) await EnableAsync(client);
        foreach (var client in (TestClient[])[sender, target, third]) await client.DrainAsync();

        await sender.SendAsync("<message to='juliet@localhost' type='chat'><body>to myself</body></message>");

        await target.ExpectAsync("<message from='juliet@localhost/sender' to='juliet@localhost' type='chat'>" +
            "<body>to myself</body></message>");
        await third.ExpectAsync("<message from='juliet@localhost' to='juliet@localhost/third' type='chat'>" +
            "<received xmlns='urn:xmpp:carbons:2'>...</received></message>");
        foreach (var client in (TestClient[])[sender, target, third]) await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task What_is_blocked_or_refused_is_not_copied()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var balcony = await server.OnlineAsync("juliet", "balcony");
        var chamber = await server.OnlineAsync("juliet", "chamber");
        await EnableAsync(chamber);
        await balcony.DrainAsync();
        await balcony.AskAsync(
            "<iq type='set'><block xmlns='urn:xmpp:blocking'><item jid='romeo@localhost'/></block></iq>");
        foreach (var client in (TestClient[])[romeo, balcony, chamber]) await client.DrainAsync();

        await romeo.SendAsync("<message to='juliet@localhost/balcony' type='chat'><body>hi</body></message>");
        await romeo.ExpectAsync("<message from='juliet@localhost/balcony' to='*' type='error'>...</message>");
        await balcony.SendAsync("<message to='romeo@localhost' type='chat'><body>hi</body></message>");
        await balcony.ExpectAsync("<message from='romeo@localhost' to='*' type='error'>...</message>");
        await romeo.SendAsync("<message to='juliet@localhost/gone' id='n'><body>hi</body></message>");
        await romeo.ExpectAsync("<message from='juliet@localhost/gone' to='*' type='error' id='n'>...</message>");

        foreach (var client in (TestClient[])[romeo, balcony, chamber]) await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_message_that_waits_is_seen_at_once_by_whom_it_is_not_for()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var negative = await server.OnlineAsync("juliet", "negative", -1);
        var silent = await server.LoginAsync("juliet", "silent");
        await EnableAsync(negative);
        await EnableAsync(silent);
        await negative.DrainAsync();

        await romeo.SendAsync("<message to='juliet@localhost' type='chat'><body>hi</body></message>");
        await romeo.ExpectNothingAsync();

        await negative.ExpectAsync("<message from='juliet@localhost' to='*' type='chat'>" +
            "<received xmlns='urn:xmpp:carbons:2'>...</received></message>");
        await silent.ExpectNothingAsync();
        await silent.SendAsync("<presence/>");
        await silent.ExpectEventuallyAsync("<message from='romeo@localhost/test' to='juliet@localhost' type='chat'>" +
            "<body>hi</body><delay xmlns='urn:xmpp:delay' from='localhost' stamp='*'>Offline Storage</delay>" +
            "</message>");
        await silent.DrainAsync(); // her presence is out: the other device has been told
        await negative.DrainAsync();
        await negative.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_private_message_in_a_room_is_copied_to_the_devices_inside()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var inside = await server.OnlineAsync("juliet", "inside");
        var alsoInside = await server.OnlineAsync("juliet", "also");
        var outside = await server.OnlineAsync("juliet", "outside");
        const string Room = "garden@conference.localhost";
        foreach (var (client, nick) in new[] { (romeo, "r"), (inside, "j"), (alsoInside, "j2") })
        {
            await client.SendAsync(
                $"<presence to='{Room}/{nick}'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
            await client.ExpectEventuallyAsync(
                "<message type='groupchat' from='*' to='*' id='**'><subject/>...</message>");
            if (client != romeo) continue;
            await client.AskAsync($"<iq type='set' to='{Room}'><query xmlns='http://jabber.org/protocol/muc#owner'>" +
                "<x xmlns='jabber:x:data' type='submit'/></query></iq>");
        }
        TestClient[] juliets = [inside, alsoInside, outside];
        foreach (var client in juliets) await EnableAsync(client);
        await server.SettleAsync();
        foreach (var client in (TestClient[])[romeo, .. juliets]) await client.DrainAsync();

        await inside.SendAsync($"<message to='{Room}/r' type='chat'><body>psst</body>" +
            "<x xmlns='http://jabber.org/protocol/muc#user'/></message>");
        await romeo.ExpectEventuallyAsync(
            "<message type='chat' from='*' to='*' id='**'><body>psst</body>...</message>");
        await alsoInside.ExpectAsync("<message from='juliet@localhost' to='*' type='chat'>" +
            "<sent xmlns='urn:xmpp:carbons:2'>...</sent></message>");
        await romeo.SendAsync($"<message to='{Room}/j' type='chat'><body>pardon?</body></message>");
        await inside.ExpectAsync("<message type='chat' from='*' to='*' id='**'><body>pardon?</body>...</message>");

        await server.SettleAsync();
        foreach (var client in juliets) await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task It_is_announced_and_can_be_turned_off()
    {
        await using var server = await TestServer.StartAsync();
        await using var without = await TestServer.StartAsync("""
            [[listen.c2s]]
            port = 0
            tls.mode = "none"
            [modules.mod_carboncopy]
            enabled = false
            """);
        const string Disco =
            "<iq type='get' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>";

        Assert.Contains("urn:xmpp:carbons:2", (await (await server.LoginAsync("romeo")).AskAsync(Disco)).ToString());
        var romeo = await without.LoginAsync("romeo");
        Assert.DoesNotContain("urn:xmpp:carbons:2", (await romeo.AskAsync(Disco)).ToString());
        Assert.Equal("service-unavailable", (await romeo.AskAsync(Enable)).ErrorCondition());
    }

    static async Task EnableAsync(TestClient client)
    {
        await client.DrainAsync();
        await client.AskAsync(Enable);
    }
}
