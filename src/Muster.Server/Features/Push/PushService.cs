using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Muster.Core.Delivery;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Routing;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Features.Push;

/// <summary>What pushes stand on.</summary>
/// <param name="Router">Where they go.</param>
/// <param name="Accounts">What is known of accounts.</param>
/// <param name="Resumable">The sessions whose clients may be away.</param>
/// <param name="Clock">The time.</param>
/// <param name="Meters">What is counted.</param>
/// <param name="Log">Where to log.</param>
/// <param name="AccountRules">The rules of a domain of accounts; null: it does not push.</param>
/// <param name="RoomRules">The rules of a room service; null: it does not push.</param>
/// <param name="PatienceOf">How long a session of an account waits for its client.</param>
sealed record PushParts(
    Router Router, AccountStates Accounts, ResumableSessions Resumable, TimeProvider Clock, PushMeters Meters,
    ILogger Log, Func<string, PushRules?> AccountRules, Func<string, PushRules?> RoomRules,
    Func<Jid, TimeSpan> PatienceOf)
{
    /// <summary>The push service for browsers; null where it is off.</summary>
    public WebPushService? Web { get; init; }
}

/// <summary>
/// Push notifications (XEP-0357), of accounts and of rooms: the one place that knows who has registered where, and the
/// one entry for whoever has something that a user should know of. Who is pushed and how much is said decides
/// <see cref="PushPolicy"/>.
/// </summary>
/// <remarks>What happens on the threads of others is put into one bounded queue and done here, one after the
/// other.</remarks>
sealed class PushService : IAsyncDisposable
{
    /// <summary>The namespace of what push services are (XEP-0060).</summary>
    public const string PubSub = "http://jabber.org/protocol/pubsub";
    const int JobsMax = 10_000;
    static readonly TimeSpan UnusedMax = TimeSpan.FromDays(90);

    readonly PushParts _parts;
    readonly PushSender _sender;
    readonly Channel<Func<ValueTask>> _jobs = Channel.CreateBounded<Func<ValueTask>>(
        new BoundedChannelOptions(JobsMax) { SingleReader = true });
    readonly Task _running;
    bool _isFull;

    /// <summary>Begins to work.</summary>
    public PushService(PushParts parts)
    {
        _parts = parts;
        Registrations = new PushRegistrations(parts.Accounts.Database);
        _sender = new PushSender(parts.Router, parts.Clock, parts.Meters, LineOf, Answered);
        Sessions = new PushSessions(this, parts);
        Rooms = new PushRooms(this, parts);
        _running = Task.Run(RunAsync);
    }

    /// <summary>Who has registered where.</summary>
    public PushRegistrations Registrations { get; }

    /// <summary>What follows from the events of sessions.</summary>
    public PushSessions Sessions { get; }

    /// <summary>What follows from the events of rooms.</summary>
    public PushRooms Rooms { get; }

    /// <summary>The rules of a domain of accounts; null: it does not push.</summary>
    public PushRules? AccountRules(string domain) => _parts.AccountRules(domain);

    /// <summary>The rules of a room service; null: it does not push.</summary>
    public PushRules? RoomRules(string service) => _parts.RoomRules(service);

    /// <summary>An account has a message that its user should know of: tells its devices, as the reason and the user's
    /// wishes say (muc-push.md §5 e to g).</summary>
    /// <param name="account">The account, of this server; a resource does not matter.</param>
    /// <param name="message">The message, as the account got it.</param>
    /// <param name="reason">Why it is pushed.</param>
    /// <returns>Whether the account has devices that are woken: whoever sent the message may rely on it, be it that the
    /// user does not want this one pushed, or has been told of it before.</returns>
    /// <exception cref="StorageException">What the user has registered cannot be read.</exception>
    public async ValueTask<bool> Notify(Jid account, Message message, PushReason reason)
    {
        account = account.Bare;
        if (AccountRules(account.Domain.ToString()) is not { } rules) return false;
        var owner = await Registrations.Find(account.Domain.ToString(), account);
        if (owner.All.IsEmpty) return false;
        if (PushContent.Read(message, account) is not { } read || read.From.SameBare(account)) return true;
        var pick = PushPick.Of(read, account);
        bool isUrgent = PushContent.IsUrgent(read);
        // What the archive takes beside reading matter (receipts, markers) is for devices that are there.
        if (reason == PushReason.Archived && !pick.IsImportant) return true;
        foreach (var registration in owner.All)
        {
            // §5 e: a device with a session gets it there, now or when it comes back.
            if (reason == PushReason.Archived && !isUrgent && IsLinked(account, registration)) continue;
            await Push(owner, registration, pick, rules);
        }
        return true;
    }

