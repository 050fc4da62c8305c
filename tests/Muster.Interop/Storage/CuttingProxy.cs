using System.Net;
using System.Net.Sockets;

namespace Muster.Interop.Storage;

/// <summary>Stands between a client and PostgreSQL, and cuts the connection at the worst moment: at a commit.</summary>
sealed class CuttingProxy : IAsyncDisposable
{
    /// <summary>What to do with the next commit.</summary>
    public enum Cut
    {
        /// <summary>Nothing.</summary>
        No,
        /// <summary>The server never gets it.</summary>
        BeforeCommit,
        /// <summary>The server does it; the client never hears.</summary>
        AfterCommit,
        /// <summary>The same, and nobody gets through any more until <see cref="Reopen"/>.</summary>
        AfterCommitForGood,
    }

    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _stop = new();
    readonly int _server;
    readonly Task _accepting;
    int _next;
    volatile bool _shut;

    public CuttingProxy(int server)
    {
        _server = server;
        _listener.Start();
        _accepting = Accept();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>For one commit; the next one is let pass.</summary>
    public void CutOnce(Cut cut) => Volatile.Write(ref _next, (int)cut);

    /// <summary>Lets connections through again.</summary>
    public void Reopen() => _shut = false;

    async Task Accept()
    {
        try
        {
            while (true) _ = Relay(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
        }
    }

    async Task Relay(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            try
            {
                if (_shut) return;
                await server.ConnectAsync(IPAddress.Loopback, _server, _stop.Token);
                var fromServer = server.GetStream();
                var answers = fromServer.CopyToAsync(client.GetStream(), _stop.Token);
                await Task.WhenAny(answers, Forward(client.GetStream(), fromServer, client));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
            }
        }
    }

    async Task Forward(NetworkStream from, NetworkStream to, TcpClient client)
    {
        byte[] buffer = new byte[65536];
        while (await from.ReadAsync(buffer, _stop.Token) is var read and > 0)
        {
            // The driver sends COMMIT as a message of its own.
            bool commit = buffer.AsSpan(0, read).IndexOf("COMMIT\0"u8) >= 0;
            var cut = commit ? (Cut)Interlocked.Exchange(ref _next, 0) : Cut.No;
            if (cut == Cut.BeforeCommit) return;
            if (cut == Cut.AfterCommitForGood) _shut = true;
            if (cut != Cut.No) client.Close(); // first, so that the answer cannot slip through
            await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
            if (cut == Cut.No) continue;
            await Task.Delay(200, _stop.Token); // the server commits
            return;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }
}
