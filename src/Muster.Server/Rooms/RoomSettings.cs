using System.Collections.Immutable;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;

namespace Muster.Server.Rooms;

/// <summary>Who may do what in a room service: the access rules of <c>[modules.mod_muc]</c>, ready to be
/// asked.</summary>
sealed record RoomAccess
{
    /// <summary><c>access</c>: may use the service at all.</summary>
    public required Func<Jid, bool> Use { get; init; }
    /// <summary><c>access_create</c>: may make rooms.</summary>
    public required Func<Jid, bool> Create { get; init; }
    /// <summary><c>access_admin</c>: owner of every room.</summary>
    public required Func<Jid, bool> Admin { get; init; }
    /// <summary><c>access_persistent</c>: may make rooms persistent.</summary>
    public required Func<Jid, bool> Persist { get; init; }
    /// <summary><c>access_log</c> of mod_muc_log: may switch public logs.</summary>
    public required Func<Jid, bool> Log { get; init; }

    /// <summary>Everybody may do everything but administrate.</summary>
    public static RoomAccess Open { get; } = new()
    {
        Use = _ => true,
        Create = _ => true,
        Admin = _ => false,
        Persist = _ => true,
        Log = _ => false,
    };
}

/// <summary>What one room service is made with: <c>[modules.mod_muc]</c> for one served domain.</summary>
sealed record RoomSettings
{
    /// <summary>Domain of the service: <c>conference.example.org</c>.</summary>
    public required Jid Service { get; init; }
    /// <summary>The served domain that it belongs to: <c>example.org</c>.</summary>
    public required Jid Host { get; init; }
    /// <summary>Limits that no owner can change.</summary>
    public RoomPolicy Policy { get; init; } = new();
    /// <summary>Options of a new room.</summary>
    public RoomOptions Defaults { get; init; } = new();
    /// <summary>Affiliations of a new room.</summary>
    public ImmutableArray<AffiliationEntry> Affiliations { get; init; } = [];
    /// <summary>Subject of a new room, or null.</summary>
    public RoomSubject? Subject { get; init; }
    /// <summary>Access rules.</summary>
    public RoomAccess Access { get; init; } = RoomAccess.Open;
    /// <summary>Rooms of this service in which one bare JID may be at a time.</summary>
    public int ConferencesPerUserMax { get; init; } = 10;
    /// <summary>Asks another service whether a password is right for who wants to enter a room
    /// (<c>http_auth_pool</c>); null: the rooms' own passwords count.</summary>
    public Func<Jid, Jid, string, Task<PasswordAnswer>>? CheckPassword { get; init; }
    /// <summary><c>hibernate_timeout</c>: how long a room is quiet before it is compacted; null: never.</summary>
    public TimeSpan? HibernateTimeout { get; init; } = TimeSpan.FromSeconds(90);
    /// <summary><c>hibernated_room_check_interval</c>: how often compacted rooms are looked at; null: never.</summary>
    public TimeSpan? HibernatedRoomCheckInterval { get; init; }
    /// <summary><c>hibernated_room_timeout</c>: how long a room is compacted before it is unloaded; null: it never
    /// is.</summary>
    public TimeSpan? HibernatedRoomTimeout { get; init; }
    /// <summary><c>load_permanent_rooms_at_startup</c>.</summary>
    public bool LoadAtStart { get; init; }
    /// <summary><c>instrumentation.probe_interval</c>: how often rooms are counted.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromSeconds(15);
    /// <summary>Stanzas that wait for one room before senders wait with them.</summary>
    public int MailboxMax { get; init; } = 1000;
    /// <summary>How long a destroyed room's address refuses to be made again. [D]</summary>
    public TimeSpan TombstoneTime { get; init; } = TimeSpan.FromDays(31);
}
