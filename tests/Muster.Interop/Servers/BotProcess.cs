using System.Diagnostics;
using System.Globalization;

namespace Muster.Interop.Servers;

/// <summary>A real client in a process of its own, which tells what happens to it line by line and is told what to do
/// in the same way.</summary>
sealed class BotProcess : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly Process _process;
    readonly List<string> _lines = [];
    readonly SemaphoreSlim _news = new(0);

    /// <summary>Starts it in the folder of the checkout.</summary>
    public BotProcess(string program, params string[] arguments)
    {
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                RedirectStandardInput = true,
                WorkingDirectory = Repository.Root,
            },
        };
        _process.OutputDataReceived += (_, line) => Note(line.Data);
        _process.ErrorDataReceived += (_, line) => Note(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Everything it has told.</summary>
    public string[] Lines { get { lock (_lines) return [.. _lines]; } }

    /// <summary>Tells it something.</summary>
    public async Task TellAsync(string command)
    {
        await _process.StandardInput.WriteLineAsync(command);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Waits until it has told something that often.</summary>
    public async Task HearAsync(string line, int times = 1)
    {
        var watch = Stopwatch.StartNew();
        while (Lines.Count(told => told == line) < times)
        {
            if (watch.Elapsed > Patience)
                throw new TimeoutException(string.Create(CultureInfo.InvariantCulture,
                    $"the bot never told '{line}' {times} times; it told:\n{string.Join('\n', Lines)}"));
            await _news.WaitAsync(TimeSpan.FromSeconds(1));
        }
    }

    /// <summary>Waits for its end and returns its exit code.</summary>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
        _news.Dispose();
    }

    void Note(string? line)
    {
        if (line is null) return;
        lock (_lines) _lines.Add(line);
        _news.Release();
    }
}
