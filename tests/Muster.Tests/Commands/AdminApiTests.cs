using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Muster.Testing;

namespace Muster.Tests.Commands;

/// <summary>The admin API as scripts use it: every refusal with its status and its line, pages, and who is let
/// in.</summary>
public sealed class AdminApiTests : IAsyncLifetime, IDisposable
{
    const string Garden = "/api/rooms/garden@conference.localhost";

    TestServer _server = null!;
    AdminHttp _admin = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await _server.Host.StartForAdminAsync();
        _admin = new AdminHttp(_server.Folder);
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _admin.Dispose();

    [Theory]
    [InlineData(400, "POST", "/api/users", """{"jid":"@@"}""", "'@@' is no valid address")]
    [InlineData(400, "POST", "/api/users", """{"jid":"a@elsewhere"}""",
        "a@elsewhere cannot be an account here: that is a name, an @ and one of localhost")]
    [InlineData(400, "POST", "/api/users", """{"jid":"a@localhost","password":""}""",
        "the password is empty, too long, or has characters that a password may not have")]
    [InlineData(400, "POST", "/api/users", "{}",
        "the body is not what is expected here: JSON deserialization was missing required properties including: 'jid'")]
    [InlineData(400, "POST", "/api/users", """{"jid":"a@localhost","pasword":"x"}""",
        "the body is not what is expected here: The JSON property 'pasword' could not be mapped to any .NET member "
        + "contained in type 'Muster.Server.Http.UserCreation'")]
    [InlineData(400, "POST", "/api/users", "null", "the body is null; an object is expected")]
    [InlineData(404, "GET", "/api/users/nobody@localhost", null, "there is no account nobody@localhost")]
    [InlineData(404, "DELETE", "/api/users/nobody@localhost", null, "there is no account nobody@localhost")]
    [InlineData(404, "PUT", "/api/users/nobody@localhost/password", """{"password":"x"}""",
        "there is no account nobody@localhost")]
    [InlineData(404, "GET", "/api/users?host=elsewhere", null, "elsewhere is not served here")]
    [InlineData(400, "GET", "/api/users?max=0", null, "max is '0'; it must be a whole number above 0")]
    [InlineData(400, "GET", "/api/users?offset=3", null,
        "no parameter 'offset' is known here; there are: host, after, max")]
    [InlineData(400, "GET", "/api/users?max=1&max=2", null, "'max' is given more than once")]
    [InlineData(404, "GET", "/api/nothing", null, "there is no /api/nothing")]
    [InlineData(405, "PUT", "/api/users", "{}", "/api/users takes GET, POST, not PUT")]
    [InlineData(404, "DELETE", "/api/sessions/nobody@localhost", null, "nobody@localhost has no session")]
    [InlineData(404, "GET", "/api/rooms/r@elsewhere", null,
        "elsewhere has no rooms; those that do: conference.localhost")]
    [InlineData(400, "GET", "/api/rooms/conference.localhost", null,
        "conference.localhost is no room; a room is a name, an @ and conference.localhost")]
    [InlineData(404, "GET", Garden, null, "there is no room garden@conference.localhost")]
    [InlineData(404, "GET", Garden + "/messages", null, "there is no room garden@conference.localhost")]
    [InlineData(404, "DELETE", Garden, null,
        "destroying garden@conference.localhost is refused: Conference room does not exist")]
    [InlineData(404, "PATCH", Garden, """{"title":"x"}""",
        "changing garden@conference.localhost is refused: Conference room does not exist")]
    [InlineData(400, "POST", "/api/backup", """{"path":"here.db"}""", "'here.db' is no absolute path")]
    [InlineData(409, "POST", "/api/config/reload", null, "no server runs, so there is nothing to reload")]
    public async Task A_mistake_has_a_status_and_a_line(
        int status, string method, string path, string? body, string line) =>
        Assert.Equal(line, await _admin.RefusedAsync((HttpStatusCode)status, method, path, body));

    [Fact]
    public async Task Accounts_come_in_pages()
    {
        foreach (string name in new[] { "c", "a", "b" }) await _server.AddUserAsync(name);
        var first = await _admin.DoneAsync("GET", "/api/users?max=2");
        Assert.Equal(["a@localhost", "b@localhost"], Jids(first, "users"));
        Assert.Equal("b@localhost", first.GetProperty("next").GetString());
        var second = await _admin.DoneAsync("GET", "/api/users?max=2&after=b@localhost");
        Assert.Equal(["c@localhost"], Jids(second, "users"));
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next").ValueKind);
    }

