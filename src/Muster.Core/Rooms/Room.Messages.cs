using Muster.Core.Archive;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Messages to all (XEP-0045 §7.4 #message), to one (§7.5 #privatemessage), and those that come back (Room.Ghosts).
public sealed partial class Room
{
    static readonly StanzaError OccupantsOnly =
        StanzaError.NotAcceptable.WithText("Only occupants are allowed to send messages to the conference");
    static readonly StanzaError NoVoice =
        StanzaError.Forbidden.WithText("Visitors are not allowed to send messages to all occupants");
    static readonly StanzaError NoPrivateToRoom =
        StanzaError.NotAcceptable.WithText("It is not allowed to send private messages to the conference");
    static readonly StanzaError ImproperType = StanzaError.NotAcceptable.WithText("Improper message type");
    static readonly StanzaError PrivateGroupchat =
        StanzaError.BadRequest.WithText("It is not allowed to send private messages of type \"groupchat\"");
    static readonly StanzaError NoPrivateMessages =
        StanzaError.Forbidden.WithText("It is not allowed to send private messages");
    static readonly StanzaError NoRecipient =
        StanzaError.ItemNotFound.WithText("Recipient is not in the conference room");

    StanzaError? ReceiveMessage(Message message, in RoomInput input, List<RoomEffect> effects)
    {
        _occupants.TryFind(message.From, out var sender);
        if (message.Type == MessageType.Error)
        {
            if (sender is not null) ReceiveBounce(sender, message, effects);
            return null;
        }
        if (message.To.IsFull) return ReceivePrivate(sender, message, effects);
        return message.Type switch
        {
            MessageType.Groupchat => ReceiveGroupchat(sender, message, input, effects),
            MessageType.Normal => ReceiveNormal(sender, message, input, effects),
            MessageType.Chat => NoPrivateToRoom,
            _ => ImproperType,
        };
    }

    StanzaError? ReceiveGroupchat(OccupantSession? sender, Message message, in RoomInput input,
        List<RoomEffect> effects)
    {
        // muc.md §2: administrators of the service may speak without entering; the room itself is shown as the sender.
        if (sender is null && !input.Sender.IsServiceAdmin) return OccupantsOnly;
        var kind = ArchivePolicy.KindOf(message);
        if (kind == RoomMessageKind.Subject && CheckSubject(message) is { } unusable) return unusable;
        if (sender is not null)
            return CheckTalk(sender, kind) ?? CheckSlowMode(sender, message, input.Now)
                ?? NoteSpoken(sender, message, Take(sender, message, kind, input, effects), input.Now);
        if (kind == RoomMessageKind.Subject) SetSubject(null, message, input, effects);
        else Publish(null, message, kind, input, effects);
        return null;
    }

    StanzaError? CheckTalk(OccupantSession sender, RoomMessageKind kind) =>
        kind == RoomMessageKind.Subject
            ? MayChangeSubject(sender.Occupant) ? null : MayNotChangeSubject
            : MaySpeak(sender.Occupant) ? null : NoVoice;

    bool MaySpeak(Occupant occupant) => occupant.Role >= Role.Participant || !_options.Moderated;

    /// <summary>Shows a message to all inside. What is kept is archived first, under the id that all copies
    /// carry.</summary>
    void Publish(OccupantSession? sender, Message message, RoomMessageKind kind, in RoomInput input,
        List<RoomEffect> effects)
    {
        var from = sender is null ? Address : sender.Occupant.InRoom;
        var content = new List<Element>(message.Content.Length + 2);
        foreach (object item in message.Content)
            if (item is Element child && !IsForgery(child)) content.Add(child);
        bool kept = kind != RoomMessageKind.Passing;
        // XEP-0359 §4, XEP-0313 §5.1: the archive id as the room's stanza-id.
        if (kept) content.Add(StanzaId(input.NextId));
        if (sender is not null) content.Add(sender.Occupant.IdElement);
        // XEP-0045 #stable_id: the sender's own id stays, so that it can recognise the reflection.
        var shown = message.Rewritten(from, default, message.Id ?? MakeId(input), content);
        if (kept) Keep(shown, kind, sender?.Real ?? message.From, input, effects);
        effects.Add(new RoomEffect.Broadcast(shown, _occupants.Sessions));
        _shownAt = input.Now;
        if (kind != RoomMessageKind.Message) return;
        CountActivity(shown, input.Now);
        NoteShown(input.NextId, shown, input.Now);
        ForwardShown(shown, effects);
    }

    void Keep(Message shown, RoomMessageKind kind, Jid sender, in RoomInput input, List<RoomEffect> effects)
    {
        if (_options.Archiving) effects.Add(new RoomEffect.Archive(input.NextId, input.Now, kind, sender, shown));
        if (kind == RoomMessageKind.Message && HistoryMax > 0)
            _history.Add(new HistoryEntry(input.NextId, input.Now, shown), HistoryMax);
    }

    /// <summary>A message of the room itself, for example an administrator's to all rooms (muc.md §6.6).</summary>
    void PublishFromRoom(Message message, in RoomInput input, List<RoomEffect> effects) =>
        Publish(null, message.WithType(MessageType.Groupchat), ArchivePolicy.KindOf(message), input, effects);

    Element StanzaId(long id) => StanzaIds.StanzaId(Policy.ArchiveIds.ToText(id), Address);

    /// <summary>Whether content of a message claims to come from the room (muc.md §6.1).</summary>
    bool IsForgery(Element child) => child.Namespace switch
    {
        Namespaces.StanzaIds => StanzaIds.IsBy(child, Address),
        Namespaces.Delay => Delay.IsBy(child, Address),
        Namespaces.OccupantId => true,
        _ => MucElements.IsMuc(child),
    };

    StanzaError? ReceivePrivate(OccupantSession? sender, Message message, List<RoomEffect> effects)
    {
        if (sender is null) return OccupantsOnly;
        if (message.Type == MessageType.Groupchat) return PrivateGroupchat;
        if (!_occupants.TryNick(message.To.Resource, out var target)) return NoRecipient;
        if (!MaySendPrivate(sender.Occupant)) return NoPrivateMessages;
        // XEP-0045 §7.5 #privatemessage: marked as private, so that the recipient's client can tell it from a
        // stranger's.
        var content = new List<Element>(message.Content.Length + 2);
        foreach (object item in message.Content)
            if (item is Element child && !IsForgery(child)) content.Add(child);
        content.Add(sender.Occupant.IdElement);
        content.Add(new Element(Namespaces.MucUser, "x"));
        Cast(message.Rewritten(sender.Occupant.InRoom, default, message.Id, content), [.. SessionsOf(target)], effects);
        return null;
    }

    bool MaySendPrivate(Occupant sender) => _options.PrivateMessages switch
    {
        PrivateMessages.Anyone => true,
        PrivateMessages.Participants => sender.Role >= Role.Participant,
        PrivateMessages.Moderators => sender.Role == Role.Moderator,
        _ => false,
    };
}
