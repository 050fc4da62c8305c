using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Muster.Testing;

namespace Muster.Tests.Components;

/// <summary>Components that a test plays by hand.</summary>
static partial class ComponentBench
{
    public const string Config = """
        [[listen.c2s]]
        port = 0
        tls.mode = "none"
        [[listen.component]]
        port = 0
        password = "s3cret"
        """;

    /// <summary>Opens the stream of a component, and proves that it knows a secret.</summary>
    public static async Task<ScriptedPeer> OpenAsync(
        PipePair pipes, string domain = "plays.localhost", string secret = "s3cret")
    {
        var component = new ScriptedPeer(pipes);
        await component.RunAsync($"> {Header(domain)}");
        string open = await component.WaitAsync(StreamOpen());
        string id = open.Split("id='")[1].Split('\'')[0];
#pragma warning disable CA5350
        string proof = Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(id + secret)));
#pragma warning restore CA5350
        await component.RunAsync($"> <handshake>{proof}</handshake>");
        return component;
    }

    /// <summary>Connects a component.</summary>
    public static async Task<ScriptedPeer> ConnectAsync(TestServer server, string domain = "plays.localhost")
    {
        var component = await OpenAsync(server.AcceptComponent(), domain);
        await component.RunAsync("< <handshake/>");
        return component;
    }

    public static string Header(string domain) => $"<stream:stream to='{domain}' xmlns='jabber:component:accept' " +
        "xmlns:stream='http://etherx.jabber.org/streams'>";

    [GeneratedRegex("<stream:stream [^>]*>")]
    private static partial Regex StreamOpen();
}
