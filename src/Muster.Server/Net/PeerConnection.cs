using Muster.Core.Sessions;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Peers;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <summary>
/// The connection of this server with another one, whoever opened it: it reads, feeds the negotiation, hands stanzas
/// over, writes what waits, and closes.
/// </summary>
/// <remarks>
/// Two locks. <c>_state</c> guards the negotiation, which the reading task feeds, and whoever wants a domain pair or a
/// key verified. <c>_gate</c>, a leaf below it, guards the bytes that wait and what is known of acknowledgements. The
/// host is called under neither.
/// </remarks>
sealed partial class PeerConnection : PeerLink, ITimedConnection
{
    /// <summary>Where the connection stands. It only goes forward, but for the handshake, which comes in
    /// between.</summary>
    enum Stage
    {
        /// <summary>The stream is negotiated, or carries stanzas.</summary>
        Open,
        /// <summary>The bytes belong to TLS: nothing of ours may be written.</summary>
        Handshaking,
        /// <summary>Our side of the stream has ended; the peer may still end its own.</summary>
        Closing,
        /// <summary>Nothing can be written any more.</summary>
        Broken,
    }

    readonly PeerServices _services;
    readonly PeerSettings _settings;
    readonly TcpFraming _framing;
    readonly PeerNegotiation _negotiation;
    readonly OutboundNegotiation? _outbound; // the same, on a stream that this server opened
    readonly string _address;
    readonly bool _isDirect; // TLS comes with the connection
    readonly Lock _state = new();
    readonly Lock _gate = new();
    readonly OutboundBuffer _waiting;
    readonly OutboundPump _pump;
    readonly ReadPause? _pause;
    volatile Stage _stage;
    string _reason = "the peer has gone";

    /// <summary>Takes over a connection that another server made.</summary>
    public PeerConnection(PeerServices services, PeerSettings settings, PeerTransport transport)
        : this(services, settings, transport, FramingOf(settings, transport), new InboundNegotiation(settings.Policy))
    {
    }

    /// <summary>Takes over a connection that was made to another server.</summary>
    /// <param name="services">The server.</param>
    /// <param name="settings">The rules.</param>
    /// <param name="transport">The connection.</param>
    /// <param name="pair">Between whom it is.</param>
    /// <param name="triesExternal">Whether to show this server's certificate as proof.</param>
    /// <param name="resumes">What is known of the stream to resume, or null.</param>
    public PeerConnection(PeerServices services, PeerSettings settings, PeerTransport transport, PeerPair pair,
        bool triesExternal, PeerAcks? resumes)
        : this(services, settings, transport, FramingOf(settings, transport),
            new OutboundNegotiation(settings.Policy, pair, transport.BeginsInTls, triesExternal)) => _resumes = resumes;

    PeerConnection(PeerServices services, PeerSettings settings, PeerTransport transport, TcpFraming framing,
        PeerNegotiation negotiation)
    {
        _services = services;
        _settings = settings;
        (_address, _isDirect) = (transport.Address, transport.BeginsInTls);
        _negotiation = negotiation;
        _outbound = negotiation as OutboundNegotiation;
        Id = ConnectionIds.Next('s');
        _framing = framing;
        _waiting = new OutboundBuffer(settings.OutboundBytesMax);
        _pump = new OutboundPump(
            _gate, _waiting, _framing, () => _takenBytes += _waiting.Length, LogWritten, NoteTransported, Break);
        _since = _lastRead = _lastStanza = services.Timers.Now;
        if (settings.BytesPerSecondMax is { } rate)
            _pause = new ReadPause(rate, services.Timers.Clock, _gate, services.Meters.Paused);
    }

    static TcpFraming FramingOf(PeerSettings settings, PeerTransport transport) =>
        new(transport.Pipe, settings.Limits, transport.Abort);

    /// <inheritdoc/>
    public override string Id { get; }

    /// <inheritdoc/>
    public override bool IsOutgoing => _outbound is not null;

    /// <inheritdoc/>
    public override PeerPair? Opened => _outbound?.Pair;

    /// <inheritdoc/>
    public override IReadOnlyCollection<PeerPair> AcceptedPairs
    {
        get { lock (_state) return [.. _negotiation.Accepted]; }
    }

    /// <inheritdoc/>
    public override bool TakesMorePairs
    {
        get
        {
            // The peer that trusts a certificate may trust nothing else; one that asked back by dialback will again.
            lock (_state) return _stage == Stage.Open && _negotiation.TakesMorePairs;
        }
    }

    Jid Remote => _negotiation.Remote;

    /// <inheritdoc/>
    public override bool IsOpen => _stage < Stage.Closing;

    /// <inheritdoc/>
    public override bool IsResuming
    {
        get { lock (_gate) return _resumes is not null; }
    }

    /// <inheritdoc/>
    public override void Start() => _ = RunAsync();

    /// <summary>Lives the connection's whole life. Never throws.</summary>
    public async Task RunAsync()
    {
        await Task.Yield(); // who starts it may hold a lock
        _services.Meters.Opened(IsOutgoing);
        _services.Log.PeerConnected(Id, _address, IsOutgoing ? "by this server" : "by the other");
        _services.Timers.Add(this);
        try
        {
            if (_isDirect && !IsOutgoing) await StartTlsAsync(null);
            else await HandleAsync(new PeerInput.Connected());
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
            _services.Log.PeerFailed(error, Id, Remote);
            Close(StreamError.InternalServerError);
        }
        await FinishAsync();
        _services.Timers.Remove(this);
        _services.Meters.Closed();
        _services.Log.PeerDisconnected(Id, Remote, _reason);
        lock (_gate)
        {
            if (!_shapedAs.IsNone) _services.Shapers.Release(_shapedAs, _settings.BytesPerSecondMax!.Value);
        }
        Report();
    }

    /// <inheritdoc/>
    public override void Authorize(PeerPair pair) => Post(new PeerInput.Authorize(pair));

    /// <inheritdoc/>
    public override void Verify(PeerPair pair, string streamId, string key) =>
        Post(new PeerInput.Verify(pair, streamId, key));

    /// <inheritdoc/>
    public override void Answer(PeerPair pair, KeyOutcome outcome) => Post(new PeerInput.Verified(pair, outcome));

    // Whoever asks may hold a lock, so the host is told by somebody else. No such input asks for a handshake.
    void Post(PeerInput input)
    {
        Handle(input, out var effects);
        if (effects.Exists(IsForHost))
            ThreadPool.UnsafeQueueUserWorkItem(static told => told.Connection.Tell(told.Effects),
                (Connection: this, Effects: effects), preferLocal: false);
    }

    // The first reason counts: what comes after it follows from it.
    void NoteReason(string reason)
    {
        lock (_gate)
        {
            if (!_hasReason) _reason = reason;
            _hasReason = true;
        }
    }

    bool _hasReason;
}
