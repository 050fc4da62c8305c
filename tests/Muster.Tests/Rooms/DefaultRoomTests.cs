using Muster.Protocol.Xml;
using Muster.Server.Storage.Memory;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Each option of <c>default_room</c> from the file to what clients see: anna makes a room, berta comes into
/// it, and the option decides what she may do there.</summary>
public sealed class DefaultRoomTests
{
    const string Service = "conference.localhost";
    const string Room = $"garden@{Service}";
    const string Visitors = "default_room.members_by_default = false\n";

    [Theory, Feature("MU-29")]
    [InlineData("", true)]
    [InlineData("default_room.allow_change_subj = false", false)]
    public async Task A_participant_changes_the_subject(string options, bool allowed)
    {
        await using var scene = await Scene.OpenAsync(options);
        await scene.Berta.SendAsync(
            $"<message to='{Room}' type='groupchat' id='s'><subject>Roses</subject></message>");
        var answer = await scene.Berta.UntilIdAsync("s");
        Assert.Equal(allowed ? null : "forbidden", answer.ErrorCondition());
        if (allowed) Assert.Equal("Roses", (await scene.Anna.UntilIdAsync("s")).Child("subject")!.Text);
    }

    [Theory, Feature("MU-30")]
    [InlineData("", true)]
    [InlineData("default_room.allow_query_users = false", false)]
    public async Task An_occupant_asks_another(string options, bool allowed)
    {
        await using var scene = await Scene.OpenAsync(options);
        await scene.Berta.SendAsync(
            $"<iq type='get' id='q' to='{Room}/Anna'><query xmlns='jabber:iq:version'/></iq>");
        if (allowed)
        {
            var asked = await scene.Anna.ExpectEventuallyAsync(
                $"<iq type='get' id='*' from='{Room}/Berta' to='*'><query xmlns='jabber:iq:version'/></iq>");
            await scene.Anna.SendAsync($"<iq type='result' id='{asked.Attribute("id")}' to='{Room}/Berta'/>");
        }
        var answer = await scene.Berta.UntilIdAsync("q");
        Assert.Equal(allowed ? null : "not-allowed", answer.ErrorCondition());
        // Asking oneself is the self-ping of XEP-0410, which is always allowed.
        var self = await scene.Berta.RequestAsync("get", $"{Room}/Berta", $"<ping xmlns='{Namespaces.Ping}'/>");
        Assert.Equal("result", self.Attribute("type"));
    }

    [Theory, Feature("MU-31")]
    [InlineData("", true)]
    [InlineData("default_room.allow_private_messages = false", false)]
    public async Task A_private_message_reaches_another(string options, bool allowed)
    {
        await using var scene = await Scene.OpenAsync(options);
        await scene.Berta.SendAsync($"<message to='{Room}/Anna' type='chat' id='p'><body>psst</body></message>");
        if (allowed)
        {
            var heard = await scene.Anna.UntilIdAsync("p");
            Assert.Equal(($"{Room}/Berta", "psst"), (heard.Attribute("from"), heard.Child("body")?.Text));
        }
        else
        {
            Assert.Equal("forbidden", (await scene.Berta.UntilIdAsync("p")).ErrorCondition());
        }
    }

    [Theory, Feature("MU-32")]
    [InlineData("", "behind the arras")]
    [InlineData("default_room.allow_visitor_status = false", null)]
    public async Task A_visitors_status_is_shown(string options, string? shown)
    {
        await using var scene = await Scene.OpenAsync(Visitors + options);
        await scene.Berta.SendAsync(
            $"<presence to='{Room}/Berta' id='v'><show>away</show><status>behind the arras</status></presence>");
        var seen = await scene.Anna.ExpectEventuallyAsync(
            $"<presence from='{Room}/Berta' to='*' id='**'><show>away</show>...</presence>");
        Assert.Equal("visitor", seen.ItemOf().Attribute("role"));
        Assert.Equal(shown, seen.Child("status")?.Text);
    }

