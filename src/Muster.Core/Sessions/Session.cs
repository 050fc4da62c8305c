using Muster.Core.Archive;
using Muster.Core.Joins;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Sessions;

/// <summary>What became of a stanza given to a session.</summary>
public enum DeliverOutcome
{
    /// <summary>It stands in the outbound buffer of the connection, or the session keeps it for its
    /// client.</summary>
    Written,
    /// <summary>The recipient blocks the sender (XEP-0191); the caller answers as the blocking rules say.</summary>
    Blocked,
    /// <summary>The session has ended, or its client does not know yet that it has begun.</summary>
    Gone,
    /// <summary>The connection reads too slowly: it has been closed.</summary>
    Overflow,
}

/// <summary>Where a device is woken: a registration of its account (XEP-0357 §5).</summary>
/// <param name="App">The push service.</param>
/// <param name="Node">The node there; may be empty.</param>
public sealed record PushLink(Jid App, string Node);

/// <summary>
/// A bound resource of a user (RFC 6120 §7): what steps 2 and 7 of a message's path need. It outlives its connection
/// where its stream is managed (Session.Management.cs).
/// </summary>
/// <remarks>
/// One lock; under it nothing is awaited and nobody is called but the link, whose gate is the only lock below it. The
/// presence state is written only by the task that reads the session's stanzas and by the session's end, and read by
/// anyone.
/// </remarks>
public sealed partial class Session
{
    readonly Lock _lock = new();
    readonly Dictionary<Jid, DirectedPresence> _directed = [];
    int _unanswered; // of those
    SessionLink? _link;
    ManagedStream? _managed;    // XEP-0198
    WaitingStanzas? _waiting;   // XEP-0352: there while the client is inactive
    bool _ended;

    /// <summary>Starts a session on a connection.</summary>
    /// <param name="jid">Its full JID.</param>
    /// <param name="link">The connection; null for a session that waits for one.</param>
    /// <param name="id">Id of the connection for logs and error texts.</param>
    public Session(Jid jid, SessionLink? link, string id)
    {
        Jid = jid;
        Account = jid.Bare;
        Id = id;
        _link = link;
    }

    /// <summary>The full JID.</summary>
    public Jid Jid { get; }
    /// <summary>The bare JID of the account.</summary>
    public Jid Account { get; }
    /// <summary>Id for logs.</summary>
    public string Id { get; }

    /// <summary>Stands for the client installation (XEP-0388 §initiation), or null when it did not say which it is: an
    /// account has one session of each.</summary>
    public string? Client { get; init; }

    /// <summary>Language of the client's stream, or null (RFC 6120 §4.7.4).</summary>
    public string? Lang { get; set; }

    /// <summary>The presence last broadcast by this resource; null while it is not available (RFC 6121 §4.2).</summary>
    public Presence? Available { get; private set; }

    /// <summary>Priority of the available presence (RFC 6121 §4.7.2.3); meaningless while not available.</summary>
    public int Priority { get; private set; }

    /// <summary>The stretch of the account's archive that the client has been sent (XEP-0313): what is in it need not
    /// be handed over as an offline message too.</summary>
    public ArchiveSpan ArchiveRead { get; set; }

    /// <summary>True once the resource has asked for the roster: it gets roster pushes (RFC 6121 §2.2).</summary>
    public bool IsInterested { get; set; }

    /// <summary>True once the resource has asked for the block list: it gets pushes of its changes (XEP-0191
    /// §3.3).</summary>
    public bool WatchesBlocked { get; set; }

    /// <summary>True while the client wants copies of what the user's other devices send and receive
    /// (XEP-0280).</summary>
    public bool HasCarbons { get; set; }

    /// <summary>True once the client has asked the account's archive (XEP-0313): what is there it finds
    /// itself.</summary>
    public bool UsesArchive { get; set; }

    /// <summary>The rooms of other servers that it is in; null while it was in none, or nobody looks after
    /// them.</summary>
    public JoinedRooms? Joins { get; set; }

    /// <summary>What is needed to bring it back into them; null while its account does not want that.</summary>
    public Rejoins? Rejoins { get; set; }

    /// <summary>The push registration of the device behind it (XEP-0357); null while there is none.</summary>
    public PushLink? Push { get; set; }

    /// <summary>The account's block list (XEP-0191); shared by all its sessions, replaced as a whole.</summary>
    public BlockList Blocked { get; set; } = BlockList.Empty;

    /// <summary>Whether the client has read most of what it was sent: what is stored is handed over no faster than
    /// that.</summary>
    public bool HasRoom
    {
        get
        {
            lock (_lock)
            {
                if (_link is not { } link) return false;
                lock (link.Gate) return link.Outbound.HasRoom;
            }
        }
    }

    /// <summary>True while the session can receive stanzas.</summary>
    public bool IsAlive
    {
        get { lock (_lock) return !_ended; }
    }

    /// <summary>Sets or, with null, takes back the available presence.</summary>
    public void SetPresence(Presence? available)
    {
        Priority = available?.Priority ?? 0;
        Available = available;
    }

