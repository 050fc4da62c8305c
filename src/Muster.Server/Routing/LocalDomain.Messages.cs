using Muster.Core.Delivery;
using Muster.Core.Routing;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Routing;

// RFC 6121 §5, §8.5: messages, and those that wait for their recipient (XEP-0160).
sealed partial class LocalDomain
{
    /// <summary>Stored messages read at once.</summary>
    const int OfflineBatchMax = 50;
    /// <summary>How long a client may leave them unread before handing over is given up until the next login.</summary>
    static readonly TimeSpan OfflinePatience = TimeSpan.FromMinutes(1);

    /// <summary>Delivers a message to one of the domains. Neither waits nor allocates while the recipient is
    /// there.</summary>
    /// <param name="message">The message.</param>
    /// <param name="written">Its bytes, when it has been serialised already.</param>
    /// <param name="isArchived">Whether the recipient's archive has it.</param>
    ValueTask Deliver(Message message, SharedStanza? written = null, bool isArchived = false)
    {
        var online = message.To.HasLocal ? _sessions.Find(message.To) : null;
        var session = message.To.IsFull ? online?.Find(message.To) : null;
        if (session is not null && _joins.Heard(session, message)) return default;
        var delivery = DeliveryRules.Message(message.Type, RecipientOf(message.To, session), AvailabilityOf(online));
        var outcome = delivery switch
        {
            Delivery.Session => DeliverTo(session!, online!, message, written),
            Delivery.MostAvailable => DeliverToMostAvailable(online!, message, written),
            Delivery.NonNegative => DeliverFrom(online!, message, written, priorityMin: 0),
            _ => DeliverOutcome.Gone,
        };
        switch (delivery, outcome)
        {
            case (Delivery.Refuse, _):
                return Refuse(message, StanzaError.ServiceUnavailable);
            case (Delivery.Drop or Delivery.NonNegative, _) or (_, DeliverOutcome.Written):
                return default;
            case (_, DeliverOutcome.Blocked):
                return RefuseBlocked(message);
        }
        // Nobody is there, or has just gone with the message unread: it is as if the session had not been there
        // (§8.5.3.2).
        if (delivery == Delivery.Session)
            delivery = DeliveryRules.Message(message.Type, Recipient.NoSession, Availability.None);
        return delivery switch
        {
            Delivery.Drop => default,
            Delivery.Refuse => Refuse(message, StanzaError.ServiceUnavailable),
            _ => StoreOffline(message, isArchived),
        };
    }

    static DeliverOutcome DeliverToMostAvailable(
        AccountSessions online, Message message, SharedStanza? written = null)
    {
        int highest = 0;
        foreach (var session in online.All)
            if (session.Available is not null) highest = Math.Max(highest, session.Priority);
        return DeliverFrom(online, message, written, highest);
    }

    static DeliverOutcome DeliverTo(Session session, AccountSessions online, Message message, SharedStanza? written)
    {
        var outcome = Write(session, message, written);
        if (outcome == DeliverOutcome.Written)
            CopyReceived(message, OthersWithCarbons(online, session, message.From));
        return outcome;
    }

    static DeliverOutcome Write(Session session, Message message, SharedStanza? written) =>
        written is null ? session.Deliver(message) : session.Deliver(written, message.To);

    // Gone unless at least one took it; Blocked only when the account blocks the sender, which all its sessions agree
    // on.
    static DeliverOutcome DeliverFrom(
        AccountSessions online, Message message, SharedStanza? written, int priorityMin)
    {
        var outcome = DeliverOutcome.Gone;
        List<Session>? rest = null;
        foreach (var session in online.All)
        {
            if (session.Available is null || session.Priority < priorityMin)
            {
                if (session.HasCarbons && session.Jid != message.From) (rest ??= []).Add(session);
                continue;
            }
            var one = Write(session, message, written);
            if (one == DeliverOutcome.Written || outcome == DeliverOutcome.Gone) outcome = one;
        }
        if (outcome == DeliverOutcome.Written) CopyReceived(message, rest);
        return outcome == DeliverOutcome.Overflow ? DeliverOutcome.Gone : outcome;
    }

    /// <summary>Keeps a message until its recipient comes, in the account's turn, so that it neither misses a session
    /// that has just become available nor overtakes what is being handed over.</summary>
    /// <param name="message">The message.</param>
    /// <param name="isArchived">Whether the archive of the account has it.</param>
    /// <param name="receivedAt">When it was received; null: now.</param>
    async ValueTask StoreOffline(Message message, bool isArchived, DateTimeOffset? receivedAt = null)
    {
        var account = message.To.Bare;
        StanzaError? refusal = null;
        bool isKept = false;
        using (await _accounts.TakeTurn(account))
        {
            if (_sessions.Find(account) is { } online && AvailabilityOf(online) == Availability.NonNegative &&
                DeliverToMostAvailable(online, message) == DeliverOutcome.Written) return;
            var choice = OfflinePolicy.Choose(message);
            bool isLost = choice == OfflineChoice.Refuse ||
                (choice == OfflineChoice.Store && await Append(account, message, receivedAt) != OfflineAppend.Stored);
            // mod_nooffline_noerror: where the archive has it, it is not lost.
            if (isLost && !(isArchived && _policy.IsArchiveEnough(account))) refusal = StanzaError.ServiceUnavailable;
            else CopyWaiting(message);
            isKept = choice == OfflineChoice.Store && refusal is null;
        }
        if (isKept) await _pushService.Notify(account, message, PushReason.Offline);
        // The same answer whether the account does not exist, blocks the sender or has no room (RFC 6120 §13.11,
        // XEP-0160 §2).
        if (refusal is not null) await Refuse(message, refusal);
    }

