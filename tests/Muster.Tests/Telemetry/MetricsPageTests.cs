using System.Diagnostics.Metrics;
using Muster.Server.Telemetry;
using Muster.Testing;

namespace Muster.Tests.Telemetry;

/// <summary>The texts made of what instruments measure.</summary>
public sealed class MetricsPageTests : IDisposable
{
    readonly Meter _meter = new("test");
    readonly MetricsPage _page;

    public MetricsPageTests() => _page = new MetricsPage(_meter);

    [Fact]
    public void EveryKindHasItsTypeAndHelp()
    {
        _meter.CreateCounter<long>("muster_a_total", description: "One \\ line\nand another").Add(3);
        _meter.CreateUpDownCounter<long>("muster_b", description: "Open").Add(5);
        _meter.CreateGauge<long>("muster_c").Record(7);
        _meter.CreateObservableGauge("muster_d", () => 1.5, description: "Seen");
        _meter.CreateObservableCounter("muster_e_total", () => 9L);
        var hist = _meter.CreateHistogram<double>("muster_f_seconds", "s", "Took");
        foreach (double took in (double[])[0.0005, 0.3, 60]) hist.Record(took);
        string page = _page.ToPrometheus();
        foreach (string line in (string[])
            [
                "# HELP muster_a_total One \\\\ line\\nand another",
                "# TYPE muster_a_total counter", "muster_a_total 3",
                "# TYPE muster_b gauge", "muster_b 5", "# TYPE muster_c gauge", "muster_c 7",
                "# TYPE muster_d gauge", "muster_d 1.5", "# TYPE muster_e_total counter", "muster_e_total 9",
                "# TYPE muster_f_seconds histogram", "muster_f_seconds_bucket{le=\"0.001\"} 1",
                "muster_f_seconds_bucket{le=\"0.25\"} 1", "muster_f_seconds_bucket{le=\"0.5\"} 2",
                "muster_f_seconds_bucket{le=\"10\"} 2", "muster_f_seconds_bucket{le=\"+Inf\"} 3",
                "muster_f_seconds_sum 60.3005", "muster_f_seconds_count 3",
            ])
            Assert.Contains($"\n{line}\n", $"\n{page}", StringComparison.Ordinal);
        // What is observed is the value, not a sum.
        Assert.Contains("\nmuster_e_total 9\n", _page.ToPrometheus(), StringComparison.Ordinal);
    }

    [Fact]
    public void LabelsAreEscapedAndBounded()
    {
        var counter = _meter.CreateCounter<long>("muster_x_total");
        counter.Add(1, new KeyValuePair<string, object?>("reason", "a \"b\" \\ c\nd"));
        Assert.Contains("muster_x_total{reason=\"a \\\"b\\\" \\\\ c\\nd\"} 1\n", _page.ToPrometheus(),
            StringComparison.Ordinal);
        for (int i = 0; i < 1000; i++) counter.Add(1, new KeyValuePair<string, object?>("reason", $"r{i}"));
        string page = _page.ToPrometheus();
        Assert.Contains("muster_x_total{overflow=\"true\"} 801\n", page, StringComparison.Ordinal);
        Assert.True(page.Split('\n').Length < Metric.SeriesMax + 10);
    }

    [Fact, Feature("MU-70")]
    public void ExometersNamesHaveTheHostOrAddAllUp()
    {
        var meters = new RoomMeters(_meter);
        foreach (string host in (string[])["a.test", "b.test"])
        {
            meters.Start(host);
            meters.Hibernated(host);
            meters.Counted(host, 2, 1);
        }
        Assert.Equal("""
            [a.test, mod_muc_deep_hibernations, count] 0
            [a.test, mod_muc_hibernations, count] 1
            [a.test, mod_muc_process_recreations, count] 0
            [a.test, mod_muc_rooms, hibernated] 1
            [a.test, mod_muc_rooms, online] 2
            [b.test, mod_muc_deep_hibernations, count] 0
            [b.test, mod_muc_hibernations, count] 1
            [b.test, mod_muc_process_recreations, count] 0
            [b.test, mod_muc_rooms, hibernated] 1
            [b.test, mod_muc_rooms, online] 2

            """, _page.ToExometer(global: false));
        Assert.StartsWith("[global, mod_muc_deep_hibernations, count] 0\n[global, mod_muc_hibernations, count] 2\n",
            _page.ToExometer(global: true), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _page.Dispose();
        _meter.Dispose();
    }
}
