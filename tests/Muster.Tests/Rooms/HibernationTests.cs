using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;
using Muster.Server.Storage;
using Muster.Server.Storage.Memory;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Quiet rooms are compacted, then unloaded, and come back without anybody noticing (muc.md §18): through the
/// whole server.</summary>
public sealed class HibernationTests
{
    const string Room = "garden@conference.localhost";
    const string Subject = "<message from='*' to='*' id='**' type='groupchat'><subject/></message>";
    const string Config = """
        [[listen.c2s]]
          port = 0
          tls.mode = "none"
        [modules.mod_muc]
          hibernate_timeout = 60_000
          hibernated_room_check_interval = 10_000
          hibernated_room_timeout = 30_000
          default_room.persistent = true
        """;

    [Fact, Feature("MU-23", "MU-25", "MU-51", "MU-53", "MU-64", "MU-65", "MU-66", "MU-67", "MU-68", "MU-69")]
    public async Task AQuietRoomIsCompactedThenUnloadedAndWokenByWhoEnters()
    {
        await using var server = await TestServer.StartAsync(Config);
        var romeo = await server.LoginAsync("romeo");
        await Create(romeo);
        await romeo.SendAsync($"<message to='{Room}' type='groupchat' id='m1'><body>hello</body></message>" +
            $"<message to='{Room}' type='groupchat' id='m2'><subject>Roses</subject></message>");
        await romeo.ExpectEventuallyAsync(
            $"<message from='{Room}/Romeo' to='*' id='m2' type='groupchat'>...</message>");
        await Leave(romeo);
        await server.SettleAsync();
        var left = server.Clock.GetUtcNow();

        await server.AdvanceAsync(TimeSpan.FromSeconds(59));
        Assert.Equal(0, Value(server, "mod_muc_hibernations_count"));
        await server.AdvanceAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(1, Value(server, "mod_muc_hibernations_count"));
        // The gauges show it when they are brought up to date, every 15 s.
        Assert.Equal(0, Value(server, "mod_muc_rooms_hibernated"));
        Assert.Equal(1, Value(server, "mod_muc_rooms_online"));
        await server.AdvanceAsync(TimeSpan.FromSeconds(15));
        Assert.Equal(1, Value(server, "mod_muc_rooms_hibernated"));
        Assert.Equal(1, Value(server, "mod_muc_rooms_online"));
        Assert.Equal(left, (await server.Services.Database.Rooms.Load(Jid.Parse(Room)))!.LastActivityAt);

        await server.AdvanceAsync(TimeSpan.FromSeconds(16));
        Assert.Equal(1, Value(server, "mod_muc_deep_hibernations_count"));
        await server.AdvanceAsync(TimeSpan.FromSeconds(15));
        Assert.Equal(0, Value(server, "mod_muc_rooms_hibernated"));
        Assert.Equal(0, Value(server, "mod_muc_rooms_online"));
        Assert.Empty(server.Services.Rooms["conference.localhost"].Live);

        var juliet = await server.LoginAsync("juliet");
        await Enter(juliet, "Juliet");
        await juliet.ExpectAsync("<presence from='*' to='*' id='**'>...</presence>");
        await juliet.ExpectEventuallyAsync(
            $"<message from='{Room}/Romeo' to='*' id='m1' type='groupchat'><body>hello</body>...</message>");
        await juliet.ExpectAsync(
            "<message from='*' to='*' id='**' type='groupchat'><subject>Roses</subject>...</message>");
        Assert.Equal(1, Value(server, "mod_muc_process_recreations_count"));
        await server.AdvanceAsync(TimeSpan.FromSeconds(15));
        Assert.Equal(1, Value(server, "mod_muc_rooms_online"));
    }

    [Fact, Feature("MU-56")]
    public async Task AnyStanzaAndAnAdministratorsLookWake()
    {
        await using var server = await TestServer.StartAsync(Config);
        var romeo = await server.LoginAsync("romeo");
        await Create(romeo);
        await Leave(romeo);
        string[] requests =
        [
            $"<iq type='set' id='r1' to='{Room}'><query xmlns='{Namespaces.MucAdmin}'>" +
                "<item affiliation='member' jid='nurse@localhost'/></query></iq>",
            $"<iq type='get' id='r2' to='{Room}'><query xmlns='{Namespaces.DiscoInfo}'/></iq>",
            $"<iq type='get' id='r3' to='{Room}'><query xmlns='{Namespaces.MucAdmin}'>" +
                "<item affiliation='member'/></query></iq>",
        ];
        int recreations = 0;
        foreach (string request in requests)
        {
            await Unload(server);
            var answer = await romeo.AskAsync(request);
            Assert.Equal("result", answer.Attribute("type"));
            Assert.Equal(++recreations, Value(server, "mod_muc_process_recreations_count"));
            // What was changed while it was woken is there when it is woken again.
            if (request == requests[2])
                Assert.Equal("nurse@localhost", answer.FirstElement!.FirstElement!.Attribute("jid"));
        }
        await Unload(server);
        await romeo.SendAsync($"<message to='{Room}' type='groupchat' id='m1'><body>hello</body></message>");
        await romeo.ExpectEventuallyAsync($"<message type='error' id='m1' from='{Room}' to='*'>...</message>");
        Assert.Equal(++recreations, Value(server, "mod_muc_process_recreations_count"));
        await Unload(server);
        var service = server.Services.Rooms["conference.localhost"];
        Assert.True(await service.Look(Jid.Parse(Room), room => room!.IsStored));
        Assert.Equal(++recreations, Value(server, "mod_muc_process_recreations_count"));
    }

