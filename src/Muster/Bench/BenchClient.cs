using System.Buffers;
using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Muster.Bench;

/// <summary>Looks at one stanza. The bytes are valid during the call.</summary>
delegate void StanzaSeen(ReadOnlySpan<byte> stanza);

/// <summary>One connection of the load generator: it logs in, sends text, and shows each stanza to whoever
/// watches.</summary>
sealed class BenchClient(BenchTarget target, string user, string resource) : IAsyncDisposable
{
    const int FirstBuffer = 2048, ReadsAtOnceMax = 16;
    static readonly TimeSpan AnswerWait = TimeSpan.FromSeconds(120), GoodbyeWait = TimeSpan.FromSeconds(2);

    readonly StanzaScanner _scanner = new();
    readonly SemaphoreSlim _sending = new(1, 1);
    Stream _stream = Stream.Null;
    byte[] _buffer = [];
    int _filled, _taken;
    Task _reading = Task.CompletedTask;

    /// <summary>The account's name.</summary>
    public string User => user;

    /// <summary>The full JID, once bound.</summary>
    public string Jid { get; private set; } = "";

    /// <summary>Stanzas received since stream management was enabled (XEP-0198 §4).</summary>
    public uint Handled { get; set; }

    /// <summary>What resumes the stream (XEP-0198 §5); null when it cannot be.</summary>
    public string? ResumeId { get; private set; }

    /// <summary>Gets every stanza once <see cref="Start"/> was called.</summary>
    public StanzaSeen Seen { get; set; } = static _ => { };

    /// <summary>Why the stream ended while it was watched; null while it goes on.</summary>
    public string? Ended { get; private set; }

    /// <summary>Connects, with TLS when the target says so, and opens a stream.</summary>
    public async Task ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(target.Host, target.Port);
        _stream = new NetworkStream(socket, ownsSocket: true);
        await OpenAsync();
        if (!target.UsesTls) return;
        await SendAsync("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        await ExpectAsync("<proceed");
#pragma warning disable CA5359 // The certificate of a benchmark is nobody's proof of anything.
        var tls = new SslStream(_stream, leaveInnerStreamOpen: false, (_, _, _, _) => true);
#pragma warning restore CA5359
        await tls.AuthenticateAsClientAsync(target.Domain);
        _stream = tls;
        await OpenAsync();
    }

    /// <summary>Makes the account (XEP-0077); one that is there already is fine.</summary>
    public async Task RegisterAsync()
    {
        await SendAsync("<iq type='set' id='r'><query xmlns='jabber:iq:register'>" +
            $"<username>{user}</username><password>{user}</password></query></iq>");
        string answer = await NextAsync();
        if (Attribute(answer, "type") != "result" && !answer.Contains("conflict", StringComparison.Ordinal))
            throw new BenchException($"the server makes no account for {user}: {answer}");
    }

    /// <summary>Proves who the user is. The stream is opened again.</summary>
    public async Task AuthenticateAsync()
    {
        if (target.Mechanism == "PLAIN")
        {
            string plain = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{user}"));
            await SendAsync($"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>");
        }
        else
        {
            var scram = new ScramClient(target.Mechanism, user, user);
            await SendAsync($"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='{target.Mechanism}'>" +
                $"{scram.First}</auth>");
            string challenge = await ExpectAsync("<challenge");
            await SendAsync("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" +
                $"{scram.Answer(TextOf(challenge))}</response>");
        }
        await ExpectAsync("<success");
        await OpenAsync();
    }

    /// <summary>Binds the resource (RFC 6120 §7), and enables stream management where the target says so.</summary>
    public async Task BindAsync()
    {
        await SendAsync("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" +
            $"<resource>{resource}</resource></bind></iq>");
        Jid = Between(await ExpectAsync("<jid>"), "<jid>", "</jid>");
        if (target.OffersSession)
        {
            await SendAsync("<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>");
            await NextAsync();
        }
        if (!target.IsManaged) return;
        await SendAsync("<enable xmlns='urn:xmpp:sm:3' resume='true'/>");
        ResumeId = Attribute(await ExpectAsync("<enabled"), "id");
    }

    /// <summary>Connects, authenticates and binds.</summary>
    public async Task LogInAsync()
    {
        await ConnectAsync();
        await AuthenticateAsync();
        await BindAsync();
    }

    /// <summary>Connects, authenticates and resumes the stream of another connection (XEP-0198 §5).</summary>
    public async Task ResumeAsync(BenchClient broken)
    {
        await ConnectAsync();
        await AuthenticateAsync();
        await SendAsync(string.Create(CultureInfo.InvariantCulture,
            $"<resume xmlns='urn:xmpp:sm:3' previd='{broken.ResumeId}' h='{broken.Handled}'/>"));
        await ExpectAsync("<resumed");
        Handled = broken.Handled;
        ResumeId = broken.ResumeId;
        Jid = broken.Jid;
    }

    /// <summary>Sends text.</summary>
    public ValueTask SendAsync(string xml) => SendAsync(() => xml);

