using System.Collections.Concurrent;
using Muster.Core.Delivery;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Routing;

// Stream management (XEP-0198): sessions that outlive their connections.
sealed partial class LocalDomain
{
    /// <summary>Letters and digits of a token: over two hundred bits, which nobody guesses.</summary>
    const int TokenLength = 40;

    /// <summary>Messages read at once from an archive for a session that is resumed.</summary>
    const int ArchivePage = 200;

    /// <summary>How long an end or a resumption waits for what the session's client has sent to be stored. A room takes
    /// milliseconds; only a store that hangs takes longer.</summary>
    static readonly TimeSpan SettleLimit = TimeSpan.FromSeconds(30);

    readonly ConcurrentDictionary<Jid, Task> _leaving = new(); // sessions that end, until everybody knows

    /// <inheritdoc/>
    public async ValueTask<Element?> Manage(Session session, Element enable)
    {
        var policy = _policy.StreamManagement(session.Account);
        if (!policy.IsEnabled) return SmElements.Failed(enable.Namespace, StanzaError.FeatureNotImplemented);
        // stream-management.md §2: a second time is out of order, and the counters stay.
        if (session.Terms is not null) return SmElements.Failed(enable.Namespace, StanzaError.UnexpectedRequest);
        if (await TermsOf(session.Account, enable, policy) is not { } terms)
            return SmElements.Failed(enable.Namespace, StanzaError.InternalServerError);
        if (!session.TryManage(terms, _resumable)) return null; // it has ended meanwhile
        Managed(session);
        return null;
    }

    /// <summary>The same while the session is being bound (XEP-0386): nothing is written before the client knows the
    /// answer, so it is counted from the first stanza on.</summary>
    /// <returns>What tells the client; null when the session has ended meanwhile.</returns>
    public async ValueTask<Element?> ManageBound(Session session, Element enable)
    {
        var policy = _policy.StreamManagement(session.Account);
        if (!policy.IsEnabled) return SmElements.Failed(enable.Namespace, StanzaError.FeatureNotImplemented);
        if (enable.Name != "enable") return SmElements.Failed(enable.Namespace, StanzaError.UnexpectedRequest);
        if (await TermsOf(session.Account, enable, policy) is not { } terms)
            return SmElements.Failed(enable.Namespace, StanzaError.InternalServerError);
        if (session.Manage(terms, _resumable) is not { } enabled) return null;
        Managed(session);
        return enabled;
    }

    /// <summary>What a client gets that asks for a managed stream; null when storage could not note it.</summary>
    /// <remarks>Once a session is managed on these terms, <see cref="Managed"/> makes it findable.</remarks>
    public async ValueTask<SmTerms?> TermsOf(Jid account, Element enable, SmPolicy policy)
    {
        string? token = null;
        var patience = SmElements.ReadMax(enable) is { } asked && asked < policy.Patience ? asked : policy.Patience;
        if (SmElements.WantsResumption(enable) && patience > TimeSpan.Zero)
        {
            token = RandomText.Create(TokenLength);
            try
            {
                await _accounts.Database.Sessions.Begin(account, token);
            }
            catch (StorageException e)
            {
                AccountsLog.SessionNotKept(_log, account, e.Message);
                return null;
            }
        }
        return new SmTerms
        {
            Namespace = enable.Namespace,
            Token = token,
            Patience = patience,
            Queue = policy.Queue,
            UnackedMax = (uint)policy.UnackedMax,
            InactiveUnackedMax = (uint)policy.InactiveUnackedMax,
        };
    }

    /// <summary>The rules of stream management for an account.</summary>
    public SmPolicy SmPolicyOf(Jid account) => _policy.StreamManagement(account);

