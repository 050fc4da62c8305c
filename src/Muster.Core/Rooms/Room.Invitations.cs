using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Invitations through the room (XEP-0045 §7.8.2 #invite-mediated) and their answers.
public sealed partial class Room
{
    static readonly StanzaError MayNotInvite =
        StanzaError.Forbidden.WithText("Invitations are not allowed in this conference");
    static readonly StanzaError NoInvitee = StanzaError.BadRequest.WithText("No invitee");

    /// <summary>A message without type to the room: an invitation, an answer to one, or a form about voice.</summary>
    StanzaError? ReceiveNormal(OccupantSession? sender, Message message, in RoomInput input, List<RoomEffect> effects)
    {
        if (message.Child(Namespaces.MucUser, "x") is { } x)
        {
            var user = MucUser.Read(x, out var problem);
            if (user is null) return problem;
            // XEP-0045 §7.8.2: who declines need not be inside.
            if (user.Decline is { } decline) return PassDecline(message, decline, effects);
            if (sender is null) return OccupantsOnly;
            return user.Invites.Count == 0 ? StanzaError.BadRequest : Invite(sender, message, user, input, effects);
        }
        if (message.Child(Namespaces.DataForms, "x") is not { } formElement)
            return sender is null ? OccupantsOnly : StanzaError.BadRequest;
        var form = DataForm.Read(formElement, out var unreadable);
        // XEP-0045 §9.9: the form went to admins who are away, too.
        if (form?.FormType == RegisterFormType) return AnswerRequest(message.From, form, input, effects);
        if (sender is null) return OccupantsOnly;
        return form is null ? unreadable : ReceiveVoiceForm(sender, form, input, effects);
    }

    StanzaError? Invite(OccupantSession sender, Message message, MucUser request, in RoomInput input,
        List<RoomEffect> effects)
    {
        var inviter = sender.Occupant;
        bool mayInvite = inviter.Affiliation >= Affiliation.Admin ||
            (_options.AllowInvitations && inviter.Role >= Role.Participant);
        if (!mayInvite) return MayNotInvite;
        if (request.Invites.Any(invite => invite.To.IsNone)) return NoInvitee;
        // In a members-only room an invitation gives membership: all must find room on the list, or none is sent.
        List<Jid> newcomers = [.. request.Invites.Select(invite => invite.To.Bare).Distinct()
            .Where(user => _options.MembersOnly && _affiliations.Of(user) == Affiliation.None)];
        if (_affiliations.Count + newcomers.Count > Policy.AffiliationsMax) return AffiliationsFull;
        foreach (var user in newcomers)
        {
            var version = StoreAffiliation(new AffiliationEntry(user, Affiliation.Member), input, effects);
            ShowAffiliation(user, version, null, null, input, effects);
        }
        foreach (var invite in request.Invites)
            effects.Add(new RoomEffect.Send(Invitation(invite, InviterShown(sender), message.Id ?? MakeId(input))));
        return null;
    }

    // [D] muc.md §12: in a semi-anonymous room the invitation does not tell who the inviter really is.
    Jid InviterShown(OccupantSession sender) => _options.Anonymous ? sender.Occupant.InRoom : sender.Real;

    Message Invitation(MucInvite invite, Jid from, string id)
    {
        string? password = _options.PasswordProtected ? _options.Password : null;
        var shown = new MucUser { Invites = [invite with { To = default, From = from }], Password = password };
        string text =
            $"{from} invites you to the room {Address}" + (invite.Reason is { Length: > 0 } why ? $" ({why})" : "");
        return new Message(MessageType.Normal, Address, invite.To, id,
            shown.ToElement(),
            new DirectInvitation(Address, invite.Reason, password, invite.Continues, invite.Thread).ToElement(),
            new Element(Namespaces.Client, "body", text));
    }

    StanzaError? PassDecline(Message message, MucDecline decline, List<RoomEffect> effects)
    {
        if (decline.To.IsNone) return StanzaError.BadRequest;
        var shown =
            new MucUser { Decline = new MucDecline(From: message.From.Bare, Reason: decline.Reason) }.ToElement();
        // The invitation may have named the inviter by its occupant JID.
        if (decline.To.SameBare(Address))
        {
            if (!_occupants.TryNick(decline.To.Resource, out var inviter)) return NoRecipient;
            var passed = new Message(MessageType.Normal, Address, default, message.Id, shown);
            Cast(passed, [.. SessionsOf(inviter)], effects);
            return null;
        }
        // Only to somebody who could have invited: the room is no relay for messages to anybody.
        bool belongs =
            !_occupants.OfUser(decline.To.Bare).IsEmpty || _affiliations.Of(decline.To) >= Affiliation.Member;
        if (!belongs) return NoRecipient;
        effects.Add(new RoomEffect.Send(new Message(MessageType.Normal, Address, decline.To, message.Id, shown)));
        return null;
    }
}
