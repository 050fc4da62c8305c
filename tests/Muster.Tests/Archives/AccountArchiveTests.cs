using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Muster.Server.Storage.Memory;
using Muster.Testing;

namespace Muster.Tests.Archives;

/// <summary>Archives of accounts in a whole server: kept before they are seen, and each message once.</summary>
[Spec("XEP-0313", "business-storeret-user-archives")]
public class AccountArchiveTests
{
    const string Config = """
        [[listen.c2s]]
        port = 0
        tls.mode = "none"
        """;

    [Fact]
    public async Task What_is_refused_is_not_in_the_archive_of_who_refuses_it()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        await juliet.AskAsync(
            "<iq type='set'><block xmlns='urn:xmpp:blocking'><item jid='romeo@localhost'/></block></iq>");
        await romeo.SendAsync("<message type='chat' to='juliet@localhost' id='b'><body>blocked</body></message>");
        await romeo.ExpectEventuallyAsync("<message type='error' id='b' from='*' to='*'>...</message>");
        await juliet.DrainAsync();
        await juliet.AskAsync("<iq type='set'><unblock xmlns='urn:xmpp:blocking'/></iq>");
        await romeo.SendAsync("<message to='juliet@localhost/gone' id='n'><body>nowhere</body></message>");
        await romeo.ExpectEventuallyAsync("<message type='error' id='n' from='*' to='*'>...</message>");
        await romeo.SendAsync("<message type='chat' to='nobody@localhost' id='x'><body>nobody</body></message>");
        await romeo.ExpectEventuallyAsync("<message type='error' id='x' from='*' to='*'>...</message>");

