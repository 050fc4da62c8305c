using System.Collections.Immutable;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Sessions;

/// <summary>A stanza that was sent and not acknowledged yet.</summary>
/// <param name="Stanza">The stanza as it was written.</param>
/// <param name="To">The recipient that it was written with; none when it was written without.</param>
/// <param name="QueuedAt">When it was first queued: it tells when a resumed session should have had it
/// (XEP-0203).</param>
public readonly record struct SmEntry(SharedStanza Stanza, Jid To, DateTimeOffset QueuedAt);

/// <summary>A message that was sent, is not acknowledged and stands in an archive, from which it is sent
/// again.</summary>
/// <param name="Archive">Whose: a room, or the account itself.</param>
/// <param name="Id">The message's id there.</param>
/// <param name="QueuedAt">As for <see cref="SmEntry"/>.</param>
/// <param name="SaidAt">When the message was said, where the room told that with it: then it was history, and is sent
/// again as such; null for one that was shown when it was said.</param>
public readonly record struct SmReference(
    Jid Archive, long Id, DateTimeOffset QueuedAt, DateTimeOffset? SaidAt = null);

/// <summary>What an acknowledgement did.</summary>
public enum SmAck
{
    /// <summary>It was taken; it may acknowledge nothing new.</summary>
    Accepted,
    /// <summary>It acknowledges what was never sent, or less than an earlier one did, which looks the same: a broken
    /// peer. Nothing was changed; the stream must end with <c>handled-count-too-high</c> (XEP-0198 §4, §10).</summary>
    TooHigh,
}

/// <summary>
/// The stanzas that a peer has not acknowledged (XEP-0198): what must be sent again when the session resumes, or
/// answered for when it dies. Counting, nothing else: no stream, no timer, no lock.
/// </summary>
/// <remarks>
/// Counters are modulo 2^32 as on the wire (XEP-0198 §2), and all comparisons are differences, so the wrap needs no
/// case of its own. Oldest first stand those that found no room any more, as references to archives or lost, then those
/// that are kept. Invariant: <c>Sent - Acknowledged = UnackedCount = lost and references + stored</c>.
/// </remarks>
public sealed class SmQueue(SmQueueLimits limits)
{
    readonly Queue<SmEntry> _stored = [];
    readonly Queue<SmReference> _dropped = []; // a lost one has no archive
    int _lost;        // of those
    int _counted;     // of the stored ones, those that CountMax counts
    uint? _requestedFor; // the h that the last request was to bring
    bool _isAwaiting;

    /// <summary>Stanzas sent in the life of the session, modulo 2^32.</summary>
    public uint Sent { get; private set; }

    /// <summary>The last h that the peer sent.</summary>
    public uint Acknowledged => unchecked(Sent - UnackedCount);

    /// <summary>Stanzas sent and not acknowledged, those that found no room included.</summary>
    public uint UnackedCount => (uint)(_dropped.Count + _stored.Count);

    /// <summary>Bytes of the stanzas kept.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether everything unacknowledged is here or in an archive, so that the session can resume.</summary>
    public bool IsComplete => _lost == 0;

    /// <summary>The stanzas kept, oldest first.</summary>
    public IReadOnlyCollection<SmEntry> Stored => _stored;

    /// <summary>Those before them that stand in archives, oldest first.</summary>
    public IEnumerable<SmReference> References => _dropped.Where(reference => !reference.Archive.IsNone);

    /// <summary>True while an acknowledgement that was asked for has not come.</summary>
    public bool IsAwaitingAck => _isAwaiting;

    /// <summary>Takes a stanza that is sent now, or would be if there were a connection.</summary>
    /// <param name="stanza">The stanza.</param>
    /// <param name="to">The recipient as written, or none.</param>
    /// <param name="now">The time.</param>
    /// <param name="lost">Where stanzas go that find no room any more and stand in no archive, oldest first: the
    /// caller answers for them now, and the session cannot be resumed until they are acknowledged.</param>
    public void Push(SharedStanza stanza, Jid to, DateTimeOffset now, List<SmEntry> lost)
    {
        unchecked { Sent++; }
        Keep(new SmEntry(stanza, to, now));
        while (_counted > limits.CountMax || (Bytes > limits.BytesMax && _stored.Count > 1))
        {
            var entry = Dequeue();
            var reference = _dropped.Count - _lost < limits.ReferencesMax ? ReferenceTo(entry) : default;
            _dropped.Enqueue(reference);
            if (!reference.Archive.IsNone) continue;
            _lost++;
            lost.Add(entry);
        }
    }

