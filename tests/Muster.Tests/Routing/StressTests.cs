using Muster.Protocol.Addresses;
using Muster.Testing;

namespace Muster.Tests.Routing;

/// <summary>Many at the same time: nothing waits for itself, and in the end everybody sees the same.</summary>
public class StressTests
{
    [Fact]
    public async Task People_who_come_go_befriend_block_and_talk_at_once_can_still_agree()
    {
        await using var server = await TestServer.StartAsync();
        string[] users = [.. Enumerable.Range(0, 8).Select(i => $"user{i}")];
        foreach (string user in users) await server.AddUserAsync(user);

        await Task.WhenAll(users.Select((user, seed) => Task.Run(() => LiveAsync(server, user, users, seed))))
            .WaitAsync(TimeSpan.FromSeconds(60));

        // The end of a session follows that of its stream.
        await Patience.Eventually(() => server.Services.Sessions.Count == 0);
        Assert.Empty(server.Services.Sessions.Accounts);

        // Crossing requests may leave two sides of different minds; ending everything brings them together again.
        foreach (string user in users)
        {
            var client = await server.LoginAsync(user, "end");
            await client.SendAsync("<iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>");
            foreach (string other in users.Where(other => other != user))
                await client.SendAsync($"<presence type='unsubscribe' to='{other}@localhost'/>" +
                    $"<presence type='unsubscribed' to='{other}@localhost'/>");
            await client.DrainAsync();
            await client.CloseAsync();
        }
        foreach (string user in users)
        {
            var roster = await server.Services.Database.Rosters.Load(Jid.Parse($"{user}@localhost"));
            Assert.All(roster.Items, item => Assert.Equal((default, true), (item.State, item.Listed)));
        }
        var a = await server.OnlineAsync("user0", "end");
        var b = await server.OnlineAsync("user1", "end");
        await a.DrainAsync();
        await b.DrainAsync();
        await a.BefriendAsync(b);
        await a.SendAsync("<presence><show>chat</show></presence>");
        await b.ExpectEventuallyAsync(
            "<presence from='user0@localhost/end' to='user1@localhost'><show>chat</show></presence>");
    }

    static async Task LiveAsync(TestServer server, string user, string[] users, int seed)
    {
        var random = new Random(seed);
        for (int visit = 0; visit < 5; visit++)
        {
            var client = await server.LoginAsync(user, $"r{random.Next(2)}");
            await client.SendAsync("<iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq><presence/>");
            for (int i = 0; i < 20; i++)
            {
                string other = $"{users[random.Next(users.Length)]}@localhost";
                await client.SendAsync(random.Next(10) switch
                {
                    0 => $"<presence type='subscribe' to='{other}'/>",
                    1 => $"<presence type='subscribed' to='{other}'/>",
                    2 => $"<presence type='unsubscribe' to='{other}'/>",
                    3 => $"<presence type='unsubscribed' to='{other}'/>",
                    4 => $"<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{other}'/></block></iq>",
                    5 => "<iq type='set' id='u'><unblock xmlns='urn:xmpp:blocking'/></iq>",
                    6 => "<presence><priority>" + random.Next(-1, 3) + "</priority></presence>",
                    7 => $"<iq type='set' id='d'><query xmlns='jabber:iq:roster'><item jid='{other}' " +
                        "subscription='remove'/></query></iq>",
                    8 => $"<presence to='{other}'/>",
                    _ => $"<message to='{other}' type='chat'><body>{i}</body></message>",
                });
            }
            try
            {
                await client.DrainAsync();
                await client.CloseAsync();
            }
            catch (EndOfStreamException)
            {
                // A visit of the same name came in between: that is one of the things to survive.
            }
        }
    }
}