    /// <summary>Sends text that is made when its turn has come, so that what it counts goes out in order.</summary>
    public async ValueTask SendAsync(Func<string> write)
    {
        await _sending.WaitAsync();
        try
        {
            string xml = write();
            byte[] bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(xml.Length));
            int length = Encoding.UTF8.GetBytes(xml, bytes);
            await _stream.WriteAsync(bytes.AsMemory(0, length));
            ArrayPool<byte>.Shared.Return(bytes);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>From now on stanzas go to <see cref="Seen"/>; requests for acknowledgement are answered.</summary>
    public void Start() => _reading = WatchAsync();

    /// <summary>The next stanza, as text. Not together with <see cref="Start"/>.</summary>
    public async Task<string> NextAsync()
    {
        int length;
        while (!_scanner.TryFind(_buffer.AsSpan(_taken, _filled - _taken), out length))
        {
            if (!await FillAsync().AsTask().WaitAsync(AnswerWait))
                throw new BenchException($"the server ended {user}'s stream");
        }
        string stanza = Encoding.UTF8.GetString(_buffer, _taken, length);
        _taken += length;
        if (target.IsManaged) await CountAsync(Encoding.UTF8.GetBytes(stanza));
        return stanza;
    }

    /// <summary>Waits for a stanza that has some text in it, and passes over others.</summary>
    public async Task<string> ExpectAsync(string text)
    {
        while (true)
        {
            string stanza = await NextAsync();
            if (stanza.Contains(text, StringComparison.Ordinal)) return stanza;
            if (stanza.Contains("<failure", StringComparison.Ordinal)
                || stanza.Contains("<failed", StringComparison.Ordinal)
                || stanza.Contains("stream:error", StringComparison.Ordinal)
                || (stanza.StartsWith("<iq", StringComparison.Ordinal) && Attribute(stanza, "type") == "error"))
                throw new BenchException($"{user} waited for {text} and got {stanza}");
        }
    }

    /// <summary>Ends the stream, and waits for a short while for the server to do the same (RFC 6120 §4.4).</summary>
    public async Task EndAsync()
    {
        try
        {
            await SendAsync("</stream:stream>");
            if (_reading != Task.CompletedTask) await Task.WhenAny(_reading, Task.Delay(GoodbyeWait));
            else
                while (await FillAsync().AsTask().WaitAsync(GoodbyeWait)) _taken = _filled;
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or TimeoutException) { }
    }

    /// <summary>Cuts the connection, without a word.</summary>
    public void Cut() => _stream.Dispose();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _stream.Dispose();
        await _reading;
        _sending.Dispose();
    }

    async Task OpenAsync()
    {
        _scanner.Reset();
        _taken = _filled = 0;
        await SendAsync($"<?xml version='1.0'?><stream:stream to='{target.Domain}' version='1.0' " +
            "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>");
        await ExpectAsync("features");
    }

    async Task WatchAsync()
    {
        int atOnce = 0;
        try
        {
            while (true)
            {
                while (_scanner.TryFind(_buffer.AsSpan(_taken, _filled - _taken), out int length))
                {
                    var stanza = _buffer.AsMemory(_taken, length);
                    _taken += length;
                    if (target.IsManaged) await CountAsync(stanza);
                    Seen(stanza.Span);
                }
                var more = FillAsync();
                // A server that is quick must not keep the generator at one of its clients.
                atOnce = more.IsCompleted ? atOnce + 1 : 0;
                if (atOnce % ReadsAtOnceMax == ReadsAtOnceMax - 1) await Task.Yield();
                if (!await more) break;
            }
            Ended = "the server ended the stream";
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or SocketException)
        {
            Ended = error.Message;
        }
    }

    // XEP-0198 §4: stanzas count, and <r/> is answered with how many came.
    async ValueTask CountAsync(ReadOnlyMemory<byte> stanza)
    {
        var text = stanza.Span;
        int open = text.IndexOf((byte)'<');
        if (open < 0 || open + 3 > text.Length) return;
        if (text[open + 1] is (byte)'m' or (byte)'p' or (byte)'i') Handled++;
        else if (text[open + 1] == 'e' && text[open..].StartsWith("<enabled"u8)) Handled = 0;
        else if (text[open + 1] == 'r' && text[open + 2] is (byte)' ' or (byte)'/')
            await SendAsync(string.Create(CultureInfo.InvariantCulture, $"<a xmlns='urn:xmpp:sm:3' h='{Handled}'/>"));
    }

    async ValueTask<bool> FillAsync()
    {
        if (_taken == _filled)
        {
            _taken = _filled = 0;
        }
        else if (_filled == _buffer.Length && _taken > 0)
        {
            _buffer.AsSpan(_taken, _filled - _taken).CopyTo(_buffer);
            _filled -= _taken;
            _taken = 0;
        }
        if (_filled == _buffer.Length) Array.Resize(ref _buffer, Math.Max(FirstBuffer, _buffer.Length * 2));
        int count = await _stream.ReadAsync(_buffer.AsMemory(_filled));
        _filled += count;
        return count > 0;
    }

    static string TextOf(string element) =>
        Between(element[element.IndexOf('<', StringComparison.Ordinal)..], ">", "</");

    static string Between(string text, string before, string after)
    {
        int start = text.IndexOf(before, StringComparison.Ordinal) + before.Length;
        int end = text.IndexOf(after, start, StringComparison.Ordinal);
        return text[start..end];
    }

    static string? Attribute(string element, string name)
    {
        int at = element.IndexOf($" {name}=", StringComparison.Ordinal);
        if (at < 0) return null;
        at += name.Length + 2;
        return element[(at + 1)..element.IndexOf(element[at], at + 1)];
    }
}
