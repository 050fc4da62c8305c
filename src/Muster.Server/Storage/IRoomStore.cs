using Muster.Protocol.Addresses;

namespace Muster.Server.Storage;

/// <summary>A room's configuration, as stored and as listed.</summary>
/// <param name="Json">All options as JSON; the store does not look inside.</param>
/// <param name="Name">The title, for the list of rooms; "" for none.</param>
/// <param name="Public">Whether strangers may see the room in the list.</param>
/// <param name="Persistent">Whether the room stays when it is empty.</param>
internal sealed record StoredRoomOptions(string Json, string Name, bool Public, bool Persistent);

/// <summary>A room's subject.</summary>
/// <param name="Text">The text; "" when it was cleared.</param>
/// <param name="Author">The nick of who set it; "" for the room itself.</param>
/// <param name="At">When.</param>
internal sealed record StoredSubject(string Text, string Author, DateTimeOffset At);

/// <summary>What a room stores about one JID (or a domain).</summary>
internal sealed record StoredAffiliation
{
    /// <summary>The user's bare JID, or a domain.</summary>
    public required Jid Jid { get; init; }
    /// <summary>The affiliation, by the room's own numbers. The store does not interpret it.</summary>
    public required int Affiliation { get; init; }
    /// <summary>The reserved nick; null for none.</summary>
    public string? Nick { get; init; }
    /// <summary>Why it was given; null for none.</summary>
    public string? Reason { get; init; }
    /// <summary>Whether messages are forwarded while the user is absent; null: never chosen. An explicit false is not
    /// the same as never chosen (muc-offline-delivery.md §2).</summary>
    public bool? OfflineDelivery { get; init; }
    /// <summary>Further registration data in the caller's format; null for none.</summary>
    public string? Registration { get; init; }
    /// <summary>The room's affiliation version at which this changed (XEP-0463); 0 when not used.</summary>
    public long Version { get; init; }
}

/// <summary>All that is stored about a room, without its messages.</summary>
internal sealed record StoredRoom
{
    /// <summary>The room.</summary>
    public required Jid Jid { get; init; }
    /// <summary>The configuration.</summary>
    public required StoredRoomOptions Options { get; init; }
    /// <summary>The subject; null when it was never set.</summary>
    public StoredSubject? Subject { get; init; }
    /// <summary>The secret that occupant ids are made with (XEP-0421); it never changes.</summary>
    public required ReadOnlyMemory<byte> OccupantIdSalt { get; init; }
    /// <summary>When the room was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>When something last happened in it.</summary>
    public required DateTimeOffset LastActivityAt { get; init; }
    /// <summary>The affiliations, in order of their JIDs.</summary>
    public required IReadOnlyList<StoredAffiliation> Affiliations { get; init; }
    /// <summary>The largest id in the room's archive; 0 when it is empty. The next id must be larger.</summary>
    public long LastArchiveId { get; init; }
}

/// <summary>What remains of a destroyed room, so that bookmarks do not call it back to life.</summary>
/// <param name="Room">The room that was.</param>
/// <param name="Alternate">Where to go instead; <see cref="Jid.None"/> for nowhere.</param>
/// <param name="Reason">Why; "" when not said.</param>
/// <param name="Until">When this may be forgotten.</param>
internal sealed record RoomTombstone(Jid Room, Jid Alternate, string Reason, DateTimeOffset Until);

/// <summary>The end of a stored room.</summary>
/// <param name="RemoveArchive">Whether its messages go too.</param>
/// <param name="Tombstone">What is left behind; null for nothing.</param>
internal sealed record RoomRemoval(bool RemoveArchive, RoomTombstone? Tombstone);

/// <summary>The part of a new room that never changes.</summary>
/// <param name="OccupantIdSalt">See <see cref="StoredRoom.OccupantIdSalt"/>.</param>
/// <param name="CreatedAt">When.</param>
internal sealed record RoomCreation(ReadOnlyMemory<byte> OccupantIdSalt, DateTimeOffset CreatedAt);

/// <summary>
/// What one room changes in one commit. Applied in the order of the properties. All but the archive parts and the
/// removal need the room to be stored (or created here): otherwise <see cref="StorageFault.Conflict"/>. A room that is
/// not stored, a temporary one, can still archive, and be destroyed.
/// </summary>
internal sealed record RoomCommit
{
    /// <summary>The room.</summary>
    public required Jid Room { get; init; }
    /// <summary>Creates the room; needs <see cref="Options"/>; forgets a tombstone. <see cref="StorageFault.Conflict"/>
    /// when the room is stored already: nothing is ever created over an existing room.</summary>
    public RoomCreation? Creation { get; init; }
    /// <summary>New options.</summary>
    public StoredRoomOptions? Options { get; init; }
    /// <summary>A new subject.</summary>
    public StoredSubject? Subject { get; init; }
    /// <summary>Affiliations to remove; those not there are ignored.</summary>
    public IReadOnlyList<Jid> AffiliationsRemoved { get; init; } = [];
    /// <summary>Affiliations to add or replace.</summary>
    public IReadOnlyList<StoredAffiliation> AffiliationsSet { get; init; } = [];
    /// <summary>Messages to append to the room's archive.</summary>
    public IReadOnlyList<ArchiveEntry> Archive { get; init; } = [];
    /// <summary>Archived messages to change.</summary>
    public IReadOnlyList<ArchiveReplacement> Replaced { get; init; } = [];
    /// <summary>Counts of the senders' sessions, to be kept with what they sent.</summary>
    public IReadOnlyList<StoredCount> Counts { get; init; } = [];
    /// <summary>When something last happened; null leaves it.</summary>
    public DateTimeOffset? LastActivityAt { get; init; }
    /// <summary>Removes the room, if it is stored, with all of the above.</summary>
    public RoomRemoval? Removal { get; init; }

