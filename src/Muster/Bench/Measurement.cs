using System.Diagnostics;

namespace Muster.Bench;

/// <summary>What the server has used since a moment, and how long that is ago.</summary>
sealed class Measurement(BenchTarget target)
{
    readonly ServerCost _before = ServerCost.Of(target.ProcessId);
    readonly long _startedAt = Stopwatch.GetTimestamp();

    /// <summary>Seconds since the beginning.</summary>
    public double Seconds => Stopwatch.GetElapsedTime(_startedAt).TotalSeconds;

    /// <summary>CPU time for each of so many, in microseconds; null when the server's process is not known.</summary>
    public double? MicrosPer(long count) =>
        target.ProcessId is null ? null : (Now.Cpu - _before.Cpu).TotalMicroseconds / count;

    /// <summary>The same in milliseconds.</summary>
    public double? MillisPer(long count) => MicrosPer(count) / 1000;

    /// <summary>Resident memory that came for each of so many, in KiB; null when the server's process is not
    /// known.</summary>
    public double? KibibytesPer(long count) =>
        target.ProcessId is null ? null : (Now.ResidentBytes - _before.ResidentBytes) / 1024.0 / count;

    ServerCost Now => ServerCost.Of(target.ProcessId);
}
