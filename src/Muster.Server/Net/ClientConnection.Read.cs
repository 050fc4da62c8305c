using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Muster.Core.Streams;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <content>The reading task: steps 1 and 2 of a message's path, and the negotiation before them.</content>
sealed partial class ClientConnection
{
    readonly ReadPause? _pause;
    volatile bool _awaitsPeer;
    bool _peerHasClosed;

    async Task ReadLoopAsync()
    {
        while (!_peerHasClosed && await ReadAsync())
        {
            while (!_peerHasClosed && _framing.TryTake(out var item))
            {
                if (_stage >= Stage.Closing) _peerHasClosed = item.Kind is XmlItemKind.StreamClose;
                else if (_stage == Stage.Bound) await ReceiveAsync(item);
                else await NegotiateAsync(item);
                if (_pause is not null) await _pause.WaitAsync(_framing.ReadByteCount);
            }
            if (_stage >= Stage.Closing) _framing.DiscardAfterEnd();
            else if (_stage == Stage.Negotiating) CheckLoginBytes();
        }
    }

    async ValueTask<bool> ReadAsync()
    {
        // Only while we wait for the client can it be the client that is silent.
        _lastRead = _services.Timers.Now;
        _awaitsPeer = true;
        bool more = await _framing.ReadAsync();
        _awaitsPeer = false;
        return more;
    }

    /// <summary>Takes an item from a client that has a session.</summary>
    async ValueTask ReceiveAsync(XmlItem item)
    {
        switch (item.Kind)
        {
            case XmlItemKind.Element when _negotiation.Claims(item.Element!):
                await NegotiateAsync(item);
                break;
            case XmlItemKind.Element:
                await ReceiveAsync(item.Element!);
                break;
            case XmlItemKind.StreamClose:
                _peerHasClosed = true;
                await SettleAsync();
                Close(null);
                break;
            case XmlItemKind.Error:
                Close(item.Error);
                break;
            case XmlItemKind.StreamOpen:
                // Only in a framing that marks the start otherwise than by XML (RFC 7395 §3.7).
                Close(StreamError.BadFormat.WithText("the stream is open already"));
                break;
            default:
                break;
        }
    }

    async ValueTask ReceiveAsync(Element element)
    {
        LogRead(element);
        var received = _session!.Receive(element);
        if (received.Stanza is { } stanza)
        {
            await TakeAsync(_session, stanza);
        }
        else if (received.Control is { } control)
        {
            await ReceiveControlAsync(_session, control);
        }
        else if (received.Answer is { } answer)
        {
            // It was a stanza all the same: it counts.
            if (!_session.TryBegin(this)) return;
            Write(answer);
            _session.Finish();
        }
        else if (received.Error is { } error)
        {
            Close(error);
        }
    }

    ValueTask NegotiateAsync(XmlItem item)
    {
        if (item.Kind == XmlItemKind.StreamClose) _peerHasClosed = true;
        if (item.Element is { } element) LogRead(element);
        return NegotiateAsync(new NegotiationInput.Item(item, ConnectionIds.NewStreamId(), ConnectionIds.NewNonce()));
    }

    async ValueTask NegotiateAsync(NegotiationInput input)
    {
        for (NegotiationInput? next = input; next is not null;)
        {
            var effects = _effects ?? [];
            _negotiation.Handle(next, effects);
            next = null;
            foreach (var effect in effects) next = await PerformAsync(effect) ?? next;
            effects.Clear();
        }
        if (_session is not null && _stage == Stage.Negotiating) StartSession(_session);
    }

    /// <summary>Does what the negotiation asks; the input that answers it, where one is due.</summary>
    async ValueTask<NegotiationInput?> PerformAsync(NegotiationEffect effect)
    {
        switch (effect)
        {
            case NegotiationEffect.Open open: WriteOpen(open.Header); break;
            case NegotiationEffect.Send send: Write(send.Element); break;
            case NegotiationEffect.RestartReader: Restart(); break;
            case NegotiationEffect.Close close: Close(close.Error); break;
            case NegotiationEffect.Authenticated login:
                _services.Meters.LoggedIn(login.Mechanism);
                _services.Log.LoggedIn(Id, login.Account, login.Mechanism);
                break;
            case NegotiationEffect.AuthenticationFailed failed:
                _services.Meters.LoginFailed(failed.Reason);
                _services.Log.LoginFailed(Id, _remote, failed.Account, failed.Reason);
                break;
            case NegotiationEffect.StartTls start: return await StartTlsAsync(start.Proceed);
            case NegotiationEffect.FindAccount find:
                return new NegotiationInput.AccountFound(await FindAccountAsync(find));
            case NegotiationEffect.Ask ask:
                return new NegotiationInput.Answered(await _services.EarlyRequests(
                    _early ??= new EarlyClient(_remote), ask.Request));
            case NegotiationEffect.LiftLimits: _framing.SetLimits(_settings.Limits); break;
            case NegotiationEffect.FindTokens find: return await FindTokensAsync(find);
            case NegotiationEffect.UseToken use: return new NegotiationInput.TokenUsed(await _services.Tokens.Use(use));
            case NegotiationEffect.IssueToken issue:
                return new NegotiationInput.TokenIssued(await _services.Tokens.Issue(issue));
            case NegotiationEffect.Bind bind: return await BindAsync(bind);
            case NegotiationEffect.Resume resume: return await ResumeAsync(resume);
        }
        return null;
    }

