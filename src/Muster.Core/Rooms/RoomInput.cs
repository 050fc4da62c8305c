using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Rooms;

/// <summary>
/// Everything that one decision of a room may depend on: what came, from whom, when. Nothing else reaches the room, so
/// the same inputs give the same effects.
/// </summary>
/// <remarks>Exactly one of <see cref="Stanza"/> and <see cref="Event"/> is set.</remarks>
public readonly record struct RoomInput
{
    /// <summary>A stanza addressed to the room or to one of its occupants; its <c>from</c> is the sender's real JID,
    /// checked by the host.</summary>
    public RoomInput(Stanza stanza, DateTimeOffset now, long nextId, SenderFacts sender = default)
    {
        Stanza = stanza;
        Now = now;
        NextId = nextId;
        Sender = sender;
    }

    /// <summary>Something that happened beside stanzas.</summary>
    public RoomInput(RoomEvent @event, DateTimeOffset now, long nextId)
    {
        Event = @event;
        Now = now;
        NextId = nextId;
    }

    /// <summary>The stanza, or null.</summary>
    public Stanza? Stanza { get; }
    /// <summary>The event, or null.</summary>
    public RoomEvent? Event { get; }
    /// <summary>The time at which the host took the input; never earlier than the input before.</summary>
    public DateTimeOffset Now { get; }
    /// <summary>A number greater than any that this room got before, also before a restart. It becomes the archive id
    /// of the one message that handling this input may archive, and the root of other ids that the room has to
    /// make.</summary>
    public long NextId { get; }
    /// <summary>What the service knows of the sender.</summary>
    public SenderFacts Sender { get; }
}

/// <summary>What the service knows of a stanza's sender and the room does not: access rules and service-wide
/// state.</summary>
public readonly record struct SenderFacts
{
    /// <summary>Matches <c>access_create</c>: may make a room that does not exist.</summary>
    public bool MayCreate { get; init; }
    /// <summary>A user of this server, whose sessions the host itself reports when they end.</summary>
    public bool IsLocal { get; init; }
    /// <summary>Matches <c>access_admin</c>: owner of every room.</summary>
    public bool IsServiceAdmin { get; init; }
    /// <summary>Matches <c>access_persistent</c>: may make a room persistent.</summary>
    public bool MayPersist { get; init; }
    /// <summary>Matches <c>access_log</c>: may switch public logs.</summary>
    public bool MayLog { get; init; }
    /// <summary>The sender's bare JID is in <c>max_user_conferences</c> rooms already; does not count for a room it is
    /// in.</summary>
    public bool InTooManyRooms { get; init; }
    /// <summary>Who has reserved, for the whole service, the nick that the stanza is addressed to; none when nobody
    /// has.</summary>
    public Jid NickOwner { get; init; }
    /// <summary>The nick that the sender has reserved for the whole service, or null.</summary>
    public string? ReservedNick { get; init; }
}

/// <summary>What happens to a room beside stanzas.</summary>
public abstract record RoomEvent
{
    /// <summary>The time that a <see cref="RoomEffect.WakeAt"/> asked for has come. A superfluous one does no
    /// harm.</summary>
    public sealed record Tick : RoomEvent;

    /// <summary>The service shuts down: all occupants are told to go (XEP-0045 §11.2 #service-shutdown-kick).</summary>
    /// <param name="Reason">Text for people, or null.</param>
    /// <param name="Stay">Sessions of this server that go on after a restart: they and those of other servers stay
    /// inside. Null: nobody does.</param>
    public sealed record Shutdown(string? Reason = null, IReadOnlySet<Jid>? Stay = null) : RoomEvent;

    /// <summary>The process ends and another will follow: the room is given up, and whoever is inside is kept for
    /// <see cref="Room.TakeBack"/>.</summary>
    public sealed record Suspend : RoomEvent;

    /// <summary>The host unloads an idle room; its owner, if inside, is told to go. Does nothing when
    /// <see cref="Room.MayHibernate"/> is false.</summary>
    public sealed record Hibernate : RoomEvent;

    /// <summary>A service administrator's message to all rooms.</summary>
    /// <param name="Message">The message as it came to the service.</param>
    public sealed record Announce(Message Message) : RoomEvent;

    /// <summary>A session that the host knows to be dead (its server is unreachable, it does not answer
    /// pings).</summary>
    /// <param name="Session">Its real full JID.</param>
    /// <param name="Reason">Text for those who stay, or null.</param>
    public sealed record SessionLost(Jid Session, string? Reason = null) : RoomEvent;

    /// <summary>What was forwarded to a member who is away (<see cref="RoomEffect.Forward"/>) came back again and
    /// again.</summary>
    /// <param name="User">The member's bare JID.</param>
    public sealed record ForwardingFailed(Jid User) : RoomEvent;

    /// <summary>The answer to <see cref="RoomEffect.CheckPassword"/>.</summary>
    /// <param name="Session">Real full JID of who wants to enter.</param>
    /// <param name="Attempt">Number of the attempt, from the effect.</param>
    /// <param name="Code">The service's code, 0 meaning yes; null when there was no usable answer.</param>
    /// <param name="Text">The service's text for people, or null.</param>
    public sealed record PasswordChecked(Jid Session, long Attempt, int? Code, string? Text = null) : RoomEvent;
}