    /// <summary>Has a session of the last process wait for its client. False when there is no place for it any
    /// more.</summary>
    public async ValueTask<bool> TakeUp(SessionSnapshot snapshot)
    {
        if (await _accounts.Load(snapshot.Jid.Bare) is not { } state) return false;
        var session = Session.Restore(snapshot, _resumable, "restart");
        session.Blocked = state.Blocked;
        if (_sessions.Bind(session, state, _policy.SessionsMax(session.Account), out _) != BindOutcome.Bound)
            return false;
        _resumable.Add(session);
        // Its time begins anew: while there was no server, no client could come.
        _resumable.StartWaiting(session, snapshot.Terms.Patience);
        return true;
    }

    /// <summary>A session is managed from now on.</summary>
    public void Managed(Session session)
    {
        if (session.Token is not null)
        {
            _resumable.Add(session);
            // It may have ended meanwhile, and been taken out before it was in.
            if (!session.IsAlive) _resumable.Remove(session, "ended");
        }
        _smMeters.Managed(resumable: session.Token is not null);
    }

    /// <inheritdoc/>
    public async ValueTask Detach(Session session, SessionLink link)
    {
        switch (session.Detach(link))
        {
            case DetachOutcome.MustEnd:
                await End(session);
                break;
            case DetachOutcome.Waits:
                _resumable.StartWaiting(session, session.Terms!.Patience);
                await EndSurplus(session);
                await KeepCount(session); // now, so that the client need not wait for it when it comes back
                break;
        }
    }

    // stream-management.md §6: one more than may wait ends the one that waits longest.
    async ValueTask EndSurplus(Session session)
    {
        if (_sessions.Find(session.Account) is not { } online) return;
        var waiting = _resumable.WaitingOf(online.Snapshot);
        int max = _policy.StreamManagement(session.Account).HibernatedMax;
        for (int i = 0; i < waiting.Count - max; i++) await EndWaiting(waiting[i], "too_many");
    }

    /// <inheritdoc/>
    public async ValueTask<Resumption> Resume(Jid account, Element resume, SessionLink link)
    {
        var policy = _policy.StreamManagement(account);
        string token = resume.Attribute("previd")!;
        uint h = SmElements.ReadHandled(resume)!.Value;
        if (_resumable.Find(account, token) is not { } session) return await RefuseEnded(account, resume, policy);
        var outcome = session.Attach(link, h, out var old);
        switch (outcome)
        {
            case AttachOutcome.Gone:
                // It has just ended: storage is about to know.
                await WhenLeft(session.Jid);
                return await RefuseEnded(account, resume, policy);
            case AttachOutcome.TooHigh:
                // The session is another connection's, or waits on: a broken client must not end it by one wrong word.
                _smMeters.Resumed("too_high");
                return Refused(resume, StanzaError.UndefinedCondition);
            case AttachOutcome.Incomplete:
                _smMeters.Resumed("incomplete");
                uint? handled = session.StoredCount;
                await End(session);
                return Refused(resume, StanzaError.ResourceConstraint, handled);
        }
        _resumable.EndWaiting(session);
        // stream-management.md §5: the older connection learns that it has been succeeded; nobody else learns of it.
        old?.Close(StreamError.Conflict.WithText("the session was resumed by another connection"), keepsSession: true);
        // A stanza that the older connection was still dealing with is counted in the answer.
        if (!await TrySettle(session))
        {
            await Detach(session, link);
            return Refused(resume, StanzaError.ResourceConstraint);
        }
        await KeepCount(session);
        var archived = await ReadArchived(session);
        if (session.Resumed(link, resume.Namespace) is not { } answer)
            return await RefuseEnded(account, resume, policy); // it has ended meanwhile
        _smMeters.Resumed("resumed");
        return new(session, answer, archived);
    }

    /// <inheritdoc/>
    public async ValueTask KeepCount(Session session)
    {
        if (session.UnstoredCount is not { } count) return;
        if (session.Token is { } token)
        {
            try
            {
                await _accounts.Database.Sessions.Keep(new StoredCount(token, count));
            }
            catch (StorageException e)
            {
                // What is counted is stored; the count alone is not. Only a crash would show it.
                AccountsLog.SessionNotKept(_log, session.Jid, e.Message);
            }
        }
        session.Stored(count);
    }

