using System.Security.Cryptography;
using System.Text.Json;
using Muster.Core.Rooms;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Loops;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Rooms;

/// <summary>What is put into a room's mailbox.</summary>
/// <param name="Stanza">A stanza for the room, or null.</param>
/// <param name="Event">Something else that happened, or null.</param>
/// <param name="Answer">Gets the room's answer to <paramref name="Stanza"/> instead of its sender, or null when the
/// room has nothing to answer; or null.</param>
/// <param name="Look">Is shown the room, or null when there is none, in its turn; or null.</param>
/// <param name="Sweep">Asks the room to rest; or null.</param>
/// <param name="OnBehalf">True for a <paramref name="Stanza"/> that is sent for a session that is really there: it has
/// the rights of its user, and all but a refusal goes to the session too.</param>
/// <param name="Hold">The responsibility for <paramref name="Stanza"/>, where its sender's session counts it.</param>
/// <param name="IsPassive">True for a <paramref name="Look"/> that does not wake the room: it sees null when the room
/// is not in memory.</param>
readonly record struct RoomLetter(
    Stanza? Stanza = null, RoomEvent? Event = null, TaskCompletionSource<Stanza?>? Answer = null,
    Action<Room?>? Look = null, RoomSweep? Sweep = null, SessionHold Hold = default, bool IsPassive = false,
    bool OnBehalf = false)
{
    /// <summary>Whether a room that is not in memory is loaded for it. What merely happens to a room that is not there
    /// concerns nobody.</summary>
    public bool NeedsRoom => Stanza is not null || (Look is not null && !IsPassive);

    /// <summary>Whether an administrator asks, with every right and with nobody behind the address.</summary>
    public bool IsByAdministrator => Answer is not null && !OnBehalf;
}

/// <summary>
/// Steps 4 to 6 of a group message's path: the mailbox of one room, its decisions, one commit for all that a drain of
/// the mailbox promised, then the effects in order.
/// </summary>
/// <remarks>
/// The host is there before its room: it loads or makes it when the first letter comes, so two who enter at once meet
/// in one room. Archived before seen: when the commit fails nothing of the batch is shown; the occupants are told to
/// enter again (status 333) and the room is loaded afresh, so there is no half-true state to repair.
/// </remarks>
sealed partial class RoomHost : IThreadPoolWorkItem
{
    const int BatchMax = 64, BatchesAtOnce = 4;

    readonly RoomService _service;
    readonly Mailbox<RoomLetter> _mailbox;
    readonly List<RoomLetter> _letters = [];
    readonly List<RoomEffect> _effects = [];
    readonly Dictionary<Stanza, SharedStanza> _serialised = new(ReferenceEqualityComparer.Instance);
    readonly PublicLog? _log;
    readonly List<(Stanza Cause, SessionHold Hold)> _postponed = []; // messages that the room keeps or refuses later
    Room? _room;
    RoomListing? _listing;
    bool _wasStored; // the room that was here last
    RoomTombstone? _tombstone; // while _room is one that might come to be
    ITimer? _timer;
    long _lastId;

    public RoomHost(RoomService service, Jid address)
    {
        _service = service;
        Address = address;
        _log = service.PublicLogs?.Of(address);
        _mailbox = new(service.Settings.MailboxMax, Start);
    }

    /// <summary>The room's bare JID.</summary>
    public Jid Address { get; }

    /// <summary>What the list of rooms shows of it; null while there is no room.</summary>
    public RoomListing? Listing => Volatile.Read(ref _listing);

    /// <summary>True once the host takes no more letters: it has a successor.</summary>
    public bool IsClosed => _mailbox.IsClosed;

    /// <summary>Posts a letter, waiting while the mailbox is full.</summary>
    public ValueTask<PostOutcome> Post(RoomLetter letter) => _mailbox.Post(letter);

    /// <summary>Posts a letter if there is space.</summary>
    public PostOutcome TryPost(RoomLetter letter) => _mailbox.TryPost(letter);

    void Start() => EventLoop.Queue(this);

    void IThreadPoolWorkItem.Execute() => _ = Run();

