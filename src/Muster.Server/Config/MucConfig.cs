using System.Collections.Immutable;
using System.Globalization;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;

namespace Muster.Server.Config;

/// <summary>Who may register with a room (XEP-0045 §7.10).</summary>
enum RegisterPolicy { Members, Anyone, Occupants }

/// <summary>Group chat (XEP-0045): the options of MongooseIM's mod_muc, and some of Prosody's.</summary>
sealed class MucConfig(Section s)
{
    const string HostPattern = "@HOST@";

    public bool Enabled { get; } = s.Enabled();

    public string Host { get; } = s.Parsed("host", "conference.@HOST@", "conference.@HOST@",
        "a domain name, in which @HOST@ may stand for the served domain",
        "Domain of the service. @HOST@ is replaced with each served domain.", AsHost, reloads: false);

    public string Backend { get; } = s.Choice("backend", "mnesia",
        "Where persistent rooms are kept. Both names mean the database of [storage].",
        [("mnesia", "mnesia"), ("rdbms", "rdbms")], reloads: false);

    public string OnlineBackend { get; } = s.Choice("online_backend", "mnesia",
        "Registry of the rooms that are online. Both names mean the one that there is, but the name must be enabled " +
        "under internal_databases.", [("mnesia", "mnesia"), ("cets", "cets")], reloads: false);

    public string Access { get; } = s.Rule("access", "all", "Access rule: who may use the service at all.");
    public string AccessCreate { get; } = s.Rule("access_create", "all", "Access rule: who may create rooms.");

    public string AccessAdmin { get; } = s.Rule("access_admin", "none",
        "Access rule: who is an owner of every room, limited by nothing.");

    public string AccessPersistent { get; } = s.Rule("access_persistent", "all",
        "Access rule: who may make a room persistent; they must own the room, too.");

    public int HistorySize { get; } = s.Int("history_size", 20, "Messages that newcomers are sent; 0 for none.",
        max: 1000, unit: "messages");

    public string? RoomShaper { get; } = s.Shaper("room_shaper", "Shaper of all messages of a room together.");

    public int? MaxRoomId { get; } = s.IntOrInfinity("max_room_id", null, "Longest name of a room in its address.",
        unit: "bytes");

    public int? MaxRoomName { get; } = s.IntOrInfinity(
        "max_room_name", null, "Longest title of a room.", unit: "bytes");

    public int? MaxRoomDesc { get; } = s.IntOrInfinity("max_room_desc", null, "Longest description of a room.",
        unit: "bytes");

    public TimeSpan MinMessageInterval { get; } = s.FractionalSeconds("min_message_interval", 0,
        "Shortest time between two messages of a user in a room: a second one waits, a third is refused.");

    public TimeSpan MinPresenceInterval { get; } = s.FractionalSeconds("min_presence_interval", 0,
        "Shortest time between two presences of a user in a room: of those that wait only the newest is kept.");

    public int MaxUsers { get; } = s.Int("max_users", 200, "Most sessions in a room, whatever its own option says.",
        min: 1, unit: "sessions");

    public int MaxUsersAdminThreshold { get; } = s.Int("max_users_admin_threshold", 5,
        "Sessions beyond the limit that owners and admins may still open.", min: 1, unit: "sessions");

    public string? UserMessageShaper { get; } = s.Shaper("user_message_shaper",
        "Shaper of the messages of one user in a room.");

    public string? UserPresenceShaper { get; } = s.Shaper("user_presence_shaper",
        "Shaper of the presences of one user in a room.");

    public int MaxUserConferences { get; } = s.Int("max_user_conferences", 10,
        "Rooms that a user may be in at a time; 0 lets nobody in.", unit: "rooms");

    public string? HttpAuthPool { get; } = s.HttpPool("http_auth_pool",
        "Pool under outgoing_pools.http that is asked whether a password is right, for password protected rooms.");

    public bool LoadPermanentRoomsAtStartup { get; } = s.Flag("load_permanent_rooms_at_startup", false,
        "Whether all stored rooms are loaded at start, instead of each when it is needed.", reloads: false);