    /// <inheritdoc/>
    public void AckDelayed(Session session) => _resumable.AckDelayed(session);

    /// <summary>Ends a session that waits; nothing when it is connected by now.</summary>
    async ValueTask EndWaiting(Session session, string reason)
    {
        if (session.EndWaiting()) await Leave(session, reason);
    }

    /// <summary>What is still told of a session that has ended: how much of its client's it had dealt with. That must
    /// be stored before: else a crash in between would make the count wrong.</summary>
    async ValueTask KeepLastCount(Session session, bool isForgotten)
    {
        if (session.Token is not { } token) return;
        uint count = isForgotten || await TrySettle(session) ? session.TakenCount : session.StoredCount!.Value;
        var store = _accounts.Database.Sessions;
        try
        {
            if (isForgotten) await store.Remove(token);
            else await store.End(new StoredCount(token, count), _clock.GetUtcNow(),
                _policy.StreamManagement(session.Account).OldMax);
        }
        catch (StorageException e)
        {
            AccountsLog.SessionNotKept(_log, session.Jid, e.Message);
        }
    }

    async ValueTask<Resumption> RefuseEnded(Jid account, Element resume, SmPolicy policy)
    {
        uint? handled = null;
        try
        {
            handled = await _accounts.Database.Sessions.FindEnded(
                account, resume.Attribute("previd")!, _clock.GetUtcNow() - policy.OldTime);
        }
        catch (StorageException e)
        {
            AccountsLog.SessionNotKept(_log, account, e.Message);
        }
        _smMeters.Resumed(handled is null ? "unknown" : "ended");
        return Refused(resume, StanzaError.ItemNotFound, handled);
    }

    static Resumption Refused(Element resume, StanzaError error, uint? handled = null) =>
        new(null, SmElements.Failed(resume.Namespace, error, handled), []);

    async ValueTask<bool> TrySettle(Session session)
    {
        try
        {
            await _resumable.WhenSettled(session).WaitAsync(SettleLimit, _clock);
            return true;
        }
        catch (TimeoutException)
        {
            AccountsLog.NotSettled(_log, session.Jid);
            return false;
        }
    }

    /// <summary>Completes when everybody knows of the end of the session that had this address last, if it has ended.
    /// What a new one of the same address does must not come before.</summary>
    Task WhenLeft(Jid session) => _leaving.TryGetValue(session, out var leaving) ? leaving : Task.CompletedTask;

    /// <summary>Completes when all sessions that have ended are out.</summary>
    public Task WhenAllLeft() => Task.WhenAll(_leaving.Values);

    async ValueTask<IReadOnlyList<(SmReference, Message?)>> ReadArchived(Session session)
    {
        var references = session.References;
        if (references.Count == 0) return [];
        var found = new Dictionary<(Jid, long), Message?>();
        foreach (var archive in references.GroupBy(reference => reference.Archive))
        {
            foreach (var page in archive.Chunk(ArchivePage))
            {
                long[] ids = [.. page.Select(reference => reference.Id)];
                foreach (var entry in await _accounts.Database.Archive.Find(archive.Key, ids))
                    found[(archive.Key, entry.Id)] = AsSent(entry, session.Account);
            }
        }
        return [.. references.Select(reference =>
            (reference, found.GetValueOrDefault((reference.Archive, reference.Id))))];
    }

    /// <summary>A room's messages are kept with their id, those of accounts get it when they are delivered.</summary>
    Message? AsSent(ArchiveEntry entry, Jid account)
    {
        var message = StoredXml.ToStanza(entry.Stanza) as Message;
        if (entry.Archive != account) return message;
        return (Message?)message?.Add(StanzaIds.StanzaId(_policy.ArchiveIds.ToText(entry.Id), account));
    }

