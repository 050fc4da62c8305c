using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Sessions;

/// <summary>The queue of unacknowledged stanzas (stream-management.md §3, §4, §6).</summary>
[Spec("XEP-0198", "acking")]
public sealed class SmQueueTests
{
    static readonly DateTimeOffset Now = new(2024, 5, 1, 12, 0, 0, TimeSpan.Zero);
    static readonly Jid Julia = Jid.Parse("julia@x/1");
    static readonly Jid Garden = Jid.Parse("garden@muc.x");
    readonly List<SmEntry> _overflow = [];

    static SharedStanza Stanza(int number) => SharedStanza.From(new Message(MessageType.Chat, Jid.Parse("romeo@x/1"),
        default, $"{number:0000}", new Element(Namespaces.Client, "body", "x")));

    static SmQueue Queue(int pushed, uint sentBefore = 0, int countMax = 500, long bytesMax = 1 << 20)
    {
        var limits = new SmQueueLimits
        {
            CountMax = countMax,
            BytesMax = bytesMax,
            HasArchive = static jid => jid == Garden || jid == Julia.Bare,
        };
        var queue = SmQueue.Restore(new SmQueueSnapshot(sentBefore, [], []), limits);
        var lost = new List<SmEntry>();
        for (int i = 0; i < pushed; i++) queue.Push(Stanza(i), Julia, Now, lost);
        Assert.Empty(lost);
        return queue;
    }

    static string[] Ids(IEnumerable<SmEntry> entries) =>
        [.. entries.Select(entry => entry.Stanza.Stanza.Id!.TrimStart('0'))];

    [Fact, Feature("SM-01")]
    public void Stanzas_stay_until_acknowledged_and_go_oldest_first()
    {
        var queue = Queue(5);
        var acknowledged = new List<SmEntry>();
        Assert.Equal(SmAck.Accepted, queue.Ack(2, acknowledged));
        Assert.Equal(["", "1"], Ids(acknowledged));
        Assert.Equal(["2", "3", "4"], Ids(queue.Stored));
        Assert.Equal((5u, 2u, 3u), (queue.Sent, queue.Acknowledged, queue.UnackedCount));
    }

    [Fact]
    public void An_acknowledgement_of_nothing_new_is_legal()
    {
        var queue = Queue(3);
        Assert.Equal(SmAck.Accepted, queue.Ack(0));
        Assert.Equal(SmAck.Accepted, queue.Ack(3));
        Assert.Equal(SmAck.Accepted, queue.Ack(3));
        Assert.Equal((0u, 0L), (queue.UnackedCount, queue.Bytes));
    }

    [Theory]
    [InlineData(4u)]            // more than was sent
    [InlineData(1u)]            // less than before
    [InlineData(uint.MaxValue)]
    public void An_acknowledgement_outside_what_was_sent_changes_nothing(uint h)
    {
        var queue = Queue(3);
        queue.Ack(2);
        Assert.Equal(SmAck.TooHigh, queue.Ack(h));
        Assert.Equal((3u, 2u, 1u), (queue.Sent, queue.Acknowledged, queue.UnackedCount));
    }

    [Fact]
    public void Counters_wrap_at_two_to_the_thirty_second()
    {
        var queue = Queue(5, sentBefore: uint.MaxValue - 1);
        Assert.Equal((3u, uint.MaxValue - 1, 5u), (queue.Sent, queue.Acknowledged, queue.UnackedCount));
        Assert.Equal(SmAck.TooHigh, queue.Ack(uint.MaxValue - 2));
        Assert.Equal(SmAck.TooHigh, queue.Ack(4));
        Assert.Equal(SmAck.Accepted, queue.Ack(uint.MaxValue));
        Assert.Equal(SmAck.Accepted, queue.Ack(0));
        Assert.Equal(["2", "3", "4"], Ids(queue.Stored));
        Assert.Equal(SmAck.TooHigh, queue.Ack(uint.MaxValue));
        Assert.Equal(SmAck.Accepted, queue.Ack(3));
        Assert.Empty(queue.Stored);
    }

