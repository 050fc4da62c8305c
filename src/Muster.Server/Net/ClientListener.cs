using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Muster.Core.Streams;
using Muster.Server.Loops;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <summary>Takes the connections of clients of one listener, within its limits: those over TCP from Kestrel, those
/// over WebSocket from their endpoint.</summary>
sealed class ClientListener(ClientServices services, ClientSettings settings, string name) : ConnectionHandler
{
    readonly ConcurrentDictionary<string, int> _perAddress = new(StringComparer.Ordinal);
    int _count;

    /// <summary>The listener's rules; others may take their place, for the connections that come then.</summary>
    public ClientSettings Settings { get; set; } = settings;

    /// <summary>Connections open.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <inheritdoc/>
    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        string remote = (connection.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "local";
        return connection is LoopConnection { Socket: var socket }
            ? AcceptAsync(new TcpFraming(socket, Settings.LoginLimits), remote)
            : AcceptAsync(connection.Transport, remote, connection.Abort);
    }

    /// <summary>Lives the life of one TCP connection.</summary>
    /// <param name="transport">Its pipes.</param>
    /// <param name="remote">Address of the peer, without port.</param>
    /// <param name="abort">Breaks the connection.</param>
    public Task AcceptAsync(IDuplexPipe transport, string remote, Action abort) =>
        AcceptAsync(new TcpFraming(transport, Settings.LoginLimits, abort), remote);

    async Task AcceptAsync(TcpFraming framing, string remote)
    {
        using var place = Admit(remote);
        if (place.Refusal is null) await RunAsync(framing, remote);
        else framing.Abort();
    }

    /// <summary>Lives the life of one connection that has been admitted.</summary>
    /// <param name="framing">Its transport.</param>
    /// <param name="remote">Address of the peer, without port.</param>
    /// <param name="secure">The TLS facts where the transport is inside TLS already.</param>
    public Task RunAsync(Framing framing, string remote, NegotiationInput.TlsStarted? secure = null) =>
        new ClientConnection(services, Settings, framing, remote).RunAsync(name, secure);

    /// <summary>Gives a connection its place among those that may be open, or says why there is none. Disposing it
    /// frees the place.</summary>
    public Place Admit(string remote)
    {
        string? refusal = CountIn(remote);
        if (refusal is null) return new Place(this, remote, null);
        services.Meters.Refused(refusal);
        services.Log.ConnectionRefused(remote, refusal);
        return new Place(null, remote, refusal);
    }

    string? CountIn(string remote)
    {
        if (services.Timers.IsStopping) return "the server stops";
        if (Interlocked.Increment(ref _count) > Settings.ConnectionsMax)
        {
            Interlocked.Decrement(ref _count);
            return "too many connections";
        }
        if (Settings.ConnectionsPerAddressMax == int.MaxValue) return null;
        if (_perAddress.AddOrUpdate(remote, 1, static (_, count) => count + 1) <= Settings.ConnectionsPerAddressMax)
            return null;
        CountOut(remote);
        return "too many connections from this address";
    }

    void CountOut(string remote)
    {
        Interlocked.Decrement(ref _count);
        if (Settings.ConnectionsPerAddressMax == int.MaxValue) return;
        int left = _perAddress.AddOrUpdate(remote, 0, static (_, count) => count - 1);
        // An entry is removed only while it is still zero, so a newcomer's count is never lost.
        if (left == 0) _perAddress.TryRemove(KeyValuePair.Create(remote, 0));
    }

    /// <summary>A place among the connections, or the reason why there is none.</summary>
    public readonly struct Place(ClientListener? listener, string remote, string? refusal) : IDisposable
    {
        /// <summary>Why the connection is refused, or null.</summary>
        public string? Refusal => refusal;

        /// <summary>Frees the place.</summary>
        public void Dispose() => listener?.CountOut(remote);
    }
}
