using System.Diagnostics.Metrics;

namespace Muster.Server.Telemetry;

/// <summary>What is counted of messages of rooms for members who are away, by the served domain of the rooms: part of
/// <see cref="Meters"/>.</summary>
sealed class OfflineMeters(Meter meter)
{
    readonly Counter<long>
        _forwarded = meter.CreateCounter<long>("muc_offline_forwarded_total",
            description: "Copies of room messages sent to members who were away"),
        _bounced = meter.CreateCounter<long>("muc_offline_bounced_total",
            description: "Copies that came back, by the error"),
        _dropped = meter.CreateCounter<long>("muc_offline_dropped_total",
            description: "Copies that were not sent, as too many waited or the room has too many members");

    /// <summary>A copy was sent.</summary>
    public void Forwarded(string host) => _forwarded.Add(1, Host(host));
    /// <summary>A copy came back.</summary>
    public void Bounced(string host, string condition) =>
        _bounced.Add(1, Host(host), new KeyValuePair<string, object?>("condition", condition));
    /// <summary>Copies were not sent.</summary>
    public void Dropped(string host, int copies) => _dropped.Add(copies, Host(host));

    static KeyValuePair<string, object?> Host(string host) => new("host_type", host);
}
