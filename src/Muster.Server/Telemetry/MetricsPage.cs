using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Muster.Server.Telemetry;

/// <summary>Everything that a server has counted, as text: for Prometheus, and with the names of Exometer.</summary>
sealed class MetricsPage : IDisposable
{
    /// <summary>Type of <see cref="ToPrometheus"/>.</summary>
    public const string PrometheusType = "text/plain; version=0.0.4; charset=utf-8";

    const string HostLabel = "host_type";

    readonly MeterListener _listener = new();
    readonly ConcurrentDictionary<Instrument, Metric> _metrics = new();

    /// <summary>Begins to listen. What was counted before is lost.</summary>
    /// <param name="meter">The server's own meter.</param>
    /// <param name="shared">Names of meters that all servers of the process share.</param>
    public MetricsPage(Meter meter, params string[] shared)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter != meter && !shared.Contains(instrument.Meter.Name)) return;
            listener.EnableMeasurementEvents(instrument, _metrics.GetOrAdd(instrument, static i => new Metric(i)));
        };
        _listener.SetMeasurementEventCallback<long>(static (_, n, labels, state) => ((Metric)state!).Take(n, labels));
        _listener.SetMeasurementEventCallback<int>(static (_, n, labels, state) => ((Metric)state!).Take(n, labels));
        _listener.SetMeasurementEventCallback<double>(static (_, n, labels, state) => ((Metric)state!).Take(n, labels));
        _listener.Start();
    }

    /// <summary>The text format of Prometheus, version 0.0.4: metrics in the order of their names.</summary>
    public string ToPrometheus()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var metric in _metrics.Values.OrderBy(metric => metric.Name, StringComparer.Ordinal))
        {
            string name = Name(metric.Name);
            if (metric.Help.Length > 0) text.Append($"# HELP {name} {Escape(metric.Help, quotes: false)}\n");
            text.Append(CultureInfo.InvariantCulture, $"# TYPE {name} {metric.Kind.ToString().ToLowerInvariant()}\n");
            foreach (var series in metric.Series)
            {
                if (metric.Kind == MetricKind.Histogram) AppendHistogram(text, name, metric, series);
                else text.Append($"{name}{Labels(series)} {Number(series.Value)}\n");
            }
        }
        return text.ToString();
    }

    /// <summary>The metrics of a host, named and listed as MongooseIM's documents name those of Exometer:
    /// <c>[localhost, mod_muc_rooms, online] 3</c>.</summary>
    /// <param name="global">Whether all hosts are added up under <c>global</c>
    /// (<c>all_metrics_are_global</c>).</param>
    public string ToExometer(bool global)
    {
        _listener.RecordObservableInstruments();
        var sums = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var metric in _metrics.Values.Where(metric => metric.Kind != MetricKind.Histogram))
        {
            int end = metric.Name.LastIndexOf('_');
            if (end <= 0) continue;
            foreach (var series in metric.Series)
            {
                string? host = Array.Find(series.Labels, label => label.Key == HostLabel).Value;
                if (host is null) continue;
                string name = $"[{(global ? "global" : host)}, {metric.Name[..end]}, {metric.Name[(end + 1)..]}]";
                sums[name] = sums.GetValueOrDefault(name) + series.Value;
            }
        }
        return string.Concat(sums.Select(sum => $"{sum.Key} {Number(sum.Value)}\n"));
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    static void AppendHistogram(StringBuilder text, string name, Metric metric, MetricSeries series)
    {
        var (buckets, sum, count) = series.Histogram();
        long below = 0;
        for (int i = 0; i < metric.Bounds.Length; i++)
        {
            below += buckets[i];
            text.Append($"{name}_bucket{Labels(series, Number(metric.Bounds[i]))} {Number(below)}\n");
        }
        text.Append($"{name}_bucket{Labels(series, "+Inf")} {Number(count)}\n");
        text.Append($"{name}_sum{Labels(series)} {Number(sum)}\n{name}_count{Labels(series)} {Number(count)}\n");
    }

    static string Labels(MetricSeries series, string? upperEnd = null)
    {
        var labels = series.Labels.Select(label => $"{Name(label.Key)}=\"{Escape(label.Value, quotes: true)}\"");
        if (upperEnd is not null) labels = labels.Append($"le=\"{upperEnd}\"");
        string all = string.Join(',', labels);
        return all.Length == 0 ? "" : $"{{{all}}}";
    }

    static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    static string Name(string name) =>
        string.Concat(name.Select((c, i) => char.IsAsciiLetter(c) || c == '_' || (i > 0 && char.IsAsciiDigit(c)) ? c
            : '_'));

    static string Escape(string text, bool quotes)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }
}