    [Fact]
    public async Task An_account_is_made_once_and_its_password_told_only_when_it_was_chosen()
    {
        var made = await _admin.DoneAsync("POST", "/api/users", """{"jid":"Anna@Localhost"}""");
        Assert.Equal("anna@localhost", made.GetProperty("jid").GetString());
        Assert.Equal(16, made.GetProperty("password").GetString()!.Length);
        Assert.Equal("anna@localhost exists already", await _admin.RefusedAsync(
            HttpStatusCode.Conflict, "POST", "/api/users", """{"jid":"anna@localhost","password":"x"}"""));
    }

    [Fact]
    public async Task A_session_is_shown_and_ended_with_a_stream_error()
    {
        await using var romeo = await _server.OnlineAsync("romeo", "orchard/1");
        await using var other = await _server.OnlineAsync("romeo", "2");
        var sessions = await _admin.DoneAsync("GET", "/api/sessions?account=romeo@localhost");
        Assert.Equal(["romeo@localhost/2", "romeo@localhost/orchard/1"], Jids(sessions, "sessions"));

        await _admin.DoneAsync("DELETE", "/api/sessions/romeo@localhost%2Forchard%2F1?reason=go%20to%20bed");
        await Until(romeo, "stream:error", "policy-violation", "go to bed");
        Assert.Equal(["romeo@localhost/2"], Jids(await _admin.DoneAsync("GET", "/api/sessions"), "sessions"));
    }

    [Fact]
    public async Task Removing_an_account_ends_its_sessions_and_what_its_contacts_see_of_it()
    {
        await using var romeo = await _server.OnlineAsync("romeo");
        await using var juliet = await _server.OnlineAsync("juliet");
        await romeo.BefriendAsync(juliet);
        await _admin.DoneAsync("DELETE", "/api/users/romeo@localhost");
        await Until(romeo, "not-authorized", "the account has been removed");
        await juliet.DrainAsync();
        Assert.Equal("none", Assert.Single(await juliet.RosterAsync()).Attribute("subscription"));
        Assert.Null(await _server.Services.Database.Accounts.Find(romeo.Jid.Bare));
    }

    [Fact]
    public async Task A_room_is_made_with_options_and_sleeps_until_somebody_comes()
    {
        await _server.AddUserAsync("anna");
        var made = await _admin.DoneAsync("POST", "/api/rooms", """
            {"jid":"garden@conference.localhost","owner":"anna@localhost",
             "options":{"title":"Capulet's","max_users":5,"public":false,"maygetmemberlist":["moderator"]}}
            """);
        var options = made.GetProperty("options");
        Assert.Equal("Capulet's", options.GetProperty("title").GetString());
        Assert.Equal(5, options.GetProperty("max_users").GetInt32());
        Assert.False(options.GetProperty("public").GetBoolean());
        Assert.True(options.GetProperty("anonymous").GetBoolean());
        Assert.True(made.GetProperty("persistent").GetBoolean());
        Assert.Equal(0, made.GetProperty("occupants").GetArrayLength());
        Assert.False(options.TryGetProperty("password", out _));
        await _server.SettleAsync();
        Assert.Empty(_server.Services.Rooms["conference.localhost"].Live);
        var owner = Assert.Single((await _admin.DoneAsync("GET", Garden + "/affiliations"))
            .GetProperty("affiliations").EnumerateArray());
        Assert.Equal("anna@localhost", owner.GetProperty("jid").GetString());
        Assert.Equal("garden@conference.localhost exists already", await _admin.RefusedAsync(HttpStatusCode.Conflict,
            "POST", "/api/rooms", """{"jid":"garden@conference.localhost","owner":"anna@localhost"}"""));
    }

