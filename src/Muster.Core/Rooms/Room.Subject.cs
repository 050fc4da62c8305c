using System.Text;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// The subject: changed by a message that has nothing else (XEP-0045 §7.3 #subject-occupant, §8.1 #subject-mod), and
// told to
// everybody who enters, last of all (§7.2.15 #enter-subject).
public sealed partial class Room
{
    static readonly StanzaError MayNotChangeSubject =
        StanzaError.Forbidden.WithText("You are not allowed to change the subject in this room");
    static readonly StanzaError SubjectTooLong = StanzaError.PolicyViolation.WithText("The subject is too long");

    StanzaError? CheckSubject(Message message) =>
        Encoding.UTF8.GetByteCount(message.Child("subject")!.Text) > Policy.SubjectBytesMax ? SubjectTooLong : null;

    void SetSubject(OccupantSession? sender, Message message, in RoomInput input, List<RoomEffect> effects)
    {
        _subject = new RoomSubject(message.Child("subject")!.Text, sender?.Occupant.Nick ?? "", input.Now);
        Persist(new RoomChange.SubjectSet(_subject), effects);
        Publish(sender, message, RoomMessageKind.Subject, input, effects);
    }

    bool MayChangeSubject(Occupant occupant) =>
        occupant.Role == Role.Moderator || (_options.AllowSubjectChange && occupant.Role == Role.Participant);

    /// <summary>The subject as told on entering. XEP-0045 §7.2.15 #enter-subject: always, even when none was ever set;
    /// then without delay.</summary>
    Message SubjectMessage()
    {
        var from =
            _subject.Nick.Length > 0 && Address.TryWithResource(_subject.Nick, out var author) ? author : Address;
        return new Message(MessageType.Groupchat, from, default, null,
            new Element(Namespaces.Client, "subject", _subject.Text),
            _subject.At is { } at ? new Delay(at, Address).ToElement() : null);
    }
}
