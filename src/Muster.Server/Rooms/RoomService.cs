using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Muster.Core.Limits;
using Muster.Core.Rooms;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Archives;
using Muster.Server.Routing;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Rooms;

/// <summary>What the list of rooms shows of a room in memory.</summary>
/// <param name="Room">Its bare JID.</param>
/// <param name="Title">Its title, or "".</param>
/// <param name="Public">Whether strangers see it in the list.</param>
/// <param name="PublicList">Whether strangers see who is inside.</param>
/// <param name="Stored">Whether storage has it too.</param>
/// <param name="Occupants">Number of nicks inside.</param>
sealed record RoomListing(Jid Room, string Title, bool Public, bool PublicList, bool Stored, int Occupants);

/// <summary>What room services stand on.</summary>
sealed record RoomParts(
    Router Router, SessionTable Sessions, Database Database, ArchiveReaders Archives, TimeProvider Clock, Meters Meters,
    ILoggerFactory Logs, RoomEvents Events, ServerLimits? Limits = null);

/// <summary>
/// A multi-user chat service (XEP-0045) of one domain: finds the host of a room and puts stanzas into its mailbox. What
/// is addressed to the service itself is answered by the iq table and the directory.
/// </summary>
sealed class RoomService : IStanzaTarget, IAsyncDisposable
{
    const int LoadsMax = 8;

    static readonly StanzaError Denied = StanzaError.Forbidden.WithText("Access denied by service policy");

    readonly ConcurrentDictionary<Jid, RoomHost> _hosts = new();
    readonly ConcurrentDictionary<Jid, Dictionary<Jid, int>> _conferences = new();
    readonly Func<Iq, ValueTask> _answerForService;
    readonly ConcurrentDictionary<Jid, bool> _occupied = new(); // before the restart, and not loaded since
    readonly ConcurrentBag<StoredOccupants> _suspended = [];
    RoomSweeper _sweeper;
    IReadOnlySet<Jid> _survivors = new HashSet<Jid>();
    bool _isStarted;
    volatile bool _isSuspended;

    /// <summary>Makes a service.</summary>
    /// <param name="settings">Its configuration.</param>
    /// <param name="parts">What it stands on.</param>
    /// <param name="answerForService">Answers iq stanzas to the service's own address.</param>
    /// <param name="publicLogs">Where public logs of rooms go, or null for nowhere.</param>
    public RoomService(RoomSettings settings, RoomParts parts, Func<Iq, ValueTask> answerForService,
        PublicLogs? publicLogs = null)
    {
        Settings = settings;
        Database = parts.Database;
        Router = parts.Router;
        Sessions = parts.Sessions;
        Archives = parts.Archives;
        Clock = parts.Clock;
        Log = parts.Logs.CreateLogger<RoomService>();
        Meters = parts.Meters;
        HostName = settings.Host.ToString();
        Meters.Rooms.Start(HostName);
        _answerForService = answerForService;
        _sweeper = new RoomSweeper(this);
        PublicLogs = publicLogs;
        Events = parts.Events;
        Activity = new ActivityIndicator(this, parts.Limits ?? ServerLimits.Default);
        Forwarder = new OfflineForwarder(this, parts.Limits ?? ServerLimits.Default);
    }

    /// <summary>What it was made with, or was given since.</summary>
    public RoomSettings Settings { get; private set; }
    public Database Database { get; }
    public Router Router { get; }
    public SessionTable Sessions { get; }
    public ArchiveReaders Archives { get; }
    public TimeProvider Clock { get; }
    public ILogger Log { get; }
    public Meters Meters { get; }
    public PublicLogs? PublicLogs { get; }
    public ActivityIndicator Activity { get; }
    public OfflineForwarder Forwarder { get; }
    public RoomEvents Events { get; }

    /// <summary>The served domain, as metrics call it.</summary>
    public string HostName { get; }

    /// <summary>Rooms in memory.</summary>
    public IEnumerable<RoomListing> Live => Hosts.Select(host => host.Listing).OfType<RoomListing>();

    /// <summary>The hosts of rooms that are in memory, or are about to be.</summary>
    public IEnumerable<RoomHost> Hosts => _hosts.Select(pair => pair.Value); // Values would copy them all

    /// <summary>Starts what is done by the clock.</summary>
    public void Start()
    {
        _isStarted = true;
        _sweeper.Start();
    }

    /// <summary>The listing of one room in memory, or null.</summary>
    public RoomListing? FindLive(Jid room) => _hosts.GetValueOrDefault(room)?.Listing;

