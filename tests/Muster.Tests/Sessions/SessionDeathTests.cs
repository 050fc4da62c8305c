using Muster.Testing;
using static Muster.Testing.Patience;
using static Muster.Tests.Sessions.ManagementTests;

namespace Muster.Tests.Sessions;

/// <summary>What becomes of what a dead session did not bring to its client (stream-management.md §7).</summary>
[Spec("XEP-0198", "5")]
public class SessionDeathTests
{
    const string Sm = "xmlns='urn:xmpp:sm:3'";
    const string Listener = """
        [[listen.c2s]]
        port = 0
        tls.mode = "none"
        [modules.mod_ping]
        send_pings = false

        """;
    const string Garden = "garden@conference.localhost";
    static readonly TimeSpan Over = TimeSpan.FromSeconds(601);

    static string Bounced(string kind, string id, string to) =>
        $"<{kind} type='error' from='romeo@localhost/orchard' to='{to}' id='{id}'>" +
        "<error type='cancel' by='romeo@localhost'>" +
        "<recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></{kind}>"
            .Replace("{kind}", kind, StringComparison.Ordinal);

    [Fact, Feature("SM-05", "SM-06")]
    public async Task Messages_of_the_last_session_wait_and_requests_bounce()
    {
        await using var server = await TestServer.StartAsync(Listener);
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var romeo = await server.OnlineAsync("romeo", "orchard");
        await EnableAsync(romeo);
        string came = Muster.Protocol.Payloads.Timestamp.Format(server.Clock.GetUtcNow());
        await SendAllAsync(juliet);
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        await server.AdvanceAsync(Over);

        await juliet.ExpectAsync(Bounced("iq", "i1", "juliet@localhost/balcony"));
        await juliet.ExpectNothingAsync();
        Assert.Contains("muster_sm_dropped_stanzas_count 1\n", server.Host.Metrics.ToPrometheus(),
            StringComparison.Ordinal);
        romeo = await server.LoginAsync("romeo", "new");
        await romeo.SendAsync("<presence/>");
        foreach (string id in (string[])["m1", "m2"])
        {
            var message = await romeo.ExpectEventuallyAsync(
                $"<message from='juliet@localhost/balcony' to='romeo@localhost' id='{id}' type='**'>...</message>");
            // When it came, not when it was given up.
            Assert.Equal(came, message.Child("urn:xmpp:delay", "delay")!.Attribute("stamp"));
        }
    }

    [Fact, Feature("SM-07", "SM-08")]
    public async Task With_the_rules_of_the_reference_all_bounces_while_there_are_others_or_no_storage()
    {
        foreach (bool hasOther in (bool[])[true, false])
        {
            await using var server = await TestServer.StartAsync(Listener + (hasOther
                ? "[modules.mod_smacks]\nsmacks_redeliver = \"bounce\""
                : "[modules.mod_offline]\nenabled = false"));
            var juliet = await server.OnlineAsync("juliet", "balcony");
            var romeo = await server.OnlineAsync("romeo", "orchard");
            await EnableAsync(romeo);
            await SendAllAsync(juliet);
            if (hasOther) await server.OnlineAsync("romeo", "other");
            await romeo.DisposeAsync();
            await WaitingAsync(server, 1);
            await server.AdvanceAsync(Over);
            await juliet.ExpectAsync(Bounced("message", "m1", "juliet@localhost/balcony"));
            await juliet.ExpectAsync(Bounced("message", "m2", "juliet@localhost/balcony"));
            await juliet.ExpectAsync(Bounced("iq", "i1", "juliet@localhost/balcony"));
            await juliet.ExpectNothingAsync();
        }
    }

    [Fact, Feature("SM-09")]
    public async Task Where_the_archive_has_it_no_error_is_sent()
    {
        await using var server = await TestServer.StartAsync(Listener + """
            [modules.mod_offline]
            enabled = false
            [modules.mod_nooffline_noerror]
            enabled = true
            """);
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var romeo = await server.OnlineAsync("romeo", "orchard");
        await EnableAsync(romeo);
        await SendAllAsync(juliet);
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        await server.AdvanceAsync(Over);
        await juliet.ExpectAsync(Bounced("iq", "i1", "juliet@localhost/balcony"));
        await juliet.ExpectNothingAsync();
    }

