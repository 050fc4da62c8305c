using Muster.Interop.Servers;
using Muster.Testing;

namespace Muster.Interop.Clients;

/// <summary>A bot written with slixmpp, as Debian ships it, over STARTTLS and SCRAM.</summary>
public sealed class SlixmppTests
{
    [RealPeerFact("python3-slixmpp")]
    public async Task TwoBotsTalkInARoom()
    {
        await using var server = await ServerProcess.StartAsync();
        var romeo = Bot(server, "romeo", "Romeo", "but soft, what light", "it is the east");
        await Task.Delay(TimeSpan.FromSeconds(2));
        var juliet = Bot(server, "juliet", "Juliet", "it is the east, and Juliet is the sun", "it is the east");
        var results = await Task.WhenAll(romeo, juliet);

        Assert.All(results, result => Assert.True(result.Exit == 0, result.Output + server.Output));
        Assert.All(results, result => Assert.Contains("muc feature True", result.Output, StringComparison.Ordinal));
        Assert.All(results, result => Assert.Contains("tls True", result.Output, StringComparison.Ordinal));
        Assert.All(results, result =>
            Assert.Contains("mechanism SCRAM-SHA-256", result.Output, StringComparison.Ordinal));
        // Each hears the other; the one who came second got the first line as history.
        Assert.Contains("<Romeo> but soft, what light", results[1].Output, StringComparison.Ordinal);
        Assert.Contains("<Juliet> it is the east", results[0].Output, StringComparison.Ordinal);
    }

    [RealPeerFact("python3-slixmpp")]
    public async Task AWrongPasswordIsRefused()
    {
        await using var server = await ServerProcess.StartAsync();
        var result = await Command.RunAsync("/usr/bin/python3", ["tests/Muster.Interop/py/room_bot.py",
            "romeo@localhost", "not the password", "127.0.0.1", $"{server.ClientPort}",
            "garden@conference.localhost", "Romeo", "", "never"]);
        Assert.Equal(1, result.Exit);
        Assert.Contains("failed auth", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("not the password", server.Output, StringComparison.Ordinal);
    }

    [RealPeerFact("python3-slixmpp")]
    public async Task ABotReadsArchivesWithThePluginOfItsLibrary()
    {
        await using var server = await ServerProcess.StartAsync();
        var result = await Command.RunAsync("/usr/bin/python3", ["tests/Muster.Interop/py/archive_bot.py",
            "romeo@localhost", "romeo", "127.0.0.1", $"{server.ClientPort}", "garden@conference.localhost", "Romeo",
            "30"]);
        Assert.True(result.Exit == 0, result.Output + server.Output);
        foreach (string line in (string[])["room forwards 30 True", "room backwards 30 True",
            "account forwards 30 True", "account backwards 30 True", "metadata True"])
            Assert.Contains(line, result.Output, StringComparison.Ordinal);
        Assert.Contains("'after-id', 'before-id', 'end', 'ids'", result.Output, StringComparison.Ordinal);
    }

    [RealPeerFact("python3-slixmpp"), Feature("OD-04", "OD-05", "OD-06", "OD-11")]
    public async Task ABotRegistersWithARoomByThePluginOfItsLibrary()
    {
        await using var server = await ServerProcess.StartAsync();
        var result = await Command.RunAsync("/usr/bin/python3", ["tests/Muster.Interop/py/register_bot.py",
            "juliet@localhost", "juliet", "127.0.0.1", $"{server.ClientPort}", "garden@conference.localhost", "Jule"]);
        Assert.True(result.Exit == 0, result.Output + server.Output);
        foreach (string line in (string[])["required True", "nick Jule", "offline False", "registered True Jule",
            "offline now True", "registered then False"])
            Assert.Contains(line, result.Output, StringComparison.Ordinal);
    }

    [RealPeerFact("python3-slixmpp"), Feature("MU-01")]
    public async Task ARoomLivesAWholeLife()
    {
        await using var server = await ServerProcess.StartAsync();
        foreach (string user in (string[])["nurse", "paris"])
        {
            var added = await server.RunAsync("user", "add", $"{user}@localhost", "--password", user);
            Assert.True(added.Exit == 0, added.Output);
        }
        var result = await Command.RunAsync("/usr/bin/python3",
            ["tests/Muster.Interop/py/room_life.py", "127.0.0.1", $"{server.ClientPort}"]);
        Assert.True(result.Exit == 0, result.Output + server.Output);
        Assert.Equal(11, result.Output.Split('\n').Count(line => line.StartsWith("ok: ", StringComparison.Ordinal)));
    }

    static Task<(int Exit, string Output)> Bot(ServerProcess server, string user, string nick, string say,
        string waitFor) =>
        Command.RunAsync("/usr/bin/python3", ["tests/Muster.Interop/py/room_bot.py", $"{user}@localhost", user,
            "127.0.0.1", $"{server.ClientPort}", "garden@conference.localhost", nick, say, waitFor]);
}
