using Microsoft.Extensions.Logging;
using Muster.Core.Sessions;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Components;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <summary>The connection of an external component (XEP-0114): it reads, feeds the negotiation, hands stanzas over,
/// writes what waits, and closes.</summary>
/// <remarks>The negotiation belongs to the reading task. <c>_gate</c>, a leaf, guards the bytes that wait and the
/// stage. The host is called without it.</remarks>
sealed partial class ComponentConnection : ComponentLink, ITimedConnection
{
    /// <summary>Where the connection stands. It only goes forward, but for the handshake of TLS, which comes
    /// first.</summary>
    enum Stage
    {
        /// <summary>The bytes belong to TLS: nothing of ours may be written.</summary>
        Handshaking,
        /// <summary>The component has not proved yet that it knows the secret.</summary>
        Negotiating,
        /// <summary>Stanzas flow.</summary>
        Connected,
        /// <summary>Our side of the stream has ended; the component may still end its own.</summary>
        Closing,
        /// <summary>Nothing can be written any more.</summary>
        Broken,
    }

    readonly ComponentServices _services;
    readonly ComponentSettings _settings;
    readonly TcpFraming _framing;
    readonly ComponentNegotiation _negotiation;
    readonly Lock _gate = new();
    readonly OutboundBuffer _waiting;
    readonly OutboundPump _pump;
    readonly ReadPause? _pause;
    volatile Stage _stage;
    bool _peerHasClosed;
    bool _hasDomain;   // the host knows it
    string? _reason;   // why it ended: the first that was found

    /// <summary>Takes over a connection.</summary>
    public ComponentConnection(
        ComponentServices services, ComponentSettings settings, TcpFraming framing, string address)
    {
        (_services, _settings, _framing, Address) = (services, settings, framing, address);
        _negotiation = new ComponentNegotiation(settings.Policy);
        Id = ConnectionIds.Next('x');
        _stage = settings.Certificate is null ? Stage.Negotiating : Stage.Handshaking;
        _waiting = new OutboundBuffer(settings.OutboundBytesMax);
        _pump = new OutboundPump(_gate, _waiting, framing, null, LogWritten, static _ => { }, Break);
        _since = _lastWritten = services.Timers.Now;
        if (settings.BytesPerSecondMax is { } rate)
            _pause = new ReadPause(rate, services.Timers.Clock, _gate, services.Meters.Paused);
    }

    /// <inheritdoc/>
    public override string Id { get; }

    /// <inheritdoc/>
    public override string Address { get; }

    /// <inheritdoc/>
    public override Jid Domain => _negotiation.Domain;

    /// <inheritdoc/>
    public override Func<Jid, bool> MaySend => _settings.MaySend;

    /// <inheritdoc/>
    public override bool KicksOld => _settings.KicksOld;

    /// <inheritdoc/>
    public override bool IsOpen => _stage < Stage.Closing;

    /// <summary>Lives the connection's whole life. Never throws.</summary>
    public async Task RunAsync()
    {
        _services.Log.ComponentConnecting(Id, Address);
        _services.Timers.Add(this);
        try
        {
            if (_settings.Certificate is { } certificate)
            {
                await _framing.StartTlsAsync(TlsUpgrade.ServerOptions(certificate.Current, direct: false));
                lock (_gate)
                {
                    if (_stage == Stage.Handshaking) _stage = Stage.Negotiating;
                }
            }
            await ReadLoopAsync();
        }
        catch (Exception error) when (Transport.IsBroken(error))
        {
            NoteReason(error.Message);
        }
#pragma warning disable CA1031 // The last resort of a connection: whatever the bug, it must not take more with it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _services.Log.ComponentFailed(error, Id, Domain);
            Close(StreamError.InternalServerError);
        }
        string reason = _reason ?? "the component has gone";
        // Before the last bytes are sent: what comes for the domain now is answered for at once.
        if (_hasDomain) _services.Host.Ended(this, reason);
        await FinishAsync();
        _services.Timers.Remove(this);
        _services.Log.ComponentDisconnected(Id, Address, reason);
    }

    async Task ReadLoopAsync()
    {
        var effects = new List<ComponentEffect>();
        while (!_peerHasClosed && await _framing.ReadAsync())
        {
            while (!_peerHasClosed && _framing.TryTake(out var item))
            {
                if (item.Kind == XmlItemKind.StreamClose) _peerHasClosed = true;
                if (_stage < Stage.Closing) await ReceiveAsync(item, effects);
                if (_pause is not null) await _pause.WaitAsync(_framing.ReadByteCount);
            }
            if (_stage >= Stage.Closing) _framing.DiscardAfterEnd();
            else if (_stage == Stage.Negotiating && _framing.ReadByteCount > _settings.LoginBytesMax)
                Close(StreamError.PolicyViolation.WithText("too many bytes before the handshake"));
        }
    }

    async ValueTask ReceiveAsync(XmlItem item, List<ComponentEffect> effects)
    {
        if (item.Element is { } element && _services.Stanzas.IsEnabled(LogLevel.Trace))
            _services.Stanzas.Read(Id, element.ToString());
        effects.Clear();
        _negotiation.Handle(item, ConnectionIds.NewStreamId(), effects);
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case ComponentEffect.Open open: WriteOpen(open.Header); break;
                case ComponentEffect.Connected connected: Connect(connected); break;
                case ComponentEffect.Receive receive: await ReceiveAsync(receive.Stanza); break;
                case ComponentEffect.Close close: Close(close.Error); break;
                default: throw new InvalidOperationException($"no such effect: {effect}");
            }
        }
    }

    void Connect(ComponentEffect.Connected connected)
    {
        // In this order: the answer comes before the first stanza.
        if (_services.Host.Connect(this) is { } error)
        {
            Close(error);
            return;
        }
        _hasDomain = true;
        _framing.SetLimits(_settings.Limits);
        lock (_gate)
        {
            if (_stage != Stage.Negotiating) return;
            WriteUnderGate(connected.Answer);
            _stage = Stage.Connected;
        }
    }

    async ValueTask ReceiveAsync(Element element)
    {
        var stanza = Stanza.Read(element, out var problem);
        // What cannot be read is sent back to where it came from: an error from its addressee.
        stanza ??= UnreadStanza.Answerable(element)?.Refuse(problem ?? StanzaError.BadRequest);
        if (stanza is not null) await _services.Host.Receive(this, stanza);
    }
}
