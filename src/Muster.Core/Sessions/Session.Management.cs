using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Sessions;

// Stream management (XEP-0198): what has arrived, on both sides.
public sealed partial class Session
{
    int _unsettled;      // stanzas of the client that are neither stored nor refused yet
    Jid _unsettledAt;    // where those are that others have taken over

    /// <summary>What the session is resumed with; null when it cannot be.</summary>
    public string? Token => _managed?.Terms.Token;

    /// <summary>The terms on which the stream is managed, or null.</summary>
    public SmTerms? Terms => _managed?.Terms;

    /// <summary>True while the session has no connection.</summary>
    public bool IsHibernating
    {
        get { lock (_lock) return !_ended && _link is null; }
    }

    /// <summary>Manages the stream from now on, where nothing has been written yet that the client could count: while
    /// the resource is being bound (XEP-0386).</summary>
    /// <returns>What tells the client; null when the stream is managed already or the session has ended.</returns>
    public Element? Manage(SmTerms terms, SessionWatcher watcher)
    {
        lock (_lock)
        {
            if (_ended || _managed is not null) return null;
            _managed = new ManagedStream(terms, watcher, new SmQueue(terms.Queue));
            return SmElements.Enabled(terms.Namespace, terms.Token, terms.Patience);
        }
    }

    /// <summary>The same for a session that is in use: the client is told, and all that is written after it is counted
    /// (XEP-0198 §3). False when the stream is managed already or the session has ended.</summary>
    public bool TryManage(SmTerms terms, SessionWatcher watcher)
    {
        lock (_lock)
        {
            if (_ended || _managed is not null || _link is not { } link) return false;
            SendWaiting();
            lock (link.Gate)
            {
                if (!link.AcceptsStanzas) return false;
                _managed = new ManagedStream(terms, watcher, new SmQueue(terms.Queue));
                link.WriteElement(SmElements.Enabled(terms.Namespace, terms.Token, terms.Patience));
            }
            return true;
        }
    }

    /// <summary>The client knows that it is bound: from now on the connection takes stanzas, and those that have come
    /// for a managed session meanwhile.</summary>
    public void Open(SessionLink link)
    {
        lock (_lock)
        {
            lock (link.Gate)
            {
                if (!link.TryAccept() || _link != link || _managed is not { } managed) return;
                foreach (var entry in managed.Queue.Stored)
                {
                    entry.Stanza.Write(link.Outbound, entry.To, link.DeclaresNamespace);
                    link.EndStanza();
                }
                if (managed.Queue.TakeRequest(UnackedMax(managed))) link.RequestAck(managed.Request);
                if (managed.Queue.UnackedCount > 0) Written(link);
            }
        }
    }

    /// <summary>Takes an acknowledgement (XEP-0198 §4).</summary>
    /// <param name="ack">The <c>a</c>.</param>
    /// <returns>A stream error when it says what cannot be; the session must end then.</returns>
    public StreamError? Acknowledge(Element ack)
    {
        SessionWatcher watcher;
        uint stanzas;
        lock (_lock)
        {
            if (_managed is not { } managed) return null;
            uint before = managed.Queue.Acknowledged;
            if (SmElements.ReadHandled(ack) is not { } h)
                return StreamError.InvalidXml.WithText("h is not a number of stanzas");
            if (managed.Queue.Ack(h) == SmAck.TooHigh)
                return SmElements.TooHigh(managed.Terms.Namespace, h, managed.Queue.Sent);
            managed.IsOverdue = false;
            Request(managed, force: false);
            stanzas = unchecked(managed.Queue.Acknowledged - before);
            watcher = managed.Watcher;
        }
        watcher.Acknowledged(stanzas);
        return null;
    }

    /// <summary>Asks the client for an acknowledgement though nothing makes it due: when it is silent.</summary>
    /// <returns>False when the stream is not managed.</returns>
    public bool RequestAck()
    {
        lock (_lock)
        {
            if (_managed is not { } managed) return false;
            Request(managed, force: true);
            return true;
        }
    }

    /// <summary>The client has not answered in time: from now on the watcher hears of each stanza that is sent (the
    /// event <c>smacks-ack-delayed</c>). True when this is new.</summary>
    public bool BecomeOverdue()
    {
        lock (_lock)
        {
            if (_managed is not { IsOverdue: false } managed || !managed.Queue.IsAwaitingAck) return false;
            return managed.IsOverdue = true;
        }
    }

    /// <summary>Answers the client's request (XEP-0198 §4). To be called when all that it has sent is settled and
    /// storage knows the count.</summary>
    public void AnswerRequest()
    {
        lock (_lock)
        {
            if (_managed is not { } managed || _link is not { } link) return;
            lock (link.Gate)
            {
                if (!link.AcceptsStanzas) return;
                link.WriteElement(SmElements.Ack(managed.Terms.Namespace, managed.Taken));
            }
            Request(managed, force: false);
        }
    }

    /// <summary>The last word to a client whose stream ends, or null (XEP-0198 §4: so that it sends nothing
    /// twice).</summary>
    public Element? LastAck()
    {
        lock (_lock)
            return _managed is { } managed ? SmElements.Ack(managed.Terms.Namespace, managed.StoredCount) : null;
    }

