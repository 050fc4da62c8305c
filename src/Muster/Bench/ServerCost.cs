using System.Globalization;

namespace Muster.Bench;

/// <summary>What the server's process has used so far, as Linux tells it; zero when the process is not known.</summary>
readonly record struct ServerCost(TimeSpan Cpu, long ResidentBytes)
{
    const double TicksPerSecond = 100; // USER_HZ, the same on all kinds of Linux machines

    /// <summary>Reads it now.</summary>
    public static ServerCost Of(int? processId)
    {
        if (processId is not { } id) return default;
        try
        {
            // proc(5): the name in brackets may hold anything, so that counting begins behind it.
            string stat = File.ReadAllText($"/proc/{id}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            double ticks = double.Parse(fields[11], CultureInfo.InvariantCulture)
                + double.Parse(fields[12], CultureInfo.InvariantCulture);
            string[] memory = File.ReadAllText($"/proc/{id}/statm").Split(' ');
            return new(TimeSpan.FromSeconds(ticks / TicksPerSecond),
                long.Parse(memory[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize);
        }
        catch (IOException)
        {
            throw new BenchException($"there is no process {id}");
        }
    }
}