    [Fact]
    public async Task Another_device_gets_what_it_does_not_have_and_nothing_twice()
    {
        await using var server = await TestServer.StartAsync(Listener);
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var phone = await server.OnlineAsync("romeo", "orchard");
        var laptop = await server.OnlineAsync("romeo", "laptop");
        await EnableAsync(phone);
        await juliet.SendAsync("<message to='romeo@localhost/orchard' type='chat' id='1'><body>phone</body></message>");
        await juliet.SendAsync("<message to='romeo@localhost' type='chat' id='2'><body>both</body></message>");
        await laptop.ExpectEventuallyAsync("<message id='2' from='*' to='*' type='chat'><body>both</body></message>");
        await phone.DisposeAsync();
        await WaitingAsync(server, 1);
        await server.AdvanceAsync(Over);
        await laptop.ExpectEventuallyAsync("<message id='1' from='juliet@localhost/balcony' to='romeo@localhost' " +
            "type='chat'><body>phone</body><delay xmlns='urn:xmpp:delay' from='localhost' stamp='*'/></message>");
        await laptop.ExpectAsync("<presence type='unavailable' from='romeo@localhost/orchard' to='romeo@localhost'/>");
        await laptop.ExpectNothingAsync();
        await juliet.ExpectNothingAsync();
    }

    [Fact, Feature("SM-06", "CN-13")]
    public async Task A_room_gets_its_message_back_and_sees_a_ghost()
    {
        await using var server = await TestServer.StartAsync(Listener);
        var juliet = await EnterAsync(server, "juliet", "balcony", "Juliet");
        var romeo = await EnterAsync(server, "romeo", "orchard", "Romeo");
        await juliet.DrainAsync();
        await EnableAsync(romeo);
        await juliet.SendAsync(Groupchat("g"));
        await romeo.ExpectAsync(Received("g"));
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        await server.AdvanceAsync(TimeSpan.FromSeconds(300));
        await juliet.DrainAsync();
        await server.AdvanceAsync(Over);
        var gone = await juliet.ExpectEventuallyAsync(
            $"<presence type='unavailable' from='{Garden}/Romeo' to='juliet@localhost/balcony'>...</presence>");
        Assert.Contains("code='333'", gone.ToString(), StringComparison.Ordinal);
        await juliet.ExpectNothingAsync();
    }

    [Fact, Feature("SM-13", "SM-20")]
    public async Task One_more_than_may_wait_ends_the_one_that_waits_longest()
    {
        await using var server = await TestServer.StartAsync(Listener + """
            [modules.mod_smacks]
            smacks_max_hibernated_sessions = 2
            """);
        var tokens = new List<string>();
        for (int i = 0; i < 3; i++)
        {
            var client = await server.LoginAsync("romeo", $"r{i}");
            tokens.Add(await EnableAsync(client));
            await client.DisposeAsync();
            var oldest = Muster.Protocol.Addresses.Jid.Parse("romeo@localhost/r0");
            if (i == 2) await Eventually(() => server.Services.Sessions.FindSession(oldest) is null);
            await WaitingAsync(server, Math.Min(i + 1, 2));
            await server.AdvanceAsync(TimeSpan.FromSeconds(1));
        }
        var again = await ConnectAsync(server, "romeo");
        await again.SendAsync($"<resume {Sm} previd='{tokens[0]}' h='0'/>");
        await again.ExpectAsync($"<failed {Sm} h='0'>...</failed>");
        await again.SendAsync($"<resume {Sm} previd='{tokens[1]}' h='0'/>");
        await again.ExpectAsync($"<resumed {Sm} h='0' previd='{tokens[1]}'/>");
    }

    [Fact]
    public async Task What_a_client_has_sent_is_counted_in_storage_while_it_is_away()
    {
        await using var server = await TestServer.StartAsync(Listener);
        var romeo = await server.OnlineAsync("romeo", "orchard");
        await EnableAsync(romeo);
        var address = Muster.Protocol.Addresses.Jid.Parse("romeo@localhost/orchard");
        var session = server.Services.Sessions.FindSession(address)!;
        await romeo.SendAsync("<presence><show>away</show></presence>");
        await Eventually(() => session.UnstoredCount == 1);
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        await Eventually(() => session.StoredCount == 1); // so that nobody waits for it at the return
    }

    [Fact, Feature("SM-14", "SM-21")]
    public async Task The_counts_of_the_newest_ended_sessions_are_told()
    {
        await using var server = await TestServer.StartAsync(Listener + """
            [modules.mod_smacks]
            smacks_max_old_sessions = 2
            smacks_hibernation_time = 1
            """);
        var tokens = new List<string>();
        for (int i = 0; i < 3; i++)
        {
            var client = await server.LoginAsync("romeo", $"r{i}");
            tokens.Add(await EnableAsync(client));
            await client.DisposeAsync();
            await WaitingAsync(server, 1);
            await server.AdvanceAsync(TimeSpan.FromSeconds(3));
            await WaitingAsync(server, 0);
        }
        var again = await ConnectAsync(server, "romeo");
        string[] counts = ["", "h='0'", "h='0'"];
        foreach (var (token, count) in tokens.Zip(counts))
        {
            await again.SendAsync($"<resume {Sm} previd='{token}' h='0'/>");
            await again.ExpectAsync($"<failed {Sm} {count}>...</failed>");
        }
    }