    /// <summary>Takes an acknowledgement.</summary>
    /// <param name="h">The peer's count of stanzas handled.</param>
    /// <param name="acknowledged">Where the stanzas go that are acknowledged by it, oldest first; null when the caller
    /// does not care.</param>
    public SmAck Ack(uint h, List<SmEntry>? acknowledged = null)
    {
        uint count = unchecked(h - Acknowledged);
        if (count > UnackedCount) return SmAck.TooHigh;
        for (uint left = count; left > 0; left--)
        {
            if (_dropped.TryDequeue(out var dropped))
            {
                if (dropped.Archive.IsNone) _lost--;
                continue;
            }
            var entry = Dequeue();
            acknowledged?.Add(entry);
        }
        _isAwaiting = false;
        if (_stored.Count == 0 && _stored.Capacity > SmallCapacity) _stored.TrimExcess();
        return SmAck.Accepted;
    }

    /// <summary>Whether to ask for an acknowledgement now; if so, it counts as asked (stream-management.md
    /// §4).</summary>
    /// <param name="threshold">Stanzas that may be unacknowledged without a request.</param>
    /// <param name="force">Ask though nothing new was sent since the last request: after resuming, or when the peer is
    /// silent.</param>
    public bool TakeRequest(uint threshold, bool force = false)
    {
        if (!force)
        {
            if (_isAwaiting || UnackedCount <= threshold) return false;
            // A peer that counts wrongly answers every request with less than was sent: asking again for the same
            // number would go on for ever.
            if (_requestedFor == Sent) return false;
        }
        _isAwaiting = true;
        _requestedFor = Sent;
        return true;
    }

    /// <summary>The connection is gone: no answer to a request will come.</summary>
    public void Disconnect() => _isAwaiting = false;

    /// <summary>The state, for a session that is to survive the process.</summary>
    public SmQueueSnapshot Snapshot() => new(Sent, [.. _dropped], [.. _stored]);

    /// <summary>Makes a queue with the state of a snapshot. Its stanzas are kept even beyond smaller limits.</summary>
    public static SmQueue Restore(SmQueueSnapshot snapshot, SmQueueLimits limits)
    {
        var queue = new SmQueue(limits) { Sent = snapshot.Sent };
        foreach (var reference in snapshot.Dropped)
        {
            queue._dropped.Enqueue(reference);
            if (reference.Archive.IsNone) queue._lost++;
        }
        foreach (var entry in snapshot.Stored) queue.Keep(entry);
        return queue;
    }

    // A burst must not leave its memory behind in a session that then is idle.
    const int SmallCapacity = 32;

    void Keep(in SmEntry entry)
    {
        _stored.Enqueue(entry);
        Bytes += entry.Stanza.ByteCount;
        if (IsCounted(entry)) _counted++;
    }

    SmEntry Dequeue()
    {
        var entry = _stored.Dequeue();
        Bytes -= entry.Stanza.ByteCount;
        if (IsCounted(entry)) _counted--;
        return entry;
    }

    // What comes by itself on entering rooms is bounded in bytes alone: a thousand of them must not cost the session.
    static bool IsCounted(in SmEntry entry) =>
        entry.Stanza.Stanza is not (Presence or Message { Type: MessageType.Groupchat, IsSubjectOnly: true });

    /// <summary>Where an archive has the message: its room's, or that of the account which it is for. None when it is
    /// in none that is at hand.</summary>
    SmReference ReferenceTo(in SmEntry entry)
    {
        if (entry.Stanza.Stanza is not Message message) return default;
        var to = entry.To.IsNone ? message.To : entry.To;
        var archive = message.Type == MessageType.Groupchat ? message.From.Bare : to.Bare;
        return StanzaIds.Find(message, archive) is { } id && limits.HasArchive(archive)
            && limits.ArchiveIds.TryRead(id, out long number)
            ? new(archive, number, entry.QueuedAt, SaidAt(message, archive)) : default;
    }

    static DateTimeOffset? SaidAt(Message message, Jid archive)
    {
        foreach (var child in message.Elements)
            if (Delay.IsBy(child, archive)) return Delay.Read(child)?.Stamp;
        return null;
    }
}

/// <summary>The state of a <see cref="SmQueue"/>.</summary>
/// <param name="Sent">Stanzas sent, modulo 2^32.</param>
/// <param name="Dropped">Unacknowledged stanzas that are not kept any more, oldest first: references to archives, or
/// to none where they are lost.</param>
/// <param name="Stored">The stanzas kept, oldest first.</param>
public sealed record SmQueueSnapshot(uint Sent, ImmutableArray<SmReference> Dropped, ImmutableArray<SmEntry> Stored);
