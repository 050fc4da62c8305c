using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

/// <summary>
/// One multi-user chat room (XEP-0045): who is inside, who may do what, and what everybody sees. It decides and does
/// nothing: inputs go in by <see cref="Handle"/>, the only door, and effects come out.
/// </summary>
/// <remarks>
/// <para>Its parts are one aspect a file: Room.Join, .Presence, .Nick, .Messages, .Subject, .Invitations, .Queries,
/// .Disco, .Admin, .Config and so on. It knows only real full JIDs, so local and remote users are the same to
/// it.</para>
/// <para>What the host does, for one room at a time and never at once for the same room:</para>
/// <list type="number">
/// <item>When a stanza comes for a room that is neither in memory nor stored, make one with <see cref="Create"/>; when
/// it is stored, load it whole and make it with <see cref="Restore"/>. If it cannot be read, refuse with
/// service-unavailable and make nothing.</item>
/// <item>Give <see cref="Handle"/> up to 64 waiting inputs, all effects into one list; stop at once when
/// <see cref="IsClosed"/> becomes true, and treat the inputs left over as in step 1.</item>
/// <item>Commit all <see cref="RoomEffect.Archive"/>, <see cref="RoomEffect.Retract"/>,
/// <see cref="RoomEffect.Persist"/> and <see cref="RoomEffect.Destroyed"/> effects of the list in one transaction. If
/// that fails, perform none of the others: the object has promised what is not true. Refuse the stanzas of the batch,
/// call <see cref="Abandon"/>, perform what it adds instead, and drop the object.</item>
/// <item>Perform the other effects in the order of the list: recipients must see them in that order.</item>
/// <item>Forget the object when it <see cref="IsClosed"/>, or neither <see cref="Exists"/> nor
/// <see cref="IsWaiting"/>.</item>
/// </list>
/// <para>The state is mutable and owned by this object. Same inputs, same effects: the clock and all ids stand in the
/// input.</para>
/// </remarks>
public sealed partial class Room
{
    /// <summary>Length of <see cref="RoomSnapshot.Secret"/>.</summary>
    public const int SecretBytes = 32;

    static readonly StanzaError DoesNotExist = StanzaError.ItemNotFound.WithText("Conference room does not exist");
    static readonly StanzaError RoomLocked = StanzaError.ItemNotFound.WithText("This room is locked");

    readonly Occupants _occupants;
    readonly Affiliations _affiliations;
    readonly History _history;
    readonly byte[] _secret;
    readonly DateTimeOffset _createdAt;
    RoomOptions _options;
    RoomSubject _subject;
    State _state;
    bool _stored;               // storage knows the room: changes are persisted
    DateTimeOffset _lockEndsAt; // while Locked
    int _idsMade;               // while one input is handled

    enum State
    {
        New,     // made by Create, nobody has entered yet
        Locked,  // waits for its owner's first configuration (XEP-0045 §10.1)
        Open,
        Closed,
    }

    Room(Jid address, RoomOptions options, RoomPolicy policy, ReadOnlySpan<byte> secret, DateTimeOffset createdAt,
        State state)
    {
        Address = address;
        (_occupants, _affiliations) = (new Occupants(NoteChange), new Affiliations(NoteChange));
        Policy = policy;
        _options = options;
        _subject = RoomSubject.NeverSet;
        _secret = secret.ToArray();
        _createdAt = createdAt;
        _state = state;
        _history = new History(address);
    }

    /// <summary>Makes a room that did not exist. It is nobody's until a first user enters; if that is refused, it
    /// closes at once.</summary>
    /// <param name="address">Its bare JID.</param>
    /// <param name="defaults">Options of <c>default_room</c>.</param>
    /// <param name="policy">What the service lays down.</param>
    /// <param name="secret"><see cref="SecretBytes"/> random bytes.</param>
    /// <param name="now">The time.</param>
    /// <param name="affiliations">Affiliations of <c>default_room</c>: in force before the creator becomes
    /// owner.</param>
    /// <param name="subject">Subject of <c>default_room</c>, or null.</param>
    public static Room Create(Jid address, RoomOptions defaults, RoomPolicy policy, ReadOnlySpan<byte> secret,
        DateTimeOffset now, IEnumerable<AffiliationEntry>? affiliations = null, RoomSubject? subject = null)
    {
        var room =
            new Room(address, defaults, policy, secret, now, State.New)
            {
                // muc.md §16.1: the configured subject was set when the room was made.
                _subject = subject is null ? RoomSubject.NeverSet : subject with { At = subject.At ?? now },
            };
        foreach (var entry in affiliations ?? []) room._affiliations.Load(entry);
        return room;
    }

