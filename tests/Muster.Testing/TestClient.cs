using System.IO.Pipelines;
using System.Text;
using System.Threading.Channels;
using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;

namespace Muster.Testing;

/// <summary>
/// A client that speaks in XML text: logs in, sends what a test writes, and holds what it receives against patterns
/// (<see cref="XmlPattern"/>). Everything received waits in a queue until the test asks for it, in order.
/// </summary>
public sealed class TestClient : IAsyncDisposable
{
    /// <summary>How long to wait, in real time, for something that must come. Only a failing test waits that
    /// long.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly IDuplexPipe _pipe;
    readonly Channel<XmlItem> _received = Channel.CreateUnbounded<XmlItem>();
    readonly Task _reading;
    readonly CancellationTokenSource _pause = new();
    StanzaReader _reader = NewReader();
    int _lastId;

    /// <summary>Takes over the client's end of a connection.</summary>
    /// <param name="pipe">The connection.</param>
    /// <param name="host">The domain to talk to.</param>
    public TestClient(IDuplexPipe pipe, string host = "localhost")
    {
        _pipe = pipe;
        Host = host;
        _reading = ReadAsync();
    }

    /// <summary>The domain it talks to.</summary>
    public string Host { get; }

    /// <summary>The language that it names for its stream, as it stands in XML; null for none.</summary>
    public string? Lang { get; set; }

    /// <summary>Its full JID, once bound.</summary>
    public Jid Jid { get; private set; }

    /// <summary>The name that transcripts and failures call it by.</summary>
    public string Name { get; init; } = "client";

    /// <summary>What patterns remembered by name.</summary>
    public Dictionary<string, string> Names { get; init; } = [];

    /// <summary>Sends bytes as they are.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes) =>
        await _pipe.Output.WriteAsync(bytes).AsTask().WaitAsync(Patience);

    /// <summary>Sends XML as it is written, remembered names filled in.</summary>
    public Task SendAsync(string xml) => SendAsync(Encoding.UTF8.GetBytes(XmlPattern.Fill(xml, Names)));

    /// <summary>Sends a stream's start and receives the server's, and its features.</summary>
    public async Task<Element> OpenAsync()
    {
        await OpenHeaderAsync();
        return await ReceiveAsync();
    }

    /// <summary>Sends a stream's start and receives the server's; the features that follow are the test's.</summary>
    public async Task OpenHeaderAsync()
    {
        string lang = Lang is null ? "" : $"xml:lang='{Lang}' ";
        await SendAsync($"<?xml version='1.0'?><stream:stream to='{Host}' version='1.0' {lang}xmlns='jabber:client' " +
            "xmlns:stream='http://etherx.jabber.org/streams'>");
        var header = await NextAsync();
        if (header.Kind != XmlItemKind.StreamOpen) throw Unexpected("a stream header", header);
    }

    /// <summary>Opens a stream, authenticates with PLAIN and opens the second stream.</summary>
    public async Task<Element> AuthenticateAsync(string user, string password)
    {
        await OpenAsync();
        string message = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{password}"));
        await SendAsync($"<auth xmlns='{Namespaces.Sasl}' mechanism='PLAIN'>{message}</auth>");
        var answer = await ReceiveAsync();
        if (answer.Name != "success") throw new InvalidOperationException($"{Name} cannot log in: {answer}");
        return await OpenAsync();
    }

    /// <summary>Authenticates and binds a resource; null lets the server choose.</summary>
    public async Task LoginAsync(string user, string password, string? resource)
    {
        await AuthenticateAsync(user, password);
        await BindAsync(resource);
    }

    /// <summary>Binds a resource; null lets the server choose.</summary>
    public async Task BindAsync(string? resource)
    {
        string child = resource is null ? "" : $"<resource>{resource}</resource>";
        var answer = await AskAsync($"<iq type='set' id='bind'><bind xmlns='{Namespaces.Bind}'>{child}</bind></iq>");
        var jid = answer.Child(Namespaces.Bind, "bind")?.Child(Namespaces.Bind, "jid")?.Text;
        if (jid is null) throw new InvalidOperationException($"{Name} cannot bind: {answer}");
        Jid = Jid.Parse(jid);
    }

