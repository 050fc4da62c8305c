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
/// <param name="Affiliation">The affiliation, never <see cref="Affiliation.None"/>.</param>
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
}
