using System.Collections.Concurrent;
using Muster.Core.Delivery;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Storage;

namespace Muster.Server.Features.Push;

/// <summary>
/// Pushes for what waits in the queues of managed sessions (muc-push.md §5 a to d), and the long wait that a session
/// has while its device has not been told of anything.
/// </summary>
sealed class PushSessions : IDisposable
{
    /// <summary>How long stanzas are gathered before a device is woken for them.</summary>
    public static readonly TimeSpan Gathering = TimeSpan.FromSeconds(1);
    /// <summary>How long before the end of its long wait a device is woken to come back.</summary>
    public static readonly TimeSpan WakeBefore = TimeSpan.FromMinutes(10);

    readonly PushService _service;
    readonly PushParts _parts;
    readonly DateTimeOffset _startedAt;
    readonly ConcurrentDictionary<Session, State> _states = new();

    // Of a session with a device that is away, or owes an acknowledgement.
    sealed class State
    {
        public ITimer? Timer;
        public bool IsGathering;
        public bool HasPushedOther;         // an unimportant one: once is enough
        public DateTimeOffset? WaitsUntil;  // its long wait
        public bool IsOver;
    }

    /// <summary>Listens to the sessions.</summary>
    public PushSessions(PushService service, PushParts parts)
    {
        (_service, _parts, _startedAt) = (service, parts, parts.Clock.GetUtcNow());
        var events = parts.Resumable.Events;
        events.AckDelayed.Add(AckDelayed);
        events.HibernationStarted.Add(HibernationStarted);
        events.StanzaQueued.Add(Gather);
        events.HibernationEnded.Add(HibernationEnded);
    }

    /// <summary>A registration is gone: no session is the device's any more, and none waits longer than usual for
    /// it.</summary>
    public void Unlink(PushKey key)
    {
        if (_parts.Accounts.Sessions.Find(key.Owner) is not { } online) return;
        foreach (var session in online.Snapshot)
        {
            if (session.Push is not { } link || link.App != key.App || link.Node != key.Node) continue;
            session.Push = null;
            if (_states.TryRemove(session, out var state)) Stop(state);
            EndLongWait(session);
        }
    }

