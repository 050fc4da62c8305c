using System.Collections.Immutable;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Sessions;

/// <summary>A stanza that was sent and not acknowledged yet.</summary>
/// <param name="Stanza">The stanza as it was written.</param>
/// <param name="To">The recipient that it was written with; none when it was written without.</param>
/// <param name="QueuedAt">When it was first queued: it tells when a resumed session should have had it
/// (XEP-0203).</param>
public readonly record struct SmEntry(SharedStanza Stanza, Jid To, DateTimeOffset QueuedAt);

/// <summary>What became of a stanza given to the queue.</summary>
public enum SmPush
{
    /// <summary>It is kept until it is acknowledged.</summary>
    Queued,
    /// <summary>It is kept, but older ones had to go to make room: the session cannot be resumed until they are
    /// acknowledged. What went is handed to the caller, who answers for it now.</summary>
    Overflow,
}

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
/// case of its own. Invariant: <c>Sent - Acknowledged = UnackedCount = lost + stored</c>, the lost ones being older
/// than all that is stored.
/// </remarks>
/// <param name="countMax">Most stanzas kept.</param>
/// <param name="bytesMax">Most bytes kept; the newest stanza is kept even when it alone is larger.</param>
public sealed class SmQueue(int countMax, long bytesMax)
{
    readonly Queue<SmEntry> _stored = [];
    uint _lost;
    uint? _requestedFor; // the h that the last request was to bring
    bool _isAwaiting;

    /// <summary>Stanzas sent in the life of the session, modulo 2^32.</summary>
    public uint Sent { get; private set; }

    /// <summary>The last h that the peer sent.</summary>
    public uint Acknowledged => unchecked(Sent - UnackedCount);

    /// <summary>Stanzas sent and not acknowledged, those that were lost to overflow included.</summary>
    public uint UnackedCount => _lost + (uint)_stored.Count;

    /// <summary>Bytes of the stanzas kept.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether everything unacknowledged is here, so that the session can resume.</summary>
    public bool IsComplete => _lost == 0;

    /// <summary>The stanzas kept, oldest first.</summary>
    public IReadOnlyCollection<SmEntry> Stored => _stored;

    /// <summary>True while an acknowledgement that was asked for has not come.</summary>
    public bool IsAwaitingAck => _isAwaiting;

    /// <summary>Takes a stanza that is sent now, or would be if there were a connection.</summary>
    /// <param name="stanza">The stanza.</param>
    /// <param name="to">The recipient as written, or none.</param>
    /// <param name="now">The time.</param>
    /// <param name="overflow">Where stanzas go that find no room any more, oldest first.</param>
    public SmPush Push(SharedStanza stanza, Jid to, DateTimeOffset now, List<SmEntry> overflow)
    {
        unchecked { Sent++; }
        _stored.Enqueue(new SmEntry(stanza, to, now));
        Bytes += stanza.ByteCount;
        var outcome = SmPush.Queued;
        while (_stored.Count > countMax || (Bytes > bytesMax && _stored.Count > 1))
        {
            overflow.Add(Dequeue());
            _lost++;
            outcome = SmPush.Overflow;
        }
        return outcome;
    }

    /// <summary>Takes an acknowledgement.</summary>
    /// <param name="h">The peer's count of stanzas handled.</param>
    /// <param name="acknowledged">Where the stanzas go that are acknowledged by it, oldest first; null when the caller
    /// does not care.</param>
    public SmAck Ack(uint h, List<SmEntry>? acknowledged = null)
    {
        uint count = unchecked(h - Acknowledged);
        if (count > UnackedCount) return SmAck.TooHigh;
        uint lost = Math.Min(count, _lost);
        _lost -= lost;
        for (uint left = count - lost; left > 0; left--)
        {
            var entry = Dequeue();
            acknowledged?.Add(entry);
        }
        _isAwaiting = false;
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
    public SmQueueSnapshot Snapshot() => new(Sent, _lost, [.. _stored]);

    /// <summary>Makes a queue with the state of a snapshot. Its stanzas are kept even beyond smaller limits.</summary>
    public static SmQueue Restore(SmQueueSnapshot snapshot, int countMax, long bytesMax)
    {
        var queue = new SmQueue(countMax, bytesMax) { Sent = snapshot.Sent, _lost = snapshot.Lost };
        foreach (var entry in snapshot.Stored)
        {
            queue._stored.Enqueue(entry);
            queue.Bytes += entry.Stanza.ByteCount;
        }
        return queue;
    }

    SmEntry Dequeue()
    {
        var entry = _stored.Dequeue();
        Bytes -= entry.Stanza.ByteCount;
        return entry;
    }
}

/// <summary>The state of a <see cref="SmQueue"/>.</summary>
/// <param name="Sent">Stanzas sent, modulo 2^32.</param>
/// <param name="Lost">Unacknowledged stanzas that are not kept any more.</param>
/// <param name="Stored">The stanzas kept, oldest first.</param>
public sealed record SmQueueSnapshot(uint Sent, uint Lost, ImmutableArray<SmEntry> Stored);
