using System.Diagnostics.Metrics;

namespace Muster.Server.Telemetry;

/// <summary>Counters of the connections of clients: part of <see cref="Meters"/>.</summary>
sealed class ClientMeters(Meter meter)
{
    readonly Counter<long>
        _opened = meter.CreateCounter<long>("muster_client_connections_total", description: "Connections accepted"),
        _refused = meter.CreateCounter<long>("muster_client_connections_refused_total",
            description: "Connections refused, by reason"),
        _sessions = meter.CreateCounter<long>("muster_sessions_total", description: "Resources bound"),
        _logins = meter.CreateCounter<long>("muster_logins_total", description: "Successful logins, by mechanism"),
        _loginFailures = meter.CreateCounter<long>("muster_login_failures_total",
            description: "Failed logins, by SASL condition"),
        _streamErrors = meter.CreateCounter<long>("muster_stream_errors_total",
            description: "Stream errors sent to clients, by condition"),
        _tlsFailures = meter.CreateCounter<long>("muster_tls_failures_total", description: "Failed TLS handshakes"),
        _bytesRead = meter.CreateCounter<long>("muster_client_read_bytes_total", "By",
            "Bytes of XML read from clients"),
        _bytesWritten = meter.CreateCounter<long>("muster_client_written_bytes_total", "By",
            "Bytes of XML written to clients"),
        _stanzas = meter.CreateCounter<long>("muster_client_stanzas_total", description: "Stanzas from clients"),
        _overflows = meter.CreateCounter<long>("muster_client_overflows_total",
            description: "Clients disconnected for reading too slowly"),
        _pauses = meter.CreateCounter<long>("muster_client_shaper_pauses_total",
            description: "Times that a client was made to wait for sending too fast"),
        _loginLimits = meter.CreateCounter<long>("muster_login_limits_total",
            description: "Clients disconnected for too much time or too many bytes before login");
    readonly UpDownCounter<long> _open =
        meter.CreateUpDownCounter<long>("muster_client_connections", description: "Connections open");

    /// <summary>A connection was accepted.</summary>
    public void Opened()
    {
        _opened.Add(1);
        _open.Add(1);
    }

    /// <summary>A connection is gone.</summary>
    /// <param name="bytesRead">Bytes of XML that it brought.</param>
    public void Closed(long bytesRead)
    {
        _open.Add(-1);
        _bytesRead.Add(bytesRead);
    }

    /// <summary>A connection was refused.</summary>
    public void Refused(string reason) => _refused.Add(1, new KeyValuePair<string, object?>("reason", reason));
    /// <summary>A resource was bound.</summary>
    public void Bound() => _sessions.Add(1);
    /// <summary>Somebody logged in.</summary>
    public void LoggedIn(string mechanism) => _logins.Add(1, new KeyValuePair<string, object?>("mechanism", mechanism));
    /// <summary>Somebody failed to log in.</summary>
    public void LoginFailed(string reason) =>
        _loginFailures.Add(1, new KeyValuePair<string, object?>("reason", reason));
    /// <summary>A stream was closed with an error.</summary>
    public void StreamError(string condition) =>
        _streamErrors.Add(1, new KeyValuePair<string, object?>("condition", condition));
    /// <summary>A TLS handshake failed.</summary>
    public void TlsFailed() => _tlsFailures.Add(1);
    /// <summary>Bytes of XML were written.</summary>
    public void Written(int bytes) => _bytesWritten.Add(bytes);
    /// <summary>A stanza arrived.</summary>
    public void Stanza() => _stanzas.Add(1);
    /// <summary>A client read too slowly.</summary>
    public void Overflowed() => _overflows.Add(1);
    /// <summary>A client had to wait.</summary>
    public void Paused() => _pauses.Add(1);
    /// <summary>A client took too much before login.</summary>
    public void LoginLimit() => _loginLimits.Add(1);
}
