using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Muster.Server.Telemetry;

/// <summary>What a number of the metrics is to those who read it.</summary>
enum MetricKind { Counter, Gauge, Histogram }

/// <summary>One instrument with the sums of what it has measured, one for each set of labels.</summary>
sealed class Metric
{
    /// <summary>Sets of labels that one instrument may have. What comes in further ones is added up in one.</summary>
    public const int SeriesMax = 200;

    static readonly KeyValuePair<string, string>[] Overflow = [new("overflow", "true")];

    static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
    static readonly double[] Numbers = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];

    readonly ConcurrentDictionary<string, MetricSeries> _series = new(StringComparer.Ordinal);
    readonly MetricSeries _unlabelled;
    readonly bool _isAbsolute;

    public Metric(Instrument instrument)
    {
        Name = instrument.Name;
        Help = instrument.Description ?? "";
        var type = instrument.GetType().GetGenericTypeDefinition();
        Kind = type == typeof(Histogram<>) ? MetricKind.Histogram
            : type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? MetricKind.Counter
            : MetricKind.Gauge;
        // A counter's measurement is added; what is observed, and a gauge's, is the value itself.
        _isAbsolute = instrument.IsObservable || type == typeof(Gauge<>);
        Bounds = Kind != MetricKind.Histogram ? [] : instrument.Unit == "s" ? Seconds : Numbers;
        _unlabelled = new MetricSeries([], Bounds.Length);
    }

    /// <summary>Its name.</summary>
    public string Name { get; }
    /// <summary>What it counts, for people.</summary>
    public string Help { get; }
    /// <summary>What it is.</summary>
    public MetricKind Kind { get; }
    /// <summary>The upper ends of a histogram's buckets, but the last.</summary>
    public double[] Bounds { get; }

    /// <summary>Its series, in the order of their labels.</summary>
    public IEnumerable<MetricSeries> Series =>
        (_unlabelled.IsUsed ? [_unlabelled] : Enumerable.Empty<MetricSeries>())
        .Concat(_series.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value));

    /// <summary>Takes a measurement.</summary>
    public void Take(double value, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        var series = labels.IsEmpty ? _unlabelled : Find(labels);
        if (Kind == MetricKind.Histogram) series.Observe(value, Bounds);
        else if (_isAbsolute) series.Set(value);
        else series.Add(value);
    }

    MetricSeries Find(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        // One instrument always gives the same labels in the same order, so the values alone tell them apart.
        string key = labels.Length == 1 ? Text(labels[0].Value) : Join(labels);
        if (_series.TryGetValue(key, out var found)) return found;
        if (_series.Count >= SeriesMax)
            return _series.GetOrAdd("\uffff", _ => new MetricSeries(Overflow, Bounds.Length));
        var texts = new KeyValuePair<string, string>[labels.Length];
        for (int i = 0; i < texts.Length; i++) texts[i] = new(labels[i].Key, Text(labels[i].Value));
        return _series.GetOrAdd(key, _ => new MetricSeries(texts, Bounds.Length));
    }

    static string Join(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        string key = "";
        foreach (var label in labels) key += Text(label.Value) + '\0';
        return key;
    }

    static string Text(object? value) => value as string ?? value?.ToString() ?? "";
}

/// <summary>The sum of what an instrument measured with one set of labels.</summary>
sealed class MetricSeries(KeyValuePair<string, string>[] labels, int bounds)
{
    readonly Lock _lock = new();
    readonly long[] _buckets = new long[bounds + 1];
    double _value;
    long _count;

    /// <summary>The labels.</summary>
    public KeyValuePair<string, string>[] Labels { get; } = labels;

    /// <summary>Whether anything was measured.</summary>
    public bool IsUsed => Volatile.Read(ref _count) > 0;

    /// <summary>The value of a counter or gauge.</summary>
    public double Value { get { lock (_lock) return _value; } }

    public void Add(double value)
    {
        lock (_lock) (_value, _count) = (_value + value, _count + 1);
    }

    public void Set(double value)
    {
        lock (_lock) (_value, _count) = (value, _count + 1);
    }

    public void Observe(double value, double[] upperEnds)
    {
        int bucket = 0;
        while (bucket < upperEnds.Length && value > upperEnds[bucket]) bucket++;
        lock (_lock)
        {
            _buckets[bucket]++;
            (_value, _count) = (_value + value, _count + 1);
        }
    }

    /// <summary>A histogram at one moment: measurements in each bucket, their sum and their number.</summary>
    public (long[] Buckets, double Sum, long Count) Histogram()
    {
        lock (_lock) return ([.. _buckets], _value, _count);
    }
}
