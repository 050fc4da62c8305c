using System.Diagnostics;
using System.Globalization;
using Muster.Interop.Servers;
using Muster.Testing;
using Xunit.Abstractions;

namespace Muster.Interop.Recovery;

/// <summary>
/// Fifty clients talk in ten rooms and with each other, while connections break and the program is stopped and killed,
/// all at random. In the end everybody must have every message once, in the order of its room.
/// </summary>
/// <remarks>
/// MUSTER_CHAOS_RESTARTS, MUSTER_CHAOS_SEED and MUSTER_CHAOS_DATABASE (sqlite or postgres) make it longer, repeat it,
/// or take the other database. The seed repeats what is done to the server and when; what is just under way then is
/// not in its hands.
/// </remarks>
public sealed class ChaosTests(ITestOutputHelper output)
{
    const string Open = """
        [registration]
          in_band = true
          rate_limit = 0
        [modules.mod_muc]
          default_room.persistent = true
        """;

    [Fact, Feature("SM-01", "SM-02")]
    public Task EverybodyHasEveryMessageOnceWhateverBreaks() => RunAsync(
        new ChaosPlan { Restarts = Number("MUSTER_CHAOS_RESTARTS") ?? 5, Kills = true });

    [Fact, Feature("SM-02", "SM-03")]
    public Task NobodyIsSeenToLeaveWhileConnectionsBreakAndTheServerIsRestarted() => RunAsync(
        new ChaosPlan { Restarts = (Number("MUSTER_CHAOS_RESTARTS") ?? 5) / 2 + 1, Kills = false });

    async Task RunAsync(ChaosPlan plan)
    {
        int seed = Number("MUSTER_CHAOS_SEED") ?? Random.Shared.Next(1_000_000);
        string kind = plan.Kills ? "kills" : "restarts";
        Print($"{kind}, seed {seed}");
        string database = Environment.GetEnvironmentVariable("MUSTER_CHAOS_DATABASE") ?? "sqlite";
        await using var postgres = database == "postgres" ? await PostgresServer.StartAsync() : null;
        string storage = postgres is null ? "" : $"""

            [storage]
              backend = "postgres"
              connection = "{postgres.Connection}"
            """;
        var world = new ChaosWorld(plan, seed);
        var watch = Stopwatch.StartNew();
        try
        {
            await world.RunAsync(Open + storage);
            Print($"{kind}, seed {seed}, {database}: {world.Figures} in {watch.Elapsed.TotalSeconds:F0} s");
        }
        catch
        {
            string file = Path.Combine(Repository.Artifacts, $"chaos-{kind}-{seed}.log");
            world.Save(file);
            Print($"{kind}, seed {seed} FAILED; what happened stands in {file}");
            throw;
        }
    }

    static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number)
            ? number : null;

    void Print(string line)
    {
        output.WriteLine(line);
        Console.WriteLine($"chaos: {line}");
    }
}
