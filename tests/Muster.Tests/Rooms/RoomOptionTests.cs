using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>The options of <c>[modules.mod_muc]</c> from the file to what a client sees (muc.md §16): through the
/// whole server.</summary>
public sealed class RoomOptionTests
{
    const string Service = "conference.localhost";
    const string Room = $"garden@{Service}";
    const string Subject = "<message from='*' to='*' id='**' type='groupchat'><subject/></message>";

    [Fact, Feature("MU-02")]
    public async Task EachDomainHasItsServiceAndAFixedNameIsTheFirstDomains()
    {
        await using var server = await TestServer.StartAsync(Listen + """
            [general]
              hosts = ["localhost", "other.test"]
            [modules.mod_muc]
              host = "rooms.@HOST@"
            """);
        Assert.Equal(["rooms.localhost", "rooms.other.test"], server.Services.Rooms.Keys.Order());
        await using var one = await TestServer.StartAsync(Listen + """
            [general]
              hosts = ["localhost", "other.test"]
            [modules.mod_muc]
              host = "muc.example.com"
            """);
        Assert.Equal("localhost", Assert.Single(one.Services.Rooms).Value.HostName);
        var user = await one.LoginAsync("anna@other.test");
        await Enter(user, "garden@muc.example.com/Anna");
        await user.ExpectEventuallyAsync(Subject);
    }

    [Fact, Feature("MU-05", "MU-06", "MU-07", "MU-08")]
    public async Task TheFourAccessRulesDecide()
    {
        await using var server = await StartAsync("""
            access = "users"
            access_create = "creators"
            access_admin = "admins"
            access_persistent = "keepers"
            """, """
            [acl]
              outsider = [{ user = "outsider" }]
              guest = [{ user = "guest" }]
              boss = [{ user = "boss" }]
              keeper = [{ user = "keeper" }]
            [access]
              users = [{ acl = "outsider", value = "deny" }, { acl = "all", value = "allow" }]
              creators = [{ acl = "guest", value = "deny" }, { acl = "all", value = "allow" }]
              admins = [{ acl = "boss", value = "allow" }]
              keepers = [{ acl = "keeper", value = "allow" }]
            """);
        var outsider = await server.LoginAsync("outsider");
        await Enter(outsider, $"{Room}/O");
        await ExpectRefusal(outsider, "forbidden");
        var guest = await server.LoginAsync("guest");
        await Enter(guest, $"{Room}/G");
        await ExpectRefusal(guest, "not-allowed");

        // Who may not make a room persistent does not find the field, or is refused.
        var anna = await server.LoginAsync("anna");
        await Create(anna, "Anna");
        Assert.NotNull((await Configure(anna, "muc#roomconfig_persistentroom", "1")).Child("error"));
        await Enter(guest, $"{Room}/G");
        await guest.ExpectEventuallyAsync(Subject);

        var boss = await server.LoginAsync("boss");
        var answer = await boss.AskAsync($"<iq type='get' to='{Room}'><query xmlns='{Namespaces.MucOwner}'/></iq>");
        Assert.Equal("result", answer.Attribute("type"));
        var keeper = await server.LoginAsync("keeper");
        await Create(keeper, "Keeper", "den");
        Assert.Equal("result",
            (await Configure(keeper, "muc#roomconfig_persistentroom", "1", "den")).Attribute("type"));
    }

    [Fact, Feature("MU-09")]
    public async Task NewcomersGetAsMuchHistoryAsConfigured()
    {
        await using var server = await StartAsync("history_size = 3");
        var anna = await server.LoginAsync("anna");
        await Create(anna, "Anna");
        for (int i = 0; i < 6; i++) await Say(anna, $"m{i}");
        await anna.ExpectEventuallyAsync($"<message from='{Room}/Anna' to='*' id='m5' type='groupchat'>...</message>");
        var berta = await server.LoginAsync("berta");
        await Enter(berta, $"{Room}/Berta");
        await berta.ExpectAsync("<presence from='*' to='*' id='**'>...</presence>");
        await berta.ExpectAsync("<presence from='*' to='*' id='**'>...</presence>");
        foreach (string id in (string[])["m3", "m4", "m5"])
            await berta.ExpectAsync($"<message from='*' to='*' id='{id}' type='groupchat'>...</message>");
        await berta.ExpectAsync(Subject);
    }

    [Fact, Feature("MU-11", "MU-12", "MU-13")]
    public async Task NamesTitlesAndDescriptionsHaveTheirLengths()
    {
        await using var server = await StartAsync("max_room_id = 6\nmax_room_name = 4\nmax_room_desc = 5");
        var anna = await server.LoginAsync("anna");
        await Enter(anna, $"gardens@{Service}/Anna");
        await ExpectRefusal(anna, "not-allowed");
        await Create(anna, "Anna");
        foreach (string field in (string[])["muc#roomconfig_roomname", "muc#roomconfig_roomdesc"])
        {
            var refused = await Configure(anna, field, "sixsix");
            Assert.NotNull(refused.Child("error")?.Child(Namespaces.StanzaErrors, "not-acceptable"));
            await anna.SendAsync(Form(field, "four", "garden", "ok"));
            await anna.ExpectEventuallyAsync($"<iq type='result' id='ok' from='{Room}' to='*'/>");
        }
    }

