using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;

namespace Muster.Core.Rooms;

/// <summary>How an option is entered in a form (XEP-0004 §3.3) and written in the configuration file.</summary>
public enum RoomOptionKind
{
    /// <summary>A line of text.</summary>
    Text,
    /// <summary>A text that is not shown while it is typed.</summary>
    Secret,
    /// <summary>Yes or no.</summary>
    Flag,
    /// <summary>A whole number; the form offers choices.</summary>
    Number,
    /// <summary>One of <see cref="RoomOption.Choices"/>.</summary>
    Choice,
    /// <summary>Any of <see cref="RoomOption.Choices"/>.</summary>
    Set,
}

/// <summary>
/// One row of the table of room options: its names, label, kind, and how it is read from and written into
/// <see cref="RoomOptions"/>. The owner's form, storage, the command line and the documentation all go by this table.
/// </summary>
public sealed class RoomOption
{
    RoomOption(string name, string formVar, RoomOptionKind kind, string label,
        Func<RoomOptions, ImmutableArray<string>> read, Func<RoomOptions, ImmutableArray<string>, RoomOptions?> write)
    {
        Name = name;
        FormVar = formVar;
        Kind = kind;
        Label = label;
        Read = read;
        Write = write;
    }

    /// <summary>Name in the configuration file (<c>default_room.NAME</c>) and in storage. Never changes.</summary>
    public string Name { get; }
    /// <summary>Name of the field in the owner's form.</summary>
    public string FormVar { get; }
    /// <summary>How it is entered.</summary>
    public RoomOptionKind Kind { get; }
    /// <summary>Text for the owner.</summary>
    public string Label { get; }
    /// <summary>Values to choose from with their labels; empty for the kinds without choice.</summary>
    public ImmutableArray<FormOption> Choices { get; private init; } = [];
    /// <summary>The whole numbers from which a typed number is; null where there is no such bound.</summary>
    public (int Min, int Max)? Range { get; private init; }
    /// <summary>The value as text: no text for an unset one, several for a set.</summary>
    public Func<RoomOptions, ImmutableArray<string>> Read { get; }
    /// <summary>The options with this one changed, or null when the text is no value of it.</summary>
    public Func<RoomOptions, ImmutableArray<string>, RoomOptions?> Write { get; }

    /// <summary>The row of a configuration name, or null.</summary>
    public static RoomOption? ByName(string name) => Names.GetValueOrDefault(name);

    /// <summary>The row of a form field, or null.</summary>
    public static RoomOption? ByFormVar(string var) => FormVars.GetValueOrDefault(var);

