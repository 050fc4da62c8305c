using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Muster.Protocol.Xml;

namespace Muster.Interop.Load;

/// <summary>A small client over a plain socket, for tests with many of them: it logs in, sends text and hands every
/// element to a callback.</summary>
sealed class LoadClient : IAsyncDisposable
{
    readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    readonly StanzaReader _reader = new(new XmlLimits(), StanzaReaderMode.Stream);
    readonly TimeSpan _limit = TimeSpan.FromSeconds(60);
    Pipe? _input;
    volatile bool _isGone;
    Task _filling = Task.CompletedTask, _reading = Task.CompletedTask;

    /// <summary>The full JID once logged in.</summary>
    public string Jid { get; private set; } = "";

    /// <summary>Gets every element after login, on the reading task.</summary>
    public Action<Element> Received { get; set; } = static _ => { };

    /// <summary>Makes an account by in-band registration (XEP-0077).</summary>
    public static async Task RegisterAsync(int port, string user)
    {
        await using var client = new LoadClient();
        await client.OpenAsync(port);
        await client.SendAsync("<iq type='set' id='r'><query xmlns='jabber:iq:register'>" +
            $"<username>{user}</username><password>{user}</password></query></iq>");
        var answer = await client.ReadAsync();
        if (answer?.Attribute("type") != "result")
        {
            throw new InvalidOperationException($"no account for {user}: {answer}");
        }
    }

    /// <summary>Logs in with PLAIN and binds a resource. Received is not called yet: call
    /// <see cref="Start"/>.</summary>
    public async Task LogInAsync(int port, string user, string resource)
    {
        await AuthenticateAsync(port, user);
        await BindAsync(resource);
    }

    /// <summary>Logs in with PLAIN; no resource is bound yet.</summary>
    public async Task AuthenticateAsync(int port, string user)
    {
        await OpenAsync(port);
        string plain = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{user}"));
        await SendAsync($"<auth xmlns='{Namespaces.Sasl}' mechanism='PLAIN'>{plain}</auth>");
        if (await ReadAsync() is not { Name: "success" } and var refused)
        {
            throw new InvalidOperationException($"{user} refused: {refused}");
        }
        _reader.Reset();
        await SendAsync(StreamHeader);
        await ReadAsync();
    }

    /// <summary>Binds a resource.</summary>
    public async Task BindAsync(string resource)
    {
        await SendAsync(
            $"<iq type='set' id='b'><bind xmlns='{Namespaces.Bind}'><resource>{resource}</resource></bind></iq>");
        var bound = await ReadAsync();
        Jid = bound?.FirstElement?.Child("jid")?.Text
            ?? throw new InvalidOperationException($"{resource} not bound: {bound}");
    }

    /// <summary>From now on elements go to <see cref="Received"/>.</summary>
    public void Start() => _reading = Task.Run(async () =>
    {
        while (await ReadAsync(forEver: true) is { } element) Received(element);
    });

    /// <summary>Sends text.</summary>
    public async Task SendAsync(string xml)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(xml);
        for (int sent = 0; sent < bytes.Length;) sent += await _socket.SendAsync(bytes.AsMemory(sent));
    }

    const string StreamHeader =
        "<?xml version='1.0'?><stream:stream to='localhost' version='1.0' " +
        "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

    async Task OpenAsync(int port)
    {
        await _socket.ConnectAsync(IPAddress.Loopback, port);
        _input = new Pipe();
        _filling = Fill(_socket, _input.Writer);
        await SendAsync(StreamHeader);
        await ReadAsync();
    }

    /// <summary>Whether <see cref="Vanish"/> was called.</summary>
    public bool IsGone => _isGone;

    /// <summary>Breaks the connection without a word.</summary>
    public void Cut() => _socket.Dispose();

    /// <summary>Reads no more and says nothing, as a device out of reach: the server does not know yet.</summary>
    public void Vanish()
    {
        _isGone = true;
        _input?.Reader.CancelPendingRead();
    }

    /// <summary>The next element; stream start and white space are passed over. Null at the end of the stream. Without
    /// <see cref="Start"/> only.</summary>
    public async Task<Element?> ReadAsync(bool forEver = false)
    {
        var input = _input!.Reader;
        while (true)
        {
            var read = forEver ? await input.ReadAsync() : await input.ReadAsync().AsTask().WaitAsync(_limit);
            var buffer = read.Buffer;
            SequencePosition consumed;
            while (_reader.TryRead(buffer, out consumed, out var item))
            {
                buffer = buffer.Slice(consumed);
                if (_isGone) return null;
                if (item.Kind is XmlItemKind.StreamOpen or XmlItemKind.Whitespace) continue;
                input.AdvanceTo(buffer.Start);
                return item.Kind == XmlItemKind.Element ? item.Element : null;
            }
            input.AdvanceTo(consumed, buffer.End);
            if (read.IsCompleted || _isGone) return null;
        }
    }

    static async Task Fill(Socket socket, PipeWriter output)
    {
        try
        {
            while (true)
            {
                int count = await socket.ReceiveAsync(output.GetMemory(4096));
                if (count == 0) break;
                output.Advance(count);
                await output.FlushAsync();
            }
        }
        catch (SocketException) { }
        catch (ObjectDisposedException) { }
        await output.CompleteAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _reading;
        // Where nobody reads any more, what fills the pipe would wait for ever.
        if (_input is { } input) await input.Reader.CompleteAsync();
        await _filling;
    }
}
