using System.Collections.Immutable;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;

namespace Muster.Core.Rooms;

/// <summary>The subject of a room.</summary>
/// <param name="Text">The subject; "" when it was cleared.</param>
/// <param name="Nick">Nick of who set it; "" when the room did.</param>
/// <param name="At">When it was set; null when it never was.</param>
public sealed record RoomSubject(string Text, string Nick, DateTimeOffset? At)
{
    /// <summary>No subject was ever set.</summary>
    public static readonly RoomSubject NeverSet = new("", "", null);
}

/// <summary>The lasting association of a user, or of a whole domain, with a room.</summary>
/// <param name="User">A bare JID, a domain, or (from the configuration) one with a resource.</param>
/// <param name="Affiliation">The affiliation. <see cref="Affiliation.None"/> only in
/// <see cref="RoomSnapshot.Past"/>.</param>
public sealed record AffiliationEntry(Jid User, Affiliation Affiliation)
{
    /// <summary>The nick reserved in this room (XEP-0045 §7.10), or null.</summary>
    public string? Nick { get; init; }
    /// <summary>Why it was given, or null.</summary>
    public string? Reason { get; init; }
    /// <summary>True when the user registered in the room by itself, so that leaving the registration takes it
    /// away.</summary>
    public bool SelfRegistered { get; init; }
    /// <summary>Whether messages go to the user's bare JID while it is not inside (muc-offline-delivery.md); null:
    /// never chosen.</summary>
    public bool? OfflineDelivery { get; init; }
    /// <summary>Version of the list that this affiliation made (XEP-0463); 0 when that is not known.</summary>
    public long Version { get; init; }
    /// <summary>What somebody without affiliation asks for (XEP-0045 §9.9 #regapprove), or null.</summary>
    public RegistrationRequest? Request { get; init; }
}

/// <summary>Somebody asks to become a member, and an admin has not answered yet.</summary>
/// <param name="Nick">The nick that is to be reserved.</param>
/// <param name="At">When it was asked.</param>
public sealed record RegistrationRequest(string Nick, DateTimeOffset At)
{
    /// <summary>What else the user told of itself, by name of the form's field.</summary>
    public ImmutableSortedDictionary<string, string> Details { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;
    /// <summary>Whether messages are wanted while away; null: not said.</summary>
    public bool? OfflineDelivery { get; init; }
}

/// <summary>
/// What of a room outlives its process and its hibernation. Occupants and history are no part of it: the former
/// enter again, the latter comes from the archive.
/// </summary>
public sealed record RoomSnapshot
{
    /// <summary>The room's bare JID.</summary>
    public required Jid Address { get; init; }
    /// <summary>The options.</summary>
    public required RoomOptions Options { get; init; }
    /// <summary>Secret key for occupant ids and for the ids of relayed requests: 32 random bytes, made with the
    /// room.</summary>
    public required ImmutableArray<byte> Secret { get; init; }
    /// <summary>When the room was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>The subject.</summary>
    public RoomSubject Subject { get; init; } = RoomSubject.NeverSet;
    /// <summary>vCard and hats.</summary>
    public RoomProfile Profile { get; init; } = RoomProfile.Empty;
    /// <summary>All affiliations.</summary>
    public ImmutableArray<AffiliationEntry> Affiliations { get; init; } = [];
    /// <summary>Users without affiliation of whom the room knows something all the same: that they had one (XEP-0463),
    /// or that they ask for one.</summary>
    public ImmutableArray<AffiliationEntry> Past { get; init; } = [];
}
