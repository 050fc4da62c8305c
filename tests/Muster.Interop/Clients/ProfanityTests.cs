using Muster.Interop.Servers;
using Muster.Testing;

namespace Muster.Interop.Clients;

/// <summary>Profanity, a client for terminals, driven with keys in tmux as a person would.</summary>
public sealed class ProfanityTests
{
    [RealPeerFact("profanity", "tmux", "python3-slixmpp")]
    public async Task APersonInATerminalTalksWithABot()
    {
        await using var server = await ServerProcess.StartAsync();
        string home = Directory.CreateTempSubdirectory("muster-profanity-").FullName;
        string terminal = $"muster-{Guid.NewGuid():N}";
        try
        {
            await Tmux("-L", terminal, "new-session", "-d", "-x", "120", "-y", "40", "-s", "p",
                $"HOME={home} XDG_CONFIG_HOME={home}/c XDG_DATA_HOME={home}/d profanity");
            await Type(terminal, $"/connect romeo@localhost server 127.0.0.1 port {server.ClientPort} tls trust");
            await Task.Delay(1000);
            await Type(terminal, "romeo");
            await Screen(terminal, "logged in successfully");
            await Type(terminal, "/join garden@conference.localhost nick Romeo");
            await Screen(terminal, "You have joined the room");

            var bot = Command.RunAsync("/usr/bin/python3", ["tests/Muster.Interop/py/room_bot.py", "juliet@localhost",
                "juliet", "127.0.0.1", $"{server.ClientPort}", "garden@conference.localhost", "Juliet",
                "wherefore art thou", "deny thy father"]);
            await Screen(terminal, "wherefore art thou");
            await Type(terminal, "deny thy father");
            var result = await bot;
            Assert.True(result.Exit == 0, result.Output);
            Assert.Contains("<Romeo> deny thy father", result.Output, StringComparison.Ordinal);
        }
        finally
        {
            await Command.RunAsync("tmux", ["-L", terminal, "kill-server"]);
            Directory.Delete(home, recursive: true);
        }
    }

    static async Task Tmux(params string[] arguments)
    {
        var result = await Command.RunAsync("tmux", arguments);
        Assert.True(result.Exit == 0, result.Output);
    }

    static async Task Type(string terminal, string line)
    {
        await Tmux("-L", terminal, "send-keys", "-t", "p", "-l", line);
        await Tmux("-L", terminal, "send-keys", "-t", "p", "Enter");
    }

    static async Task Screen(string terminal, string expected)
    {
        string screen = "";
        for (int i = 0; i < 100; i++)
        {
            screen = (await Command.RunAsync("tmux", ["-L", terminal, "capture-pane", "-t", "p", "-p"])).Output;
            if (screen.Contains(expected, StringComparison.Ordinal)) return;
            await Task.Delay(200);
        }
        Assert.Fail($"the terminal never showed '{expected}':\n{screen}");
    }
}
