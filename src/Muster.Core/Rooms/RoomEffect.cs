using System.Collections.Immutable;
using Muster.Core.Archive;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

/// <summary>How a room knows, or why it fears, that a session missed something (muc-push.md §7).</summary>
public enum MissCause
{
    /// <summary>It came back: it has not arrived.</summary>
    Bounced,
    /// <summary>The session does not answer when it is asked, or its server says that it is gone.</summary>
    Silent,
    /// <summary>The session has not come through a restart of this server.</summary>
    Lost,
    /// <summary>It has left, or the room was shut, moments after something was said. It is no ghost, and has most
    /// likely seen it.</summary>
    Left,
}

/// <summary>What a room asks its host to do. Plain data: tests compare it, logs print it, a replay repeats
/// it.</summary>
/// <remarks><see cref="Room"/> says in which order the host must act.</remarks>
public abstract record RoomEffect
{
    /// <summary>Answer a stanza with an error.</summary>
    /// <param name="Cause">The stanza refused. Never an error, never an iq result.</param>
    /// <param name="Error">Why.</param>
    public sealed record Refuse(Stanza Cause, StanzaError Error) : RoomEffect
    {
        /// <summary>The answer. XEP-0045 §7.2.5: a refused entering keeps the <c>x</c> that marks it.</summary>
        public Stanza Answer
        {
            get
            {
                var answer = Cause.Refuse(Error);
                if (Cause is not Presence || Cause.Child(Namespaces.Muc, "x") is null) return answer;
                return answer.WithContent([new Element(Namespaces.Muc, "x"), .. answer.Elements]);
            }
        }
    }

    /// <summary>Keep a message in the room's archive, before anybody sees it.</summary>
    /// <param name="Id">Its archive id, which all copies carry as stanza-id.</param>
    /// <param name="At">When the room took it.</param>
    /// <param name="Kind">What it is.</param>
    /// <param name="Sender">The sender's real full JID; the room's own for messages of the room.</param>
    /// <param name="Stanza">The message as occupants see it, without <c>to</c>.</param>
    public sealed record Archive(long Id, DateTimeOffset At, RoomMessageKind Kind, Jid Sender,
        Message Stanza) : RoomEffect;

    /// <summary>Replace an archived message by a tombstone (XEP-0425).</summary>
    /// <param name="Id">Archive id of the message that goes.</param>
    /// <param name="Tombstone">What stands in its place.</param>
    public sealed record Retract(long Id, Message Tombstone) : RoomEffect;

    /// <summary>A message was taken and will be kept or refused later (Room.Rates): until <see cref="Resolved"/> its
    /// sender must not be told that it is stored.</summary>
    /// <param name="Cause">The message as it came.</param>
    public sealed record Postponed(Message Cause) : RoomEffect;

    /// <summary>What becomes of a <see cref="Postponed"/> message stands among the effects of the same input.</summary>
    /// <param name="Cause">The message as it came.</param>
    public sealed record Resolved(Message Cause) : RoomEffect;

    /// <summary>Keep a change of the room's lasting state, before anybody sees it.</summary>
    /// <param name="Change">What changed.</param>
    public sealed record Persist(RoomChange Change) : RoomEffect;

    /// <summary>Send a stanza to one address.</summary>
    /// <param name="Stanza">The stanza; its own <c>to</c> counts for nothing, as it may be shared by many
    /// sends.</param>
    /// <param name="To">The recipient.</param>
    public sealed record Send(Stanza Stanza, Jid To) : RoomEffect
    {
        /// <summary>Sends a stanza to its own <c>to</c>.</summary>
        public Send(Stanza stanza) : this(stanza, stanza.To) { }
    }

    /// <summary>Send one stanza to many sessions: to be serialised once, with a hole for <c>to</c>.</summary>
    /// <param name="Stanza">The stanza, without <c>to</c>.</param>
    /// <param name="Sessions">Real full JIDs. Often the room's cached array: valid as long as the effect.</param>
    public sealed record Broadcast(Stanza Stanza, ImmutableArray<Jid> Sessions) : RoomEffect;

    /// <summary>A session has entered: for counters and logs.</summary>
    /// <param name="Session">Its real full JID.</param>
    /// <param name="Nick">Its nick.</param>
    /// <param name="First">True when it is the nick's first session.</param>
    public sealed record Entered(Jid Session, string Nick, bool First) : RoomEffect;

    /// <summary>A session is out: for counters and logs.</summary>
    /// <param name="Session">Its real full JID.</param>
    /// <param name="Nick">Its nick.</param>
    /// <param name="Last">True when it was the nick's last session.</param>
    /// <param name="Code">Status code that says why (<see cref="Muster.Protocol.Payloads.MucStatus"/>), or 0 when it
    /// left by itself.</param>
    /// <param name="Reason">The reason given, or null; of one who left by itself the status text of that
    /// presence.</param>
    public sealed record Left(Jid Session, string Nick, bool Last, int Code, string? Reason) : RoomEffect;

