using System.Numerics;

namespace Muster.Bench;

/// <summary>Counts times in steps of about 3 %, from a microsecond to more than an hour, without memory per
/// value.</summary>
sealed class LatencyHistogram
{
    const int StepBits = 5, Steps = 1 << StepBits;

    readonly long[] _counts = new long[64 * Steps];

    /// <summary>How many times were counted.</summary>
    public long Count { get; private set; }

    /// <summary>Counts one time.</summary>
    /// <param name="micros">In microseconds.</param>
    public void Add(long micros)
    {
        _counts[IndexOf(Math.Max(1, micros))]++;
        Count++;
    }

    /// <summary>The time, in milliseconds, that a share of all did not pass; null without any.</summary>
    public double? Percentile(double share)
    {
        if (Count == 0) return null;
        long wanted = Math.Max(1, (long)Math.Ceiling(Count * share)), seen = 0;
        for (int i = 0; i < _counts.Length; i++)
            if ((seen += _counts[i]) >= wanted) return UpperOf(i) / 1000.0;
        return null;
    }

    static int IndexOf(long micros)
    {
        int power = BitOperations.Log2((ulong)micros);
        int step = power <= StepBits ? (int)((micros << (StepBits - power)) & (Steps - 1))
            : (int)((micros >> (power - StepBits)) & (Steps - 1));
        return power * Steps + step;
    }

    static double UpperOf(int index)
    {
        int power = index / Steps, step = index % Steps;
        return Math.Pow(2, power) * (1 + (step + 1.0) / Steps);
    }
}
