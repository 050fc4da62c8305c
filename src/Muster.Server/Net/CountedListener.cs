using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Muster.Server.Net;

/// <summary>Takes the connections of one listener, up to a number, until the server stops.</summary>
/// <param name="timers">Knows when the server stops.</param>
abstract class CountedListener(ConnectionTimers timers) : ConnectionHandler
{
    int _count;

    /// <summary>Connections at a time.</summary>
    protected abstract int ConnectionsMax { get; }

    /// <inheritdoc/>
    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        string address = (connection.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "local";
        return AcceptAsync(connection.Transport, address, connection.Abort);
    }

    /// <summary>Lives the life of one connection.</summary>
    /// <param name="pipe">Its bytes.</param>
    /// <param name="address">Address of the other side, without port.</param>
    /// <param name="abort">Breaks the connection.</param>
    public async Task AcceptAsync(IDuplexPipe pipe, string address, Action abort)
    {
        bool isTooMany = Interlocked.Increment(ref _count) > ConnectionsMax;
        if (isTooMany || timers.IsStopping)
        {
            Refused(address, isTooMany ? "too many connections" : "the server stops");
            abort();
        }
        else
        {
            await ServeAsync(pipe, address, abort);
        }
        Interlocked.Decrement(ref _count);
    }

    /// <summary>Notes that a connection was not taken.</summary>
    protected abstract void Refused(string address, string reason);

    /// <summary>Lives the life of a connection that was taken. Never throws.</summary>
    protected abstract Task ServeAsync(IDuplexPipe pipe, string address, Action abort);
}