    [Fact, Feature("MU-14")]
    public async Task ASecondMessageWaitsAndAThirdIsRefused()
    {
        await using var server = await StartAsync("min_message_interval = 2");
        var anna = await server.LoginAsync("anna");
        await Create(anna, "Anna");
        foreach (string id in (string[])["m1", "m2", "m3"]) await Say(anna, id);
        await anna.ExpectAsync("<message from='*' to='*' id='m1' type='groupchat'>...</message>");
        var refused = await anna.ExpectAsync("<message from='*' to='*' id='m3' type='error'>...</message>");
        Assert.NotNull(refused.Child("error")!.Child(Namespaces.StanzaErrors, "resource-constraint"));
        await server.AdvanceAsync(TimeSpan.FromSeconds(1.9));
        await anna.ExpectNothingAsync();
        await server.AdvanceAsync(TimeSpan.FromSeconds(0.1));
        await anna.ExpectAsync("<message from='*' to='*' id='m2' type='groupchat'>...</message>");
    }

    [Fact, Feature("MU-15")]
    public async Task OfPresencesThatComeTooSoonTheNewestCounts()
    {
        await using var server = await StartAsync("min_presence_interval = 2");
        var anna = await server.LoginAsync("anna");
        await Create(anna, "Anna");
        foreach (string show in (string[])["away", "dnd", "xa"])
            await anna.SendAsync($"<presence to='{Room}/Anna'><show>{show}</show></presence>");
        await anna.ExpectAsync("<presence from='*' to='*' id='**'><show>away</show>...</presence>");
        await anna.ExpectNothingAsync();
        await server.SettleAsync();
        await server.AdvanceAsync(TimeSpan.FromSeconds(2));
        await anna.ExpectAsync("<presence from='*' to='*' id='**'><show>xa</show>...</presence>");
        await anna.ExpectNothingAsync();
    }

    [Theory, Feature("MU-10", "MU-18")]
    [InlineData("room_shaper")]
    [InlineData("user_message_shaper")]
    public async Task AShaperDelaysMessagesAndDropsNone(string option)
    {
        await using var server = await StartAsync($"{option} = \"slow\"", "[shaper.slow]\n  max_rate = 1000");
        var anna = await server.LoginAsync("anna");
        await Create(anna, "Anna");
        string text = new('x', 650);
        await Say(anna, "m1", text);
        await anna.ExpectAsync("<message from='*' to='*' id='m1' type='groupchat'>...</message>");
        await Say(anna, "m2", text);
        await anna.ExpectNothingAsync(); // the room was sent it
        await server.SettleAsync();      // and holds it, before time passes
        await anna.ExpectNothingAsync();
        await server.AdvanceAsync(TimeSpan.FromSeconds(3));
        await anna.ExpectAsync("<message from='*' to='*' id='m2' type='groupchat'>...</message>");
    }

    [Fact, Feature("MU-19")]
    public async Task AShaperDelaysPresences()
    {
        await using var server = await StartAsync("user_presence_shaper = \"slow\"", "[shaper.slow]\n  max_rate = 600");
        var anna = await server.LoginAsync("anna");
        await Create(anna, "Anna");
        string text = new('x', 300);
        foreach (string show in (string[])["away", "dnd"])
            await anna.SendAsync($"<presence to='{Room}/Anna'><show>{show}</show><status>{text}</status></presence>");
        await anna.ExpectAsync("<presence from='*' to='*' id='**'><show>away</show>...</presence>");
        await anna.ExpectNothingAsync();
        await server.SettleAsync();
        await server.AdvanceAsync(TimeSpan.FromSeconds(3));
        await anna.ExpectAsync("<presence from='*' to='*' id='**'><show>dnd</show>...</presence>");
    }

    [Fact, Feature("MU-16", "MU-17")]
    public async Task AFullRoomLetsInOnlyItsAdminsAndFewOfThem()
    {
        await using var server = await StartAsync("max_users = 2\nmax_users_admin_threshold = 1", """
            [[modules.mod_muc.default_room.affiliations]]
              user = "carla"
              server = "localhost"
              resource = ""
              affiliation = "admin"
            [[modules.mod_muc.default_room.affiliations]]
              user = "dora"
              server = "localhost"
              resource = ""
              affiliation = "admin"
            """);
        await Create(await server.LoginAsync("anna"), "Anna");
        foreach (string user in (string[])["berta", "carla"])
        {
            var client = await server.LoginAsync(user);
            await Enter(client, $"{Room}/{user}");
            await client.ExpectEventuallyAsync(Subject);
        }
        foreach (string user in (string[])["emma", "dora"])
        {
            var client = await server.LoginAsync(user);
            await Enter(client, $"{Room}/{user}");
            Assert.Equal("wait", (await ExpectRefusal(client, "service-unavailable")).Attribute("type"));
        }
    }

