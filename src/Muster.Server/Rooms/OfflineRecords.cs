using Muster.Core.Delivery;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;

namespace Muster.Server.Rooms;

/// <summary>What waits for members who are away, as it is stored while the process is away.</summary>
static class OfflineRecords
{
    /// <summary>The document of what waits.</summary>
    public static byte[] ToBytes(IEnumerable<OfflineWaiting> waiting) =>
        StoredXml.ToBytes(new Element("", "waiting", waiting.Select(ToElement)));

    /// <summary>What a document says; what of it cannot be read is left out.</summary>
    public static IReadOnlyList<OfflineWaiting> Read(ReadOnlyMemory<byte> bytes) =>
        [.. (StoredXml.Read(bytes)?.Elements ?? []).Select(ToWaiting).OfType<OfflineWaiting>()];

    static Element ToElement(OfflineWaiting waiting) => new Element("", "copy",
        [waiting.Stanza.Stanza.ToElement(),
            .. waiting.Users.Select(user => new Element("", "to", user.ToString()))])
        .With("room", waiting.Room.ToString());

    static OfflineWaiting? ToWaiting(Element copy)
    {
        if (!Jid.TryParse(copy.Attribute("room"), out var room)
            || copy.Child(Namespaces.Client, "message") is not { } element
            || Stanza.Read(element, out _) is not { } stanza) return null;
        var users = copy.Children("", "to").Select(to => Jid.TryParse(to.Text, out var user) ? user : default)
            .Where(user => !user.IsNone);
        return new OfflineWaiting(room, SharedStanza.From(stanza), [.. users]);
    }
}