    /// <inheritdoc/>
    public ValueTask Route(Stanza stanza)
    {
        // muc.md §1: access is checked first, for everything; errors and results are never answered.
        if (!Settings.Access.Use(stanza.From)) return Router.Refuse(stanza, Denied with { By = Settings.Service });
        return stanza.To.HasLocal && !IsForService(stanza) ? Post(stanza) : RouteToService(stanza);
    }

    /// <summary>Asks a room on behalf of an administrator: the stanza goes through the room's own decisions with the
    /// rights of a service administrator, and the answer comes back here. Nothing is sent to the stanza's
    /// sender.</summary>
    /// <returns>The room's answer; null when it has none to such a stanza. What the stanza did is done by
    /// then.</returns>
    /// <exception cref="TimeoutException">The room did not come to it within the time.</exception>
    public ValueTask<Stanza?> Ask(Stanza stanza, TimeSpan limit) => Ask(stanza, limit, onBehalf: false);

    /// <summary>Sends a room a stanza for a session that is there, as if it had sent it: with its user's rights, and
    /// what follows goes to it. Only a refusal comes back here instead.</summary>
    /// <returns>The refusal, or null.</returns>
    /// <exception cref="TimeoutException">The room did not come to it within the time.</exception>
    public ValueTask<Stanza?> SendFor(Session session, Stanza stanza, TimeSpan limit) =>
        Settings.Access.Use(session.Jid)
            ? Ask(stanza, limit, onBehalf: true)
            : new(stanza.Refuse(Denied with { By = Settings.Service }));

    async ValueTask<Stanza?> Ask(Stanza stanza, TimeSpan limit, bool onBehalf)
    {
        var answer = new TaskCompletionSource<Stanza?>(TaskCreationOptions.RunContinuationsAsynchronously);
        await Post(stanza.To.Bare, new RoomLetter(stanza, Answer: answer, OnBehalf: onBehalf));
        return await answer.Task.WaitAsync(limit, Clock);
    }

    /// <summary>Reads something of a room in its turn; a sleeping room is woken. The function gets null when there is
    /// no such room.</summary>
    public async ValueTask<T> Look<T>(Jid room, Func<Room?, T> read)
    {
        var seen = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await Post(room, new RoomLetter(Look: found =>
        {
            try
            {
                seen.TrySetResult(read(found));
            }
            catch (Exception e)
            {
                seen.TrySetException(e);
            }
        }));
        return await seen.Task;
    }

    /// <summary>Takes other settings, which rooms in memory go by from now on. Its address and domain stay.</summary>
    public async ValueTask Apply(RoomSettings settings)
    {
        Settings = settings with { Service = Settings.Service, Host = Settings.Host, LoadAtStart = false };
        if (_isStarted)
        {
            await _sweeper.DisposeAsync();
            _sweeper = new RoomSweeper(this);
            _sweeper.Start();
        }
        foreach (var host in Hosts)
        {
            await host.Post(new(IsPassive: true, Look: room =>
            {
                if (room is not null) room.Policy = settings.Policy;
            }));
        }
        await Settle();
    }

    /// <summary>Tells every room that the service shuts down, and waits until all have told their occupants. What is on
    /// its way to members who are away goes no further; it waits for <see cref="Suspend"/>.</summary>
    /// <param name="reason">Text for people, or null.</param>
    /// <param name="stay">Sessions that go on after a restart, and stay inside; null: none, and everybody goes.</param>
    public async ValueTask ShutDown(string? reason, IReadOnlySet<Jid>? stay = null)
    {
        _isStarted = false;
        Forwarder.Hold();
        await _sweeper.DisposeAsync();
        await Tell(new RoomEvent.Shutdown(reason, stay));
    }

    /// <summary>Ends every room with the process.</summary>
    /// <returns>Who is inside, to be kept for the next start; under the service's own address what waits for members
    /// who are away.</returns>
    public async ValueTask<IReadOnlyList<StoredOccupants>> Suspend()
    {
        // The end of a session must not load again a room that is suspended: the next start sees to such occupants.
        _isSuspended = true;
        await Tell(new RoomEvent.Suspend());
        if (Forwarder.TakeWaiting() is { } waiting)
            _suspended.Add(new StoredOccupants(Settings.Service, waiting));
        return [.. _suspended];
    }

    // Several at a time, so that what they still have to keep shares commits.
    async ValueTask Tell(RoomEvent what) => await Parallel.ForEachAsync(
        Hosts, new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (host, _) =>
        {
            // One whose mailbox is closed is over already.
            if (await host.Post(new(Event: what)) == PostOutcome.Posted) await Settle(host);
        });

