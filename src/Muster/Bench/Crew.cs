using System.Globalization;

namespace Muster.Bench;

/// <summary>Many clients of one server.</summary>
static class Crew
{
    /// <summary>Logins that are under way at the same time.</summary>
    public const int Abreast = 8;

    /// <summary>The same, for loops.</summary>
    public static ParallelOptions Few { get; } = new() { MaxDegreeOfParallelism = Abreast };

    /// <summary>Name of an account. All have their name as password.</summary>
    public static string UserName(int i) => string.Create(CultureInfo.InvariantCulture, $"bench{i}");

    /// <summary>Makes accounts.</summary>
    public static Task RegisterAsync(BenchTarget target, int count) =>
        Parallel.ForAsync(0, count, Few, async (i, _) =>
        {
            await using var client = new BenchClient(target with { IsManaged = false }, UserName(i), "register");
            await client.ConnectAsync();
            await client.RegisterAsync();
        });

    /// <summary>Logs clients in, one of each account and then the next of each.</summary>
    /// <param name="target">The server.</param>
    /// <param name="count">How many.</param>
    /// <param name="resource">Begin of their resources.</param>
    /// <param name="accounts">How many accounts there are.</param>
    public static async Task<BenchClient[]> LogInAsync(
        BenchTarget target, int count, string resource, int accounts = int.MaxValue)
    {
        var clients = new BenchClient[count];
        await Parallel.ForAsync(0, count, Few, async (i, _) =>
        {
            clients[i] = new BenchClient(target, UserName(i % accounts),
                string.Create(CultureInfo.InvariantCulture, $"{resource}{i / accounts}"));
            await clients[i].LogInAsync();
        });
        return clients;
    }

    /// <summary>Ends them all, so that no session waits to be resumed.</summary>
    public static Task DismissAsync(IEnumerable<BenchClient> clients) =>
        Parallel.ForEachAsync(clients, Few, async (client, _) =>
        {
            await client.EndAsync();
            await client.DisposeAsync();
        });

    /// <summary>Waits until something is true, for a while.</summary>
    public static async Task UntilAsync(Func<bool> condition, Func<string> what)
    {
        long end = Environment.TickCount64 + 120_000;
        while (!condition())
        {
            if (Environment.TickCount64 > end) throw new BenchException($"waited two minutes for {what()}");
            await Task.Delay(5);
        }
    }
}
