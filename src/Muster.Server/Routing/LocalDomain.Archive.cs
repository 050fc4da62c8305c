using Muster.Core.Archive;
using Muster.Core.Routing;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Archives;
using Muster.Server.Features.Push;
using Muster.Server.Sessions;

namespace Muster.Server.Routing;

// XEP-0313 §6.1.1: messages of accounts are kept before they are delivered. Who keeps what is decided here, from what
// is in memory while the account has sessions; AccountArchive keeps it, and then they go on their way.
sealed partial class LocalDomain
{
    /// <summary>A message that a client sends. The user's other devices see it before its recipient can
    /// answer.</summary>
    ValueTask TakeMessage(Session session, Message message)
    {
        if (message.Type == MessageType.Groupchat) return _router.Route(message);
        message = WithoutIds(message, session.Account);
        bool isKept = _archive is not null && ArchivePolicy.KeepsForAccount(message) &&
            _sessions.Find(session.Account) is { } online && Keeps(online.State, session.Account, message.To);
        if (isKept && !Serves(message.To))
            return _archive!.Keep(new Outgoing(this, session, message) { Source = session });
        if (isKept) return RouteMessage(message, session);
        CopySent(session, message);
        return _router.Route(message);
    }

    /// <summary>A message for one of the domains.</summary>
    /// <param name="message">The message.</param>
    /// <param name="keeper">The sender's session, when the sender's account keeps it too.</param>
    ValueTask RouteMessage(Message message, Session? keeper)
    {
        if (message is { Type: MessageType.Groupchat, To: { HasLocal: true, IsBare: true } })
            return TakeRoomMessage(message);
        // XEP-0357 §8: a push service wants to hear no more for a user.
        if (message.To is { HasLocal: true, IsBare: true } && message.Child(PushService.PubSub, "pubsub") is not null)
            _pushService.TakeAffiliation(message);
        if (!message.To.HasLocal || _archive is null) return keeper is null ? Deliver(message) : Keep(message, keeper);
        message = WithoutIds(message, message.To);
        if (!ArchivePolicy.KeepsForAccount(message)) return Deliver(message);
        return _sessions.Find(message.To) is { } online
            ? Keep(message, keeper, IsDelivered(message, online) && !IsSibling(message, online)
                && IsWanted(message, online.State))
            : KeepForAbsent(message, keeper);
    }

    async ValueTask KeepForAbsent(Message message, Session? keeper)
    {
        var state = await _accounts.LoadForArchive(message.To.Bare, ArchiveDefaultOf(message.To));
        await Keep(message, keeper, state is not null && IsDelivered(message, null) && IsWanted(message, state));
    }

    ValueTask Keep(Message message, Session? keeper, bool isForRecipient = false) =>
        keeper is null && !isForRecipient
            ? Deliver(message)
            : _archive!.Keep(new Incoming(this, keeper, message, isForRecipient) { Source = keeper });

    /// <summary>What is refused does not belong into the archive of who refuses it (§6.1).</summary>
    static bool IsDelivered(Message message, AccountSessions? online)
    {
        var session = message.To.IsFull ? online?.Find(message.To) : null;
        return DeliveryRules.Message(message.Type, RecipientOf(message.To, session), AvailabilityOf(online))
            is not (Delivery.Refuse or Delivery.Drop);
    }

    bool IsWanted(Message message, AccountState state) =>
        (!state.Blocked.Blocks(message.From) || message.From.SameBare(message.To)) &&
        Keeps(state, message.To, message.From);

    /// <summary>A room sends a private message to each session of its recipient that is behind the nick. It is one
    /// message (§6.1.1), and that to the first of them is kept.</summary>
    static bool IsSibling(Message message, AccountSessions online)
    {
        if (!message.From.IsFull || !message.To.IsFull || message.Child(Namespaces.MucUser, "x") is not { } x ||
            x.Child("invite") is not null || online.Find(message.To) is not { } session) return false;
        var occupant = session.DirectedWithin(message.From);
        if (occupant.IsNone) return false;
        foreach (var one in online.All)
            if (one.HasDirectedTo(occupant)) return one != session;
        return false;
    }

    bool Keeps(AccountState state, Jid account, Jid other) =>
        (state.Archiving ?? ArchivePrefs.Of(ArchiveDefaultOf(account))).Keeps(other, state.Roster);

    /// <summary>What the archive of an account keeps while its user has not said so.</summary>
    public ArchiveDefault ArchiveDefaultOf(Jid account) => _policy.ArchiveDefault(account);

    /// <summary>XEP-0359 §4: nobody but the account's own server speaks in its name.</summary>
    static Message WithoutIds(Message message, Jid account)
    {
        foreach (object item in message.Content)
            if (item is Element { Namespace: Namespaces.StanzaIds, Name: "stanza-id" })
                return (Message)StanzaIds.Strip(message, account.Bare);
        return message;
    }

    /// <summary>A message that leaves the domains of accounts; only its sender keeps it.</summary>
    sealed class Outgoing(LocalDomain domain, Session session, Message message)
        : KeptMessage(message, session.Account, Jid.None)
    {
        protected override ValueTask PassOn()
        {
            domain.CopySent(session, Message, this);
            return domain._router.Route(Message);
        }
    }

    /// <summary>A message for an account. One of a user to itself is in the archive once.</summary>
    sealed class Incoming(LocalDomain domain, Session? keeper, Message message, bool isForRecipient) : KeptMessage(
        message, keeper is null || (isForRecipient && message.To.SameBare(keeper.Account)) ? Jid.None : keeper.Account,
        isForRecipient ? message.To.Bare : Jid.None)
    {
        protected override ValueTask PassOn()
        {
            if (keeper is not null) domain.CopySent(keeper, Message, this);
            if (!IsForRecipient) return domain.Deliver(Message, Written);
            var written = Written.Add(StanzaId(Message.To.Bare));
            var archived = (Message)written.Stanza;
            var delivered = domain.Deliver(archived, written, isArchived: true);
            domain._pushService.Archived(archived.To, archived);
            return delivered;
        }
    }
}
