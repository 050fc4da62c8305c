using System.Collections.Immutable;
using Muster.Core.Archive;

namespace Muster.Core.Rooms;

/// <summary>
/// What the service lays down for all its rooms: limits and switches from <c>[modules.mod_muc]</c> that no owner can
/// change. A reload of the configuration gives the room a new one.
/// </summary>
public sealed record RoomPolicy
{
    /// <summary>Most bytes of UTF-8 of a room's local part.</summary>
    public int RoomIdBytesMax { get; init; } = int.MaxValue;
    /// <summary>Most bytes of UTF-8 of a room's title.</summary>
    public int TitleBytesMax { get; init; } = int.MaxValue;
    /// <summary>Most bytes of UTF-8 of a room's description.</summary>
    public int DescriptionBytesMax { get; init; } = int.MaxValue;
    /// <summary>Most bytes of UTF-8 of a subject. [D] a limit of our own: the subject is kept and sent on each
    /// entering.</summary>
    public int SubjectBytesMax { get; init; } = 16_384;
    /// <summary>Most bytes of UTF-8 of a nick. [D]</summary>
    public int NickBytesMax { get; init; } = 256;
    /// <summary>Messages of history kept for those who enter; 0 keeps none.</summary>
    public int HistorySize { get; init; } = 20;
    /// <summary>Most messages of history that an owner may ask for. [D]</summary>
    public int HistorySizeMax { get; init; } = 1000;
    /// <summary>Most sessions in a room, whatever its own option says.</summary>
    public int UsersMax { get; init; } = 200;
    /// <summary>Sessions beyond the limit that owners and admins may still open.</summary>
    public int UsersAdminThreshold { get; init; } = 5;
    /// <summary>Affiliations that a room may hold; one more is refused with resource-constraint. [D]</summary>
    public int AffiliationsMax { get; init; } = 5000;
    /// <summary>Affiliations that were taken away and are remembered, so that a client need only hear of changes
    /// (XEP-0463). One that knows less hears of all. [D]</summary>
    public int RemovalsMax { get; init; } = 1000;
    /// <summary>Items in one answer to a list request; more are asked for page by page (XEP-0059). [D]</summary>
    public int ListPageMax { get; init; } = 500;
    /// <summary>Occupants above which newcomers without affiliation are not announced. [D]</summary>
    public int AnnouncedOccupantsMax { get; init; } = 1000;
    /// <summary>Whether archives can be read (XEP-0313; <c>mod_mam</c>). They are written in any case.</summary>
    public bool AnswersArchiveQueries { get; init; }
    /// <summary>Features that the service adds to what a room says of itself (XEP-0030).</summary>
    public ImmutableArray<string> Features { get; init; } = [];
    /// <summary>Shortest time between two messages of a session (<c>min_message_interval</c>).</summary>
    public TimeSpan MessageIntervalMin { get; init; }
    /// <summary>Shortest time between two presence updates of a session (<c>min_presence_interval</c>).</summary>
    public TimeSpan PresenceIntervalMin { get; init; }
    /// <summary>Bytes a second that a room shows, or null for no limit (<c>room_shaper</c>).</summary>
    public int? RoomRate { get; init; }
    /// <summary>Bytes of messages a second that a session may send, or null (<c>user_message_shaper</c>).</summary>
    public int? UserMessageRate { get; init; }
    /// <summary>Bytes of presence a second that a session may send, or null (<c>user_presence_shaper</c>).</summary>
    public int? UserPresenceRate { get; init; }
    /// <summary>Whether another service checks passwords (<c>http_auth_pool</c>): the stored one counts for
    /// nothing.</summary>
    public bool ExternalPasswords { get; init; }
    /// <summary>How ids of its archive are written.</summary>
    public ArchiveIds ArchiveIds { get; init; } = ArchiveIds.Plain;
    /// <summary>Who without affiliation may register in a room. [D]</summary>
    public RoomRegistration Registration { get; init; }
    /// <summary>Requests for membership that may wait for an answer; one more is refused. [D]</summary>
    public int RequestsMax { get; init; } = 50;
    /// <summary>How long a request for membership waits before it is forgotten. [D]</summary>
    public TimeSpan RequestTime { get; init; } = TimeSpan.FromDays(30);
    /// <summary>Shortest time between two requests of one user. [D]</summary>
    public TimeSpan RequestInterval { get; init; } = TimeSpan.FromMinutes(1);
    /// <summary>Whether the nick with which a member first enters is registered
    /// (<c>muc_auto_reserve_nicks</c>).</summary>
    public bool ReservesNicks { get; init; }
    /// <summary>Whether who has a registered nick must use it in every room
    /// (<c>enforce_registered_nickname</c>).</summary>
    public bool EnforcesNicks { get; init; }
    /// <summary>Web address below which public logs can be read, or null when nobody said.</summary>
    public string? LogsAddress { get; init; }
    /// <summary>Whether the logs of a room lie under its whole address there, or only under the part before the
    /// @.</summary>
    public bool LogsAreByAddress { get; init; } = true;
    /// <summary>Whether members can have messages sent to them while they are away
    /// (<c>mod_muc_offline_delivery</c>).</summary>
    public bool OfflineDelivery { get; init; } = true;
    /// <summary>Whether moderated rooms do not offer it (<c>muc_offline_delivery_unmoderated_only</c>). [D]</summary>
    public bool OfflineUnmoderatedOnly { get; init; }
    /// <summary>Whether members who never chose get messages while they are away
    /// (<c>muc_offline_delivery_default</c>).</summary>
    public bool OfflineDeliveryDefault { get; init; }
    /// <summary>Most absent members of one room to whom messages are forwarded. [D]</summary>
    public int OfflineTargetsMax { get; init; } = 5000;
    /// <summary>Most bytes of a room's vCard (XEP-0486). [D]</summary>
    public int VCardBytesMax { get; init; } = 128 * 1024;
    /// <summary>After what silence a session of another server is asked whether it is there, or null for never.
    /// [D]</summary>
    public TimeSpan? ProbeAfter { get; init; } = TimeSpan.FromMinutes(15);
    /// <summary>How long it has to answer; twice without answer and it is taken for gone. [D]</summary>
    public TimeSpan ProbeTime { get; init; } = TimeSpan.FromMinutes(5);
    /// <summary>How long a new room waits for its owner's configuration before it opens with the defaults.
    /// [D]</summary>
    public TimeSpan LockTime { get; init; } = TimeSpan.FromMinutes(5);
    /// <summary>Shortest time between two voice requests of one occupant. [D]</summary>
    public TimeSpan VoiceRequestInterval { get; init; } = TimeSpan.FromMinutes(1);
}
