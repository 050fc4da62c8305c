using System.Diagnostics.Metrics;

namespace Muster.Server.Telemetry;

/// <summary>What is counted of accounts and their messages.</summary>
sealed class AccountMeters(Meter meter)
{
    readonly Counter<long> _stored = meter.CreateCounter<long>("muster_offline_stored_total",
        description: "Messages stored until their recipient comes");
    readonly Counter<long> _handedOver = meter.CreateCounter<long>("muster_offline_handed_over_total",
        description: "Stored messages handed over to a client");
    readonly Counter<long> _full = meter.CreateCounter<long>("muster_offline_full_total",
        description: "Messages refused because as many wait already as may");
    readonly Counter<long> _sessionsRefused = meter.CreateCounter<long>("muster_sessions_refused_total",
        description: "Logins refused because the account has as many sessions as it may have");
    readonly Counter<long> _requestsDropped = meter.CreateCounter<long>("muster_subscription_requests_dropped_total",
        description: "Subscription requests dropped because as many wait already as may");
    readonly Counter<long> _limits = meter.CreateCounter<long>("muster_account_limits_total",
        description: "Requests refused because of a limit of the account, by what it limits");
    readonly Counter<long> _storeFailures = meter.CreateCounter<long>("muster_account_store_failures_total",
        description: "Stanzas refused because the store failed");

    /// <summary>A message waits for its recipient.</summary>
    public void OfflineStored() => _stored.Add(1);
    /// <summary>So many messages were handed over.</summary>
    public void OfflineHandedOver(int count) => _handedOver.Add(count);
    /// <summary>A message was refused as too many wait.</summary>
    public void OfflineFull() => _full.Add(1);
    /// <summary>A login was refused.</summary>
    public void SessionRefused() => _sessionsRefused.Add(1);
    /// <summary>A subscription request was dropped.</summary>
    public void RequestDropped() => _requestsDropped.Add(1);
    /// <summary>A limit was reached: roster, blocklist, vcard, private, directed, invites,
    /// registration, tokens.</summary>
    public void LimitReached(string limit) => _limits.Add(1, new KeyValuePair<string, object?>("limit", limit));
    /// <summary>A store failed.</summary>
    public void StoreFailed() => _storeFailures.Add(1);
}
