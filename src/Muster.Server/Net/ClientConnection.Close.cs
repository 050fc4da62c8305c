using Muster.Core.Sessions;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <content>Timeouts, and the end of the connection, which anybody may begin at any time.</content>
sealed partial class ClientConnection
{
    const string PingIdPrefix = "muster-ping-";

    long _since;          // when the stage began, in milliseconds of the timers
    long _lastRead;       // when something was read last
    long _pingedAt = -1;  // value of _lastRead when the last ping was sent
    Task? _ending;        // the session's end, once it has begun
    bool _endsSession;    // it was closed for good: where it just broke, the session goes on, if it can

    int ITimedConnection.TimerSlot { get; set; }

    /// <summary>Ends our side of the stream, with an error when there is one to tell, and the session with it. The peer
    /// then has <see cref="ClientSettings.CloseTimeout"/> to end its own (RFC 6120 §4.4). Only the first call
    /// counts.</summary>
    public override void Close(StreamError? error, bool keepsSession = false)
    {
        // Not under the gate: the session's lock comes before it.
        var lastAck = _stage == Stage.Bound ? _session?.LastAck() : null;
        lock (Gate)
        {
            if (_stage >= Stage.Closing) return;
            _endsSession = !keepsSession;
            AcceptsStanzas = false;
            _settled?.TrySetResult();
            _pause?.Stop();
            if (error is not null) Report(error);
            if (_stage == Stage.Handshaking)
            {
                Break();
            }
            else
            {
                if (Outbound.IsOverflowing) DropWaiting();
                // RFC 6120 §4.9.1.3: an error is told inside a stream, so there must be one.
                if (!_isOpen) WriteOpenUnderGate(LateHeader());
                // XEP-0198 §4: so that the client sends nothing again that has arrived.
                if (lastAck is not null) WriteElement(lastAck);
                if (error is not null) WriteElement(Signed(error).ToElement());
                _framing.WriteClose(Outbound);
                EndStanza();
                Wake();
                _stage = Stage.Closing;
                _since = _services.Timers.Now;
            }
        }
        ThreadPool.UnsafeQueueUserWorkItem(static connection => _ = connection.EndSessionAsync(), this, false);
    }

    StreamHeader LateHeader() =>
        new()
        {
            From = _settings.Policy.DefaultHost,
            Id = ConnectionIds.NewStreamId(),
            Lang = _settings.Policy.Language,
        };

    /// <summary>The text says which connection it was, so that a user's report can be found in the log.</summary>
    StreamError Signed(StreamError error) => error.WithText($"{error.Text ?? error.Condition} (connection {Id})");

    void Report(StreamError error)
    {
        _services.Meters.StreamError(error.Condition);
        if (Outbound.IsOverflowing)
        {
            _services.Meters.Overflowed();
            _services.Log.Overflowed(Id, Outbound.Length, JidForLog);
        }
        _services.Log.StreamErrorSent(Id, error.Condition, error.Text, JidForLog);
    }

    /// <summary>Makes room to say why: what a slow reader did not take by now it will not miss more than the
    /// connection.</summary>
    void DropWaiting()
    {
        Outbound.Drop();
        _framing.DropItems();
    }

    /// <summary>Gives the transport up: nothing is written any more, and the reading task wakes.</summary>
    void Break()
    {
        lock (Gate)
        {
            if (_stage == Stage.Broken) return;
            _stage = Stage.Broken;
            _pause?.Stop();
            AcceptsStanzas = false;
            DropWaiting();
        }
        _framing.Abort();
    }

    /// <summary>Ends the session; whoever calls, it is ended once.</summary>
    Task EndSessionAsync()
    {
        lock (Gate)
        {
            if (_session is not { } session) return Task.CompletedTask;
            return _ending ??= EndAsync(session);
        }
    }

    async Task EndAsync(Session session)
    {
        await Task.Yield(); // away from the gate
        try
        {
            if (_endsSession) await _services.Host.End(session, this);
            else await _services.Host.Detach(session, this);
        }
#pragma warning disable CA1031 // The connection must go whatever happens; the failure is logged as the bug that it is.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _services.Log.EndFailed(error, Id, session.Jid);
        }
    }

    /// <summary>The reading task is done: the session ends or waits for another connection, what waits is sent as far
    /// as it can be, the transport is let go.</summary>
    async Task FinishAsync()
    {
        Close(null, keepsSession: true);
        await EndSessionAsync();
        // The sweep breaks a connection that cannot be written to; so this waits for a bounded time.
        await _pump.FlushAsync();
        bool isWhole;
        lock (Gate)
        {
            isWhole = _stage != Stage.Broken;
            _stage = Stage.Broken;
        }
        await _framing.EndAsync(isWhole);
    }

    void ITimedConnection.Stop() => Close(StreamError.SystemShutdown, keepsSession: true);

    void ITimedConnection.Break() => Break();

    void ITimedConnection.Tick(long now)
    {
        switch (_stage)
        {
            case Stage.Negotiating when now - _since > Milliseconds(_settings.LoginTimeout):
                _services.Meters.LoginLimit();
                _services.Log.LoginLimit(Id);
                Close(StreamError.ConnectionTimeout.WithText("login took too long"));
                break;
            case Stage.Handshaking when now - _since > Milliseconds(_settings.LoginTimeout):
            case Stage.Closing when now - _since > Milliseconds(_settings.CloseTimeout):
                Break();
                break;
            case Stage.Bound when IsAckLate(now):
                break;
            case Stage.Bound when _awaitsPeer:
                CheckIdle(now);
                break;
            default:
                break;
        }
    }

    void CheckIdle(long now)
    {
        long silent = now - _lastRead;
        if (silent <= Milliseconds(_settings.IdleTimeout)) return;
        if (_pingedAt != _lastRead)
        {
            _pingedAt = _lastRead;
            var session = _session!;
            // stream-management.md §4: a managed stream is asked what it has got.
            if (session.RequestAck()) return;
            var ping = new Element(Namespaces.Ping, "ping");
            session.Deliver(new Iq(IqType.Get, session.Jid.DomainJid, session.Jid, PingIdPrefix + Id, ping));
        }
        else if (silent > Milliseconds(_settings.IdleTimeout) + Milliseconds(_settings.PingTimeout))
        {
            Close(StreamError.ConnectionTimeout.WithText("no answer to a ping"), keepsSession: true);
        }
    }

    /// <summary>Whether a stanza answers one of our pings: it has served its purpose by arriving.</summary>
    static bool IsPong(Stanza stanza) =>
        stanza is Iq { IsRequest: false } iq && iq.Id.StartsWith(PingIdPrefix, StringComparison.Ordinal);

    static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;
}
