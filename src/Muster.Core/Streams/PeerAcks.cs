using System.Globalization;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Streams;

/// <summary>
/// What two servers know of each other's stanzas on a stream (XEP-0198; stream-management.md §9): how many were taken,
/// and which were sent and not acknowledged. It outlives the connection when the stream may be resumed.
/// </summary>
/// <remarks>Not synchronised: the connection's gate guards it.</remarks>
public sealed class PeerAcks
{
    readonly SmQueue _queue;
    readonly HashSet<Stanza> _again = new(ReferenceEqualityComparer.Instance);
    readonly List<SmEntry> _taken = [];
    DateTimeOffset _askedAt;

    /// <summary>Begins to count.</summary>
    /// <param name="countMax">Most messages and iqs kept.</param>
    /// <param name="bytesMax">Most bytes kept.</param>
    public PeerAcks(int countMax, long bytesMax) =>
        _queue = new SmQueue(new SmQueueLimits { CountMax = countMax, BytesMax = bytesMax });

    /// <summary>Stanzas taken from the peer, modulo 2^32.</summary>
    public uint Handled { get; private set; }

    /// <summary>The token by which the stream may be resumed, or null: where stanzas found no room, what the peer lacks
    /// cannot be repeated (XEP-0198 §5), whenever it says that it would.</summary>
    public string? Token
    {
        get => _queue.IsComplete ? field : null;
        set;
    }

    /// <summary>How long the peer keeps the stream for being resumed.</summary>
    public TimeSpan ResumableFor { get; set; }

    /// <summary>Until when that is, once the connection has broken.</summary>
    public DateTimeOffset ResumableUntil { get; set; }

    /// <summary>Whether stanzas wait to be acknowledged.</summary>
    public bool HasUnacked => _queue.UnackedCount > 0;

    /// <summary>A stanza of the peer has been taken.</summary>
    public void Handle() => Handled = unchecked(Handled + 1);

    /// <summary>Notes a stanza that is sent.</summary>
    /// <param name="stanza">The stanza.</param>
    /// <param name="to">Its recipient.</param>
    /// <param name="isAgain">Whether it was sent on a stream before, which died.</param>
    /// <param name="now">The time.</param>
    /// <param name="dropped">Where those go that find no room any more: nobody will know whether they
    /// arrived.</param>
    public void Sent(SharedStanza stanza, Jid to, bool isAgain, DateTimeOffset now, List<SmEntry> dropped)
    {
        if (isAgain) _again.Add(stanza.Stanza);
        _queue.Push(stanza, to, now, dropped);
    }

    /// <summary>Whether to ask for an acknowledgement now; if so, it counts as asked.</summary>
    /// <param name="threshold">Stanzas that may be unacknowledged without asking.</param>
    /// <param name="now">The time.</param>
    public bool TakeRequest(uint threshold, DateTimeOffset now)
    {
        if (!_queue.TakeRequest(threshold)) return false;
        _askedAt = now;
        return true;
    }

    /// <summary>Whether an acknowledgement that was asked for is late.</summary>
    public bool IsLate(DateTimeOffset now, TimeSpan limit) => _queue.IsAwaitingAck && now - _askedAt > limit;

    /// <summary>Takes an acknowledgement: an element <c>a</c>, or one that bears an <c>h</c> like it.</summary>
    /// <returns>Null, or the error that ends the stream.</returns>
    public StreamError? Receive(Element ack)
    {
        if (!uint.TryParse(ack.Attribute("h"), NumberStyles.None, CultureInfo.InvariantCulture, out uint h))
            return StreamError.InvalidXml.WithText("h is a number");
        _taken.Clear();
        if (_queue.Ack(h, _taken) == SmAck.Accepted)
        {
            foreach (var entry in _taken) _again.Remove(entry.Stanza.Stanza);
            return null;
        }
        // XEP-0198 §4.
        var details = new Element(PeerNegotiation.AcksNamespace, "handled-count-too-high")
            .With("h", h.ToString(CultureInfo.InvariantCulture))
            .With("send-count", _queue.Sent.ToString(CultureInfo.InvariantCulture));
        return StreamError.UndefinedCondition.WithText("more acknowledged than was sent") with
        {
            Application = details,
        };
    }

    /// <summary>The acknowledgement of what was taken.</summary>
    public Element Ack() => Numbered("a");

    /// <summary>An element with the number of stanzas taken.</summary>
    public Element Numbered(string name) => new Element(PeerNegotiation.AcksNamespace, name)
        .With("h", Handled.ToString(CultureInfo.InvariantCulture));

    /// <summary>The connection is gone: no acknowledgement that was asked for will come on it.</summary>
    public void Disconnect() => _queue.Disconnect();

    /// <summary>What is not acknowledged, oldest first, and whether each had been sent before.</summary>
    public IReadOnlyList<UnackedStanza> Unacked =>
        [.. _queue.Stored.Select(entry => new UnackedStanza(
            entry.Stanza.Stanza, entry.QueuedAt, _again.Contains(entry.Stanza.Stanza)))];
}

/// <summary>A stanza that was sent to another server, which never said that it has it.</summary>
/// <param name="Stanza">The stanza.</param>
/// <param name="SentAt">When it was sent.</param>
/// <param name="IsAgain">Whether that was the second time.</param>
public readonly record struct UnackedStanza(Stanza Stanza, DateTimeOffset SentAt, bool IsAgain);

/// <summary>What becomes of a stanza that another server did not acknowledge before its stream died
/// (stream-management.md §9).</summary>
public static class PeerFate
{
    /// <summary>Older ones are not sent again.</summary>
    public static readonly TimeSpan ResendAge = TimeSpan.FromMinutes(5);

    /// <summary>Whether it is sent again where that is wanted: once, while it is news, and no presence, which is stale,
    /// nor an answer, which nobody may wait for any more.</summary>
    public static bool IsResent(UnackedStanza unacked, DateTimeOffset now) =>
        !unacked.IsAgain && now - unacked.SentAt < ResendAge
        && unacked.Stanza is (Message { IsError: false } or Iq { IsRequest: true });

    /// <summary>Whether its sender is told. Errors and answers are never answered (RFC 6120 §8.3.1), nor is what says
    /// that somebody has gone.</summary>
    public static bool IsBounced(Stanza stanza) => stanza switch
    {
        Iq iq => iq.IsRequest,
        Presence presence =>
            presence.Type is not (PresenceType.Unavailable or PresenceType.Probe or PresenceType.Error),
        _ => !stanza.IsError,
    };
}
