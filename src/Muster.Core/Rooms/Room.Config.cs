using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// The owner's form (XEP-0045 §10.1.3 #createroom-reserved, §10.2 #roomconfig) and the end of a room (§10.9
// #destroyroom).
public sealed partial class Room
{
    const string ConfigFormType = "http://jabber.org/protocol/muc#roomconfig";
    const string OwnersVar = "muc#roomconfig_roomowners";
    const string PrivateMessagesVar = "allow_private_messages"; // yes or no: the older field of muc#roomconfig_allowpm
    const string AdminsVar = "muc#roomconfig_roomadmins";

    static readonly int[] MaxUsersChoices = [5, 10, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000];
    static readonly StanzaError OwnersOnly = StanzaError.Forbidden.WithText("Owner privileges required");
    static readonly StanzaError MayNotConfigure =
        StanzaError.NotAcceptable.WithText("You are not allowed to configure this");
    static readonly StanzaError EmptyPassword = StanzaError.NotAcceptable.WithText("A protected room needs a password");

    StanzaError? AnswerForm(Iq iq, in RoomInput input, List<RoomEffect> effects) =>
        AffiliationOf(iq.From, input.Sender) == Affiliation.Owner
            ? Succeed(iq, new Element(Namespaces.MucOwner, "query", ConfigForm(input.Sender)), effects)
            : OwnersOnly;

    Element ConfigForm(SenderFacts facts) => new DataForm(DataFormType.Form, ConfigFormType,
    [
        .. RoomOption.All.Where(option => IsOffered(option, facts)).Select(OptionField),
        FormField.Flag(PrivateMessagesVar, "Private messages are allowed", AllowsPrivateMessages),
        FormField.Addresses(AdminsVar, "Room admins", Users(Affiliation.Admin)),
        FormField.Addresses(OwnersVar, "Room owners", Users(Affiliation.Owner)),
    ])
    {
        Title = $"Configuration of room {Address}",
    }.ToElement();

    IEnumerable<Jid> Users(Affiliation affiliation) =>
        _affiliations.All.Where(entry => entry.Affiliation == affiliation).Select(entry => entry.User).Order();

    // muc.md §13: some fields are for those whom the service allows them.
    static bool IsOffered(RoomOption option, in SenderFacts facts) => option.Name switch
    {
        "persistent" => facts.MayPersist || facts.IsServiceAdmin,
        "logging" => facts.MayLog,
        _ => true,
    };

    FormField OptionField(RoomOption option)
    {
        // muc.md §13: the secret of a room that is not protected stays out of sight.
        bool isHidden = option.Kind == RoomOptionKind.Secret && !_options.PasswordProtected;
        return new FormField(option.FormVar, option.Kind switch
        {
            RoomOptionKind.Flag => FieldType.Boolean,
            RoomOptionKind.Secret => FieldType.TextPrivate,
            RoomOptionKind.Set => FieldType.ListMulti,
            RoomOptionKind.Choice or RoomOptionKind.Number => FieldType.ListSingle,
            _ => FieldType.TextSingle,
        }, isHidden ? [] : option.Read(_options))
        {
            Label = option.Label,
            Range = option.Range,
            Options = option.Kind == RoomOptionKind.Number ? NumberChoices() : option.Choices,
        };
    }

    ImmutableArray<FormOption> NumberChoices() =>
    [
        .. MaxUsersChoices.Append(_options.MaxUsers).Append(Policy.UsersMax)
            .Where(count => count <= Policy.UsersMax).Distinct().Order()
            .Select(count => count.ToString(CultureInfo.InvariantCulture))
            .Select(text => new FormOption(text, text)),
        new("none", "As many as the service allows"),
    ];

    StanzaError? ReceiveOwnerSet(Iq iq, Element query, in RoomInput input, List<RoomEffect> effects)
    {
        if (AffiliationOf(iq.From, input.Sender) != Affiliation.Owner) return OwnersOnly;
        if (query.Child("destroy") is { } destroy) return Destroy(iq, destroy, effects);
        // What is no form to submit or cancel: a locked room says that it does not exist, as to all else (muc.md §3.1).
        var unusable = _state == State.Locked ? StanzaError.ItemNotFound : StanzaError.BadRequest;
        if (query.Child(Namespaces.DataForms, "x") is not { } x) return unusable;
        if (DataForm.Read(x, out var problem) is not { } form)
            return problem == StanzaError.BadRequest ? unusable : problem;
        switch (form.Type)
        {
            case DataFormType.Cancel:
                return CancelForm(iq, effects);
            case DataFormType.Submit:
                if (Submit(form, ActorOf(iq, input.Sender), input, effects) is { } refusal) return refusal;
                return Succeed(iq, null, effects);
            default:
                return unusable;
        }
    }