    void Restart()
    {
        _framing.Restart(_settings.Limits);
        // What we say next needs a start of its own, be it an error (RFC 6120 §6.4.6).
        lock (Gate) _isOpen = false;
    }

    async ValueTask<AccountFacts> FindAccountAsync(NegotiationEffect.FindAccount find)
    {
        try
        {
            var facts = await _services.Accounts(find.Account, find.Hash);
            return _settings.MayLogIn(find.Account) ? facts : facts with { Disabled = true };
        }
        catch (Exception error) when (error is StorageException)
        {
            // RFC 6120 §6.5.11: a database that is away is no wrong password.
            _services.Log.LookupFailed(Id, find.Account, error.Message);
            return new AccountFacts(Exists: false) { Unavailable = true };
        }
    }

    async ValueTask<NegotiationInput> FindTokensAsync(NegotiationEffect.FindTokens find)
    {
        var found = await _services.Tokens.Find(find.Account, find.Client);
        return _settings.MayLogIn(find.Account)
            ? found
            : found with { Account = found.Account with { Disabled = true } };
    }

    async ValueTask<NegotiationInput?> BindAsync(NegotiationEffect.Bind bind)
    {
        // Closed while it tried to resume: it must not take the place of the session that goes on elsewhere.
        if (_stage >= Stage.Closing) return null;
        var (session, refusal) = await _services.Host.Bind(bind.Account, bind.Resource, this, Id, bind.Client);
        if (session is null) return new NegotiationInput.BindRefused(refusal ?? StanzaError.InternalServerError);
        session.Lang = _negotiation.Lang;
        lock (Gate) _session = session;
        _services.Meters.Bound();
        _services.Log.Bound(Id, session.Jid);
        return new NegotiationInput.Bound(session.Jid)
        {
            Results = bind.Requests is null ? [] : await _services.Host.Enable(session, bind.Requests),
        };
    }

    void CheckLoginBytes()
    {
        if (_framing.ReadByteCount <= _settings.LoginBytesMax) return;
        _services.Meters.LoginLimit();
        _services.Log.LoginLimit(Id);
        Close(StreamError.PolicyViolation.WithText("too many bytes before login"));
    }

    void LogRead(Element element)
    {
        if (_services.Stanzas.IsEnabled(LogLevel.Trace)) _services.Stanzas.Read(Id, element.ToString());
    }

    /// <summary>After <c>proceed</c>, or as the first thing on a listener for direct TLS: the handshake.</summary>
    /// <returns>Null when it failed: the connection is over then.</returns>
    async ValueTask<NegotiationInput?> StartTlsAsync(Element? proceed = null)
    {
        var framing = (TcpFraming)_framing;
        if (framing.HasUnread)
        {
            Close(StreamError.PolicyViolation.WithText("bytes between <starttls/> and TLS"));
            return null;
        }
        if (proceed is not null) Write(proceed);
        await _pump.FlushAsync();
        lock (Gate)
        {
            if (_stage != Stage.Negotiating) return null;
            _stage = Stage.Handshaking;
            _isOpen = false; // the stream before TLS has no end (RFC 6120 §5.4.3.3)
        }
        var identity = _settings.Certificate!.Current;
        try
        {
            await framing.StartTlsAsync(TlsUpgrade.ServerOptions(identity, _settings.BeginsInTls));
        }
        catch (Exception error) when (error is AuthenticationException or IOException or OperationCanceledException)
        {
            _services.Meters.TlsFailed();
            _services.Log.TlsFailed(Id, _remote, error.Message);
            throw;
        }
        lock (Gate)
        {
            if (_stage == Stage.Handshaking) _stage = Stage.Negotiating;
        }
        framing.Restart(_settings.LoginLimits);
        return new NegotiationInput.TlsStarted(identity.ChannelBinding, []) { TlsUnique = framing.TlsUnique };
    }
}
