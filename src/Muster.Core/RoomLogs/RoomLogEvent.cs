using System.Collections.Immutable;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;

namespace Muster.Core.RoomLogs;

/// <summary>One line of a room's public log (muc.md §19).</summary>
public abstract record RoomLogEvent
{
    /// <summary>The room was made.</summary>
    public sealed record Created : RoomLogEvent;

    /// <summary>The room was loaded from storage.</summary>
    public sealed record Started : RoomLogEvent;

    /// <summary>The room is not in memory any more.</summary>
    public sealed record Stopped : RoomLogEvent;

    /// <summary>An owner destroyed the room.</summary>
    /// <param name="Alternate">The room to go to instead, or none.</param>
    /// <param name="Reason">Text for people, or null.</param>
    public sealed record Destroyed(Jid Alternate, string? Reason) : RoomLogEvent;

    /// <summary>The configuration changed.</summary>
    /// <param name="Before">The options before.</param>
    /// <param name="After">The options now.</param>
    /// <param name="Occupants">Who is inside, when the change began the log; else default.</param>
    public sealed record Configured(RoomOptions Before, RoomOptions After, ImmutableArray<RoomLogOccupant> Occupants)
        : RoomLogEvent;

    /// <summary>Somebody came in.</summary>
    /// <param name="Nick">The nick.</param>
    public sealed record Joined(string Nick) : RoomLogEvent;

    /// <summary>Somebody is out.</summary>
    /// <param name="Nick">The nick.</param>
    /// <param name="Code">Status code that says why (<see cref="MucStatus"/>), or 0 for leaving by oneself.</param>
    /// <param name="Reason">The reason given, or null.</param>
    public sealed record Left(string Nick, int Code, string? Reason) : RoomLogEvent;

    /// <summary>Somebody has another nick.</summary>
    /// <param name="Old">The nick before.</param>
    /// <param name="New">The nick now.</param>
    public sealed record Renamed(string Old, string New) : RoomLogEvent;

    /// <summary>The subject changed.</summary>
    /// <param name="Nick">Who set it, or "" for the service.</param>
    /// <param name="Text">The subject; "" for none.</param>
    public sealed record SubjectSet(string Nick, string Text) : RoomLogEvent;

    /// <summary>Somebody said something to all.</summary>
    /// <param name="Nick">Who, or "" for the service.</param>
    /// <param name="Text">What.</param>
    public sealed record Said(string Nick, string Text) : RoomLogEvent;
}

/// <summary>Who is inside, as a public log may tell it: never with an address.</summary>
/// <param name="Nick">The nick.</param>
/// <param name="Role">The role.</param>
public readonly record struct RoomLogOccupant(string Nick, Role Role);

/// <summary>What the top of a page tells of its room.</summary>
/// <param name="Room">The room's bare JID.</param>
/// <param name="Options">Its options.</param>
/// <param name="Subject">Its subject.</param>
/// <param name="Occupants">Who was inside when the page began; default where that is not known.</param>
public sealed record RoomLogPage(
    Jid Room, RoomOptions Options, string Subject, ImmutableArray<RoomLogOccupant> Occupants)
{
    /// <summary>The name for people.</summary>
    public string Title => Options.Title.Length > 0 ? Options.Title : Room.Local.ToString();
}