    [Fact, Feature("SM-10", "SM-19")]
    public async Task An_acknowledgement_that_is_late_is_an_event_and_so_is_each_stanza_until_it_comes()
    {
        await using var server = await TestServer.StartAsync(Listener + """
            [modules.mod_smacks]
            smacks_max_ack_delay = 5
            """);
        var events = new List<string>();
        server.Services.Local.Resumable.Events.AckDelayed.Add((session, stanza) =>
            { lock (events) events.Add($"{session.Jid} {stanza?.Stanza.Id}"); });
        var romeo = await server.OnlineAsync("romeo", "orchard");
        await EnableAsync(romeo);
        var juliet = await server.LoginAsync("juliet");
        await juliet.SendAsync("<message to='romeo@localhost/orchard' id='1'/>");
        await romeo.ExpectEventuallyAsync($"<r {Sm}/>");
        await server.AdvanceAsync(TimeSpan.FromSeconds(4));
        Assert.Empty(events);
        await server.AdvanceAsync(TimeSpan.FromSeconds(3));
        await server.AdvanceAsync(TimeSpan.FromSeconds(3));
        await juliet.SendAsync("<message to='romeo@localhost/orchard' id='2'/>");
        await romeo.ExpectAsync("<message from='*' to='*' id='2'/>");
        await romeo.SendAsync($"<a {Sm} h='2'/>");
        await romeo.ExpectNothingAsync();
        await juliet.SendAsync("<message to='romeo@localhost/orchard' id='3'/>");
        await romeo.ExpectEventuallyAsync("<message from='*' to='*' id='3'/>");
        lock (events) Assert.Equal(["romeo@localhost/orchard ", "romeo@localhost/orchard 2"], events);
    }

    [Fact, Feature("SM-11", "SM-12")]
    public async Task Hibernation_is_told_from_its_start_to_its_end()
    {
        await using var server = await TestServer.StartAsync(Listener);
        var told = new List<string>();
        var events = server.Services.Local.Resumable.Events;
        events.HibernationStarted.Add(_ => { lock (told) told.Add("start"); });
        events.StanzaQueued.Add((_, stanza) => { lock (told) told.Add($"queued {stanza.Stanza.Id}"); });
        events.HibernationEnded.Add(_ => { lock (told) told.Add("end"); });
        var romeo = await server.OnlineAsync("romeo", "orchard");
        string token = await EnableAsync(romeo);
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        var juliet = await server.LoginAsync("juliet");
        await juliet.SendAsync("<message to='romeo@localhost/orchard' id='1'/>");
        await juliet.ExpectNothingAsync();
        romeo = await ConnectAsync(server, "romeo");
        await romeo.SendAsync($"<resume {Sm} previd='{token}' h='0'/>");
        await romeo.ExpectAsync($"<resumed {Sm} h='0' previd='{token}'/>");
        lock (told) Assert.Equal(["start", "queued 1", "end"], told);
    }

    [Fact]
    public async Task A_client_that_never_acknowledges_costs_a_bounded_number_of_bytes_and_can_resume()
    {
        await using var server = await TestServer.StartAsync(Listener + """
            [modules.mod_smacks]
            smacks_max_queue_size = 5
            """);
        var juliet = await EnterAsync(server, "juliet", "balcony", "Juliet");
        var romeo = await EnterAsync(server, "romeo", "orchard", "Romeo");
        await romeo.DrainAsync();
        string token = await EnableAsync(romeo);
        for (int i = 0; i < 30; i++)
        {
            await juliet.SendAsync(Groupchat($"g{i}"));
            await romeo.ExpectEventuallyAsync(Received($"g{i}"));
        }
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        romeo = await ConnectAsync(server, "romeo");
        await romeo.SendAsync($"<resume {Sm} previd='{token}' h='3'/>");
        await romeo.ExpectAsync($"<resumed {Sm} h='0' previd='{token}'/>");
        for (int i = 3; i < 30; i++)
        {
            var message = await romeo.ReceiveAsync();
            Assert.Equal($"g{i}", message.Attribute("id"));
            Assert.Equal("romeo@localhost/orchard", message.Attribute("to"));
            Assert.NotNull(message.Child("urn:xmpp:delay", "delay"));
        }
        await romeo.ExpectAsync($"<r {Sm}/>");
    }

