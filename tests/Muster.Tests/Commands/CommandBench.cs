using System.Text;
using Muster.Commands;
using Muster.Server.Config;
using Muster.Testing;

namespace Muster.Tests.Commands;

/// <summary>What a command said and how it ended.</summary>
sealed record CommandResult(int Exit, string Out, string Error)
{
    /// <summary>The one line on the error stream: more than one, or none, fails.</summary>
    public string Problem => Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>What it said, of a command that must succeed.</summary>
    public string Done()
    {
        Assert.True(Exit == 0, $"exit {Exit}: {Error}");
        return Out.Trim();
    }
}

/// <summary>Runs commands of the command line in this process, on a folder of their own, and the server when a test
/// asks for it.</summary>
sealed class CommandBench : IAsyncDisposable
{
    const string Config = """
        [[listen.c2s]]
          port = 0
          tls.mode = "none"
        [[listen.http]]
          port = 0
        [acl]
          admin = [{ user = "admin", server = "localhost" }]
        [modules.mod_muc]
          access_admin = "muc_admin"
        """;

    // A server that nobody configured, but on free ports.
    static readonly ServerConfig Unconfigured = ConfigCheck.Parse($"""
        {FirstStart.Text}
        [[listen.c2s]]
          port = 0
        [[listen.http]]
          port = 0
        """).Config!;

    readonly CancellationTokenSource _stop = new();
    readonly LockedWriter _serverOut = new(), _serverError = new();
    Task<int>? _server;

    /// <summary>Makes the folder with a configuration.</summary>
    public CommandBench(string? config = Config)
    {
        Folder = Directory.CreateTempSubdirectory("muster-cli-").FullName;
        if (config is not null) File.WriteAllText(ConfigFile, config);
    }

    /// <summary>The folder of everything.</summary>
    public string Folder { get; }
    /// <summary>The configuration file.</summary>
    public string ConfigFile => Path.Combine(Folder, "muster.toml");
    /// <summary>The data folder.</summary>
    public string Data { get; init; } = "";
    /// <summary>The data folder that commands are given.</summary>
    public string DataFolder => Data.Length > 0 ? Data : Path.Combine(Folder, "data");
    /// <summary>What the server printed.</summary>
    public string ServerOut => _serverOut.ToString();
    /// <summary>What the server logged.</summary>
    public string ServerError => _serverError.ToString();

    /// <summary>Runs a command that gets nothing on its input.</summary>
    public Task<CommandResult> RunAsync(params string[] args) => PipeAsync("", args);

    /// <summary>Runs a command with its input.</summary>
    public async Task<CommandResult> PipeAsync(string input, params string[] args)
    {
        var (output, error) = (new LockedWriter(), new LockedWriter());
        var terminal = new Terminal { Out = output, Error = error, In = new StringReader(input) };
        int exit = await new CommandLine(terminal, () => Unconfigured).RunAsync([.. Where(), .. args]);
        return new CommandResult(exit, output.ToString(), error.ToString());
    }

    /// <summary>Runs <c>muster serve</c> until it is ready.</summary>
    public async Task StartAsync(params string[] args)
    {
        var terminal = new Terminal { Out = _serverOut, Error = _serverError, In = TextReader.Null };
        string[] all = [.. Where(), "serve", .. args];
        _server = Task.Run(() => new CommandLine(terminal, () => Unconfigured).RunAsync(all, _stop.Token));
        using var limit = new CancellationTokenSource(TestClient.Patience);
        while (!ServerOut.Contains("ready: ", StringComparison.Ordinal))
        {
            if (_server.IsCompleted) Assert.Fail($"the server ended with {await _server}: {ServerError}");
            await Task.Delay(5, limit.Token);
        }
    }

    /// <summary>Stops the server as a signal would; returns its exit code.</summary>
    public async Task<int> StopAsync()
    {
        await _stop.CancelAsync();
        return await _server!.WaitAsync(TestClient.Patience);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null && !_stop.IsCancellationRequested) await StopAsync();
        _stop.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    string[] Where() => File.Exists(ConfigFile)
        ? ["--data", DataFolder, "--config", ConfigFile]
        : ["--data", DataFolder];

    /// <summary>A writer that several threads write to while another reads.</summary>
    sealed class LockedWriter : TextWriter
    {
        readonly StringBuilder _text = new();

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            lock (_text) _text.Append(value);
        }

        public override void Write(string? value)
        {
            lock (_text) _text.Append(value);
        }

        public override string ToString()
        {
            lock (_text) return _text.ToString();
        }
    }
}