    [Fact]
    public void Beyond_its_count_the_oldest_go_to_the_caller_and_the_session_cannot_resume_until_they_are_acknowledged()
    {
        var queue = Queue(3, countMax: 3);
        queue.Push(Stanza(3), Julia, Now, _overflow);
        Assert.Equal([""], Ids(_overflow));
        Assert.Equal((4u, 0u, 4u, false), (queue.Sent, queue.Acknowledged, queue.UnackedCount, queue.IsComplete));
        var acknowledged = new List<SmEntry>();
        queue.Ack(1, acknowledged);
        Assert.Empty(acknowledged); // it went to the caller before
        Assert.True(queue.IsComplete);
        queue.Ack(3, acknowledged);
        Assert.Equal(["1", "2"], Ids(acknowledged));
    }

    [Fact]
    public void Beyond_its_bytes_too_but_the_newest_always_stays()
    {
        int bytes = Stanza(0).ByteCount;
        var queue = Queue(2, bytesMax: bytes * 2);
        Assert.Equal(bytes * 2, queue.Bytes);
        queue.Push(Stanza(2), Julia, Now, _overflow);
        Assert.Equal(["1", "2"], Ids(queue.Stored));
        Assert.False(queue.IsComplete);
        queue = Queue(0, bytesMax: 1);
        queue.Push(Stanza(0), Julia, Now, _overflow);
        Assert.True(queue.IsComplete);
        queue.Push(Stanza(1), Julia, Now, _overflow);
        Assert.Equal(["1"], Ids(queue.Stored));
    }

    [Fact, Feature("SM-18")]
    public void A_request_is_due_beyond_the_threshold_once_until_answered_and_not_again_for_the_same_count()
    {
        var queue = Queue(2);
        Assert.False(queue.TakeRequest(threshold: 2));
        Assert.True(queue.TakeRequest(threshold: 0));
        Assert.True(queue.IsAwaitingAck);
        Assert.False(queue.TakeRequest(threshold: 0));
        queue.Ack(1);
        Assert.False(queue.TakeRequest(threshold: 0)); // the peer counts wrongly: no loop
        queue.Push(Stanza(2), Julia, Now, _overflow);
        Assert.True(queue.TakeRequest(threshold: 0));
        queue.Disconnect();
        Assert.False(queue.IsAwaitingAck);
        Assert.True(queue.TakeRequest(threshold: 0, force: true));
    }

    [Fact, Feature("SM-02")]
    public void A_snapshot_goes_on_where_the_queue_was()
    {
        var queue = Queue(4, sentBefore: 10, countMax: 3 + 1);
        queue.Push(Stanza(4), Julia, Now.AddSeconds(1), _overflow);
        var restored = SmQueue.Restore(queue.Snapshot(), new SmQueueLimits());
        Assert.Equal((15u, 10u, 5u, false), (restored.Sent, restored.Acknowledged, restored.UnackedCount,
            restored.IsComplete));
        Assert.Equal(queue.Bytes, restored.Bytes);
        Assert.Equal(SmAck.Accepted, restored.Ack(14));
        Assert.Equal(Now.AddSeconds(1), Assert.Single(restored.Stored).QueuedAt);
    }

    [Fact, Feature("SM-01")]
    public void What_an_archive_has_is_kept_as_a_reference_and_the_session_can_resume()
    {
        var queue = Queue(0, countMax: 2);
        queue.Push(FromRoom(7), Julia, Now, _overflow);
        for (int i = 0; i < 2; i++) queue.Push(Stanza(i), Julia, Now, _overflow);
        Assert.Empty(_overflow);
        Assert.True(queue.IsComplete);
        Assert.Equal(new SmReference(Garden, 7, Now), Assert.Single(queue.References));
        Assert.Equal(3u, queue.UnackedCount);
        Assert.Equal(SmAck.Accepted, queue.Ack(1));
        Assert.Empty(queue.References);
        Assert.Equal(["", "1"], Ids(queue.Stored));

        // Another server's room has no archive here.
        queue = Queue(0, countMax: 1);
        queue.Push(FromRoom(7, "garden@elsewhere"), Julia, Now, _overflow);
        queue.Push(Stanza(0), Julia, Now, _overflow);
        Assert.False(queue.IsComplete);
        Assert.Single(_overflow);
    }

