using System.Diagnostics.CodeAnalysis;
using Muster.Core.Limits;
using Muster.Protocol.Addresses;

namespace Muster.Server.Config;

/// <summary>One pattern of an access class, as the file has it.</summary>
sealed class AclPattern(Section s)
{
    static readonly (string, AccessScope)[] Scopes =
    [
        ("current_domain", AccessScope.CurrentDomain), ("any_hosted_domain", AccessScope.AnyHostedDomain),
        ("all", AccessScope.All), ("none", AccessScope.None),
    ];

    delegate bool Preparation(string text, [NotNullWhen(true)] out string? prepared);

    /// <summary>What the core evaluates.</summary>
    public AccessPattern Pattern { get; } = Read(s);

    static AccessPattern Read(Section s)
    {
        var scope = s.Choice("match", AccessScope.CurrentDomain,
            "Whose users: those of the domain for which the rule " +
            "is asked, those of every domain of this server, everybody, nobody. Every condition of a pattern must " +
            "hold, " +
            "this one too.", Scopes);
        var conditions = new List<AccessCondition>();
        AddConditions(s, conditions, "user", "user name", JidPart.User, JidPrep.TryLocal);
        AddConditions(s, conditions, "server", "domain", JidPart.Server, JidPrep.TryDomain);
        AddConditions(s, conditions, "resource", "resource", JidPart.Resource, JidPrep.TryResource);
        return new AccessPattern(scope, conditions);
    }

    static void AddConditions(Section s, List<AccessCondition> conditions, string key, string what, JidPart part,
        Preparation prepare)
    {
        Add(s.Parsed(key, null, null, $"text that can be the {what} of an address", $"The {what} is this.",
            text => prepare(text, out string? value) ? TextPattern.Exactly(value) : null, "any"));
        Add(s.Parsed(key + "_regexp", null, null, "a regular expression without back references and look-around",
            $"The {what} matches this regular expression somewhere.",
            static text => TextPattern.TryRegexp(text, out var pattern) ? pattern : null, "any"));
        Add(s.Parsed(key + "_glob", null, null, "a shell pattern of *, ?, [...] and [!...]",
            $"The {what} matches this shell pattern as a whole.",
            static text => TextPattern.TryGlob(text, out var pattern) ? pattern : null, "any"));

        void Add(TextPattern? pattern)
        {
            if (pattern is not null) conditions.Add(new AccessCondition(part, pattern));
        }
    }
}

/// <summary>One clause of an access rule, as the file has it.</summary>
sealed class AccessClauseConfig(Section s)
{
    /// <summary>What the core evaluates.</summary>
    public AccessClause Clause { get; } = new(
        s.Refer(ReferenceKind.AccessClass, "acl",
        s.RequiredText("acl", "all", "The access class; \"all\" has everybody.")),
        s.Custom("value", OptionKind.Text, "a non-empty string or a whole number", null,
        "What those of the class get: " +
            "\"allow\", \"deny\", and for rules that ask for them a number or the name of a shaper.", AccessValue.Deny,
            static (TomlValue value, out AccessValue result) =>
            {
                result = new AccessValue((value as TomlText)?.Value, (value as TomlInteger)?.Value);
                return result.Number is not null || result.Text is { Length: > 0 };
            }, example: "\"allow\""));
}

/// <summary>The classes and rules that are there without being defined; a definition in the file replaces
/// one.</summary>
static class BuiltInAccess
{
    /// <summary>Classes that rules may name and that nobody is in until they are defined.</summary>
    public static readonly string[] EmptyClasses = ["admin", "blocked"];

    static readonly Dictionary<string, IReadOnlyList<AccessPattern>> Classes = new()
    {
        ["local"] = [new AccessPattern(AccessScope.CurrentDomain, [])],
    };

    /// <summary>The rules of the configuration that MongooseIM comes with, so that its examples find what they
    /// name.</summary>
    static readonly Dictionary<string, IReadOnlyList<AccessClause>> Rules = new()
    {
        ["c2s"] = [new("blocked", AccessValue.Deny), new("all", AccessValue.Allow)],
        ["local"] = [new("local", AccessValue.Allow)],
        ["muc"] = [new("all", AccessValue.Allow)],
        ["muc_create"] = [new("local", AccessValue.Allow)],
        ["muc_admin"] = [new("admin", AccessValue.Allow)],
        ["account_admin"] = [new("admin", AccessValue.Allow)],
        ["register"] = [new("all", AccessValue.Allow)],
    };

    /// <summary>Rules that give a number: while they are not defined, [limits] has it.</summary>
    static readonly string[] NumberRules = ["max_user_sessions", "max_user_offline_messages"];

    /// <summary>Whether a rule of that name is there in any case.</summary>
    public static bool HasRule(string name) => RuleNames.Contains(name);

    /// <summary>Names for suggestions.</summary>
    public static IEnumerable<string> RuleNames => ["all", "none", .. Rules.Keys, .. NumberRules];

    /// <summary>Names for suggestions.</summary>
    public static IEnumerable<string> ClassNames => ["all", "none", .. Classes.Keys, .. EmptyClasses];

    /// <summary>The rules of a configuration and those that it leaves as they are.</summary>
    public static AccessRules With(IReadOnlyDictionary<string, IReadOnlyList<AclPattern>> classes,
        IReadOnlyDictionary<string, IReadOnlyList<AccessClauseConfig>> rules, IEnumerable<string> hosts)
    {
        var allClasses = new Dictionary<string, IReadOnlyList<AccessPattern>>(Classes);
        foreach (var (name, patterns) in classes) allClasses[name] = [.. patterns.Select(p => p.Pattern)];
        var allRules = new Dictionary<string, IReadOnlyList<AccessClause>>(Rules);
        foreach (var (name, clauses) in rules) allRules[name] = [.. clauses.Select(c => c.Clause)];
        return new AccessRules(allClasses, allRules, hosts);
    }
}