    /// <summary>What has been sent and is not acknowledged, as far as it is kept, oldest first: a copy of the
    /// moment.</summary>
    public IReadOnlyList<SmEntry> Unacknowledged
    {
        get { lock (_lock) return _managed is { } managed ? [.. managed.Queue.Stored] : []; }
    }

    /// <summary>Whether an acknowledgement has been owed for too long.</summary>
    public bool IsOverdue
    {
        get { lock (_lock) return _managed is { IsOverdue: true }; }
    }

    // ---- What the client has sent ----

    /// <summary>Counts a stanza that the connection has read, and takes it over. False when the session is not the
    /// connection's any more: what it still reads was sent again elsewhere, or will be.</summary>
    public bool TryBegin(SessionLink link)
    {
        lock (_lock)
        {
            if (_ended || _link != link) return false;
            if (_managed is { } managed)
            {
                unchecked { managed.Taken++; }
                _unsettled++;
            }
            return true;
        }
    }

    /// <summary>The stanza that was begun last has been dealt with, or others hold it.</summary>
    public void Finish()
    {
        if (_managed is not null) Settle();
    }

    /// <summary>Takes over the responsibility for the stanza that is being dealt with: until the hold is released, it
    /// counts as neither stored nor refused.</summary>
    /// <param name="at">The bare JID where it is now. Holds of different places never exist at the same time
    /// (<see cref="MustSettle"/>), so that what is stored is always all up to some number.</param>
    public SessionHold Hold(Jid at)
    {
        if (_managed is null) return default;
        lock (_lock)
        {
            if (_ended) return default;
            _unsettled++;
            _unsettledAt = at;
            return new SessionHold(this, _managed!.Taken);
        }
    }

    /// <summary>Whether what the client sent before must be settled before this is begun: so that the count of stored
    /// stanzas has no gaps, although rooms store each in their own time.</summary>
    public bool MustSettle(Stanza next)
    {
        if (_managed is null || !IsStored(next)) return false;
        lock (_lock) return _unsettled > 0 && !(next.To.SameBare(_unsettledAt) && next is Message);
    }

    /// <summary>Whether a stanza may ask for something to be stored: then others must hold it until it is. What merely
    /// asks, and presence, is lost without harm.</summary>
    public static bool IsStored(Stanza stanza) => stanza is Message or Iq { Type: IqType.Set };

    /// <summary>Whether all that the client has sent is stored or refused.</summary>
    public bool IsSettled
    {
        get { lock (_lock) return _unsettled == 0; }
    }

    /// <summary>The count that storage should know before the client is told it; null when it knows, and while not all
    /// that is counted is stored or refused.</summary>
    public uint? UnstoredCount
    {
        get
        {
            lock (_lock)
            {
                return _managed is { } managed && _unsettled == 0 && managed.Taken != managed.StoredCount
                    ? managed.Taken : null;
            }
        }
    }

    /// <summary>Stanzas taken from the client, modulo 2^32; 0 when the stream is not managed.</summary>
    public uint TakenCount
    {
        get { lock (_lock) return _managed?.Taken ?? 0; }
    }

    /// <summary>The count that storage knows, or null when the stream is not managed.</summary>
    public uint? StoredCount
    {
        get { lock (_lock) return _managed?.StoredCount; }
    }

    /// <summary>Storage knows the count.</summary>
    public void Stored(uint count)
    {
        lock (_lock)
        {
            if (_managed is { } managed && unchecked((int)(count - managed.StoredCount)) > 0)
                managed.StoredCount = count;
        }
    }

    internal void Release(uint number, bool stored)
    {
        if (stored) Stored(number);
        Settle();
    }

    void Settle()
    {
        SessionWatcher? watcher;
        lock (_lock)
        {
            if (--_unsettled > 0) return;
            _link?.Settled();
            watcher = _managed?.Watcher;
        }
        watcher?.Settled(this);
    }

    uint UnackedMax(ManagedStream managed) =>
        _waiting is null ? managed.Terms.UnackedMax : managed.Terms.InactiveUnackedMax;

    void Request(ManagedStream managed, bool force)
    {
        if (_link is not { } link) return;
        lock (link.Gate)
        {
            if (!link.AcceptsStanzas || !managed.Queue.TakeRequest(UnackedMax(managed), force)) return;
            link.RequestAck(managed.Request);
            link.Wake();
        }
    }

    void TellWatcher(ManagedStream managed, SharedStanza? held)
    {
        if (managed.Lost.Count > 0)
        {
            SmEntry[] lost;
            lock (_lock)
            {
                lost = [.. managed.Lost];
                managed.Lost.Clear();
            }
            if (lost.Length > 0) managed.Watcher.Overflowed(this, lost);
        }
        if (held is not null) managed.Watcher.Held(this, held);
    }
}

/// <summary>The responsibility for a stanza that a managed session's client has sent, until it is stored or
/// refused.</summary>
/// <param name="Session">The session; null when it does not count.</param>
/// <param name="Number">Its number among those that the client has sent.</param>
public readonly record struct SessionHold(Session? Session, uint Number)
{
    /// <summary>Gives it back.</summary>
    /// <param name="stored">Whether storage knows the number now.</param>
    public void Release(bool stored) => Session?.Release(Number, stored);
}
