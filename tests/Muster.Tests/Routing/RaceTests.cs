using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Storage.Memory;
using Muster.Testing;

namespace Muster.Tests.Routing;

/// <summary>Two things at once, held at the worst moment by a store that waits.</summary>
public class RaceTests
{
    /// <summary>Holds the next access to the store until it is let go.</summary>
    sealed class Hold
    {
        readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int _used;

        public Task Reached => _reached.Task.WaitAsync(TestClient.Patience);

        public async ValueTask Wait(CancellationToken cancel)
        {
            if (Interlocked.Exchange(ref _used, 1) == 1) return;
            _reached.SetResult();
            await _released.Task;
        }

        public void Release() => _released.SetResult();
    }

    [Fact]
    public async Task A_request_that_is_being_stored_while_its_reader_comes_is_shown_once()
    {
        var database = new MemoryDatabase();
        await using var server = await TestServer.StartAsync(null, database);
        var juliet = await server.LoginAsync("juliet");
        var hold = new Hold();
        database.BeforeWrite = hold.Wait;
        var request = server.Services.Local.Route(RecordingTarget.Stanza(
            "<presence type='subscribe' from='romeo@elsewhere.example' to='juliet@localhost'/>")).AsTask();
        await hold.Reached;

        await juliet.SendAsync("<presence><priority>-1</priority></presence>");
        await server.SettleAsync();
        hold.Release();
        await request;

        Assert.Single(await juliet.DrainAsync(), element => element.Attribute("type") == "subscribe");
    }

    [Fact]
    public async Task A_message_that_is_being_stored_while_its_reader_comes_is_read_once()
    {
        var database = new MemoryDatabase();
        await using var server = await TestServer.StartAsync(null, database);
        var juliet = await server.LoginAsync("juliet");
        var hold = new Hold();
        database.BeforeWrite = hold.Wait;
        var message = server.Services.Local.Route(RecordingTarget.Stanza(
            "<message from='romeo@elsewhere.example' to='juliet@localhost'><body>hi</body></message>")).AsTask();
        await hold.Reached;

        await juliet.SendAsync("<presence/>");
        await server.SettleAsync();
        hold.Release();
        await message;

        Assert.Single(await juliet.DrainAsync(), element => element.Name == "message");
        Assert.Equal(0, await database.Offline.Count(juliet.Jid.Bare));
    }

    [Fact]
    public async Task A_session_that_ends_while_it_becomes_available_leaves_no_ghost()
    {
        var database = new MemoryDatabase();
        await using var server = await TestServer.StartAsync(null, database);
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        await romeo.BefriendAsync(juliet);
        var local = server.Services.Local;
        var (session, _) = await local.Bind(juliet.Jid.Bare, "other", new CapturedLink(), "c1");
        var hold = new Hold();
        database.BeforeRead = hold.Wait;
        var available = local.Receive(session!,
            new Presence(PresenceType.Available, session!.Jid, Jid.None, null)).AsTask();
        await hold.Reached;

        await local.End(session);
        hold.Release();
        await available;

        var seen = (await romeo.DrainAsync()).Where(element => element.Attribute("from") == session.Jid.ToString());
        Assert.Equal("unavailable", seen.LastOrDefault()?.Attribute("type") ?? "unavailable");
        Assert.Null(session.Available);
    }

    [Fact]
    public async Task A_session_that_ended_does_not_stay_where_it_showed_itself_last()
    {
        await using var server = await TestServer.StartAsync();
        var tybalt = await server.OnlineAsync("tybalt");
        await server.AddUserAsync("juliet");
        var local = server.Services.Local;
        var (session, _) = await local.Bind(Jid.Parse("juliet@localhost"), "r", new CapturedLink(), "c1");
        await local.End(session!);

        await local.Receive(session!, new Presence(PresenceType.Available, session!.Jid, tybalt.Jid, null));

        var seen = await tybalt.DrainAsync();
        Assert.Equal("unavailable", seen[^1].Attribute("type"));
        Assert.Empty(session.TakeDirected());
    }

    [Fact]
    public async Task A_session_is_gone_for_delivery_before_its_end_is_told()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("juliet");
        var local = server.Services.Local;
        var link = new CapturedLink();
        var (session, _) = await local.Bind(Jid.Parse("juliet@localhost"), "r", link, "c1");
        await local.Receive(session!, new Presence(PresenceType.Available, session!.Jid, Jid.None, null));
        await local.End(session);
        await local.End(session);
        link.Drop();

        Assert.Equal(DeliverOutcome.Gone,
            session.Deliver(new Message(MessageType.Chat, session.Jid, session.Jid, null)));
        await local.Route(new Message(MessageType.Chat, Jid.Parse("romeo@localhost"), session.Jid, "m",
            new Element(Namespaces.Client, "body", "late")));
        Assert.Empty(link.Take());
        Assert.Equal(1, await server.Services.Database.Offline.Count(session.Account));
    }
}
