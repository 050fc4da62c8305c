using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Taking back somebody else's message (XEP-0425).
public sealed partial class Room
{
    const string ModerateNamespace = "urn:xmpp:message-moderate:1";
    const string RetractNamespace = "urn:xmpp:message-retract:1";

    static readonly StanzaError ModeratorsOnly =
        StanzaError.Forbidden.WithText("Only moderators are allowed to moderate other participants' messages");
    static readonly StanzaError NoSuchMessage = StanzaError.ItemNotFound.WithText("There is no such message");

    StanzaError? Moderate(Iq iq, Element moderate, in RoomInput input, List<RoomEffect> effects)
    {
        var actor = ActorOf(iq, input.Sender);
        if (actor.Role != Role.Moderator) return ModeratorsOnly;
        if (moderate.Child(RetractNamespace, "retract") is null) return StanzaError.BadRequest;
        // Ids that this room gave are smaller than the next.
        string? name = moderate.Attribute("id");
        if (!Policy.ArchiveIds.TryRead(name, out long id) || id >= input.NextId) return NoSuchMessage;

        var by = actor.Nick is not null && Address.TryWithResource(actor.Nick, out var inRoom) ? inRoom : Address;
        string? reason = moderate.Child("reason")?.Text;
        Element Notice(string name) => new(RetractNamespace, name,
            new Element(ModerateNamespace, "moderated", OccupantId(iq.From)).With("by", by.ToString()),
            string.IsNullOrEmpty(reason) ? null : new Element(RetractNamespace, "reason", reason));

        // XEP-0425 §5: what stands in the archive instead. The message itself may be older than the room remembers;
        // then the tombstone names only the room.
        var original = _history.Find(id)?.Stanza;
        var tombstone = new Message(MessageType.Groupchat, original?.From ?? Address, default, original?.Id,
            Notice("retracted").With("stamp", Timestamp.Format(input.Now)),
            StanzaId(id),
            original?.Child(Namespaces.OccupantId, "occupant-id"));
        effects.Add(new RoomEffect.Retract(id, tombstone));
        _history.Replace(id, tombstone);

        // XEP-0425 §4: told to all by the room itself, as a message of its own that the archive keeps.
        var notice = new Message(MessageType.Groupchat, Address, default, MakeId(input),
            Notice("retract").With("id", name), StanzaId(input.NextId));
        Keep(notice, RoomMessageKind.Other, Address, input, effects);
        effects.Add(new RoomEffect.Broadcast(notice, _occupants.Sessions));
        return Succeed(iq, null, effects);
    }
}