    [Theory, Feature("MU-33")]
    [InlineData("", null)]
    [InlineData("default_room.allow_visitor_nickchange = false", "not-allowed")]
    public async Task A_visitor_changes_the_nick(string options, string? refusal)
    {
        await using var scene = await Scene.OpenAsync(Visitors + options);
        await scene.Berta.SendAsync($"<presence to='{Room}/Bertha' id='n'/>");
        if (refusal is null)
        {
            var gone = await scene.Anna.ExpectEventuallyAsync(
                $"<presence type='unavailable' from='{Room}/Berta' to='*' id='**'>...</presence>");
            Assert.Equal(("303", "Bertha"), (Assert.Single(gone.CodesOf()), gone.ItemOf().Attribute("nick")));
        }
        Assert.Equal(refusal, (await scene.Berta.UntilIdAsync("n")).ErrorCondition());
    }

    [Theory, Feature("MU-34", "MU-35")]
    [InlineData("", new[] { "garden (2)" }, null)]
    [InlineData("default_room.public = false", new string[0], null)]
    [InlineData("default_room.public_list = false", new[] { "garden" }, "forbidden")]
    public async Task Strangers_find_the_room_and_who_is_inside(string options, string[] listed, string? refusal)
    {
        await using var scene = await Scene.OpenAsync(options);
        var carla = await scene.Server.LoginAsync("carla");
        const string Items = $"<query xmlns='{Namespaces.DiscoItems}'/>";
        var rooms = await carla.RequestAsync("get", Service, Items);
        Assert.Equal(listed, Names(rooms));
        var inside = await carla.RequestAsync("get", Room, Items);
        Assert.Equal(refusal, inside.ErrorCondition());
        if (refusal is null) Assert.Equal(["Anna", "Berta"], Names(inside));
        Assert.Contains(listed.Length == 0 ? "muc_hidden" : "muc_public", await Features(carla));
    }

    [Theory, Feature("MU-03", "MU-36")]
    [InlineData("", false)]
    [InlineData("default_room.persistent = true", true)]
    [InlineData("default_room.persistent = true\nbackend = 'mnesia'", true)]
    [InlineData("default_room.persistent = true\nbackend = 'rdbms'", true)]
    public async Task A_room_outlives_its_last_occupant_and_the_server(string options, bool stays)
    {
        var database = new MemoryDatabase();
        await using (var scene = await Scene.OpenAsync(options, database))
        {
            await scene.Anna.ConfigureAsync(Room, ("muc#roomconfig_roomname", "Capulet's"));
            await scene.Berta.LeaveAsync(Room, "Berta");
            await scene.Anna.LeaveAsync(Room, "Anna");
            Assert.Equal(stays, await Exists(scene.Anna));
        }
        await using var later = await TestServer.StartAsync(Scene.Config(options), database);
        var dora = await later.LoginAsync("dora");
        Assert.Equal(stays, await Exists(dora));
        var entered = await dora.EnterAsync(Room, "Dora");
        Assert.Equal(stays ? "none" : "owner", entered[^2].ItemOf().Attribute("affiliation"));

        static async Task<bool> Exists(TestClient client) =>
            (await client.RequestAsync("get", Room, $"<query xmlns='{Namespaces.DiscoInfo}'/>")).ErrorCondition()
                != "item-not-found";
    }

    [Theory, Feature("MU-37")]
    [InlineData("", "forbidden")]
    [InlineData("default_room.moderated = false", null)]
    public async Task A_visitor_speaks(string options, string? refusal)
    {
        await using var scene = await Scene.OpenAsync(Visitors + options);
        await scene.Berta.SayAsync(Room, "m", "may I?");
        Assert.Equal(refusal, (await scene.Berta.UntilIdAsync("m")).ErrorCondition());
        Assert.Contains(refusal is null ? "muc_unmoderated" : "muc_moderated", await Features(scene.Berta));
    }

    [Theory, Feature("MU-38")]
    [InlineData("", "participant")]
    [InlineData("default_room.members_by_default = false", "visitor")]
    public async Task A_newcomer_has_a_role(string options, string role)
    {
        await using var scene = await Scene.OpenAsync(options);
        Assert.Equal(role, scene.Entered[^2].ItemOf().Attribute("role"));
    }

