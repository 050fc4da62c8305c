using Muster.Core.Delivery;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Server.Features;

/// <summary>XEP-0280: Message Carbons. Which messages are copied is decided in <see cref="CarbonCopy"/>, copying is
/// done where messages are delivered (<see cref="Routing.LocalDomain"/>); a client turns it on here, for its session:
/// <see cref="Core.Sessions.Session.HasCarbons"/> is all there is to set.</summary>
sealed class Carbons : Feature
{
    public override FeatureInfo Info { get; } = new(280, "1.0.1", Support.Complete, "errors are not copied");

    public override void Register(Slots slots)
    {
        slots.Disco(Target.Server | Target.Account, CarbonCopy.Namespace);
        slots.Iq(IqType.Set, CarbonCopy.Namespace, "enable", Target.Server | Target.Account, (context, iq) =>
            Switch(context, iq, isOn: true));
        slots.Iq(IqType.Set, CarbonCopy.Namespace, "disable", Target.Server | Target.Account, (context, iq) =>
            Switch(context, iq, isOn: false));
        // XEP-0386 §bind-request: it always succeeds, so nothing is answered.
        slots.InlineBind(new(CarbonCopy.Namespace, static (session, request) =>
        {
            session.HasCarbons |= request!.Name == "enable";
            return new((Element?)null);
        }));
    }

    // §10.1: as often as the client likes.
    static Iq Switch(IqContext context, Iq iq, bool isOn)
    {
        // §4.1, §5.1: for the clients of this server, and for their own accounts alone.
        if (context.Sender is not { } session || (context.Target == Target.Account && !context.IsOwner(iq)))
            return iq.Refuse(StanzaError.NotAllowed);
        session.HasCarbons = isOn;
        return iq.Result();
    }
}
