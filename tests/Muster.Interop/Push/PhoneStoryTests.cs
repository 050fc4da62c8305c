using Muster.Interop.Federation;
using Muster.Interop.Servers;
using Muster.Testing;

namespace Muster.Interop.Push;

/// <summary>
/// What push, archives and resumption are for, as one story: somebody with a laptop and a phone, in a room here and in
/// one of a real Prosody. The phone loses its network without a word, the laptop is closed, somebody speaks to the
/// person in both rooms; the phone is woken once for each, comes back, and has missed nothing.
/// </summary>
public sealed class PhoneStoryTests : IAsyncLifetime, IAsyncDisposable
{
    const string Domain = "muster.example", There = "prosody.example", App = $"push.{Domain}";
    const string Hall = $"hall@conference.{Domain}", Garden = $"garden@conference.{There}";

    readonly string _folder = Directory.CreateTempSubdirectory("muster-phone-").FullName;
    readonly ScriptedDns _dns = new();
    readonly int _peerPort = ServerProcess.FreePort(), _componentPort = ServerProcess.FreePort();
    readonly TestAuthority _authority;
    readonly List<IAsyncDisposable> _running = [];

    public PhoneStoryTests()
    {
        _authority = new TestAuthority(_folder) { IsForClients = true };
        foreach (string host in (string[])[Domain, $"conference.{Domain}"])
            _dns.Service($"_xmpp-server._tcp.{host}", 5, 0, _peerPort, "localhost");
        _dns.Address("localhost", "127.0.0.1");
        _dns.Address(There, "127.0.0.1");
    }

    public Task InitializeAsync() => Task.CompletedTask;

    // The runner asks for this interface alone.
    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        foreach (var one in Enumerable.Reverse(_running)) await one.DisposeAsync();
        _dns.Dispose();
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    T Keep<T>(T one) where T : IAsyncDisposable
    {
        _running.Add(one);
        return one;
    }

    [RealPeerFact("prosody", "lua-unbound", "python3-slixmpp")]
    [Feature("CN-03", "CN-11", "CN-16", "CN-17", "SM-02")]
    public async Task APhoneWithoutNetworkIsWokenOnceForEachRoomAndMissesNothing()
    {
        var prosody = Keep(await Prosody.StartAsync(
            There, ["juliet"], _authority, _authority.RootFile, _dns, isSecure: false));
        var muster = Keep(await ServerProcess.StartAsync($"""
            [general]
              hosts = ["{Domain}"]
            [s2s]
              use_starttls = "required"
              cacertfile = "{_authority.RootFile}"
            {PeerProgram.AddressAsToml(There, prosody.PeerPort)}
            {PushAppProcess.Listener(_componentPort)}
            [modules.mod_smacks]
              smacks_max_ack_delay = 2
            [modules.mod_muc.default_room]
              allow_multiple_sessions = true
            [modules.mod_cloud_notify]
              push_notification_with_sender = true
            """, demo: false, _peerPort, _authority.IssueAsToml([Domain, $"conference.{Domain}"])));
        var added = await muster.RunAsync("user", "add", $"romeo@{Domain}", "--password", "romeo");
        Assert.True(added.Exit == 0, added.Output);
        var app = Keep(await PushAppProcess.StartAsync(App, _componentPort));
        var network = Keep(new Wire(muster.ClientPort));
        var phone = Keep(await Device.StartAsync($"romeo@{Domain}/phone", network.Port));
        var laptop = Keep(await Device.StartAsync($"romeo@{Domain}/laptop", muster.ClientPort));
        var juliet = Keep(await Device.StartAsync($"juliet@{There}/balcony", prosody.ClientPort));
        try
        {
            await PlayAsync(app, network, phone, laptop, juliet);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\n--- phone:\n{string.Join('\n', phone.Lines)}\n" +
                $"--- laptop:\n{string.Join('\n', laptop.Lines)}\n--- Juliet:\n{string.Join('\n', juliet.Lines)}\n" +
                $"--- pushes:\n{string.Join('\n', app.Pushes)}\n--- Muster:\n{muster.Output}\n" +
                $"--- Prosody:\n{prosody.Log}", e);
        }
    }

    static async Task ComeTogetherAsync(string room, BotProcess phone, BotProcess laptop, BotProcess juliet)
    {
        // Whose server a room is on makes it.
        var first = room == Hall ? laptop : juliet;
        foreach (var device in new[] { first, phone, laptop, juliet }.Distinct())
        {
            await device.DoAsync($"join {room} {(device == juliet ? "Juliet" : "Romeo")}", $"joined {room}");
            if (device == laptop && room == Hall) await laptop.DoAsync($"open {room}", $"opened {room}");
        }
    }

    static async Task PlayAsync(
        PushAppProcess app, Wire network, BotProcess phone, BotProcess laptop, BotProcess juliet)
    {
        string[] rooms = [Hall, Garden];
        foreach (string room in rooms) await ComeTogetherAsync(room, phone, laptop, juliet);
        // The phone's app registers its push service with the account, and with the service of the room here.
        await phone.DoAsync($"enable {App} phone s3cret -", "enabled -");
        await phone.DoAsync($"enable {App} phone s3cret conference.{Domain}", $"enabled conference.{Domain}");
        var expected = new List<string>();
        await SayAsync("say {0} before", "before");
        foreach (string room in rooms)
        {
            await phone.HearAsync($"heard {room} before");
            await laptop.HearAsync($"heard {room} before");
        }
        await Task.Delay(3000);
        Assert.Empty(app.Pushes); // everybody is there

        // The phone's network is gone, and nobody can know; the laptop is closed.
        network.Freeze();
        await laptop.DoAsync("quit", "done");
        await Task.Delay(6000);

        // Somebody speaks to him in both rooms.
        await SayAsync("mention {0} mentioned Romeo", "mentioned");
        await Patience.Eventually(() => app.Pushes.Count == 2);
        Assert.Equal([$"{Garden}/Juliet", $"{Hall}/Juliet"], app.Pushes.Select(push => push.Sender).Order());
        Assert.All(app.Pushes, push => Assert.Equal(
            (Domain, "phone", "1", "s3cret", "New Message!"),
            (push.From, push.Node, push.Count, push.Secret, push.Body)));

        // People go on talking; he has been told, and is not told again.
        for (int i = 0; i < 3; i++) await SayAsync($"say {{0}} after-{i}", $"after-{i}");
        await Task.Delay(4000);

        // The push has woken the phone; its network is back, it resumes its session.
        network.Mend();
        await phone.DoAsync("drop", "resumed");
        await SayAsync("say {0} last", "last");
        foreach (string room in rooms)
        {
            await phone.HearAsync($"heard {room} last");
            Assert.Equal(expected, phone.HeardIn(room));
        }
        Assert.Single(phone.Lines, "started");
        Assert.DoesNotContain("failed", phone.Lines);
        // It speaks in both rooms without entering them again.
        foreach (string room in rooms)
        {
            await phone.TellAsync($"say {room} answer");
            await juliet.HearAsync($"heard {room} answer");
        }
        await Task.Delay(3000);
        Assert.Equal(2, app.Pushes.Count);

        async Task SayAsync(string command, string id)
        {
            expected.Add(id);
            foreach (string room in rooms)
                await juliet.DoAsync(string.Format(null, command, room), $"heard {room} {id}");
        }
    }
}
