using System.Globalization;
using System.Xml.Linq;
using Muster.Core.RoomLogs;
using Muster.Protocol.Xml;
using Muster.Server.Rooms;
using Muster.Testing;

namespace Muster.Tests.RoomLogs;

/// <summary>mod_muc_log in a whole server: what an operator finds in the folder.</summary>
public sealed class PublicLogTests : IDisposable
{
    const string Service = "conference.localhost";
    const string Room = $"garden@{Service}";
    const string Subject = "<message from='*' to='*' id='**' type='groupchat'><subject/></message>";

    readonly string _folder = Directory.CreateTempSubdirectory("muster-roomlog-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact, Feature("ML-01", "ML-02", "ML-04", "ML-05", "ML-06", "ML-07", "ML-09")]
    public async Task A_room_with_logging_has_a_page_a_day()
    {
        await using var server = await TestServer.StartAsync(Config());
        var (admin, juliet) = await Meet(server);
        await Say(juliet, "O Romeo <script>", "https://x.example/");
        await server.AdvanceAsync(TimeSpan.FromDays(2));
        await Say(juliet, "Good morrow");
        await Ban(admin, "juliet@localhost", "too much");
        await server.Host.StopAsync(TimeSpan.FromMilliseconds(100));

        Assert.Equal([$"{Room}/2026/01/01.html", $"{Room}/2026/01/03.html"], Files());
        string first = Read($"{Room}/2026/01/01.html"), second = Read($"{Room}/2026/01/03.html");
        Assert.Contains("<title>garden - Thursday, January 1, 2026</title>", first, StringComparison.Ordinal);
        Assert.Contains("<a href=\"/\">Home</a>", first, StringComparison.Ordinal);
        Assert.Contains($"<a href=\"xmpp:{Room}?join\">", first, StringComparison.Ordinal);
        Assert.Contains("<style>", first, StringComparison.Ordinal);
        Assert.Contains("O Romeo &lt;script&gt; <a href=\"https://x.example/\" rel=\"nofollow\">", first,
            StringComparison.Ordinal);
        // The first page is ended by the second, and they know of each other.
        var lines = XDocument.Parse(first, LoadOptions.PreserveWhitespace).Descendants("div")
            .Where(e => (string?)e.Attribute("class") == "l");
        Assert.Equal(["The public log begins; Moderators: Admin", "Juliet joins the room",
            "<Juliet> O Romeo <script> https://x.example/"], lines.Select(l => l.Value["[00:00:00] ".Length..]));
        Assert.Contains("<footer><a href=\"../../2026/01/03.html\">", first, StringComparison.Ordinal);
        Assert.Contains("<a rel=\"prev\" href=\"../../2026/01/01.html\"", second, StringComparison.Ordinal);
        Assert.Contains("<a rel=\"next\" href=\"../../2026/01/04.html\"", second, StringComparison.Ordinal);
        Assert.Contains("<summary>Room occupants (2)</summary>", second, StringComparison.Ordinal);
        Assert.Contains("<span class=\"mb\"><bdi class=\"n\">Juliet</bdi> has been banned: <bdi>too much</bdi>", second,
            StringComparison.Ordinal);
        Assert.Contains("The room was stopped", second, StringComparison.Ordinal);
        Assert.DoesNotContain(RoomLogHtml.End, second, StringComparison.Ordinal);
    }

    [Fact, Feature("ML-01")]
    public async Task No_two_lines_of_a_page_have_the_same_address()
    {
        await using var server = await TestServer.StartAsync(Config());
        var (_, juliet) = await Meet(server);
        for (int i = 0; i < 50; i++) await Say(juliet, i.ToString(CultureInfo.InvariantCulture));
        await server.Host.StopAsync(TimeSpan.FromMilliseconds(100));
        string page = Read(Files().Single()) + RoomLogHtml.End;
        var ids = XDocument.Parse(page).Descendants("a").Select(a => (string?)a.Attribute("id")).OfType<string>();
        // The log begins, Juliet joins and speaks, both are sent away, the room stops.
        Assert.Equal(55, ids.Count());
        Assert.Equal(55, ids.Distinct().Count());
        Assert.Equal("00:00:00.000000", ids.First());
    }

    [Fact, Feature("ML-04", "ML-05", "ML-06", "ML-08")]
    public async Task Plain_text_in_one_folder_named_by_the_room()
    {
        await using var server = await TestServer.StartAsync(Config("""
            dirtype = "plain"
            dirname = "room_name"
            file_format = "plaintext"
            timezone = "universal"
            """));
        var (_, juliet) = await Meet(server);
        await Say(juliet, "one\ntwo <b>");
        await server.Host.StopAsync(TimeSpan.FromMilliseconds(100));
        Assert.Equal(["garden/2026-01-01.txt"], Files());
        Assert.StartsWith("""
            [00:00:00] * The public log begins; Moderators: Admin
            [00:00:00] * Juliet joins the room
            [00:00:00] [Juliet] one
                       two [b]

            """, Read("garden/2026-01-01.txt"), StringComparison.Ordinal);
    }

    [Fact, Feature("ML-07", "ML-09", "ML-10")]
    public async Task The_look_of_pages_is_the_operators()
    {
        await using var server = await TestServer.StartAsync(Config("""
            css_file = "/logs/own.css?a=1&b=2"
            spam_prevention = false
            top_link = { target = "https://example.org/", text = "<b>Example</b>" }
            """));
        var (_, juliet) = await Meet(server);
        await Say(juliet, "see https://x.example/");
        await server.Host.StopAsync(TimeSpan.FromMilliseconds(100));
        string page = Read(Files().Single());
        Assert.Contains("<link rel=\"stylesheet\" href=\"/logs/own.css?a=1&amp;b=2\"/>", page,
            StringComparison.Ordinal);
        Assert.DoesNotContain("<style", page, StringComparison.Ordinal);
        Assert.DoesNotContain("nofollow", page, StringComparison.Ordinal);
        Assert.Contains("<a href=\"https://example.org/\"><b>Example</b></a>", page, StringComparison.Ordinal);
    }

    [Fact, Feature("ML-03")]
    public async Task Only_those_of_access_log_see_and_change_whether_a_room_is_logged()
    {
        await using var server = await TestServer.StartAsync(Config());
        var admin = await server.LoginAsync("admin");
        var romeo = await server.LoginAsync("romeo");
        await Create(admin, "garden", "Admin");
        await Create(romeo, "balcony", "Romeo");
        Assert.Contains("enablelogging", await Form(admin, Room), StringComparison.Ordinal);
        Assert.DoesNotContain("enablelogging", await Form(romeo, $"balcony@{Service}"), StringComparison.Ordinal);
        Assert.Equal("error", (await Configure(romeo, $"balcony@{Service}", "1")).Attribute("type"));
        await server.Host.StopAsync(TimeSpan.FromMilliseconds(100));
        Assert.Empty(Files());
    }

    [Theory, Feature("MU-46")]
    [InlineData("", false)]
    [InlineData("[modules.mod_muc]\ndefault_room.logging = true", true)]
    public async Task A_new_room_is_logged_when_the_configuration_says_so(string options, bool logged)
    {
        await using var server = await TestServer.StartAsync(Config(options));
        var romeo = await server.LoginAsync("romeo");
        var entered = await romeo.CreateRoomAsync(Room, "Romeo");
        Assert.Equal(logged, entered[0].CodesOf().Contains("170"));
        await server.Host.StopAsync(TimeSpan.FromMilliseconds(100));
        Assert.Equal(logged ? 1 : 0, Files().Length);
    }

    [Fact, Feature("ML-03")]
    public async Task Without_the_module_nobody_does()
    {
        await using var server = await TestServer.StartAsync(Config(null));
        var admin = await server.LoginAsync("admin");
        await Create(admin, "garden", "Admin");
        Assert.DoesNotContain("enablelogging", await Form(admin, Room), StringComparison.Ordinal);
        Assert.Null(server.Services.Rooms[Service].PublicLogs); // whatever default_room.logging says
    }

    [Fact, Feature("ML-01")]
    public async Task A_folder_that_cannot_be_written_is_told_once_a_minute_and_stops_nobody()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "www"), "in the way");
        await using var server = await TestServer.StartAsync(Config());
        var (_, juliet) = await Meet(server);
        await Say(juliet, "one", "two", "three");
        await Patience.Eventually(() => Complaints(server).Length == 1);
        await server.AdvanceAsync(TimeSpan.FromSeconds(61));
        await Say(juliet, "four");
        await Patience.Eventually(() => Complaints(server).Length == 2);
        await server.Host.StopAsync(TimeSpan.FromMilliseconds(100));
        Assert.Equal(2, Complaints(server).Length);
    }

    [Fact, Feature("ML-08")]
    public async Task The_time_zone_decides_stamps_and_the_day()
    {
        var zone = TimeZoneInfo.CreateCustomTimeZone("test", new TimeSpan(-3, -30, 0), "test", "test");
        var clock = new FakeClock(); // 2026-01-01T00:00:00Z
        using var meters = new Server.Telemetry.Meters();
        var logs = new PublicLogs(new PublicLogSettings { Folder = _folder, Zone = zone, Style = new RoomLogStyle() },
            clock, meters.PublicLogs, new TestLogs().CreateLogger("test"));
        var page = new RoomLogPage(Protocol.Addresses.Jid.Parse(Room), new(), "", []);
        logs.Post(new PublicLogLine(logs.Now, new RoomLogEvent.Said("Juliet", "late"), page));
        await logs.DisposeAsync();
        string text = Read($"{Room}/2025/12/31.html");
        Assert.Contains("[20:30:00]", text, StringComparison.Ordinal);
        Assert.Contains("GMT-3:30", text, StringComparison.Ordinal);
    }

    // ---- The scene ----

    string Config(string? options = "") => $"""
        [acl]
        admin = [{"{"} user = "admin" {"}"}]
        [[listen.c2s]]
        port = 0
        tls.mode = "none"
        [modules.mod_ping]
        send_pings = false
        """ + (options is null ? "" : $"\n[modules.mod_muc_log]\noutdir = \"{_folder}/www/muc\"\n{options}\n");

    /// <summary>A logged room with its administrator and Juliet inside.</summary>
    static async Task<(TestClient Admin, TestClient Juliet)> Meet(TestServer server)
    {
        var admin = await server.LoginAsync("admin");
        var juliet = await server.LoginAsync("juliet");
        await Create(admin, "garden", "Admin");
        Assert.Equal("result", (await Configure(admin, Room, "1")).Attribute("type"));
        await juliet.SendAsync($"<presence to='{Room}/Juliet'><x xmlns='{Namespaces.Muc}'/></presence>");
        await juliet.ExpectEventuallyAsync(Subject);
        return (admin, juliet);
    }

    static async Task Create(TestClient client, string room, string nick)
    {
        await client.SendAsync($"<presence to='{room}@{Service}/{nick}'><x xmlns='{Namespaces.Muc}'/></presence>");
        await client.ExpectEventuallyAsync(Subject);
        await client.AskAsync($"<iq type='set' to='{room}@{Service}'><query xmlns='{Namespaces.MucOwner}'>" +
            "<x xmlns='jabber:x:data' type='submit'/></query></iq>");
    }

    static Task<Element> Configure(TestClient client, string room, string logging) =>
        Set(client, room, $"<query xmlns='{Namespaces.MucOwner}'><x xmlns='jabber:x:data' type='submit'>" +
            $"<field var='muc#roomconfig_enablelogging'><value>{logging}</value></field></x></query>");

    static async Task<string> Form(TestClient client, string room) => (await client.AskAsync(
        $"<iq type='get' to='{room}'><query xmlns='{Namespaces.MucOwner}'/></iq>")).ToString();

    static Task<Element> Ban(TestClient client, string user, string reason) =>
        Set(client, Room, $"<query xmlns='{Namespaces.MucAdmin}'>" +
            $"<item affiliation='outcast' jid='{user}'><reason>{reason}</reason></item></query>");

    // The room tells everybody inside before it answers.
    static async Task<Element> Set(TestClient client, string room, string payload)
    {
        await client.SendAsync($"<iq type='set' id='set' to='{room}'>{payload}</iq>");
        return await client.ExpectEventuallyAsync($"<iq type='*' id='set' from='{room}' to='*'>...</iq>");
    }

    /// <summary>Says one message; several texts are its words.</summary>
    static async Task Say(TestClient client, params string[] words)
    {
        string text = System.Security.SecurityElement.Escape(string.Join(' ', words))!;
        await client.SendAsync($"<message to='{Room}' type='groupchat' id='m'><body>{text}</body></message>");
        await client.ExpectEventuallyAsync(
            $"<message type='groupchat' from='{Room}/Juliet' to='*' id='m'><body>*</body>...</message>");
    }

    static string[] Complaints(TestServer server) =>
        [.. server.Logs.Lines.Where(line => line.Id.Id == 3100).Select(line => line.Text)];

    string[] Files()
    {
        string root = Path.Combine(_folder, "www", "muc");
        if (!Directory.Exists(root)) return [];
        return [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(root, path)).Order(StringComparer.Ordinal)];
    }

    string Read(string file) => File.ReadAllText(
        Directory.Exists(Path.Combine(_folder, "www", "muc")) ? Path.Combine(_folder, "www", "muc", file)
        : Path.Combine(_folder, file));
}