    /// <summary>Every option, in the order of the owner's form.</summary>
    public static ImmutableArray<RoomOption> All { get; } =
    [
        Text("title", "muc#roomconfig_roomname", "Name of the room",
            o => o.Title, (o, v) => o with { Title = v }),
        Text("description", "muc#roomconfig_roomdesc", "Description of the room",
            o => o.Description, (o, v) => o with { Description = v }),
        Text("language", "muc#roomconfig_lang", "Language of the discussions",
            o => o.Language, (o, v) => v.Length <= 35 ? o with { Language = v } : null),
        Flag("persistent", "muc#roomconfig_persistentroom", "Keep the room when nobody is in it",
            o => o.Persistent, (o, v) => o with { Persistent = v }),
        Flag("public", "muc#roomconfig_publicroom", "Show the room in the service's list",
            o => o.Public, (o, v) => o with { Public = v }),
        Flag("public_list", "public_list", "Show the list of occupants to everybody",
            o => o.PublicList, (o, v) => o with { PublicList = v }),
        Flag("password_protected", "muc#roomconfig_passwordprotectedroom", "A password is needed to enter",
            o => o.PasswordProtected, (o, v) => o with { PasswordProtected = v }),
        Secret("password", "muc#roomconfig_roomsecret", "Password",
            o => o.Password, (o, v) => o with { Password = v }),
        Roles("maygetmemberlist", "muc#roomconfig_getmemberlist", "Roles that may read the member list",
            o => o.MayGetMemberList, (o, v) => o with { MayGetMemberList = v }),
        Number("max_users", "muc#roomconfig_maxusers", "Most occupants",
            o => o.MaxUsers, (o, v) => v > 0 ? o with { MaxUsers = v } : null),
        Choice("anonymous", "muc#roomconfig_whois", "Who may see real addresses",
            [new("moderators", "Moderators only"), new("anyone", "Everybody")], Whois, WithWhois),
        Flag("members_only", "muc#roomconfig_membersonly", "Only members may enter",
            o => o.MembersOnly, (o, v) => o with { MembersOnly = v }),
        Flag("moderated", "muc#roomconfig_moderatedroom", "Only those with voice may speak",
            o => o.Moderated, (o, v) => o with { Moderated = v }),
        Flag("members_by_default", "members_by_default", "Newcomers have voice",
            o => o.MembersByDefault, (o, v) => o with { MembersByDefault = v }),
        Flag("allow_change_subj", "muc#roomconfig_changesubject", "Participants may change the subject",
            o => o.AllowSubjectChange, (o, v) => o with { AllowSubjectChange = v }),
        Choice("allow_private_messages", "muc#roomconfig_allowpm", "Who may send private messages",
            [
                new("anyone", "Everybody"), new("participants", "Those with voice"),
                new("moderators", "Moderators"), new("none", "Nobody"),
            ],
            o => o.PrivateMessages.ToString().ToLowerInvariant(), WithPrivateMessages),
        Flag("allow_query_users", "allow_query_users", "Occupants may send queries to each other",
            o => o.AllowQueries, (o, v) => o with { AllowQueries = v }),
        Flag("allow_user_invites", "muc#roomconfig_allowinvites", "Occupants may invite",
            o => o.AllowInvitations, (o, v) => o with { AllowInvitations = v }),
        Flag("allow_multiple_sessions", "muc#roomconfig_allowmultisessions", "Several devices may share a nick",
            o => o.AllowMultipleSessions, (o, v) => o with { AllowMultipleSessions = v }),
        Flag("allow_visitor_status", "muc#roomconfig_allowvisitorstatus", "Visitors may show a status text",
            o => o.AllowVisitorStatus, (o, v) => o with { AllowVisitorStatus = v }),
        Flag("allow_visitor_nickchange", "muc#roomconfig_allowvisitornickchange", "Visitors may change their nick",
            o => o.AllowVisitorNickChange, (o, v) => o with { AllowVisitorNickChange = v }),
        Flag("logging", "muc#roomconfig_enablelogging", "Write public logs",
            o => o.Logging, (o, v) => o with { Logging = v }),
        Flag("archiving", "muc#roomconfig_enablearchiving", "Keep messages in the archive",
            o => o.Archiving, (o, v) => o with { Archiving = v }),
        Optional("history_length", "muc#roomconfig_historylength", "Messages of history on entering",
            o => o.HistoryLength, (o, v) => o with { HistoryLength = v }),
        Roles("presence_broadcast", "muc#roomconfig_presencebroadcast", "Roles whose presence is shown",
            o => o.PresenceBroadcast, (o, v) => o with { PresenceBroadcast = v }),
        Flag("registered_nicks_only", "registered_nicks_only", "Users with a registered nick must use it",
            o => o.RegisteredNicksOnly, (o, v) => o with { RegisteredNicksOnly = v }),
        Flag("registration_approval", "registration_approval", "Who registers needs an admin's approval",
            o => o.RegistrationApproval, (o, v) => o with { RegistrationApproval = v }),
        Text("contact", "muc#roomconfig_contactjid", "Address of whom to ask about the room",
            o => o.Contact, WithContact),
        Line("slow_mode", "muc#roomconfig_slow_mode_duration", "Seconds between two messages of an occupant (0: none)",
            86_400, o => o.SlowModeSeconds, (o, v) => o with { SlowModeSeconds = v }),
        Text("pubsub_node", "muc#roomconfig_pubsub", "Publish-subscribe node of the room",
            o => o.PubSubNode, (o, v) => v.Length <= 3071 ? o with { PubSubNode = v } : null),
    ];

    static readonly FrozenDictionary<string, RoomOption> Names =
        All.ToFrozenDictionary(option => option.Name, StringComparer.Ordinal);

    static readonly FrozenDictionary<string, RoomOption> FormVars =
        All.ToFrozenDictionary(option => option.FormVar, StringComparer.Ordinal);

    static RoomOption Text(string name, string var, string label,
        Func<RoomOptions, string> get, Func<RoomOptions, string, RoomOptions?> set) =>
        new(name, var, RoomOptionKind.Text, label, o => [get(o)], (o, v) => v.Length > 1 ? null : set(o, First(v)));

    static RoomOption Secret(string name, string var, string label,
        Func<RoomOptions, string> get, Func<RoomOptions, string, RoomOptions?> set) =>
        new(name, var, RoomOptionKind.Secret, label, o => [get(o)], (o, v) => v.Length > 1 ? null : set(o, First(v)));