    /// <summary>Makes a stored room live again.</summary>
    /// <param name="snapshot">What storage has of it.</param>
    /// <param name="policy">What the service lays down.</param>
    /// <param name="history">The newest messages of its archive of kind <see cref="RoomMessageKind.Message"/>, oldest
    /// first; more than are kept is no error.</param>
    public static Room Restore(RoomSnapshot snapshot, RoomPolicy policy, IEnumerable<HistoryEntry>? history = null)
    {
        var room = new Room(snapshot.Address, snapshot.Options, policy, snapshot.Secret.AsSpan(), snapshot.CreatedAt,
            State.Open)
        {
            _subject = snapshot.Subject,
            _profile = snapshot.Profile,
            _stored = true,
        };
        if (TryHash(snapshot.Profile.VCard, out var hashes)) room._avatarHashes = hashes;
        foreach (var entry in snapshot.Affiliations.Concat(snapshot.Past)) room._affiliations.Load(entry);
        foreach (var entry in history ?? [])
        {
            room._history.Add(entry, room.HistoryMax);
            room.CountActivity(entry.Stanza, entry.At);
        }
        return room;
    }

    /// <summary>The room's bare JID.</summary>
    public Jid Address { get; }
    /// <summary>What the service lays down; a reload of the configuration replaces it.</summary>
    public RoomPolicy Policy
    {
        get;
        set
        {
            field = value;
            FindAbsent();
        }
    }
    /// <summary>The options in force.</summary>
    public RoomOptions Options => _options;
    /// <summary>The subject.</summary>
    public RoomSubject Subject => _subject;
    /// <summary>True when the object is of no use any more: <see cref="RoomEffect.Closed"/> was given out.</summary>
    public bool IsClosed => _state == State.Closed;
    /// <summary>True while the room waits for its owner's configuration: it does not officially exist yet.</summary>
    public bool IsLocked => _state == State.Locked;
    /// <summary>True when storage has the room.</summary>
    public bool IsStored => _stored;
    /// <summary>Number of nicks inside.</summary>
    public int OccupantCount => _occupants.Count;
    /// <summary>Real JIDs of all sessions inside.</summary>
    public ImmutableArray<Jid> Sessions => _occupants.Sessions;

    /// <summary>Whether the host may unload the room: it is stored, and nobody is inside or one owner's only session
    /// (muc.md §18).</summary>
    public bool MayHibernate => _stored && !IsWaiting && _held.Count == 0 && _line.Count == 0
        && _state == State.Open && _occupants.SessionCount <= 1 &&
        _occupants.All.All(occupant => occupant.Affiliation == Affiliation.Owner);

    /// <summary>The lasting state, for storage and hibernation.</summary>
    public RoomSnapshot Snapshot() => new()
    {
        Address = Address,
        Options = _options,
        Secret = [.. _secret],
        CreatedAt = _createdAt,
        Subject = _subject,
        Profile = _profile,
        Affiliations = [.. _affiliations.All],
        Past = [.. _affiliations.Past],
    };

    /// <summary>Decides what one input does. The only door of a room.</summary>
    /// <param name="input">What happened.</param>
    /// <param name="effects">Where the effects are added, in the order in which the host performs them.</param>
    public void Handle(in RoomInput input, List<RoomEffect> effects)
    {
        if (_state == State.Closed) throw new InvalidOperationException($"{Address} is closed");
        _idsMade = 0;
        if (input.Event is not null)
        {
            HandleEvent(input.Event, input, effects);
        }
        else if (input.Stanza is { } stanza && Receive(stanza, input, effects) is { } error && MayBeRefused(stanza))
        {
            Refuse(stanza, error, effects);
        }
        CloseWhenOver(effects);
        if (_state == State.Closed) return;
        PlanSweep(input.Now);
        AskToWake(input.Now, effects);
    }

    void Refuse(Stanza stanza, StanzaError error, List<RoomEffect> effects) =>
        effects.Add(new RoomEffect.Refuse(stanza, error with { By = Address }));

    StanzaError? Receive(Stanza stanza, in RoomInput input, List<RoomEffect> effects)
    {
        // Nobody was here yet, and what came does not change that: the room still does not exist.
        if (_state == State.New && stanza is not Presence { Type: PresenceType.Available or PresenceType.Unavailable })
            return DoesNotExist;
        if (_state == State.Locked && !MayReachLocked(stanza, input)) return RoomLocked;
        // An error that only a server gives is no sign of life.
        // Nor is that a session goes: its server says so when its connection has broken.
        if (_occupants.TryFind(stanza.From, out var session)
            && !(stanza.IsError && IsGhostly(stanza.Error?.Condition ?? ""))
            && stanza is not Presence { Type: PresenceType.Unavailable }) session.NoteAlive(input.Now);
        return stanza switch
        {
            Presence presence => ReceivePresence(presence, input, effects),
            Message message => ReceiveMessage(message, input, effects),
            Iq iq => ReceiveIq(iq, input, effects),
            _ => null,
        };
    }