        Assert.Empty((await juliet.ArchiveAsync()).Bodies);
        // The sender did say it.
        Assert.Equal(["blocked", "nowhere", "nobody"], (await romeo.ArchiveAsync()).Bodies);
        Assert.Null(await server.Services.Database.Archive.Range(Jid.Parse("nobody@localhost")));
    }

    [Fact]
    public async Task A_message_to_oneself_is_there_once_and_found_by_the_own_address_alone()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet");
        var romeo = await server.OnlineAsync("romeo");
        await juliet.SendAsync("<message type='chat' to='juliet@localhost'><body>note</body></message>");
        await juliet.SendAsync("<message type='chat' to='romeo@localhost'><body>hello</body></message>");
        await romeo.ExpectAsync("<message type='chat' from='*' to='*'><body>hello</body></message>");

        Assert.Equal(["note", "hello"], (await juliet.ArchiveAsync()).Bodies);
        // §4.1.1.
        Assert.Equal(["note"],
            (await juliet.ArchiveAsync(content: MamScenes.Form(("with", "juliet@localhost")))).Bodies);
        Assert.Equal(["hello"],
            (await juliet.ArchiveAsync(content: MamScenes.Form(("with", "romeo@localhost")))).Bodies);
        Assert.Equal(["hello"],
            (await romeo.ArchiveAsync(content: MamScenes.Form(("with", "juliet@localhost/test")))).Bodies);
        Assert.Empty((await romeo.ArchiveAsync(content: MamScenes.Form(("with", "juliet@localhost/else")))).Bodies);
    }

    [Fact]
    public async Task An_offline_message_that_was_read_in_the_archive_does_not_come_again()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("juliet");
        var romeo = await server.OnlineAsync("romeo");
        for (int i = 1; i <= 5; i++)
            await romeo.SendAsync($"<message type='chat' to='juliet@localhost'><body>m{i}</body></message>");
        await romeo.ExpectNothingAsync();

        var juliet = await server.LoginAsync("juliet");
        // A conversation alone is no stretch of the archive: what else there is is not known of.
        await juliet.ArchiveAsync(content: MamScenes.Form(("with", "romeo@localhost")));
        var page = await juliet.ArchiveAsync(content: MamScenes.Page(3, before: ""));
        Assert.Equal(["m3", "m4", "m5"], page.Bodies);
        await juliet.SendAsync("<presence/>");

        foreach (string body in (string[])["m1", "m2"])
            await juliet.ExpectEventuallyAsync($"<message type='chat' from='*' to='*'><body>{body}</body>" +
                "<delay xmlns='urn:xmpp:delay' from='*' stamp='*'>*</delay></message>");
        Assert.All(await juliet.DrainAsync(), element => Assert.NotEqual("message", element.Name));
        Assert.Equal(0, await server.Services.Database.Offline.Count(Jid.Parse("juliet@localhost")));
    }

    [Fact]
    public async Task Without_a_question_offline_messages_come_as_ever_with_their_id()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("juliet");
        var romeo = await server.OnlineAsync("romeo");
        await romeo.SendAsync("<message type='chat' to='juliet@localhost'><body>hello</body></message>");
        await romeo.ExpectNothingAsync();
        var juliet = await server.LoginAsync("juliet");
        await juliet.SendAsync("<presence/>");
        await juliet.ExpectEventuallyAsync("<message type='chat' from='*' to='*'><body>hello</body>" +
            "<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@localhost' id='{id}'/>" +
            "<delay xmlns='urn:xmpp:delay' from='*' stamp='*'>*</delay></message>");
        Assert.Equal(juliet.Names["id"], (await juliet.ArchiveAsync()).Ids[0]);
    }

    [Theory]
    [InlineData("[modules.mod_nooffline_noerror]", null)]
    [InlineData("", "service-unavailable")]
    [InlineData("[modules.mod_nooffline_noerror]\n[modules.mod_mam]\nenabled = false", "service-unavailable")]
    [Feature("SM-09")]
    public async Task Where_the_archive_has_it_nobody_hears_that_it_is_not_kept(string modules, string? condition)
    {
        await using var server = await TestServer.StartAsync(
            $"{Config}\n[modules.mod_offline]\nenabled = false\n{modules}");
        await server.AddUserAsync("juliet");
        var romeo = await server.OnlineAsync("romeo");
        await romeo.SendAsync("<message type='chat' to='juliet@localhost'><body>hello</body></message>");
        if (condition is not null) Assert.Equal(condition, (await romeo.ReceiveAsync()).ErrorCondition());
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    public async Task When_it_cannot_be_kept_nobody_sees_it_and_the_sender_is_told()
    {
        var database = new MemoryDatabase();
        await using var server = await TestServer.StartAsync(null, database);
        server.ErrorsExpected = true;
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        database.BeforeWrite = _ => throw new StorageException(StorageFault.Full, "the disk is full");
        await romeo.SendAsync("<message type='chat' to='juliet@localhost' id='m'><body>lost</body></message>");
        Assert.Equal("resource-constraint", (await romeo.ReceiveAsync()).ErrorCondition());
        await juliet.ExpectNothingAsync();

        database.BeforeWrite = null;
        await romeo.SendAsync("<message type='chat' to='juliet@localhost' id='m'><body>found</body></message>");
        await juliet.ExpectAsync("<message type='chat' from='*' to='*' id='m'><body>found</body></message>");
        Assert.Equal(["found"], (await juliet.ArchiveAsync()).Bodies);
    }

    [Fact]
    public async Task Many_who_write_at_once_to_one_see_their_messages_in_the_order_of_the_archive()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet");
        var senders = new List<TestClient>();
        for (int i = 0; i < 8; i++) senders.Add(await server.LoginAsync($"user{i}"));
        await Task.WhenAll(senders.Select(async sender =>
        {
            for (int i = 0; i < 25; i++)
                await sender.SendAsync($"<message type='chat' to='juliet@localhost'><body>{i}</body></message>");
        }));
        var seen = new List<(string, string)>();
        while (seen.Count < 200)
        {
            var element = await juliet.ReceiveAsync();
            if (element.Name == "message")
                seen.Add((element.Attribute("from")!, element.Child("urn:xmpp:sid:0", "stanza-id")!.Attribute("id")!));
        }

        var kept = new List<(string, string)>();
        for (string? after = null; ;)
        {
            var page = await juliet.ArchiveAsync(content: MamScenes.Page(after: after));
            kept.AddRange(page.Messages.Select(m => m.Attribute("from")!).Zip(page.Ids));
            if (page.Complete) break;
            after = page.Ids[^1];
        }
        Assert.Equal(seen, kept);
        Assert.Equal(200, kept.Select(one => one.Item2).Distinct().Count());
    }

    [Fact]
    public async Task A_page_is_as_long_as_allowed_and_no_longer_than_a_client_reads()
    {
        await using var server = await TestServer.StartAsync(Config + """

            [modules.mod_mam]
            default_result_limit = 2
            max_result_limit = 7
            """);
        var juliet = await server.OnlineAsync("juliet");
        for (int i = 0; i < 20; i++)
            await juliet.SendAsync($"<message type='chat' to='juliet@localhost'><body>{i}</body></message>");
        await juliet.DrainAsync();

        Assert.Equal(2, (await juliet.ArchiveAsync()).Ids.Length);
        Assert.Equal(7, (await juliet.ArchiveAsync(content: MamScenes.Page(1_000_000))).Ids.Length);
        // Long messages make a shorter page; paging goes on where it ended.
        string words = new('w', 100_000);
        for (int i = 0; i < 7; i++)
            await juliet.SendAsync($"<message type='chat' to='juliet@localhost'><body>{i}{words}</body></message>");
        await juliet.DrainAsync();
        var page = await juliet.ArchiveAsync(content: MamScenes.Page(7, before: ""));
        Assert.Equal(["2", "3", "4", "5", "6"], page.Bodies.Select(body => body[..1]));
        Assert.False(page.Complete);
        var before = await juliet.ArchiveAsync(content: MamScenes.Page(2, before: page.Ids[0]));
        Assert.Equal(["0", "1"], before.Bodies.Select(body => body[..1]));
    }

    [Fact]
    public async Task Old_messages_go_and_so_do_those_of_an_account_that_is_removed()
    {
        await using var server = await TestServer.StartAsync(Config + """

            [modules.mod_mam]
            retention_days = 7
            [modules.mod_ping]
            send_pings = false
            """);
        var juliet = await server.OnlineAsync("juliet");
        await juliet.SendAsync("<message type='chat' to='juliet@localhost'><body>old</body></message>");
        await juliet.DrainAsync();
        for (int day = 0; day < 8; day++)
        {
            if (day == 4)
                await juliet.SendAsync("<message type='chat' to='juliet@localhost'><body>new</body></message>");
            await juliet.DrainAsync();
            for (int hour = 0; hour < 24; hour++)
            {
                await server.AdvanceAsync(TimeSpan.FromHours(1));
                await juliet.DrainAsync();
            }
        }
        string[] bodies = [];
        for (int tries = 0; tries < 100 && bodies is not ["new"]; tries++)
            bodies = (await juliet.ArchiveAsync()).Bodies;
        Assert.Equal(["new"], bodies);

        await server.Services.Database.Accounts.Remove(Jid.Parse("juliet@localhost"));
        Assert.Null(await server.Services.Database.Archive.Range(Jid.Parse("juliet@localhost")));
    }

    [Fact]
    public async Task Who_says_so_keeps_nothing_or_contacts_alone()
    {
        await using var server = await TestServer.StartAsync(Config + """

            [modules.mod_mam]
            default_policy = "roster"
            """);
        await server.AddUserAsync("juliet");
        var romeo = await server.OnlineAsync("romeo");
        await romeo.SendAsync("<message type='chat' to='juliet@localhost'><body>stranger</body></message>");
        await romeo.ExpectNothingAsync();
        var juliet = await server.LoginAsync("juliet");
        Assert.Contains("default='roster'",
            (await juliet.AskAsync("<iq type='get'><prefs xmlns='urn:xmpp:mam:2'/></iq>")).ToString());
        await juliet.AskAsync(
            "<iq type='set'><query xmlns='jabber:iq:roster'><item jid='romeo@localhost'/></query></iq>");
        await juliet.CloseAsync();
        await romeo.SendAsync("<message type='chat' to='juliet@localhost'><body>contact</body></message>");
        await romeo.ExpectNothingAsync();
        juliet = await server.LoginAsync("juliet");
        Assert.Equal(["contact"], (await juliet.ArchiveAsync()).Bodies);
        Assert.Empty((await romeo.ArchiveAsync()).Bodies);
        Assert.Equal("forbidden", (await romeo.AskAsync(
            "<iq type='get' to='juliet@localhost'><prefs xmlns='urn:xmpp:mam:2'/></iq>")).ErrorCondition());
    }
}
