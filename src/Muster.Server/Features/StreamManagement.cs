using Muster.Protocol.Xml;

namespace Muster.Server.Features;

/// <summary>XEP-0198: Stream Management. Streams offer it themselves, sessions count and wait; here is only that it can
/// be turned on as the session is bound.</summary>
sealed class StreamManagement : Feature
{
    public override FeatureInfo Info { get; } = new(198, "1.6.3", Support.Complete);

    public override void Register(Slots slots)
    {
        var local = slots.Services.Local;
        slots.InlineBind(new(Namespaces.StreamManagement, (session, request) => local.ManageBound(session, request!)));
    }
}
