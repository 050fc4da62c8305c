using System.Globalization;
using Muster.Core.Archive;
using Muster.Core.Delivery;
using Muster.Core.Routing;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Simulation;

// Where stanzas go: rooms, other users, archives; and what becomes of those that a dead session did not bring.
internal sealed partial class Server
{
    sealed record Keeping(Session Session, Message Message, uint Count, Action Done);

    static readonly UnackedRules Rules = new();

    readonly List<Keeping> _keeping = []; // letters that are on their way to the disk

    /// <summary>Takes what a client sends.</summary>
    /// <param name="session">Its session.</param>
    /// <param name="stanza">The stanza.</param>
    /// <param name="done">To be called when it is dealt with: then the next is read.</param>
    public void Take(Session session, Stanza stanza, Action done)
    {
        if (stanza is Message message && !_world.Rooms.Contains(message.To.Bare))
        {
            // KeptMessage: the count goes with the message. A letter is kept before its sender's next stanza is read.
            _keeping.Add(new(session, message, session.TakenCount, done));
            if (_keeping.Count == 1) Later(KeepLetters, _world.Random.Next(1, 15));
            return;
        }
        if (stanza.To.IsNone) TakeOwn(session, stanza);
        else if (!Serves(stanza.To)) TakeForElsewhere(session, stanza);
        else TakeForRoom(session, stanza);
        done();
    }

    void TakeForRoom(Session session, Stanza stanza)
    {
        if (stanza is Presence { Type: PresenceType.Available or PresenceType.Unavailable } presence)
            session.TrackDirected(presence, max: 100);
        _rooms[stanza.To.Bare].Post(stanza, Session.IsStored(stanza) ? session.Hold(stanza.To.Bare) : default);
        // Ended meanwhile: what was shown after that end has to end as well.
        if (stanza is Presence { Type: PresenceType.Available } && !session.IsAlive)
        {
            session.TakeDirected();
            Route(new Presence(PresenceType.Unavailable, session.Jid, stanza.To, null));
        }
    }

    void TakeOwn(Session session, Stanza stanza)
    {
        switch (stanza)
        {
            case Presence { Type: PresenceType.Available } presence:
                foreach (var waiting in _disk.Offline(session.Account))
                    if (!session.ArchiveRead.Contains(IdOf(waiting))) session.Deliver(waiting);
                _disk.Offline(session.Account).Clear();
                session.SetPresence(presence);
                break;
            case Iq { Type: IqType.Set, Payload: { } query } iq:
                session.UsesArchive = true;
                var request = ArchiveRequest.Read(query, knowsGroupchat: true, out _)!;
                AnswerArchive(iq, session.Account, request, [.. _disk.Letters(session.Account)
                    .Select(letter => (letter.Id, letter.Message))]);
                break;
        }
    }

    // What a room says of its list has none, and waits like a letter.
    static long IdOf(Message message) =>
        StanzaIds.Find(message, message.To.Bare) is { } id ? long.Parse(id, NumberStyles.None, Check.Plain) : 0;

    // ---- Letters: messages between users ----

    void KeepLetters()
    {
        Keeping[] batch = [.. _keeping];
        _keeping.Clear();
        foreach (var (session, message, count, done) in batch)
        {
            long id = _disk.NextId();
            if (_disk.TryKeep(message, id, session.Token, count))
            {
                session.Stored(count);
                Deliver((Message)message.Add(StanzaIds.StanzaId(id.ToString(Check.Plain), message.To.Bare)));
            }
            else
            {
                _world.Ledger.Refused.Add(message.Id!);
                session.Deliver(message.Refuse(StanzaError.ResourceConstraint));
            }
            done();
        }
    }

    void Deliver(Message message)
    {
        var named = message.To.IsFull ? _sessions.GetValueOrDefault(message.To) : null;
        var there = SessionsOf(message.To).Where(session => session.Available is not null).ToList();
        var delivery = DeliveryRules.Message(message.Type, message.To.IsBare ? Recipient.Account
            : named is null ? Recipient.NoSession : Recipient.Session,
            there.Count > 0 ? Availability.NonNegative : Availability.None);
        if (delivery == Delivery.Session && named!.Deliver(message) == DeliverOutcome.Written) return;
        // All have the same priority.
        bool any = false;
        if (delivery != Delivery.Offline)
            foreach (var session in there) any |= session.Deliver(message) == DeliverOutcome.Written;
        if (!any) _disk.Offline(message.To.Bare).Add(message);
    }

    IEnumerable<Session> SessionsOf(Jid account) =>
        _sessions.Values.Where(session => session.Account.SameBare(account)).ToArray();