    /// <summary>Remembers that directed available presence went to an address (RFC 6121 §4.6), or forgets it.</summary>
    /// <param name="presence">The presence: available or unavailable.</param>
    /// <param name="max">How many addresses may have it.</param>
    /// <returns>False when it would be one more than <paramref name="max"/>: the presence is refused.</returns>
    public bool TrackDirected(Presence presence, int max)
    {
        lock (_lock)
        {
            bool isKnown = _directed.ContainsKey(presence.To);
            if (presence.Type == PresenceType.Available && _directed.Count >= max && !isKnown) return false;
            if (isKnown) RemoveDirected(presence.To);
            if (presence.Type != PresenceType.Available) return true;
            _directed.Add(presence.To, new DirectedPresence(presence.Id, IsAnswered: false));
            _unanswered++;
            return true;
        }
    }

    /// <summary>Whether directed available presence went to exactly this address.</summary>
    public bool HasDirectedTo(Jid to)
    {
        lock (_lock) return _directed.ContainsKey(to);
    }

    /// <summary>Id of the directed presence that went to an address last; null when it had none, or there is no such
    /// presence.</summary>
    public string? DirectedId(Jid to)
    {
        lock (_lock) return _directed.GetValueOrDefault(to).Id;
    }

    /// <summary>The address below a bare JID that directed available presence went to: the occupant that the user is in
    /// a room. <see cref="Jid.None"/> when there is none.</summary>
    public Jid DirectedWithin(Jid bare)
    {
        lock (_lock)
        {
            foreach (var to in _directed.Keys)
                if (to.SameBare(bare)) return to;
            return Jid.None;
        }
    }

    /// <summary>The addresses that got directed presence and must get the unavailable one (RFC 6121 §4.6.4); clears the
    /// list.</summary>
    public Jid[] TakeDirected()
    {
        lock (_lock)
        {
            Jid[] all = [.. _directed.Keys];
            _directed.Clear();
            _unanswered = 0;
            return all;
        }
    }

    /// <summary>Takes those out that match: they get the unavailable presence before the session's end (XEP-0191
    /// §3.3).</summary>
    public Jid[] TakeDirected(Predicate<Jid> match)
    {
        lock (_lock)
        {
            Jid[] taken = [.. _directed.Keys.Where(to => match(to))];
            foreach (var to in taken) RemoveDirected(to);
            return taken;
        }
    }

    /// <summary>Step 2 of a message's path: takes a first-level element that the client sent.</summary>
    public Received Receive(Element element)
    {
        if (SmElements.Has(element) || element.Namespace == Namespaces.ClientState) return new(Control: element);
        // RFC 6120 §8.1.2.1: the server says whom a stanza is from, whatever the client says: Converse.js goes on with
        // the resource that it made up before its session was resumed. Another's address ends the stream (§4.9.3.9).
        if (element.Attribute("from") is { } given && !(Jid.TryParse(given, out var from) && from.SameBare(Account)))
            return new(Error: StreamError.InvalidFrom.WithText("the 'from' of a stanza is not this client's address"));
        var stanza = Stanza.Read(element, Jid, Lang, out var problem);
        if (stanza is not null) return new(stanza);
        if (problem is not null) return new(Answer: StanzaRefusal.Answer(element, problem, Jid));
        // RFC 6120 §4.9.3.24: a first-level element that is neither stanza nor known extension.
        return new(Error: StreamError.UnsupportedStanzaType.WithText($"<{element.Name}/> is not understood here"));
    }

    /// <summary>Whether the account blocks stanzas from (or to) an address. Its own resources and its server are never
    /// blocked, whatever the list says (XEP-0191 §5, note): else no answer and no push would reach the
    /// client.</summary>
    public bool IsBlocked(Jid other) =>
        Blocked.Blocks(other) && !other.SameBare(Account)
            && !(other.IsDomain && other.Domain.SequenceEqual(Jid.Domain));

    /// <summary>Delivers a stanza that many get: its bytes are written once, only the address is this session's
    /// own.</summary>
    public DeliverOutcome Deliver(SharedStanza shared) => Deliver(shared, Jid);

    /// <summary>Delivers a stanza that many get, addressed as given: presence goes to the bare JID (RFC 6121
    /// §4.2.2).</summary>
    public DeliverOutcome Deliver(SharedStanza shared, Jid to) =>
        IsBlocked(shared.Stanza.From) ? DeliverOutcome.Blocked : Take(shared, to);

    /// <summary>Delivers a stanza. Its <c>to</c> is written as it stands.</summary>
    public DeliverOutcome Deliver(Stanza stanza) =>
        IsBlocked(stanza.From) ? DeliverOutcome.Blocked : Answer(stanza);

