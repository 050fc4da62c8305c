using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Server.Features;

/// <summary>XEP-0199: XMPP Ping. Answers pings sent to the server and to accounts.</summary>
sealed class Ping : Feature
{
    public override FeatureInfo Info { get; } = new(199, "2.0.1", Support.Complete);

    public override void Register(Slots slots)
    {
        const Target Answered = Target.Server | Target.Account | Target.RoomService;
        slots.Disco(Answered, Namespaces.Ping);
        slots.Iq(IqType.Get, Namespaces.Ping, "ping", Answered, static (_, iq) => iq.Result());
    }
}
