using System.Collections.Frozen;
using System.Diagnostics.Metrics;

namespace Muster.Server.Telemetry;

/// <summary>What is counted of rooms, by the served domain that they belong to: the names and the label are those of
/// MongooseIM (muc.md §18).</summary>
sealed class RoomMeters(Meter meter)
{
    readonly Counter<long> _hibernations = meter.CreateCounter<long>("mod_muc_hibernations_count",
        description: "Rooms that were quiet and gave back what memory they could");
    readonly Counter<long> _deepHibernations = meter.CreateCounter<long>("mod_muc_deep_hibernations_count",
        description: "Quiet rooms that were unloaded");
    readonly Counter<long> _recreations = meter.CreateCounter<long>("mod_muc_process_recreations_count",
        description: "Rooms loaded from storage");
    readonly Counter<long> _ghosts = meter.CreateCounter<long>("muc_ghosts_kicked_total",
        description: "Sessions removed from rooms because they are not there any more, by the error that came back");
    readonly Gauge<long> _hibernated = meter.CreateGauge<long>("mod_muc_rooms_hibernated",
        description: "Rooms in memory that are quiet and have given back what memory they could");
    readonly Gauge<long> _online = meter.CreateGauge<long>("mod_muc_rooms_online",
        description: "Rooms in memory");

    /// <summary>Shows all counters of a host, at 0.</summary>
    public void Start(string host)
    {
        var label = Label(host);
        foreach (var counter in (Counter<long>[])[_hibernations, _deepHibernations, _recreations])
            counter.Add(0, label);
    }

    /// <summary>A room was compacted.</summary>
    public void Hibernated(string host) => _hibernations.Add(1, Label(host));
    /// <summary>A room was unloaded.</summary>
    public void DeeplyHibernated(string host) => _deepHibernations.Add(1, Label(host));
    /// <summary>A room was loaded from storage.</summary>
    public void Recreated(string host) => _recreations.Add(1, Label(host));

    /// <summary>A session was removed that is not there any more.</summary>
    public void GhostKicked(string condition) => _ghosts.Add(1, new KeyValuePair<string, object?>("condition",
        Conditions.Contains(condition) ? condition : "other"));

    /// <summary>The rooms were counted.</summary>
    /// <param name="host">The served domain.</param>
    /// <param name="online">Rooms in memory.</param>
    /// <param name="hibernated">Those of them that are compacted.</param>
    public void Counted(string host, int online, int hibernated)
    {
        _online.Record(online, Label(host));
        _hibernated.Record(hibernated, Label(host));
    }

    // What others send must not make new rows.
    static readonly FrozenSet<string> Conditions = ["gone", "internal-server-error", "item-not-found",
        "jid-malformed", "no-answer", "recipient-unavailable", "redirect", "remote-server-not-found",
        "remote-server-timeout", "service-unavailable", "session-lost", "undefined-condition"];

    static KeyValuePair<string, object?> Label(string host) => new("host_type", host);
}
