using System.Collections.Concurrent;
using Muster.Interop.Load;
using Muster.Interop.Servers;
using Muster.Protocol.Xml;

namespace Muster.Interop.Recovery;

/// <summary>The process is killed in the middle of a conversation and started again on the same data.</summary>
public sealed class KillTests
{
    // As many as a history can have: of more, the server may have cut off what was seen by the time it is killed.
    const int Lines = 1000;

    static readonly string Open = $"""
        [registration]
          in_band = true
          rate_limit = 0
        [modules.mod_muc]
          history_size = {Lines}
        """;

    [Fact]
    public async Task WhatAnybodySawIsThereAfterAKill()
    {
        var server = await ServerProcess.StartAsync(Open);
        try
        {
            foreach (string user in (string[])["anna", "berta", "absent"])
            {
                await LoadClient.RegisterAsync(server.PlainPort, user);
            }
            var seen = new ConcurrentQueue<string>();
            await using (var anna = await EnterAsync(server, "anna", element => Note(element, seen)))
            await using (var berta = await EnterAsync(server, "berta", element => Note(element, seen)))
            {
                await LeaveBehindAsync(anna, seen);
                var talking = Task.Run(async () =>
                {
                    for (int i = 0; i < Lines; i++)
                    {
                        string message = "<message to='garden@conference.localhost' type='groupchat' " +
                            $"id='k{i}'><body>line {i}</body></message>";
                        await (i % 2 == 0 ? anna : berta).SendAsync(message);
                    }
                });
                while (seen.Count < 200) await Task.Delay(1);
                await server.KillAsync();
                try { await talking; } catch (System.Net.Sockets.SocketException) { }
            }
            await server.DisposeProcessAsync();
            server = await server.RestartAsync();

            var history = new ConcurrentQueue<string>();
            var rosterSeen = new TaskCompletionSource<Element>();
            await using (var anna = await EnterAsync(server, "anna", element =>
            {
                Note(element, history);
                if (element.Attribute("id") == "get") rosterSeen.TrySetResult(element);
            }))
            {
                await anna.SendAsync("<iq type='get' id='get'><query xmlns='jabber:iq:roster'/></iq>");
                var roster = await rosterSeen.Task.WaitAsync(TimeSpan.FromSeconds(20));
                Assert.Equal("Absent", roster.FirstElement?.FirstElement?.Attribute("name"));
            }
            var lost = seen.Distinct().Except(history).ToList();
            Assert.True(lost.Count == 0,
                $"seen before the kill, not in the history: {string.Join(", ", lost.Take(10))}");
            Assert.Equal(history.Count, history.Distinct().Count());

            var offline = new TaskCompletionSource<Element>();
            await using var absent = new LoadClient
            {
                Received = element => { if (element.Child("body") is not null) offline.TrySetResult(element); },
            };
            await absent.LogInAsync(server.PlainPort, "absent", "r");
            absent.Start();
            await absent.SendAsync("<presence/>");
            var message = await offline.Task.WaitAsync(TimeSpan.FromSeconds(20));
            Assert.Equal("for later", message.Child("body")?.Text);
            Assert.NotNull(message.Child(Namespaces.Delay, "delay"));
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    /// <summary>A roster item and an offline message that the server has answered for.</summary>
    static async Task LeaveBehindAsync(LoadClient anna, ConcurrentQueue<string> seen)
    {
        await anna.SendAsync("<iq type='set' id='ros'><query xmlns='jabber:iq:roster'>" +
            "<item jid='absent@localhost' name='Absent'/></query></iq>");
        await anna.SendAsync("<message to='absent@localhost' type='chat' id='off'><body>for later</body></message>");
        var done = new TaskCompletionSource();
        anna.Received = element =>
        {
            Note(element, seen);
            if (element.Attribute("id") == "after") done.TrySetResult();
        };
        await anna.SendAsync("<iq type='get' id='after' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>");
        await done.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    static void Note(Element element, ConcurrentQueue<string> into)
    {
        if (element.Attribute("type") == "groupchat" && element.Child("body")?.Text is { } body) into.Enqueue(body);
    }

    static async Task<LoadClient> EnterAsync(ServerProcess server, string user, Action<Element> received)
    {
        var inside = new TaskCompletionSource();
        var client = new LoadClient();
        await client.LogInAsync(server.PlainPort, user, "r");
        client.Received = element =>
        {
            received(element);
            if (element.Child("subject") is not null) inside.TrySetResult();
        };
        client.Start();
        await client.SendAsync(
            $"<presence to='garden@conference.localhost/{user}'><x xmlns='{Namespaces.Muc}'/></presence>");
        await inside.Task.WaitAsync(TimeSpan.FromSeconds(20));
        return client;
    }
}