/// <summary>The speed that a shaper allows.</summary>
sealed class ShaperConfig(Section s)
{
    public int MaxRate { get; } = s.RequiredInt("max_rate", 100_000, "Bytes a second, or operations a second where a " +
        "shaper is for operations. One second's worth may come at once.", min: 1);
}

/// <summary>The bounds of the server, as the file changes them.</summary>
static class LimitsConfig
{
    public static ServerLimits Read(Section s)
    {
        var d = ServerLimits.Default;
        return new ServerLimits
        {
            OutboundBytesMax = s.Int("outbound_bytes", d.OutboundBytesMax, "What may wait to be written to one " +
                "connection; a client that reads more slowly is disconnected.", min: 65_536, unit: "bytes"),
            RoomMailboxLengthMax = s.Int("room_mailbox_length", d.RoomMailboxLengthMax,
            "Stanzas that may wait for one " +
                "room; whoever sends more is not read until it has caught up.", min: 16, max: 1_000_000,
                unit: "stanzas"),
            UnauthenticatedBytesMax = s.Int("unauthenticated_bytes", d.UnauthenticatedBytesMax,
                "What a connection may send before it is authenticated.", min: 10_000, unit: "bytes"),
            SessionsPerUserMax = s.Int("user_sessions", d.SessionsPerUserMax, "Sessions of an account at a time. The " +
                "access rule max_user_sessions, when defined, decides instead.", min: 1, unit: "sessions"),
            RosterItemsMax = s.Int("roster_items", d.RosterItemsMax, "Contacts of an account.", unit: "contacts"),
            RosterGroupsMax = s.Int("roster_groups", d.RosterGroupsMax, "Groups of a contact.", unit: "groups"),
            OfflineMessagesMax = s.Int("offline_messages", d.OfflineMessagesMax,
            "Messages kept for an account that is " +
                "offline. The access rule that mod_offline names, when defined, decides instead.", unit: "messages"),
            BlockListItemsMax = s.Int("block_list_items", d.BlockListItemsMax, "Addresses that an account may block.",
                unit: "addresses"),
            PrivateXmlBytesMax = s.Int("private_xml_bytes", d.PrivateXmlBytesMax, "Private XML of an account.",
            unit: "bytes"),
            VcardBytesMax = s.Int("vcard_bytes", d.VcardBytesMax, "One vCard, with its picture.", unit: "bytes"),
            WaitingStanzasMax = s.Int("waiting_stanzas", d.WaitingStanzasMax,
                "Stanzas that wait for an inactive client (XEP-0352); with one more, all are sent.", unit: "stanzas"),
            DirectedPresencesMax = s.Int("directed_presences", d.DirectedPresencesMax,
                "Rooms and other addresses outside the roster to which a session is present.", min: 1,
                unit: "addresses"),
            SubscriptionRequestsMax = s.Int("subscription_requests", d.SubscriptionRequestsMax,
                "Subscription requests that wait for the answer of an account.", min: 1, unit: "requests"),
            TokenClientsMax = s.Int("token_clients", d.TokenClientsMax,
                "Clients of an account that have a token to log in again with.", min: 1, unit: "clients"),
            InvitationsMax = s.Int("invitations", d.InvitationsMax, "Open invitations of an account.",
                unit: "invitations"),
            PeerQueueLengthMax = s.Int("peer_queue_length", d.PeerQueueLengthMax,
                "Stanzas that may wait for the connection to another server, for each pair of domains.", min: 1,
                unit: "stanzas"),
            PushRegistrationBytesMax = s.Int("push_registration", d.PushRegistrationBytesMax,
                "Most bytes of one push registration: the form and the wishes in it.", min: 1024, unit: "bytes"),
            PushEnablesPerHour = s.Int("push_enables_per_hour", d.PushEnablesPerHour,
                "Push registrations of a user in an hour, renewed ones included; 0 for no limit."),
            PeerRoutesMax = s.Int("peer_routes", d.PeerRoutesMax,
                "Pairs of a domain here and one of another server that stanzas are sent between.", min: 1,
                unit: "pairs"),
            PeerStreamsPerDomainMax = s.Int("peer_streams", d.PeerStreamsPerDomainMax,
                "Streams that one domain of another server may have open to this one.", min: 1, unit: "streams"),
            OfflineForwardRateMax = s.Int("offline_forward_rate", d.OfflineForwardRateMax,
                "Messages of rooms to one domain of another server, for its users who are members and away.", min: 1,
                unit: "stanzas/second"),
            OfflineForwardBytesMax = s.Int("offline_forward_bytes", d.OfflineForwardBytesMax,
                "What may wait to be sent to members of rooms who are away.", min: 65_536, unit: "bytes"),
            ComponentDomainsMax = s.Int("component_domains", d.ComponentDomainsMax,
                "Domains of external components, connected or not, since the start.", min: 1, unit: "domains"),
            RoomAffiliationsMax = s.Int("room_affiliations", d.RoomAffiliationsMax,
                "Affiliations and registered nicks of a room.", min: 1, unit: "entries"),
            ActivitySubscribersMax = s.Int("activity_subscribers", d.ActivitySubscribersMax,
                "Sessions that hear of activity in rooms that they are not in.", unit: "sessions"),
            ActivityRoomsMax = s.Int("activity_rooms", d.ActivityRoomsMax,
                "Rooms of which such a session hears.", unit: "rooms"),
        };
    }
}
