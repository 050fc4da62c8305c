using System.Text.Json.Serialization;

namespace Muster.Bench;

/// <summary>One figure of a benchmark.</summary>
/// <param name="Name">What was done.</param>
/// <param name="Cost">What one of it cost the server; null when its process is not known.</param>
/// <param name="Unit">Unit of the cost.</param>
/// <param name="Count">How many were done.</param>
/// <param name="Seconds">In what time.</param>
/// <param name="Median">Median latency in milliseconds; null where none was taken.</param>
/// <param name="P99">99th percentile of the latency in milliseconds.</param>
/// <param name="Problem">What was received wrongly; null when all was right.</param>
sealed record BenchFigure(string Name, double? Cost, string Unit, long Count, double Seconds, double? Median = null,
    double? P99 = null, string? Problem = null);

/// <summary>Figures as JSON.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<BenchFigure>))]
sealed partial class BenchJson : JsonSerializerContext;
