using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Storage;
using Muster.Server.Storage.Memory;
using Muster.Testing;

namespace Muster.Tests.Routing;

/// <summary>What the path of a message promises: no store, no lock that can be held long, no garbage.</summary>
public class MessagePathTests
{
    const string WithoutArchive = """
        [[listen.c2s]]
        port = 0
        tls.mode = "none"
        [modules.mod_mam]
        enabled = false
        """;

    [Fact]
    public async Task Between_people_who_are_there_the_store_is_not_asked()
    {
        var database = new MemoryDatabase();
        await using var server = await TestServer.StartAsync(WithoutArchive, database);
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        await romeo.BefriendAsync(juliet);
        await juliet.AskAsync("<iq type='set'><block xmlns='urn:xmpp:blocking'><item jid='x@y'/></block></iq>");
        Func<CancellationToken, ValueTask> fails = _ => throw new StorageException(StorageFault.Unavailable, "away");
        (database.BeforeRead, database.BeforeWrite) = (fails, fails);

        await romeo.SendAsync("<message to='juliet@localhost' type='chat'><body>1</body></message>");
        await romeo.SendAsync("<message to='juliet@localhost/test' type='chat'><body>2</body></message>");
        await romeo.SendAsync("<message to='juliet@localhost/other' type='chat'><body>3</body></message>");
        await romeo.SendAsync("<presence><show>away</show></presence>");
        await romeo.SendAsync("<presence to='juliet@localhost/test'/>");
        await romeo.SendAsync("<iq type='get' id='q' to='juliet@localhost/test'><query xmlns='x'/></iq>");

        await romeo.DrainAsync(); // by then all that he sent is on its way to her
        var received = await juliet.DrainAsync();
        Assert.Equal(["message", "message", "message", "presence", "presence", "iq"], received.Select(e => e.Name));
        (database.BeforeRead, database.BeforeWrite) = (null, null);
    }

    [Fact]
    public async Task A_message_to_somebody_who_is_there_is_delivered_at_once_and_leaves_no_garbage()
    {
        await using var server = await TestServer.StartAsync(WithoutArchive);
        await server.AddUserAsync("juliet");
        var local = server.Services.Local;
        var link = new CapturedLink();
        var (session, _) = await local.Bind(Jid.Parse("juliet@localhost"), "r", link, "c1");
        await local.Receive(session!, new Presence(PresenceType.Available, session!.Jid, Jid.None, null));
        var toBare = new Message(MessageType.Chat, Jid.Parse("romeo@localhost/r"), session.Account, "m",
            new Element(Namespaces.Client, "body", "But soft"));
        var toFull = toBare.Readdressed(toBare.From, session.Jid);
        // Warm up, so that the code is compiled and the buffer has its size.
        for (int i = 0; i < 2000; i++) Deliver();

        long before = GC.GetAllocatedBytesForCurrentThread();
        int stanzas = link.Stanzas;
        for (int i = 0; i < 1000; i++) Deliver();
        long each = (GC.GetAllocatedBytesForCurrentThread() - before) / 2000;

        Assert.Equal(2000, link.Stanzas - stanzas);
        Assert.InRange(each, 0, 64);
        await local.End(session);

        void Deliver()
        {
            Assert.True(IsDone(local.Route(toBare)));
            Assert.True(IsDone(local.Route(toFull)));
            link.Drop();
        }

        static bool IsDone(ValueTask task) => task.IsCompletedSuccessfully;
    }

    [Fact]
    public async Task A_client_that_reads_too_slowly_is_cut_off_and_what_it_did_not_take_waits()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("juliet");
        var local = server.Services.Local;
        var link = new CapturedLink(outboundBytesMax: 10_000);
        var (session, _) = await local.Bind(Jid.Parse("juliet@localhost"), "r", link, "c1");
        await local.Receive(session!, new Presence(PresenceType.Available, session!.Jid, Jid.None, null));
        link.Drop();
        var message = new Message(MessageType.Chat, Jid.Parse("romeo@localhost/r"), session.Account, "m",
            new Element(Namespaces.Client, "body", new string('x', 4000)));
        for (int i = 0; i < 5; i++)
        {
            await local.Route(message);
            // What a connection does that was closed.
            if (link.IsClosed) await local.End(session);
        }
        Assert.Equal("resource-constraint", link.Error!.Condition);
        Assert.Null(server.Services.Sessions.Find(session.Account));
        Assert.Equal(3, await server.Services.Database.Offline.Count(session.Account));
    }

    [Theory]
    [InlineData("romeo@montague.example/garden", "romeo@montague.example/garden", true)]
    [InlineData("romeo@montague.example/garden", "romeo@montague.example/hall", false)]
    [InlineData("romeo@montague.example/garden", "romeo@montague.example", false)]
    [InlineData("romeo@montague.example", "romeo@montague.example/garden", true)]
    [InlineData("romeo@montague.example", "mercutio@montague.example", false)]
    [InlineData("montague.example/bot", "montague.example/bot", true)]
    [InlineData("montague.example/bot", "romeo@montague.example/bot", true)]
    [InlineData("montague.example/bot", "romeo@montague.example/other", false)]
    [InlineData("montague.example/bot", "montague.example", false)]
    [InlineData("montague.example", "montague.example", true)]
    [InlineData("montague.example", "romeo@montague.example/garden", true)]
    [InlineData("montague.example", "montague.example/bot", true)]
    [InlineData("montague.example", "sub.montague.example", false)]
    public void A_block_list_matches_as_the_specification_says(string blocked, string address, bool expected) =>
        Assert.Equal(expected, new BlockList([Jid.Parse(blocked)]).Blocks(Jid.Parse(address)));
}
