using System.Net;
using System.Net.Sockets;

namespace Muster.Interop.Servers;

/// <summary>The network between two programs: it passes bytes on until the test breaks it.</summary>
sealed class Wire : IAsyncDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _stop = new();
    readonly HashSet<Socket> _sockets = [];
    readonly int _server;
    readonly Task _accepting;
    volatile bool _isBroken, _isDeaf;
    volatile int _era, _frozenUpTo = -1; // connections of an era that is frozen stay so

    /// <summary>Leads to a port of the loopback.</summary>
    public Wire(int server)
    {
        _server = server;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The port that clients connect to.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What clients send goes nowhere from now on, and they do not know.</summary>
    public void LoseWhatClientsSend() => _isDeaf = true;

    /// <summary>Nothing passes any more, in either direction, not even that an end closes: what a phone without a
    /// network looks like. Connections that are made after <see cref="Mend"/> are sound; those that are there now never
    /// hear of each other again.</summary>
    public void Freeze() => _frozenUpTo = int.MaxValue;

    /// <summary>Resets all connections, and refuses new ones until <see cref="Mend"/>.</summary>
    public void Break()
    {
        _isBroken = true;
        lock (_sockets)
        {
            foreach (var socket in _sockets) socket.Close(0);
            _sockets.Clear();
        }
    }

    /// <summary>Lets connections through again.</summary>
    public void Mend()
    {
        if (_frozenUpTo == int.MaxValue) _frozenUpTo = _era++;
        _isDeaf = _isBroken = false;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Break();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    async Task AcceptAsync()
    {
        try
        {
            while (true) _ = RelayAsync(await _listener.AcceptSocketAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
        }
    }

    async Task RelayAsync(Socket client)
    {
        int era = _era;
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using (client)
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _server);
                lock (_sockets)
                {
                    if (_isBroken) return;
                    _sockets.Add(client);
                    _sockets.Add(server);
                }
                await Task.WhenAll(PassAsync(client, server, isFromClient: true, era),
                    PassAsync(server, client, isFromClient: false, era));
            }
            catch (SocketException)
            {
                // The server is not there.
            }
            lock (_sockets)
            {
                _sockets.Remove(client);
                _sockets.Remove(server);
            }
        }
    }

    async Task PassAsync(Socket from, Socket to, bool isFromClient, int era)
    {
        byte[] buffer = new byte[16384];
        try
        {
            while (await from.ReceiveAsync(buffer) is var count and > 0)
            {
                if ((isFromClient && _isDeaf) || era <= _frozenUpTo) continue;
                await to.SendAsync(buffer.AsMemory(0, count));
            }
            if (era > _frozenUpTo) to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            if (era <= _frozenUpTo) return;
            // Whose end is reset is told to the other.
            from.Close(0);
            to.Close(0);
        }
    }
}