    /// <summary>Wakes devices whose long wait is about to end, so that they come back while they still can; forgets
    /// sessions that are over.</summary>
    public void Sweep()
    {
        var now = _parts.Clock.GetUtcNow();
        foreach (var (session, state) in _states)
        {
            if (!session.IsAlive)
            {
                if (_states.TryRemove(session, out _)) Stop(state);
            }
            else if (state.WaitsUntil is { } until && until - now <= WakeBefore && session.Push is { } link)
            {
                state.WaitsUntil = null;
                _service.Post(() => _service.Ping(session.Account, registration => registration.Is(link)));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var state in _states.Values) Stop(state);
    }

    void AckDelayed(Session session, SharedStanza? stanza)
    {
        if (session.Push is null) return;
        if (stanza is not null) Gather(session, stanza);
        else _service.Post(() => PushWaiting(session));
    }

    void HibernationStarted(Session session)
    {
        if (session.Push is null || session.Terms is not { } terms) return;
        if (_service.AccountRules(session.Account.Domain.ToString()) is not { } rules) return;
        var state = _states.GetOrAdd(session, static _ => new State());
        // A client that has asked for less knows why.
        bool isUsual = terms.Patience >= _parts.PatienceOf(session.Account);
        // No push brings a closed page back into its session, so it does not stay in rooms for days.
        bool comesBack = session.Push is not { } link || _parts.Web?.Is(link.App) != true;
        if (isUsual && comesBack && rules.HibernationMax > terms.Patience)
        {
            if (_parts.Resumable.WaitFor(session, rules.HibernationMax))
                state.WaitsUntil = _parts.Clock.GetUtcNow() + rules.HibernationMax;
        }
        _service.Post(() => PushWaiting(session));
    }

    void HibernationEnded(Session session)
    {
        if (_states.TryRemove(session, out var state)) Stop(state);
    }

    void Gather(Session session, SharedStanza stanza)
    {
        if (session.Push is null || PushContent.Read(stanza.Stanza, session.Account) is null) return;
        var state = _states.GetOrAdd(session, static _ => new State());
        lock (state)
        {
            if (state.IsGathering || state.IsOver) return;
            state.IsGathering = true;
            state.Timer ??= _parts.Clock.CreateTimer(_ =>
            {
                lock (state)
                {
                    if (state.IsOver) return;
                    state.IsGathering = false;
                }
                _service.Post(() => PushWaiting(session));
            }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            state.Timer.Change(Gathering, Timeout.InfiniteTimeSpan);
        }
    }

    static void Stop(State state)
    {
        lock (state)
        {
            state.IsOver = true;
            state.Timer?.Dispose();
        }
    }

    async ValueTask PushWaiting(Session session)
    {
        // Back, or gone, since this was asked for.
        if (session.Push is not { } link || !session.IsAlive || !(session.IsHibernating || session.IsOverdue)) return;
        string host = session.Account.Domain.ToString();
        if (_service.AccountRules(host) is not { } rules) return;
        var owner = await _service.Registrations.Find(host, session.Account);
        if (owner.All.FirstOrDefault(registration => registration.Is(link)) is not { } to) return;
        var waiting = session.Unacknowledged;
        // What was pushed before a restart is not remembered, but when.
        var since = to.Stored.LastPushAt < _startedAt ? to.Stored.LastPushAt : null;
        var picks = PushPolicy.Choose(waiting, session.Account, key => owner.Memory.Has(to.Key, key),
            message => IsMention(session, message), since);
        var state = _states.GetOrAdd(session, static _ => new State());
        bool isTold = picks.Count == 0 && waiting.Any(entry =>
            PushContent.Read(entry.Stanza.Stanza, session.Account) is { } message
            && PushContent.IsImportant(message) && !message.From.SameBare(session.Account));
        foreach (var pick in picks)
        {
            if (!pick.IsImportant && state.HasPushedOther) continue;
            if (!MayPush(session, owner, pick, rules, out var counted, out string? nick)) continue;
            if (!await _service.Push(owner, to, counted, rules, nick)) continue;
            state.HasPushedOther |= !pick.IsImportant;
            isTold |= PushPolicy.EndsLongWait(pick, rules);
        }
        if (isTold && session.IsHibernating) EndLongWait(session, state);
    }

    // A busy room wakes a device once in a while, unless the user is mentioned.
    bool MayPush(
        Session session, PushOwner owner, PushPick pick, PushRules rules, out PushPick counted, out string? nick)
    {
        (counted, nick) = (pick, null);
        if (pick.Message.Type != MessageType.Groupchat) return true;
        var room = pick.Message.From.Bare;
        nick = NickIn(session, room);
        // The user's own words come back from the room.
        if (nick is not null && pick.Message.From.Resource.SequenceEqual(nick)) return false;
        bool isMention = IsMention(session, pick.Message);
        if (!owner.TryRoom(room, _parts.Clock.GetUtcNow(), rules.RoomInterval, isMention, out int count))
        {
            _parts.Meters.Dropped("interval");
            return false;
        }
        counted = pick with { Count = Math.Max(pick.Count, count) };
        return true;
    }

    static bool IsMention(Session session, Message message) => message.Type == MessageType.Groupchat
        && PushFilters.IsMentioned(message, session.Account, NickIn(session, message.From.Bare));

    static string? NickIn(Session session, Jid room) =>
        session.DirectedWithin(room) is { IsFull: true } inRoom ? inRoom.Resource.ToString() : null;

    void EndLongWait(Session session, State? state = null)
    {
        if (state is not null)
        {
            if (state.WaitsUntil is null) return;
            state.WaitsUntil = null;
        }
        if (session.Terms is { } terms) _parts.Resumable.WaitFor(session, terms.Patience);
    }
}
