using System.Diagnostics.Metrics;

namespace Muster.Server.Telemetry;

/// <summary>What is counted of archives that are read, and of accounts' archives that are written.</summary>
sealed class ArchiveMeters(Meter meter)
{
    readonly Counter<long> _kept = meter.CreateCounter<long>("muster_archive_kept_total",
        description: "Messages kept in archives of accounts, once for each account");
    readonly Counter<long> _failed = meter.CreateCounter<long>("muster_archive_failures_total",
        description: "Messages between users that were refused because they could not be archived");
    readonly Counter<long> _read = meter.CreateCounter<long>("muster_archive_read_total",
        description: "Messages sent from archives to those who asked for them");
    readonly Counter<long> _questions = meter.CreateCounter<long>("muster_archive_questions_total",
        description: "Questions to archives answered with a page");
    readonly Counter<long> _refused = meter.CreateCounter<long>("muster_archive_questions_refused_total",
        description: "Questions to archives refused because too many waited");
    readonly Counter<long> _purged = meter.CreateCounter<long>("muster_archive_purged_total",
        description: "Archived messages removed because of their age");

    /// <summary>So many entries were stored.</summary>
    public void Kept(int entries) => _kept.Add(entries);
    /// <summary>So many messages could not be stored.</summary>
    public void Failed(int messages) => _failed.Add(messages);
    /// <summary>A page was read.</summary>
    public void Read(int entries)
    {
        _questions.Add(1);
        _read.Add(entries);
    }
    /// <summary>A question was refused.</summary>
    public void Refused() => _refused.Add(1);
    /// <summary>So many entries were too old.</summary>
    public void Purged(int entries) => _purged.Add(entries);
}