    [Fact, Feature("MU-52", "MU-54", "MU-55")]
    public async Task OnlyAPersistentRoomWithNobodyButAnOwnerIsUnloaded()
    {
        await using var server = await TestServer.StartAsync(Config);
        var romeo = await server.LoginAsync("romeo");
        var juliet = await server.LoginAsync("juliet");
        await Create(romeo);
        await Enter(juliet, "Juliet");
        await juliet.ExpectEventuallyAsync(Subject);
        await RestLong(server);
        Assert.Equal(0, Value(server, "mod_muc_deep_hibernations_count"));
        await juliet.ExpectNothingAsync();

        await juliet.SendAsync($"<presence type='unavailable' to='{Room}/Juliet'/>");
        await romeo.ExpectEventuallyAsync(
            $"<presence type='unavailable' from='{Room}/Juliet' to='*' id='**'>...</presence>");
        await RestLong(server);
        Assert.Equal(1, Value(server, "mod_muc_deep_hibernations_count"));
        var gone = await romeo.ExpectAsync(
            $"<presence type='unavailable' from='{Room}/Romeo' to='*' id='**'>...</presence>");
        var x = gone.Child(Namespaces.MucUser, "x")!;
        var item = x.Child(Namespaces.MucUser, "item")!;
        Assert.Equal(("owner", "none"), (item.Attribute("affiliation"), item.Attribute("role")));
        Assert.Equal("Room hibernation", item.Child(Namespaces.MucUser, "reason")?.Text);
        Assert.Equal(["110", "332"], x.Children(Namespaces.MucUser, "status").Select(s => s.Attribute("code")).Order());
    }

    [Theory, Feature("MU-24", "MU-52")]
    [InlineData("hibernated_room_check_interval = \"infinity\"")]
    [InlineData("hibernated_room_timeout = \"infinity\"")]
    [InlineData("default_room.persistent = false")]
    public async Task WithoutAnIntervalOrATimeoutOrStorageItStays(string option)
    {
        string key = option.Split(' ')[0];
        string config = string.Join('\n', Config.Split('\n')
            .Where(line => !line.Contains($" {key} ", StringComparison.Ordinal)).Append(option));
        await using var server = await TestServer.StartAsync(config);
        await Create(await server.LoginAsync("romeo"));
        await RestLong(server);
        Assert.Equal(1, Value(server, "mod_muc_hibernations_count"));
        Assert.Equal(0, Value(server, "mod_muc_deep_hibernations_count"));
        Assert.Single(server.Services.Rooms["conference.localhost"].Live);
    }

    [Fact]
    public async Task WhatComesAtTheInstantOfUnloadingIsAnswered()
    {
        await using var server = await TestServer.StartAsync(Config);
        var romeo = await server.LoginAsync("romeo");
        await Create(romeo);
        await Leave(romeo);
        for (int i = 0; i < 50; i++)
        {
            await server.AdvanceAsync(TimeSpan.FromSeconds(60));
            await server.AdvanceAsync(TimeSpan.FromSeconds(20));
            // The sweep that unloads and the request meet in the room's mailbox, now in this order, now in that.
            var sweep = Task.Run(() => server.Clock.Advance(TimeSpan.FromSeconds(20)));
            var answer = await romeo.AskAsync(
                $"<iq type='get' id='q{i}' to='{Room}'><query xmlns='{Namespaces.DiscoInfo}'/></iq>");
            await sweep;
            Assert.Equal("result", answer.Attribute("type"));
        }
    }

    [Fact, Feature("MU-22")]
    public async Task StoredRoomsAreReadAtTheStartOnlyIfToldTo()
    {
        var database = new MemoryDatabase();
        var rooms = Enumerable.Range(0, 1200).Select(i => Stored($"room{i}@conference.localhost")).ToList();
        await database.Rooms.Commit(rooms);
        int reads = 0;
        database.BeforeRead = _ =>
        {
            Interlocked.Increment(ref reads);
            return default;
        };
        await using (var server = await TestServer.StartAsync(Config, database))
        {
            await server.SettleAsync();
            // Whether any room was occupied when the server was stopped, and who was in rooms of other servers.
            Assert.Equal(2, reads);
            Assert.Empty(server.Services.Rooms["conference.localhost"].Hosts);
        }

        database = new MemoryDatabase();
        await database.Rooms.Commit(rooms);
        await using (var server = await TestServer.StartAsync(
            $"{Config}\n  load_permanent_rooms_at_startup = true", database))
        {
            var live = server.Services.Rooms["conference.localhost"];
            await Patience.Eventually(() => live.Live.Count() >= 1200);
            await server.AdvanceAsync(TimeSpan.FromSeconds(15));
            Assert.Equal(1200, Value(server, "mod_muc_rooms_online"));
            Assert.Equal(1200, Value(server, "mod_muc_process_recreations_count"));
        }
    }

