using System.Net;
using System.Net.Sockets;
using Muster.Protocol.Addresses;
using Muster.Server;
using Muster.Server.Accounts;
using Muster.Server.Config;

namespace Muster.Tests.Net;

/// <summary>Starting and stopping, and what is said when it does not work.</summary>
public sealed class ServerHostTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("muster-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task RunsUntilItIsToldToStopAndKeepsWhatItStored()
    {
        for (int start = 0; start < 2; start++)
        {
            using var output = new StringWriter();
            using var stop = new CancellationTokenSource();
            await ServerHost.RunAsync(ConfigOf(0), _folder, output, beforeReady: async host =>
            {
                var outcome = await host.Services.AccountBook.Add(Jid.Parse("romeo@localhost"), "romeo");
                Assert.Equal(start == 0 ? AccountOutcome.Done : AccountOutcome.Exists, outcome);
                await stop.CancelAsync();
            }, stop: stop.Token).WaitAsync(TimeSpan.FromSeconds(30));
            Assert.Matches(@"^started in \d+ ms\nready: c2s 127\.0\.0\.1:[1-9]\d*\n$", output.ToString());
        }
        Assert.Equal(32, (await File.ReadAllBytesAsync(Path.Combine(_folder, "pepper"))).Length);
    }

    [Fact]
    public async Task APortThatIsTakenIsNamed()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        int port = ((IPEndPoint)other.LocalEndpoint).Port;
        await using var host = await ServerHost.OpenAsync(ConfigOf(port), _folder);
        var error = await Assert.ThrowsAsync<StartException>(host.StartAsync);
        Assert.Equal($"port 127.0.0.1:{port} (c2s) is taken by another program", error.Message);
    }

    [Fact]
    public async Task AFolderThatCannotBeWrittenIsNamed()
    {
        string file = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(file, "");
        var error = await Assert.ThrowsAsync<StartException>(() => ServerHost.OpenAsync(ConfigOf(0), file));
        Assert.StartsWith($"the data folder {file} cannot be written", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public async Task ACertificateThatCannotBeLoadedIsNamed()
    {
        string file = Path.Combine(_folder, "cert.pem");
        await File.WriteAllTextAsync(file, "no certificate");
        var config = ConfigCheck.Parse($"""
            [[listen.c2s]]
            port = 0
            tls.certfile = "{file}"
            """).Config!;
        var error = await Assert.ThrowsAsync<StartException>(() => ServerHost.OpenAsync(config, _folder));
        Assert.StartsWith($"the certificate {file} cannot be loaded", error.Message, StringComparison.Ordinal);
    }

    static ServerConfig ConfigOf(int port) => ConfigCheck.Parse($"""
        [[listen.c2s]]
        port = {port}
        """).Config!;
}
