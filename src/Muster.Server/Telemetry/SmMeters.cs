using System.Diagnostics.Metrics;

namespace Muster.Server.Telemetry;

/// <summary>What is counted of stream management (XEP-0198).</summary>
sealed class SmMeters(Meter meter)
{
    readonly Counter<long>
        _managed = meter.CreateCounter<long>("muster_sm_enabled_total", description: "Streams managed, by resumption"),
        _hibernated = meter.CreateCounter<long>("muster_sm_hibernations_total",
            description: "Sessions that lost their connection and wait for another"),
        _resumed = meter.CreateCounter<long>("muster_sm_resumptions_total",
            description: "Attempts to resume a session, by outcome"),
        _ended = meter.CreateCounter<long>("muster_sm_ended_total",
            description: "Sessions that ended while they waited, by reason"),
        _unacked = meter.CreateCounter<long>("muster_sm_unacknowledged_total",
            description: "Stanzas that a session did not bring to its client, by what became of them"),
        _queued = meter.CreateCounter<long>("muster_sm_queued_total",
            description: "Stanzas for sessions without a connection, or whose acknowledgement was late"),
        _ackDelays = meter.CreateCounter<long>("muster_sm_ack_delays_total",
            description: "Acknowledgements that were owed for too long");
    readonly UpDownCounter<long> _waiting =
        meter.CreateUpDownCounter<long>("muster_sm_hibernating", description: "Sessions that wait for a connection");
    readonly Histogram<double> _age = meter.CreateHistogram<double>("muster_sm_resumption_age_seconds", "s",
        "How long resumed sessions had waited");
    readonly Histogram<double> _acknowledged = meter.CreateHistogram<double>("muster_sm_acknowledged_stanzas", null,
        "Stanzas that one acknowledgement covered");
    readonly Histogram<double> _dropped = meter.CreateHistogram<double>("muster_sm_dropped_stanzas", null,
        "Stanzas that a session which ended, or had no room for them, did not bring to its client");

    /// <summary>A stream is managed from now on.</summary>
    public void Managed(bool resumable) => _managed.Add(1,
        new KeyValuePair<string, object?>("resumption", resumable ? "yes" : "no"));

    /// <summary>A session waits.</summary>
    public void Hibernated()
    {
        _hibernated.Add(1);
        _waiting.Add(1);
    }

    /// <summary>A session that waited waits no more.</summary>
    public void Woken(TimeSpan waited)
    {
        _waiting.Add(-1);
        _age.Record(waited.TotalSeconds);
    }

    /// <summary>A session that waited has ended: timeout, too_many, replaced, overflow.</summary>
    public void Ended(string reason)
    {
        _waiting.Add(-1);
        _ended.Add(1, new KeyValuePair<string, object?>("reason", reason));
    }

    /// <summary>Somebody wanted to resume: resumed, unknown, ended, incomplete, too_high, disabled.</summary>
    public void Resumed(string outcome) => _resumed.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    /// <summary>What became of a stanza: drop, store, bounce, redeliver, claimed.</summary>
    public void Unacked(string fate) => _unacked.Add(1, new KeyValuePair<string, object?>("fate", fate));

    /// <summary>A stanza waits for a client that is away, or late.</summary>
    public void Queued() => _queued.Add(1);

    /// <summary>An acknowledgement covered so many stanzas.</summary>
    public void Acknowledged(uint stanzas) => _acknowledged.Record(stanzas);

    /// <summary>So many stanzas were not brought to the client, all at once.</summary>
    public void Dropped(int stanzas) => _dropped.Record(stanzas);

    /// <summary>An acknowledgement is owed for too long.</summary>
    public void AckDelayed() => _ackDelays.Add(1);
}
