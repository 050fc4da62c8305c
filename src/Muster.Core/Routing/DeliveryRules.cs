using Muster.Protocol.Stanzas;

namespace Muster.Core.Routing;

/// <summary>What a stanza's <c>to</c> means to the server of its domain (RFC 6121 §8.3 to §8.5).</summary>
public enum Recipient
{
    /// <summary>The domain itself.</summary>
    Domain,
    /// <summary>A resource of the domain, which this server does not have.</summary>
    DomainResource,
    /// <summary>An account that does not exist, with or without resource (§8.5.1).</summary>
    NoAccount,
    /// <summary>An account (§8.5.2).</summary>
    Account,
    /// <summary>A resource of an account that has a session (§8.5.3.1).</summary>
    Session,
    /// <summary>A resource of an account that has none (§8.5.3.2).</summary>
    NoSession,
}

/// <summary>What the available resources of an account can take.</summary>
public enum Availability
{
    /// <summary>There is none.</summary>
    None,
    /// <summary>All have a negative priority: they take nothing that is sent to the account.</summary>
    NegativeOnly,
    /// <summary>At least one has a priority of zero or more.</summary>
    NonNegative,
}

/// <summary>Where a stanza goes.</summary>
public enum Delivery
{
    /// <summary>To the session that it names.</summary>
    Session,
    /// <summary>To the available resources of the highest priority, when that is not negative.</summary>
    MostAvailable,
    /// <summary>To all available resources whose priority is not negative.</summary>
    NonNegative,
    /// <summary>To all available resources.</summary>
    Available,
    /// <summary>Into the offline store, when what it says is worth keeping.</summary>
    Offline,
    /// <summary>The server answers it itself, for the account or for the domain.</summary>
    Server,
    /// <summary>Through the subscription table of the account.</summary>
    Subscription,
    /// <summary>The server tells the account's presence, to those who may know (§4.3).</summary>
    Probe,
    /// <summary>Back as service-unavailable.</summary>
    Refuse,
    /// <summary>Nowhere, without a word.</summary>
    Drop,
}

/// <summary>RFC 6121 §8 as a table: where a stanza for a domain of accounts goes.</summary>
/// <remarks>
/// Choices that §8 leaves open: the "most available" resources are all of the highest priority; what cannot be
/// delivered and would be missed (normal, chat, groupchat) is refused and not dropped, a headline is dropped; a stanza
/// for an account that does not exist is answered as one for an account that takes nothing, so that nobody can list
/// accounts by asking (RFC 6120 §13.11).
/// </remarks>
public static class DeliveryRules
{
    /// <summary>Where a message goes (§8.5, table 1).</summary>
    public static Delivery Message(MessageType type, Recipient to, Availability availability) => (to, type) switch
    {
        // §8.5.3.1: whatever is addressed to a session is its own to judge.
        (Recipient.Session, _) => Delivery.Session,
        // §8.5.2.1.1, §8.5.3.2.1: errors that reach nobody end here; answering them would make a loop.
        (_, MessageType.Error) => Delivery.Drop,
        // §8.5.2.1.1: only rooms send groupchat, and only to a session that has entered.
        (_, MessageType.Groupchat) => Delivery.Refuse,
        (Recipient.Account, MessageType.Headline) when availability == Availability.NonNegative => Delivery.NonNegative,
        (_, MessageType.Headline) => Delivery.Drop,
        (Recipient.Domain or Recipient.DomainResource or Recipient.NoAccount, _) => Delivery.Refuse,
        // §8.5.3.2.1: a chat goes on where the account is, anything else was meant for that resource.
        (Recipient.NoSession, MessageType.Normal) => Delivery.Refuse,
        _ => availability == Availability.NonNegative ? Delivery.MostAvailable : Delivery.Offline,
    };

    /// <summary>Where a presence stanza goes.</summary>
    public static Delivery Presence(PresenceType type, Recipient to) => (to, type) switch
    {
        // RFC 6121 §3, §4.3: about the account, whatever the resource. To a domain nobody can subscribe.
        (Recipient.Account or Recipient.Session or Recipient.NoSession, PresenceType.Probe) => Delivery.Probe,
        // §8.5.1: a probe of an account that does not exist may get the answer of one that keeps its presence to
        // itself.
        (Recipient.NoAccount, PresenceType.Probe) => Delivery.Probe,
        (Recipient.Account or Recipient.Session or Recipient.NoSession,
            PresenceType.Subscribe or PresenceType.Subscribed or
            PresenceType.Unsubscribe or PresenceType.Unsubscribed) => Delivery.Subscription,
        (Recipient.Session, _) => Delivery.Session,
        // §8.5.2.1.2: with no available resource this delivers to nobody, which is dropping it.
        (Recipient.Account, PresenceType.Available or PresenceType.Unavailable) => Delivery.Available,
        _ => Delivery.Drop,
    };

    /// <summary>Where an iq goes.</summary>
    public static Delivery Iq(IqType type, Recipient to) => (to, type) switch
    {
        (Recipient.Session, _) => Delivery.Session,
        // RFC 6120 §8.2.3: answers are never answered; what was asked in the server's name needs no answer.
        (_, IqType.Result or IqType.Error) => Delivery.Drop,
        // §8.5.2.1.3: the server answers on behalf of the account. What it answers for one that does not exist must
        // look like what it answers for one that does.
        (Recipient.Domain or Recipient.Account, _) => Delivery.Server,
        _ => Delivery.Refuse,
    };
}
