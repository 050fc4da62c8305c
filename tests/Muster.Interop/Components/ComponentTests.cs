using System.Globalization;
using Muster.Interop.Federation;
using Muster.Interop.Servers;
using Muster.Testing;

namespace Muster.Interop.Components;

/// <summary>Other people's components (XEP-0114) at the real program.</summary>
public sealed class ComponentTests
{
    const string Secret = "a & b";

    readonly int _port = ServerProcess.FreePort();

    string Listener => $"""
        [[listen.component]]
          port = {_port}
          password = "{Secret}"
        """;

    static ComponentProgram Echo(int port, string secret = Secret) => ComponentProgram.Start("/usr/bin/python3",
        "tests/Muster.Interop/py/component_bot.py", "echo.localhost", secret, "127.0.0.1",
        port.ToString(CultureInfo.InvariantCulture));

    static async Task HearEchoAsync(TestClient client, string text)
    {
        await client.SendAsync($"<message type='chat' to='echo.localhost' id='{text}'><body>{text}</body></message>");
        await client.ExpectEventuallyAsync($"<message type='chat' from='echo.localhost' to='{client.Jid}' id='**' " +
            $"xml:lang='**'>...<body>echo: {text}</body></message>");
    }

    [RealPeerFact("python3-slixmpp")]
    public async Task AComponentOfSlixmppTalksAndComesBack()
    {
        await using var server = await ServerProcess.StartAsync(Listener);
        var romeo = await PeerClients.LoginAsync(server.PlainPort, "romeo", "localhost");
        await using (var echo = Echo(_port))
        {
            await echo.WaitForAsync("taken");
            await HearEchoAsync(romeo, "one");
            await romeo.SendAsync("<iq type='get' id='d' to='echo.localhost'>" +
                "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
            await romeo.ExpectEventuallyAsync("<iq type='result' id='d' from='echo.localhost' to='**' xml:lang='**'>" +
                "<query xmlns='http://jabber.org/protocol/disco#info'>" +
                "<identity category='component' type='generic' name='Echo'/>...</query></iq>");
            var list = await server.RunAsync("component", "list", "--json");
            Assert.True(list.Exit == 0, list.Output);
            Assert.Contains("\"domain\": \"echo.localhost\"", list.Output, StringComparison.Ordinal);

            // The same domain once more, and a wrong secret.
            await using var second = Echo(_port);
            await second.WaitForAsync("stream error conflict");
            await using var wrong = Echo(_port, "guess");
            await wrong.WaitForAsync("stream error not-authorized");
            await HearEchoAsync(romeo, "two");
        }
        // It is restarted: meanwhile the server answers for it.
        string away;
        do
        {
            await romeo.SendAsync("<iq type='get' id='p' to='echo.localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
            away = (await romeo.ReceiveAsync()).ToString();
        }
        while (!away.Contains("remote-server-timeout", StringComparison.Ordinal));
        await using var again = Echo(_port);
        await again.WaitForAsync("taken");
        await HearEchoAsync(romeo, "three");

    }

    [RealPeerFact("python3-slixmpp")]
    public async Task AComponentComesBackWhenTheServerIsRestarted()
    {
        var server = await ServerProcess.StartAsync(Listener);
        await using var echo = Echo(_port);
        await echo.WaitForAsync("taken");
        Assert.Equal(0, await server.StopAsync());
        await echo.WaitForAsync("disconnected");
        await server.DisposeProcessAsync();
        await using var restarted = await server.RestartAsync();
        await echo.WaitForAsync("taken", 2);
        var juliet = await PeerClients.LoginAsync(restarted.PlainPort, "juliet", "localhost");
        await HearEchoAsync(juliet, "back");
    }

    [RealPeerFact("biboumi")]
    public async Task BiboumiConnectsAndIsFound()
    {
        string folder = Directory.CreateTempSubdirectory("muster-biboumi-").FullName;
        try
        {
            string config = Path.Combine(folder, "biboumi.cfg");
            await File.WriteAllTextAsync(config, $"""
                hostname=irc.localhost
                password={Secret}
                xmpp_server_ip=127.0.0.1
                port={_port}
                db_name={folder}/biboumi.sqlite
                log_level=1
                policy_directory={folder}

                """);
            await using var server = await ServerProcess.StartAsync(Listener);
            await using var biboumi = ComponentProgram.Start("/usr/bin/biboumi", config);
            var romeo = await PeerClients.LoginAsync(server.PlainPort, "romeo", "localhost");
            string items = "";
            for (int i = 0; i < 100 && !items.Contains("jid='irc.localhost'", StringComparison.Ordinal); i++)
            {
                await Task.Delay(100);
                items = (await romeo.AskAsync("<iq type='get' to='localhost'>" +
                    "<query xmlns='http://jabber.org/protocol/disco#items'/></iq>")).ToString();
            }
            Assert.True(items.Contains("jid='irc.localhost'", StringComparison.Ordinal), biboumi.Output);
            string info = (await romeo.AskAsync("<iq type='get' to='irc.localhost'>" +
                "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>")).ToString();
            Assert.Contains("category='conference'", info, StringComparison.Ordinal);
            Assert.Contains("type='irc'", info, StringComparison.Ordinal);
            string version = (await romeo.AskAsync("<iq type='get' to='irc.localhost'>" +
                "<query xmlns='jabber:iq:version'/></iq>")).ToString();
            Assert.Contains("biboumi", version, StringComparison.Ordinal);
            string commands = (await romeo.AskAsync("<iq type='get' to='irc.localhost'><query " +
                "xmlns='http://jabber.org/protocol/disco#items' node='http://jabber.org/protocol/commands'/></iq>"))
                .ToString();
            Assert.Contains("node='ping'", commands, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