    [Fact, Feature("SM-01")]
    public void What_the_accounts_own_archive_has_is_a_reference_too()
    {
        static SharedStanza Kept(int id, string by) => SharedStanza.From(new Message(MessageType.Chat,
            Jid.Parse("romeo@x/1"), Julia.Bare, "m",
            Muster.Protocol.Payloads.StanzaIds.StanzaId($"{id}", Jid.Parse(by))));
        var queue = Queue(0, countMax: 2);
        queue.Push(Kept(7, "julia@x"), default, Now, _overflow);
        queue.Push(Kept(8, "julia@x"), Julia, Now, _overflow);
        for (int i = 0; i < 2; i++) queue.Push(Stanza(i), Julia, Now, _overflow);
        Assert.Empty(_overflow);
        Assert.Equal([new(Julia.Bare, 7, Now), new(Julia.Bare, 8, Now)], queue.References);

        // What somebody else calls archived is in no archive here.
        queue.Push(Kept(9, "romeo@x"), Julia, Now, _overflow);
        queue.Push(Stanza(2), Julia, Now, _overflow);
        queue.Push(Stanza(3), Julia, Now, _overflow);
        Assert.Equal(["0000", "0001", "m"], _overflow.Select(entry => entry.Stanza.Stanza.Id));
    }

    [Fact]
    public void Presence_counts_in_bytes_alone()
    {
        var queue = Queue(0, countMax: 2);
        var presence = SharedStanza.From(new Presence(PresenceType.Available, Jid.Parse("garden@muc.x/nick"), default,
            null));
        for (int i = 0; i < 1000; i++) queue.Push(presence, Julia, Now, _overflow);
        Assert.True(queue.IsComplete);
        Assert.Equal((1000u, 1000L * presence.ByteCount), (queue.UnackedCount, queue.Bytes));
    }

    static SharedStanza FromRoom(int id, string room = "garden@muc.x") => SharedStanza.From(new Message(
        MessageType.Groupchat, Jid.Parse($"{room}/romeo"), default, "m",
        Muster.Protocol.Payloads.StanzaIds.StanzaId($"{id}", Jid.Parse(room))));

    /// <summary>Any sequence of pushes and acknowledgements agrees with a plain list of numbers.</summary>
    [Fact]
    public void Agrees_with_a_list_for_any_sequence()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            uint start = (uint)random.NextInt64(uint.MaxValue - 20L, uint.MaxValue + 1L);
            var queue = Queue(0, start, countMax: 10);
            var sent = new List<long>(); // model: numbers not acknowledged, unbounded by 2^32
            long next = start, acked = start;
            for (int step = 0; step < 200; step++)
            {
                if (random.Next(3) > 0)
                {
                    sent.Add(next++);
                    queue.Push(Stanza(0), Julia, Now, _overflow);
                }
                else
                {
                    long h = acked + random.Next(-2, sent.Count + 3);
                    bool valid = h >= acked && h <= next;
                    Assert.Equal(valid ? SmAck.Accepted : SmAck.TooHigh, queue.Ack(unchecked((uint)h)));
                    if (!valid) continue;
                    sent.RemoveAll(number => number < h);
                    acked = h;
                }
                Assert.Equal((uint)sent.Count, queue.UnackedCount);
                Assert.Equal(unchecked((uint)acked), queue.Acknowledged);
                Assert.True(queue.Stored.Count <= 10);
                Assert.True(!queue.IsComplete || queue.Stored.Count == sent.Count);
            }
        }
    }

    /// <summary>History that finds no room is history still when it is read from the archive: it says when it was
    /// said.</summary>
    [Fact]
    public void A_reference_to_history_keeps_its_time()
    {
        var queue = Queue(0, countMax: 1);
        var saidAt = Now.AddHours(-3);
        var history = new Message(MessageType.Groupchat, Jid.Parse("garden@muc.x/Romeo"), default, "h",
            new Element(Namespaces.Client, "body", "x"), StanzaIds.StanzaId("7", Garden),
            new Delay(saidAt, Garden).ToElement());
        queue.Push(SharedStanza.From(history), Julia, Now, _overflow);
        queue.Push(Stanza(1), Julia, Now, _overflow);
        Assert.Empty(_overflow);
        Assert.Equal(new SmReference(Garden, 7, Now, saidAt), Assert.Single(queue.References));
    }
}
