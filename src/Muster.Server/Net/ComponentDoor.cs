using System.IO.Pipelines;
using Muster.Server.Telemetry;

namespace Muster.Server.Net;

/// <summary>Takes the connections of components of one listener, within its limits.</summary>
sealed class ComponentDoor(ComponentServices services, ComponentSettings settings) : CountedListener(services.Timers)
{
    /// <summary>The listener's rules; others may take their place, for the connections that come then.</summary>
    public ComponentSettings Settings { get; set; } = settings;

    /// <inheritdoc/>
    protected override int ConnectionsMax => Settings.ConnectionsMax;

    /// <inheritdoc/>
    protected override void Refused(string address, string reason)
    {
        services.Meters.Refused(reason);
        services.Log.ComponentRefused(address, reason);
    }

    /// <inheritdoc/>
    protected override Task ServeAsync(IDuplexPipe pipe, string address, Action abort) =>
        new ComponentConnection(services, Settings, new TcpFraming(pipe, Settings.LoginLimits, abort), address)
            .RunAsync();
}