    [Fact]
    public async Task What_the_accounts_archive_has_is_read_from_there()
    {
        await using var server = await TestServer.StartAsync(Listener + """
            [modules.mod_smacks]
            smacks_max_queue_size = 5
            """);
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var romeo = await server.OnlineAsync("romeo", "orchard");
        string token = await EnableAsync(romeo);
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        for (int i = 0; i < 20; i++)
            await juliet.SendAsync($"<message to='romeo@localhost' id='c{i}' type='chat'><body>{i}</body></message>");
        await juliet.ExpectNothingAsync();
        romeo = await ConnectAsync(server, "romeo");
        await romeo.SendAsync($"<resume {Sm} previd='{token}' h='0'/>");
        await romeo.ExpectAsync($"<resumed {Sm} h='0' previd='{token}'/>");
        var ids = new List<long>();
        for (int i = 0; i < 20; i++)
        {
            var message = await romeo.ReceiveAsync();
            Assert.Equal(($"c{i}", "juliet@localhost/balcony", $"{i}"),
                (message.Attribute("id"), message.Attribute("from"), message.Child("body")?.Text));
            Assert.NotNull(message.Child("urn:xmpp:delay", "delay"));
            string text = Assert.Single(message.Children("urn:xmpp:sid:0", "stanza-id")).Attribute("id")!;
            Assert.True(server.Services.ArchiveIds.TryRead(text, out long id));
            ids.Add(id);
        }
        Assert.Equal(ids.Order().Distinct(), ids);
        await romeo.ExpectAsync($"<r {Sm}/>");
    }

    [Fact]
    public async Task What_is_in_no_archive_ends_the_session_and_waits()
    {
        await using var server = await TestServer.StartAsync(Listener + """
            [modules.mod_mam]
            enabled = false
            [modules.mod_smacks]
            smacks_max_queue_size = 5
            """);
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var romeo = await server.OnlineAsync("romeo", "orchard");
        string token = await EnableAsync(romeo);
        for (int i = 0; i < 6; i++)
            await juliet.SendAsync($"<message to='romeo@localhost/orchard' id='c{i}'><body>{i}</body></message>");
        await romeo.ExpectEventuallyAsync("<stream:error>...</stream:error>");
        await romeo.DisposeAsync();
        await Eventually(() => server.Services.Sessions.Find(romeo.Jid) is null);
        romeo = await ConnectAsync(server, "romeo");
        await romeo.SendAsync($"<resume {Sm} previd='{token}' h='0'/>");
        await romeo.ExpectAsync($"<failed {Sm} h='0'>...</failed>");
        await romeo.BindAsync("orchard");
        await romeo.SendAsync("<presence/>");
        var waited = new List<string>();
        while (waited.Count < 6)
        {
            var message = await romeo.ReceiveAsync();
            if (message.Name == "message") waited.Add(message.Attribute("id")!);
        }
        Assert.Equal(["c0", "c1", "c2", "c3", "c4", "c5"], waited.Order());
    }

    [Fact]
    public async Task What_storage_does_not_know_is_not_acknowledged()
    {
        await using var server = await TestServer.StartAsync(Listener);
        var juliet = await EnterAsync(server, "juliet", "balcony", "Juliet");
        await juliet.DrainAsync();
        await EnableAsync(juliet);
        var stored = new TaskCompletionSource();
        var database = (Muster.Server.Storage.Memory.MemoryDatabase)server.Services.Database;
        database.BeforeWrite = _ => new(stored.Task);
        await juliet.SendAsync(Groupchat("g") + $"<r {Sm}/>");
        var next = juliet.ReceiveAsync();
        await Assert.ThrowsAsync<TimeoutException>(() => next.WaitAsync(TimeSpan.FromMilliseconds(200)));
        database.BeforeWrite = null;
        stored.SetResult();
        var answer = await next;
        if (answer.Name != "a") answer = await juliet.ExpectEventuallyAsync($"<a {Sm} h='1'/>");
        Assert.Equal("1", answer.Attribute("h"));
    }

    static async Task<TestClient> EnterAsync(TestServer server, string user, string resource, string nick)
    {
        var client = await server.OnlineAsync(user, resource);
        await (user == "juliet" ? client.CreateRoomAsync(Garden, nick) : client.EnterAsync(Garden, nick));
        return client;
    }

    static string Groupchat(string id) =>
        $"<message to='{Garden}' type='groupchat' id='{id}'><body>{id}</body></message>";

    static string Received(string id) => $"<message from='*' to='*' type='**' id='{id}'>...</message>";

    static async Task SendAllAsync(TestClient juliet)
    {
        await juliet.SendAsync("""
            <message to='romeo@localhost/orchard' type='chat' id='m1'><body>one</body></message>
            <message to='romeo@localhost/orchard' id='m2'><body>two</body></message>
            <message to='romeo@localhost/orchard' type='headline' id='h1'><body>news</body></message>
            <iq to='romeo@localhost/orchard' type='get' id='i1'><query xmlns='jabber:iq:version'/></iq>
            <iq to='romeo@localhost/orchard' type='result' id='i2'/>
            <message to='romeo@localhost/orchard' type='error' id='e1'><error type='cancel'/></message>
            <presence to='romeo@localhost/orchard'/>
            """);
        await juliet.ExpectNothingAsync();
    }
}
