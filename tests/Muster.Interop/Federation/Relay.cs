using System.Net;
using System.Net.Sockets;

namespace Muster.Interop.Federation;

/// <summary>Stands between two servers, and cuts their connections when the test says so.</summary>
sealed class Relay : IAsyncDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _stop = new();
    readonly Lock _lock = new();
    readonly List<TcpClient> _open = [];
    readonly int _server;
    readonly Task _accepting;
    bool _isCut;

    /// <summary>Begins to pass connections on.</summary>
    /// <param name="server">Port of the server behind it.</param>
    public Relay(int server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Breaks all connections, and new ones at once.</summary>
    public void Cut()
    {
        TcpClient[] open;
        lock (_lock)
        {
            _isCut = true;
            open = [.. _open];
            _open.Clear();
        }
        foreach (var client in open) client.Dispose();
    }

    /// <summary>Lets connections through again.</summary>
    public void Reopen()
    {
        lock (_lock) _isCut = false;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Cut();
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    async Task AcceptAsync()
    {
        try
        {
            while (true) _ = PassAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    async Task PassAsync(TcpClient client)
    {
        var server = new TcpClient();
        try
        {
            if (!Add(client)) return;
            await server.ConnectAsync(IPAddress.Loopback, _server, _stop.Token);
            if (!Add(server)) return;
            await Task.WhenAny(
                client.GetStream().CopyToAsync(server.GetStream(), _stop.Token),
                server.GetStream().CopyToAsync(client.GetStream(), _stop.Token));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException
            or ObjectDisposedException or InvalidOperationException)
        {
            // Cut, or nobody is behind it.
        }
        finally
        {
            client.Dispose();
            server.Dispose();
            lock (_lock) _open.RemoveAll(open => open == client || open == server);
        }
    }

    bool Add(TcpClient client)
    {
        lock (_lock)
        {
            if (!_isCut) _open.Add(client);
            return !_isCut;
        }
    }
}
