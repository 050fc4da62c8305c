using System.Buffers;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

/// <summary>What a groupchat message is to the archive and to the history.</summary>
public enum RoomMessageKind
{
    /// <summary>Shown to those who enter later, and archived.</summary>
    Message,
    /// <summary>A subject change: archived, but never history, as the subject is sent separately (XEP-0045
    /// §7.2.15).</summary>
    Subject,
    /// <summary>Archived only.</summary>
    Other,
    /// <summary>Passing: chat states and what the sender wants not to be stored. Neither archived nor
    /// history.</summary>
    Passing,
}

/// <summary>A message that a room keeps for those who enter later.</summary>
/// <param name="Id">Its archive id.</param>
/// <param name="At">When the room took it.</param>
/// <param name="Stanza">The message as occupants saw it, without <c>to</c>.</param>
public sealed record HistoryEntry(long Id, DateTimeOffset At, Message Stanza)
{
    Message? _delayed;
    int _bytes;

    /// <summary>Gives back what can be made again.</summary>
    internal void Compact() => _delayed = null;

    /// <summary>The message with the time at which it was sent, made once for all who enter.</summary>
    internal Message Delayed(Jid room) => _delayed ??= (Message)Stanza.Add(
        // XEP-0045 §7.2.13 #enter-history: 'from' is the room, so that no real JID is revealed.
        new Delay(At, room).ToElement());

    /// <summary>Size of that message in bytes of UTF-8, without <c>to</c>.</summary>
    internal int Bytes(Jid room)
    {
        if (_bytes > 0) return _bytes;
        var output = new ArrayBufferWriter<byte>();
        StanzaWriter.Write(output, Delayed(room).ToElement(), Namespaces.Client);
        return _bytes = output.WrittenCount;
    }
}

/// <summary>The newest messages of one room, in order, at most as many as the service and the owner say.</summary>
sealed class History(Jid room)
{
    readonly Queue<HistoryEntry> _entries = [];

    /// <summary>Number of messages kept.</summary>
    public int Count => _entries.Count;

    /// <summary>The kept messages, oldest first.</summary>
    public IReadOnlyCollection<HistoryEntry> All => _entries;

    /// <summary>Keeps a message, and lets the oldest go beyond <paramref name="countMax"/>.</summary>
    public void Add(HistoryEntry entry, int countMax)
    {
        _entries.Enqueue(entry);
        while (_entries.Count > countMax) _entries.Dequeue();
    }

    /// <summary>Gives back what can be made again.</summary>
    public void Compact()
    {
        foreach (var entry in _entries) entry.Compact();
        _entries.TrimExcess();
    }

    /// <summary>Puts a tombstone in the place of a message; false when it is not here.</summary>
    public bool Replace(long id, Message tombstone)
    {
        bool found = false;
        for (int i = _entries.Count; i > 0; i--)
        {
            var entry = _entries.Dequeue();
            found |= entry.Id == id;
            _entries.Enqueue(entry.Id == id ? new HistoryEntry(id, entry.At, tombstone) : entry);
        }
        return found;
    }

    /// <summary>The kept message with this archive id, or null.</summary>
    public HistoryEntry? Find(long id)
    {
        foreach (var entry in _entries)
            if (entry.Id == id) return entry;
        return null;
    }

    /// <summary>
    /// What somebody who enters gets, oldest first: of all limits the one that leaves least, complete stanzas only,
    /// the newest kept (XEP-0045 §7.2.14 #enter-managehistory).
    /// </summary>
    public IEnumerable<Message> Select(MucHistoryRequest? request, int countDefault, Jid recipient, DateTimeOffset now)
    {
        int count = Math.Min(countDefault, request?.MaxStanzas ?? int.MaxValue);
        if (request?.MaxChars == 0) count = 0;
        var since = request?.Since ?? DateTimeOffset.MinValue;
        if (request?.Seconds is { } seconds)
        {
            // A request may reach back further than time itself; seconds are an int, so this cannot overflow a long.
            long ticks = Math.Max(now.UtcTicks - seconds * TimeSpan.TicksPerSecond, 0);
            if (ticks > since.UtcTicks) since = new DateTimeOffset(ticks, TimeSpan.Zero);
        }
        var kept = _entries.Where(entry => entry.At >= since).TakeLast(count).ToList();
        return kept.Skip(kept.Count - Fitting(kept, request?.MaxChars, recipient)).Select(entry => entry.Delayed(room));
    }

    int Fitting(List<HistoryEntry> entries, int? bytesMax, Jid recipient)
    {
        if (bytesMax is null) return entries.Count;
        int addressing = " to=''".Length + recipient.ToString().Length;
        long total = 0;
        for (int i = entries.Count - 1; i >= 0; i--)
        {
            total += entries[i].Bytes(room) + addressing;
            if (total > bytesMax) return entries.Count - 1 - i;
        }
        return entries.Count;
    }
}
