using Muster.Core.Archive;
using Muster.Core.Rooms;
using Muster.Protocol.Stanzas;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Rooms;

// What others act upon: see RoomEvents.
sealed partial class RoomHost
{
    void TellSaid(Stanza shown)
    {
        if (shown is not Message { Type: MessageType.Groupchat } message || _room is not { } room) return;
        var events = _service.Events;
        if (!events.ListensTo(_service) || ArchivePolicy.KindOf(message) != RoomMessageKind.Message) return;
        foreach (var step in events.Said) step(_service, room, message);
    }

    /// <summary>Tells what an occupant did not get. What the room still has in memory is enough mostly; the rest is
    /// looked up in its archive, and the room does not wait for it.</summary>
    void TellUndeliverable(RoomEffect.Undeliverable effect)
    {
        if (_service.Events.Undeliverable.Count == 0 || effect.Messages.IsEmpty || _room is not { } room) return;
        var told = new Undelivered(_service, Address, effect.Session, effect.Nick, effect.Cause, [],
            room.IsInside(effect.Session), room.Options.MembersOnly);
        var known = room.Remembered(effect.Messages);
        long[] missing = [.. effect.Messages.Where(id => !known.ContainsKey(id))];
        if (missing.Length == 0) Tell(told, [.. effect.Messages.Select(id => known[id])]);
        else _ = ReadAndTell(told, effect, known, missing);
    }

    async Task ReadAndTell(
        Undelivered told, RoomEffect.Undeliverable effect, IReadOnlyDictionary<long, Message> known, long[] missing)
    {
        var found = new Dictionary<long, Message>(known);
        try
        {
            foreach (var entry in await _service.Database.Archive.Find(Address, missing))
                if (StoredXml.ToStanza(entry.Stanza) is Message message) found[entry.Id] = message;
        }
        catch (StorageException e)
        {
            // What is at hand is told all the same.
            RoomsLog.Unreadable(_service.Log, Address, e.Message);
        }
        Tell(told, [.. effect.Messages.Where(found.ContainsKey).Select(id => found[id])]);
    }

    void Tell(Undelivered told, IReadOnlyList<Message> messages)
    {
        if (messages.Count == 0) return;
        told = told with { Messages = messages };
        foreach (var step in _service.Events.Undeliverable) step(told);
    }
}