    void HandleEvent(RoomEvent @event, in RoomInput input, List<RoomEffect> effects)
    {
        switch (@event)
        {
            case RoomEvent.Tick:
                _wakeAt = null;
                if (_state == State.Locked && input.Now >= _lockEndsAt) Unlock(effects);
                ReleaseHeld(input, effects);
                Sweep(input, effects);
                break;
            case RoomEvent.PasswordChecked answer:
                ReceiveCheck(answer, input, effects);
                break;
            case RoomEvent.Shutdown shutdown:
                if (shutdown.Stay is { } stay) ShutDown(shutdown.Reason ?? ShutdownReason, stay, input.Now, effects);
                else ShutDown(shutdown.Reason ?? ShutdownReason, input.Now, effects);
                break;
            case RoomEvent.Suspend:
                Suspend(effects);
                break;
            case RoomEvent.Hibernate:
                if (MayHibernate) Hibernate(effects);
                break;
            case RoomEvent.Announce announce:
                if (_state == State.Open) PublishFromRoom(announce.Message, input, effects);
                break;
            case RoomEvent.ForwardingFailed failed:
                StopForwarding(failed.User, input, effects);
                break;
            case RoomEvent.SessionLost lost:
                if (_occupants.TryFind(lost.Session, out var session))
                    GoneWithout(session, MissCause.Lost, "session-lost", ShownSince(session.ActiveAt), lost.Reason,
                        effects);
                break;
        }
    }

    // RFC 6120 §8.3.1, §8.2.3: an error and a result are never answered.
    static bool MayBeRefused(Stanza stanza) =>
        !stanza.IsError && stanza is not Iq { IsRequest: false }
            && stanza is not Presence { Type: PresenceType.Unavailable };

    // XEP-0045 §10.1.1 #createroom-general: until it is configured, the room is there for its creator alone. Entering
    // again is let through, as the creator's client may have lost what it knew (XEP-0045 §7.2.1).
    bool MayReachLocked(Stanza stanza, in RoomInput input) => stanza switch
    {
        Presence { Type: PresenceType.Unavailable or PresenceType.Error } => true,
        Presence presence =>
            _occupants.TryFind(presence.From, out _) && presence.Child(Namespaces.Muc, "x") is not null,
        Iq { IsRequest: true, Payload: { } payload } iq =>
            AffiliationOf(iq.From, input.Sender) == Affiliation.Owner && iq.To.IsBare &&
            (payload.Namespace == Namespaces.MucOwner || payload.Namespace == Namespaces.DiscoInfo),
        Message { IsError: true } => true,
        _ => false,
    };

    void CloseWhenOver(List<RoomEffect> effects)
    {
        if (_state == State.Closed) return;
        bool empty = _occupants.SessionCount == 0;
        if (IsWaiting) return;
        bool over = _state switch
        {
            State.New => true,
            // muc.md §3.1: an owner who leaves without configuring leaves nothing behind.
            State.Locked => empty,
            _ => empty && !_options.Persistent,
        };
        if (!over) return;
        Close(effects);
    }

    void Hibernate(List<RoomEffect> effects)
    {
        RemoveAll(new Departure(MucStatus.Shutdown) { Reason = "Room hibernation" }, effects);
        Close(effects);
    }

    void Close(List<RoomEffect> effects)
    {
        RefuseWaiting(effects);
        _state = State.Closed;
        effects.Add(new RoomEffect.Closed());
    }

    void Persist(RoomChange change, List<RoomEffect> effects)
    {
        if (_stored) effects.Add(new RoomEffect.Persist(change));
    }

    /// <summary>An id for a stanza that the room makes: unique, as every input brings a number of its own.</summary>
    string MakeId(in RoomInput input) =>
        string.Create(CultureInfo.InvariantCulture, $"{input.NextId:x}-{++_idsMade:x}");

    /// <summary>XEP-0421 §4: the same for a user in this room for ever, different in every other room.</summary>
    Element OccupantId(Jid user)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes(user.Bare.ToString()), hash);
        return new Element(Namespaces.OccupantId, "occupant-id").With("id", Convert.ToHexStringLower(hash));
    }

    /// <summary>The affiliation in force: administrators of the service are owners everywhere (muc.md §2).</summary>
    Affiliation AffiliationOf(Jid user, in SenderFacts facts) =>
        facts.IsServiceAdmin ? Affiliation.Owner : _affiliations.Of(user);

    /// <summary>The role with which somebody enters (muc.md §2: whether the room is moderated does not matter
    /// here).</summary>
    Role DefaultRole(Affiliation affiliation) => affiliation switch
    {
        Affiliation.Owner or Affiliation.Admin => Role.Moderator,
        Affiliation.Member => Role.Participant,
        Affiliation.Outcast => Role.None,
        _ when _options.MembersOnly => Role.None,
        _ => _options.MembersByDefault ? Role.Participant : Role.Visitor,
    };
}
