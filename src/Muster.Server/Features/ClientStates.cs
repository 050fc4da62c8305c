using Muster.Protocol.Xml;

namespace Muster.Server.Features;

/// <summary>XEP-0352: Client State Indication. Here it is announced; what waits for an inactive client is decided by
/// <see cref="Core.Sessions.ClientState"/>.</summary>
sealed class ClientStates : Feature
{
    public override FeatureInfo Info { get; } = new(352, "1.0.0", Support.Complete);

    public override void Register(Slots slots) =>
        slots.StreamFeature(static () => [new Element(Namespaces.ClientState, "csi")]);
}
