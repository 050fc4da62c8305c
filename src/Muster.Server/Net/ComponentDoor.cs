using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <summary>Takes the connections of components of one listener, within its limits.</summary>
sealed class ComponentDoor(ComponentServices services, ComponentSettings settings) : ConnectionHandler
{
    int _count;

    /// <summary>The listener's rules; others may take their place, for the connections that come then.</summary>
    public ComponentSettings Settings { get; set; } = settings;

    /// <inheritdoc/>
    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        string address = (connection.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "local";
        return AcceptAsync(connection.Transport, address, connection.Abort);
    }

    /// <summary>Lives the life of one connection.</summary>
    /// <param name="pipe">Its bytes.</param>
    /// <param name="address">Address of the component, without port.</param>
    /// <param name="abort">Breaks the connection.</param>
    public async Task AcceptAsync(IDuplexPipe pipe, string address, Action abort)
    {
        bool isTooMany = Interlocked.Increment(ref _count) > Settings.ConnectionsMax;
        if (isTooMany || services.Timers.IsStopping)
        {
            string reason = isTooMany ? "too many connections" : "the server stops";
            services.Meters.Refused(reason);
            services.Log.ComponentRefused(address, reason);
            abort();
        }
        else
        {
            var framing = new TcpFraming(pipe, Settings.LoginLimits, abort);
            await new ComponentConnection(services, Settings, framing, address).RunAsync();
        }
        Interlocked.Decrement(ref _count);
    }
}
