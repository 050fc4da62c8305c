using Muster.Core.Sessions;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Sessions;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <summary>
/// The connection of one client, whatever its framing: it reads, feeds the negotiation and then the session, writes
/// what waits, and closes. It is the session's way out (<see cref="SessionLink"/>) for as long as it lasts.
/// </summary>
/// <remarks>
/// Three parties act on it: the reading task (<see cref="RunAsync"/>), a writer that exists only while something is to
/// be written (<see cref="Wake"/>), and anybody who closes it. They meet under <see cref="SessionLink.Gate"/>. Whatever
/// ends the connection, the session is ended once, and at once: nobody waits for a peer that is gone.
/// </remarks>
sealed partial class ClientConnection : SessionLink, ITimedConnection
{
    /// <summary>Where the connection stands. It only goes forward, but for the handshake, which comes in
    /// between.</summary>
    enum Stage
    {
        /// <summary>The client has no session yet.</summary>
        Negotiating,
        /// <summary>The bytes belong to TLS: nothing of ours may be written.</summary>
        Handshaking,
        /// <summary>The client has a session.</summary>
        Bound,
        /// <summary>Our side of the stream has ended; the peer may still end its own.</summary>
        Closing,
        /// <summary>Nothing can be written any more.</summary>
        Broken,
    }

    readonly ClientServices _services;
    readonly ClientSettings _settings;
    readonly Framing _framing;
    readonly ClientNegotiation _negotiation;
    readonly string _remote;
    EarlyClient? _early; // made by the first request before the login
    List<NegotiationEffect>? _effects = [];
    Session? _session;
    volatile Stage _stage;

    /// <summary>Takes over a connection that has been accepted.</summary>
    /// <param name="services">The server.</param>
    /// <param name="settings">The listener's rules.</param>
    /// <param name="framing">The transport.</param>
    /// <param name="remote">The peer's address.</param>
    public ClientConnection(ClientServices services, ClientSettings settings, Framing framing, string remote)
        : base(settings.OutboundBytesMax)
    {
        _services = services;
        _settings = settings;
        _framing = framing;
        _remote = remote;
        _pump = new OutboundPump(Gate, Outbound, framing, AddAckRequest, LogWritten, services.Meters.Written, Break);
        _negotiation = new ClientNegotiation(settings.Policy);
        _since = _lastRead = services.Timers.Now;
        if (settings.BytesPerSecondMax is { } rate)
            _pause = new ReadPause(rate, services.Timers.Clock, Gate, services.Meters.Paused);
        AcceptsStanzas = false;
    }

    /// <summary>Name of the connection in logs and error texts.</summary>
    public string Id { get; } = ConnectionIds.Next('c');

    /// <inheritdoc/>
    public override bool DeclaresNamespace => _framing.DeclaresNamespace;

    Jid JidForLog => _session?.Jid ?? _negotiation.Account;

    /// <summary>Lives the connection's whole life. Never throws.</summary>
    /// <param name="listener">Name of the listener, for logs.</param>
    /// <param name="startsSecure">The TLS facts where the transport is inside TLS already (a WebSocket over
    /// HTTPS).</param>
    public async Task RunAsync(string listener, NegotiationInput.TlsStarted? startsSecure = null)
    {
        _services.Meters.Opened();
        _services.Log.Connected(Id, _remote, listener);
        _services.Timers.Add(this);
        string reason = "the peer has gone";
        try
        {
            if (startsSecure is not null) await NegotiateAsync(startsSecure);
            if (_settings.BeginsInTls && await StartTlsAsync() is { } secure) await NegotiateAsync(secure);
            await ReadLoopAsync();
            reason = "closed";
        }
        catch (Exception error) when (Transport.IsBroken(error))
        {
            reason = error.Message;
        }
#pragma warning disable CA1031 // The last resort of a connection: whatever the bug, it must not take more with it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _services.Log.ConnectionFailed(error, Id, JidForLog);
            Close(StreamError.InternalServerError);
            reason = "internal error";
        }
        await FinishAsync();
        _services.Timers.Remove(this);
        _services.Meters.Closed(_framing.ReadByteCount);
        _services.Log.Disconnected(Id, reason, JidForLog);
    }
}