    /// <summary>The archive of an account has taken a message for it, and it has been delivered. On the path of
    /// messages: an account without push devices costs one look-up.</summary>
    public void Archived(Jid account, Message message)
    {
        account = account.Bare;
        if (Registrations.Known(account.Domain.ToString(), account) is { All.IsEmpty: true }) return;
        // Nobody is there at all: the offline store tells (§5 f).
        if (_parts.Accounts.Sessions.Find(account) is null) return;
        Post(async () => await Notify(account, message, PushReason.Archived));
    }

    /// <summary>Wakes devices without saying why: all of an account, or those that match (the reference's event
    /// <c>cloud-notify-ping</c>).</summary>
    public async ValueTask Ping(Jid account, Predicate<PushRegistration>? match = null)
    {
        var owner = await Registrations.Find(account.Domain.ToString(), account.Bare);
        foreach (var registration in owner.All)
            if (match?.Invoke(registration) != false) Send(owner, registration, new PushSummary { Count = 0 });
    }

    /// <summary>Pushes to one registration, unless the user does not want it or knows already.</summary>
    /// <param name="owner">Whose it is.</param>
    /// <param name="to">The registration.</param>
    /// <param name="pick">What to tell of.</param>
    /// <param name="rules">The rules of who pushes.</param>
    /// <param name="nick">The user's nick in the room that the message is of, where it is known.</param>
    /// <returns>Whether it went out.</returns>
    public async ValueTask<bool> Push(
        PushOwner owner, PushRegistration to, PushPick pick, PushRules rules, string? nick = null)
    {
        Core.Rosters.Roster? roster = null;
        bool isLocal = _parts.AccountRules(owner.User.Domain.ToString()) is not null;
        if (to.Filters.IgnoresUnknown && isLocal) roster = (await _parts.Accounts.Load(owner.User))?.Roster;
        if (!to.Filters.Allow(pick.Message, owner.User, nick, roster)) return Drop("filter");
        bool isNew = pick.Keys.Count == 0;
        foreach (string key in pick.Keys) isNew |= owner.Memory.TryAdd(to.Key, key);
        if (!isNew) return false;
        var privacy = isLocal ? await Registrations.PrivacyOf(owner.User) : default;
        return Send(owner, to, PushPolicy.Summarise(pick, rules, privacy, to.Filters.WantsPriority));
    }

    /// <summary>Takes the answer of a push service; false when it is none.</summary>
    public bool TakeAnswer(Iq iq) => _sender.TakeAnswer(iq);

    /// <summary>A push service says that a user is unwelcome from now on (XEP-0357 §8): affiliation
    /// <c>none</c>.</summary>
    public void TakeAffiliation(Message message)
    {
        if (message.Child(PubSub, "pubsub") is not { } event_ || event_.Attribute("node") is not { } node
            || event_.Child("affiliation") is not { } affiliation || affiliation.Attribute("affiliation") != "none"
            || !Jid.TryParse(affiliation.Attribute("jid"), out var user)) return;
        var (app, account) = (message.From, message.To.Bare);
        if (user.Bare != account) return;
        Post(async () =>
        {
            var gone = await Registrations.Disable(account.Domain.ToString(), account, Jid.None, app, node);
            foreach (var key in gone)
            {
                _parts.Meters.Removed("service");
                PushLog.RemovedByService(_parts.Log, account, app);
                Sessions.Unlink(key);
            }
        });
    }

