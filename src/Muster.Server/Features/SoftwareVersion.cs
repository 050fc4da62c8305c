using System.Reflection;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Server.Features;

/// <summary>XEP-0092: Software Version. Name and version; the operating system is left out (§2 allows it), as it only
/// helps attackers.</summary>
sealed class SoftwareVersion : Feature
{
    const string Ns = "jabber:iq:version";

    /// <summary>Name of the software on the wire.</summary>
    public const string Name = "Muster";

    /// <summary>Its version.</summary>
    public static string Version { get; } = typeof(SoftwareVersion).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    public override FeatureInfo Info { get; } = new(92, "1.1", Support.Complete);

    public override void Register(Slots slots)
    {
        slots.Disco(Target.Server | Target.RoomService, Ns);
        slots.Iq(IqType.Get, Ns, "query", Target.Server | Target.RoomService, static (_, iq) => iq.Result(
            new Element(Ns, "query", new Element(Ns, "name", Name), new Element(Ns, "version", Version))));
    }
}
