using Muster.Protocol.Addresses;

namespace Muster.Core.Joins;

/// <summary>A room of another server that a session is in, as the session's own server knows it: a copy, taken at one
/// moment.</summary>
/// <param name="Occupant">The session's address in the room.</param>
/// <param name="JoinedAt">When the room confirmed it first.</param>
/// <param name="HeardAt">When anything last came from the room.</param>
/// <param name="ProvenAt">When the room last showed that the session is inside: by presence with status 110, by the
/// session's own message come back, by an answer to a ping.</param>
/// <param name="AskedAt">When the server last asked the room; default: never.</param>
/// <param name="IsChanging">The session has just sent presence that the room has not answered: it takes another nick,
/// or leaves. A room is not asked then, as the answer would be about what was (XEP-0410 §4).</param>
public readonly record struct JoinedRoom(
    Jid Occupant, DateTimeOffset JoinedAt, DateTimeOffset HeardAt, DateTimeOffset ProvenAt, DateTimeOffset AskedAt,
    bool IsChanging);

/// <summary>Rooms that were to be entered, and have not answered.</summary>
/// <param name="Wanted">The addresses that the session was to have.</param>
/// <param name="Left">The addresses that it had there before, and was about to leave.</param>
public readonly record struct UnansweredRooms(IReadOnlyList<Jid> Wanted, IReadOnlyList<Jid> Left);

/// <summary>What presence did to the rooms of a session.</summary>
public enum JoinChange
{
    /// <summary>The session is where it was.</summary>
    None,
    /// <summary>It is in a room that it was not in.</summary>
    Joined,
    /// <summary>It has another nick.</summary>
    Renamed,
    /// <summary>It is not in the room any more.</summary>
    Left,
    /// <summary>It is not let in.</summary>
    Refused,
}
