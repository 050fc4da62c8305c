using System.Globalization;
using Muster.Interop.Servers;

namespace Muster.Interop.Push;

/// <summary>A push as the push service has printed it; "-" stands for what it was not told.</summary>
/// <param name="From">Who pushes.</param>
/// <param name="Node">The node.</param>
/// <param name="Count">Messages that it stands for.</param>
/// <param name="Sender">Who wrote.</param>
/// <param name="Secret">What the user gave for the service.</param>
/// <param name="Body">The text.</param>
sealed record PrintedPush(string From, string Node, string Count, string Sender, string Secret, string Body);

/// <summary>A push service of slixmpp in a process of its own, attached to a component port.</summary>
sealed class PushAppProcess : IAsyncDisposable
{
    readonly BotProcess _process;

    PushAppProcess(BotProcess process, string domain) => (_process, Domain) = (process, domain);

    /// <summary>Its address.</summary>
    public string Domain { get; }

    /// <summary>TOML of a port for it.</summary>
    public static string Listener(int port) => $"""
        [[listen.component]]
          port = {port}
          password = "push secret"
        """;

    /// <summary>Starts it, and waits until the server has taken it.</summary>
    public static async Task<PushAppProcess> StartAsync(string domain, int port)
    {
        var process = new BotProcess("/usr/bin/python3", "tests/Muster.Interop/py/push_app.py", domain, "push secret",
            "127.0.0.1", port.ToString(CultureInfo.InvariantCulture));
        await process.HearAsync("taken");
        return new PushAppProcess(process, domain);
    }

    /// <summary>The pushes so far.</summary>
    public IReadOnlyList<PrintedPush> Pushes => [.. _process.Lines
        .Where(line => line.StartsWith("push ", StringComparison.Ordinal))
        .Select(line => line.Split(' ', 7))
        .Select(words => new PrintedPush(words[1], words[2], words[3], words[4], words[5], words[6]))];

    public ValueTask DisposeAsync() => _process.DisposeAsync();
}

/// <summary>A person's device: a client of slixmpp in a process of its own.</summary>
static class Device
{
    /// <summary>Starts it, and waits until it is logged in; the password is the name.</summary>
    public static async Task<BotProcess> StartAsync(string jid, int port)
    {
        var device = new BotProcess("/usr/bin/python3", "tests/Muster.Interop/py/device_bot.py", jid,
            jid.Split('@')[0], "127.0.0.1", port.ToString(CultureInfo.InvariantCulture));
        await device.HearAsync("started");
        return device;
    }

    /// <summary>Tells it to do something, and waits until it says that it has.</summary>
    public static async Task DoAsync(this BotProcess device, string command, string done)
    {
        await device.TellAsync(command);
        await device.HearAsync(done);
    }

    /// <summary>What it has heard in a room, in order.</summary>
    public static string[] HeardIn(this BotProcess device, string room) => [.. device.Lines
        .Where(line => line.StartsWith($"heard {room} ", StringComparison.Ordinal))
        .Select(line => line.Split(' ')[2])];
}
