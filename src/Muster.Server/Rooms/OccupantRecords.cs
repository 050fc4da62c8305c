using System.Globalization;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;

namespace Muster.Server.Rooms;

/// <summary>Who is inside a room, as it is stored over a restart.</summary>
static class OccupantRecords
{
    const string Yes = "1";

    /// <summary>The document of a room's occupants.</summary>
    public static byte[] ToBytes(IEnumerable<OccupantSnapshot> occupants) =>
        StoredXml.ToBytes(new Element("", "occupants", occupants.Select(ToElement)));

    /// <summary>The occupants of a document; those that cannot be read are left out.</summary>
    public static IReadOnlyList<OccupantSnapshot> Read(ReadOnlyMemory<byte> bytes) =>
        [.. (StoredXml.Read(bytes)?.Elements ?? []).Select(ToOccupant).OfType<OccupantSnapshot>()];

    static Element ToElement(OccupantSnapshot occupant) =>
        new Element("", "occupant", occupant.Sessions.Select(ToElement))
            .With("nick", occupant.Nick).With("role", occupant.Role.ToName())
            .With("admin", occupant.IsServiceAdmin ? Yes : null)
            .With("unannounced", occupant.Unannounced ? Yes : null);

    static Element ToElement(SessionSnapshotInRoom session) =>
        new Element("", "session", session.Shown)
            .With("jid", session.Real.ToString()).With("local", session.IsLocal ? Yes : null)
            .With("at", Timestamp.Format(session.EnteredAt))
            .With("active", Timestamp.Format(session.ActiveAt)).With("lang", session.Lang)
            .With("priority", session.Priority.ToString(CultureInfo.InvariantCulture));

    static OccupantSnapshot? ToOccupant(Element occupant)
    {
        var sessions = occupant.Elements.Select(ToSession).OfType<SessionSnapshotInRoom>().ToArray();
        if (sessions.Length == 0 || occupant.Attribute("nick") is not { } nick
            || !MucNames.TryRole(occupant.Attribute("role"), out var role)) return null;
        return new OccupantSnapshot(
            nick, role, occupant.Attribute("admin") == Yes, occupant.Attribute("unannounced") == Yes, [.. sessions]);
    }

    static SessionSnapshotInRoom? ToSession(Element session)
    {
        if (!Jid.TryParse(session.Attribute("jid"), out var real)
            || !Timestamp.TryParse(session.Attribute("at"), out var at)) return null;
        _ = int.TryParse(session.Attribute("priority"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture,
            out int priority);
        // Records of before this was kept do not have it.
        if (!Timestamp.TryParse(session.Attribute("active"), out var activeAt)) activeAt = at;
        return new SessionSnapshotInRoom(real, session.Attribute("local") == Yes, at, activeAt, priority,
            session.Attribute("lang"), [.. session.Elements]);
    }
}
