using System.IO.Pipelines;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <summary>Takes the connections of other servers of one listener, within its limits.</summary>
sealed class PeerListener(PeerServices services, PeerSettings settings) : CountedListener(services.Timers)
{
    /// <summary>The listener's rules; others may take their place, for the connections that come then.</summary>
    public PeerSettings Settings { get; set; } = settings;

    /// <inheritdoc/>
    protected override int ConnectionsMax => Settings.ConnectionsMax;

    /// <inheritdoc/>
    protected override void Refused(string address, string reason)
    {
        services.Meters.Refused(reason);
        services.Log.PeerRefused(address, reason);
    }

    /// <inheritdoc/>
    protected override Task ServeAsync(IDuplexPipe pipe, string address, Action abort) =>
        new PeerConnection(services, Settings, new PeerTransport(pipe, abort, address, Settings.BeginsInTls))
            .RunAsync();
}