    // ---- Everything else ----

    public void Route(Stanza stanza)
    {
        // A room that is suspended must not be loaded again by the end of a session: the next process sees to that.
        if (!Serves(stanza.To)) SendToPeer(stanza);
        else if (!_isSuspending && _rooms.TryGetValue(stanza.To.Bare, out var room)) room.Post(stanza, default);
        else if (stanza.To.IsFull && _world.IsFederated) TakeFromElsewhere(stanza);
    }

    /// <summary>Delivers what a room sends. Nobody there: an error comes back (RFC 6121 §8.5.3.2).</summary>
    public void Deliver(SharedStanza shared, Jid to)
    {
        if (!Serves(to))
        {
            SendToPeer(shared.For(to).Stanza);
            return;
        }
        if (_sessions.GetValueOrDefault(to)?.Deliver(shared) == DeliverOutcome.Written) return;
        if (shared.Stanza is Message { IsError: false } or Iq { IsRequest: true })
            Route(shared.Stanza.Readdressed(shared.Stanza.From, to).Refuse(StanzaError.ServiceUnavailable));
    }

    /// <summary>Answers a question to an archive with a page of it (XEP-0313).</summary>
    public void AnswerArchive(Iq question, Jid archive, ArchiveRequest request, List<(long Id, Message Message)> all)
    {
        long after = Math.Max(request.AfterId ?? 0, request.Cursor ?? 0);
        var rest = all.Where(entry => entry.Id > after).ToList();
        var page = rest.Take(request.Max ?? 50).ToList();
        foreach (var (id, message) in page)
        {
            Answer(new Message(MessageType.Normal, archive, question.From, null,
                new Element(ArchiveRequest.Namespace, "result",
                    new Element("urn:xmpp:forward:0", "forwarded", message.ToElement()))
                .With("queryid", request.QueryId).With("id", id.ToString(Check.Plain))));
        }
        if (page.Count > 0 && request.IsUnfiltered && _sessions.GetValueOrDefault(question.From) is { } session
            && session.Account == archive)
            session.ArchiveRead = session.ArchiveRead.And(ArchiveSpan.Of(request, page[0].Id, page[^1].Id));
        Answer(question.Result(new Element(ArchiveRequest.Namespace, "fin",
            new ResultSetPage(page.Count > 0 ? page[0].Id.ToString(Check.Plain) : null,
                page.Count > 0 ? page[^1].Id.ToString(Check.Plain) : null, null).ToElement())
            .With("complete", page.Count == rest.Count ? "true" : null)));

        void Answer(Stanza stanza)
        {
            if (Serves(question.From)) _sessions.GetValueOrDefault(question.From)?.Deliver(stanza);
            else SendToPeer(stanza);
        }
    }

    // ---- What a dead session did not bring to its client (stream-management.md §7) ----

    void AnswerForLost(Session session, IReadOnlyList<SmEntry> lost)
    {
        bool isNeedless = lost.All(entry => FateOf(session, entry) == UnackedFate.Drop);
        if (isNeedless && !session.IsHibernating) return;
        _world.Note($"{session.Jid} holds too much");
        bool isMine = session.End(StreamError.ResourceConstraint);
        AnswerFor(session, lost);
        if (isMine) Leave(session, isForgotten: false);
    }

    UnackedFate FateOf(Session session, SmEntry entry)
    {
        var others = SessionsOf(session.Account).Where(other => other != session).ToList();
        bool haveIt = entry.To.IsBare && others.Exists(other => other.Available is not null);
        return UnackedPolicy.Choose(entry.Stanza.Stanza,
            new UnackedFacts(session.Jid, others.Count > 0, haveIt, session.UsesArchive), Rules);
    }

    void AnswerFor(Session session, IEnumerable<SmEntry> entries)
    {
        foreach (var entry in entries)
        {
            var stanza = entry.Stanza.Stanza;
            switch (FateOf(session, entry))
            {
                case UnackedFate.Store:
                    _disk.Offline(session.Account).Add((Message)stanza.Readdressed(stanza.From, session.Account));
                    break;
                case UnackedFate.Redeliver:
                    Deliver((Message)stanza.Readdressed(stanza.From, session.Account)
                        .Add(new Delay(entry.QueuedAt, session.Account.DomainJid).ToElement()));
                    break;
                case UnackedFate.Bounce:
                    Route(stanza.Readdressed(stanza.From, session.Jid).Refuse(StanzaError.RecipientUnavailable));
                    break;
            }
        }
    }
}
