using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Config;
using Muster.Server.Net;
using Muster.Server.Routing;
using Muster.Server.Telemetry;

namespace Muster.Server;

/// <summary>External components: from the configuration to their connections.</summary>
sealed partial class ServerHost
{
    /// <summary>The listeners for components, in the order of the configuration.</summary>
    public IReadOnlyList<ComponentDoor> ComponentDoors { get; }

    /// <summary>The domain of accounts that a component's domain belongs to: that which it is below, else the
    /// default.</summary>
    static string HostOf(ServerConfig config, Jid component)
    {
        string domain = component.ToString();
        return config.General.Hosts.Where(host => domain.EndsWith($".{host}", StringComparison.Ordinal))
            .MaxBy(host => host.Length) ?? config.DefaultDomain;
    }

    ComponentRoutes ComponentRoutesOf(ServerConfig config, Router router, Meters meters)
    {
        var routes = new ComponentRoutes(router, _overrides.Clock, meters.Components, _overrides.Logs,
            () => _live.Limits.ComponentDomainsMax, domain => Jid.Parse(HostOf(config, domain)));
        foreach (string domain in config.Listen.Component.SelectMany(listener => listener.Domains))
            routes.Expect(Jid.Parse(domain));
        return routes;
    }

    List<ComponentDoor> ComponentDoorsOf(ServerConfig config)
    {
        if (!_overrides.OpensListeners) return [];
        var services = new ComponentServices(Services.Components, _timers, Services.Meters.Components,
            _overrides.Logs.CreateLogger("Muster.Components"), _overrides.Logs.CreateLogger("Muster.Stanzas"));
        return [.. config.Listen.Component.Select(rules =>
            new ComponentDoor(services, ComponentSettingsOf(config, rules, null)))];
    }

    List<ComponentSettings> ComponentSettingsOf(ServerConfig config) =>
        [.. ComponentDoors.Zip(_config.Listen.Component, (door, rules) =>
        {
            var (was, becomes) = (InForce(rules, _live.Listen.Component), InForce(rules, config.Listen.Component));
            return ComponentSettingsOf(config, becomes, HasSameCertificate(was, becomes)
                ? door.Settings.Certificate
                : null);
        })];

    ComponentSettings ComponentSettingsOf(
        ServerConfig config, ComponentListener listener, CertificateSource? certificate) => new()
    {
        Policy = new ComponentPolicy
        {
            Secret = listener.Password,
            ProblemOf = domain => listener.Domains.Count > 0 && !listener.Domains.Contains(domain.ToString())
                ? StreamError.HostUnknown.WithText($"{domain} is not among the domains of components here")
                : Services.Components.ProblemOf(domain),
            DefaultHost = Jid.Parse(config.DefaultDomain),
            ChecksFrom = listener.CheckFrom,
        },
        MaySend = who => _live.Access.Allows(InForce(listener, _live.Listen.Component).Access, who,
            _config.DefaultDomain),
        KicksOld = listener.KicksOld,
        Limits = new(ItemBytesMax: listener.MaxStanzaSize),
        LoginTimeout = listener.LoginTimeout,
        LoginBytesMax = config.Limits.UnauthenticatedBytesMax,
        OutboundBytesMax = config.Limits.OutboundBytesMax,
        BytesPerSecondMax = listener.Shaper is { } shaper ? config.Shapers[shaper].MaxRate : null,
        ConnectionsMax = listener.MaxConnections ?? int.MaxValue,
        Certificate = certificate ?? CertificateOf(listener.Tls),
    };
}
