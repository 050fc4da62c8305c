using Muster.Core.Archive;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;
using Muster.Server.Storage.Memory;
using Muster.Testing;
using static Muster.Tests.Sessions.ManagementTests;

namespace Muster.Tests.Sessions;

/// <summary>Sessions and rooms over the end of a process: in order, where nobody notices, and by a crash, after which
/// each client is told exactly what has arrived.</summary>
[Spec("XEP-0198", "5")]
public class RestartTests
{
    const string Sm = "xmlns='urn:xmpp:sm:3'";
    const string Garden = "garden@conference.localhost";

    [Theory]
    [InlineData(false)] // a temporary room
    [InlineData(true)]
    public async Task Nobody_inside_a_room_notices_a_restart(bool persistent)
    {
        var database = new MemoryDatabase();
        string romeosToken, julietsToken;
        await using (var server = await TestServer.StartAsync(null, database))
        {
            var juliet = await EnterAsync(server, "juliet", "Juliet", persistent);
            var romeo = await EnterAsync(server, "romeo", "Romeo");
            julietsToken = await EnableAsync(juliet);
            romeosToken = await EnableAsync(romeo);
            await romeo.SendAsync(Groupchat("before"));
            await juliet.ExpectEventuallyAsync(Received("before"));
            await romeo.DisposeAsync();
            await WaitingAsync(server, 1);
            await juliet.SendAsync(Groupchat("missed"));
            await juliet.ExpectEventuallyAsync(Received("missed"));
        }

        await using var again = await TestServer.StartAsync(null, database);
        var back = await ResumeAsync(again, "juliet", julietsToken, handled: 2, sent: 1);
        await back.ExpectNothingAsync(); // no presence of anybody who went or came
        await back.SendAsync(Groupchat("after"));
        await back.ExpectEventuallyAsync(Received("after"));
        var late = await ResumeAsync(again, "romeo", romeosToken, handled: 0, sent: 1);
        await late.ExpectEventuallyAsync(Received("before"));
        await late.ExpectEventuallyAsync(Received("missed"));
        await late.ExpectEventuallyAsync(Received("after"));
        await late.SendAsync(Groupchat("answer"));
        await back.ExpectEventuallyAsync(Received("answer"));

        // When all have left, a temporary room is over.
        await back.SendAsync($"<presence type='unavailable' to='{Garden}/Juliet'/>");
        await late.SendAsync($"<presence type='unavailable' to='{Garden}/Romeo'/>");
        await late.ExpectEventuallyAsync("<presence type='unavailable' from='*/Romeo' to='*'>...</presence>");
        await again.SettleAsync();
        var room = await again.Services.Database.Rooms.Load(Muster.Protocol.Addresses.Jid.Parse(Garden));
        Assert.Equal(persistent, room is not null);
    }

    [Fact]
    public async Task Who_does_not_come_back_leaves_its_rooms_in_its_time()
    {
        var database = new MemoryDatabase();
        string token;
        await using (var server = await TestServer.StartAsync(null, database))
        {
            var juliet = await EnterAsync(server, "juliet", "Juliet");
            var romeo = await EnterAsync(server, "romeo", "Romeo");
            token = await EnableAsync(juliet);
            await EnableAsync(romeo);
            await juliet.DrainAsync();
        }
        await using var again = await TestServer.StartAsync(NoPings, database);
        var back = await ResumeAsync(again, "juliet", token, handled: 1, sent: 1);
        await again.AdvanceAsync(TimeSpan.FromSeconds(590));
        await back.ExpectNothingAsync();
        await again.AdvanceAsync(TimeSpan.FromSeconds(15));
        await back.ExpectEventuallyAsync(
            $"<presence type='unavailable' from='{Garden}/Romeo' to='juliet@localhost/test'>...</presence>");
    }