    // XEP-0045 §10.1.3: cancelling the first configuration destroys the room that never was.
    StanzaError? CancelForm(Iq iq, List<RoomEffect> effects)
    {
        Succeed(iq, null, effects);
        var end = new Departure(0) { Destroy = new MucDestroy(), Affiliation = Affiliation.None };
        if (_state == State.Locked) RemoveAll(end, effects);
        return null;
    }

    /// <summary>Applies a form: all of it or, with an error, nothing.</summary>
    StanzaError? Submit(DataForm form, in Actor actor, in RoomInput input, List<RoomEffect> effects)
    {
        if (form.FormType is { } type && type != ConfigFormType) return StanzaError.BadRequest;
        var options = _options;
        foreach (var field in form.Fields)
        {
            if (OptionOf(field.Var) is not { } option) continue;
            var values = option.Name == "max_users" ? MaxUsers(field.Values) : [.. field.Values];
            // Two fields may stand for one option: the one that was not touched must not undo the other.
            if (IsUntouched(field, option, values)) continue;
            if (option.Write(options, values) is not { } changed) return StanzaError.BadRequest;
            options = changed;
            if (!IsOffered(option, input.Sender) && Changes(option, options)) return MayNotConfigure;
        }
        if (CheckOptions(options) is { } refusal) return refusal;
        if (!TryUsers(form, OwnersVar, out var owners) || !TryUsers(form, AdminsVar, out var admins))
            return StanzaError.JidMalformed;
        var lists = ListChanges(owners, admins);
        if (lists.Count > 0 && CheckList(lists) is { } broken) return broken;
        ApplyOptions(options, input, effects);
        foreach (var item in lists) ApplyAffiliation(item, item.Affiliation!.Value, actor, input, effects);
        if (_state == State.Locked) Unlock(effects);
        return null;
    }

    bool AllowsPrivateMessages => _options.PrivateMessages != PrivateMessages.None;

    bool IsUntouched(FormField field, RoomOption option, ImmutableArray<string> values) =>
        field.Var == PrivateMessagesVar
            ? FormField.TryBoolean(field.First, out bool allow) && allow == AllowsPrivateMessages
            : option.Read(_options).SequenceEqual(values, StringComparer.Ordinal);

    /// <summary>The option of a form field; names that older forms used are understood too. Unknown fields are ignored
    /// [D].</summary>
    static RoomOption? OptionOf(string var) => RoomOption.ByFormVar(var switch
    {
        "anonymous" => "muc#roomconfig_whois",
        PrivateMessagesVar => "muc#roomconfig_allowpm",
        "muc#maxhistoryfetch" => "muc#roomconfig_historylength",
        _ => var,
    });

    bool Changes(RoomOption option, RoomOptions options) =>
        !option.Read(options).SequenceEqual(option.Read(_options), StringComparer.Ordinal);

    // "none" in the list of the form: as many as the service lets in.
    ImmutableArray<string> MaxUsers(IReadOnlyList<string> values) =>
        values is ["none" or ""] ? [Policy.UsersMax.ToString(CultureInfo.InvariantCulture)] : [.. values];

    StanzaError? CheckOptions(RoomOptions options)
    {
        // muc.md §13: where another service checks passwords the room needs none of its own.
        bool needsPassword = options.PasswordProtected && !Policy.ExternalPasswords;
        if (needsPassword && options.Password.Length == 0) return EmptyPassword;
        if (Encoding.UTF8.GetByteCount(options.Title) > Policy.TitleBytesMax) return MayNotConfigure;
        if (Encoding.UTF8.GetByteCount(options.Description) > Policy.DescriptionBytesMax) return MayNotConfigure;
        if (options.MaxUsers > Policy.UsersMax && options.MaxUsers != _options.MaxUsers) return MayNotConfigure;
        return options.HistoryLength > Policy.HistorySizeMax ? MayNotConfigure : null;
    }

    /// <summary>The users of a list in a form; null when the form does not have it. False when one is no
    /// user.</summary>
    static bool TryUsers(DataForm form, string var, out HashSet<Jid>? users)
    {
        users = null;
        if (!form.TryJids(var, out var jids)) return false;
        users = jids?.Select(jid => jid.Bare).ToHashSet();
        return users is null || users.All(user => user.HasLocal);
    }

