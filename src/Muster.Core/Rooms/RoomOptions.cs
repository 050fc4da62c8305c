using System.Collections.Immutable;
using Muster.Protocol.Payloads;

namespace Muster.Core.Rooms;

/// <summary>Who may send private messages in a room (XEP-0045 §7.5, <c>muc#roomconfig_allowpm</c>).</summary>
public enum PrivateMessages
{
    /// <summary>Nobody.</summary>
    None,
    /// <summary>Moderators.</summary>
    Moderators,
    /// <summary>Everybody with voice.</summary>
    Participants,
    /// <summary>Every occupant.</summary>
    Anyone,
}

/// <summary>
/// What an owner can set in a room: the options of <c>default_room</c> and a few of the registry of XEP-0045 §15.5. The
/// value of a new instance is the documented default.
/// </summary>
/// <remarks>Each property has one row in <see cref="RoomOption.All"/>, which knows its names in the configuration file
/// and in the owner's form, its label and its text form; the form, the storage and the command line go by those
/// rows.</remarks>
public sealed record RoomOptions
{
    /// <summary>Name for people; "" shows the local part of the address.</summary>
    public string Title { get; init; } = "";
    /// <summary>Description for people.</summary>
    public string Description { get; init; } = "";
    /// <summary>Language of the discussions (RFC 5646), or "".</summary>
    public string Language { get; init; } = "";
    /// <summary>Whether the room outlives its last occupant and the process.</summary>
    public bool Persistent { get; init; }
    /// <summary>Whether the service lists the room to everybody.</summary>
    public bool Public { get; init; } = true;
    /// <summary>Whether everybody may see who is inside.</summary>
    public bool PublicList { get; init; } = true;
    /// <summary>Whether a password is needed to enter.</summary>
    public bool PasswordProtected { get; init; }
    /// <summary>The password; without meaning unless <see cref="PasswordProtected"/>.</summary>
    public string Password { get; init; } = "";
    /// <summary>Roles that may read the lists of affiliations and roles beside those who may always.</summary>
    public ImmutableArray<Role> MayGetMemberList { get; init; } = [];
    /// <summary>Most sessions that the room admits; the service's own limit applies too.</summary>
    public int MaxUsers { get; init; } = 200;
    /// <summary>Semi-anonymous: real JIDs are for moderators only.</summary>
    public bool Anonymous { get; init; } = true;
    /// <summary>Whether only those with an affiliation may enter.</summary>
    public bool MembersOnly { get; init; }
    /// <summary>Whether visitors may not speak.</summary>
    public bool Moderated { get; init; } = true;
    /// <summary>Whether a newcomer without affiliation is a participant, not a visitor.</summary>
    public bool MembersByDefault { get; init; } = true;
    /// <summary>Whether participants may change the subject.</summary>
    public bool AllowSubjectChange { get; init; } = true;
    /// <summary>Who may send private messages.</summary>
    public PrivateMessages PrivateMessages { get; init; } = PrivateMessages.Anyone;
    /// <summary>Whether occupants may send iq requests to each other.</summary>
    public bool AllowQueries { get; init; } = true;
    /// <summary>Whether every occupant with voice may invite.</summary>
    public bool AllowInvitations { get; init; }
    /// <summary>Whether several sessions of a user may share a nick.</summary>
    public bool AllowMultipleSessions { get; init; }
    /// <summary>Whether visitors' presence updates keep their status text.</summary>
    public bool AllowVisitorStatus { get; init; } = true;
    /// <summary>Whether visitors may change their nick.</summary>
    public bool AllowVisitorNickChange { get; init; } = true;
    /// <summary>Whether room events are written to public log files.</summary>
    public bool Logging { get; init; }
    /// <summary>Whether messages are kept in the room's archive for later queries.</summary>
    public bool Archiving { get; init; } = true;
    /// <summary>Messages of history sent on entering; null: as many as the service says.</summary>
    public int? HistoryLength { get; init; }
    /// <summary>Roles whose presence is broadcast.</summary>
    public ImmutableArray<Role> PresenceBroadcast { get; init; } = AllRoles;
    /// <summary>Whether users with a registered nick must use it here (nick lock-down).</summary>
    public bool RegisteredNicksOnly { get; init; }
    /// <summary>Whether an owner or admin must approve of who wants to become a member by registering.</summary>
    public bool RegistrationApproval { get; init; }
    /// <summary>Address of whom to ask about the room, or "".</summary>
    public string Contact { get; init; } = "";
    /// <summary>Seconds that an occupant waits between two messages (XEP-0500); 0 for none.</summary>
    public int SlowModeSeconds { get; init; }
    /// <summary>Address of a publish-subscribe node that belongs to the room, or "".</summary>
    public string PubSubNode { get; init; } = "";

    /// <summary>The three roles that somebody inside can have.</summary>
    public static ImmutableArray<Role> AllRoles { get; } = [Role.Moderator, Role.Participant, Role.Visitor];

    /// <summary>Options that differ from another set's, in the order of the table; empty when both are equal.</summary>
    public IEnumerable<RoomOption> ChangesFrom(RoomOptions other) =>
        RoomOption.All.Where(option => !option.Read(this).SequenceEqual(option.Read(other), StringComparer.Ordinal));

    /// <summary>Every option by its configuration name, as text: the form in which storage keeps them.</summary>
    /// <remarks>Options added later are absent in older data and get their default on <see cref="FromText"/>.</remarks>
    public IReadOnlyDictionary<string, ImmutableArray<string>> ToText() =>
        RoomOption.All.ToDictionary(option => option.Name, option => option.Read(this), StringComparer.Ordinal);

    /// <summary>Reads what <see cref="ToText"/> wrote. Unknown names and unreadable values are left out: they keep the
    /// default.</summary>
    public static RoomOptions FromText(IEnumerable<KeyValuePair<string, ImmutableArray<string>>> values)
    {
        var options = new RoomOptions();
        foreach (var (name, value) in values)
            if (RoomOption.ByName(name)?.Write(options, value) is { } changed) options = changed;
        return options;
    }
}
