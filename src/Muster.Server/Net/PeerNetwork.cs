using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Muster.Protocol.Addresses;
using Muster.Server.Peers;

namespace Muster.Server.Net;

/// <summary>Connections over TCP.</summary>
/// <param name="resolver">Finds where a domain's servers are.</param>
/// <param name="fixedAddress">Where the configuration says that it is, or null.</param>
sealed class PeerNetwork(SrvResolver resolver, Func<Jid, PeerEndpoint?> fixedAddress) : IDisposable
{
    // RFC 8305 §5 has a quarter of a second between attempts for people who wait; servers can take more.
    static readonly TimeSpan Stagger = TimeSpan.FromSeconds(1);
    static readonly TimeSpan KeepAliveTime = TimeSpan.FromMinutes(1);

    readonly SocketConnectionContextFactory _contexts = new(new SocketConnectionFactoryOptions(),
        NullLogger.Instance);

    /// <summary>Connects to the first of a domain's servers that answers; see <see cref="PeerConnect"/>.</summary>
    public async Task<PeerTransport> ConnectAsync(Jid domain, TimeSpan limit)
    {
        IReadOnlyList<PeerEndpoint> endpoints;
        if (fixedAddress(domain) is { } place)
        {
            endpoints = [place];
        }
        else
        {
            var places = await resolver.ResolveAsync(domain.ToString());
            if (places.Problem is { } problem) throw new PeerUnreachableException(problem, isUnknown: true);
            endpoints = places.Endpoints;
        }
        var (socket, endpoint) = await RaceAsync(endpoints, limit);
        var context = _contexts.Create(socket);
        string address = new IPEndPoint(endpoint.Address, endpoint.Port).ToString();
        return new PeerTransport(context.Transport, () => Abort(context), address, endpoint.BeginsInTls);
    }

    static void Abort(ConnectionContext context)
    {
        context.Abort();
        _ = context.DisposeAsync().AsTask();
    }

    /// <summary>Tries one after the other without waiting for a slow one to fail; the first that answers
    /// wins.</summary>
    static async Task<(Socket, PeerEndpoint)> RaceAsync(IReadOnlyList<PeerEndpoint> endpoints, TimeSpan limit)
    {
        using var end = new CancellationTokenSource(limit);
        var running = new List<Task<Socket>>();
        var places = new Dictionary<Task, PeerEndpoint>();
        string problem = "no answer in time";
        int next = 0;
        while (next < endpoints.Count || running.Count > 0)
        {
            if (next < endpoints.Count && !end.IsCancellationRequested)
            {
                var attempt = ConnectAsync(endpoints[next], end.Token);
                running.Add(attempt);
                places[attempt] = endpoints[next++];
            }
            else if (running.Count == 0)
            {
                break;
            }
            // Only while others are left is there a reason to look up before one has an outcome.
            var pause = Task.Delay(next < endpoints.Count ? Stagger : Timeout.InfiniteTimeSpan, end.Token);
            var done = await Task.WhenAny([.. running, pause]);
            if (done is not Task<Socket> attempted) continue;
            running.Remove(attempted);
            if (attempted.IsCompletedSuccessfully)
            {
                await end.CancelAsync();
                foreach (var loser in running) _ = loser.ContinueWith(DisposeSocket, TaskScheduler.Default);
                return (await attempted, places[attempted]);
            }
            if (attempted.Exception?.InnerException is SocketException error)
                problem = $"{new IPEndPoint(places[attempted].Address, places[attempted].Port)}: {error.Message}";
        }
        throw new PeerUnreachableException(problem, isUnknown: false);
    }

    static void DisposeSocket(Task<Socket> attempt)
    {
        if (attempt.IsCompletedSuccessfully) attempt.Result.Dispose();
        else _ = attempt.Exception; // seen
    }

    static async Task<Socket> ConnectAsync(PeerEndpoint endpoint, CancellationToken end)
    {
        var socket = new Socket(endpoint.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            // A peer whose machine has gone is found out though nothing is sent to it.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(
                SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)KeepAliveTime.TotalSeconds);
            await socket.ConnectAsync(endpoint.Address, endpoint.Port, end);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _contexts.Dispose();
}
