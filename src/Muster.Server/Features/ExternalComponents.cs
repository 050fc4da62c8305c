using Muster.Protocol.Payloads;

namespace Muster.Server.Features;

/// <summary>XEP-0114: Jabber Component Protocol. Here, that the components that are connected are found; their streams
/// are decided upon in <c>Muster.Core.Streams</c>.</summary>
sealed class ExternalComponents : Feature
{
    public override FeatureInfo Info { get; } = new(114, "1.5", Support.Complete, "jabber:component:accept");

    public override void Register(Slots slots) =>
        slots.ServerItems(host => slots.Services.Components.All
            .Where(route => route.Link is not null && route.Host == host)
            .Select(route => new DiscoItem(route.Domain)));
}