    async ValueTask<OfflineAppend> Append(Jid account, Message message, DateTimeOffset? receivedAt)
    {
        var blocked = await _accounts.BlockedOf(account);
        if (blocked.Blocks(message.From) && !message.From.SameBare(account)) return OfflineAppend.NoAccount;
        int max = _policy.OfflineMessagesMax(account);
        if (max == 0) return OfflineAppend.NoAccount;
        var appended = await _accounts.Database.Offline.TryAppend(
            account, StoredXml.ToBytes(message), receivedAt ?? _clock.GetUtcNow(), max);
        if (appended == OfflineAppend.Stored) _meters.OfflineStored();
        if (appended != OfflineAppend.Full) return appended;
        _meters.OfflineFull();
        AccountsLog.OfflineFull(_log, account, max);
        return appended;
    }

    /// <summary>Hands a session all that waits for its account, oldest first, and makes it available in the same turn
    /// in which nothing was left. A message is removed from the store only when it stands in the session's outbound
    /// buffer.</summary>
    async ValueTask HandOver(Session session, Presence presence)
    {
        var deadline = _clock.GetUtcNow() + OfflinePatience;
        try
        {
            while (session.IsAlive)
            {
                using (await _accounts.TakeTurn(session.Account))
                {
                    if (await HandOverBatch(session))
                    {
                        session.SetPresence(presence);
                        return;
                    }
                }
                // The client has not read what it has got: wait, without the turn, as others need it.
                while (!session.HasRoom && session.IsAlive)
                {
                    if (_clock.GetUtcNow() >= deadline) return;
                    await Task.Delay(TimeSpan.FromMilliseconds(100), _clock);
                }
            }
        }
        catch (StorageException e)
        {
            // What waits goes on waiting; the user can work with the rest.
            AccountsLog.StoreFailed(_log, "message", Jid.None, session.Jid, e.Message);
        }
    }

    // True when nothing is left in the store.
    async ValueTask<bool> HandOverBatch(Session session)
    {
        var store = _accounts.Database.Offline;
        var batch = await store.Load(session.Account, 0, OfflineBatchMax);
        long handedOver = 0;
        foreach (var waiting in batch)
        {
            if (!session.HasRoom) break;
            if (!TryHandOver(session, waiting)) break;
            handedOver = waiting.Id;
        }
        if (handedOver > 0) _meters.OfflineHandedOver(await store.Remove(session.Account, handedOver));
        return batch.Count < OfflineBatchMax && (batch.Count == 0 || handedOver == batch[^1].Id);
    }

    bool TryHandOver(Session session, OfflineMessage waiting)
    {
        if (StoredXml.ToStanza(waiting.Stanza) is not Message message)
        {
            AccountsLog.StoredUnreadable(_log, session.Account);
            return true;
        }
        // XEP-0313 §6.1.1: what the client has read in the archive it need not get once more.
        if (StanzaIds.Find(message, session.Account) is { } id && _policy.ArchiveIds.TryRead(id, out long number) &&
            session.ArchiveRead.Contains(number)) return true;
        // XEP-0160 §2 example 5, XEP-0203 §4: when and where it was kept.
        var server = session.Account.DomainJid;
        var delay = new Delay(waiting.ReceivedAt, server, "Offline Storage").ToElement();
        var stamped = message.Without(child => Delay.IsBy(child, server)).Add(delay);
        // Who was blocked after writing is not delivered either, and there is nobody to answer any more.
        return session.Deliver(stamped) is DeliverOutcome.Written or DeliverOutcome.Blocked;
    }

    static Availability AvailabilityOf(AccountSessions? online)
    {
        var best = Availability.None;
        if (online is null) return best;
        foreach (var session in online.All)
        {
            if (session.Available is null) continue;
            if (session.Priority >= 0) return Availability.NonNegative;
            best = Availability.NegativeOnly;
        }
        return best;
    }

    static Recipient RecipientOf(Jid to, Session? session) => to switch
    {
        { HasLocal: false, IsFull: true } => Recipient.DomainResource,
        { HasLocal: false } => Recipient.Domain,
        { IsFull: false } => Recipient.Account,
        _ => session is null ? Recipient.NoSession : Recipient.Session,
    };
}