    async Task Run()
    {
        for (int batches = 0; ; batches++)
        {
            if (batches == BatchesAtOnce)
            {
                // A room in which many talk must not keep a loop to itself.
                EventLoop.Queue(this);
                return;
            }
            _letters.Clear();
            _mailbox.Take(_letters, BatchMax);
            if (_letters.Count == 0) return;
            try
            {
                await RunBatch();
            }
            catch (Exception e)
            {
                // A bug in a decision or an effect: the state can no longer be trusted, the other rooms can.
                RoomsLog.Broken(_service.Log, Address, e);
                foreach (var letter in _letters)
                    letter.Answer?.TrySetResult(letter.Stanza!.Refuse(StanzaError.InternalServerError));
                await Abandon();
                Release(0, _letters.Count, areStored: false);
            }
            if (_room is null && _mailbox.TryClose())
            {
                _service.Forget(this);
                return;
            }
        }
    }

    async ValueTask RunBatch()
    {
        int handled = 0;
        while (handled < _letters.Count)
        {
            if (_room is null && !_letters[handled].NeedsRoom)
            {
                _letters[handled++].Look?.Invoke(null);
                continue;
            }
            if (_room is null && !await TryLoad())
            {
                int unread = handled;
                for (; handled < _letters.Count; handled++) await RefuseUnreadable(_letters[handled]);
                Release(unread, handled, areStored: false);
                return;
            }
            _effects.Clear();
            _serialised.Clear();
            int first = handled;
            while (handled < _letters.Count && _room is { IsClosed: false })
            {
                var letter = _letters[handled++];
                // A look must see what was promised before it kept: it is a batch of its own.
                if (letter.Look is not null)
                {
                    if (handled - 1 > first) handled--;
                    else letter.Look(_room.Exists ? _room : null);
                    break;
                }
                await Decide(letter);
            }
            if (await Commit(first, handled)) await Act(first, handled);
            for (int i = first; i < handled; i++) _letters[i].Answer?.TrySetResult(null);
            if (_room is { Exists: false, IsWaiting: false }) Drop();
        }
        Publish();
        if (_room is null || IsResting) await SettleDown(_room?.IsStored ?? _wasStored);
    }

    async ValueTask Decide(RoomLetter letter)
    {
        long id = NextId();
        var now = _service.Clock.GetUtcNow();
        if (letter.Sweep is { } sweep)
        {
            Rest(sweep, id);
            return;
        }
        WakeUp(now, isUsed: letter.Stanza is not null);
        if (letter.Event is { } happened)
        {
            _room!.Handle(new RoomInput(happened, now, id), _effects);
            return;
        }
        var stanza = letter.Stanza!;
        if (_tombstone is { } tombstone && !_room!.Exists && !letter.IsByAdministrator
            && stanza is Presence { Type: PresenceType.Available })
        {
            // muc.md §3.2: bookmarks must not call a destroyed room back to life.
            _effects.Add(new RoomEffect.Refuse(stanza, Gone(tombstone)));
            return;
        }
        var facts = await _service.FactsOf(stanza, letter.IsByAdministrator);
        _room!.Handle(new RoomInput(stanza, now, id, facts), _effects);
    }

    StanzaError Gone(RoomTombstone tombstone) => StanzaError.Gone with
    {
        Text = tombstone.Reason.Length == 0 ? null : tombstone.Reason,
        ConditionText = tombstone.Alternate.IsNone ? null : $"xmpp:{tombstone.Alternate}?join",
        By = Address,
    };

