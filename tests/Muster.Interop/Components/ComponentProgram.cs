using System.Diagnostics;
using System.Text;
using Muster.Interop.Servers;

namespace Muster.Interop.Components;

/// <summary>An external component's program in a process of its own.</summary>
sealed class ComponentProgram : IAsyncDisposable
{
    readonly StringBuilder _output = new();
    readonly Process _process;

    ComponentProgram(Process process) => _process = process;

    /// <summary>Everything it printed.</summary>
    public string Output { get { lock (_output) return _output.ToString(); } }

    /// <summary>Starts it.</summary>
    public static ComponentProgram Start(string program, params string[] arguments)
    {
        var component = new ComponentProgram(new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = Repository.Root,
            },
        });
        component._process.OutputDataReceived += (_, line) => component.Note(line.Data);
        component._process.ErrorDataReceived += (_, line) => component.Note(line.Data);
        component._process.Start();
        component._process.BeginOutputReadLine();
        component._process.BeginErrorReadLine();
        return component;
    }

    /// <summary>Waits until it has printed a text so many times.</summary>
    public async Task WaitForAsync(string text, int times = 1)
    {
        var watch = Stopwatch.StartNew();
        while (Output.Split(text).Length - 1 < times)
        {
            if (watch.Elapsed > TimeSpan.FromSeconds(30))
                throw new TimeoutException($"'{text}' was not printed {times} times:\n{Output}");
            await Task.Delay(50);
        }
    }

    void Note(string? line)
    {
        lock (_output) _output.AppendLine(line);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
