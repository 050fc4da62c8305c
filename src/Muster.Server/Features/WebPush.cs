using Muster.Core.Delivery;
using Muster.Protocol.Stanzas;

namespace Muster.Server.Features;

/// <summary>Web Push to browsers (RFC 8030, 8291, 8292): the server's domains are push services themselves (XEP-0357
/// §3), so that the web chat needs nobody else's. What happens is in <see cref="Push.WebPushService"/>.</summary>
sealed class WebPush : Feature
{
    public override FeatureInfo Info { get; } =
        new(0, "RFC 8030", Support.Complete, "Web Push: the server's own push service for browsers");

    public override void Register(Slots slots)
    {
        slots.Identity(Target.Server, "pubsub", "push", "");
        slots.Iq(IqType.Set, WebPushMessage.PubSub, "pubsub", Target.Server, async (context, iq) =>
            context.Services.WebPush is { } service
                ? await service.Publish(iq)
                : iq.Refuse(StanzaError.ServiceUnavailable));
    }
}