    // Microseconds, raised by one where two meet, never below what the archive has: the order of the archive.
    long NextId()
    {
        long micros = (_service.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        return _lastId = Math.Max(micros, _lastId + 1);
    }

    /// <summary>Loads the room, or makes a new one that is nobody's yet. False when storage cannot tell (then nothing
    /// is made: an empty room over an unreadable one would be a loss).</summary>
    async ValueTask<bool> TryLoad()
    {
        var settings = _service.Settings;
        WakeUp(_service.Clock.GetUtcNow(), isUsed: false);
        try
        {
            if (await _service.Database.Rooms.Load(Address) is { } stored)
            {
                var page = await _service.Database.Archive.Page(Address, new ArchiveQuery
                {
                    Kind = ArchiveKind.Message,
                    Backwards = true,
                    Max = Math.Max(1, settings.Policy.HistorySizeMax),
                });
                _room = Room.Restore(RoomRecords.ToSnapshot(stored), settings.Policy,
                    page.Entries.Select(RoomRecords.ToHistory).OfType<HistoryEntry>());
                _lastId = Math.Max(_lastId, stored.LastArchiveId);
                await TakeBack(_room);
                if (_room.IsStored || _room.OccupantCount > 0)
                {
                    _service.Meters.Rooms.Recreated(_service.HostName);
                    return true;
                }
                // A temporary room whose occupants did not come back is over.
                _room = null;
            }
            if (await _service.Database.Archive.Range(Address) is { } range)
            {
                // A temporary room that a crash ended left its messages; they are not for whoever comes next.
                while (await _service.Database.Archive.Purge(Address, DateTimeOffset.MaxValue, 1000) == 1000) { }
                _lastId = Math.Max(_lastId, range.LastId);
            }
            _tombstone = await _service.Database.Rooms.FindTombstone(Address, _service.Clock.GetUtcNow());
            _room = Room.Create(Address, settings.Defaults, settings.Policy,
                RandomNumberGenerator.GetBytes(Room.SecretBytes),
                _service.Clock.GetUtcNow(), settings.Affiliations, settings.Subject);
            return true;
        }
        catch (Exception e) when (e is StorageException or JsonException or FormatException)
        {
            RoomsLog.Unreadable(_service.Log, Address, e.Message);
            return false;
        }
    }

    /// <summary>Who was inside when the server was stopped still is: a restart is not noticed by anybody.</summary>
    async ValueTask TakeBack(Room room)
    {
        if (!_service.WasOccupied(Address)) return;
        // After a crash nobody is.
        var inside = await _service.Database.Sessions.TakeOccupants(Address);
        room.TakeBack(inside is null ? [] : OccupantRecords.Read(inside.State), _service.Clock.GetUtcNow());
        foreach (var (_, session, _, _) in room.Inside)
        {
            _service.Entered(session, Address);
            // The session has not come through the restart: the others hear of it now.
            if (!_service.Survives(session)) TryPost(new(Event: new RoomEvent.SessionLost(session)));
        }
        WakeAt(_service.Clock.GetUtcNow()); // to plan what it has to do in time
        // Stored for the time of the restart alone.
        if (!room.IsStored)
            await _service.Database.Rooms.Commit([new() { Room = Address, Removal = new(false, null) }]);
        _service.TakenBack(Address);
    }

    async ValueTask RefuseUnreadable(RoomLetter letter)
    {
        letter.Look?.Invoke(null);
        if (letter.Stanza is not { } stanza) return;
        var error = StanzaError.ServiceUnavailable.WithText("Service is temporary unavailable") with { By = Address };
        if (letter.Answer is { } answer) answer.TrySetResult(stanza.Refuse(error));
        else await _service.Router.Refuse(stanza, error);
    }

    /// <summary>Keeps what the batch promised, in one transaction. False when it could not be kept: nothing of it is
    /// shown.</summary>
    async ValueTask<bool> Commit(int first, int end)
    {
        NotePostponed(first, end);
        var commit = RoomRecords.ToCommit(Address, _effects, Serialise, _service.Clock.GetUtcNow(),
            _service.Settings.TombstoneTime);
        if (commit is null)
        {
            Release(first, end, areStored: false);
            return true;
        }
        try
        {
            await _service.Database.Rooms.Commit([commit with { Counts = CountsOf(first, end) }]);
            Release(first, end, areStored: true);
            return true;
        }
        catch (StorageException e)
        {
            RoomsLog.CommitFailed(_service.Log, Address, commit.Archive.Count, e.Message);
            _service.Meters.RoomCommitFailed();
            for (int i = first; i < end; i++) await RefuseUnreadable(_letters[i]);
            await Abandon();
            Release(first, end, areStored: false);
            return false;
        }
    }

    /// <summary>What the batch is for the sessions that sent it: their counts go with it, so that a client is told the
    /// truth after a crash, too.</summary>
    List<StoredCount> CountsOf(int first, int end)
    {
        List<StoredCount>? counts = null;
        for (int i = first; i < end; i++)
        {
            if (_letters[i].Hold is not { Session.Token: { } token, Number: var number } hold) continue;
            if (IsOvertaking(hold)) continue;
            counts ??= [];
            int at = counts.FindIndex(count => count.Token == token);
            if (at < 0) counts.Add(new(token, number));
            else if (unchecked((int)(number - counts[at].Handled)) > 0) counts[at] = new(token, number);
        }
        return counts ?? [];
    }

    void Release(int first, int end, bool areStored)
    {
        for (int i = first; i < end; i++)
        {
            if (_letters[i].Hold is not { Session: not null } hold) continue;
            _letters[i] = _letters[i] with { Hold = default };
            hold.Release(areStored && !IsOvertaking(hold));
        }
    }

    /// <summary>A message that waits for its sender's turn (Room.Rates) is not stored, whatever the batch stores that
    /// brought it: its hold goes over to the letter with which the room comes back to it.</summary>
    void NotePostponed(int first, int end)
    {
        if (_postponed.Count == 0 && !_effects.Exists(effect => effect is RoomEffect.Postponed)) return;
        foreach (var effect in _effects)
        {
            if (effect is RoomEffect.Postponed { Cause: var cause })
            {
                int at = _letters.FindIndex(first, end - first, letter => ReferenceEquals(letter.Stanza, cause));
                if (at < 0 || _letters[at].Hold.Session is null) continue;
                _postponed.Add((cause, _letters[at].Hold));
                _letters[at] = _letters[at] with { Hold = default };
            }
            else if (effect is RoomEffect.Resolved { Cause: var resolved })
            {
                int at = _postponed.FindIndex(waiting => ReferenceEquals(waiting.Cause, resolved));
                if (at < 0) continue;
                // The events of rooms have no senders of their own.
                int free = _letters.FindIndex(first, end - first, letter => letter.Hold.Session is null);
                if (free >= 0) _letters[free] = _letters[free] with { Hold = _postponed[at].Hold };
                else _postponed[at].Hold.Release(stored: false);
                _postponed.RemoveAt(at);
            }
        }
    }

    /// <summary>While an earlier message of the session waits, nothing later may count.</summary>
    bool IsOvertaking(SessionHold hold)
    {
        foreach (var (_, waiting) in _postponed)
            if (waiting.Session == hold.Session && unchecked((int)(waiting.Number - hold.Number)) < 0) return true;
        return false;
    }

    /// <summary>Tells everybody inside to enter again and forgets the object; the next letter loads the room from
    /// storage.</summary>
    async ValueTask Abandon()
    {
        if (_room is not { } room) return;
        Drop();
        room.Abandon("The room could not keep what was said; please enter again.", _effects);
        await Act(0, 0);
    }

    void Drop()
    {
        _wasStored = _room is { IsStored: true };
        _room = null;
        foreach (var (_, hold) in _postponed) hold.Release(stored: false);
        _postponed.Clear();
        Volatile.Write(ref _restsSince, 0);
        _timer?.Dispose();
        _timer = null;
        Publish();
    }

    async ValueTask Act(int first, int end)
    {
        _log?.Note(_room, _effects);
        foreach (var effect in _effects)
        {
            switch (effect)
            {
                case RoomEffect.Broadcast broadcast:
                    await Broadcast(broadcast);
                    break;
                case RoomEffect.Send send:
                    if (!Answers(send.Stanza, send.To, first, end) && !IsAsking(send.To, first, end))
                        await Send(send.Stanza, send.To);
                    break;
                case RoomEffect.Refuse refuse:
                    if (!Answers(refuse.Answer, refuse.Cause.From, first, end))
                    {
                        await _service.Router.Route(refuse.Answer);
                    }
                    break;
                case RoomEffect.Archive { Kind: RoomMessageKind.Message } when _room is { } room:
                    await _service.Activity.Note(room);
                    break;
                case RoomEffect.Forward forward:
                    _service.Forwarder.Post(Address, Serialise(forward.Stanza), forward.Users, forward.Omitted);
                    break;
                case RoomEffect.Entered entered:
                    _service.Entered(entered.Session, Address);
                    break;
                case RoomEffect.Left left:
                    _service.Left(left.Session, Address);
                    break;
                case RoomEffect.Undeliverable lost:
                    if (lost.Cause != MissCause.Left) _service.Meters.Rooms.GhostKicked(lost.Condition);
                    TellUndeliverable(lost);
                    break;
                case RoomEffect.Suspended suspended:
                    _service.Suspended(new StoredOccupants(Address, OccupantRecords.ToBytes(suspended.Occupants)));
                    break;
                case RoomEffect.CheckPassword check:
                    _ = CheckPassword(check);
                    break;
                case RoomEffect.ReadArchive read:
                    _service.Archives.Post(
                        new(read.Question, Address, read.Request, IsRoom: true, read.ShowsAddresses));
                    break;
                case RoomEffect.WakeAt wake:
                    WakeAt(wake.At);
                    break;
            }
        }
    }

    // Requests of the command line and the admin API go through the room's own decisions; their answers do not go out.
    bool Answers(Stanza stanza, Jid to, int first, int end)
    {
        if (stanza.Id is null) return false;
        for (int i = first; i < end; i++)
        {
            if (_letters[i] is { Answer: { } answer, Stanza: { } asked } letter && asked.From == to
                && asked.Id == stanza.Id && (stanza.IsError || !letter.OnBehalf))
                return answer.TrySetResult(stanza);
        }
        return false;
    }

    // Nobody is behind the address of such a request: what else the room has to say to it goes nowhere.
    bool IsAsking(Jid to, int first, int end)
    {
        for (int i = first; i < end; i++)
            if (_letters[i] is { IsByAdministrator: true, Stanza: { } asked } && asked.From == to) return true;
        return false;
    }

    async ValueTask Broadcast(RoomEffect.Broadcast broadcast)
    {
        // What is between two is a matter of the recipient's account: its archive keeps it first.
        bool isPrivate = broadcast.Stanza is Message { Type: not MessageType.Groupchat };
        var shared = isPrivate ? null : Serialise(broadcast.Stanza);
        foreach (var to in broadcast.Sessions)
        {
            // Step 7. A session that is not here, not reading or blocking is the business of its domain's rules.
            if (shared is not null &&
                _service.Sessions.FindSession(to)?.Deliver(shared) is DeliverOutcome.Written) continue;
            await _service.Router.Route(broadcast.Stanza.Readdressed(broadcast.Stanza.From, to));
        }
        _service.Meters.Delivered(broadcast.Sessions.Length);
        TellSaid(broadcast.Stanza);
    }

    ValueTask Send(Stanza stanza, Jid to) => _service.Router.Route(stanza.Readdressed(stanza.From, to));

    SharedStanza Serialise(Stanza stanza)
    {
        if (!_serialised.TryGetValue(stanza, out var shared)) _serialised[stanza] = shared = SharedStanza.From(stanza);
        return shared;
    }

    void WakeAt(DateTimeOffset at)
    {
        var due = at - _service.Clock.GetUtcNow();
        if (due < TimeSpan.Zero) due = TimeSpan.Zero;
        // A full mailbox is never idle for long: the room asks again when it handles what waits.
        _timer ??= _service.Clock.CreateTimer(
            static host => ((RoomHost)host!).TryPost(new(Event: new RoomEvent.Tick())), this,
            Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(due, Timeout.InfiniteTimeSpan);
    }

    void Publish()
    {
        var listing = _room is { Exists: true, IsLocked: false } room
            ? new RoomListing(Address, room.Options.Title, room.Options.Public, room.Options.PublicList, room.IsStored,
                room.OccupantCount)
            : null;
        Volatile.Write(ref _isLoaded, _room is not null);
        if (listing != _listing) Volatile.Write(ref _listing, listing);
    }
}
