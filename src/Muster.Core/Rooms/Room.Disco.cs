using System.Globalization;
using Muster.Core.Archive;
using Muster.Core.RoomLogs;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// What a room says of itself (XEP-0045 §6.4 #disco-roominfo, §6.5 #disco-roomitems).
public sealed partial class Room
{
    const string ReservedNickNode = "x-roomuser-item";
    const int ContactsMax = 10;
    const string TrafficNode = "http://jabber.org/protocol/muc#traffic";

    static readonly string[] StaticFeatures =
    [
        Namespaces.DiscoInfo, Namespaces.DiscoItems, Namespaces.Muc,
        "http://jabber.org/protocol/muc#stable_id",
        "http://jabber.org/protocol/muc#self-ping-optimization",
        "http://jabber.org/protocol/muc#request",
        Namespaces.Register,
        ModerateNamespace, HatsNamespace, CommandsNamespace, Namespaces.VcardTemp,
        Namespaces.StanzaIds, Namespaces.OccupantId, Namespaces.Ping, MucVersion.Namespace,
    ];

    static readonly string[] ArchiveFeatures = [ArchiveRequest.Namespace, ArchiveRequest.Extended];

    /// <summary>The name for people: the title, or the local part when there is none.</summary>
    public string DisplayName => _options.Title.Length > 0 ? _options.Title : Address.Local.ToString();

    StanzaError? AnswerInfo(Iq iq, Element query, in RoomInput input, List<RoomEffect> effects) =>
        query.Attribute("node") switch
    {
        null or "" => Succeed(iq, RoomInfo(input.Now), effects),
        ReservedNickNode => Succeed(iq, ReservedNickInfo(iq.From, input.Sender), effects),
        TrafficNode => StanzaError.FeatureNotImplemented,
        _ => StanzaError.ItemNotFound,
    };

    Element RoomInfo(DateTimeOffset now)
    {
        var o = _options;
        return new DiscoInfo
        {
            Identities = [new("conference", "text", DisplayName)],
            Features =
            [
                .. StaticFeatures,
                o.Public ? "muc_public" : "muc_hidden",
                o.Persistent ? "muc_persistent" : "muc_temporary",
                o.MembersOnly ? "muc_membersonly" : "muc_open",
                o.Anonymous ? "muc_semianonymous" : "muc_nonanonymous",
                o.Moderated ? "muc_moderated" : "muc_unmoderated",
                o.PasswordProtected ? "muc_passwordprotected" : "muc_unsecured",
                .. Policy.AnswersArchiveQueries ? ArchiveFeatures : [],
                .. OffersOffline ? [OfflineFeature] : Array.Empty<string>(),
                .. Policy.Features,
            ],
            Forms = [RoomInfoForm(now)],
        }.ToElement();
    }

    DataForm RoomInfoForm(DateTimeOffset now) => new(DataFormType.Result, "http://jabber.org/protocol/muc#roominfo",
        FormField.Line("muc#roominfo_description", "Description", _options.Description),
        FormField.Line("muc#roominfo_occupants", "Number of occupants", Number(_occupants.Count)),
        FormField.Line("muc#roominfo_subject", "Subject", _subject.Text),
        FormField.Flag("muc#roominfo_subjectmod", "Occupants may change the subject", _options.AllowSubjectChange),
        FormField.Line("muc#roominfo_slow_mode_duration", "Seconds between two messages", Number(SlowModeSeconds)),
        Contacts is { Count: > 0 } contacts
            ? FormField.Addresses("muc#roominfo_contactjid", "Contact", contacts) : null,
        LogAddress is { } log ? FormField.Line("muc#roominfo_logs", "Public log", log) : null,
        _options.Language.Length > 0 ? FormField.Line("muc#roominfo_lang", "Language", _options.Language) : null,
        Activity(now) is { } activity ? FormField.Line(ActivityVar, "Messages per hour", activity) : null,
        _avatarHashes.Count == 0 ? null
            : new FormField("muc#roominfo_avatarhash", FieldType.TextMulti, _avatarHashes) { Label = "Avatar hash" },
        HatsHash is { } hash ? FormField.Line("hats#hash", "Hats hash", hash) : null,
        FormField.Line("muc#maxhistoryfetch", "Messages of history on entering", Number(HistoryCount)));

    // XEP-0045 §6.4: normally the owners. [D] Where addresses are hidden, only whom an owner named.
    List<Jid> Contacts => Jid.TryParse(_options.Contact, out var contact) ? [contact]
        : _options.Anonymous ? []
        : [.. _affiliations.All.Where(entry => entry is { Affiliation: Affiliation.Owner, User.HasLocal: true })
            .Select(entry => entry.User.Bare).Distinct().Order().Take(ContactsMax)];

    string? LogAddress => !_options.Logging || Policy.LogsAddress is not { } address ? null
        : $"{address.TrimEnd('/')}/{Uri.EscapeDataString(RoomLogFile.Folder(Address, LogStyle))}/";

    RoomLogStyle LogStyle => new() { IsNamedByAddress = Policy.LogsAreByAddress };

    // XEP-0500 §4: what holds for an occupant, whoever laid it down.
    int SlowModeSeconds =>
        (int)Math.Ceiling(Math.Max(_options.SlowModeSeconds, Policy.MessageIntervalMin.TotalSeconds));

    static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    // XEP-0045 §7.12 #reservednick: an empty answer means that none is reserved.
    Element ReservedNickInfo(Jid user, in SenderFacts facts)
    {
        string? nick = _affiliations.Exactly(user.Bare)?.Nick ?? facts.ReservedNick;
        if (nick is null) return new Element(Namespaces.DiscoInfo, "query").With("node", ReservedNickNode);
        return new DiscoInfo { Identities = [new("conference", "text", nick)], Node = ReservedNickNode }.ToElement();
    }

    StanzaError? AnswerItems(Iq iq, Element query, in RoomInput input, List<RoomEffect> effects)
    {
        if (query.Attribute("node") == CommandsNamespace) return AnswerCommands(iq, input, effects);
        if (query.Attribute("node") is { Length: > 0 } node)
            return node == TrafficNode ? StanzaError.FeatureNotImplemented : StanzaError.ItemNotFound;
        bool insider = _occupants.TryFind(iq.From, out _) || AffiliationOf(iq.From, input.Sender) >= Affiliation.Admin;
        if (!_options.PublicList && !insider) return StanzaError.Forbidden;
        if (ResultSetRequest.Read(query, out var problem) is not { } request) return problem;
        var shown = _occupants.All.Where(IsShown).OrderBy(occupant => occupant.Nick, StringComparer.Ordinal).ToList();
        var (items, page) = ResultSet.Page(shown, occupant => occupant.Nick, request, Policy.ListPageMax);
        return Succeed(iq, new DiscoItems
        {
            Items = [.. items.Select(occupant => new DiscoItem(occupant.InRoom, occupant.Nick))],
            // Who did not ask for a page hears of pages only when there are more.
            Page = request == new ResultSetRequest() && items.Count == shown.Count ? null : page,
        }.ToElement(), effects);
    }

    // XEP-0050 §2.2: only what the asker may use.
    StanzaError? AnswerCommands(Iq iq, in RoomInput input, List<RoomEffect> effects)
    {
        bool owner = AffiliationOf(iq.From, input.Sender) == Affiliation.Owner;
        return Succeed(iq, new DiscoItems
        {
            Items = owner ? [.. HatCommands.Select(command => new DiscoItem(Address, command.Name, command.Node))] : [],
            Node = CommandsNamespace,
        }.ToElement(), effects);
    }
}
