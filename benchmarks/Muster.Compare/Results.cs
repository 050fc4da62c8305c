using System.Globalization;

namespace Muster.Compare;

/// <summary>One figure of one run of one server.</summary>
sealed record Result(int Run, string Server, Figure Figure);

/// <summary>All figures, and what they come to.</summary>
sealed class Results
{
    static readonly string[] Peers = ["prosody", "prosody-best", "ejabberd"];

    readonly List<Result> _all = [];

    /// <summary>All of them.</summary>
    public IReadOnlyList<Result> All => _all;

    /// <summary>Adds one.</summary>
    public void Add(int run, string server, Figure figure) => _all.Add(new(run, server, figure));

    /// <summary>Unit of a figure.</summary>
    public string UnitOf(string figure) => _all.First(result => result.Figure.Name == figure).Figure.Unit;

    /// <summary>The median of the runs, with the spread where there are several.</summary>
    public string Cell(string server, string figure)
    {
        double[] costs = Costs(server, figure);
        return costs.Length switch
        {
            0 => "-",
            1 => Text(costs[0]),
            _ => $"{Text(Middle(costs))} ({Text(costs[0])} to {Text(costs[^1])})",
        };
    }

    /// <summary>What share of the better peer's cost Muster's is.</summary>
    public string Ratio(string figure)
    {
        double[] own = Costs("muster", figure);
        double[] peers = [.. Peers.Select(peer => Costs(peer, figure)).Where(costs => costs.Length > 0).Select(Middle)];
        if (own.Length == 0 || peers.Length == 0) return "-";
        double ratio = Middle(own) / peers.Min();
        return ratio is > 0 and < 1 ? string.Create(CultureInfo.InvariantCulture, $"1/{1 / ratio:0.0}") : Text(ratio);
    }

    /// <summary>The 99th percentiles of the latency.</summary>
    public string Latencies(string figure)
    {
        double[] own = Latencies("muster", figure);
        double[] peers = [.. Peers.Select(peer => Latencies(peer, figure)).Where(all => all.Length > 0).Select(Middle)];
        return own.Length == 0 || peers.Length == 0 ? "-" : $"{Text(Middle(own))} / {Text(peers.Min())}";
    }

    double[] Costs(string server, string figure) =>
        [.. Of(server, figure).Select(result => result.Figure.Cost).OfType<double>().Order()];

    double[] Latencies(string server, string figure) =>
        [.. Of(server, figure).Select(result => result.Figure.P99).OfType<double>().Order()];

    IEnumerable<Result> Of(string server, string figure) =>
        _all.Where(result => result.Server == server && result.Figure.Name == figure);

    static double Middle(double[] sorted) => sorted[sorted.Length / 2];

    static string Text(double value) => value.ToString(
        Math.Abs(value) < 10 ? "0.00" : Math.Abs(value) < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);
}
