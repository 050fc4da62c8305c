using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Muster.Commands;
using Muster.Testing;

namespace Muster.Tests.Commands;

/// <summary>Another configuration while the server runs: what is applied, what waits, what is refused.</summary>
public sealed class ReloadTests
{
    const string Listeners = """
        [[listen.c2s]]
          port = 0
          tls.mode = "none"
          login_timeout = 50
        [[listen.http]]
          port = 0

        """;

    [Fact]
    public async Task What_can_be_applied_is_applied_and_what_cannot_is_told()
    {
        await using var bench = new CommandBench(Listeners + "[registration]\n in_band = false\n");
        await bench.StartAsync();
        Assert.Equal("nothing has changed", (await bench.RunAsync("config", "reload")).Done());
        Assert.False(await OffersRegistration(bench));

        string changed = Listeners.Replace("= 50", "= 40", StringComparison.Ordinal)
            + "[registration]\n in_band = true\n[general]\n loglevel = \"debug\"\n[storage]\n durability = \"full\"\n";
        await File.WriteAllTextAsync(bench.ConfigFile, changed);
        string[] told = (await bench.RunAsync("config", "reload")).Done().Split('\n');
        Assert.Equal(
        [
            "applied: general.loglevel: \"info\" -> \"debug\"", "applied: listen.c2s[0].login_timeout: 50 -> 40",
            "applied: registration.in_band: false -> true",
            "waits for a restart: storage.durability: \"normal\" -> \"full\"",
        ], told.Order());
        Assert.True(await OffersRegistration(bench));
        Assert.Contains("registration.in_band: false -> true", bench.ServerError, StringComparison.Ordinal);

        // What waits is told until it is done; what is in force is not told again.
        Assert.Equal("waits for a restart: storage.durability: \"normal\" -> \"full\"",
            (await bench.RunAsync("config", "reload")).Done());
    }

    [Fact]
    public async Task A_wrong_file_changes_nothing()
    {
        await using var bench = new CommandBench(Listeners + "[registration]\n in_band = true\n");
        await bench.StartAsync();
        await File.WriteAllTextAsync(bench.ConfigFile, Listeners + "[registration]\n in_band = 7\n in_bnd = true\n");
        var result = await bench.RunAsync("config", "reload");
        Assert.Equal(CommandLine.Refused, result.Exit);
        string[] lines = result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.Contains(":8:12: registration.in_band: ", lines[0], StringComparison.Ordinal);
        Assert.Contains(":9:2: registration.in_bnd: ", lines[1], StringComparison.Ordinal);
        Assert.True(await OffersRegistration(bench));
    }

    [Fact]
    public async Task Rooms_go_by_the_new_rules_at_once()
    {
        const string Before = "[modules.mod_muc]\n max_users = 50\n";
        await using var bench = new CommandBench(Listeners + Before);
        await bench.StartAsync();
        await bench.RunAsync("user", "add", "anna@localhost", "--password", "x");
        await bench.RunAsync("room", "create", "a@conference.localhost", "--owner", "anna@localhost");
        var refused = await bench.RunAsync("room", "set", "a@conference.localhost", "max_users=60");
        Assert.Equal(CommandLine.Refused, refused.Exit);
        await File.WriteAllTextAsync(bench.ConfigFile,
            Listeners + "[modules.mod_muc]\n max_users = 70\n default_room.title = \"New\"\n");
        (await bench.RunAsync("config", "reload")).Done();
        Assert.Equal("max_users = 60",
            (await bench.RunAsync("room", "set", "a@conference.localhost", "max_users=60")).Done());
        await bench.RunAsync("room", "create", "b@conference.localhost", "--owner", "anna@localhost");
        Assert.Matches("(?m)^title +New$", (await bench.RunAsync("room", "show", "b@conference.localhost")).Done());
    }

    /// <summary>Whether a new connection is told that it may register.</summary>
    static async Task<bool> OffersRegistration(CommandBench bench)
    {
        string ready = bench.ServerOut.Split("c2s ")[1].Split(' ')[0];
        using var client = new TcpClient();
        await client.ConnectAsync(IPEndPoint.Parse(ready));
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes("<stream:stream to='localhost' version='1.0' "
            + "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"));
        var text = new StringBuilder();
        byte[] buffer = new byte[4096];
        while (!text.ToString().Contains("</stream:features>", StringComparison.Ordinal))
        {
            int read = await stream.ReadAsync(buffer).AsTask().WaitAsync(TestClient.Patience);
            Assert.NotEqual(0, read);
            text.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
        bool offered = text.ToString().Contains("iq-register", StringComparison.Ordinal);
        // The page of the web chat says the same.
        string web = ready.Length == 0 ? "" : bench.ServerOut.Split("http ")[1].Split('\n')[0].Trim();
        using var http = new HttpClient { BaseAddress = new Uri(web) };
        var settings = await http.GetFromJsonAsync<JsonElement>("/chat/settings.json");
        Assert.Equal(offered, settings.GetProperty("registration").GetBoolean());
        return offered;
    }
}
