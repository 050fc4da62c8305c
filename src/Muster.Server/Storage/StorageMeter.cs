using System.Diagnostics.Metrics;

namespace Muster.Server.Storage;

/// <summary>What the stores count. Instruments are per process, like the database.</summary>
internal static class StorageMeter
{
    /// <summary>Name of the meter.</summary>
    public const string Name = "Muster.Storage";

    static readonly Meter Meter = new(Name);

    static readonly Counter<long> Writes =
        Meter.CreateCounter<long>("muster_storage_writes_total", "{write}", "Writes committed or failed.");
    static readonly Counter<long> Failures =
        Meter.CreateCounter<long>("muster_storage_failures_total", "{write}", "Writes that failed, by fault.");
    static readonly Counter<long> Groups =
        Meter.CreateCounter<long>("muster_storage_groups_total", "{group}", "Groups of writes that shared a commit.");
    static readonly Histogram<double> GroupTime = Meter.CreateHistogram<double>(
        "muster_storage_group_seconds", "s", "Time from the start of a group to its commit.");

    public static void GroupCommitted(int writes, TimeSpan took)
    {
        Writes.Add(writes);
        Groups.Add(1);
        GroupTime.Record(took.TotalSeconds);
    }

    public static void Failed(StorageFault fault, int writes) =>
        Failures.Add(writes, new KeyValuePair<string, object?>("fault", fault.ToString()));
}