    /// <summary>Whether the room must be stored for this commit.</summary>
    public bool NeedsRoom => Options is not null || Subject is not null || AffiliationsSet.Count > 0
        || AffiliationsRemoved.Count > 0 || LastActivityAt is not null;

    /// <summary>Throws <see cref="ArgumentException"/> for a commit that makes no sense: a bug of the caller.</summary>
    public void Check()
    {
        if (Creation is not null && Options is null) throw new ArgumentException($"{Room} is created without options");
        foreach (var entry in Archive)
        {
            if (entry.Archive != Room) throw new ArgumentException($"{Room} archives for {entry.Archive}");
        }
    }
}

/// <summary>A line in the list of rooms.</summary>
internal sealed record RoomIndexEntry(
    Jid Room, string Name, bool Public, bool Persistent, DateTimeOffset LastActivityAt);

/// <summary>Which stored rooms of a MUC service, and which page of them, in code point order of their local
/// parts.</summary>
internal sealed record RoomIndexQuery
{
    /// <summary>The domain of the service.</summary>
    public required string Service { get; init; }
    /// <summary>Leave out those that are not public.</summary>
    public bool PublicOnly { get; init; }
    /// <summary>Leave out those that are not persistent.</summary>
    public bool PersistentOnly { get; init; }
    /// <summary>Only rooms whose local part or title contains this, whatever the case; null: all.</summary>
    public string? Text { get; init; }
    /// <summary>Only rooms not active since; null: all.</summary>
    public DateTimeOffset? InactiveSince { get; init; }
    /// <summary>The page starts after this room; backwards, it ends before it. None: from the first, or the last. The
    /// room need not exist any more.</summary>
    public Jid Cursor { get; init; }
    /// <summary>The page is taken from the end.</summary>
    public bool Backwards { get; init; }
    /// <summary>Rooms to skip first (RSM by index, XEP-0059 §2.6).</summary>
    public int Skip { get; init; }
    /// <summary>At most so many.</summary>
    public required int Max { get; init; }
    /// <summary>Whether to count the whole set and to find the position of the page in it.</summary>
    public bool Count { get; init; }

    /// <summary>Text as it is compared: without case.</summary>
    public static string Fold(string text) => text.ToLowerInvariant();

    /// <summary>What <see cref="Text"/> is looked for in.</summary>
    public static string Searched(ReadOnlySpan<char> local, string name) => Fold($"{local}\n{name}");
}

/// <summary>A page of the list of rooms.</summary>
/// <param name="Rooms">The rooms in code point order of their local parts.</param>
/// <param name="Complete">Whether nothing follows in the direction of paging.</param>
/// <param name="Count">The size of the whole set, when asked for.</param>
/// <param name="FirstIndex">The position of the page's first room in the set, from 0, when asked for and the page is
/// not empty.</param>
internal sealed record RoomIndexPage(IReadOnlyList<RoomIndexEntry> Rooms, bool Complete, long? Count, long? FirstIndex);

/// <summary>The rooms that are stored.</summary>
internal interface IRoomStore
{
    /// <summary>The room, or null when it is not stored. Throws when it cannot be read: an unreadable room is never
    /// taken for a missing one.</summary>
    ValueTask<StoredRoom?> Load(Jid room, CancellationToken cancel = default);

    /// <summary>Writes the changes of one or more rooms in ONE transaction: all or nothing.</summary>
    ValueTask Commit(IReadOnlyList<RoomCommit> commits, CancellationToken cancel = default);

    /// <summary>A page of the list of rooms; never more than the page is in memory.</summary>
    ValueTask<RoomIndexPage> Index(RoomIndexQuery query, CancellationToken cancel = default);

    /// <summary>The stored rooms of a service in which a user has at least some affiliation, in code point order of
    /// their local parts.</summary>
    /// <param name="service">The domain of the service.</param>
    /// <param name="user">The user, exactly as the affiliation names it.</param>
    /// <param name="least">The least affiliation, by the room's own numbers.</param>
    /// <param name="max">At most so many.</param>
    /// <param name="cancel">To give up.</param>
    ValueTask<IReadOnlyList<RoomIndexEntry>> OfUser(string service, Jid user, int least, int max,
        CancellationToken cancel = default);

    /// <summary>The tombstone of a destroyed room that is still to be honoured, or null.</summary>
    ValueTask<RoomTombstone?> FindTombstone(Jid room, DateTimeOffset now, CancellationToken cancel = default);

    /// <summary>Forgets tombstones whose time is over; returns how many.</summary>
    ValueTask<int> RemoveExpiredTombstones(DateTimeOffset now, CancellationToken cancel = default);
}
