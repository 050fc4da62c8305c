using System.Net;
using System.Text.Json;
using Muster.Testing;

namespace Muster.Tests.Commands;

/// <summary>What the admin API does in rooms for users: with their rights, and with the room's real answer. And the
/// paths of MongooseIM's older API.</summary>
public sealed class AdminVisitorTests : IAsyncLifetime, IDisposable
{
    const string Room = "garden@conference.localhost";
    const string Garden = $"/api/rooms/{Room}";
    const string Mucs = "/api/mucs/conference.localhost";

    TestServer _server = null!;
    AdminHttp _admin = null!;
    TestClient _anna = null!, _romeo = null!;

    public async Task InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        await _server.Host.StartForAdminAsync();
        _admin = new AdminHttp(_server.Folder);
        _anna = await _server.OnlineAsync("anna");
        _romeo = await _server.OnlineAsync("romeo");
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _admin.Dispose();

    [Fact]
    public async Task A_session_is_had_enter_speak_and_leave()
    {
        await _anna.CreateRoomAsync(Room, "Anna");
        await _admin.DoneAsync("POST", Garden + "/occupants",
            """{"session":"romeo@localhost/test","nick":"Romeo"}""");
        await _romeo.ExpectAsync($"<presence from='{Room}/Anna' to='*' id='**'>...</presence>");
        var self = await _romeo.ExpectAsync($"<presence from='{Room}/Romeo' to='*' id='**'>...</presence>");
        Assert.Contains("110", self.CodesOf());
        await _romeo.ExpectAsync(RoomScenes.AnySubject);

        await _admin.DoneAsync("POST", Garden + "/messages",
            """{"from":"romeo@localhost/test","body":"But soft"}""");
        foreach (var hearer in new[] { _anna, _romeo })
            await hearer.ExpectEventuallyAsync(
                $"<message type='groupchat' from='{Room}/Romeo' to='*' id='*'><body>But soft</body>...</message>");
        await _admin.DoneAsync("POST", Garden + "/occupants/Anna/messages",
            """{"from":"romeo@localhost/test","body":"psst"}""");
        await _anna.ExpectEventuallyAsync(
            $"<message type='chat' from='{Room}/Romeo' to='*' id='*'><body>psst</body>...</message>");

        await _admin.DoneAsync("DELETE", Garden + "/sessions/romeo@localhost%2Ftest");
        foreach (var seer in new[] { _anna, _romeo })
            await seer.ExpectEventuallyAsync(
                $"<presence type='unavailable' from='{Room}/Romeo' to='*' id='**'>...</presence>");
        Assert.Equal("romeo@localhost/test is not in garden@conference.localhost", await _admin.RefusedAsync(
            HttpStatusCode.NotFound, "DELETE", Garden + "/sessions/romeo@localhost%2Ftest"));
        Assert.Contains("Only occupants", await _admin.RefusedAsync(HttpStatusCode.BadRequest, "POST",
            Garden + "/messages", """{"from":"romeo@localhost/test","body":"again"}"""), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_was_had_enter_leaves_when_the_session_ends()
    {
        await _anna.CreateRoomAsync(Room, "Anna");
        await _admin.DoneAsync("POST", Garden + "/occupants",
            """{"session":"romeo@localhost/test","nick":"Romeo"}""");
        await _romeo.ExpectEventuallyAsync(RoomScenes.AnySubject);
        await _romeo.CloseAsync();
        await _anna.ExpectEventuallyAsync(
            $"<presence type='unavailable' from='{Room}/Romeo' to='*' id='**'>...</presence>");
    }

    [Fact]
    public async Task A_user_has_no_more_rights_here_than_with_a_client()
    {
        await _anna.CreateRoomAsync(Room, "Anna");
        await _anna.ConfigureAsync(Room, ("muc#roomconfig_membersonly", "1"));
        Assert.StartsWith("entering garden@conference.localhost for romeo@localhost/test is refused",
            await _admin.RefusedAsync(HttpStatusCode.Conflict, "POST", Garden + "/occupants",
                """{"session":"romeo@localhost/test","nick":"Romeo"}"""), StringComparison.Ordinal);
        Assert.Equal("there is no room garden@conference.localhost", await _admin.RefusedAsync(HttpStatusCode.NotFound,
            "POST", Garden + "/invitations", """{"from":"romeo@localhost","to":"juliet@localhost"}"""));
        await _server.SettleAsync();
        await _romeo.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(404, "/occupants", """{"session":"nobody@localhost/x","nick":"N"}""",
        "nobody@localhost/x has no session")]
    [InlineData(400, "/occupants", """{"session":"romeo@localhost","nick":"N"}""",
        "romeo@localhost is no session; a session is an account, a / and a resource")]
    [InlineData(400, "/occupants", """{"session":"romeo@localhost/test","nick":""}""", "'' is no nick")]
    [InlineData(409, "/occupants", """{"session":"romeo@localhost/test","nick":"Anna"}""",
        "entering garden@conference.localhost for romeo@localhost/test is refused: ")]
    [InlineData(404, "/occupants/Paris/messages", """{"from":"anna@localhost/test","body":"x"}""",
        "speaking in garden@conference.localhost/Paris for anna@localhost/test is refused: ")]
    [InlineData(400, "/occupants/Anna/messages", """{"from":"anna@localhost/test","body":""}""", "the text is empty")]
    [InlineData(400, "/invitations", """{"from":"anna@localhost","to":"localhost"}""",
        "localhost is a whole domain, which cannot be invited")]
    [InlineData(404, "/invitations", """{"from":"nobody@localhost","to":"a@b"}""",
        "there is no account nobody@localhost")]
    public async Task A_mistake_has_a_status_and_a_line(int status, string path, string body, string line)
    {
        await _anna.CreateRoomAsync(Room, "Anna");
        Assert.StartsWith(line, await _admin.RefusedAsync((HttpStatusCode)status, "POST", Garden + path, body),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_role_is_given_and_taken()
    {
        await _anna.CreateRoomAsync(Room, "Anna");
        await _romeo.EnterAsync(Room, "Romeo");
        foreach (string role in (string[])["visitor", "moderator", "participant"])
        {
            await _admin.DoneAsync("PUT", Garden + "/occupants/Romeo/role", $$"""{"role":"{{role}}"}""");
            var seen = await _romeo.ExpectEventuallyAsync(
                $"<presence from='{Room}/Romeo' to='*' id='**'>...</presence>");
            Assert.Equal(role, seen.ItemOf().Attribute("role"));
        }
        Assert.Equal("'king' is no role; there are moderator, participant, visitor and none",
            await _admin.RefusedAsync(HttpStatusCode.BadRequest, "PUT", Garden + "/occupants/Romeo/role",
                """{"role":"king"}"""));
        Assert.Equal("nobody in garden@conference.localhost has the nick 'Paris'", await _admin.RefusedAsync(
            HttpStatusCode.NotFound, "PUT", Garden + "/occupants/Paris/role", """{"role":"visitor"}"""));
        Assert.StartsWith("making 'Anna' visitor in garden@conference.localhost is refused: ",
            await _admin.RefusedAsync(HttpStatusCode.Conflict, "PUT", Garden + "/occupants/Anna/role",
                """{"role":"visitor"}"""), StringComparison.Ordinal);
        await _admin.DoneAsync("PUT", Garden + "/occupants/Romeo/role", """{"role":"none","reason":"late"}""");
        var gone = await _romeo.ExpectEventuallyAsync(
            $"<presence type='unavailable' from='{Room}/Romeo' to='*' id='**'>...</presence>");
        Assert.Contains("307", gone.CodesOf());
    }

    [Fact]
    public async Task An_invitation_reaches_the_invited_with_the_password()
    {
        await _anna.CreateRoomAsync(Room, "Anna");
        await _anna.ConfigureAsync(Room, ("muc#roomconfig_passwordprotectedroom", "1"),
            ("muc#roomconfig_roomsecret", "pilgrim"));
        await _admin.DoneAsync("POST", Garden + "/invitations",
            """{"from":"anna@localhost","to":"romeo@localhost","reason":"come"}""");
        await _romeo.ExpectAsync("<message from='anna@localhost' to='romeo@localhost' id='*' type='**'>" +
            $"<x xmlns='jabber:x:conference' jid='{Room}' password='pilgrim' reason='come'/></message>");
    }

    [Fact]
    public async Task Rooms_that_a_user_sees_are_listed()
    {
        await _anna.CreateRoomAsync(Room, "Anna");
        await _anna.CreateRoomAsync("den@conference.localhost", "Anna");
        await _anna.ConfigureAsync("den@conference.localhost", ("muc#roomconfig_publicroom", "0"),
            ("muc#roomconfig_persistentroom", "1"));
        Assert.Equal(["den", "garden"], await Names("anna@localhost"));
        Assert.Equal(["garden"], await Names("romeo@localhost"));

        async Task<string[]> Names(string user) => [.. (await _admin.DoneAsync("GET", $"/api/rooms?visible_to={user}"))
            .GetProperty("rooms").EnumerateArray().Select(room => room.GetProperty("jid").GetString()!.Split('@')[0])];
    }

    [Fact]
    public async Task The_paths_of_the_older_api_do_the_same()
    {
        await _admin.DoneAsync("POST", "/api/mucs/localhost",
            """{"name":"garden","owner":"anna@localhost","nick":"Anna"}""");
        Assert.Equal("garden@conference.localhost exists already", await _admin.RefusedAsync(HttpStatusCode.Conflict,
            "POST", Mucs, """{"name":"garden","owner":"anna@localhost"}"""));
        Assert.Equal("there is no account paris@localhost", await _admin.RefusedAsync(HttpStatusCode.NotFound,
            "POST", Mucs, """{"name":"tomb","owner":"paris@localhost"}"""));
        Assert.Equal("'@' is no name of a room", await _admin.RefusedAsync(HttpStatusCode.BadRequest,
            "POST", Mucs, """{"name":"@","owner":"anna@localhost"}"""));
        await _admin.RefusedAsync(HttpStatusCode.NotFound, "POST", "/api/mucs/elsewhere",
            """{"name":"tomb","owner":"anna@localhost"}""");

        await _admin.DoneAsync("POST", Mucs + "/garden/participants",
            """{"sender":"anna@localhost","recipient":"romeo@localhost","reason":"come"}""");
        await _romeo.ExpectAsync("<message from='anna@localhost' to='romeo@localhost' id='*' type='**'>" +
            $"<x xmlns='jabber:x:conference' jid='{Room}' reason='come'/></message>");
        await _romeo.EnterAsync(Room, "Romeo");
        await _admin.DoneAsync("POST", Mucs + "/garden/messages",
            """{"from":"romeo@localhost/test","body":"hello"}""");
        await _romeo.ExpectAsync(
            $"<message type='groupchat' from='{Room}/Romeo' to='*' id='*'><body>hello</body>...</message>");
        await _admin.DoneAsync("DELETE", Mucs + "/garden/Romeo");
        var gone = await _romeo.ExpectAsync(
            $"<presence type='unavailable' from='{Room}/Romeo' to='*' id='**'>...</presence>");
        Assert.Contains("307", gone.CodesOf());
        await _admin.RefusedAsync(HttpStatusCode.NotFound, "DELETE", Mucs + "/garden/Romeo");
    }

    [Fact]
    public async Task The_command_line_does_it_all()
    {
        await using var bench = new CommandBench { Data = _server.Folder };
        await _anna.CreateRoomAsync(Room, "Anna");
        Assert.Equal($"anna@localhost has invited romeo@localhost to {Room}",
            (await bench.RunAsync("room", "invite", Room, "anna@localhost", "romeo@localhost")).Done());
        await _romeo.ExpectAsync("<message from='anna@localhost' to='*' id='*' type='**'>...</message>");
        const string Romeo = "romeo@localhost/test";
        Assert.Equal($"{Romeo} has entered {Room} as Romeo",
            (await bench.RunAsync("room", "enter", Room, Romeo, "Romeo")).Done());
        Assert.Equal($"said in {Room}", (await bench.RunAsync("room", "say", Room, "hello", "--from", Romeo)).Done());
        Assert.Equal($"told Anna in {Room}",
            (await bench.RunAsync("room", "tell", Room, Romeo, "Anna", "psst")).Done());
        foreach (string text in (string[])["hello", "psst"])
            await _anna.ExpectEventuallyAsync(
                $"<message type='*' from='{Room}/Romeo' to='*' id='*'><body>{text}</body>...</message>");
        Assert.Equal($"Romeo is moderator in {Room}",
            (await bench.RunAsync("room", "role", Room, "Romeo", "moderator")).Done());
        Assert.Equal($"{Romeo} has left {Room}", (await bench.RunAsync("room", "leave", Room, Romeo)).Done());
        Assert.Equal($"muster: {Romeo} is not in {Room}", (await bench.RunAsync("room", "leave", Room, Romeo)).Problem);
    }

    [Fact]
    public async Task What_was_made_has_a_location()
    {
        using var response = await _admin.RespondAsync("POST", "/api/rooms",
            """{"jid":"garden@conference.localhost","owner":"anna@localhost"}""");
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        string location = response.Headers.Location!.OriginalString;
        Assert.Equal("/api/rooms/garden%40conference.localhost", location);
        Assert.Equal(JsonValueKind.Object, (await _admin.DoneAsync("GET", location)).ValueKind);
    }
}
