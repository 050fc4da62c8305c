using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <summary>Accepts the TCP connections of clients on one port, within limits.</summary>
sealed class ClientListener(ClientServices services, ClientSettings settings, string name) : ConnectionHandler
{
    readonly ConcurrentDictionary<string, int> _perAddress = new(StringComparer.Ordinal);
    int _count;

    /// <summary>Name for logs.</summary>
    public string Name => name;

    /// <summary>Connections open.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <inheritdoc/>
    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        string remote = (connection.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "local";
        return AcceptAsync(connection.Transport, remote, connection.Abort);
    }

    /// <summary>Lives the life of one connection.</summary>
    /// <param name="transport">Its pipes.</param>
    /// <param name="remote">Address of the peer, without port.</param>
    /// <param name="abort">Breaks the connection.</param>
    public async Task AcceptAsync(IDuplexPipe transport, string remote, Action abort)
    {
        if (Admit(remote) is { } reason)
        {
            services.Meters.Refused(reason);
            services.Log.ConnectionRefused(remote, reason);
            abort();
            return;
        }
        try
        {
            var framing = new TcpFraming(transport, settings.LoginLimits, abort);
            await new ClientConnection(services, settings, framing, remote).RunAsync(name);
        }
        finally
        {
            Dismiss(remote);
        }
    }

    /// <summary>Counts a connection in; the reason when it is one too many.</summary>
    string? Admit(string remote)
    {
        if (services.Timers.IsStopping) return "the server stops";
        if (Interlocked.Increment(ref _count) > settings.ConnectionsMax)
        {
            Interlocked.Decrement(ref _count);
            return "too many connections";
        }
        if (settings.ConnectionsPerAddressMax == int.MaxValue) return null;
        if (_perAddress.AddOrUpdate(remote, 1, static (_, count) => count + 1) <= settings.ConnectionsPerAddressMax)
            return null;
        Dismiss(remote);
        return "too many connections from this address";
    }

    void Dismiss(string remote)
    {
        Interlocked.Decrement(ref _count);
        if (settings.ConnectionsPerAddressMax == int.MaxValue) return;
        int left = _perAddress.AddOrUpdate(remote, 0, static (_, count) => count - 1);
        // An entry is removed only while it is still zero, so a newcomer's count is never lost.
        if (left == 0) _perAddress.TryRemove(KeyValuePair.Create(remote, 0));
    }
}
