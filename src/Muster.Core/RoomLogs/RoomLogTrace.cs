using System.Collections.Immutable;
using Muster.Core.Archive;
using Muster.Core.Rooms;
using Muster.Protocol.Stanzas;

namespace Muster.Core.RoomLogs;

/// <summary>Reads from what a room did what its public log says of it: nothing but while logging is on.</summary>
/// <remarks>It follows one room from loading to closing, and after that the one that takes its place.</remarks>
public sealed class RoomLogTrace
{
    RoomOptions? _options;
    bool? _wasStored; // when the room was first seen: then it was loaded, not made
    bool _hasBegun;   // the log has a line since then

    /// <summary>True while the log has told of the room and not of its end.</summary>
    public bool IsOpen => _hasBegun && _options is { Logging: true };

    /// <summary>Reads a batch.</summary>
    /// <param name="room">The room after the batch, or null when the host has dropped it.</param>
    /// <param name="effects">What the room decided, in order.</param>
    /// <param name="events">Where the lines are added.</param>
    public void Read(Room? room, IReadOnlyList<RoomEffect> effects, List<RoomLogEvent> events)
    {
        _options = OptionsBefore(effects) ?? room?.Options ?? _options;
        if (_options is null) return;
        if (room is not null) _wasStored ??= WasStored(room, effects);
        bool wasLogging = _options.Logging;
        bool isOver = false, isDestroyed = false;
        foreach (var effect in effects)
        {
            if (effect is RoomEffect.Configured configured)
            {
                Add(configured, room, events);
                _options = configured.After;
            }
            isDestroyed |= effect is RoomEffect.Destroyed;
            isOver |= effect is RoomEffect.Closed;
            if (_options.Logging && Translate(effect) is { } line) events.Add(line);
        }
        bool isNews = events.Count > 0 && !_hasBegun;
        // A room that only woke to answer a question leaves no line.
        if (isNews && wasLogging)
            events.Insert(0, _wasStored == true ? new RoomLogEvent.Started() : new RoomLogEvent.Created());
        _hasBegun |= isNews;
        if (!isOver) return;
        if (IsOpen && !isDestroyed) events.Add(new RoomLogEvent.Stopped());
        (_options, _wasStored, _hasBegun) = (null, null, false);
    }

    /// <summary>Who is inside, each nick once.</summary>
    public static ImmutableArray<RoomLogOccupant> OccupantsOf(Room room) =>
        [.. room.Inside.Select(inside => new RoomLogOccupant(inside.Nick, inside.Role)).Distinct()
            .OrderBy(occupant => occupant.Nick, StringComparer.Ordinal)];

    static RoomOptions? OptionsBefore(IReadOnlyList<RoomEffect> effects)
    {
        foreach (var effect in effects)
            if (effect is RoomEffect.Configured configured) return configured.Before;
        return null;
    }

    static bool WasStored(Room room, IReadOnlyList<RoomEffect> effects)
    {
        foreach (var effect in effects)
        {
            if (effect is RoomEffect.Persist { Change: RoomChange.Created }) return false;
            if (effect is RoomEffect.Persist) return true;
        }
        return room.IsStored;
    }

    // muc.md §19: the change that ends the log is still in it; the one that begins it tells who is inside.
    static void Add(RoomEffect.Configured change, Room? room, List<RoomLogEvent> events)
    {
        if (!change.Before.Logging && !change.After.Logging) return;
        bool begins = !change.Before.Logging;
        events.Add(new RoomLogEvent.Configured(change.Before, change.After,
            begins && room is not null ? OccupantsOf(room) : default));
    }

    static RoomLogEvent? Translate(RoomEffect effect) => effect switch
    {
        RoomEffect.Entered { First: true } entered => new RoomLogEvent.Joined(entered.Nick),
        RoomEffect.Left { Last: true } left => new RoomLogEvent.Left(left.Nick, left.Code, left.Reason),
        RoomEffect.Renamed renamed => new RoomLogEvent.Renamed(renamed.Old, renamed.New),
        RoomEffect.Destroyed destroyed => new RoomLogEvent.Destroyed(destroyed.Alternate, destroyed.Reason),
        RoomEffect.Broadcast { Stanza: Message { Type: MessageType.Groupchat } message } => Translate(message),
        _ => null,
    };

    static RoomLogEvent? Translate(Message message)
    {
        string nick = message.From.Resource.ToString();
        return ArchivePolicy.KindOf(message) switch
        {
            RoomMessageKind.Subject => new RoomLogEvent.SubjectSet(nick, message.Child("subject")!.Text),
            // XEP-0334 §4.2: what must not be stored (then it is passing) does not get into public either.
            RoomMessageKind.Message when message.Body is { Length: > 0 } body => new RoomLogEvent.Said(nick, body),
            _ => null,
        };
    }
}
