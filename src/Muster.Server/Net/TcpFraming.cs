using System.Buffers;
using System.IO.Pipelines;
using System.Net.Security;
using Muster.Protocol.Xml;
using Muster.Server.Loops;

namespace Muster.Server.Net;

/// <summary>A stream over TCP, in the clear or inside TLS (RFC 6120 §4.2).</summary>
sealed class TcpFraming : Framing
{
    // Asks a stream for data without a buffer first, so that an idle connection holds none.
    static readonly StreamPipeReaderOptions ReaderOptions = new(leaveOpen: true, useZeroByteReads: true);

    readonly Stream _transport;
    readonly PipeReader _transportInput;
    readonly Action _abort;
    PipeReader _input;
    SslStream? _tls;
    StanzaReader _reader;
    ReadOnlySequence<byte> _unread;
    bool _isReading;
    bool _isEnded;

    /// <param name="transport">The connection's pipes.</param>
    /// <param name="limits">Bounds for the first stream.</param>
    /// <param name="abort">Breaks the connection.</param>
    public TcpFraming(IDuplexPipe transport, XmlLimits limits, Action abort)
        : this(new PipeStream(transport), transport.Input, limits, abort)
    {
    }

    /// <param name="socket">The connection's socket.</param>
    /// <param name="limits">Bounds for the first stream.</param>
    public TcpFraming(LoopSocket socket, XmlLimits limits)
        : this(socket, PipeReader.Create(socket, ReaderOptions), limits, socket.Abort) => Loop = socket.Loop;

    TcpFraming(Stream transport, PipeReader input, XmlLimits limits, Action abort)
    {
        _transport = transport;
        _transportInput = _input = input;
        _abort = abort;
        _reader = new StanzaReader(limits);
    }

    public override EventLoop? Loop { get; }

    public override bool DeclaresNamespace => false;

    public override async ValueTask<bool> ReadAsync()
    {
        ReleaseInput();
        if (_isEnded) return false;
        var result = await _input.ReadAsync();
        if (result.IsCanceled) throw new OperationCanceledException();
        _isReading = true;
        _isEnded = result.IsCompleted;
        _unread = result.Buffer;
        return !(_isEnded && _unread.IsEmpty);
    }

    public override bool TryTake(out XmlItem item)
    {
        bool taken = _reader.TryRead(_unread, out var consumed, out item);
        if (item.Kind == XmlItemKind.Error)
        {
            Discard();
            return taken;
        }
        ReadByteCount += _unread.Slice(0, consumed).Length;
        _unread = _unread.Slice(consumed);
        return taken;
    }

    public override void Discard()
    {
        ReadByteCount += _unread.Length;
        _unread = _unread.Slice(_unread.End);
    }

    public override void Restart(XmlLimits limits) => _reader = new StanzaReader(limits);

    public override void SetLimits(XmlLimits limits) => _reader.Limits = limits;

    /// <summary>True when bytes wait that were sent before anyone knew of TLS: nothing good can be meant by
    /// them.</summary>
    public bool HasUnread => !_unread.IsEmpty;

    /// <summary>Becomes the server of a TLS handshake; from then on everything goes through TLS.</summary>
    public ValueTask StartTlsAsync(SslServerAuthenticationOptions options) =>
        StartTlsAsync(tls => tls.AuthenticateAsServerAsync(options));

    /// <summary>Becomes the client of a TLS handshake; from then on everything goes through TLS.</summary>
    public ValueTask StartTlsAsync(SslClientAuthenticationOptions options) =>
        StartTlsAsync(tls => tls.AuthenticateAsClientAsync(options));

    // RFC 6120 §5.4.3.3: nothing that was read before survives.
    async ValueTask StartTlsAsync(Func<SslStream, Task> authenticate)
    {
        Discard();
        ReleaseInput();
        _tls = new SslStream(_transport, leaveInnerStreamOpen: true);
        await authenticate(_tls);
        _input = PipeReader.Create(_tls, ReaderOptions);
    }

    /// <summary>Data of the channel binding tls-unique (RFC 5929 §3); null without TLS.</summary>
    public byte[]? TlsUnique => _tls is null ? null : TlsUpgrade.UniqueOf(_tls);

    public override void WriteOpen(IBufferWriter<byte> output, in StreamHeader header) =>
        StanzaWriter.WriteStreamOpen(output, header);

    public override void WriteClose(IBufferWriter<byte> output) => StanzaWriter.WriteStreamClose(output);

    public override ValueTask SendAsync(ReadOnlyMemory<byte> bytes) =>
        _tls is not null ? _tls.WriteAsync(bytes) : _transport.WriteAsync(bytes);

    public override ValueTask EndSendAsync() =>
        // TLS has an end of its own, which tells it from an attacker's cut (RFC 8446 §6.1).
        _tls is { IsAuthenticated: true } ? new(_tls.ShutdownAsync()) : default;

    public override void Abort() => _abort();

    public override async ValueTask DisposeAsync()
    {
        if (_tls is not null)
        {
            if (_input != _transportInput) await _input.CompleteAsync();
            await _tls.DisposeAsync();
        }
        else
        {
            ReleaseInput();
        }
        await _transportInput.CompleteAsync();
        await _transport.DisposeAsync();
    }

    void ReleaseInput()
    {
        if (!_isReading) return;
        _isReading = false;
        var (start, end) = (_unread.Start, _unread.End);
        _unread = default;
        _input.AdvanceTo(start, end);
    }
}
