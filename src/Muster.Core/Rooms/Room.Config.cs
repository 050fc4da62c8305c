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

    Element ConfigForm(SenderFacts facts) => new Element(Namespaces.DataForms, "x",
    [
        new Element(Namespaces.DataForms, "title", $"Configuration of room {Address}"),
        Field("FORM_TYPE", "hidden", null, ConfigFormType),
        .. RoomOption.All.Where(option => IsOffered(option, facts)).Select(OptionField),
        Field(AdminsVar, "jid-multi", "Room admins", Users(Affiliation.Admin)),
        Field(OwnersVar, "jid-multi", "Room owners", Users(Affiliation.Owner)),
    ]).With("type", "form");

    IEnumerable<string> Users(Affiliation affiliation) =>
        _affiliations.All.Where(entry => entry.Affiliation == affiliation).Select(entry => entry.User).Order()
            .Select(user => user.ToString());

    // muc.md §13: some fields are for those whom the service allows them.
    static bool IsOffered(RoomOption option, in SenderFacts facts) => option.Name switch
    {
        "persistent" => facts.MayPersist || facts.IsServiceAdmin,
        "logging" => facts.MayLog,
        _ => true,
    };

    Element OptionField(RoomOption option)
    {
        var values = option.Read(_options);
        var field = option.Kind switch
        {
            RoomOptionKind.Flag => Field(option.FormVar, "boolean", option.Label, values),
            // muc.md §13: the secret of a room that is not protected stays out of sight.
            RoomOptionKind.Secret =>
                Field(option.FormVar, "text-private", option.Label, _options.PasswordProtected ? values : []),
            RoomOptionKind.Set => Field(option.FormVar, "list-multi", option.Label, values),
            RoomOptionKind.Choice or RoomOptionKind.Number =>
                Field(option.FormVar, "list-single", option.Label, values),
            _ => Field(option.FormVar, "text-single", option.Label, values),
        };
        var choices = option.Kind == RoomOptionKind.Number ? NumberChoices() : option.Choices;
        return field.Add(choices.Select(choice =>
            new Element(Namespaces.DataForms, "option", new Element(Namespaces.DataForms, "value",
                choice.Value)).With("label", choice.Label)));
    }

    ImmutableArray<(string Value, string Label)> NumberChoices() =>
    [
        .. MaxUsersChoices.Append(_options.MaxUsers).Append(Policy.UsersMax)
            .Where(count => count <= Policy.UsersMax).Distinct().Order()
            .Select(count => count.ToString(CultureInfo.InvariantCulture)).Select(text => (text, text)),
    ];

    StanzaError? ReceiveOwnerSet(Iq iq, Element query, in RoomInput input, List<RoomEffect> effects)
    {
        if (AffiliationOf(iq.From, input.Sender) != Affiliation.Owner) return OwnersOnly;
        if (query.Child("destroy") is { } destroy) return Destroy(iq, destroy, effects);
        var form = query.Child(Namespaces.DataForms, "x");
        switch (form?.Attribute("type"))
        {
            case "cancel":
                return CancelForm(iq, effects);
            case "submit":
                if (Submit(form!, ActorOf(iq, input.Sender), input, effects) is { } refusal) return refusal;
                return Succeed(iq, null, effects);
            default:
                return _state == State.Locked ? StanzaError.ItemNotFound : StanzaError.BadRequest;
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
    StanzaError? Submit(Element form, in Actor actor, in RoomInput input, List<RoomEffect> effects)
    {
        var options = _options;
        HashSet<Jid>? owners = null, admins = null;
        foreach (var field in form.Children(Namespaces.DataForms, "field"))
        {
            ImmutableArray<string> values =
                [.. field.Children(Namespaces.DataForms, "value").Select(value => value.Text)];
            string var = field.Attribute("var") ?? "";
            if (var == OwnersVar || var == AdminsVar)
            {
                if (!TryUsers(values, out var users)) return StanzaError.JidMalformed;
                if (var == OwnersVar) owners = users;
                else admins = users;
            }
            else if (OptionOf(var) is { } option)
            {
                if (option.Name == "max_users") values = MaxUsers(values);
                if (option.Write(options, values) is not { } changed) return StanzaError.BadRequest;
                options = changed;
                if (!IsOffered(option, input.Sender) && Changes(option, options)) return MayNotConfigure;
            }
        }
        if (CheckOptions(options) is { } refusal) return refusal;
        var lists = ListChanges(owners, admins);
        if (lists.Count > 0 && CheckList(lists) is { } broken) return broken;
        ApplyOptions(options, input, effects);
        foreach (var item in lists) ApplyAffiliation(item, item.Affiliation!.Value, actor, input, effects);
        if (_state == State.Locked) Unlock(effects);
        return null;
    }

    /// <summary>The option of a form field; names that older forms used are understood too. Unknown fields are ignored
    /// [D].</summary>
    static RoomOption? OptionOf(string var) => RoomOption.ByFormVar(var switch
    {
        "anonymous" => "muc#roomconfig_whois",
        "allow_private_messages" => "muc#roomconfig_allowpm",
        "muc#maxhistoryfetch" => "muc#roomconfig_historylength",
        _ => var,
    });

    bool Changes(RoomOption option, RoomOptions options) =>
        !option.Read(options).SequenceEqual(option.Read(_options), StringComparer.Ordinal);

    // "none" in the list of the form: as many as the service lets in.
    ImmutableArray<string> MaxUsers(ImmutableArray<string> values) =>
        values is ["none" or ""] ? [Policy.UsersMax.ToString(CultureInfo.InvariantCulture)] : values;

    StanzaError? CheckOptions(RoomOptions options)
    {
        if (options.PasswordProtected && options.Password.Length == 0) return EmptyPassword;
        if (Encoding.UTF8.GetByteCount(options.Title) > Policy.TitleBytesMax) return MayNotConfigure;
        if (Encoding.UTF8.GetByteCount(options.Description) > Policy.DescriptionBytesMax) return MayNotConfigure;
        if (options.MaxUsers > Policy.UsersMax && options.MaxUsers != _options.MaxUsers) return MayNotConfigure;
        return options.HistoryLength > Policy.HistorySizeMax ? MayNotConfigure : null;
    }

    bool TryUsers(ImmutableArray<string> values, out HashSet<Jid> users)
    {
        users = [];
        foreach (string value in values)
        {
            if (value.Length == 0) continue;
            if (!Jid.TryParse(value, out var user) || !user.HasLocal
                || users.Count > Policy.AffiliationsMax) return false;
            users.Add(user.Bare);
        }
        return true;
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
            Persist(new RoomChange.Configured(options), effects);
        }
        if (!before.MembersOnly && options.MembersOnly) RemoveNonMembers(effects);
        NotifyConfiguration(before, options, input, effects);
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
        if (_occupants.SessionCount == 0) return;
        List<int> statuses = [];
        if (before.Logging != after.Logging) statuses.Add(after.Logging ? MucStatus.LoggingOn : MucStatus.LoggingOff);
        if (before.Anonymous != after.Anonymous) statuses.Add(after.Anonymous
            ? MucStatus.NowSemiAnonymous : MucStatus.NowNonAnonymous);
        if (after.ChangesFrom(before).Any(option => option.Name is not ("logging" or "anonymous")))
            statuses.Add(MucStatus.ConfigurationChanged);
        var news = new MucUser { Statuses = statuses }.ToElement();
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