    /// <summary>Has something done in turn, away from the caller. Dropped, with a count, when too much waits.</summary>
    public void Post(Func<ValueTask> job)
    {
        if (_jobs.Writer.TryWrite(job))
        {
            _isFull = false;
            return;
        }
        _parts.Meters.Dropped("queue");
        // Once for a time in which it is full.
        if (!_isFull) PushLog.Full(_parts.Log, JobsMax);
        _isFull = true;
    }

    /// <summary>Waits until all that was posted before is done.</summary>
    public Task SettleAsync()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _jobs.Writer.TryWrite(() =>
        {
            done.SetResult();
            return default;
        }) ? done.Task : Task.CompletedTask;
    }

    /// <summary>Removes registrations of which nobody has heard for a long time: those of users of other servers go no
    /// other way.</summary>
    public ValueTask RemoveUnused() => Registrations.RemoveUnused(_parts.Clock.GetUtcNow() - UnusedMax);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _jobs.Writer.TryComplete();
        await _running;
        Sessions.Dispose();
        _sender.Dispose();
    }

    bool IsLinked(Jid account, PushRegistration registration)
    {
        if (_parts.Accounts.Sessions.Find(account) is not { } online) return false;
        foreach (var session in online.All)
            if (registration.Is(session.Push)) return true;
        return false;
    }

    bool Send(PushOwner owner, PushRegistration to, PushSummary summary)
    {
        var now = _parts.Clock.GetUtcNow();
        if (!to.TryTake(now)) return Drop("rate");
        to.Stored = to.Stored with { LastPushAt = now };
        return _sender.TrySend(new PushUnderWay(owner, to, Jid.Parse(owner.Host), summary));
    }

    bool Drop(string reason)
    {
        _parts.Meters.Dropped(reason);
        return false;
    }

    // Of browsers it is the vendor's service that can be slow, and it holds up its own.
    string LineOf(PushRegistration to) =>
        to.Key.App + (IsWeb(to.Key) ? " " + WebPushService.LineOf(to.Options) : "");

    bool IsWeb(PushKey key) => _parts.Web?.Is(key.App) == true;

    void Answered(PushUnderWay push, PushAnswer answer, string? condition) =>
        Post(() => Count(push, answer, condition));

    async ValueTask Count(PushUnderWay push, PushAnswer answer, string? condition)
    {
        var (owner, key) = (push.Owner, push.To.Key);
        // It may have been renewed meanwhile, or be gone.
        if (owner.All.FirstOrDefault(other => other.Key == key) is not { } registration) return;
        var rules = AccountRules(owner.Host) ?? RoomRules(owner.Host) ?? new PushRules();
        var now = _parts.Clock.GetUtcNow();
        var (health, isOver) = PushPolicy.After(registration.Health, answer, now, rules.ErrorsMax);
        // RFC 8030 §7.3: the browser has ended its subscription; it makes no other at that address.
        isOver |= condition == StanzaError.Gone.Condition && IsWeb(key);
        var stored = registration.Stored;
        registration.Stored = stored with
        {
            Errors = health.Errors,
            LastErrorAt = health.LastErrorAt,
            LastError = answer == PushAnswer.Taken ? null : condition ?? stored.LastError,
            LastPushAt = push.To.Stored.LastPushAt ?? stored.LastPushAt,
            LastSuccessAt = answer == PushAnswer.Taken ? now : stored.LastSuccessAt,
        };
        if (!isOver)
        {
            await Registrations.Note(registration);
            return;
        }
        await Registrations.Remove(key);
        _parts.Meters.Removed("errors");
        PushLog.Removed(_parts.Log, owner.User, key.App, health.Errors, condition ?? "timeout");
        Sessions.Unlink(key);
    }

    async Task RunAsync()
    {
        await foreach (var job in _jobs.Reader.ReadAllAsync())
        {
            try
            {
                await job();
            }
            catch (StorageException e)
            {
                PushLog.StoreFailed(_parts.Log, e.Message);
            }
#pragma warning disable CA1031 // A bug in one push must not end all others.
            catch (Exception e)
#pragma warning restore CA1031
            {
                PushLog.Failed(_parts.Log, e);
            }
        }
    }
}