    // ---- What a dead session did not bring to its client (stream-management.md §7) ----

    /// <summary>Stanzas found no room in the queue of a session. What nobody needs is let go, and the session goes on;
    /// where there is more, the session ends, as its client takes everything and acknowledges nothing: so that nothing
    /// is lost, and nothing is delivered to it twice.</summary>
    async ValueTask AnswerForLost(Session session, IReadOnlyList<SmEntry> lost)
    {
        var rules = _policy.StreamManagement(session.Account).Unacked;
        bool isNeedless = lost.All(entry => UnackedPolicy.Choose(
            entry.Stanza.Stanza, FactsOf(session, entry.Stanza.Stanza, entry.To), rules) == UnackedFate.Drop);
        if (isNeedless && !session.IsHibernating) return;
        bool isMine = session.End(StreamError.ResourceConstraint.WithText("too many stanzas are not acknowledged"));
        await AnswerFor(session, lost);
        if (isMine) await Leave(session, "overflow");
    }

    async ValueTask AnswerFor(Session session, IReadOnlyCollection<SmEntry> entries)
    {
        if (entries.Count == 0) return;
        _smMeters.Dropped(entries.Count);
        var rules = _policy.StreamManagement(session.Account).Unacked;
        foreach (var entry in entries)
        {
            if (_resumable.Events.DeliveryFailed.Exists(claims => claims(session, entry)))
            {
                _smMeters.Unacked("claimed");
                continue;
            }
            var stanza = entry.Stanza.Stanza;
            var fate = UnackedPolicy.Choose(stanza, FactsOf(session, stanza, entry.To), rules);
            _smMeters.Unacked(Word(fate));
            try
            {
                await Answer(fate, stanza, entry, session);
            }
            catch (StorageException e)
            {
                await Fail(stanza.Readdressed(stanza.From, session.Jid), e);
            }
        }
    }

    static string Word(UnackedFate fate) => fate switch
    {
        UnackedFate.Store => "store",
        UnackedFate.Bounce => "bounce",
        UnackedFate.Redeliver => "redeliver",
        _ => "drop",
    };

    UnackedFacts FactsOf(Session session, Stanza stanza, Jid to)
    {
        bool hasOthers = false, othersHaveIt = false;
        if (_sessions.Find(session.Account) is { } online)
        {
            foreach (var other in online.All)
            {
                if (other == session) continue;
                hasOthers = true;
                // A copy (XEP-0280); or the message itself, as one to the account went to all that had the highest
                // priority (RFC 6121 §8.5.2.1.1).
                othersHaveIt |= other.Available is not null && stanza is Message message
                    && ((other.HasCarbons && CarbonCopy.IsDue(message, isSent: false))
                        || (to.IsBare && other.Priority >= session.Priority));
            }
        }
        return new UnackedFacts(session.Jid, hasOthers, othersHaveIt, session.UsesArchive);
    }

    async ValueTask Answer(UnackedFate fate, Stanza stanza, SmEntry entry, Session session)
    {
        switch (fate)
        {
            case UnackedFate.Store:
                var waits = (Message)stanza.Readdressed(stanza.From, session.Account);
                await StoreOffline(waits, StanzaIds.Find(waits, session.Account) is not null, entry.QueuedAt);
                break;
            case UnackedFate.Redeliver:
                var message = (Message)stanza.Readdressed(stanza.From, session.Account);
                if (message.Child(Namespaces.Delay, "delay") is null)
                    message = (Message)message.Add(new Delay(entry.QueuedAt, session.Account.DomainJid).ToElement());
                // The archive has it already, where it keeps it.
                await Deliver(message, isArchived: StanzaIds.Find(message, session.Account) is not null);
                break;
            case UnackedFate.Bounce:
                await _router.Refuse(stanza.Readdressed(stanza.From, session.Jid),
                    StanzaError.RecipientUnavailable with { Type = StanzaErrorType.Cancel, By = session.Account });
                break;
        }
    }
}
