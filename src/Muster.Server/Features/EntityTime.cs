using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Server.Features;

/// <summary>XEP-0202: Entity Time. The server's clock, in UTC.</summary>
sealed class EntityTime : Feature
{
    const string Ns = "urn:xmpp:time";

    public override FeatureInfo Info { get; } = new(202, "2.0", Support.Complete);

    public override void Register(Slots slots)
    {
        var clock = slots.Services.Clock;
        slots.Disco(Target.Server, Ns);
        // Where the machine stands is nobody's business: the offset is that of UTC (XEP-0202 §6).
        slots.Iq(IqType.Get, Ns, "time", Target.Server, (_, iq) => iq.Result(new Element(Ns, "time",
            new Element(Ns, "tzo", "+00:00"),
            new Element(Ns, "utc", Timestamp.Format(clock.GetUtcNow())))));
    }
}
