using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Muster.Compare;

/// <summary>A server in a process of its own on the first core, on free ports of the loopback, with a folder that goes
/// with it.</summary>
abstract class ServerUnderTest : IAsyncDisposable
{
    static readonly TimeSpan ReadyWait = TimeSpan.FromSeconds(60);

    Process? _process;

    /// <summary>Everything that is its own.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("muster-bench-").FullName;

    /// <summary>Port for clients; STARTTLS is offered.</summary>
    public int Port { get; } = FreePort();

    /// <summary>Port for clients with TLS offered, where it is another one.</summary>
    public virtual int TlsPort => Port;

    /// <summary>The process that does the work.</summary>
    public int ProcessId => _process!.Id;

    /// <summary>From the start of the program until it took a connection.</summary>
    public TimeSpan StartTime { get; private set; }

    /// <summary>A port that nobody uses now.</summary>
    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>Starts it.</summary>
    public abstract Task StartAsync();

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
    }

    /// <summary>Runs a program on the first core and waits until it takes connections.</summary>
    protected async Task RunAsync(
        string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        // "exec" through taskset: the process id is that of the server itself.
        var start = new ProcessStartInfo("taskset", ["-c", "0", program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = Folder,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var output = new System.Text.StringBuilder();
        void Note(object sender, DataReceivedEventArgs line)
        {
            lock (output) if (output.Length < 100_000) output.AppendLine(line.Data);
        }
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += Note;
        _process.ErrorDataReceived += Note;
        var watch = Stopwatch.StartNew();
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        while (!await ListensAsync(Port))
        {
            if (_process.HasExited || watch.Elapsed > ReadyWait)
                throw new InvalidOperationException($"{program} does not start:\n{output}");
            await Task.Delay(5);
        }
        StartTime = watch.Elapsed;
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<string> CommandAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {output}{await error}");
        return output;
    }

    /// <summary>A port as text.</summary>
    protected static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);

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
