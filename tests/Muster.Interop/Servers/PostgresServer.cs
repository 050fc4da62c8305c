using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace Muster.Interop.Servers;

/// <summary>A real PostgreSQL of its own: a new cluster in a temporary folder, on a free loopback port.</summary>
sealed class PostgresServer : IAsyncDisposable
{
    readonly string _folder;
    readonly bool _isSafe;
    Process? _process;

    PostgresServer(string folder, int port, bool isSafe)
    {
        _folder = folder;
        _isSafe = isSafe;
        Port = port;
    }

    /// <summary>The port.</summary>
    public int Port { get; }

    /// <summary>A connection string for its only database.</summary>
    public string Connection => $"Host=127.0.0.1;Port={Port};Username=muster;Database=postgres";

    /// <summary>Makes the cluster and starts the server.</summary>
    /// <param name="isSafe">A commit is on the disk, as it is outside of tests; without that tests are faster.</param>
    public static async Task<PostgresServer> StartAsync(bool isSafe = false)
    {
        string folder = Directory.CreateTempSubdirectory("muster-postgres-").FullName;
        if (Environment.IsPrivilegedProcess)
        {
            var owned = await Command.RunAsync("chown", ["nobody", folder]);
            Assert.Equal(0, owned.Exit);
        }
        string data = Path.Combine(folder, "data");
        var (program, arguments) = Unprivileged("initdb",
            ["-D", data, "-U", "muster", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        var made = await Command.RunAsync(program, arguments);
        Assert.True(made.Exit == 0, made.Output);
        var server = new PostgresServer(folder, ServerProcess.FreePort(), isSafe);
        await server.ResumeAsync();
        return server;
    }

    /// <summary>Starts it again after <see cref="StopAsync"/>, with the data it had.</summary>
    public async Task ResumeAsync()
    {
        var (program, arguments) = Unprivileged("postgres",
            ["-D", Path.Combine(_folder, "data"), "-p", Port.ToString(CultureInfo.InvariantCulture), "-c",
                "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c",
                $"fsync={(_isSafe ? "on" : "off")}", "-c", "logging_collector=off"]);
        var start = new ProcessStartInfo(program) { RedirectStandardError = true, WorkingDirectory = "/" };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += static (_, _) => { }; // drained, so that the server never waits for us
        _process.BeginErrorReadLine();
        var started = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(Connection + ";Pooling=False");
                await connection.OpenAsync();
                return;
            }
            catch (NpgsqlException) when (started.Elapsed < TimeSpan.FromSeconds(30) && !_process.HasExited)
            {
                await Task.Delay(50);
            }
        }
    }

    /// <summary>Ends it at once, as a crash would; committed data stays.</summary>
    public async Task StopAsync()
    {
        if (_process is null) return;
        await Command.RunAsync("kill", ["-QUIT", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        _process.Dispose();
        _process = null;
    }

    /// <summary>PostgreSQL refuses to run as root: then as nobody.</summary>
    static (string Program, string[] Arguments) Unprivileged(string program, string[] arguments)
    {
        string path = Directory.Exists("/usr/lib/postgresql")
            ? Directory.EnumerateFiles("/usr/lib/postgresql", program, SearchOption.AllDirectories).Order().Last()
            : program;
        return Environment.IsPrivilegedProcess
            ? ("setpriv", ["--reuid=nobody", "--regid=nogroup", "--clear-groups", path, .. arguments])
            : (path, arguments);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