    [Theory, Feature("MU-39")]
    [InlineData("", null)]
    [InlineData("default_room.members_only = true", "registration-required")]
    public async Task A_stranger_enters(string options, string? refusal)
    {
        await using var scene = await Scene.OpenAsync(options, enter: false);
        await scene.Berta.KnockAsync(Room, "Berta");
        var answer = await scene.Berta.ExpectEventuallyAsync($"<presence from='{Room}/*' to='*' id='**' type='**'>" +
            "...</presence>");
        Assert.Equal(refusal, answer.ErrorCondition());
        Assert.Contains(refusal is null ? "muc_open" : "muc_membersonly", await Features(scene.Berta));
        // A member enters either way.
        await scene.Anna.RequestAsync("set", Room,
            $"<query xmlns='{Namespaces.MucAdmin}'><item affiliation='member' jid='carla@localhost'/></query>");
        await (await scene.Server.LoginAsync("carla")).EnterAsync(Room, "Carla");
    }

    [Theory, Feature("MU-40")]
    [InlineData("", "forbidden")]
    [InlineData("default_room.allow_user_invites = true", null)]
    public async Task A_participant_invites(string options, string? refusal)
    {
        await using var scene = await Scene.OpenAsync(options);
        var carla = await scene.Server.OnlineAsync("carla");
        await scene.Berta.SendAsync($"<message to='{Room}' id='i'><x xmlns='{Namespaces.MucUser}'>" +
            "<invite to='carla@localhost'><reason>come</reason></invite></x></message>");
        if (refusal is null)
        {
            var invited = await carla.ExpectEventuallyAsync($"<message from='{Room}' to='*' id='**'>...</message>");
            var invite = invited.Child(Namespaces.MucUser, "x")!.Child(Namespaces.MucUser, "invite")!;
            Assert.Equal("come", invite.Child(Namespaces.MucUser, "reason")?.Text);
        }
        else
        {
            Assert.Equal(refusal, (await scene.Berta.UntilIdAsync("i")).ErrorCondition());
        }
    }

    [Theory, Feature("MU-41")]
    [InlineData("", "conflict")]
    [InlineData("default_room.allow_multiple_sessions = true", null)]
    public async Task A_second_device_shares_the_nick(string options, string? refusal)
    {
        await using var scene = await Scene.OpenAsync(options);
        var phone = await scene.Server.LoginAsync("berta", "phone");
        await phone.KnockAsync(Room, "Berta");
        if (refusal is not null)
        {
            Assert.Equal(refusal, (await phone.ReceiveAsync()).ErrorCondition());
            return;
        }
        await phone.ExpectEventuallyAsync(RoomScenes.AnySubject);
        await scene.Anna.SayAsync(Room, "both", "hello");
        await phone.UntilIdAsync("both");
        await scene.Berta.UntilIdAsync("both");
    }

    [Theory, Feature("MU-42", "MU-43")]
    [InlineData("default_room.password = 'pilgrim'", null, null)]
    [InlineData("default_room.password = 'pilgrim'\ndefault_room.password_protected = true", null, "not-authorized")]
    [InlineData("default_room.password = 'pilgrim'\ndefault_room.password_protected = true", "x", "not-authorized")]
    [InlineData("default_room.password = 'pilgrim'\ndefault_room.password_protected = true", "pilgrim", null)]
    public async Task A_password_is_asked_for(string options, string? password, string? refusal)
    {
        await using var scene = await Scene.OpenAsync(options, enter: false, password: "pilgrim");
        await scene.Berta.KnockAsync(Room, "Berta", password);
        if (refusal is null) await scene.Berta.ExpectEventuallyAsync(RoomScenes.AnySubject);
        else Assert.Equal(refusal, (await scene.Berta.ReceiveAsync()).ErrorCondition());
    }