    static RoomOption Flag(string name, string var, string label,
        Func<RoomOptions, bool> get, Func<RoomOptions, bool, RoomOptions?> set) =>
        new(name, var, RoomOptionKind.Flag, label, o => [get(o) ? "1" : "0"],
            (o, v) => v.Length == 1 && FormField.TryBoolean(v[0], out bool flag) ? set(o, flag) : null);

    static RoomOption Number(string name, string var, string label,
        Func<RoomOptions, int> get, Func<RoomOptions, int, RoomOptions?> set) =>
        new(name, var, RoomOptionKind.Number, label, o => [get(o).ToString(CultureInfo.InvariantCulture)],
            (o, v) => v.Length == 1 && TryNumber(v[0], out int number) ? set(o, number) : null);

    /// <summary>A number that is typed, not chosen (XEP-0500 §3 wants text-single).</summary>
    static RoomOption Line(string name, string var, string label, int max,
        Func<RoomOptions, int> get, Func<RoomOptions, int, RoomOptions?> set) =>
        new(name, var, RoomOptionKind.Text, label, o => [get(o).ToString(CultureInfo.InvariantCulture)],
            (o, v) => v.Length == 1 && TryNumber(v[0], out int number) && number <= max ? set(o, number) : null)
        {
            Range = (0, max),
        };

    static RoomOption Optional(string name, string var, string label,
        Func<RoomOptions, int?> get, Func<RoomOptions, int?, RoomOptions?> set) =>
        new(name, var, RoomOptionKind.Text, label,
            o => get(o) is { } number ? [number.ToString(CultureInfo.InvariantCulture)] : [],
            (o, v) => First(v) is not { Length: > 0 } text ? set(o, null)
                : v.Length == 1 && TryNumber(text, out int number) ? set(o, number) : null);

    static RoomOption Choice(string name, string var, string label, ImmutableArray<FormOption> choices,
        Func<RoomOptions, string> get, Func<RoomOptions, string, RoomOptions?> set) =>
        new(name, var, RoomOptionKind.Choice, label, o => [get(o)], (o, v) => v.Length == 1 ? set(o, v[0]) : null)
        {
            Choices = choices,
        };

    static RoomOption Roles(string name, string var, string label,
        Func<RoomOptions, ImmutableArray<Role>> get, Func<RoomOptions, ImmutableArray<Role>, RoomOptions?> set) =>
        new(name, var, RoomOptionKind.Set, label, o => [.. get(o).Select(role => role.ToName())],
            (o, v) => TryRoles(v, out var roles) ? set(o, roles) : null)
        {
            Choices = [new("moderator", "Moderators"), new("participant", "Participants"), new("visitor", "Visitors")],
        };

    static string First(ImmutableArray<string> values) => values.IsEmpty ? "" : values[0];

    static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    // muc.md §13: "none" clears the list.
    static bool TryRoles(ImmutableArray<string> values, out ImmutableArray<Role> roles)
    {
        var found = new SortedSet<Role>();
        roles = [];
        foreach (string value in values)
        {
            if (!MucNames.TryRole(value, out var role)) return false;
            if (role != Role.None) found.Add(role);
        }
        roles = [.. found.Reverse()];
        return true;
    }

    // The configuration file has a boolean "anonymous", the form a choice of who may see; both are read.
    static string Whois(RoomOptions options) => options.Anonymous ? "moderators" : "anyone";

    static RoomOptions? WithWhois(RoomOptions options, string value) => value switch
    {
        "moderators" or "1" or "true" => options with { Anonymous = true },
        "anyone" or "0" or "false" => options with { Anonymous = false },
        _ => null,
    };

    static RoomOptions? WithContact(RoomOptions options, string value) =>
        value.Length == 0 ? options with { Contact = "" }
            : Jid.TryParse(value, out var jid) ? options with { Contact = jid.ToString() } : null;

    static RoomOptions? WithPrivateMessages(RoomOptions options, string value) => value switch
    {
        "anyone" or "1" or "true" => options with { PrivateMessages = PrivateMessages.Anyone },
        "participants" => options with { PrivateMessages = PrivateMessages.Participants },
        "moderators" => options with { PrivateMessages = PrivateMessages.Moderators },
        "none" or "0" or "false" => options with { PrivateMessages = PrivateMessages.None },
        _ => null,
    };
}
