using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

/// <summary>Who without affiliation may register in a room (muc-offline-delivery.md §4,
/// <c>muc_register_policy</c>).</summary>
public enum RoomRegistration
{
    /// <summary>Everybody, where the room is open to everybody.</summary>
    Anyone,
    /// <summary>Who is inside, where the room is open to everybody.</summary>
    Occupants,
    /// <summary>Nobody: only those who have an affiliation already.</summary>
    Members,
}

// Registering with the room itself: a reserved nick, membership, and messages while away (XEP-0045 §7.10 #register;
// muc-offline-delivery.md §4).
public sealed partial class Room
{
    const string RegisterFormType = "http://jabber.org/protocol/muc#register";
    const string RoomNickVar = "muc#register_roomnick";
    const string OfflineVar = "{http://tigase.org/protocol/muc}offline";

    static readonly StanzaError MayNotRegister =
        StanzaError.RegistrationRequired.WithText("Only members can register with this room");
    static readonly StanzaError NoNickGiven = StanzaError.NotAcceptable.WithText("A nickname is needed");
    static readonly StanzaError UnusableNick = StanzaError.BadRequest.WithText("This nickname cannot be used");

    StanzaError? CheckRegistration(Jid user, in SenderFacts facts)
    {
        var affiliation = AffiliationOf(user, facts);
        if (affiliation == Affiliation.Outcast) return Banned;
        if (affiliation != Affiliation.None) return null;
        // Where an admin approves, everybody may ask.
        if (_options is { MembersOnly: true, RegistrationApproval: false }) return MayNotRegister;
        return Policy.Registration switch
        {
            RoomRegistration.Anyone => null,
            RoomRegistration.Occupants when !_occupants.OfUser(user.Bare).IsEmpty => null,
            _ => MayNotRegister,
        };
    }

    StanzaError? AnswerRegistration(Iq iq, in RoomInput input, List<RoomEffect> effects)
    {
        if (CheckRegistration(iq.From, input.Sender) is { } refusal) return refusal;
        var entry = _affiliations.Exactly(iq.From.Bare);
        var inside = _occupants.OfUser(iq.From.Bare);
        bool needsApproval = NeedsApproval(iq.From, input.Sender);
        var request = _affiliations.RequestOf(iq.From.Bare);
        string nick = request?.Nick ?? entry?.Nick ?? input.Sender.ReservedNick
            ?? (inside.IsEmpty ? "" : inside[0].Nick);
        // [D] The form also for those who have registered: clients read from it what the room can do.
        return Succeed(iq, new Element(Namespaces.Register, "query",
            entry?.Nick is null ? null : new Element(Namespaces.Register, "registered"),
            entry?.Nick is null ? null : new Element(Namespaces.Register, "username", entry.Nick),
            new DataForm(DataFormType.Form, RegisterFormType,
            [
                FormField.Line(RoomNickVar, "Nickname", nick) with { IsRequired = true },
                .. OffersOffline ? [OfflineField(entry)] : Array.Empty<FormField>(),
                .. needsApproval ? DetailFields(request) : [],
            ])
            {
                Title = $"Registration with {DisplayName}",
                Instructions = !needsApproval ? []
                    : [request is null ? "An admin of the room will read what you write here." : "Your request waits."],
            }.ToElement()), effects);
    }

    FormField OfflineField(AffiliationEntry? entry) => FormField.Flag(OfflineVar,
        "Receive messages while not in the room", entry?.OfflineDelivery ?? Policy.OfflineDeliveryDefault);

    StanzaError? ReceiveRegistration(Iq iq, Element query, in RoomInput input, List<RoomEffect> effects)
    {
        if (CheckRegistration(iq.From, input.Sender) is { } refusal) return refusal;
        if (query.Child("remove") is not null) return Unregister(iq, input, effects);
        if (query.Child(Namespaces.DataForms, "x") is not { } x) return StanzaError.BadRequest;
        if (DataForm.Read(x, out var problem) is not { } form) return problem;
        if (form.Type == DataFormType.Cancel) return Succeed(iq, null, effects);
        if (form.Type != DataFormType.Submit || form.FormType != RegisterFormType) return StanzaError.BadRequest;
        return Register(iq, form, input, effects);
    }

    /// <summary>Takes what the form names; each field alone, so that one can be changed without the other.</summary>
    StanzaError? Register(Iq iq, DataForm form, in RoomInput input, List<RoomEffect> effects)
    {
        var user = iq.From.Bare;
        var entry = _affiliations.Exactly(user);
        if (!form.TryBoolean(OfflineVar, out bool? offline)) return StanzaError.BadRequest;
        if (!OffersOffline) offline = null; // nobody was asked
        string? nick = entry?.Nick;
        if (form.Value(RoomNickVar) is { Length: > 0 } wanted)
        {
            if (!Address.TryWithResource(wanted, out var inRoom) || CheckNick(inRoom) is not null) return UnusableNick;
            nick = inRoom.Resource.ToString();
            if (CheckNickFree(user, inRoom, default, mayShare: true) is { } taken) return taken;
        }
        if (nick is null) return NoNickGiven;
        if (NeedsApproval(iq.From, input.Sender)) return TakeRequest(iq, nick, offline, form, input, effects);
        if (entry is null && _affiliations.Count >= Policy.AffiliationsMax) return AffiliationsFull;
        var version = StoreAffiliation(
            (entry ?? new AffiliationEntry(user, Affiliation.Member) { SelfRegistered = true }) with
            {
                Nick = nick,
                OfflineDelivery = offline ?? entry?.OfflineDelivery,
            }, input, effects);
        Succeed(iq, null, effects);
        ShowAffiliation(user, version, null, null, input, effects);
        if (LocksNicks) EnforceNick(user, nick, effects);
        return null;
    }

    // muc-offline-delivery.md §9: where registered nicks must be used, a session under another one enters again.
    void EnforceNick(Jid user, string nick, List<RoomEffect> effects)
    {
        foreach (var occupant in _occupants.OfUser(user))
        {
            if (occupant.Nick == nick) continue;
            RemoveOccupant(occupant, new Departure(MucStatus.TechnicalError)
            {
                Reason = "Please enter again with your registered nickname",
            }, effects);
        }
    }

    StanzaError? Unregister(Iq iq, in RoomInput input, List<RoomEffect> effects)
    {
        Succeed(iq, null, effects);
        var user = iq.From.Bare;
        if (_affiliations.RequestOf(user) is not null) EndRequest(user, effects);
        if (_affiliations.Exactly(user) is not { } entry) return null;
        if (entry.Nick is null && entry.OfflineDelivery is null) return null;
        // [D] Membership goes only where registering gave it and it is not what lets the user in.
        bool leaves = entry is { SelfRegistered: true, Affiliation: Affiliation.Member } && !_options.MembersOnly;
        var version = StoreAffiliation(entry with
        {
            Affiliation = leaves ? Affiliation.None : entry.Affiliation,
            Nick = null,
            OfflineDelivery = null,
        }, input, effects);
        ShowAffiliation(user, version, null, null, input, effects);
        return null;
    }
}