    [Theory, Feature("MU-44")]
    [InlineData("", null)]
    [InlineData("default_room.anonymous = false", "anna@localhost/test")]
    public async Task Participants_see_real_addresses(string options, string? seen)
    {
        await using var scene = await Scene.OpenAsync(options);
        Assert.Equal(seen, scene.Entered[0].ItemOf().Attribute("jid"));
        Assert.Equal(seen is not null, scene.Entered[^2].CodesOf().Contains("100"));
        // Moderators always do.
        var arrived = await scene.Anna.ExpectEventuallyAsync(
            $"<presence from='{Room}/Berta' to='*' id='**'>...</presence>");
        Assert.Equal("berta@localhost/test", arrived.ItemOf().Attribute("jid"));
    }

    [Theory, Feature("MU-45")]
    [InlineData("default_room.max_users = 2", "service-unavailable")]
    [InlineData("default_room.max_users = 3", null)]
    [InlineData("default_room.max_users = 1000\nmax_users = 2", "service-unavailable")]
    public async Task A_room_is_full(string options, string? refusal)
    {
        await using var scene = await Scene.OpenAsync(options);
        await scene.Anna.RequestAsync("set", Room,
            $"<query xmlns='{Namespaces.MucAdmin}'><item affiliation='admin' jid='dora@localhost'/></query>");
        var carla = await scene.Server.LoginAsync("carla");
        await carla.KnockAsync(Room, "Carla");
        if (refusal is null) await carla.ExpectEventuallyAsync(RoomScenes.AnySubject);
        else Assert.Equal(refusal, (await carla.ReceiveAsync()).ErrorCondition());
        // The room's admins enter all the same.
        await (await scene.Server.LoginAsync("dora")).EnterAsync(Room, "Dora");
    }

    [Theory, Feature("MU-47")]
    [InlineData("", "forbidden")]
    [InlineData("default_room.maygetmemberlist = ['moderator']", "forbidden")]
    [InlineData("default_room.maygetmemberlist = ['participant']", null)]
    public async Task A_participant_reads_the_lists(string options, string? refusal)
    {
        await using var scene = await Scene.OpenAsync(options);
        foreach (string what in (string[])["affiliation='owner'", "role='moderator'"])
        {
            var answer = await scene.Berta.RequestAsync("get", Room,
                $"<query xmlns='{Namespaces.MucAdmin}'><item {what}/></query>");
            Assert.Equal(refusal, answer.ErrorCondition());
            if (refusal is null) Assert.Single(answer.FirstElement!.Elements);
        }
    }

    static string[] Names(Element items) => [.. items.FirstElement!.Children(Namespaces.DiscoItems, "item")
        .Select(item => item.Attribute("name") ?? "").Order(StringComparer.Ordinal)];

    static async Task<string[]> Features(TestClient client)
    {
        var info = await client.RequestAsync("get", Room, $"<query xmlns='{Namespaces.DiscoInfo}'/>");
        return [.. info.FirstElement!.Children(Namespaces.DiscoInfo, "feature").Select(f => f.Attribute("var")!)];
    }

    /// <summary>A server with options of mod_muc, a room that anna made, and berta, who came into it.</summary>
    sealed class Scene : IAsyncDisposable
    {
        public required TestServer Server { get; init; }
        public required TestClient Anna { get; init; }
        public required TestClient Berta { get; init; }

        /// <summary>What berta received on entering; the last but one is her own presence.</summary>
        public List<Element> Entered { get; private set; } = [];

        public static string Config(string options) =>
            $"[[listen.c2s]]\nport = 0\ntls.mode = 'none'\n[modules.mod_muc]\n{options}";

        public static async Task<Scene> OpenAsync(
            string options, MemoryDatabase? database = null, bool enter = true, string? password = null)
        {
            var server = await TestServer.StartAsync(Config(options), database);
            var anna = await server.LoginAsync("anna");
            await anna.CreateRoomAsync(Room, "Anna", password);
            var scene = new Scene { Server = server, Anna = anna, Berta = await server.LoginAsync("berta") };
            if (enter) scene.Entered = await scene.Berta.EnterAsync(Room, "Berta");
            return scene;
        }

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
