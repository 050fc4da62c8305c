using Muster.Interop.Servers;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Interop.Rooms;

/// <summary>A room in a real process on SQLite that is left until it is unloaded, and later until the server has been
/// restarted, or killed: whoever enters then finds what was there.</summary>
public sealed class SleepingRoomTests
{
    const string Room = "sleepy@conference.localhost";

    [Fact, Feature("MU-03", "MU-09", "MU-25", "MU-56", "MU-64", "MU-65")]
    public async Task ARoomWakesAsItWasAlsoAfterARestartAndAKill()
    {
        var server = await ServerProcess.StartAsync("""
            [modules.mod_muc]
              hibernate_timeout = 500
              hibernated_room_check_interval = 200
              hibernated_room_timeout = 300
            [instrumentation]
              probe_interval = 1
            """);
        try
        {
            await using (var romeo = await SocketClient.LogInAsync(server, "romeo"))
            await using (var juliet = await SocketClient.LogInAsync(server, "juliet"))
            {
                await romeo.CreateRoomAsync(Room, "Romeo");
                await romeo.ConfigureAsync(Room, ("muc#roomconfig_persistentroom", "1"),
                    ("muc#roomconfig_roomname", "The Capulets' tomb"));
                await romeo.RequestAsync("set", Room, $"<query xmlns='{Namespaces.MucAdmin}'>" +
                    "<item affiliation='outcast' jid='paris@localhost'/></query>");
                await juliet.EnterAsync(Room, "Juliet");
                var registered = await juliet.RegisterNickAsync(Room, "Juliet");
                Assert.Equal("result", registered.Attribute("type"));
                await juliet.SayAsync(Room, "m1", "O happy dagger");
                await juliet.UntilIdAsync("m1");
                await romeo.SendAsync(
                    $"<message to='{Room}' type='groupchat' id='s'><subject>Rest</subject></message>");
                await romeo.UntilIdAsync("s");
                await juliet.LeaveAsync(Room, "Juliet");
                await romeo.LeaveAsync(Room, "Romeo");
            }
            await AsleepAsync(server, 1);
            await AsItWasAsync(server);
            await AsleepAsync(server, 2);

            Assert.Equal(0, await server.StopAsync());
            await server.DisposeProcessAsync();
            server = await server.RestartAsync();
            await AsItWasAsync(server);
            await AsleepAsync(server, 1);

            await server.KillAsync();
            await server.DisposeProcessAsync();
            server = await server.RestartAsync();
            await AsItWasAsync(server);
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    static async Task AsItWasAsync(ServerProcess server)
    {
        await using var romeo = await SocketClient.LogInAsync(server, "romeo");
        // The registered nick is Juliet's also while she is away.
        await romeo.KnockAsync(Room, "Juliet");
        Assert.Equal("conflict", (await romeo.ReceiveAsync()).ErrorCondition());
        var entered = await romeo.EnterAsync(Room, "Romeo");
        Assert.Equal("owner", entered[0].ItemOf().Attribute("affiliation"));
        var spoken = Assert.Single(entered, stanza => stanza.Child("body") is not null);
        Assert.Equal(($"{Room}/Juliet", "O happy dagger"),
            (spoken.Attribute("from"), spoken.Child("body")!.Text));
        Assert.NotNull(spoken.Child(Namespaces.Delay, "delay"));
        Assert.Equal(($"{Room}/Romeo", "Rest"),
            (entered[^1].Attribute("from"), entered[^1].Child("subject")!.Text));
        foreach (var (affiliation, user) in new[] { ("outcast", "paris"), ("member", "juliet"), ("owner", "romeo") })
        {
            var list = await romeo.RequestAsync("get", Room,
                $"<query xmlns='{Namespaces.MucAdmin}'><item affiliation='{affiliation}'/></query>");
            Assert.Equal($"{user}@localhost", Assert.Single(list.FirstElement!.Elements).Attribute("jid"));
        }
        var info = await romeo.RequestAsync("get", Room, $"<query xmlns='{Namespaces.DiscoInfo}'/>");
        Assert.Equal("The Capulets' tomb", info.FirstElement!.Child(Namespaces.DiscoInfo, "identity")!
            .Attribute("name"));
        await using var juliet = await SocketClient.LogInAsync(server, "juliet");
        await juliet.EnterAsync(Room, "Juliet");
        await juliet.LeaveAsync(Room, "Juliet");
        await romeo.LeaveAsync(Room, "Romeo");
    }

    static async Task AsleepAsync(ServerProcess server, int times)
    {
        using var http = new HttpClient { BaseAddress = server.Http };
        string page = "";
        for (int i = 0; i < 200; i++)
        {
            page = await http.GetStringAsync("/metrics");
            if (page.Contains($"mod_muc_deep_hibernations_count{{host_type=\"localhost\"}} {times}\n",
                StringComparison.Ordinal)) return;
            await Task.Delay(50);
        }
        Assert.Fail($"the room was never unloaded for the {times}. time:\n{page}\n{server.Output}");
    }
}