    [Fact, Feature("MU-20")]
    public async Task AUserIsInSoManyRoomsAtATime()
    {
        await using var server = await StartAsync("max_user_conferences = 2");
        var anna = await server.LoginAsync("anna");
        await Create(anna, "Anna", "one");
        await Create(anna, "Anna", "two");
        await Enter(anna, $"three@{Service}/Anna");
        Assert.Equal("wait", (await ExpectRefusal(anna, "service-unavailable")).Attribute("type"));
        await anna.SendAsync($"<presence type='unavailable' to='one@{Service}/Anna'/>");
        await anna.ExpectAsync("<presence type='unavailable' from='*' to='*' id='**'>...</presence>");
        await Create(anna, "Anna", "three");
    }

    [Theory, Feature("MU-26", "MU-27", "MU-28", "MU-35", "MU-48", "MU-49", "MU-50")]
    [InlineData("""
        default_room.title = "Roses"
        default_room.description = "All of them"
        default_room.public_list = false
        default_room.members_only = true
        default_room.subject = "Thorns"
        default_room.subject_author = "Gertrude"
        """)]
    [InlineData("""
        [modules.mod_muc.default_room]
          title = "Roses"
          description = "All of them"
          public_list = false
          members_only = true
          subject = "Thorns"
          subject_author = "Gertrude"
        """)]
    public async Task NewRoomsHaveWhatTheDefaultRoomHas(string options)
    {
        await using var server = await StartAsync(options, """
            [[modules.mod_muc.default_room.affiliations]]
              user = "berta"
              server = "localhost"
              resource = ""
              affiliation = "member"
            """);
        var anna = await server.LoginAsync("anna");
        await Create(anna, "Anna",
            subject: $"<message from='{Room}/Gertrude' to='*' id='**' type='groupchat'>" +
                "<subject>Thorns</subject>...</message>");
        var berta = await server.LoginAsync("berta");
        await Enter(berta, $"{Room}/Berta");
        await berta.ExpectEventuallyAsync(
            "<message from='*' to='*' id='**' type='groupchat'><subject>Thorns</subject>...</message>");
        var carla = await server.LoginAsync("carla");
        await Enter(carla, $"{Room}/Carla");
        await ExpectRefusal(carla, "registration-required");
        var info = await carla.AskAsync($"<iq type='get' to='{Room}'><query xmlns='{Namespaces.DiscoInfo}'/></iq>");
        Assert.Equal("Roses", info.FirstElement!.Child(Namespaces.DiscoInfo, "identity")!.Attribute("name"));
        Assert.Contains("All of them", info.ToString(), StringComparison.Ordinal);
        var items = await carla.AskAsync($"<iq type='get' to='{Room}'><query xmlns='{Namespaces.DiscoItems}'/></iq>");
        Assert.NotNull(items.Child("error")?.Child(Namespaces.StanzaErrors, "forbidden"));
    }

    const string Listen = "[[listen.c2s]]\nport = 0\ntls.mode = \"none\"\n";

    static Task<TestServer> StartAsync(string options, string more = "") =>
        TestServer.StartAsync($"{Listen}[modules.mod_muc]\n{options}\n{more}");

    static Task Enter(TestClient client, string occupant) =>
        client.SendAsync($"<presence to='{occupant}'><x xmlns='{Namespaces.Muc}'/></presence>");

    static Task Say(TestClient client, string id, string text = "hello") =>
        client.SendAsync($"<message to='{Room}' type='groupchat' id='{id}'><body>{text}</body></message>");

    static async Task Create(TestClient client, string nick, string room = "garden", string subject = Subject)
    {
        await Enter(client, $"{room}@{Service}/{nick}");
        await client.ExpectEventuallyAsync(subject);
        var answer = await client.AskAsync($"<iq type='set' to='{room}@{Service}'>" +
            $"<query xmlns='{Namespaces.MucOwner}'><x xmlns='jabber:x:data' type='submit'/></query></iq>");
        Assert.Equal("result", answer.Attribute("type"));
    }

    static async Task<Element> Configure(TestClient owner, string field, string value, string room = "garden")
    {
        await owner.SendAsync(Form(field, value, room, "form"));
        while (true)
        {
            var element = await owner.ReceiveAsync();
            if (element.Attribute("id") == "form") return element;
        }
    }

    static string Form(string field, string value, string room, string id) =>
        $"<iq type='set' id='{id}' to='{room}@{Service}'><query xmlns='{Namespaces.MucOwner}'>" +
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>" +
        "<value>http://jabber.org/protocol/muc#roomconfig</value></field>" +
        $"<field var='{field}'><value>{value}</value></field></x></query></iq>";

    static async Task<Element> ExpectRefusal(TestClient client, string condition)
    {
        var refused = await client.ExpectAsync("<presence type='error' from='*' to='*' id='**'>...</presence>");
        var error = refused.Child("error")!;
        Assert.NotNull(error.Child(Namespaces.StanzaErrors, condition));
        return error;
    }
}
