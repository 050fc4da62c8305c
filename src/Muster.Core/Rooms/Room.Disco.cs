using System.Globalization;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// What a room says of itself (XEP-0045 §6.4 #disco-roominfo, §6.5 #disco-roomitems).
public sealed partial class Room
{
    const string ReservedNickNode = "x-roomuser-item";
    const string TrafficNode = "http://jabber.org/protocol/muc#traffic";

    static readonly string[] StaticFeatures =
    [
        Namespaces.DiscoInfo, Namespaces.DiscoItems, Namespaces.Muc,
        "http://jabber.org/protocol/muc#stable_id",
        "http://jabber.org/protocol/muc#self-ping-optimization",
        Namespaces.StanzaIds, Namespaces.OccupantId, Namespaces.Ping,
    ];

    /// <summary>The name for people: the title, or the local part when there is none.</summary>
    public string DisplayName => _options.Title.Length > 0 ? _options.Title : Address.Local.ToString();

    StanzaError? AnswerInfo(Iq iq, Element query, in RoomInput input, List<RoomEffect> effects) =>
        query.Attribute("node") switch
    {
        null or "" => Succeed(iq, RoomInfo(), effects),
        ReservedNickNode => Succeed(iq, ReservedNickInfo(iq.From, input.Sender), effects),
        TrafficNode => StanzaError.FeatureNotImplemented,
        _ => StanzaError.ItemNotFound,
    };

    Element RoomInfo()
    {
        var o = _options;
        IEnumerable<string> features =
        [
            .. StaticFeatures,
            o.Public ? "muc_public" : "muc_hidden",
            o.Persistent ? "muc_persistent" : "muc_temporary",
            o.MembersOnly ? "muc_membersonly" : "muc_open",
            o.Anonymous ? "muc_semianonymous" : "muc_nonanonymous",
            o.Moderated ? "muc_moderated" : "muc_unmoderated",
            o.PasswordProtected ? "muc_passwordprotected" : "muc_unsecured",
        ];
        return new Element(Namespaces.DiscoInfo, "query",
        [
            new Element(Namespaces.DiscoInfo, "identity").With("category", "conference").With("type",
                "text").With("name", DisplayName),
            .. features.Select(var => new Element(Namespaces.DiscoInfo, "feature").With("var", var)),
            RoomInfoForm(),
        ]);
    }

    Element RoomInfoForm() => new Element(Namespaces.DataForms, "x",
    [
        Field("FORM_TYPE", "hidden", null, "http://jabber.org/protocol/muc#roominfo"),
        Field("muc#roominfo_description", "text-single", "Description", _options.Description),
        Field("muc#roominfo_occupants", "text-single", "Number of occupants",
            _occupants.Count.ToString(CultureInfo.InvariantCulture)),
        Field("muc#roominfo_subject", "text-single", "Subject", _subject.Text),
        Field("muc#roominfo_subjectmod", "boolean", "Occupants may change the subject", _options.AllowSubjectChange
            ? "1" : "0"),
        _options.Language.Length > 0 ? Field("muc#roominfo_lang", "text-single", "Language", _options.Language) : null,
        Field("muc#maxhistoryfetch", "text-single", "Messages of history on entering",
            HistoryCount.ToString(CultureInfo.InvariantCulture)),
    ]).With("type", "result");

    // XEP-0045 §7.12 #reservednick: an empty answer means that none is reserved.
    Element ReservedNickInfo(Jid user, in SenderFacts facts)
    {
        string? nick = _affiliations.Exactly(user.Bare)?.Nick ?? facts.ReservedNick;
        return new Element(Namespaces.DiscoInfo, "query",
            nick is null ? null : new Element(Namespaces.DiscoInfo, "identity")
                .With("category", "conference").With("type", "text").With("name", nick))
            .With("node", ReservedNickNode);
    }

    StanzaError? AnswerItems(Iq iq, Element query, in RoomInput input, List<RoomEffect> effects)
    {
        if (query.Attribute("node") is { Length: > 0 } node)
            return node == TrafficNode ? StanzaError.FeatureNotImplemented : StanzaError.ItemNotFound;
        bool insider = _occupants.TryFind(iq.From, out _) || AffiliationOf(iq.From, input.Sender) >= Affiliation.Admin;
        if (!_options.PublicList && !insider) return StanzaError.Forbidden;
        return Succeed(iq, new Element(Namespaces.DiscoItems, "query",
            _occupants.All.Where(IsShown).Select(occupant => new Element(Namespaces.DiscoItems, "item")
                .With("jid", occupant.InRoom.ToString()).With("name", occupant.Nick))), effects);
    }

    static Element Field(string var, string type, string? label, params IEnumerable<string> values) =>
        new Element(Namespaces.DataForms, "field", values.Select(value => new Element(Namespaces.DataForms, "value",
            value)))
            .With("var", var).With("type", type).With("label", label);
}
