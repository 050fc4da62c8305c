using Muster.Core.Streams;
using Muster.Protocol.Stanzas;
using Muster.Server.Peers;

namespace Muster.Server.Routing;

/// <summary>A stanza that waits for a stream.</summary>
readonly record struct PeerLetter(SharedStanza Shared, bool IsAgain);

/// <summary>The way from a domain of this server to another server's: its stream, or what waits for one. All is guarded
/// by <see cref="Lock"/>, under which nothing is called but links.</summary>
sealed class PeerRoute(PeerPair pair)
{
    readonly Queue<PeerLetter> _queue = [];
    long _queuedBytes;

    public Lock Lock { get; } = new();

    /// <summary>Between whom it is.</summary>
    public PeerPair Pair => pair;

    /// <summary>The stream that takes stanzas, or null.</summary>
    public PeerLink? Link { get; set; }

    /// <summary>The stream that is being negotiated, or null.</summary>
    public PeerLink? Trying { get; set; }

    /// <summary>Whether an attempt is under way, from looking up the name to the stream that takes stanzas.</summary>
    public bool IsTrying { get; set; }

    /// <summary>When the attempt began.</summary>
    public DateTimeOffset TryingSince { get; set; }

    /// <summary>Keys that the server is to be asked about once there is a stream.</summary>
    public List<(string StreamId, string Key)> Questions { get; } = [];

    /// <summary>Attempts that failed since the last one that did not.</summary>
    public int Failures { get; set; }

    /// <summary>Before this no other attempt is made.</summary>
    public DateTimeOffset RetryAt { get; set; }

    /// <summary>What the last attempt came to, for those who send before another is made.</summary>
    public StanzaError LastError { get; set; } = StanzaError.RemoteServerTimeout;

    /// <summary>The trouble that was logged last; the same is not logged again.</summary>
    public string? Logged { get; set; }

    /// <summary>Whether the peer refused this server's certificate as proof.</summary>
    public bool SkipsExternal { get; set; }

    /// <summary>Whether the peer refused to take the pair on a stream of other domains.</summary>
    public bool SkipsSharing { get; set; }

    /// <summary>What is known of a stream that broke and may be resumed. As long as it may, what is sent
    /// waits.</summary>
    public PeerAcks? Resumable { get; set; }

    /// <summary>When the peer answered a ping last, or the stream began.</summary>
    public DateTimeOffset AnsweredAt { get; set; }

    /// <summary>When it was pinged last.</summary>
    public DateTimeOffset PingedAt { get; set; }

    /// <summary>When the route was used last.</summary>
    public DateTimeOffset UsedAt { get; set; }

    /// <summary>Stanzas that wait.</summary>
    public int QueueCount => _queue.Count;

    /// <summary>True when nobody would miss the route.</summary>
    public bool IsUnused => Link is null && !IsTrying && Resumable is null && _queue.Count == 0;

    /// <summary>Adds a stanza to those that wait; false when there are too many.</summary>
    public bool TryEnqueue(PeerLetter letter, int countMax, long bytesMax)
    {
        if (_queue.Count >= countMax || _queuedBytes + letter.Shared.ByteCount > bytesMax) return false;
        _queue.Enqueue(letter);
        _queuedBytes += letter.Shared.ByteCount;
        return true;
    }

    /// <summary>Sends what waits, as far as the stream takes it. Those that it refuses for good are handed
    /// back.</summary>
    public void Flush(PeerLink link, List<Stanza> refused)
    {
        while (_queue.TryPeek(out var letter))
        {
            var outcome = link.Send(letter.Shared, letter.IsAgain);
            if (outcome == PeerSend.Gone) return;
            if (outcome == PeerSend.Overflow) refused.Add(letter.Shared.Stanza);
            _queue.Dequeue();
            _queuedBytes -= letter.Shared.ByteCount;
        }
    }

    /// <summary>Takes all that waits out, oldest first.</summary>
    public List<Stanza> TakeQueue()
    {
        List<Stanza> all = [.. _queue.Select(letter => letter.Shared.Stanza)];
        _queue.Clear();
        _queuedBytes = 0;
        return all;
    }
}
