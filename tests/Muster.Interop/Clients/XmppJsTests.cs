using Muster.Interop.Servers;
using Muster.Testing;

namespace Muster.Interop.Clients;

/// <summary>A bot written with xmpp.js, from npm, over WebSocket.</summary>
public sealed class XmppJsTests
{
    [RealPeerFact("nodejs", "xmpp.js")]
    public async Task TwoBotsTalkInARoomOverWebSocket()
    {
        await using var server = await ServerProcess.StartAsync();
        var romeo = Bot(server, "romeo", "Romeo", "good night, good night", "parting is such sweet sorrow");
        await Task.Delay(TimeSpan.FromSeconds(2));
        var juliet = Bot(server, "juliet", "Juliet", "parting is such sweet sorrow", "parting is such sweet sorrow");
        var results = await Task.WhenAll(romeo, juliet);

        Assert.All(results, result => Assert.True(result.Exit == 0, result.Output + server.Output));
        Assert.Contains("<Juliet> parting is such sweet sorrow", results[0].Output, StringComparison.Ordinal);
        Assert.Contains("<Romeo> good night, good night", results[1].Output, StringComparison.Ordinal);
    }

    [RealPeerFact("nodejs", "xmpp.js")]
    public async Task ATokenLogsInAndBindsInOneRoundTripAlsoAfterARestart()
    {
        await using var server = await ServerProcess.StartAsync();
        var first = await TokenBot(server, "password", "romeo");
        Assert.True(first.Exit == 0, first.Output + server.Output);
        string token = Line(first.Output, "token ");
        Assert.StartsWith("secret-token:", token, StringComparison.Ordinal);

        await server.StopAsync();
        await using var restarted = await server.RestartAsync();
        var again = await TokenBot(restarted, "token", token);
        Assert.True(again.Exit == 0, again.Output + restarted.Output);
        string login = again.Output[..again.Output.IndexOf("online", StringComparison.Ordinal)];
        Assert.Single(login.Split('\n'), line => line.StartsWith("sent ", StringComparison.Ordinal));
        Assert.Contains("sent authenticate", login, StringComparison.Ordinal);
        Assert.StartsWith("romeo@localhost/bot/", Line(again.Output, "online "), StringComparison.Ordinal);
        Assert.Equal(Line(first.Output, "online "), Line(again.Output, "online "));

        var wrong = await TokenBot(restarted, "token", token + "x");
        Assert.NotEqual(0, wrong.Exit);
        Assert.DoesNotContain("online", wrong.Output, StringComparison.Ordinal);
    }

    static string Line(string output, string start) => output.Split('\n')
        .First(line => line.StartsWith(start, StringComparison.Ordinal))[start.Length..].TrimEnd();

    static Task<(int Exit, string Output)> TokenBot(ServerProcess server, string kind, string secret) =>
        Command.RunAsync("node", ["tests/Muster.Interop/js/token_bot.mjs", $"ws://127.0.0.1:{server.Http.Port}/ws",
            "localhost", "romeo", "d4565fa7-4d72-4749-b3d3-740edbf87770", kind, secret]);

    static Task<(int Exit, string Output)> Bot(ServerProcess server, string user, string nick, string say,
        string waitFor) =>
        Command.RunAsync("node", ["tests/Muster.Interop/js/room_bot.mjs", $"ws://127.0.0.1:{server.Http.Port}/ws",
            "localhost", user, user, "garden@conference.localhost", nick, say, waitFor]);
}
