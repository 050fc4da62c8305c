using Microsoft.Extensions.Logging;
using Muster.Core.Delivery;
using Muster.Server.Config;
using Muster.Server.Features.Push;
using Muster.Server.Routing;
using Muster.Server.Sessions;
using Muster.Server.Telemetry;

namespace Muster.Server;

/// <content>Push notifications: from the configuration to their rules.</content>
sealed partial class ServerHost
{
    PushService PushServiceOf(Router router, AccountStates accounts, Meters meters, out WebPushService? web) =>
        new(new PushParts(
            router, accounts, _resumable, _overrides.Clock, meters.Pushes,
            _overrides.Logs.CreateLogger<PushService>(), AccountPushRules, RoomPushRules,
            who => _live.ModulesOf(who.Domain.ToString()).Smacks.HibernationTime)
        {
            Web = web = WebPushServiceOf(meters),
        });

    WebPushService? WebPushServiceOf(Meters meters) => !_config.Modules.WebPush.Enabled ? null : new(
        _config.General.Hosts,
        domain => _config.General.Hosts.Contains(domain, StringComparer.Ordinal) || Services.Rooms.ContainsKey(domain),
        () => WebPushRulesOf(_live), _overrides.Clock, meters.Pushes, _overrides.Logs.CreateLogger<WebPushService>(),
        _overrides.WebPushRoots);

    static WebPushRules WebPushRulesOf(ServerConfig config)
    {
        var module = config.Modules.WebPush;
        return new(module.Contact ?? $"mailto:postmaster@{config.DefaultDomain}", module.Hosts, module.PrivateHosts,
            module.Life);
    }

    PushRules? AccountPushRules(string domain)
    {
        if (!_config.General.Hosts.Contains(domain, StringComparer.Ordinal)) return null;
        var module = _live.ModulesOf(domain).CloudNotify;
        return module.Enabled
            ? PushRulesOf(module.Push) with { HibernationMax = module.MaxHibernationTimeout }
            : null;
    }

    PushRules? RoomPushRules(string service)
    {
        if (!Services.Rooms.TryGetValue(service, out var rooms)) return null;
        var module = _live.ModulesOf(rooms.HostName).MucCloudNotify;
        if (!module.Enabled) return null;
        return PushRulesOf(module.Push) with
        {
            AllInMembersOnly = module.Notify != MucPushNotify.Mentions,
            AllInOpen = module.Notify == MucPushNotify.All,
            RoomInterval = module.Interval,
        };
    }

    static PushRules PushRulesOf(PushConfig push) => new()
    {
        WithBody = push.WithBody,
        WithSender = push.WithSender,
        ErrorsMax = push.MaxErrors,
        ImportantBody = push.ImportantBody,
        DevicesMax = push.MaxDevices,
    };
}
