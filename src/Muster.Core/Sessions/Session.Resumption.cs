using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Sessions;

/// <summary>What came of the loss of a session's connection.</summary>
public enum DetachOutcome
{
    /// <summary>The session waits for its client.</summary>
    Waits,
    /// <summary>It cannot wait, and must be ended.</summary>
    MustEnd,
    /// <summary>It has another connection already, or has ended: nothing is to be done.</summary>
    NotConcerned,
}

/// <summary>What came of an attempt to resume a session.</summary>
public enum AttachOutcome
{
    /// <summary>It is the connection's now.</summary>
    Attached,
    /// <summary>There is no such session.</summary>
    Gone,
    /// <summary>Stanzas were lost, so that it cannot go on.</summary>
    Incomplete,
    /// <summary>The client claims to have got more than it was sent.</summary>
    TooHigh,
}

// Hibernation and resumption (XEP-0198 §5): the session goes on when its connection breaks.
public sealed partial class Session
{
    /// <summary>The connection is gone. The session waits for another, if it can.</summary>
    public DetachOutcome Detach(SessionLink link)
    {
        lock (_lock)
        {
            if (_ended || _link != link) return DetachOutcome.NotConcerned;
            if (_managed is not { Terms.Token: not null } managed || !managed.Queue.IsComplete)
                return DetachOutcome.MustEnd;
            SendWaitingToQueue(managed);
            _waiting = null; // stream-management.md §5: a resumed client is active
            managed.Queue.Disconnect();
            managed.IsOverdue = false;
            _link = null;
            return DetachOutcome.Waits;
        }
    }

    /// <summary>Gives the session another connection (XEP-0198 §5). Nothing is written to it before
    /// <see cref="Replay"/>, and what comes meanwhile waits in order.</summary>
    /// <param name="link">The connection, which accepts no stanzas yet.</param>
    /// <param name="h">Stanzas that the client has handled.</param>
    /// <param name="old">The connection that it had, if it still had one: it must be closed, and is not the session's
    /// any more.</param>
    public AttachOutcome Attach(SessionLink link, uint h, out SessionLink? old)
    {
        old = null;
        lock (_lock)
        {
            if (_ended || _managed is not { Terms.Token: not null } managed) return AttachOutcome.Gone;
            if (managed.Queue.Ack(h) == SmAck.TooHigh) return AttachOutcome.TooHigh;
            if (!managed.Queue.IsComplete) return AttachOutcome.Incomplete;
            old = _link;
            if (old is not null) SendWaitingToQueue(managed);
            _waiting = null;
            managed.Queue.Disconnect();
            managed.IsOverdue = false;
            _link = link;
            return AttachOutcome.Attached;
        }
    }

    /// <summary>The answer that tells the client that it goes on; null when the session has ended, or went on to yet
    /// another connection.</summary>
    public Element? Resumed(SessionLink link, string ns)
    {
        lock (_lock)
        {
            if (_ended || _link != link || _managed is not { } managed) return null;
            return SmElements.Resumed(ns, managed.Terms.Token!, managed.Taken);
        }
    }

    /// <summary>Ends the session if it has no connection. True for the caller that ended it.</summary>
    public bool EndWaiting()
    {
        lock (_lock)
        {
            if (_ended || _link is not null) return false;
            return _ended = true;
        }
    }

    /// <summary>What must be read from archives to be sent again before what the session has itself.</summary>
    public IReadOnlyList<SmReference> References
    {
        get { lock (_lock) return _managed is { } managed ? [.. managed.Queue.References] : []; }
    }

    /// <summary>Sends the client again what it has not acknowledged, in order, with the time at which it should have
    /// had it (XEP-0198 §5, XEP-0203); from now on the connection takes what comes.</summary>
    /// <param name="link">The connection.</param>
    /// <param name="archived">The messages of <see cref="References"/>, in their order. One that is gone from its
    /// archive is null: it was taken back, and something must be sent in its place, as it was counted.</param>
    public void Replay(SessionLink link, IReadOnlyList<(SmReference Reference, Message? Message)> archived)
    {
        lock (_lock)
        {
            if (_ended || _link != link || _managed is not { } managed) return;
            lock (link.Gate)
            {
                if (!link.TryAccept()) return;
                foreach (var (reference, message) in archived)
                    Repeat(link, Archived(reference, message), Jid, reference.QueuedAt);
                foreach (var entry in managed.Queue.Stored)
                    Repeat(link, entry.Stanza.Stanza, entry.To, entry.QueuedAt);
                if (managed.Queue.UnackedCount > 0 && managed.Queue.TakeRequest(0, force: true))
                    link.RequestAck(managed.Request);
                Written(link);
            }
        }
    }

    /// <summary>What an ended session has not brought to its client, oldest first.</summary>
    public IReadOnlyCollection<SmEntry> TakeUnacknowledged()
    {
        lock (_lock)
        {
            if (!_ended) throw new InvalidOperationException($"{Jid} has not ended");
            if (_managed is not { } managed) return [];
            SendWaitingToQueue(managed);
            return managed.Queue.Stored;
        }
    }

    void Repeat(SessionLink link, Stanza stanza, Jid to, DateTimeOffset queuedAt)
    {
        // An iq is about now; what carries a stamp says already when it was meant.
        if (stanza is not Iq && stanza.Child(Namespaces.Delay, "delay") is null)
            stanza = stanza.Add(new Delay(queuedAt, Account).ToElement());
        StanzaWriter.Write(link.Outbound, stanza.Readdressed(stanza.From, to),
            link.DeclaresNamespace ? "" : Namespaces.Client);
        link.EndStanza();
    }

    /// <summary>A message of an archive as it was sent: history says when it was said (XEP-0045 §7.2.13
    /// #enter-history), which no archive keeps within the message.</summary>
    Stanza Archived(SmReference reference, Message? message)
    {
        if (message is null)
            return new Message(reference.Archive == Account ? MessageType.Normal : MessageType.Groupchat,
                reference.Archive, default, null);
        return reference.SaidAt is { } at ? message.Add(new Delay(at, reference.Archive).ToElement()) : message;
    }
}
