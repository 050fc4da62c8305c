using System.Diagnostics.Metrics;

namespace Muster.Server.Telemetry;

/// <summary>Counters of the streams with other servers: part of <see cref="Meters"/>.</summary>
sealed class PeerMeters(Meter meter)
{
    readonly Counter<long>
        _opened = meter.CreateCounter<long>("muster_peer_connections_total",
            description: "Connections with other servers, by who opened them"),
        _refused = meter.CreateCounter<long>("muster_peer_connections_refused_total",
            description: "Connections of other servers refused, by reason"),
        _failures = meter.CreateCounter<long>("muster_peer_failures_total",
            description: "Attempts to reach another server that failed, by the error that senders got"),
        _streamErrors = meter.CreateCounter<long>("muster_peer_stream_errors_total",
            description: "Stream errors sent to other servers, by condition"),
        _tlsFailures = meter.CreateCounter<long>("muster_peer_tls_failures_total",
            description: "Failed TLS handshakes with other servers"),
        _accepted = meter.CreateCounter<long>("muster_peer_domains_proved_total",
            description: "Domains that other servers proved, by how"),
        _keys = meter.CreateCounter<long>("muster_peer_dialback_keys_total",
            description: "Dialback keys that were verified, by outcome"),
        _troubles = meter.CreateCounter<long>("muster_peer_troubles_total",
            description: "Things that went wrong with other servers and were logged, or would have been again"),
        _received = meter.CreateCounter<long>("muster_peer_received_stanzas_total",
            description: "Stanzas from other servers"),
        _sent = meter.CreateCounter<long>("muster_peer_sent_stanzas_total", description: "Stanzas to other servers"),
        _bounced = meter.CreateCounter<long>("muster_peer_bounced_stanzas_total",
            description: "Stanzas for other servers that came back, by the error"),
        _resent = meter.CreateCounter<long>("muster_peer_resent_stanzas_total",
            description: "Stanzas sent again after a stream had died"),
        _untracked = meter.CreateCounter<long>("muster_peer_untracked_stanzas_total",
            description: "Stanzas that were sent and forgotten, as too many waited to be acknowledged"),
        _resumed = meter.CreateCounter<long>("muster_peer_resumed_total", description: "Streams that were resumed"),
        _overflows = meter.CreateCounter<long>("muster_peer_overflows_total",
            description: "Streams closed because the other server read too slowly"),
        _pauses = meter.CreateCounter<long>("muster_peer_shaper_pauses_total",
            description: "Times that another server was made to wait for sending too fast"),
        _keepaliveTimeouts = meter.CreateCounter<long>("s2s_keepalive_timeouts_total",
            description: "Streams closed because pings to the other server were not answered");
    readonly UpDownCounter<long> _open = meter.CreateUpDownCounter<long>("muster_peer_connections",
        description: "Connections with other servers, open");

    /// <summary>A connection was made.</summary>
    public void Opened(bool isOutgoing)
    {
        _opened.Add(1, new KeyValuePair<string, object?>("direction", isOutgoing ? "out" : "in"));
        _open.Add(1);
    }

    /// <summary>A connection is gone.</summary>
    public void Closed() => _open.Add(-1);
    /// <summary>A connection was refused.</summary>
    public void Refused(string reason) => _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));
    /// <summary>An attempt to reach a server failed.</summary>
    public void Failed(string condition) => _failures.Add(1, Condition(condition));
    /// <summary>A stream was closed with an error.</summary>
    public void StreamError(string condition) => _streamErrors.Add(1, Condition(condition));
    /// <summary>A handshake failed.</summary>
    public void TlsFailed() => _tlsFailures.Add(1);
    /// <summary>A server proved a domain.</summary>
    public void Accepted(string method) => _accepted.Add(1, new KeyValuePair<string, object?>("method", method));
    /// <summary>A key was verified.</summary>
    public void KeyVerified(string outcome) => _keys.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
    /// <summary>Something went wrong.</summary>
    public void Trouble() => _troubles.Add(1);
    /// <summary>A stanza came.</summary>
    public void Received() => _received.Add(1);
    /// <summary>A stanza went.</summary>
    public void Sent() => _sent.Add(1);
    /// <summary>A stanza came back.</summary>
    public void Bounced(string condition) => _bounced.Add(1, Condition(condition));
    /// <summary>A stanza was sent again.</summary>
    public void Resent() => _resent.Add(1);
    /// <summary>Stanzas will not be known to be lost.</summary>
    public void Untracked(int count) => _untracked.Add(count);
    /// <summary>A stream was resumed.</summary>
    public void Resumed() => _resumed.Add(1);
    /// <summary>A peer read too slowly.</summary>
    public void Overflowed() => _overflows.Add(1);
    /// <summary>A peer was made to wait.</summary>
    public void Paused() => _pauses.Add(1);
    /// <summary>A peer did not answer pings.</summary>
    public void KeepaliveTimeout() => _keepaliveTimeouts.Add(1);

    static KeyValuePair<string, object?> Condition(string condition) => new("condition", condition);
}
