using Muster.Bench;

namespace Muster.Tests.Bench;

public sealed class LatencyHistogramTests
{
    [Fact]
    public void Percentiles_are_right_to_a_few_hundredths()
    {
        var histogram = new LatencyHistogram();
        Assert.Null(histogram.Percentile(0.5));
        for (int micros = 1; micros <= 100_000; micros++) histogram.Add(micros);
        Assert.Equal(100_000, histogram.Count);
        Assert.InRange(histogram.Percentile(0.5)!.Value, 49, 52);
        Assert.InRange(histogram.Percentile(0.99)!.Value, 97, 103);
        Assert.InRange(histogram.Percentile(1)!.Value, 100, 104);
    }
}
