using System.Diagnostics.Metrics;

namespace Muster.Server.Telemetry;

/// <summary>What public logs of rooms count.</summary>
sealed class PublicLogMeters(Meter meter)
{
    readonly Counter<long> _written = meter.CreateCounter<long>("muster_room_log_lines_total",
        description: "Lines written to public logs of rooms");
    readonly Counter<long> _lost = meter.CreateCounter<long>("muster_room_log_lost_lines_total",
        description: "Lines of public logs that could not be written: the disk failed or was too slow");

    /// <summary>Lines are in a file.</summary>
    public void Written(int lines) => _written.Add(lines);
    /// <summary>Lines will never be in a file.</summary>
    public void Lost(int lines) => _lost.Add(lines);
}