    /// <summary>Writes what the user's own server answers to the client, be it in the name of somebody who is blocked:
    /// that the client may not write to them (XEP-0191 §3.3).</summary>
    public DeliverOutcome Answer(Stanza stanza)
    {
        lock (_lock)
        {
            if (_ended) return DeliverOutcome.Gone;
            // Nothing is kept of it: it goes straight into the buffer.
            if (_managed is null && _waiting is null)
            {
                if (_link is not { } link) return DeliverOutcome.Gone;
                lock (link.Gate)
                {
                    if (!link.AcceptsStanzas) return DeliverOutcome.Gone;
                    NoteDirected(stanza);
                    StanzaWriter.Write(link.Outbound, stanza, link.DeclaresNamespace ? "" : Namespaces.Client);
                    return Written(link);
                }
            }
        }
        return Take(SharedStanza.From(stanza), stanza.To);
    }

    /// <summary>Ends the session; a connection that is still there is closed with the error. True for the caller that
    /// ended it.</summary>
    /// <param name="error">What its client is told.</param>
    /// <param name="of">Only if it has this connection; null: whatever it has.</param>
    public bool End(StreamError? error, SessionLink? of = null)
    {
        SessionLink? link;
        lock (_lock)
        {
            if (_ended || (of is not null && _link != of)) return false;
            _ended = true;
            link = _link;
            _link = null;
        }
        link?.Settled();
        link?.Close(error);
        return true;
    }

    DeliverOutcome Take(SharedStanza shared, Jid to)
    {
        DeliverOutcome outcome;
        ManagedStream? managed;
        bool held;
        lock (_lock)
        {
            if (_ended) return DeliverOutcome.Gone;
            managed = _managed;
            if (managed is null && _link is null) return DeliverOutcome.Gone;
            NoteDirected(shared.Stanza);
            if (_waiting is { } waiting && ClientState.MayWait(shared.Stanza) && waiting.TryAdd(shared, to))
                return DeliverOutcome.Written;
            SendWaiting();
            outcome = Send(shared, to);
            held = managed is not null && (_link is null || managed.IsOverdue);
        }
        if (managed is not null) TellWatcher(managed, held ? shared : null);
        return outcome;
    }

    /// <summary>Keeps a stanza until it is acknowledged, where the stream is managed, and writes it, where there is a
    /// connection. Under the lock.</summary>
    DeliverOutcome Send(SharedStanza shared, Jid to)
    {
        var managed = _managed;
        managed?.Queue.Push(shared, to, managed.Watcher.Now, managed.Lost);
        if (_link is not { } link) return DeliverOutcome.Written;
        lock (link.Gate)
        {
            // A managed session has the stanza; it is written when the client has been told that it is resumed.
            if (!link.AcceptsStanzas) return managed is null ? DeliverOutcome.Gone : DeliverOutcome.Written;
            shared.Write(link.Outbound, to, link.DeclaresNamespace);
            if (managed is null) return Written(link);
            if (managed.Queue.TakeRequest(UnackedMax(managed))) link.RequestAck(managed.Request);
            return Written(link) == DeliverOutcome.Overflow && managed.Terms.Token is null
                ? DeliverOutcome.Overflow
                : DeliverOutcome.Written;
        }
    }

    // RFC 6121 §4.6.3: who has gone, or refused the presence, need not be told the end of it. A room's kick is one. But
    // while a room has not answered, such a word can be about an older session of the same address, which has just left
    // it under the same nick: the end of this one must be told all the same.
    void NoteDirected(Stanza stanza)
    {
        if (_directed.Count == 0 || stanza is not Presence presence) return;
        if (presence.Type == PresenceType.Available && _unanswered == 0) return;
        if (!_directed.TryGetValue(presence.From, out var shown)) return;
        switch (presence.Type)
        {
            // XEP-0045 §7.2.2 #enter-pres: a room answers with the occupant's own presence, and with its id.
            case PresenceType.Available when !shown.IsAnswered && presence.Id == shown.Id:
                _directed[presence.From] = shown with { IsAnswered = true };
                _unanswered--;
                break;
            case PresenceType.Error when presence.Id == shown.Id:
            case PresenceType.Unavailable when shown.IsAnswered
                || presence.Child(Namespaces.MucUser, "x") is null:
                RemoveDirected(presence.From);
                break;
        }
    }

    void RemoveDirected(Jid to)
    {
        if (_directed.Remove(to, out var shown) && !shown.IsAnswered) _unanswered--;
    }

    /// <summary>Directed presence that an address has.</summary>
    /// <param name="Id">Id of the stanza.</param>
    /// <param name="IsAnswered">A room has answered it: what it says of the occupant from now on is about this
    /// session.</param>
    readonly record struct DirectedPresence(string? Id, bool IsAnswered);

    static DeliverOutcome Written(SessionLink link)
    {
        link.EndStanza();
        if (!link.Outbound.IsOverflowing)
        {
            link.Wake();
            return DeliverOutcome.Written;
        }
        link.Close(StreamError.ResourceConstraint.WithText("the client reads too slowly"), keepsSession: true);
        return DeliverOutcome.Overflow;
    }
}