    public TimeSpan? HibernateTimeout { get; } = s.MillisecondsOrInfinity("hibernate_timeout", 90_000,
        "A room that was quiet for this long gives back what memory it can.");

    public TimeSpan? HibernatedRoomCheckInterval { get; } = s.MillisecondsOrInfinity("hibernated_room_check_interval",
        null, "How often quiet rooms are looked at, to stop those of hibernated_room_timeout.", min: 1);

    public TimeSpan? HibernatedRoomTimeout { get; } = s.MillisecondsOrInfinity("hibernated_room_timeout", null,
        "A persistent room that gave its memory back this long ago, with nobody in it but an owner, is stopped; it " +
        "is loaded again when needed.");

    public RegisterPolicy RegisterPolicy { get; } = s.Choice("muc_register_policy", RegisterPolicy.Anyone,
        "Who may register a nick with a room, and so become a member: members, anyone (in members-only rooms still " +
        "members), or occupants.",
        [("members", RegisterPolicy.Members), ("anyone", RegisterPolicy.Anyone),
        ("occupants", RegisterPolicy.Occupants)]);

    public bool AutoReserveNicks { get; } = s.Flag("muc_auto_reserve_nicks", false,
        "Whether the nick that a member first enters with is registered for them.");

    public bool EnforceRegisteredNickname { get; } = s.Flag("enforce_registered_nickname", false,
        "Whether those who have a registered nick must use it.");

    public DefaultRoomConfig DefaultRoom { get; } = s.Table("default_room",
        "What a new room starts with. A change is for rooms that are made later.", t => new DefaultRoomConfig(t));

    /// <summary>The domain of the service of a served domain.</summary>
    public string HostFor(string domain) => Host.Replace(HostPattern, domain, StringComparison.Ordinal);

    static string? AsHost(string text)
    {
        // The pattern is upper case, which a domain in its normal form never is: put in after the test.
        const string Sample = "at-host-at.test";
        return JidPrep.TryDomain(text.Replace(HostPattern, Sample, StringComparison.Ordinal), out string? domain)
            ? domain.Replace(Sample, HostPattern, StringComparison.Ordinal)
            : null;
    }
}

/// <summary>What a new room starts with. The options are those of the room itself: <see
/// cref="RoomOption.All"/>.</summary>
sealed class DefaultRoomConfig(Section s)
{
    public RoomOptions Options { get; } = ReadOptions(s);

    public string Subject { get; } = s.Text("subject", "", "Subject of the discussion.");
    public string SubjectAuthor { get; } = s.Text("subject_author", "", "Nick under which the subject is shown.");

    public IReadOnlyList<DefaultAffiliation> Affiliations { get; } = s.Tables("affiliations",
        "Affiliations that every new room has, beside its creator's.", t => new DefaultAffiliation(t));

    static RoomOptions ReadOptions(Section s)
    {
        var defaults = new RoomOptions();
        var options = defaults;
        foreach (var row in RoomOption.All)
        {
            var before = options;
            options = s.Custom(row.Name, KindOf(row, defaults), Syntax(row, defaults), Literal(row, defaults),
                row.Label + ".",
                before, (TomlValue value, out RoomOptions result) =>
                {
                    var changed = Texts(row, defaults, value) is { } texts ? row.Write(before, texts) : null;
                    result = changed ?? before;
                    return changed is not null;
                }, unset: "as the service says", secret: row.Kind == RoomOptionKind.Secret);
        }
        return options;
    }

    /// <summary>A number that may be left out, or is typed, is a text in the form, but a number in the file.</summary>
    static bool IsTypedNumber(RoomOption row, RoomOptions defaults) =>
        row.Kind == RoomOptionKind.Text && (row.Range is not null || row.Read(defaults).IsEmpty);

    static bool IsSwitch(RoomOption row, RoomOptions defaults) =>
        row.Kind == RoomOptionKind.Flag ||
        (row.Kind == RoomOptionKind.Choice && row.Write(defaults, ["1"]) is not null);