    [Theory]
    [InlineData("""{"titel":"x"}""", "there is no option 'titel'; there are: title, ")]
    [InlineData("""{"max_users":"many"}""", "max_users cannot be \"many\": it is a whole number above 0")]
    [InlineData("""{"public":3}""", "public cannot be 3: it is true or false")]
    [InlineData("""{"anonymous":"perhaps"}""", "anonymous cannot be \"perhaps\": it is true or false")]
    [InlineData("""{"presence_broadcast":["king"]}""",
        "presence_broadcast cannot be [\"king\"]: it is any of moderator, participant, visitor")]
    [InlineData("""{"title":"a\u0000b"}""", "the title has a character that XMPP cannot carry")]
    [InlineData("""{"title":{}}""", "title cannot be {}: it is one text")]
    [InlineData("""{"max_users":100000}""",
        "changing garden@conference.localhost is refused: You are not allowed to configure this")]
    [InlineData("""{"password_protected":true}""",
        "changing garden@conference.localhost is refused: A protected room needs a password")]
    [InlineData("{}", "no option is given")]
    public async Task An_option_that_cannot_be_is_named(string body, string line)
    {
        await MakeGarden();
        Assert.StartsWith(line, await _admin.RefusedAsync(HttpStatusCode.BadRequest, "PATCH", Garden, body),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Those_inside_see_what_an_administrator_does()
    {
        await MakeGarden();
        await using var romeo = await _server.OnlineAsync("romeo");
        await Enter(romeo, "garden", "Romeo");

        await _admin.DoneAsync("POST", Garden + "/messages", """{"body":"The gate closes"}""");
        await Until(romeo, "from='garden@conference.localhost'", "<body>The gate closes</body>");
        await _admin.DoneAsync("PATCH", Garden, """{"moderated":false}""");
        await Until(romeo, "<message", "<status code='104'/>");
        await _admin.DoneAsync("PUT", Garden + "/affiliations/romeo@localhost", """{"affiliation":"admin"}""");
        await Until(romeo, "<presence", "affiliation='admin'", "role='moderator'");
        Assert.Equal("nobody in garden@conference.localhost has the nick 'Paris'", await _admin.RefusedAsync(
            HttpStatusCode.NotFound, "DELETE", Garden + "/occupants/Paris"));
        await _admin.DoneAsync("DELETE", Garden + "/occupants/Romeo?reason=late");
        await Until(romeo, "type='unavailable'", "<reason>late</reason>", "<status code='307'/>");
    }

    [Fact]
    public async Task Destroying_tells_those_inside_where_to_go_and_leaves_no_room()
    {
        await MakeGarden();
        await using var romeo = await _server.OnlineAsync("romeo");
        await Enter(romeo, "garden", "Romeo");
        await _admin.DoneAsync("DELETE", Garden + "?reason=winter&alternate=hall@conference.localhost");
        await Until(romeo, "type='unavailable'", "<destroy jid='hall@conference.localhost'>", ">winter</reason>");
        await _admin.RefusedAsync(HttpStatusCode.NotFound, "GET", Garden);
    }

    [Fact]
    public async Task A_sleeping_room_is_changed_and_destroyed_like_any_other()
    {
        await MakeGarden();
        await _admin.DoneAsync("PATCH", Garden, """{"title":"Night"}""");
        // The room lies down only after it has answered.
        var rooms = _server.Services.Rooms["conference.localhost"];
        await Patience.Eventually(() => !rooms.Live.Any());
        var found = await _admin.DoneAsync("GET", "/api/rooms?text=night");
        var line = Assert.Single(found.GetProperty("rooms").EnumerateArray());
        Assert.False(line.GetProperty("in_memory").GetBoolean());
        await _admin.DoneAsync("DELETE", Garden);
        Assert.Empty((await _admin.DoneAsync("GET", "/api/rooms")).GetProperty("rooms").EnumerateArray());
    }

    [Fact]
    public async Task Stored_and_temporary_rooms_come_in_one_list_of_pages()
    {
        await using var romeo = await _server.OnlineAsync("romeo");
        foreach (string name in new[] { "a", "c", "e" })
        {
            await _admin.DoneAsync("POST", "/api/rooms",
                $$"""{"jid":"{{name}}@conference.localhost","owner":"romeo@localhost"}""");
        }
        foreach (string name in new[] { "b", "d" })
        {
            await Enter(romeo, name, "R");
            await romeo.AskAsync($"""
                <iq type='set' id='open' to='{name}@conference.localhost'>
                <query xmlns='http://jabber.org/protocol/muc#owner'>
                <x xmlns='jabber:x:data' type='submit'/></query></iq>
                """);
        }
        var found = new List<string>();
        string path = "/api/rooms?max=2";
        for (int pages = 1; ; pages++)
        {
            var page = await _admin.DoneAsync("GET", path);
            found.AddRange(Jids(page, "rooms"));
            if (page.GetProperty("next").GetString() is not { } next) break;
            Assert.True(pages < 4, "the list does not end");
            path = $"/api/rooms?max=2&after={next}";
        }
        Assert.Equal(["a", "b", "c", "d", "e"], found.Select(jid => jid.Split('@')[0]));
    }

    [Fact]
    public async Task History_is_read_in_pages_both_ways()
    {
        await MakeGarden();
        foreach (string word in new[] { "one", "two", "three" })
        {
            _server.Clock.Advance(TimeSpan.FromSeconds(1));
            await _admin.DoneAsync("POST", Garden + "/messages", $$"""{"body":"{{word}}"}""");
        }
        var newest = await _admin.DoneAsync("GET", Garden + "/messages?max=2");
        Assert.Equal(["two", "three"], Bodies(newest));
        string next = newest.GetProperty("next").GetString()!;
        var oldest = await _admin.DoneAsync("GET", $"{Garden}/messages?max=2&before={next}");
        Assert.Equal(["one"], Bodies(oldest));
        Assert.Equal(JsonValueKind.Null, oldest.GetProperty("next").ValueKind);
        string first = oldest.GetProperty("messages")[0].GetProperty("id").GetString()!;
        Assert.Equal(["two", "three"], Bodies(await _admin.DoneAsync("GET", $"{Garden}/messages?after={first}")));
        Assert.Equal("before is 'x'; it must be the id of a message",
            await _admin.RefusedAsync(HttpStatusCode.BadRequest, "GET", Garden + "/messages?before=x"));
    }

    [Fact]
    public async Task The_last_owner_stays()
    {
        await MakeGarden();
        Assert.Equal("making anna@localhost none of garden@conference.localhost is refused: "
            + "A room cannot be left without an owner", await _admin.RefusedAsync(HttpStatusCode.Conflict, "PUT",
            Garden + "/affiliations/anna@localhost", """{"affiliation":"none"}"""));
        Assert.Equal("'king' is no affiliation; there are owner, admin, member, none and outcast",
            await _admin.RefusedAsync(HttpStatusCode.BadRequest, "PUT", Garden + "/affiliations/b@localhost",
                """{"affiliation":"king"}"""));
    }

    [Fact]
    public async Task An_invitation_is_for_an_account_to_make_or_a_contact_to_become()
    {
        await _server.AddUserAsync("anna");
        var name = await _admin.DoneAsync("POST", "/api/invitations", """{"jid":"new@localhost"}""");
        Assert.StartsWith("xmpp:new@localhost?register;preauth=", name.GetProperty("uri").GetString(),
            StringComparison.Ordinal);
        Assert.Equal("account", name.GetProperty("kind").GetString());
        Assert.Equal("the name new@localhost is promised by another invitation", await _admin.RefusedAsync(
            HttpStatusCode.Conflict, "POST", "/api/invitations", """{"jid":"new@localhost"}"""));
        var contact = await _admin.DoneAsync("POST", "/api/invitations", """{"jid":"anna@localhost"}""");
        Assert.Equal("contact", contact.GetProperty("kind").GetString());
        await _admin.DoneAsync("POST", "/api/invitations", """{"jid":"localhost","inviter":"anna@localhost"}""");
        Assert.Equal("x@elsewhere is no address of this server; its domains: localhost", await _admin.RefusedAsync(
            HttpStatusCode.BadRequest, "POST", "/api/invitations", """{"jid":"x@elsewhere"}"""));
    }

    [Fact]
    public async Task Over_http_the_token_is_asked_for()
    {
        await using var bench = new CommandBench();
        await bench.StartAsync("--demo");
        string address = bench.ServerOut.Split("http ")[^1].Trim();
        using var http = new HttpClient { BaseAddress = new Uri(address) };
        var refused = await http.GetAsync("/api/status");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal("Bearer", refused.Headers.WwwAuthenticate.ToString());
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", new string('0', 64));
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("/api/status")).StatusCode);
        string token = (await File.ReadAllTextAsync(Path.Combine(bench.DataFolder, "admin.token"))).Trim();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/api/status")).StatusCode);
        // What is not the API has no business on the socket of the administration.
        using var admin = new AdminHttp(bench.DataFolder);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.SendAsync("GET", "/chat/")).Status);
    }

    [Fact]
    public void Every_operation_is_described_once()
    {
        var operations = _server.Host.Admin.Operations;
        var places = operations.Select(operation => (operation.Method, operation.Template.Split("{?")[0]));
        Assert.Equal(operations.Count, places.Distinct().Count());
        Assert.All(operations, operation => Assert.EndsWith(".", operation.Summary, StringComparison.Ordinal));
    }

    async Task MakeGarden()
    {
        await _server.AddUserAsync("anna");
        await _admin.DoneAsync("POST", "/api/rooms",
            """{"jid":"garden@conference.localhost","owner":"anna@localhost"}""");
    }

    static async Task Enter(TestClient client, string room, string nick)
    {
        await client.SendAsync($"<presence to='{room}@conference.localhost/{nick}'>"
            + "<x xmlns='http://jabber.org/protocol/muc'/></presence>");
        await Until(client, "<message", "<subject");
    }

    /// <summary>Reads until something comes that has all of the words.</summary>
    static async Task Until(TestClient client, params string[] words)
    {
        while (true)
        {
            string received = (await client.ReceiveAsync()).ToString();
            if (words.All(word => received.Contains(word, StringComparison.Ordinal))) return;
        }
    }

    static string[] Jids(JsonElement page, string list) =>
        [.. page.GetProperty(list).EnumerateArray().Select(item => item.GetProperty("jid").GetString()!)];

    static string[] Bodies(JsonElement page) =>
        [.. page.GetProperty("messages").EnumerateArray().Select(item => item.GetProperty("body").GetString()!)];
}
