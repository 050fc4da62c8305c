using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Muster.Testing;

namespace Muster.Interop.Servers;

/// <summary>The test client of the in-process server, over a socket to the real one.</summary>
static class SocketClient
{
    /// <summary>Logs in on the plaintext listener; the password is the name.</summary>
    public static async Task<TestClient> LogInAsync(ServerProcess server, string user, string resource = "test")
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, server.PlainPort);
        var client = new TestClient(new SocketPipe(new NetworkStream(socket, ownsSocket: true))) { Name = user };
        await client.LoginAsync(user, user, resource);
        return client;
    }

    sealed class SocketPipe(NetworkStream stream) : IDuplexPipe
    {
        public PipeReader Input { get; } = PipeReader.Create(stream);

        public PipeWriter Output { get; } = PipeWriter.Create(stream);
    }
}
