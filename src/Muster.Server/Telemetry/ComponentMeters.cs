using System.Diagnostics.Metrics;

namespace Muster.Server.Telemetry;

/// <summary>Counters of external components (XEP-0114): part of <see cref="Meters"/>. Their domains are the
/// label.</summary>
sealed class ComponentMeters(Meter meter)
{
    readonly Counter<long>
        _refused = meter.CreateCounter<long>("muster_component_connections_refused_total",
            description: "Connections of components refused, by reason"),
        _streamErrors = meter.CreateCounter<long>("muster_component_stream_errors_total",
            description: "Stream errors sent to components, by condition"),
        _received = meter.CreateCounter<long>("muster_component_received_stanzas_total",
            description: "Stanzas from components"),
        _sent = meter.CreateCounter<long>("muster_component_sent_stanzas_total", description: "Stanzas to components"),
        _bounced = meter.CreateCounter<long>("muster_component_bounced_stanzas_total",
            description: "Stanzas for components that came back, by domain and error"),
        _overflows = meter.CreateCounter<long>("muster_component_overflows_total",
            description: "Streams closed because the component read too slowly"),
        _pauses = meter.CreateCounter<long>("muster_component_shaper_pauses_total",
            description: "Times that a component was made to wait for sending too fast");
    readonly UpDownCounter<long> _connected = meter.CreateUpDownCounter<long>("muster_components_connected",
        description: "Components that are connected");

    /// <summary>A component took its domain.</summary>
    public void Connected(string domain) => _connected.Add(1, Domain(domain));
    /// <summary>It is gone.</summary>
    public void Ended(string domain) => _connected.Add(-1, Domain(domain));
    /// <summary>A connection was refused.</summary>
    public void Refused(string reason) => _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));
    /// <summary>A stream was closed with an error.</summary>
    public void StreamError(string condition) => _streamErrors.Add(1, Condition(condition));
    /// <summary>A stanza came.</summary>
    public void Received(string domain) => _received.Add(1, Domain(domain));
    /// <summary>A stanza went.</summary>
    public void Sent(string domain) => _sent.Add(1, Domain(domain));
    /// <summary>A stanza came back.</summary>
    public void Bounced(string domain, string condition) => _bounced.Add(1, Domain(domain), Condition(condition));
    /// <summary>A component read too slowly.</summary>
    public void Overflowed() => _overflows.Add(1);
    /// <summary>A component was made to wait.</summary>
    public void Paused() => _pauses.Add(1);

    static KeyValuePair<string, object?> Domain(string domain) => new("component", domain);
    static KeyValuePair<string, object?> Condition(string condition) => new("condition", condition);
}