    /// <summary>The value as the text that the row reads; null for a value of the wrong type.</summary>
    static ImmutableArray<string>? Texts(RoomOption row, RoomOptions defaults, TomlValue value) => value switch
    {
        TomlBoolean flag when IsSwitch(row, defaults) => [flag.Value ? "1" : "0"],
        TomlInteger { Value: >= 0 } number when row.Kind == RoomOptionKind.Number || IsTypedNumber(row, defaults) =>
            [number.Value.ToString(CultureInfo.InvariantCulture)],
        TomlText text when row.Kind is RoomOptionKind.Secret or RoomOptionKind.Choice => [text.Value],
        TomlText text when row.Kind == RoomOptionKind.Text && !IsTypedNumber(row, defaults) => [text.Value],
        TomlArray array when row.Kind == RoomOptionKind.Set && array.Items.All(item => item is TomlText) =>
            [.. array.Items.Select(item => ((TomlText)item).Value)],
        _ => null,
    };

    static OptionKind KindOf(RoomOption row, RoomOptions defaults) => row.Kind switch
    {
        RoomOptionKind.Flag => OptionKind.Boolean,
        RoomOptionKind.Number => OptionKind.Integer,
        RoomOptionKind.Set => OptionKind.List,
        RoomOptionKind.Choice when IsSwitch(row, defaults) => OptionKind.Boolean,
        _ => IsTypedNumber(row, defaults) ? OptionKind.Integer : OptionKind.Text,
    };

    static string Syntax(RoomOption row, RoomOptions defaults)
    {
        string words = string.Join(", ", row.Choices.Select(c => TomlWriter.Quote(c.Value)));
        return row.Kind switch
        {
            RoomOptionKind.Flag => "true or false",
            RoomOptionKind.Choice => IsSwitch(row, defaults) ? $"true, false or one of {words}" : $"one of {words}",
            RoomOptionKind.Set => $"an array of one of {words}",
            RoomOptionKind.Number => "a whole number ≥ 1",
            _ when row.Range is var (min, max) => $"a whole number from {min} to {max}",
            _ => IsTypedNumber(row, defaults) ? "a whole number ≥ 0" : "a string",
        };
    }

    static string? Literal(RoomOption row, RoomOptions defaults)
    {
        var texts = row.Read(defaults);
        return row.Kind switch
        {
            RoomOptionKind.Flag => texts[0] == "1" ? "true" : "false",
            RoomOptionKind.Choice when IsSwitch(row, defaults) =>
                row.Read(row.Write(defaults, ["1"])!)[0] == texts[0] ? "true" : "false",
            RoomOptionKind.Number => texts[0],
            RoomOptionKind.Set => "[" + string.Join(", ", texts.Select(TomlWriter.Quote)) + "]",
            _ when IsTypedNumber(row, defaults) => texts.IsEmpty ? null : texts[0],
            _ => TomlWriter.Quote(texts[0]),
        };
    }
}

/// <summary>An affiliation that every new room has.</summary>
sealed class DefaultAffiliation
{
    internal DefaultAffiliation(Section s)
    {
        ConfigPath = s.Path;
        // muc.md §16.1: all four keys are mandatory.
        string user = s.RequiredText("user", "alice", "User name.");
        string server = s.RequiredDomain("server", "localhost", "Domain.");
        string resource = s.Custom("resource", OptionKind.Text, "a string", null, "Resource; \"\" for the bare JID.",
            "",
            static (TomlValue value, out string result) =>
            {
                result = (value as TomlText)?.Value ?? "";
                return value is TomlText;
            }, example: "\"\"");
        Affiliation = s.Choice("affiliation", Affiliation.Member, "What the user is in the room.",
            [
                ("member", Affiliation.Member), ("admin", Affiliation.Admin), ("owner", Affiliation.Owner),
                ("outcast", Affiliation.Outcast), ("none", Affiliation.None),
            ], required: true);
        Jid = user.Length > 0 && server.Length > 0
            && Jid.TryCreate(user, server, resource.Length > 0 ? resource : null, out var jid)
            ? jid : Jid.None;
        IsMalformed = user.Length > 0 && server.Length > 0 && Jid.IsNone;
    }

    /// <summary>Whom it is about: a bare JID, or a full one when a resource was given.</summary>
    public Jid Jid { get; }
    public Affiliation Affiliation { get; }

    internal string ConfigPath { get; }
    internal bool IsMalformed { get; }
}
