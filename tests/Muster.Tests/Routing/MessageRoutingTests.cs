using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Routing;

/// <summary>RFC 6121 §8.5 and XEP-0160 in a whole server: who gets a message, and what its sender hears.</summary>
[Spec("RFC 6121", "8.5")]
[Spec("XEP-0160", "flow")]
public class MessageRoutingTests
{
    [Fact]
    public async Task A_message_to_a_full_address_goes_there_alone_with_a_true_sender()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var balcony = await server.OnlineAsync("juliet", "balcony");
        var chamber = await server.OnlineAsync("juliet", "chamber");
        await balcony.DrainAsync();

        await romeo.SendAsync("<message to='juliet@localhost/chamber' type='chat' id='m1'><body>hi</body></message>");

        await chamber.ExpectEventuallyAsync(
            "<message from='romeo@localhost/test' to='juliet@localhost/chamber' type='chat' id='m1'><body>hi</body>" +
                "</message>");
        await balcony.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_message_to_an_account_goes_to_the_resources_of_the_highest_priority()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var low = await server.OnlineAsync("juliet", "low", 1);
        var high1 = await server.OnlineAsync("juliet", "high1", 5);
        var high2 = await server.OnlineAsync("juliet", "high2", 5);
        var never = await server.OnlineAsync("juliet", "never", -1);
        var silent = await server.LoginAsync("juliet", "silent");
        foreach (var client in (TestClient[])[low, high1, high2, never]) await client.DrainAsync();

        await romeo.SendAsync("<message to='juliet@localhost' type='chat'><body>hi</body></message>");
        await romeo.ExpectNothingAsync();

        const string Pattern =
            "<message from='romeo@localhost/test' to='juliet@localhost' type='chat'><body>hi</body></message>";
        await high1.ExpectAsync(Pattern);
        await high2.ExpectAsync(Pattern);
        foreach (var client in (TestClient[])[low, never, silent]) await client.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_headline_goes_to_all_that_are_not_negative()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var low = await server.OnlineAsync("juliet", "low", 0);
        var high = await server.OnlineAsync("juliet", "high", 5);
        var never = await server.OnlineAsync("juliet", "never", -1);
        foreach (var client in (TestClient[])[low, high, never]) await client.DrainAsync();

        await romeo.SendAsync("<message to='juliet@localhost' type='headline'><body>news</body></message>");
        await romeo.ExpectNothingAsync();

