using System.Collections.Immutable;
using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Rooms;

// Becoming a member with an admin's approval (XEP-0045 §7.10 #register, §9.9 #regapprove). A request waits, also while
// the room sleeps, until an admin answers, the user takes it back, or its time is over.
public sealed partial class Room
{
    const string RegisterAllowVar = "muc#register_allow", RequesterVar = "muc#jid";
    const int DetailBytesMax = 1024, AbsentAdminsMax = 20;

    static readonly (string Var, string Label)[] Details =
    [
        ("muc#register_first", "Given name"), ("muc#register_last", "Family name"),
        ("muc#register_url", "Web page"), ("muc#register_email", "E-mail address"), (FaqVar, "About you"),
    ];
    const string FaqVar = "muc#register_faqentry";

    static readonly StanzaError TooManyRequests =
        StanzaError.ResourceConstraint.WithText("Too many requests wait for an answer");
    static readonly StanzaError RequestTooOften =
        StanzaError.ResourceConstraint.WithText("You have asked a moment ago");
    static readonly StanzaError DetailTooLong = StanzaError.NotAcceptable.WithText("What you wrote is too long");
    static readonly StanzaError OnlyAdminsApprove =
        StanzaError.Forbidden.WithText("Only owners and admins can approve registrations");
    static readonly StanzaError NoSuchRequest = StanzaError.ItemNotFound.WithText("There is no such request");

    bool NeedsApproval(Jid user, in SenderFacts facts) =>
        _options.RegistrationApproval && AffiliationOf(user, facts) == Affiliation.None;

    static IEnumerable<FormField> DetailFields(RegistrationRequest? request) => Details.Select(detail =>
    {
        string? value = request?.Details.GetValueOrDefault(detail.Var);
        return detail.Var == FaqVar
            ? FormField.Lines(detail.Var, detail.Label, value)
            : FormField.Line(detail.Var, detail.Label, value);
    });

