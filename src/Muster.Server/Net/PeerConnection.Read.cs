using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <content>The reading task: the negotiation, and the stanzas.</content>
sealed partial class PeerConnection
{
    bool _peerHasClosed;
    string? _peerError;               // by which it ended the stream
    volatile bool _isAuthenticated;   // stanzas flow, in one direction at least
    Jid _shapedAs;                    // the domain whose pace it keeps

    async Task ReadLoopAsync()
    {
        while (!_peerHasClosed && await _framing.ReadAsync())
        {
            _lastRead = _services.Timers.Now;
            while (!_peerHasClosed && _framing.TryTake(out var item))
            {
                if (_stage >= Stage.Closing) Discard(item);
                else await ReceiveAsync(item);
                if (_pause is not null) await _pause.WaitAsync(_framing.ReadByteCount);
            }
            if (_stage >= Stage.Closing) _framing.DiscardAfterEnd();
            else if (!_isAuthenticated) CheckLoginBytes();
        }
    }

    // An acknowledgement that crosses our end of the stream still spares stanzas from being answered for.
    void Discard(XmlItem item)
    {
        _peerHasClosed = item.Kind is XmlItemKind.StreamClose;
        if (item.Element is { } element && element.Is(PeerNegotiation.AcksNamespace, "a")) ReceiveLateAck(element);
    }

    async ValueTask ReceiveAsync(XmlItem item)
    {
        switch (item.Kind)
        {
            case XmlItemKind.Element when item.Element!.Namespace == PeerNegotiation.AcksNamespace:
                LogRead(item.Element);
                ReceiveAcks(item.Element);
                break;
            case XmlItemKind.Element when !PeerNegotiation.Claims(item.Element!):
                await ReceiveStanzaAsync(item.Element!);
                break;
            default:
                if (item.Kind == XmlItemKind.StreamClose) _peerHasClosed = true;
                if (item.Element is { } element) NoteElement(element);
                await HandleAsync(new PeerInput.Item(item, ConnectionIds.NewStreamId()));
                break;
        }
    }

    void NoteElement(Element element)
    {
        LogRead(element);
        if (!element.Is(Namespaces.Streams, "error")) return;
        var condition = element.Elements.FirstOrDefault(
            e => e.Namespace == Namespaces.StreamErrors && e.Name != "text");
        _peerError = condition?.Name ?? "undefined-condition";
        string? text = element.Child(Namespaces.StreamErrors, "text")?.Text;
        _services.Log.PeerErrorReceived(Id, Remote, _peerError, text);
        NoteReason($"it closed the stream with {_peerError}");
    }

    async ValueTask ReceiveStanzaAsync(Element element)
    {
        LogRead(element);
        if (CheckStanza(element) is { } error)
        {
            Close(error);
            return;
        }
        _lastStanza = _services.Timers.Now;
        _services.Meters.Received();
        // RFC 6120 §8.1.5: it is the sender's own server that adds the language of the sender's stream.
        var stanza = Stanza.Read(element, out var problem);
        if (stanza is not null)
        {
            await _services.Host.Receive(this, stanza);
        }
        else if (UnreadStanza.Answerable(element) is { } unread)
        {
            // Sent back to where it came from: an error from its addressee.
            await _services.Host.Receive(this, unread.Refuse(problem ?? StanzaError.BadRequest));
        }
        CountReceived();
    }

    /// <summary>What is wrong with a stanza so that the stream ends; null when nothing is.</summary>
    StreamError? CheckStanza(Element element)
    {
        // RFC 6120 §4.9.3.24.
        if (element.Name is not ("message" or "presence" or "iq"))
            return StreamError.UnsupportedStanzaType.WithText($"<{element.Name}/> is not understood here");
        // RFC 6120 §8.1.1.2, §8.1.2.2, §4.9.3.7: between servers both addresses are there, and are some.
        bool addressed = Jid.TryParse(element.Attribute("from"), out var from);
        if (!Jid.TryParse(element.Attribute("to"), out var to) || !addressed)
        {
            return _isAuthenticated
                ? StreamError.ImproperAddressing.WithText("a stanza between servers has a valid 'from' and 'to'")
                : StreamError.NotAuthorized.WithText("prove your domain first");
        }
        lock (_state) return _negotiation.CheckSender(from, to);
    }

    /// <summary>Feeds the negotiation from the reading task, which alone can do a handshake.</summary>
    async ValueTask HandleAsync(PeerInput input)
    {
        var start = Handle(input, out var effects);
        Tell(effects);
        if (start is not null) await StartTlsAsync(start.Proceed);
    }

