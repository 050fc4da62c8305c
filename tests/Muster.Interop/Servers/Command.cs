using System.Diagnostics;
using System.Text;

namespace Muster.Interop.Servers;

/// <summary>Runs a program to its end.</summary>
static class Command
{
    /// <summary>Runs it; the output holds both streams. A program that takes longer than the limit is killed and fails
    /// the test.</summary>
    public static async Task<(int Exit, string Output)> RunAsync(
        string program, string[] arguments, TimeSpan? limit = null, string? input = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = Repository.Root,
        };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        using var process = new Process { StartInfo = start };
        var output = new StringBuilder();
        void Note(string? line)
        {
            if (line is null) return;
            lock (output) output.AppendLine(line);
        }
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        try
        {
            await process.WaitForExitAsync().WaitAsync(limit ?? TimeSpan.FromSeconds(60));
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            lock (output) throw new TimeoutException($"{program} did not end; it printed:\n{output}");
        }
        lock (output) return (process.ExitCode, output.ToString());
    }
}
