using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;
using static Muster.Testing.Patience;

namespace Muster.Tests.Sessions;

/// <summary>Stream management as a client sees it (XEP-0198; stream-management.md §2 to §5).</summary>
[Spec("XEP-0198", "3")]
public class ManagementTests
{
    const string Sm = "xmlns='urn:xmpp:sm:3'";
    const string Juliet = "juliet@localhost/balcony", Romeo = "romeo@localhost/orchard";

    static string Failed(string condition, string attributes = "") =>
        $"<failed {Sm} {attributes}><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>";

    static string Chat(string from, string to, string id, string body, bool late = false) =>
        $"<message type='chat' from='{from}' to='{to}' id='{id}'><body>{body}</body>" +
        (late ? $"<delay xmlns='urn:xmpp:delay' from='romeo@localhost' stamp='*'/></message>" : "</message>");

    static string Unavailable(string from, string to) => $"<presence type='unavailable' from='{from}' to='{to}'/>";

    [Theory, Feature("SM-22")]
    [InlineData("urn:xmpp:sm:3")]
    [InlineData("urn:xmpp:sm:2")]
    public async Task A_stream_is_managed_in_the_clients_own_version(string ns)
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("romeo");
        var romeo = server.Connect();
        var features = await romeo.AuthenticateAsync("romeo", "romeo");
        Assert.NotNull(features.Child(ns, "sm"));
        await romeo.BindAsync("orchard");
        await romeo.SendAsync($"<enable xmlns='{ns}' resume='true'/>");
        var enabled = await romeo.ExpectAsync($"<enabled xmlns='{ns}' id='*' resume='true' max='600'/>");
        Assert.True(enabled.Attribute("id")!.Length >= 22);
        await romeo.SendAsync($"<r xmlns='{ns}'/>");
        await romeo.ExpectAsync($"<a xmlns='{ns}' h='0'/>");
    }

    [Fact, Feature("SM-22")]
    public async Task A_client_may_want_acknowledgements_alone()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        await romeo.SendAsync($"<enable {Sm}/>");
        await romeo.ExpectAsync($"<enabled {Sm}/>");
        await romeo.SendAsync($"<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq><r {Sm}/>");
        await romeo.ExpectAsync("<iq type='result' id='p' from='romeo@localhost' to='romeo@localhost/test'/>");
        await romeo.ExpectEventuallyAsync($"<a {Sm} h='1'/>"); // and <r/>, before or after it
        // It ends with its connection.
        await romeo.DisposeAsync();
        await Eventually(() => server.Services.Sessions.Count == 0);
    }

    [Fact, Feature("SM-01")]
    public async Task Stanzas_are_counted_and_nothing_else()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo", "orchard");
        await romeo.SendAsync("<presence/>");
        await romeo.ExpectAsync("<presence from='romeo@localhost/orchard' to='romeo@localhost'/>");
        await romeo.SendAsync($"<enable {Sm}/>");
        await romeo.ExpectAsync($"<enabled {Sm}/>");
        // One that is refused counts as well; white space, acknowledgements and the client's state do not.
        await romeo.SendAsync($"""
            <message to='romeo@localhost/orchard' id='m1'/> <active xmlns='urn:xmpp:csi:0'/>
            <iq type='get' id='bad' to='a@b@c'><x xmlns='y'/></iq><a {Sm} h='0'/><presence to='@'/><r {Sm}/>
            """);
        await romeo.ExpectAsync("<message from='romeo@localhost/orchard' to='romeo@localhost/orchard' id='m1'/>");
        await romeo.ExpectEventuallyAsync($"<a {Sm} h='3'/>");
    }

    [Fact]
    public async Task Before_a_resource_is_bound_nothing_is_managed()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("romeo");
        var romeo = server.Connect();
        await romeo.OpenAsync();
        string failed = Failed("unexpected-request");
        await romeo.SendAsync($"<enable {Sm}/>");
        await romeo.ExpectAsync(failed);
        await romeo.SendAsync($"<resume {Sm} previd='x' h='0'/>");
        await romeo.ExpectAsync(failed);

        romeo = server.Connect();
        await romeo.AuthenticateAsync("romeo", "romeo");
        foreach (string early in (string[])["enable", "r", "a"])
        {
            await romeo.SendAsync($"<{early} {Sm}/>");
            await romeo.ExpectAsync(failed);
        }
        await romeo.BindAsync("orchard");
        // Bound, it can be enabled once, and no session resumed; the stream is unharmed.
        foreach (string early in (string[])["r", "a"])
        {
            await romeo.SendAsync($"<{early} {Sm} h='0'/>");
            await romeo.ExpectAsync(failed);
        }
        await romeo.SendAsync($"<enable {Sm} resume='1'/>");
        await romeo.ExpectAsync($"<enabled {Sm} id='{{token}}' resume='true' max='600'/>");
        await romeo.SendAsync($"<enable {Sm}/><resume {Sm} previd='{{token}}' h='0'/><r {Sm}/>");
        await romeo.ExpectAsync(failed);
        await romeo.ExpectAsync(failed);
        await romeo.ExpectAsync($"<a {Sm} h='0'/>");
    }

    [Theory]
    [InlineData("h='1'", "undefined-condition")]
    [InlineData("h='4294967295'", "undefined-condition")]
    [InlineData("h='4294967296'", "invalid-xml")]
    [InlineData("h='-1'", "invalid-xml")]
    [InlineData("h=''", "invalid-xml")]
    [InlineData("h='one'", "invalid-xml")]
    [InlineData("", "invalid-xml")]
    public async Task An_acknowledgement_of_what_was_not_sent_ends_the_stream_for_good(string h, string condition)
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        string token = await EnableAsync(romeo);
        await romeo.SendAsync($"<a {Sm} {h}/>");
        await romeo.ExpectAsync($"<a {Sm} h='0'/>");
        var error = await romeo.ExpectStreamErrorAsync(condition);
        if (condition == "undefined-condition")
            Assert.Equal("0", error.Child("urn:xmpp:sm:3", "handled-count-too-high")!.Attribute("send-count"));
        await Eventually(() => server.Services.Sessions.Count == 0);
        var again = await ConnectAsync(server, "romeo");
        await again.SendAsync($"<resume {Sm} previd='{token}' h='0'/>");
        await again.ExpectAsync($"<failed {Sm}>...</failed>");
        await again.BindAsync("new"); // the next login works
    }

    [Fact, Feature("SM-02"), Feature("SM-03")]
    public async Task A_broken_connection_loses_nothing_and_nobody_notices()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var romeo = await server.OnlineAsync("romeo", "orchard");
        await romeo.BefriendAsync(juliet);
        await juliet.DrainAsync();
        string token = await EnableAsync(romeo);
        await juliet.SendAsync("<message type='chat' to='romeo@localhost/orchard' id='m1'><body>1</body></message>");
        await romeo.ExpectAsync(Chat(Juliet, Romeo, "m1", "1"));
        await romeo.ExpectAsync($"<r {Sm}/>");
        await romeo.SendAsync("<message type='chat' to='juliet@localhost/balcony' id='r1'><body>one</body></message>");
        await juliet.ExpectAsync(Chat(Romeo, Juliet, "r1", "one"));

        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        await juliet.SendAsync("<message type='chat' to='romeo@localhost' id='m2'><body>2</body></message>");
        await juliet.SendAsync($"<iq type='get' id='v' to='{Romeo}'><query xmlns='jabber:iq:version'/></iq>");
        await juliet.ExpectNothingAsync(); // no unavailable presence, no error

        romeo = await ConnectAsync(server, "romeo");
        await romeo.SendAsync($"<resume {Sm} previd='{token}' h='0'/>");
        await romeo.ExpectAsync($"<resumed {Sm} h='1' previd='{token}'/>");
        await romeo.ExpectAsync(Chat(Juliet, Romeo, "m1", "1", late: true));
        await romeo.ExpectAsync(Chat(Juliet, "romeo@localhost", "m2", "2", late: true));
        await romeo.ExpectAsync(
            $"<iq type='get' id='v' from='{Juliet}' to='{Romeo}'><query xmlns='jabber:iq:version'/></iq>");
        await romeo.ExpectAsync($"<r {Sm}/>");
        await romeo.SendAsync($"<a {Sm} h='3'/>");
        // It is the same session: its address, its presence and its counters go on; the token stays good.
        await romeo.SendAsync("<message type='chat' to='juliet@localhost/balcony' id='r2'><body>two</body></message>");
        await juliet.ExpectAsync(Chat(Romeo, Juliet, "r2", "two"));
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        romeo = await ConnectAsync(server, "romeo");
        await romeo.SendAsync($"<resume {Sm} previd='{token}' h='3'/>");
        await romeo.ExpectAsync($"<resumed {Sm} h='2' previd='{token}'/>");
        await juliet.ExpectNothingAsync();
        string metrics = server.Host.Metrics.ToPrometheus();
        Assert.Contains("muster_sm_queued_total 2\n", metrics, StringComparison.Ordinal);
        Assert.Contains("muster_sm_acknowledged_stanzas_sum 3\n", metrics, StringComparison.Ordinal);
    }

    [Fact, Feature("SM-04"), Feature("SM-15")]
    public async Task After_its_time_the_session_is_gone_and_its_count_is_told()
    {
        await using var server = await TestServer.StartAsync("""
            [[listen.c2s]]
            port = 0
            tls.mode = "none"
            [modules.mod_smacks]
            smacks_hibernation_time = 30
            """);
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var romeo = await server.OnlineAsync("romeo", "orchard");
        await romeo.BefriendAsync(juliet);
        await juliet.DrainAsync();
        await romeo.SendAsync($"<enable {Sm} resume='true' max='4000'/>");
        await romeo.ExpectAsync($"<enabled {Sm} id='{{token}}' resume='true' max='30'/>");
        string token = romeo.Names["token"];
        await romeo.SendAsync("<message to='juliet@localhost/balcony' id='x'/>");
        await juliet.ExpectAsync($"<message to='{Juliet}' from='{Romeo}' id='x'/>");
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);

        await server.AdvanceAsync(TimeSpan.FromSeconds(29));
        await juliet.ExpectNothingAsync();
        await server.AdvanceAsync(TimeSpan.FromSeconds(2));
        await juliet.ExpectAsync(Unavailable(Romeo, "juliet@localhost"));

        romeo = await ConnectAsync(server, "romeo");
        await romeo.SendAsync($"<resume {Sm} previd='{token}' h='0'/>");
        await romeo.ExpectAsync(Failed("item-not-found", "h='1'"));
        // The answer may have been lost with the connection: it is the same to who asks again.
        await romeo.DisposeAsync();
        romeo = await ConnectAsync(server, "romeo");
        await romeo.SendAsync($"<resume {Sm} previd='{token}' h='0'/>");
        await romeo.ExpectAsync(Failed("item-not-found", "h='1'"));
        await romeo.BindAsync("orchard");
    }

    [Fact, Feature("SM-02")]
    public async Task A_connection_that_breaks_while_it_is_written_to_ends_no_session()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var romeo = await server.OnlineAsync("romeo", "orchard");
        string token = await EnableAsync(romeo);
        await romeo.DeafenAsync();
        await juliet.SendAsync("<message type='chat' to='romeo@localhost/orchard' id='m1'><body>1</body></message>");
        await WaitingAsync(server, 1);
        await juliet.ExpectNothingAsync();

        romeo = await ConnectAsync(server, "romeo");
        await romeo.SendAsync($"<resume {Sm} previd='{token}' h='0'/>");
        await romeo.ExpectAsync($"<resumed {Sm} h='0' previd='{token}'/>");
        await romeo.ExpectAsync(Chat(Juliet, Romeo, "m1", "1", late: true));
    }

    [Fact]
    public async Task A_stranger_learns_nothing_from_a_token()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        string token = await EnableAsync(romeo);
        var juliet = await ConnectAsync(server, "juliet");
        foreach (string stolen in (string[])[token, "nonsense", new string('x', 5000)])
        {
            await juliet.SendAsync($"<resume {Sm} previd='{stolen}' h='0'/>");
            await juliet.ExpectAsync(Failed("item-not-found"));
        }
        string[] wrong = ["previd='x'", "h='0'", "", "previd='' h='0'", "previd='x' h='-1'", "previd='x' h='no'"];
        foreach (string broken in wrong)
        {
            await juliet.SendAsync($"<resume {Sm} {broken}/>");
            await juliet.ExpectAsync(Failed("bad-request"));
        }
        await juliet.BindAsync("x");
        await romeo.ExpectNothingAsync();
    }

    [Fact]
    public async Task A_count_that_cannot_be_does_not_end_the_session_that_is_resumed()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        string token = await EnableAsync(romeo);
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        romeo = await ConnectAsync(server, "romeo");
        await romeo.SendAsync($"<resume {Sm} previd='{token}' h='7'/>");
        await romeo.ExpectAsync(Failed("undefined-condition"));
        await romeo.SendAsync($"<resume {Sm} previd='{token}' h='0'/>");
        await romeo.ExpectAsync($"<resumed {Sm} h='0' previd='{token}'/>");
    }

    [Fact]
    public async Task A_session_is_resumed_while_its_old_connection_still_looks_alive()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var old = await server.OnlineAsync("romeo", "orchard");
        await old.BefriendAsync(juliet);
        await juliet.DrainAsync();
        string token = await EnableAsync(old);
        var young = await ConnectAsync(server, "romeo");
        await young.SendAsync($"<resume {Sm} previd='{token}' h='0'/>");
        await young.ExpectAsync($"<resumed {Sm} h='0' previd='{token}'/>");
        await old.ExpectEventuallyAsync("<stream:error>...</stream:error>");
        await juliet.SendAsync("<message to='romeo@localhost/orchard' id='m'><body>here</body></message>");
        await young.ExpectAsync($"<message from='{Juliet}' to='{Romeo}' id='m'><body>here</body></message>");
        await juliet.ExpectNothingAsync();
        await old.DisposeAsync();
        await young.ExpectAsync($"<r {Sm}/>");
        await young.SendAsync($"<a {Sm} h='1'/>");
        await young.ExpectNothingAsync();
    }

    [Fact]
    public async Task Of_two_who_resume_at_once_the_last_has_the_session()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo", "orchard");
        string token = await EnableAsync(romeo);
        await romeo.DisposeAsync();
        await WaitingAsync(server, 1);
        var one = await ConnectAsync(server, "romeo");
        var two = await ConnectAsync(server, "romeo");
        string resume = $"<resume {Sm} previd='{token}' h='0'/>";
        await Task.WhenAll(one.SendAsync(resume), two.SendAsync(resume));
        var address = Jid.Parse(Romeo);
        await Eventually(() => server.Services.Sessions.FindSession(address) is { IsHibernating: false });
        await server.Services.Router.Route(new Message(
            MessageType.Chat, Jid.Parse("localhost"), address, "m", new Element(Namespaces.Client, "body", "hello")));
        // One has lost it to the other, which gets everything; whoever was first may have seen part of it.
        var answers = await Task.WhenAll(Answers(one), Answers(two));
        string lasting = Assert.Single(answers, answer => !answer.Contains("conflict", StringComparison.Ordinal));
        Assert.Contains("<resumed", lasting, StringComparison.Ordinal);
        Assert.Contains("hello", lasting, StringComparison.Ordinal);

        static async Task<string> Answers(TestClient client)
        {
            var all = new List<string>();
            try
            {
                while (true)
                {
                    all.Add((await client.ReceiveAsync().WaitAsync(TimeSpan.FromMilliseconds(500))).ToString());
                }
            }
            catch (Exception e) when (e is TimeoutException or EndOfStreamException or InvalidOperationException)
            {
                return string.Join('\n', all);
            }
        }
    }

    [Fact]
    public async Task A_stream_that_is_closed_is_over()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.OnlineAsync("juliet", "balcony");
        var romeo = await server.OnlineAsync("romeo", "orchard");
        await romeo.BefriendAsync(juliet);
        await juliet.DrainAsync();
        string token = await EnableAsync(romeo);
        await romeo.SendAsync("<message to='juliet@localhost/balcony' id='x'/></stream:stream>");
        await romeo.ExpectAsync($"<a {Sm} h='1'/>");
        await romeo.ExpectEndAsync();
        await juliet.ExpectAsync($"<message to='{Juliet}' from='{Romeo}' id='x'/>");
        await juliet.ExpectAsync(Unavailable(Romeo, "juliet@localhost"));
        romeo = await ConnectAsync(server, "romeo");
        await romeo.SendAsync($"<resume {Sm} previd='{token}' h='0'/>");
        await romeo.ExpectAsync(Failed("item-not-found"));
    }

    [Fact, Feature("SM-18")]
    public async Task Acknowledgements_are_asked_for_beyond_the_threshold()
    {
        await using var server = await TestServer.StartAsync("""
            [[listen.c2s]]
            port = 0
            tls.mode = "none"
            [modules.mod_smacks]
            smacks_max_unacked_stanzas = 2
            """);
        var romeo = await server.OnlineAsync("romeo", "orchard");
        await EnableAsync(romeo);
        var juliet = await server.LoginAsync("juliet");
        for (int i = 1; i <= 3; i++)
        {
            await juliet.SendAsync($"<message to='romeo@localhost/orchard' id='{i}'/>");
            await romeo.ExpectAsync($"<message to='romeo@localhost/orchard' from='*' id='{i}'/>");
        }
        await romeo.ExpectAsync($"<r {Sm}/>");
    }

    internal static async Task<string> EnableAsync(TestClient client)
    {
        await client.SendAsync($"<enable {Sm} resume='true'/>");
        var enabled = await client.ExpectEventuallyAsync($"<enabled {Sm} id='**' resume='**' max='**'/>");
        return enabled.Attribute("id")!;
    }

    /// <summary>A client that has authenticated and not bound.</summary>
    internal static async Task<TestClient> ConnectAsync(TestServer server, string user)
    {
        await server.AddUserAsync(user);
        var client = server.Connect(name: user);
        await client.AuthenticateAsync(user, user);
        return client;
    }

    internal static Task WaitingAsync(TestServer server, int count) =>
        Eventually(() => server.Services.Local.Resumable.WaitingCount == count);
}
