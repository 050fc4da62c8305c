using System.Diagnostics.Metrics;

namespace Muster.Server.Telemetry;

/// <summary>What is counted of push notifications (XEP-0357).</summary>
sealed class PushMeters(Meter meter)
{
    readonly Counter<long>
        _sent = meter.CreateCounter<long>("muster_push_sent_total", description: "Pushes sent to push services"),
        _answered = meter.CreateCounter<long>("muster_push_answers_total",
            description: "Answers of push services: taken, refused, wait, silent, forged"),
        _dropped = meter.CreateCounter<long>("muster_push_dropped_total",
            description: "Pushes that were not sent: queue, rate, filter, interval"),
        _removed = meter.CreateCounter<long>("muster_push_registrations_removed_total",
            description: "Registrations that the server removed: errors, devices, service"),
        _web = meter.CreateCounter<long>("muster_web_push_total",
            description: "Pushes to browsers: taken, status, timeout, failed, private, full, quiet");

    /// <summary>One went out.</summary>
    public void Sent() => _sent.Add(1);

    /// <summary>A service answered: taken, refused, wait, silent, forged.</summary>
    public void Answered(string outcome) => _answered.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    /// <summary>One was not sent: queue, rate, filter, interval.</summary>
    public void Dropped(string reason) => _dropped.Add(1, new KeyValuePair<string, object?>("reason", reason));

    /// <summary>One to a browser: taken, status (refused with one), timeout, failed (unreachable), private (its address
    /// is none of the internet), full (too many at a time), quiet (nothing that a person would want to
    /// know).</summary>
    public void Web(string outcome) => _web.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    /// <summary>A registration was removed: errors, devices, service.</summary>
    public void Removed(string reason) => _removed.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
