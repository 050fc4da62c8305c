using Muster.Interop.Recovery;
using Muster.Interop.Servers;
using Muster.Testing;

namespace Muster.Interop.Clients;

/// <summary>Real clients resume their sessions by themselves (XEP-0198 §5), over a connection that breaks and over a
/// restart of the server; another client in the room must notice nothing.</summary>
[Feature("SM-02", "SM-22")]
public sealed class ResumeTests
{
    const string Room = "garden@conference.localhost";

    [RealPeerFact("python3-slixmpp")]
    public async Task SlixmppResumesOverStartTls()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var wire = new Wire(server.ClientPort);
        // slixmpp 1.8 forgets what it has sent when it asks to resume, so what is under way then is lost by itself.
        await ResumeAsync(server, wire, losesWhatIsUnderWay: true, () => new BotProcess("/usr/bin/python3",
            "tests/Muster.Interop/py/resume_bot.py", "romeo@localhost/bot", "romeo", "127.0.0.1", $"{wire.Port}", Room,
            "Romeo"));
    }

    [RealPeerFact("nodejs", "xmpp.js")]
    public async Task XmppJsResumesOverWebSocket()
    {
        await using var server = await ServerProcess.StartAsync();
        await using var wire = new Wire(server.Http.Port);
        await ResumeAsync(server, wire, losesWhatIsUnderWay: false, () => new BotProcess("node",
            "tests/Muster.Interop/js/resume_bot.mjs", $"ws://127.0.0.1:{wire.Port}/ws", "localhost", "romeo", "romeo",
            Room, "Romeo"));
    }

    static async Task ResumeAsync(ServerProcess server, Wire wire, bool losesWhatIsUnderWay, Func<BotProcess> start)
    {
        var diary = new Diary();
        await using var juliet = new ManagedClient("juliet", server.PlainPort, [Room], seed: 1, diary);
        ServerProcess? restarted = null;
        BotProcess? bot = null;
        try
        {
            juliet.Start();
            await Patience.Eventually(() => juliet.Rooms[0] is { IsInside: true, IsCatchingUp: false });
            bot = start();
            await bot.HearAsync("joined");

            await SayAsync(juliet, "before");
            await bot.HearAsync("heard before");
            await bot.TellAsync("say bot-before");
            await bot.HearAsync("heard bot-before");

            // What it sends is lost on the way, the connection breaks, and others go on talking.
            if (!losesWhatIsUnderWay)
            {
                wire.LoseWhatClientsSend();
                await bot.TellAsync("say bot-lost-1");
                await bot.TellAsync("say bot-lost-2");
                await Task.Delay(200); // so that they are lost on the way, and not before it
            }
            wire.Break();
            for (int i = 0; i < 5; i++) await SayAsync(juliet, $"away-{i}");
            wire.Mend();
            await bot.HearAsync("resumed");
            await bot.HearAsync("heard away-4");
            if (!losesWhatIsUnderWay) await bot.HearAsync("heard bot-lost-2");
            await bot.TellAsync("say bot-back");
            await bot.HearAsync("heard bot-back");

            // The server is stopped and started as for an upgrade.
            Assert.Equal(0, await server.StopAsync());
            restarted = await server.RestartAsync();
            await bot.HearAsync("resumed", times: 2);
            await SayAsync(juliet, "restarted");
            await bot.HearAsync("heard restarted");
            await bot.TellAsync("say bot-restarted");
            await bot.HearAsync("heard bot-restarted");
            await Patience.Eventually(() => juliet.Rooms[0].All.Any(heard => heard.Id == "bot-restarted"));

            string[] expected = ["before", "bot-before", .. Enumerable.Range(0, 5).Select(i => $"away-{i}"),
                .. losesWhatIsUnderWay ? Array.Empty<string>() : ["bot-lost-1", "bot-lost-2"], "bot-back",
                "restarted", "bot-restarted"];
            Check(juliet, bot, expected);
            Assert.Empty(diary.Problems);

            await bot.TellAsync("quit");
            Assert.Equal(0, await bot.EndAsync());
        }
        catch (Exception e)
        {
            throw new InvalidOperationException(
                $"{e.Message}\nthe bot:\n{string.Join('\n', bot?.Lines ?? [])}\nthe server:\n" +
                $"{server.Output}\n{restarted?.Output}", e);
        }
        finally
        {
            if (bot is not null) await bot.DisposeAsync();
            if (restarted is not null) await restarted.DisposeAsync();
        }
    }

    // Both have everything once and in the same order, and she has seen him come, once, and nothing else.
    static void Check(ManagedClient juliet, BotProcess bot, string[] expected)
    {
        string[] seen = [.. juliet.Rooms[0].All.Select(heard => heard.Id)];
        Assert.Equal(expected.Order(), seen.Order());
        Assert.Equal(seen, bot.Lines.Where(line => line.StartsWith("heard ", StringComparison.Ordinal))
            .Select(line => line["heard ".Length..]));
        Assert.Single(bot.Lines, "started");
        Assert.DoesNotContain("failed", bot.Lines);
        Assert.Equal(1, juliet.Begun);
        Assert.Equal([$"available {Room}/Romeo"], juliet.OthersPresences);
    }

    static async Task SayAsync(ManagedClient client, string id)
    {
        await client.SayAsync(Room, isRoom: true, id);
        await Patience.Eventually(() => client.Rooms[0].All.Any(heard => heard.Id == id));
    }
}