    /// <summary>An occupant has another nick: for logs.</summary>
    /// <param name="Session">The session that changed.</param>
    /// <param name="Old">The nick before.</param>
    /// <param name="New">The nick now.</param>
    public sealed record Renamed(Jid Session, string Old, string New) : RoomEffect;

    /// <summary>The configuration changed: for logs and the directory.</summary>
    /// <param name="Before">The options before.</param>
    /// <param name="After">The options now.</param>
    public sealed record Configured(RoomOptions Before, RoomOptions After) : RoomEffect;

    /// <summary>Give the room a <see cref="RoomEvent.Tick"/> at that time. A later one replaces an earlier.</summary>
    /// <param name="At">When.</param>
    public sealed record WakeAt(DateTimeOffset At) : RoomEffect;

    /// <summary>Ask the password service (<c>http_auth_pool</c>) and answer with
    /// <see cref="RoomEvent.PasswordChecked"/>, whatever happens.</summary>
    /// <param name="Session">Real full JID of who wants to enter.</param>
    /// <param name="Password">The password given.</param>
    /// <param name="Attempt">Number of the attempt, to be given back.</param>
    public sealed record CheckPassword(Jid Session, string Password, long Attempt) : RoomEffect;

    /// <summary>Send a message to the bare JIDs of members who are not inside and want it (muc-offline-delivery.md §5).
    /// It must not delay what follows, and an error that comes back means nothing to the room.</summary>
    /// <param name="Stanza">The message as occupants saw it, of type groupchat, without <c>to</c>.</param>
    /// <param name="Users">Bare JIDs.</param>
    /// <param name="Omitted">How many more there are than may get it.</param>
    public sealed record Forward(Message Stanza, ImmutableArray<Jid> Users, int Omitted = 0) : RoomEffect;

    /// <summary>Messages did not reach an occupant's session, or may not have; it is out now: for push (muc-push.md
    /// §7).</summary>
    /// <param name="Session">Its real full JID.</param>
    /// <param name="Nick">Its nick.</param>
    /// <param name="Cause">How the room knows.</param>
    /// <param name="Condition">The error condition of what came back, or a word for why nothing did.</param>
    /// <param name="Messages">Archive ids, oldest first: of the message that bounced and of those shown since, or,
    /// where nothing bounced, of those shown since the session last gave a sign. At most those of a quarter of an
    /// hour.</param>
    public sealed record Undeliverable(
        Jid Session, string Nick, MissCause Cause, string Condition, ImmutableArray<long> Messages) : RoomEffect;

    /// <summary>Answer a question to the archive, with what has been kept before it (XEP-0313). It must not delay what
    /// follows.</summary>
    /// <param name="Question">The request to answer.</param>
    /// <param name="Request">Which messages are wanted; null: what the archive's first and last message are.</param>
    /// <param name="ShowsAddresses">Whether the reader may see who sent them.</param>
    public sealed record ReadArchive(Iq Question, ArchiveRequest? Request, bool ShowsAddresses) : RoomEffect;

    /// <summary>The room ends with its process: keep who is inside. <see cref="Closed"/> follows.</summary>
    /// <param name="Occupants">Who is inside.</param>
    public sealed record Suspended(ImmutableArray<OccupantSnapshot> Occupants) : RoomEffect;

    /// <summary>The room was destroyed by an owner: remove what belongs to it and leave a tombstone.
    /// <see cref="Closed"/> follows.</summary>
    /// <param name="Alternate">The room to go to instead, or none.</param>
    /// <param name="Reason">Text for people, or null.</param>
    public sealed record Destroyed(Jid Alternate, string? Reason) : RoomEffect;

    /// <summary>The room is over in memory: the host forgets the object. Always the last effect.</summary>
    public sealed record Closed : RoomEffect;
}

/// <summary>A change of a stored room's lasting state.</summary>
public abstract record RoomChange
{
    /// <summary>The room is stored from now on: all of it.</summary>
    /// <param name="Snapshot">Its state.</param>
    public sealed record Created(RoomSnapshot Snapshot) : RoomChange;

    /// <summary>The options or the profile changed.</summary>
    /// <param name="Options">The options as they are now.</param>
    /// <param name="Profile">The vCard and the hats as they are now.</param>
    public sealed record Configured(RoomOptions Options, RoomProfile Profile) : RoomChange;

    /// <summary>The subject changed.</summary>
    /// <param name="Subject">The new subject.</param>
    public sealed record SubjectSet(RoomSubject Subject) : RoomChange;

    /// <summary>An affiliation was added or replaced; or, when it is <see cref="Affiliation.None"/>, taken away from
    /// somebody of whom the room still knows something.</summary>
    /// <param name="Entry">The entry, whose user is the key.</param>
    public sealed record AffiliationSet(AffiliationEntry Entry) : RoomChange;

    /// <summary>Nothing is known of a user any more.</summary>
    /// <param name="User">The key of the entry.</param>
    public sealed record AffiliationRemoved(Jid User) : RoomChange;

    /// <summary>The room is not stored any more: it was destroyed or made temporary.</summary>
    public sealed record Deleted : RoomChange;
}
