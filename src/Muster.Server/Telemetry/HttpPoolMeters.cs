using System.Diagnostics.Metrics;

namespace Muster.Server.Telemetry;

/// <summary>What is counted of services that the server asks over HTTP.</summary>
sealed class HttpPoolMeters(Meter meter)
{
    readonly Counter<long> _requests = meter.CreateCounter<long>("muster_http_pool_requests_total",
        description: "Requests to services of outgoing_pools.http, by pool and outcome");

    /// <summary>A request ended.</summary>
    /// <param name="pool">Name of the pool.</param>
    /// <param name="outcome">ok, status, timeout, failed or full.</param>
    public void Asked(string pool, string outcome) => _requests.Add(1,
        new KeyValuePair<string, object?>("pool", pool), new KeyValuePair<string, object?>("outcome", outcome));
}