    /// <summary>A room has ended with the process.</summary>
    public void Suspended(StoredOccupants occupants) => _suspended.Add(occupants);

    /// <summary>The rooms that somebody was inside when the last process ended. They are loaded in the background, and
    /// before that by whatever comes for them.</summary>
    /// <param name="rooms">The rooms.</param>
    /// <param name="survivors">The sessions of this server that have come through the restart.</param>
    public void Occupied(IEnumerable<Jid> rooms, IReadOnlySet<Jid> survivors)
    {
        _survivors = survivors;
        foreach (var room in rooms) _occupied[room] = true;
    }

    /// <summary>Whether somebody was inside a room when the last process ended, of which the room does not know
    /// yet.</summary>
    public bool WasOccupied(Jid room) => !_occupied.IsEmpty && _occupied.ContainsKey(room);

    /// <summary>Whether an occupant from before the restart can be there still; of users of other servers nobody
    /// knows.</summary>
    public bool Survives(Jid session) => !Router.IsLocal(session) || _survivors.Contains(session);

    /// <summary>The room knows.</summary>
    public void TakenBack(Jid room) => _occupied.TryRemove(room, out _);

    /// <summary>Loads the rooms that were occupied.</summary>
    public Task LoadOccupied(CancellationToken cancel) => Load(_occupied.Keys, cancel);

    /// <summary>Loads rooms, some at a time, so that others are served meanwhile.</summary>
    public Task Load(IEnumerable<Jid> rooms, CancellationToken cancel) => Parallel.ForEachAsync(
        rooms, new ParallelOptions { MaxDegreeOfParallelism = LoadsMax, CancellationToken = cancel },
        async (room, _) => await Look(room, static _ => true));

    /// <summary>Waits until the rooms in memory have dealt with all that they were sent before. Wakes none.</summary>
    public async ValueTask Settle()
    {
        foreach (var host in Hosts) await Settle(host);
        await Forwarder.Settle();
    }

