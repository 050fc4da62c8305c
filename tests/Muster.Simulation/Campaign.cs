using System.Diagnostics;
using Spectre.Console;

namespace Muster.Simulation;

/// <summary>Many seeds, for a person who waits.</summary>
internal static class Campaign
{
    /// <summary>Runs a range of seeds until one finds something; the smallest that did is told.</summary>
    public static int Run(int from, int to, int steps, Fault fault, int servers)
    {
        var clock = Stopwatch.StartNew();
        string? found = null;
        AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(),
                new RemainingTimeColumn())
            .Start(progress =>
            {
                var bar = progress.AddTask($"seeds {from}..{to}", maxValue: to - from + 1L);
                found = FindFirst(from, to, steps, fault, bar, servers);
            });
        if (found is not null)
        {
            Console.Error.WriteLine(found);
            return 1;
        }
        string where = servers > 1 ? $" on {servers} servers" : "";
        Console.WriteLine(
            $"seeds {from}..{to}, {steps} steps each{where}: nothing found in {clock.Elapsed:h\\:mm\\:ss}");
        return 0;
    }

    /// <summary>What finds each of the planted mistakes.</summary>
    public static int ShowFaults(int from, int to, int steps)
    {
        int missed = 0;
        foreach (var fault in Enum.GetValues<Fault>().Where(fault => fault != Fault.None))
        {
            string? found = FindFirst(from, to, steps, fault, null);
            if (found is null) missed++;
            Console.WriteLine($"{fault,-20} {found?.Split('\n')[0] ?? "NOT FOUND"}");
        }
        return missed == 0 ? 0 : 1;
    }

    /// <summary>The finding of the smallest seed that has one; null when none has.</summary>
    public static string? FindFirst(
        int from, int to, int steps, Fault fault, ProgressTask? bar, int servers = 1)
    {
        var gate = new Lock();
        string? found = null;
        Parallel.For(from, to + 1, (seed, state) =>
        {
            try
            {
                World.Run(seed, steps, fault, servers: servers);
            }
            catch (SimulationException problem)
            {
                state.Break(); // those with smaller seeds go on
                lock (gate)
                {
                    if (state.LowestBreakIteration is not { } lowest || seed <= lowest) found = problem.Message;
                }
            }
            bar?.Increment(1);
        });
        return found;
    }
}