    [Fact]
    public async Task ARoomThatCannotBeReadWhenItIsWokenIsNotReplaced()
    {
        var database = new MemoryDatabase();
        await using var server = await TestServer.StartAsync(Config, database);
        var romeo = await server.LoginAsync("romeo");
        await Create(romeo);
        await Leave(romeo);
        await Unload(server);
        database.BeforeRead = _ => throw new StorageException(StorageFault.Unavailable, "gone");
        await Enter(romeo, "Romeo");
        var refused = await romeo.ExpectEventuallyAsync(
            $"<presence type='error' from='{Room}/Romeo' to='*' id='**'>...</presence>");
        Assert.NotNull(refused.Child("error")!.Child(Namespaces.StanzaErrors, "service-unavailable"));
        database.BeforeRead = null;
        await Enter(romeo, "Romeo");
        var entered = await romeo.ExpectAsync($"<presence from='{Room}/Romeo' to='*' id='**'>...</presence>");
        Assert.DoesNotContain(entered.Child(Namespaces.MucUser, "x")!.Children(Namespaces.MucUser, "status"),
            status => status.Attribute("code") == "201");
    }

    [Fact, Feature("MU-56")]
    public async Task ASleepingRoomKeepsSubjectHistoryAffiliationsAndNicks()
    {
        await using var server = await TestServer.StartAsync(Config);
        var romeo = await server.LoginAsync("romeo");
        var juliet = await server.LoginAsync("juliet");
        await Create(romeo);
        await juliet.EnterAsync(Room, "Juliet");
        await juliet.RegisterNickAsync(Room, "Juliet");
        await juliet.SayAsync(Room, "m1", "hello");
        await romeo.SendAsync($"<message to='{Room}' type='groupchat' id='s'><subject>Roses</subject></message>");
        await romeo.UntilIdAsync("s");
        await romeo.RequestAsync("set", Room,
            $"<query xmlns='{Namespaces.MucAdmin}'><item affiliation='outcast' jid='paris@localhost'/></query>");
        await juliet.LeaveAsync(Room, "Juliet");
        await romeo.LeaveAsync(Room, "Romeo");
        await Unload(server);

        // The first to come is one whose nick is somebody else's, the second one who is banned.
        var nurse = await server.LoginAsync("nurse");
        await nurse.KnockAsync(Room, "Juliet");
        Assert.Equal("conflict", (await nurse.ReceiveAsync()).ErrorCondition());
        var paris = await server.LoginAsync("paris");
        await paris.KnockAsync(Room, "Paris");
        Assert.Equal("forbidden", (await paris.ReceiveAsync()).ErrorCondition());
        var entered = await nurse.EnterAsync(Room, "Nurse");
        Assert.Equal((3, "hello", $"{Room}/Juliet"),
            (entered.Count, entered[1].Child("body")?.Text, entered[1].Attribute("from")));
        Assert.Equal(("Roses", $"{Room}/Romeo"),
            (entered[2].Child("subject")!.Text, entered[2].Attribute("from")));
        Assert.NotNull(entered[2].Child(Namespaces.Delay, "delay"));
        var back = await juliet.EnterAsync(Room, "Juliet");
        Assert.Equal("member", back[1].ItemOf().Attribute("affiliation"));
    }

    // Compacted, then unloaded.
    static async Task Unload(TestServer server)
    {
        await RestLong(server);
        Assert.Empty(server.Services.Rooms["conference.localhost"].Live);
    }

    static async Task RestLong(TestServer server)
    {
        for (int i = 0; i < 11; i++) await server.AdvanceAsync(TimeSpan.FromSeconds(10));
    }

    static RoomCommit Stored(string room) => new()
    {
        Room = Jid.Parse(room),
        Creation = new(new byte[32], DateTimeOffset.UnixEpoch),
        Options = new("{}", "", true, true),
    };

    static Task Enter(TestClient client, string nick) =>
        client.SendAsync($"<presence to='{Room}/{nick}'><x xmlns='{Namespaces.Muc}'/></presence>");

    static async Task Leave(TestClient client)
    {
        await client.SendAsync($"<presence type='unavailable' to='{Room}/Romeo'/>");
        await client.ExpectEventuallyAsync(
            $"<presence type='unavailable' from='{Room}/Romeo' to='*' id='**'>...</presence>");
    }

    static async Task Create(TestClient client)
    {
        await Enter(client, "Romeo");
        await client.ExpectEventuallyAsync(Subject);
        await client.AskAsync($"<iq type='set' to='{Room}'><query xmlns='{Namespaces.MucOwner}'>" +
            "<x xmlns='jabber:x:data' type='submit'/></query></iq>");
    }

    static int Value(TestServer server, string name)
    {
        string start = $"{name}{{host_type=\"localhost\"}} ";
        return int.Parse(server.Host.Metrics.ToPrometheus().Split('\n')
            .Single(line => line.StartsWith(start, StringComparison.Ordinal))[start.Length..]);
    }
}