    /// <summary>Lists in a form are whole: who is not in them any more loses the affiliation, and becomes a
    /// member.</summary>
    List<MucItem> ListChanges(HashSet<Jid>? owners, HashSet<Jid>? admins)
    {
        var changes = new List<MucItem>();
        foreach (var entry in _affiliations.All.Where(entry => entry.Affiliation >= Affiliation.Admin))
        {
            var list = entry.Affiliation == Affiliation.Owner ? owners : admins;
            bool elsewhere = owners?.Contains(entry.User) == true || admins?.Contains(entry.User) == true;
            if (list is not null && !list.Contains(entry.User) && !elsewhere)
                changes.Add(new MucItem(Affiliation.Member, Jid: entry.User));
        }
        foreach (var user in owners ?? [])
            if (Listed(user) != Affiliation.Owner) changes.Add(new MucItem(Affiliation.Owner, Jid: user));
        foreach (var user in admins ?? [])
        {
            // Who stands in both lists is an owner.
            bool owner = owners is null ? Listed(user) == Affiliation.Owner : owners.Contains(user);
            if (!owner && Listed(user) != Affiliation.Admin) changes.Add(new MucItem(Affiliation.Admin, Jid: user));
        }
        return changes;
    }

    void ApplyOptions(RoomOptions options, in RoomInput input, List<RoomEffect> effects)
    {
        var before = _options;
        if (!options.ChangesFrom(before).Any()) return;
        _options = options;
        effects.Add(new RoomEffect.Configured(before, options));
        if (_state == State.Locked) return; // nobody is inside who would not know; storage comes with unlocking
        if (before.Persistent && !options.Persistent)
        {
            Persist(new RoomChange.Deleted(), effects);
            _stored = false;
        }
        else if (!before.Persistent && options.Persistent)
        {
            Store(effects);
        }
        else
        {
            Persist(new RoomChange.Configured(options, _profile), effects);
        }
        ShowByRoles(before, effects);
        if (!before.MembersOnly && options.MembersOnly) RemoveNonMembers(effects);
        NotifyConfiguration(before, options, input, effects);
    }

    /// <summary>Occupants of roles whose presence is shown from now on come, those of the others go.</summary>
    void ShowByRoles(RoomOptions before, List<RoomEffect> effects)
    {
        foreach (var occupant in _occupants.All)
        {
            bool wasShown = IsShown(occupant, before), isShown = IsShown(occupant);
            if (wasShown && !isShown)
                CastUnavailable(occupant, occupant.Representative.Real, new Departure(0), effects);
            else if (isShown && !wasShown)
                CastAvailable(occupant, AudienceOf(occupant), effects);
        }
    }

    // XEP-0045 §10.2.1: who has no affiliation is not allowed any more.
    void RemoveNonMembers(List<RoomEffect> effects)
    {
        foreach (var occupant in _occupants.All.Where(occupant => occupant.Affiliation == Affiliation.None).ToArray())
            RemoveOccupant(occupant, new Departure(MucStatus.NowMembersOnly), effects);
    }

    // XEP-0045 §10.2.1 #roomconfig-notify: every code that applies, in one message.
    void NotifyConfiguration(RoomOptions before, RoomOptions after, in RoomInput input, List<RoomEffect> effects)
    {
        bool recordsMore = (after.Logging && !before.Logging) || (after.Archiving && !before.Archiving);
        bool recordsLess = (!after.Logging && before.Logging) || (!after.Archiving && before.Archiving);
        bool others =
            after.ChangesFrom(before).Any(option => option.Name is not ("logging" or "archiving" or "anonymous"));
        List<int> statuses = [];
        if (recordsMore) statuses.Add(MucStatus.LoggingOn);
        if (recordsLess) statuses.Add(MucStatus.LoggingOff);
        if (before.Anonymous && !after.Anonymous) statuses.Add(MucStatus.NowNonAnonymous);
        if (!before.Anonymous && after.Anonymous) statuses.Add(MucStatus.NowSemiAnonymous);
        if (others) statuses.Add(MucStatus.ConfigurationChanged);
        Notify(input, effects, [.. statuses]);
    }

    void Notify(in RoomInput input, List<RoomEffect> effects, params ReadOnlySpan<int> statuses)
    {
        if (_occupants.SessionCount == 0 || statuses.IsEmpty) return;
        var news = new MucUser { Statuses = statuses.ToArray() }.ToElement();
        effects.Add(new RoomEffect.Broadcast(
            new Message(MessageType.Groupchat, Address, default, MakeId(input), news), _occupants.Sessions));
    }

    StanzaError? Destroy(Iq iq, Element element, List<RoomEffect> effects)
    {
        if (MucDestroy.Read(element, out var problem) is not { } destroy) return problem;
        RemoveAll(new Departure(0) { Destroy = destroy, Affiliation = Affiliation.None, Reason = null }, effects);
        Persist(new RoomChange.Deleted(), effects);
        _stored = false;
        effects.Add(new RoomEffect.Destroyed(destroy.Alternate, destroy.Reason));
        Succeed(iq, null, effects);
        Close(effects);
        return null;
    }
}