    /// <summary>Feeds the negotiation, and does what it wants but for what concerns the host.</summary>
    /// <returns>The handshake that is to be done, if one is.</returns>
    PeerEffect.StartTls? Handle(PeerInput input, out List<PeerEffect> effects)
    {
        effects = [];
        PeerEffect.StartTls? start = null;
        lock (_state)
        {
            _negotiation.Handle(input, effects);
            foreach (var effect in effects)
            {
                switch (effect)
                {
                    case PeerEffect.Open open: WriteOpen(open.Header); break;
                    case PeerEffect.Send send: Write(send.Element); break;
                    case PeerEffect.RestartReader: Restart(); break;
                    case PeerEffect.StartTls tls: start = tls; break;
                    case PeerEffect.Close close: Close(close.Error); break;
                    default: break;
                }
            }
        }
        return start;
    }

    static bool IsForHost(PeerEffect effect) => effect is not (PeerEffect.Open or PeerEffect.Send
        or PeerEffect.RestartReader or PeerEffect.StartTls or PeerEffect.Close);

    void Tell(List<PeerEffect> effects)
    {
        foreach (var effect in effects) Tell(effect);
    }

    /// <summary>Tells the host, with no lock held.</summary>
    void Tell(PeerEffect effect)
    {
        var host = _services.Host;
        switch (effect)
        {
            case PeerEffect.Accepted accepted:
                _isAuthenticated = true;
                ShareShaper(accepted.Pair.Remote);
                _services.Log.PeerAccepted(Id, accepted.Pair.Remote, accepted.Pair.Local, accepted.Method);
                if (!host.Accepted(this, accepted.Pair, accepted.Method))
                    Close(StreamError.ResourceConstraint.WithText("too many streams from one domain"));
                break;
            case PeerEffect.Authorized authorized:
                _isAuthenticated = true;
                _services.Log.PeerAuthorized(Id, authorized.Pair.Remote, authorized.Pair.Local);
                BeginAcks(authorized.Pair);
                break;
            case PeerEffect.Refused refused: host.Refused(this, refused.Pair, refused.Error); break;
            case PeerEffect.VerifyKey verify: host.VerifyKey(this, verify.Pair, verify.StreamId, verify.Key); break;
            case PeerEffect.KeyVerified key: host.KeyVerified(this, key.Pair, key.StreamId, key.Outcome); break;
            case PeerEffect.Trouble trouble:
                NoteReason(trouble.Problem);
                host.Trouble(trouble.Remote, trouble.Problem);
                break;
            default: break;
        }
    }

    // By the first domain that is proved on it; those that share the stream share its pace.
    void ShareShaper(Jid domain)
    {
        lock (_gate)
        {
            if (_pause is null || !_shapedAs.IsNone) return;
            _shapedAs = domain;
            _pause.Share(_services.Shapers.Take(domain, _settings.BytesPerSecondMax!.Value));
        }
    }

    void Restart()
    {
        _framing.Restart(_settings.Limits);
        // What we say next needs a start of its own, be it an error (RFC 6120 §6.4.6).
        lock (_gate) _isOpen = false;
    }

    /// <summary>The handshake: after <c>proceed</c>, or as the first thing.</summary>
    async ValueTask StartTlsAsync(Element? proceed)
    {
        if (_framing.HasUnread)
        {
            Close(StreamError.PolicyViolation.WithText("bytes before TLS"));
            return;
        }
        if (proceed is not null) Write(proceed);
        await _pump.FlushAsync();
        lock (_gate)
        {
            if (_stage != Stage.Open) return;
            _stage = Stage.Handshaking;
            _isOpen = false; // the stream before TLS has no end (RFC 6120 §5.4.3.3)
        }
        var handshake = new PeerHandshake(_settings, _services.Timers.Clock.GetUtcNow());
        try
        {
            if (IsOutgoing) await _framing.StartTlsAsync(handshake.AsClient(Remote, _isDirect));
            else await _framing.StartTlsAsync(handshake.AsServer());
        }
        catch (Exception error) when (error is AuthenticationException or IOException or OperationCanceledException)
        {
            _services.Meters.TlsFailed();
            _services.Log.PeerTlsFailed(Id, Remote, error.Message);
            NoteReason($"the TLS handshake failed: {error.Message}");
            throw;
        }
        lock (_gate)
        {
            if (_stage == Stage.Handshaking) _stage = Stage.Open;
        }
        _framing.Restart(_settings.Limits);
        await HandleAsync(new PeerInput.TlsStarted(handshake.Certificate));
    }

    void CheckLoginBytes()
    {
        if (_framing.ReadByteCount > _settings.LoginBytesMax)
            Close(StreamError.PolicyViolation.WithText("too many bytes before a domain was proved"));
    }

    void LogRead(Element element)
    {
        if (_services.Stanzas.IsEnabled(LogLevel.Trace)) _services.Stanzas.Read(Id, element.ToString());
    }
}