        await low.ExpectAsync("<message from='*' to='juliet@localhost' type='headline'><body>news</body></message>");
        await high.ExpectAsync("<message from='*' to='juliet@localhost' type='headline'><body>news</body></message>");
        await never.ExpectNothingAsync();
    }

    [Theory]
    [InlineData("juliet@localhost", "groupchat", "service-unavailable")]
    [InlineData("juliet@localhost/gone", "groupchat", "service-unavailable")]
    [InlineData("juliet@localhost/gone", "normal", "service-unavailable")]
    [InlineData("juliet@localhost/gone", "headline", null)]
    [InlineData("juliet@localhost/gone", "error", null)]
    [InlineData("juliet@localhost", "error", null)]
    [InlineData("nobody@localhost", "chat", "service-unavailable")]
    [InlineData("nobody@localhost/x", "chat", "service-unavailable")]
    [InlineData("nobody@localhost", "headline", null)]
    [InlineData("nobody@localhost", "error", null)]
    [InlineData("localhost", "chat", "service-unavailable")]
    [InlineData("localhost/x", "chat", "service-unavailable")]
    [InlineData("localhost", "error", null)]
    [InlineData("juliet@elsewhere.example", "chat", "remote-server-not-found")]
    [InlineData("juliet@elsewhere.example", "error", null)]
    public async Task What_reaches_nobody_is_refused_or_dropped(string to, string type, string? condition)
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");

        await romeo.SendAsync($"<message to='{to}' type='{type}' id='m'><body>hi</body></message>");

        if (condition is not null)
        {
            var answer = await romeo.ReceiveAsync();
            Assert.Equal(condition, answer.ErrorCondition());
            Assert.Equal(to, answer.Attribute("from"));
            Assert.Equal("m", answer.Attribute("id"));
        }
        await romeo.ExpectNothingAsync();
        await juliet.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_chat_to_a_resource_that_is_gone_finds_another()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");

        await romeo.SendAsync("<message to='juliet@localhost/gone' type='chat'><body>hi</body></message>");

        await juliet.ExpectAsync(
            "<message from='romeo@localhost/test' to='juliet@localhost/gone' type='chat'><body>hi</body></message>");
    }

    [Fact]
    public async Task A_message_without_address_goes_to_the_senders_own_account()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");

        await romeo.SendAsync("<message type='chat'><body>note</body></message>");

        await romeo.ExpectAsync(
            "<message from='romeo@localhost/test' to='romeo@localhost' type='chat'><body>note</body></message>");
    }

    [Fact]
    public async Task Messages_wait_for_an_account_that_is_offline_and_come_once_in_order_with_their_time()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("juliet");
        var romeo = await server.OnlineAsync("romeo");
        for (int i = 0; i < 120; i++)
            await romeo.SendAsync($"<message to='juliet@localhost' type='chat' id='m{i}'><body>{i}</body></message>");
        await romeo.ExpectNothingAsync();
        await server.AdvanceAsync(TimeSpan.FromHours(1));

        var juliet = await server.LoginAsync("juliet");
        await juliet.SendAsync("<presence><priority>-1</priority></presence>");
        await juliet.ExpectAsync(
            "<presence from='juliet@localhost/test' to='juliet@localhost'><priority>-1</priority></presence>");
        await juliet.ExpectNothingAsync();
        await juliet.SendAsync("<presence/>");

        for (int i = 0; i < 120; i++)
            await juliet.ExpectAsync(
                $"<message from='romeo@localhost/test' to='juliet@localhost' type='chat' id='m{i}'>" +
                $"<body>{i}</body>" +
                    $"<delay xmlns='urn:xmpp:delay' from='localhost' stamp='2026-01-01T00:00:00.000Z'>*</delay>" +
                "</message>");
        await juliet.ExpectAsync("<presence from='juliet@localhost/test' to='juliet@localhost'/>");
        var again = await server.OnlineAsync("juliet", "again");
        Assert.DoesNotContain(await again.DrainAsync(), element => element.Name == "message");
    }

    [Fact]
    public async Task What_says_nothing_is_not_kept_and_what_may_not_be_kept_is_refused()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("juliet");
        var romeo = await server.OnlineAsync("romeo");
        const string To = "to='juliet@localhost' type='chat'";
        await romeo.SendAsync(
            $"<message {To}><composing xmlns='http://jabber.org/protocol/chatstates'/><thread>t</thread></message>");
        await romeo.SendAsync(
            $"<message {To}><received xmlns='urn:xmpp:receipts' id='x'/><no-store xmlns='urn:xmpp:hints'/></message>");
        await romeo.ExpectNothingAsync();
        await romeo.SendAsync($"<message {To}><body>secret</body><no-store xmlns='urn:xmpp:hints'/></message>");
        Assert.Equal("service-unavailable", (await romeo.ReceiveAsync()).ErrorCondition());
        await romeo.SendAsync($"<message {To}><received xmlns='urn:xmpp:receipts' id='x'/></message>");
        await romeo.ExpectNothingAsync();

        var juliet = await server.LoginAsync("juliet");
        await juliet.SendAsync("<presence/>");

        await juliet.ExpectAsync("<message from='*' to='*' type='chat'><received xmlns='urn:xmpp:receipts' id='x'/>" +
            "<delay xmlns='urn:xmpp:delay' from='*' stamp='*'>*</delay></message>");
        await juliet.ExpectAsync("<presence from='*' to='*'/>");
    }

    [Fact]
    public async Task When_as_many_wait_as_may_the_sender_is_told()
    {
        await using var server = await TestServer.StartAsync("""
            [[listen.c2s]]
            port = 0
            tls.mode = "none"
            [modules.mod_nooffline_noerror]
            enabled = false
            """);
        await server.AddUserAsync("juliet");
        var romeo = await server.OnlineAsync("romeo");
        int max = server.Services.Limits.OfflineMessagesMax;
        for (int i = 0; i < max; i++)
            await romeo.SendAsync("<message to='juliet@localhost'><body>hi</body></message>");
        await romeo.ExpectNothingAsync();

        await romeo.SendAsync("<message to='juliet@localhost' id='over'><body>hi</body></message>");

        var answer = await romeo.ReceiveAsync();
        Assert.Equal(("over", "service-unavailable"), (answer.Attribute("id"), answer.ErrorCondition()));
        Assert.Equal(max, await server.Services.Database.Offline.Count(Jid.Parse("juliet@localhost")));
    }

    [Fact]
    public async Task A_client_that_does_not_read_gets_its_messages_as_it_reads_and_loses_none()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("juliet");
        var romeo = await server.OnlineAsync("romeo");
        string text = new('x', 100_000);
        for (int i = 0; i < 60; i++)
            await romeo.SendAsync($"<message to='juliet@localhost' id='m{i}'><body>{text}</body></message>");
        await romeo.ExpectNothingAsync();

        // Six megabytes wait, more than a connection's buffer may hold.
        var juliet = await server.LoginAsync("juliet");
        await juliet.SendAsync("<presence/>");
        using var ticking = new CancellationTokenSource();
        var clock = Task.Run(async () =>
        {
            while (!ticking.IsCancellationRequested)
            {
                server.Clock.Advance(TimeSpan.FromMilliseconds(100));
                await Task.Delay(1);
            }
        });
        for (int i = 0; i < 60; i++)
            Assert.Equal($"m{i}", (await juliet.ReceiveAsync()).Attribute("id"));
        await juliet.ExpectAsync("<presence from='*' to='*'/>");
        await ticking.CancelAsync();
        await clock;
    }

    [Fact]
    public async Task Everything_sent_while_the_recipient_comes_and_goes_arrives_once()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("juliet");
        var romeo = await server.OnlineAsync("romeo");
        const int Count = 300;
        var sending = Task.Run(async () =>
        {
            for (int i = 0; i < Count; i++)
                await romeo.SendAsync(
                    $"<message to='juliet@localhost' type='chat' id='m{i}'><body>{i}</body></message>");
        });
        var received = new List<string>();
        for (int visit = 0; received.Count < Count; visit++)
        {
            var juliet = await server.LoginAsync("juliet", $"visit{visit}");
            await juliet.SendAsync("<presence/>");
            await juliet.ExpectEventuallyPresenceAsync(received);
            await juliet.SendAsync("<presence type='unavailable'/>");
            received.AddRange((await juliet.DrainAsync()).Messages());
            await juliet.CloseAsync();
            Assert.True(visit < 10_000, $"only {received.Count} arrived");
        }
        await sending;
        Assert.Equal(Enumerable.Range(0, Count).Select(i => $"m{i}"), received);
    }
}

static class MessageRoutingSteps
{
    public static IEnumerable<string> Messages(this IEnumerable<Element> elements) =>
        elements.Where(element => element.Name == "message").Select(element => element.Attribute("id")!);

    public static async Task ExpectEventuallyPresenceAsync(this TestClient client, List<string> ids)
    {
        while (true)
        {
            var element = await client.ReceiveAsync();
            if (element.Name == "message") ids.Add(element.Attribute("id")!);
            else if (element.Attribute("from") == client.Jid.ToString()) return;
        }
    }
}