    static async ValueTask Settle(RoomHost host)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (await host.Post(new(Look: _ => done.TrySetResult(), IsPassive: true)) == PostOutcome.Posted)
            await done.Task;
    }

    /// <summary>Stops what is done by the clock.</summary>
    public ValueTask DisposeAsync()
    {
        _isStarted = false;
        Forwarder.Dispose();
        return _sweeper.DisposeAsync();
    }

    /// <summary>Unloads a room that nobody needs; the next stanza wakes it. One that is needed stays.</summary>
    public ValueTask Hibernate(Jid room) =>
        _hosts.ContainsKey(room) ? Post(room, new RoomLetter(Event: new RoomEvent.Hibernate())) : default;

    /// <summary>What the service knows of a sender.</summary>
    public async ValueTask<SenderFacts> FactsOf(Stanza stanza, bool byAdministrator)
    {
        var from = stanza.From;
        var facts = new SenderFacts
        {
            IsLocal = Router.IsLocal(from),
            MayCreate = byAdministrator || Settings.Access.Create(from),
            IsServiceAdmin = byAdministrator || Settings.Access.Admin(from),
            MayPersist = byAdministrator || Settings.Access.Persist(from),
            MayLog = byAdministrator || Settings.Access.Log(from),
        };
        if (stanza is not Presence { Type: PresenceType.Available } || !stanza.To.IsFull) return facts;
        string service = Settings.Service.ToString();
        return facts with
        {
            InTooManyRooms = !byAdministrator && IsInTooManyRooms(from.Bare, stanza.To.Bare),
            NickOwner = await Database.Nicks.FindOwner(service, stanza.To.Resource.ToString()),
            ReservedNick = await Database.Nicks.Find(service, from.Bare),
        };
    }

    /// <summary>Counts a session into a room.</summary>
    public void Entered(Jid session, Jid room)
    {
        foreach (var step in Events.Entered) step(this, session, room);
        while (true)
        {
            var rooms = _conferences.GetOrAdd(session.Bare, static _ => []);
            lock (rooms)
            {
                // An emptied entry is removed under its lock: then take the new one.
                if (!_conferences.TryGetValue(session.Bare, out var current) || current != rooms) continue;
                int before = rooms.GetValueOrDefault(room);
                rooms[room] = before + 1;
                if (before == 0) Activity.Entered(session, room);
                return;
            }
        }
    }

    /// <summary>Counts a session out of a room.</summary>
    public void Left(Jid session, Jid room)
    {
        if (!_conferences.TryGetValue(session.Bare, out var rooms)) return;
        lock (rooms)
        {
            int left = rooms.GetValueOrDefault(room) - 1;
            if (left > 0) rooms[room] = left;
            else if (rooms.Remove(room)) Activity.Left(session, room);
            if (rooms.Count == 0) _conferences.TryRemove(session.Bare, out _);
        }
    }

    /// <summary>Forgets a host whose mailbox is closed.</summary>
    public void Forget(RoomHost host) => _hosts.TryRemove(new(host.Address, host));

    /// <summary>Whether a user has a session in a room.</summary>
    public bool IsIn(Jid user, Jid room)
    {
        if (!_conferences.TryGetValue(user.Bare, out var rooms)) return false;
        lock (rooms) return rooms.ContainsKey(room);
    }

    /// <summary>Whether a user has a session in any room.</summary>
    public bool IsInAny(Jid user) => _conferences.ContainsKey(user.Bare);

    bool IsInTooManyRooms(Jid user, Jid room)
    {
        if (!_conferences.TryGetValue(user, out var rooms)) return Settings.ConferencesPerUserMax == 0;
        lock (rooms) return rooms.Count >= Settings.ConferencesPerUserMax && !rooms.ContainsKey(room);
    }

    async ValueTask Post(Stanza stanza)
    {
        if (_isSuspended) return;
        var room = stanza.To.Bare;
        if (stanza.IsError && Forwarder.TakeBounce(stanza)) return;
        bool isAnswer = stanza.IsError || stanza is Iq { IsRequest: false };
        if (isAnswer && !_hosts.ContainsKey(room) && !WasOccupied(room)) return; // no room in memory has asked for it
        // Only a user of this process waits, on the task that reads the user's own stanzas. An answer may come out of a
        // room's own sending, where waiting could wait for ever; a peer or a component carries many users and must not
        // wait for one room.
        if (!isAnswer && Router.Find(stanza.From) is not (null or RoomService or ComponentRoute))
        {
            // What a presence says is not stored; it is sent anew after a crash.
            var hold = Session.IsStored(stanza) ? Sessions.FindSession(stanza.From)?.Hold(room) ?? default : default;
            await Post(room, new RoomLetter(stanza, Hold: hold));
            return;
        }
        var outcome = PostOutcome.Closed;
        while (outcome == PostOutcome.Closed) outcome = HostOf(room).TryPost(new RoomLetter(stanza));
        if (outcome == PostOutcome.Posted) return;
        // A lost bounce only delays the removal of a ghost; what asked for something is told.
        Meters.RoomMailboxFull();
        await Router.Refuse(stanza, StanzaError.ResourceConstraint with { By = room });
    }

    /// <summary>Tells a room that it is worth waking for, and does not wait: a full mailbox hears nothing.</summary>
    public void TryTell(Jid room, RoomEvent happened) => HostOf(room).TryPost(new RoomLetter(Event: happened));

    async ValueTask Post(Jid room, RoomLetter letter)
    {
        while (true)
        {
            if (await HostOf(room).Post(letter) == PostOutcome.Posted) return;
        }
    }

    // A host that has closed its mailbox is about to be forgotten: it is replaced at once.
    RoomHost HostOf(Jid room)
    {
        while (true)
        {
            var host = _hosts.GetOrAdd(room, static (address, service) => new RoomHost(service, address), this);
            if (!host.IsClosed) return host;
            Forget(host);
        }
    }

    ValueTask RouteToService(Stanza stanza) => stanza switch
    {
        // muc.md §1: a resource of the service's own address names nothing.
        Iq { IsRequest: false } answer => TakeAnswer(answer),
        { IsError: true } or Presence => Activity.Take(stanza),
        _ when !stanza.To.HasLocal && stanza.To.IsFull => Router.Refuse(stanza, StanzaError.ItemNotFound),
        Iq iq => _answerForService(iq),
        Message message => Announce(message),
        _ => default,
    };

    // What is asked of a room and not the room's own business.
    bool IsForService(Stanza stanza) => stanza is Iq { IsRequest: true, Payload: { } payload } && stanza.To.IsBare
        && Events.AnsweredByService.Contains(payload.Namespace);

    ValueTask TakeAnswer(Iq iq)
    {
        foreach (var step in Events.Answered) step(iq);
        return default;
    }

    // muc.md §6.6: a service administrator speaks to all rooms in memory.
    async ValueTask Announce(Message message)
    {
        if (!Settings.Access.Admin(message.From))
        {
            await Router.Refuse(message,
                StanzaError.Forbidden.WithText("Only service administrators are allowed to send service messages"));
            return;
        }
        if (message.Child("body") is null) return;
        foreach (var host in Hosts) await host.Post(new(Event: new RoomEvent.Announce(message)));
    }
}