    /// <summary>The next thing that the server sends, of whatever kind.</summary>
    public async Task<XmlItem> NextAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            return await _received.Reader.ReadAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{Name} received nothing");
        }
        catch (ChannelClosedException)
        {
            throw new EndOfStreamException($"{Name}: the server has closed the connection");
        }
    }

    /// <summary>The next element.</summary>
    public async Task<Element> ReceiveAsync()
    {
        var item = await NextAsync();
        return item.Kind == XmlItemKind.Element ? item.Element! : throw Unexpected("an element", item);
    }

    /// <summary>Receives the next element, which must fit the pattern.</summary>
    public async Task<Element> ExpectAsync(string pattern)
    {
        var element = await ReceiveAsync();
        if (new XmlPattern(pattern, Names).Mismatch(element) is { } problem)
            throw new InvalidOperationException($"{Name}: {problem}\n expected {pattern}\n received {element}");
        return element;
    }

    /// <summary>Receives until an element fits the pattern; what comes before is dropped.</summary>
    public async Task<Element> ExpectEventuallyAsync(string pattern)
    {
        var dropped = new List<Element>();
        while (true)
        {
            try
            {
                dropped.Add(await ReceiveAsync());
            }
            catch (Exception error) when (error is TimeoutException or EndOfStreamException)
            {
                throw new InvalidOperationException(
                    $"{Name}: {error.Message}\n expected {pattern}\n received {string.Join("\n          ", dropped)}");
            }
            if (new XmlPattern(pattern, Names).Mismatch(dropped[^1]) is null) return dropped[^1];
        }
    }

    /// <summary>Sends an iq request and receives its answer, which must be what comes next. An id is added when there
    /// is none.</summary>
    public async Task<Element> AskAsync(string iq)
    {
        var request = TestXml.Parse(XmlPattern.Fill(iq, Names));
        if (request.Attribute("id") is null) request = request.With("id", $"ask-{++_lastId}");
        await SendAsync(request.ToString());
        var answer = await ReceiveAsync();
        bool fits = answer.Name == "iq" && answer.Attribute("id") == request.Attribute("id")
            && answer.Attribute("type") is "result" or "error";
        if (!fits) throw new InvalidOperationException($"{Name}: an answer to {request} was expected, got {answer}");
        return answer;
    }

    /// <summary>Fails when anything is there to receive: asks the server for a ping, whose answer must come
    /// next.</summary>
    /// <remarks>What the server does in other tasks (a room's) may come later: settle it first
    /// (TestServer.SettleAsync).</remarks>
    public async Task ExpectNothingAsync()
    {
        string id = $"nothing-{++_lastId}";
        await SendAsync($"<iq type='get' id='{id}' to='{Host}'><ping xmlns='{Namespaces.Ping}'/></iq>");
        var next = await ReceiveAsync();
        if (next.Attribute("id") != id)
            throw new InvalidOperationException($"{Name}: nothing was expected, got {next}");
    }

    /// <summary>Receives a stream error of a condition and the end of the stream.</summary>
    public async Task<Element> ExpectStreamErrorAsync(string condition)
    {
        var error = await ReceiveAsync();
        if (!error.Is(Namespaces.Streams, "error") || error.FirstElement?.Name != condition)
            throw new InvalidOperationException($"{Name}: stream error {condition} was expected, got {error}");
        await ExpectEndAsync();
        return error;
    }

    /// <summary>Receives the end of the stream.</summary>
    public async Task ExpectEndAsync()
    {
        var item = await NextAsync();
        if (item.Kind != XmlItemKind.StreamClose) throw Unexpected("the end of the stream", item);
    }

    /// <summary>Ends the stream and waits for the server to end its own (RFC 6120 §4.4).</summary>
    public async Task CloseAsync()
    {
        await SendAsync("</stream:stream>");
        while ((await NextAsync()).Kind != XmlItemKind.StreamClose) { }
        await DisposeAsync();
    }

    /// <summary>Reads no more, as a client that has hung: the server's bytes pile up.</summary>
    public void Pause()
    {
        _pause.Cancel();
        _pipe.Input.CancelPendingRead();
    }

    /// <summary>Breaks the connection so that the server notices when it writes, and not before.</summary>
    public async Task DeafenAsync()
    {
        Pause();
        await _reading.WaitAsync(Patience);
        await _pipe.Input.CompleteAsync();
    }

    /// <summary>Ends the connection without ending the stream.</summary>
    public async ValueTask DisposeAsync()
    {
        await _pipe.Output.CompleteAsync();
        _pipe.Input.CancelPendingRead();
        await _reading.WaitAsync(Patience);
        await _pipe.Input.CompleteAsync();
        _pause.Dispose();
    }

    async Task ReadAsync()
    {
        try
        {
            while (true)
            {
                var result = await _pipe.Input.ReadAsync();
                var buffer = result.Buffer;
                while (_reader.TryRead(buffer, out var consumed, out var item))
                {
                    buffer = buffer.Slice(consumed);
                    // The next thing after a success is a new stream: the test opens it, so the reader must be new by
                    // then.
                    if (item.Element?.Is(Namespaces.Sasl, "success") == true) _reader = NewReader();
                    if (item.Kind != XmlItemKind.Whitespace) _received.Writer.TryWrite(item);
                }
                _pipe.Input.AdvanceTo(buffer.Start, buffer.End);
                if (_pause.IsCancellationRequested) return;
                if (result.IsCompleted || result.IsCanceled) break;
            }
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            // The connection was reset, or disposed here while TLS was reading: as good as its end.
        }
        _received.Writer.TryComplete();
    }

    InvalidOperationException Unexpected(string expected, XmlItem item) =>
        new($"{Name}: {expected} was expected, got {item.Kind} {item.Element} {item.Error?.Condition}");

    static StanzaReader NewReader() => new(new XmlLimits(ItemBytesMax: 16 * 1024 * 1024));
}
