using System.Diagnostics.Metrics;

namespace Muster.Server.Telemetry;

/// <summary>What is counted of sessions in rooms of other servers (muc-presence-reliability.md §11).</summary>
sealed class JoinMeters(Meter meter)
{
    readonly UpDownCounter<long> _joined = meter.CreateUpDownCounter<long>("muc_joined_rooms",
        description: "Rooms of other servers that sessions are in");
    readonly Counter<long>
        _sent = meter.CreateCounter<long>("ping_muc_sent_total",
            description: "Pings to rooms of other servers in the name of sessions"),
        _results = meter.CreateCounter<long>("ping_muc_result_total",
            description: "What came of pings to rooms: ok, dropped, undecided"),
        _notices = meter.CreateCounter<long>("ping_muc_notices_total",
            description: "Sessions told that they have dropped out of a room"),
        _rejoins = meter.CreateCounter<long>("ping_muc_rejoins_total",
            description: "Sessions that the server brought back into a room, by outcome"),
        _overflows = meter.CreateCounter<long>("ping_muc_overflows_total",
            description: "Rooms that were not asked, or not waited for, as too many were"),
        _untracked = meter.CreateCounter<long>("track_muc_joins_overflows_total",
            description: "Rooms forgotten because a session was in more than track_muc_joins_max"),
        _ghosts = meter.CreateCounter<long>("muc_ghosts_cleared_total",
            description: "Rooms told after a start that a session of the last process is gone");

    /// <summary>A session is in so many more rooms, or fewer.</summary>
    public void Joined(int change) => _joined.Add(change);
    /// <summary>A room was asked.</summary>
    public void Sent() => _sent.Add(1);
    /// <summary>A question was settled: ok, dropped, undecided.</summary>
    public void Settled(string outcome) => _results.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
    /// <summary>A client was told.</summary>
    public void Noticed() => _notices.Add(1);
    /// <summary>The server has tried to bring a session back: done, failed.</summary>
    public void Rejoined(string outcome) => _rejoins.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
    /// <summary>A room was not asked.</summary>
    public void Overflowed() => _overflows.Add(1);
    /// <summary>A room was forgotten.</summary>
    public void Untracked() => _untracked.Add(1);
    /// <summary>A room was told that a session is gone.</summary>
    public void GhostCleared() => _ghosts.Add(1);
}
