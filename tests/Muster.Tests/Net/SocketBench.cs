using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Muster.Protocol.Addresses;
using Muster.Server;
using Muster.Server.Config;
using Muster.Server.Storage.Memory;
using Muster.Testing;

namespace Muster.Tests.Net;

/// <summary>The whole server on real sockets of the loopback, on ports that the system chooses; data in memory,
/// certificate and secrets in a folder of its own.</summary>
sealed class SocketBench : IAsyncDisposable
{
    const string Config = """
        [storage]
          backend = "memory"
        [[listen.c2s]]
          port = 0
        [[listen.c2s]]
          port = 0
          tls.mode = "tls"
        [[listen.http]]
          port = 0
        """;

    readonly List<IDisposable> _open = [];

    SocketBench(ServerHost host, string folder, TestLogs logs)
    {
        (Host, Folder, Logs) = (host, folder, logs);
        // ready: c2s 127.0.0.1:41234 c2s 127.0.0.1:41235 http http://127.0.0.1:41236
        string[] words = host.Addresses.Split(' ');
        StartTls = IPEndPoint.Parse(words[1]);
        DirectTls = IPEndPoint.Parse(words[3]);
        Http = new Uri(words[5]);
    }

    public ServerHost Host { get; }
    public string Folder { get; }
    public TestLogs Logs { get; }
    public IPEndPoint StartTls { get; }
    public IPEndPoint DirectTls { get; }
    public Uri Http { get; }

    public static async Task<SocketBench> StartAsync(string? folder = null)
    {
        folder ??= Directory.CreateTempSubdirectory("muster-test-").FullName;
        var logs = new TestLogs();
        var host = await ServerHost.OpenAsync(ConfigCheck.Parse(Config).Config!, folder,
            new ServerOverrides { Logs = logs, Database = new MemoryDatabase() });
        await host.StartAsync();
        foreach (string user in (string[])["romeo", "juliet"])
            await host.Services.AccountBook.Add(Jid.Parse($"{user}@localhost"), user);
        return new SocketBench(host, folder, logs);
    }

    public async Task<NetworkStream> ConnectAsync(IPEndPoint address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address);
        var stream = new NetworkStream(socket, ownsSocket: true);
        _open.Add(stream);
        return stream;
    }

    /// <summary>Does the client's side of a TLS handshake.</summary>
    /// <param name="stream">The connection.</param>
    /// <param name="protocol">What to ask for by ALPN, or null.</param>
    public async Task<SslStream> SecureAsync(Stream stream, string? protocol = null)
    {
        var tls = new SslStream(stream);
        _open.Add(tls);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ApplicationProtocols = protocol is null ? null : [new(protocol)],
            RemoteCertificateValidationCallback = IsOurs,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        });
        return tls;
    }

    /// <summary>Nobody has signed the server's certificate; but it must be for the host.</summary>
    public static bool IsOurs(object sender, X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors) =>
        shown is X509Certificate2 certificate && certificate.MatchesHostname("localhost");

    public static IDuplexPipe PipeOf(Stream stream) => new Duplex(PipeReader.Create(stream), PipeWriter.Create(stream));

    public async ValueTask DisposeAsync()
    {
        foreach (var item in _open) item.Dispose();
        await Host.StopAsync(TimeSpan.FromSeconds(1));
        Directory.Delete(Folder, recursive: true);
        Assert.Empty(Logs.Errors);
    }

    sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