    [Fact]
    public async Task Contacts_see_a_session_go_on_and_messages_reach_it()
    {
        var database = new MemoryDatabase();
        string token;
        await using (var server = await TestServer.StartAsync(null, database))
        {
            var juliet = await server.OnlineAsync("juliet");
            var romeo = await server.OnlineAsync("romeo");
            await romeo.BefriendAsync(juliet);
            token = await EnableAsync(romeo);
        }
        await using var again = await TestServer.StartAsync(null, database);
        var sender = await again.OnlineAsync("juliet", "other");
        await sender.SendAsync("<message type='chat' to='romeo@localhost' id='m'><body>hello</body></message>");
        await sender.SendAsync("<iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
        var seen = await sender.ExpectEventuallyAsync("<iq type='result' id='p' from='*' to='*'/>");
        Assert.NotNull(seen);
        var back = await ResumeAsync(again, "romeo", token, handled: 0, sent: 0);
        await back.ExpectEventuallyAsync(Received("m"));
    }

    [Fact]
    public async Task After_a_crash_the_client_is_told_exactly_what_was_stored()
    {
        var database = new MemoryDatabase();
        string token;
        await using (var server = await TestServer.StartAsync(null, database))
        {
            var juliet = await EnterAsync(server, "juliet", "Juliet", persistent: true);
            token = await EnableAsync(juliet);
            await juliet.SendAsync(Groupchat("one"));
            await juliet.ExpectEventuallyAsync(Received("one"));
            await juliet.SendAsync(Groupchat("two"));
            await juliet.ExpectEventuallyAsync(Received("two"));
            // From now on nothing is stored, as if the process were dead; what it does in its end does not count.
            server.ErrorsExpected = true;
            database.BeforeWrite = static _ => throw new Muster.Server.Storage.StorageException(
                Muster.Server.Storage.StorageFault.Unavailable, "the process is dead");
            await juliet.SendAsync(Groupchat("three"));
            await juliet.ExpectEventuallyAsync("<message type='error' id='three' from='*' to='*'>...</message>");
        }
        database.BeforeWrite = null;

        await using var again = await TestServer.StartAsync(null, database);
        var back = await ConnectAsync(again, "juliet");
        await back.SendAsync($"<resume {Sm} previd='{token}' h='2'/>");
        await back.ExpectAsync(
            $"<failed {Sm} h='2'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
        await back.BindAsync("test");
        await back.SendAsync($"<presence to='{Garden}/Juliet'><x xmlns='{Namespaces.Muc}'/></presence>");
        await back.ExpectEventuallyAsync(Received("one"));
        await back.ExpectEventuallyAsync(Received("two"));
    }

    /// <summary>A message that waits for its sender's turn is not stored yet: the client is not told that it
    /// is.</summary>
    [Fact]
    public async Task What_a_room_holds_back_is_acknowledged_when_it_is_stored()
    {
        await using var server = await TestServer.StartAsync(NoPings + """

            [modules.mod_muc]
            min_message_interval = 5
            """);
        var juliet = await EnterAsync(server, "juliet", "Juliet");
        await EnableAsync(juliet);
        await juliet.SendAsync(Groupchat("one"));
        await juliet.SendAsync(Groupchat("two"));
        await juliet.ExpectEventuallyAsync(Received("one"));
        await juliet.SendAsync($"<r {Sm}/>");
        await server.SettleAsync();
        await server.AdvanceAsync(TimeSpan.FromSeconds(6));
        var got = new List<Element>();
        do got.Add(await juliet.ReceiveAsync());
        while (got[^1].Name != "a");
        Assert.Equal("2", got[^1].Attribute("h"));
        Assert.Contains(got, element => element.Attribute("id") == "two");
    }

    /// <summary>What is stored for a restart is not left behind when the next process crashes.</summary>
    [Fact]
    public async Task A_temporary_room_does_not_outlive_a_restart_and_a_crash()
    {
        var database = new MemoryDatabase();
        await using (var server = await TestServer.StartAsync(null, database))
        {
            var juliet = await EnterAsync(server, "juliet", "Juliet");
            await EnableAsync(juliet);
            await juliet.SendAsync(Groupchat("said"));
            await juliet.ExpectEventuallyAsync(Received("said"));
        }
        Assert.NotNull(await database.Rooms.Load(Muster.Protocol.Addresses.Jid.Parse(Garden)));
        await using (var crashing = await TestServer.StartAsync(null, database))
        {
            await crashing.SettleAsync();
            crashing.ErrorsExpected = true;
            database.BeforeWrite = static _ => throw new Muster.Server.Storage.StorageException(
                Muster.Server.Storage.StorageFault.Unavailable, "the process is dead");
        }
        database.BeforeWrite = null;

        await using var again = await TestServer.StartAsync(null, database);
        await again.SettleAsync();
        var romeo = await again.OnlineAsync("romeo");
        await romeo.CreateRoomAsync(Garden, "Romeo"); // it is new, and nobody's words are in it
        await romeo.ExpectNothingAsync();
        Assert.Null(await database.Rooms.Load(Muster.Protocol.Addresses.Jid.Parse(Garden)));
    }

    /// <summary>What can be kept is kept; the others are told so when they come, and the rooms hear that they are
    /// gone.</summary>
    [Fact]
    public async Task A_session_that_cannot_be_stored_is_gone_and_the_rest_goes_on()
    {
        var database = new MemoryDatabase();
        string julietsToken, romeosToken;
        await using (var server = await TestServer.StartAsync(null, database))
        {
            var juliet = await EnterAsync(server, "juliet", "Juliet", persistent: true);
            julietsToken = await EnableAsync(juliet);
            var romeo = await EnterAsync(server, "romeo", "Romeo");
            romeosToken = await EnableAsync(romeo);
            await juliet.DrainAsync();
            // As if the database had lost Romeo's session alone.
            await database.Sessions.Remove(romeosToken);
        }

        await using var again = await TestServer.StartAsync(null, database);
        var back = await ResumeAsync(again, "juliet", julietsToken, handled: 1, sent: 0);
        await back.ExpectEventuallyAsync($"<presence type='unavailable' from='{Garden}/Romeo' to='*'>...</presence>");
        var late = await ConnectAsync(again, "romeo");
        await late.SendAsync($"<resume {Sm} previd='{romeosToken}' h='0'/>");
        await late.ExpectAsync($"<failed {Sm}><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
    }

    [Fact]
    public void What_has_been_read_and_when_history_was_said_outlive_the_process()
    {
        var at = new DateTimeOffset(2024, 5, 1, 12, 0, 0, TimeSpan.Zero);
        var session = new SessionSnapshot
        {
            Jid = Jid.Parse("juliet@localhost/test"),
            Terms = new SmTerms { Namespace = "urn:xmpp:sm:3", Token = "t" },
            Queue = new SmQueueSnapshot(7, [new SmReference(Jid.Parse(Garden), 5, at, at.AddHours(-1))], []),
            Taken = 3,
            ArchiveRead = new ArchiveSpan(2, 9),
        };
        var read = SessionRecords.Read(SessionRecords.ToBytes(session), new SmPolicy())!;
        Assert.Equal(session.ArchiveRead, read.ArchiveRead);
        Assert.Equal(at.AddHours(-1), Assert.Single(read.Queue.Dropped).SaidAt);
    }

    const string NoPings = """
        [[listen.c2s]]
        port = 0
        tls.mode = "none"
        [modules.mod_ping]
        send_pings = false
        """;

    static string Groupchat(string id) =>
        $"<message to='{Garden}' type='groupchat' id='{id}'><body>{id}</body></message>";

    static string Received(string id) => $"<message from='*' to='*' type='**' id='{id}'>...</message>";

    static async Task<TestClient> EnterAsync(TestServer server, string user, string nick, bool persistent = false)
    {
        var client = await server.OnlineAsync(user);
        await (user == "juliet" ? client.CreateRoomAsync(Garden, nick) : client.EnterAsync(Garden, nick));
        if (persistent) await client.ConfigureAsync(Garden, ("muc#roomconfig_persistentroom", "1"));
        return client;
    }

    static async Task<TestClient> ResumeAsync(
        TestServer server, string user, string token, int handled, int sent)
    {
        var client = await ConnectAsync(server, user);
        await client.SendAsync($"<resume {Sm} previd='{token}' h='{handled}'/>");
        var resumed = await client.ReceiveAsync();
        Assert.Equal("resumed", resumed.Name);
        Assert.True(int.Parse(resumed.Attribute("h")!, null) >= sent);
        return client;
    }
}
