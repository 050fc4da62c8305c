using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Muster.Interop.Servers;
using Muster.Testing;

namespace Muster.Interop.Federation;

/// <summary>Another server's program in a process of its own, on free ports of the loopback, with a domain, a data
/// folder and a name server of the test.</summary>
abstract class PeerProgram : IAsyncDisposable
{
    static readonly TimeSpan ReadyWait = TimeSpan.FromSeconds(60);

    readonly StringBuilder _output = new();
    Process? _process;

    protected PeerProgram(string domain)
    {
        Domain = domain;
        Folder = Directory.CreateTempSubdirectory("muster-peer-").FullName;
    }

    /// <summary>Its domain; its rooms are at <c>conference.</c> before it.</summary>
    public string Domain { get; }

    /// <summary>Where it keeps all that is its own.</summary>
    public string Folder { get; }

    /// <summary>Port for clients, in plain text.</summary>
    public int ClientPort { get; } = ServerProcess.FreePort();

    /// <summary>Port for servers.</summary>
    public int PeerPort { get; } = ServerProcess.FreePort();

    /// <summary>Everything it printed and logged.</summary>
    public string Log
    {
        get
        {
            string file = Path.Combine(Folder, "log");
            string logged = File.Exists(file) ? File.ReadAllText(file) : "";
            lock (_output) return $"{_output}\n{logged}";
        }
    }

    /// <summary>TOML that leads Muster to a domain, and to its rooms.</summary>
    public static string AddressAsToml(string domain, int port) =>
        string.Concat(((string[])[domain, $"conference.{domain}"]).Select(host => $"""

              [[s2s.address]]
                host = "{host}"
                ip_address = "127.0.0.1"
                port = {port}
            """));

    /// <summary>A client that is logged in there, and available.</summary>
    public Task<TestClient> LoginAsync(string user) => PeerClients.LoginAsync(ClientPort, user, Domain);

    /// <summary>Stops it and takes its folder away.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync();
            }
            process.Dispose();
        }
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    protected async Task RunAsync(string program, string[] arguments, params (string, string)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = Folder,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        var watch = Stopwatch.StartNew();
        while (!await ListensAsync(ClientPort) || !await ListensAsync(PeerPort) || !IsReady)
        {
            if (_process.HasExited || watch.Elapsed > ReadyWait)
                throw new InvalidOperationException($"{program} does not start:\n{Log}");
            await Task.Delay(200);
        }
    }

    /// <summary>Whether it is ready beyond that it listens.</summary>
    protected virtual bool IsReady => true;

    void Note(string? line)
    {
        lock (_output) _output.AppendLine(line);
    }

    static async Task<bool> ListensAsync(int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>Clients in plain text on ports of the loopback.</summary>
static class PeerClients
{
    /// <summary>A client that is logged in and available; its password is its name.</summary>
    public static async Task<TestClient> LoginAsync(int port, string user, string domain)
    {
        var client = await ConnectAsync(port, user, domain);
        await client.LoginAsync(user, user, "test");
        await client.SendAsync("<presence/>");
        await client.ExpectEventuallyAsync(
            $"<presence from='{user}@{domain}/test' to='**' xml:lang='**'>...</presence>");
        return client;
    }

    /// <summary>A client that has said nothing yet.</summary>
    public static async Task<TestClient> ConnectAsync(int port, string user, string domain)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        var stream = new NetworkStream(socket, ownsSocket: true);
        var pipe = new Duplex(PipeReader.Create(stream), PipeWriter.Create(stream));
        return new TestClient(pipe, domain) { Name = $"{user}@{domain}" };
    }

    sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
