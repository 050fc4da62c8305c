namespace Muster.Core.Limits;

/// <summary>
/// The bounds that hold whatever a client, a peer or a room does; one line for each. Meeting one is an outcome with a
/// name: an error to whoever asked for too much, a counter, and a log line.
/// </summary>
/// <remarks>
/// Bounds that belong to one listener or one module are options there; bounds that a specification sets (the 1023 bytes
/// of a part of a JID) are constants where they are checked. The section <c>[limits]</c> of the configuration changes
/// these.
/// </remarks>
public sealed record ServerLimits
{
    /// <summary>The values without a configuration.</summary>
    public static ServerLimits Default { get; } = new();

    /// <summary>Bytes that may wait to be written to one connection. A client that reads more slowly than others talk
    /// loses its connection, not the server its memory; large enough for entering hundreds of rooms at once.</summary>
    public int OutboundBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Inputs that may wait for one room. A client that sends more is not read until the room has caught up;
    /// others are refused with <c>resource-constraint</c>.</summary>
    public int RoomMailboxLengthMax { get; init; } = 1024;

    /// <summary>Bytes that a connection may send before it is authenticated: several times what any mechanism with a
    /// certificate needs.</summary>
    public int UnauthenticatedBytesMax { get; init; } = 64 * 1024;

    /// <summary>Sessions of one account at a time. One more is refused with <c>resource-constraint</c>: devices come
    /// and go, but a client that never closes must not fill the table.</summary>
    public int SessionsPerUserMax { get; init; } = 20;

    /// <summary>Contacts in one roster. The whole list is sent at login and read for every presence.</summary>
    public int RosterItemsMax { get; init; } = 2000;

    /// <summary>Groups of one contact.</summary>
    public int RosterGroupsMax { get; init; } = 32;

    /// <summary>Subscription requests that wait for the answer of one account. Further ones are dropped: strangers send
    /// them, and an error would tell them that the account exists.</summary>
    public int SubscriptionRequestsMax { get; init; } = 200;

    /// <summary>Invitations of one account that are open (XEP-0401).</summary>
    public int InvitationsMax { get; init; } = 50;

    /// <summary>Clients of one account that have a token to log in again with (XEP-0484). When one more gets one, the
    /// client loses its own that got it the longest time ago, and needs the password.</summary>
    public int TokenClientsMax { get; init; } = 50;

    /// <summary>Messages that wait for one account that is offline. Those beyond it are answered with
    /// <c>service-unavailable</c>, so that the sender knows.</summary>
    public int OfflineMessagesMax { get; init; } = 1000;

    /// <summary>Addresses that one account may block (XEP-0191). The list is held by every session and looked at for
    /// every stanza.</summary>
    public int BlockListItemsMax { get; init; } = 1000;

    /// <summary>Bytes of all private XML of one account (XEP-0049): bookmarks and settings of clients.</summary>
    public int PrivateXmlBytesMax { get; init; } = 1024 * 1024;

    /// <summary>Bytes of one vCard, its picture included (XEP-0054).</summary>
    public int VcardBytesMax { get; init; } = 256 * 1024;

    /// <summary>Addresses outside its roster to which one session has sent presence: the rooms it is in, mostly. They
    /// are remembered until it goes, to tell them.</summary>
    public int DirectedPresencesMax { get; init; } = 2000;

    /// <summary>Stanzas that wait for an inactive client (XEP-0352); with one more, all are sent.</summary>
    public int WaitingStanzasMax { get; init; } = 1000;

    /// <summary>Affiliations and registered nicks of one room; one more is refused with <c>resource-constraint</c>. The
    /// list is in memory while the room is.</summary>
    public int RoomAffiliationsMax { get; init; } = 5000;

    /// <summary>Sessions that wait to hear that something was said in their rooms (XEP-0437), by room service. One more
    /// is refused with <c>resource-constraint</c>.</summary>
    public int ActivitySubscribersMax { get; init; } = 5000;

    /// <summary>Rooms of which one such session hears. The others are left out: it is a hint.</summary>
    public int ActivityRoomsMax { get; init; } = 200;

    /// <summary>Bytes of one push registration (XEP-0357): the form and the wishes that come with it.</summary>
    public int PushRegistrationBytesMax { get; init; } = 16 * 1024;

    /// <summary>Push registrations of one user in an hour, new ones and renewed ones. Clients renew theirs at each
    /// login.</summary>
    public int PushEnablesPerHour { get; init; } = 120;

    /// <summary>Stanzas that may wait for a stream to another server, for each pair of domains; together they may have
    /// <see cref="OutboundBytesMax"/>. Those beyond are refused with <c>resource-constraint</c>.</summary>
    public int PeerQueueLengthMax { get; init; } = 1000;

    /// <summary>Pairs of a domain here and one elsewhere that stanzas are sent between. Whoever writes to ever new
    /// domains meets it; those that are not used any more are forgotten.</summary>
    public int PeerRoutesMax { get; init; } = 10_000;

    /// <summary>Streams that one domain of another server may have open to this one.</summary>
    public int PeerStreamsPerDomainMax { get; init; } = 50;

    /// <summary>Messages of rooms a second to one domain of another server, for its users who are members and
    /// away.</summary>
    public int OfflineForwardRateMax { get; init; } = 200;

    /// <summary>Bytes of messages that wait to be sent to members who are away, for each room service. Beyond it they
    /// do not get what is said.</summary>
    public int OfflineForwardBytesMax { get; init; } = 32 * 1024 * 1024;

    /// <summary>Domains of external components (XEP-0114) since the start: whoever knows the secret may bring one where
    /// the listener does not name them. One more is refused with the stream error
    /// <c>resource-constraint</c>.</summary>
    public int ComponentDomainsMax { get; init; } = 100;
}
