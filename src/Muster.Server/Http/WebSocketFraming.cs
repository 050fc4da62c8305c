using System.Buffers;
using System.Net.WebSockets;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Net;

namespace Muster.Server.Http;

/// <summary>A stream over WebSocket: every frame is one whole element, and the stream's start and end are elements too
/// (RFC 7395).</summary>
sealed class WebSocketFraming(WebSocket socket, XmlLimits limits, Action abort) : Framing
{
    const int FirstRent = 4096;

    StanzaReader _reader = NewReader(limits);
    int _frameBytesMax = limits.ItemBytesMax;
    byte[] _frame = [];
    int _length;
    bool _hasFrame;
    StreamError? _broken; // why the frame is not worth reading
    List<int>? _ends, _sending;

    public override bool DeclaresNamespace => true;

    public override async ValueTask<bool> ReadAsync()
    {
        Discard();
        if (socket.State is not (WebSocketState.Open or WebSocketState.CloseSent)) return false;
        // Without a buffer at first, so that an idle connection holds none.
        var waited = await socket.ReceiveAsync(Memory<byte>.Empty, default);
        if (waited.MessageType == WebSocketMessageType.Close) return false;
        bool whole = waited.EndOfMessage;
        while (!whole)
        {
            if (_length == _frame.Length) Grow();
            var part = await socket.ReceiveAsync(_frame.AsMemory(_length), default);
            if (part.MessageType == WebSocketMessageType.Close) return false;
            ReadByteCount += part.Count;
            _length += part.Count;
            whole = part.EndOfMessage;
            if (part.MessageType == WebSocketMessageType.Binary)
                _broken ??= StreamError.BadFormat.WithText("frames are text"); // RFC 7395 §3.3.1
            if (_length > _frameBytesMax)
                _broken ??= StreamError.PolicyViolation.WithText("too many bytes in one frame");
            if (_broken is not null) break; // what follows of the frame is discarded by whoever closes
        }
        _hasFrame = true;
        return true;
    }

    public override bool TryTake(out XmlItem item)
    {
        item = default;
        if (!_hasFrame) return false;
        _hasFrame = false;
        item = _broken is null ? ReadFrame() : new XmlItem(XmlItemKind.Error, Error: _broken);
        return true;
    }

    public override void Discard()
    {
        _hasFrame = false;
        _broken = null;
        _length = 0;
        if (_frame.Length > 0) ArrayPool<byte>.Shared.Return(_frame);
        _frame = [];
    }

    public override void Restart(XmlLimits limits)
    {
        _reader = NewReader(limits);
        _frameBytesMax = limits.ItemBytesMax;
    }

    // A frame is whole or not there: nothing of a stream is in the reader.
    public override void SetLimits(XmlLimits limits) => Restart(limits);

    public override void WriteOpen(IBufferWriter<byte> output, in StreamHeader header) =>
        StanzaWriter.WriteFramedOpen(output, header);

    public override void WriteClose(IBufferWriter<byte> output) => StanzaWriter.WriteFramedClose(output);

    public override void EndItem(int length) => (_ends ??= []).Add(length);

    public override void DropItems() => _ends?.Clear();

    public override void BeginSend() => (_sending, _ends) = (_ends, _sending);

    public override async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        int start = 0;
        foreach (int end in _sending!)
        {
            await socket.SendAsync(bytes[start..end], WebSocketMessageType.Text, endOfMessage: true, default);
            start = end;
        }
        _sending.Clear();
        // A burst must not be remembered by an idle connection.
        if (_sending.Capacity > 64) _sending = null;
    }

    public override async ValueTask EndSendAsync()
    {
        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, default);
    }

    public override void Abort()
    {
        socket.Abort();
        abort();
    }

    public override ValueTask DisposeAsync()
    {
        Discard();
        socket.Dispose();
        return default;
    }

    XmlItem ReadFrame()
    {
        _reader.Reset();
        // A frame of white space alone means nothing; old clients send it as a ping.
        if (IsWhite(_frame.AsSpan(0, _length))) return new XmlItem(XmlItemKind.Whitespace);
        var input = new ReadOnlySequence<byte>(_frame, 0, _length);
        while (_reader.TryRead(input, out var consumed, out var item))
        {
            if (item.Kind == XmlItemKind.Error) return item;
            input = input.Slice(consumed);
            if (item.Kind == XmlItemKind.Whitespace) continue;
            // RFC 7395 §3.3.1: a frame holds exactly one element.
            return IsWhite(input.FirstSpan) ? Unwrap(item) : Broken("more than one element in a frame");
        }
        return Broken("a frame holds one whole element");
    }

    static bool IsWhite(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept(" \t\r\n"u8);

    /// <summary>The framing's own elements are the start and the end of the stream (RFC 7395 §3.4, §3.6).</summary>
    static XmlItem Unwrap(in XmlItem item)
    {
        if (item.Element is not { Namespace: Namespaces.Framing } element) return item;
        if (element.Name == "close") return new XmlItem(XmlItemKind.StreamClose);
        if (element.Name != "open") return Broken($"<{element.Name}/> is no frame");
        var header = new Element(Namespaces.Streams, "stream");
        foreach (ref readonly var attribute in element.Attributes)
            header = header.With(attribute.Namespace, attribute.Name, attribute.Value);
        return new XmlItem(XmlItemKind.StreamOpen, header) { ContentNamespace = Namespaces.Client };
    }

    static XmlItem Broken(string text) => new(XmlItemKind.Error, Error: StreamError.NotWellFormed.WithText(text));

    void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstRent, _frame.Length * 2));
        _frame.AsSpan(0, _length).CopyTo(larger);
        if (_frame.Length > 0) ArrayPool<byte>.Shared.Return(_frame);
        _frame = larger;
    }

    static StanzaReader NewReader(XmlLimits limits) => new(limits, StanzaReaderMode.Document);
}
