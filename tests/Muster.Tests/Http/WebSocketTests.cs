using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Muster.Protocol.Xml;
using Muster.Testing;
using Muster.Tests.Net;

namespace Muster.Tests.Http;

/// <summary>XMPP over WebSocket with the client of .NET over a real socket, and what leads clients there.</summary>
[Spec("RFC 7395", "3")]
public sealed class WebSocketTests
{
    const string Open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>";
    const string Message =
        "<message xmlns='jabber:client' to='juliet@localhost/balcony' id='m1'><body>hello</body></message>";
    const string Ping = "<iq xmlns='jabber:client' type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>";

    [Fact]
    public async Task ClientsOverWebSocketAreLikeAllOthers()
    {
        await using var bench = await SocketBench.StartAsync();
        using var romeo = await LoginAsync(bench, "romeo", "orchard");
        using var juliet = await LoginAsync(bench, "juliet", "balcony");
        await SendAsync(romeo, Message);
        var message = await ReceiveAsync(juliet);
        Assert.Equal("romeo@localhost/orchard", message.Attribute("from"));
        Assert.Equal("hello", message.Child(Namespaces.Client, "body")!.Text);
        await SendAsync(romeo, "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
        Assert.Equal("close", (await ReceiveAsync(romeo)).Name);
        Assert.Null(await TryReceiveAsync(romeo)); // and the WebSocket's own close
        Assert.Equal(WebSocketCloseStatus.NormalClosure, romeo.CloseStatus);
    }

    [Fact]
    [Spec("XEP-0388", "success")]
    [Spec("XEP-0386", "bind-request")]
    public async Task OneRoundTripLogsInAndBinds()
    {
        await using var bench = await SocketBench.StartAsync();
        using var romeo = await ConnectAsync(bench);
        await SendAsync(romeo, Open);
        Assert.Equal("open", (await ReceiveAsync(romeo)).Name);
        Assert.NotNull((await ReceiveAsync(romeo)).Child(Namespaces.Sasl2, "authentication"));
        await SendAsync(romeo, "<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>" +
            "AHJvbWVvAHJvbWVv</initial-response><bind xmlns='urn:xmpp:bind:0'><tag>web</tag></bind></authenticate>");
        var success = await ReceiveAsync(romeo);
        Assert.StartsWith("romeo@localhost/web/", success.Child("authorization-identifier")!.Text,
            StringComparison.Ordinal);
        Assert.Equal("features", (await ReceiveAsync(romeo)).Name);
        // Larger than what may be sent before the login.
        await SendAsync(romeo, Ping.Replace(
            "urn:xmpp:ping'/>", $"urn:xmpp:ping'>{new string('x', 20_000)}</ping>", StringComparison.Ordinal));
        Assert.Equal("result", (await ReceiveAsync(romeo)).Attribute("type"));
    }

    [Fact]
    [Spec("RFC 7395", "3.3.3")]
    public async Task EveryFrameDeclaresItsNamespaces()
    {
        await using var bench = await SocketBench.StartAsync();
        using var romeo = await ConnectAsync(bench);
        await SendAsync(romeo, Open);
        string open = (await ReceiveTextAsync(romeo))!;
        Assert.StartsWith("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'", open, StringComparison.Ordinal);
        string features = (await ReceiveTextAsync(romeo))!;
        Assert.Contains("xmlns:stream='http://etherx.jabber.org/streams'", features, StringComparison.Ordinal);
        Assert.DoesNotContain("starttls", features, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStanzaMayComeInFragments()
    {
        await using var bench = await SocketBench.StartAsync();
        using var romeo = await LoginAsync(bench, "romeo", "orchard");
        byte[] bytes = Encoding.UTF8.GetBytes(Ping);
        for (int i = 0; i < bytes.Length; i++)
            await romeo.SendAsync(bytes.AsMemory(i, 1), WebSocketMessageType.Text, i == bytes.Length - 1, default);
        Assert.Equal("result", (await ReceiveAsync(romeo)).Attribute("type"));
    }

    [Fact]
    public async Task ALargeStanzaArrivesWhole()
    {
        await using var bench = await SocketBench.StartAsync();
        using var romeo = await LoginAsync(bench, "romeo", "orchard");
        string body = string.Concat(Enumerable.Repeat("grüße ", 10_000));
        const string Start = "<message xmlns='jabber:client' to='romeo@localhost/orchard'><body>";
        await SendAsync(romeo, $"{Start}{body}</body></message>");
        Assert.Equal(body, (await ReceiveAsync(romeo)).Child(Namespaces.Client, "body")!.Text);
    }

    public static TheoryData<string, string> BadFrames => new()
    {
        { "<message xmlns='jabber:client'><body>", "not-well-formed" },
        { "<message xmlns='jabber:client'/><message xmlns='jabber:client'/>", "not-well-formed" },
        { "<message xmlns='jabber:client'/><", "not-well-formed" },
        { "no xml", "not-well-formed" },
        { "<!-- hidden -->", "restricted-xml" },
        { "<message/>", "unsupported-stanza-type" }, // in no namespace it is no stanza
        { Open, "bad-format" },
        { "<what xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", "not-well-formed" },
        { "<message xmlns='jabber:client' from='juliet@localhost'/>", "invalid-from" },
        { $"<message xmlns='jabber:client'><body>{new string('x', 300_000)}</body></message>", "policy-violation" },
    };

    [Theory, MemberData(nameof(BadFrames))]
    public async Task WhatBreaksTheStreamIsNamed(string frame, string condition)
    {
        await using var bench = await SocketBench.StartAsync();
        using var romeo = await LoginAsync(bench, "romeo", "orchard");
        await SendAsync(romeo, frame);
        var error = await ReceiveAsync(romeo);
        Assert.Equal("error", error.Name);
        Assert.Equal(condition, error.FirstElement!.Name);
        Assert.Equal("close", (await ReceiveAsync(romeo)).Name);
    }

    [Fact]
    public async Task FramesAreText()
    {
        await using var bench = await SocketBench.StartAsync();
        using var romeo = await LoginAsync(bench, "romeo", "orchard");
        await romeo.SendAsync(Encoding.UTF8.GetBytes(Message), WebSocketMessageType.Binary, true, default);
        Assert.Equal("bad-format", (await ReceiveAsync(romeo)).FirstElement!.Name);
    }

    [Fact]
    public async Task WhiteSpaceMeansNothing()
    {
        await using var bench = await SocketBench.StartAsync();
        using var romeo = await LoginAsync(bench, "romeo", "orchard");
        await SendAsync(romeo, " ");
        await SendAsync(romeo, "");
        await SendAsync(romeo, $"\n{Ping}\n");
        Assert.Equal("result", (await ReceiveAsync(romeo)).Attribute("type"));
    }

    [Fact]
    public async Task ASocketThatIsCutEndsTheSession()
    {
        await using var bench = await SocketBench.StartAsync();
        using var romeo = await LoginAsync(bench, "romeo", "orchard");
        Assert.Equal(1, bench.Host.Services.Sessions.Count);
        romeo.Abort();
        await Patience.Eventually(() => bench.Host.Services.Sessions.Count == 0);
    }

    [Fact]
    [Spec("RFC 6120", "4.9.3.5")]
    public async Task ASecondLoginOfTheSameResourceEndsTheFirst()
    {
        await using var bench = await SocketBench.StartAsync();
        using var first = await LoginAsync(bench, "romeo", "orchard");
        using var second = await LoginAsync(bench, "romeo", "orchard");
        Assert.Equal("conflict", (await ReceiveAsync(first)).FirstElement!.Name);
    }

    [Fact]
    public async Task AServerThatStopsSaysSo()
    {
        await using var bench = await SocketBench.StartAsync();
        using var romeo = await LoginAsync(bench, "romeo", "orchard");
        var stop = bench.Host.StopAsync();
        Assert.Equal("system-shutdown", (await ReceiveAsync(romeo)).FirstElement!.Name);
        Assert.Equal("close", (await ReceiveAsync(romeo)).Name);
        await romeo.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
        await stop.WaitAsync(TestClient.Patience);
    }

    [Fact]
    [Spec("RFC 7395", "3.1")]
    public async Task TheSubprotocolIsRequired()
    {
        await using var bench = await SocketBench.StartAsync();
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("chat");
        socket.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(AddressOf(bench), default));
        Assert.Equal(HttpStatusCode.BadRequest, socket.HttpStatusCode);
        using var http = new HttpClient();
        Assert.Equal(HttpStatusCode.UpgradeRequired, (await http.GetAsync(new Uri(bench.Http, "/ws"))).StatusCode);
    }

    [Fact]
    [Spec("XEP-0156", "http")]
    public async Task HostMetaNamesTheWebSocket()
    {
        await using var bench = await SocketBench.StartAsync();
        using var http = new HttpClient();
        var answer = await http.GetAsync(new Uri(bench.Http, "/.well-known/host-meta"));
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Equal("application/xrd+xml", answer.Content.Headers.ContentType!.MediaType);
        var link = XDocument.Parse(await answer.Content.ReadAsStringAsync()).Root!.Elements().Single();
        Assert.Equal("urn:xmpp:alt-connections:websocket", link.Attribute("rel")!.Value);
        Assert.Equal(AddressOf(bench).ToString(), link.Attribute("href")!.Value);

        answer = await http.GetAsync(new Uri(bench.Http, "/.well-known/host-meta.json"));
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        string? href = json.RootElement.GetProperty("links")[0].GetProperty("href").GetString();
        Assert.Equal(AddressOf(bench).ToString(), href);
    }

    static Uri AddressOf(SocketBench bench) => new($"ws://{bench.Http.Authority}/ws");

    static async Task<ClientWebSocket> ConnectAsync(SocketBench bench)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("xmpp");
        await socket.ConnectAsync(AddressOf(bench), default);
        Assert.Equal("xmpp", socket.SubProtocol);
        return socket;
    }

    static async Task<ClientWebSocket> LoginAsync(SocketBench bench, string user, string resource)
    {
        var socket = await ConnectAsync(bench);
        await SendAsync(socket, Open);
        Assert.Equal("open", (await ReceiveAsync(socket)).Name);
        Assert.Equal("features", (await ReceiveAsync(socket)).Name);
        await SendAsync(socket, NetBench.Auth(user, user));
        Assert.Equal("success", (await ReceiveAsync(socket)).Name);
        await SendAsync(socket, Open);
        Assert.Equal("open", (await ReceiveAsync(socket)).Name);
        Assert.Equal("features", (await ReceiveAsync(socket)).Name);
        await SendAsync(socket, "<iq xmlns='jabber:client' type='set' id='b'>" +
            $"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind></iq>");
        Assert.Equal("result", (await ReceiveAsync(socket)).Attribute("type"));
        return socket;
    }

    static Task SendAsync(WebSocket socket, string text) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, default);

    static async Task<Element> ReceiveAsync(WebSocket socket) =>
        TestXml.Parse(await ReceiveTextAsync(socket) ?? throw new EndOfStreamException());

    static async Task<Element?> TryReceiveAsync(WebSocket socket) =>
        await ReceiveTextAsync(socket) is { } text ? TestXml.Parse(text) : null;

    static async Task<string?> ReceiveTextAsync(WebSocket socket)
    {
        using var limit = new CancellationTokenSource(TestClient.Patience);
        var text = new MemoryStream();
        var buffer = new byte[4096];
        while (true)
        {
            var part = await socket.ReceiveAsync(buffer, limit.Token);
            if (part.MessageType == WebSocketMessageType.Close) return null;
            text.Write(buffer, 0, part.Count);
            if (part.EndOfMessage) return Encoding.UTF8.GetString(text.ToArray());
        }
    }
}