    /// <summary>Keeps a request and asks the admins. A second one of the same user takes the place of the
    /// first.</summary>
    StanzaError? TakeRequest(Iq iq, string nick, bool? offline, DataForm form, in RoomInput input,
        List<RoomEffect> effects)
    {
        var user = iq.From.Bare;
        var now = input.Now;
        ForgetOldRequests(now, effects);
        var details = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (var, _) in Details)
        {
            if (form.Field(var)?.Text is not { Length: > 0 } text) continue;
            if (Encoding.UTF8.GetByteCount(text) > DetailBytesMax) return DetailTooLong;
            details[var] = text;
        }
        if (_affiliations.RequestOf(user) is { } before)
        {
            if (now - before.At < Policy.RequestInterval) return RequestTooOften;
        }
        else if (_affiliations.Requests >= Policy.RequestsMax)
        {
            return TooManyRequests;
        }
        bool isAsked = _affiliations.Past.Any(entry => entry.User != user && entry.Request?.Nick == nick);
        if (isAsked) return NickReserved;
        var request = new RegistrationRequest(nick, now)
        {
            Details = details.ToImmutable(),
            OfflineDelivery = offline,
        };
        _affiliations.SetRequest(user, request);
        PersistKnown(user, effects);
        Succeed(iq, null, effects);
        AskAdmins(user, request, input, effects);
        return null;
    }

    /// <summary>Asks the admins inside; when none is, all by their bare addresses, where their servers keep it for
    /// them.</summary>
    void AskAdmins(Jid user, RegistrationRequest request, in RoomInput input, List<RoomEffect> effects)
    {
        ImmutableArray<Jid> inside =
            [.. _occupants.All.Where(occupant => occupant.Affiliation >= Affiliation.Admin).SelectMany(SessionsOf)];
        var asked = !inside.IsEmpty ? inside
            : [.. _affiliations.All.Where(entry => entry.Affiliation >= Affiliation.Admin && entry.User.HasLocal)
                .OrderByDescending(entry => entry.Affiliation).ThenBy(entry => entry.User)
                .Select(entry => entry.User.Bare).Take(AbsentAdminsMax)];
        Cast(Question(user, request, input), asked, effects);
    }

    /// <summary>An admin who enters is asked what nobody has answered.</summary>
    void SendRequests(OccupantSession session, in RoomInput input, List<RoomEffect> effects)
    {
        if (_affiliations.Requests == 0 || session.Occupant.Affiliation < Affiliation.Admin) return;
        ForgetOldRequests(input.Now, effects);
        foreach (var entry in _affiliations.Past.Where(entry => entry.Request is not null)
            .OrderBy(entry => entry.Request!.At))
            effects.Add(new RoomEffect.Send(Question(entry.User, entry.Request!, input), session.Real));
    }

    Message Question(Jid user, RegistrationRequest request, in RoomInput input)
    {
        var form = new DataForm(DataFormType.Form, RegisterFormType,
        [
            FormField.Address(RequesterVar, "User", user),
            FormField.Line(RoomNickVar, "Desired nickname", request.Nick),
            .. DetailFields(request).Where(field => field.Values.Count > 0),
            FormField.Flag(RegisterAllowVar, "Allow this person to register with the room?", false),
        ])
        {
            Title = "Registration request",
            Instructions = [$"To let this person become a member of {DisplayName}, tick the box."],
        };
        return new Message(MessageType.Normal, Address, default, MakeId(input), form.ToElement());
    }

    /// <summary>The answer of an admin, who need not be inside.</summary>
    StanzaError? AnswerRequest(Jid admin, DataForm form, in RoomInput input, List<RoomEffect> effects)
    {
        if (AffiliationOf(admin, input.Sender) < Affiliation.Admin) return OnlyAdminsApprove;
        if (form.Type == DataFormType.Cancel) return null; // XEP-0045 §9.9: skipped, for somebody else to answer
        if (form.Type != DataFormType.Submit || !form.TryBoolean(RegisterAllowVar, out bool? allow) || allow is null)
            return StanzaError.BadRequest;
        if (!TryRequester(form, out var user)) return StanzaError.BadRequest;
        if (_affiliations.RequestOf(user) is not { } request) return NoSuchRequest;
        if (allow != true)
        {
            EndRequest(user, effects);
            return null;
        }
        if (_affiliations.Count >= Policy.AffiliationsMax) return AffiliationsFull;
        // The nick may be somebody's by now.
        if (!Address.TryWithResource(request.Nick, out var inRoom)) return UnusableNick;
        if (CheckNickFree(user, inRoom, default, mayShare: true) is { } taken) return taken;
        var version = StoreAffiliation(new AffiliationEntry(user, Affiliation.Member)
        {
            Nick = request.Nick,
            SelfRegistered = true,
            OfflineDelivery = request.OfflineDelivery,
        }, input, effects);
        bool inside = ShowAffiliation(user, version, null, null, input, effects);
        if (!inside) NotifyAbsent(user, Affiliation.Member, null, input, effects);
        else if (LocksNicks) EnforceNick(user, request.Nick, effects);
        return null;
    }

    /// <summary>Whose request a form answers: by address, or by the nick, which is asked for once at a time.</summary>
    bool TryRequester(DataForm form, out Jid user)
    {
        user = default;
        if (form.Value(RequesterVar) is { Length: > 0 } address)
        {
            if (!Jid.TryParse(address, out var jid)) return false;
            user = jid.Bare;
            return true;
        }
        if (form.Value(RoomNickVar) is not { Length: > 0 } text || !JidPrep.TryResource(text, out string? nick))
            return false;
        user = _affiliations.Past.FirstOrDefault(entry => entry.Request?.Nick == nick)?.User ?? default;
        return true;
    }

    void EndRequest(Jid user, List<RoomEffect> effects)
    {
        _affiliations.SetRequest(user, null);
        PersistKnown(user, effects);
    }

    void ForgetOldRequests(DateTimeOffset now, List<RoomEffect> effects)
    {
        if (_affiliations.Requests == 0) return;
        foreach (var entry in _affiliations.Past.ToArray())
            if (entry.Request is { } request && now - request.At > Policy.RequestTime) EndRequest(entry.User, effects);
    }
}
