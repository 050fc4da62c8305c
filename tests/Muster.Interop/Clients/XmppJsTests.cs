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

    static Task<(int Exit, string Output)> Bot(ServerProcess server, string user, string nick, string say,
        string waitFor) =>
        Command.RunAsync("node", ["tests/Muster.Interop/js/room_bot.mjs", $"ws://127.0.0.1:{server.Http.Port}/ws",
            "localhost", user, user, "garden@conference.localhost", nick, say, waitFor]);
}
