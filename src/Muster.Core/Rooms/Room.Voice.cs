using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Rooms;

// Asking for voice and getting it (XEP-0045 §7.13 #requestvoice, §8.6 #voiceapprove).
public sealed partial class Room
{
    const string RequestFormType = "http://jabber.org/protocol/muc#request";
    const string AllowVar = "muc#request_allow";

    static readonly StanzaError VoiceTooOften =
        StanzaError.ResourceConstraint.WithText("You have asked for voice a moment ago");
    static readonly StanzaError OnlyModeratorsApprove =
        StanzaError.NotAllowed.WithText("Only moderators can approve voice requests");

    StanzaError? ReceiveVoiceForm(OccupantSession sender, DataForm form, in RoomInput input, List<RoomEffect> effects)
    {
        if (form.FormType != RequestFormType || form.Type is not (DataFormType.Submit or DataFormType.Cancel))
            return StanzaError.BadRequest;
        if (form.Type == DataFormType.Cancel) return null; // XEP-0004 §3.1: nothing is wanted
        return form.Field(AllowVar) is null
            ? RequestVoice(sender, form, input, effects)
            : ApproveVoice(sender, form, effects);
    }

    StanzaError? RequestVoice(OccupantSession sender, DataForm form, in RoomInput input, List<RoomEffect> effects)
    {
        var occupant = sender.Occupant;
        if (form.Value("muc#role") != Role.Participant.ToName()) return StanzaError.BadRequest;
        // [D] Who has voice need not ask.
        if (occupant.Role != Role.Visitor) return null;
        if (occupant.VoiceAskedAt is { } last && input.Now - last < Policy.VoiceRequestInterval) return VoiceTooOften;
        occupant.VoiceAskedAt = input.Now;
        var question = new DataForm(DataFormType.Form, RequestFormType,
            FormField.Choice("muc#role", "Requested role", Role.Participant.ToName(),
                new FormOption(Role.Participant.ToName(), "Participant")),
            FormField.Address("muc#jid", "User", sender.Real),
            FormField.Line("muc#roomnick", "Nickname", occupant.Nick),
            FormField.Flag(AllowVar, "Grant voice to this person?", false))
        {
            Title = "Voice request",
            Instructions = ["To grant voice to this person, tick the box."],
        };
        Cast(new Message(MessageType.Normal, Address, default, MakeId(input), question.ToElement()),
            _occupants.Moderators, effects);
        return null;
    }

    StanzaError? ApproveVoice(OccupantSession sender, DataForm form, List<RoomEffect> effects)
    {
        var moderator = sender.Occupant;
        if (moderator.Role != Role.Moderator) return OnlyModeratorsApprove;
        if (!form.TryBoolean(AllowVar, out bool? allow)) return StanzaError.BadRequest;
        if (allow != true) return null;
        if (form.Value("muc#role") is { } role && role != Role.Participant.ToName()) return StanzaError.BadRequest;
        if (form.Value("muc#roomnick") is not { Length: > 0 } text || !JidPrep.TryResource(text, out string? nick))
            return StanzaError.BadRequest;
        if (!_occupants.TryNick(nick, out var occupant)) return NoSuchNick;
        // Who got voice, or more, meanwhile keeps it.
        if (occupant.Role == Role.Visitor)
            SetRole(occupant, Role.Participant, new MucActor(moderator.Nick, moderator.User), null, effects);
        return null;
    }
}
