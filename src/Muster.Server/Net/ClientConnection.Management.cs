using Muster.Core.Sessions;
using Muster.Core.Streams;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Server.Net;

/// <content>Stream management (XEP-0198) and the client's state (XEP-0352): what goes over the stream beside
/// stanzas.</content>
sealed partial class ClientConnection
{
    IReadOnlyList<(SmReference, Message?)>? _archived; // of a session that is resumed: what it sends again first
    bool _isResumed;
    Element? _ackRequest;   // to be written at the end of the burst; guarded by the gate
    long _ackAskedAt = -1;  // when an acknowledgement was asked for that has not come; guarded by the gate
    TaskCompletionSource? _settled; // the reading task waits until all is stored; guarded by the gate

    /// <inheritdoc/>
    public override bool TryAccept()
    {
        if (_stage != Stage.Negotiating) return false;
        _stage = Stage.Bound;
        return AcceptsStanzas = true;
    }

    /// <inheritdoc/>
    public override void RequestAck(Element request)
    {
        _ackRequest = request;
        if (_ackAskedAt < 0) _ackAskedAt = _services.Timers.Now;
    }

    /// <inheritdoc/>
    public override void Settled()
    {
        lock (Gate)
        {
            _settled?.TrySetResult();
            _settled = null;
        }
    }

    void AddAckRequest()
    {
        if (_ackRequest is not { } request) return;
        _ackRequest = null;
        if (AcceptsStanzas) WriteElement(request);
    }

    /// <summary>The client knows its address: from now on the session may write.</summary>
    void StartSession(Session session)
    {
        if (_isResumed) session.Replay(this, _archived ?? []);
        else session.Open(this);
        _archived = null;
        _effects = null;
    }

    async ValueTask<NegotiationInput> ResumeAsync(NegotiationEffect.Resume resume)
    {
        var (session, answer, archived) = await _services.Host.Resume(resume.Account, resume.Request, this);
        if (session is not null)
        {
            session.Lang = _negotiation.Lang;
            (_archived, _isResumed) = (archived, true);
            lock (Gate) _session = session;
        }
        return new NegotiationInput.ResumeAnswered(session?.Jid ?? default, answer);
    }

    async ValueTask TakeAsync(Session session, Stanza stanza)
    {
        // Rooms store in their own time: what goes elsewhere waits for them, so that the count of what is stored has
        // no gap.
        if (session.MustSettle(stanza))
        {
            await WaitUntilSettledAsync(session);
            // The connection has closed meanwhile: the client will send it again.
            if (session.MustSettle(stanza)) return;
        }
        if (!session.TryBegin(this)) return;
        try
        {
            _services.Meters.Stanza();
            if (!IsPong(stanza)) await _services.Host.Receive(session, stanza);
        }
        finally
        {
            session.Finish();
        }
    }

    async ValueTask ReceiveControlAsync(Session session, Element element)
    {
        if (element.Namespace == Namespaces.ClientState)
        {
            if (element.Name is "active" or "inactive")
                session.SetActive(element.Name == "active", _settings.WaitingStanzasMax);
            return; // XEP-0352 §3: nothing is answered
        }
        switch (element.Name)
        {
            case "r" when session.Terms is not null:
                await SettleAsync();
                session.AnswerRequest();
                break;
            case "a" when session.Terms is not null:
                lock (Gate) _ackAskedAt = -1;
                if (session.Acknowledge(element) is { } error) Close(error);
                break;
            case "enable":
                if (await _services.Host.Manage(session, element) is { } refusal) Write(refusal);
                break;
            default:
                // stream-management.md §2: out of order; the session is unharmed.
                Write(SmElements.Failed(element.Namespace, StanzaError.UnexpectedRequest));
                break;
        }
    }

    /// <summary>Waits until all that the client has sent is stored or refused, and storage knows how much that
    /// is.</summary>
    async ValueTask SettleAsync()
    {
        if (_session is not { Terms: not null } session) return;
        await WaitUntilSettledAsync(session);
        await _services.Host.KeepCount(session);
    }

    async ValueTask WaitUntilSettledAsync(Session session)
    {
        while (!session.IsSettled)
        {
            Task settled;
            lock (Gate)
            {
                if (_stage >= Stage.Closing) return;
                settled = (_settled ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
            // It may have come between the two.
            if (session.IsSettled) Settled();
            await settled;
        }
    }

    /// <summary>Looks for an acknowledgement that was asked for and has not come (stream-management.md §4). True when
    /// the connection is given up for it.</summary>
    bool IsAckLate(long now)
    {
        long askedAt;
        lock (Gate) askedAt = _ackAskedAt;
        if (askedAt < 0 || _session is not { } session) return false;
        long late = now - askedAt;
        if (_settings.AckTimeout > TimeSpan.Zero && late > Milliseconds(_settings.AckTimeout))
        {
            Close(StreamError.ConnectionTimeout.WithText("no acknowledgement"), keepsSession: true);
            return true;
        }
        if (_settings.AckDelay > TimeSpan.Zero && late > Milliseconds(_settings.AckDelay))
            _services.Host.AckDelayed(session);
        return false;
    }
}
