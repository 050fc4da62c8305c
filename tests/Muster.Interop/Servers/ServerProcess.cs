using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Muster.Interop.Servers;

/// <summary>The real program in a process of its own, started as an operator starts it, on free loopback
/// ports.</summary>
sealed partial class ServerProcess : IAsyncDisposable
{
    static readonly ConcurrentDictionary<int, byte> PortsGiven = new();

    static readonly TimeSpan ReadyWait = TimeSpan.FromSeconds(30);

    readonly StringBuilder _output = new();
    readonly TaskCompletionSource<string> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly string _folder;
    readonly string[] _arguments;
    readonly bool _ownsFolder;
    (string Name, string Value)[] _environment = [];
    Process _process = null!;

    ServerProcess(string folder, bool ownsFolder, string[] arguments)
    {
        _folder = folder;
        _ownsFolder = ownsFolder;
        _arguments = arguments;
    }

    /// <summary>Port of the client listener with STARTTLS.</summary>
    public int ClientPort { get; private init; }
    /// <summary>Port of the plaintext client listener that the load tests use.</summary>
    public int PlainPort { get; private init; }
    /// <summary>Address of the HTTP listener.</summary>
    public Uri Http { get; private init; } = null!;
    /// <summary>From starting the process to its ready line.</summary>
    public TimeSpan StartTime { get; private set; }
    /// <summary>Everything it printed.</summary>
    public string Output { get { lock (_output) return _output.ToString(); } }
    /// <summary>The process id.</summary>
    public int Id => _process.Id;
    /// <summary>The data folder.</summary>
    public string Data => Path.Combine(_folder, "data");
    /// <summary>The configuration file.</summary>
    public string Config => Path.Combine(_folder, "muster.toml");

    /// <summary>Starts the demo on free ports.</summary>
    /// <param name="more">TOML added to the configuration.</param>
    /// <param name="demo">With the users and the room of <c>--demo</c>.</param>
    /// <param name="peerPort">Port of the listener for servers; null for any.</param>
    /// <param name="peerTls">TOML added to that listener.</param>
    /// <param name="environment">Variables of its environment.</param>
    public static async Task<ServerProcess> StartAsync(string more = "", bool demo = true, int? peerPort = null,
        string peerTls = "", params (string Name, string Value)[] environment)
    {
        string folder = Directory.CreateTempSubdirectory("muster-").FullName;
        int client = FreePort(), plain = FreePort(), http = FreePort(), peer = peerPort ?? FreePort();
        await File.WriteAllTextAsync(Path.Combine(folder, "muster.toml"), $"""
            [[listen.c2s]]
              port = {client}
              ip_address = "127.0.0.1"
              tls.mode = "starttls"
            [[listen.c2s]]
              port = {plain}
              ip_address = "127.0.0.1"
              tls.mode = "none"
            [[listen.s2s]]
              port = {peer}
              ip_address = "127.0.0.1"
              {peerTls}
            [[listen.http]]
              port = {http}
              ip_address = "127.0.0.1"
            {more}
            """);
        var server = new ServerProcess(folder, ownsFolder: true, demo ? ["--demo"] : [])
        {
            ClientPort = client,
            PlainPort = plain,
            Http = new Uri($"http://127.0.0.1:{http}"),
            _environment = environment,
        };
        await server.Start();
        return server;
    }

    /// <summary>Starts it again on the same ports and data, after it was stopped or killed.</summary>
    public async Task<ServerProcess> RestartAsync()
    {
        var next = new ServerProcess(_folder, _ownsFolder, _arguments)
        {
            ClientPort = ClientPort, PlainPort = PlainPort, Http = Http, _environment = _environment,
        };
        await next.Start();
        return next;
    }

    /// <summary>Ends it as a power cut of the process would: SIGKILL, nothing is run down.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Asks it to stop (SIGTERM) and returns its exit code.</summary>
    public async Task<int> StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        return _process.ExitCode;
    }

    /// <summary>Runs the command line of the program against this server; returns exit code and output.</summary>
    public async Task<(int Exit, string Output)> RunAsync(params string[] arguments)
    {
        var result = await Command.RunAsync(Repository.Program, [.. arguments, "--config", Config, "--data", Data]);
        return (result.Exit, result.Output);
    }

    /// <summary>CPU time used so far by the process, user and system.</summary>
    public TimeSpan CpuTime
    {
        get { _process.Refresh(); return _process.TotalProcessorTime; }
    }

    /// <summary>Resident memory of the process in bytes.</summary>
    public long ResidentBytes
    {
        get { _process.Refresh(); return _process.WorkingSet64; }
    }

    async Task Start()
    {
        var watch = Stopwatch.StartNew();
        var start = new ProcessStartInfo(Repository.Program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        foreach (string argument in (string[])["serve", .. _arguments, "--config", Config, "--data", Data])
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in _environment) start.Environment[name] = value;
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.Exited += (_, _) =>
            _ready.TrySetException(new InvalidOperationException($"the server ended early:\n{Output}"));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await _ready.Task.WaitAsync(ReadyWait);
        StartTime = watch.Elapsed;
    }

    void Note(string? line)
    {
        if (line is null) return;
        lock (_output) _output.AppendLine(line);
        if (ReadyLine().IsMatch(line)) _ready.TrySetResult(line);
    }

    /// <summary>A port that nobody listened on a moment ago.</summary>
    public static int FreePort()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            int port = ((IPEndPoint)listener.LocalEndpoint).Port;
            // The system may choose one again that is to be used but is not yet.
            if (PortsGiven.TryAdd(port, 0)) return port;
        }
    }

    /// <summary>Lets go of the ended process but keeps the data, for a restart.</summary>
    public async ValueTask DisposeProcessAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await DisposeProcessAsync();
        if (_ownsFolder && Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    [GeneratedRegex("ready: c2s ")]
    private static partial Regex ReadyLine();
}
