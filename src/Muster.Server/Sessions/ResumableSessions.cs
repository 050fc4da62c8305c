using System.Collections.Concurrent;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Telemetry;

namespace Muster.Server.Sessions;

/// <summary>The managed sessions of this process: found by their tokens, and those without a connection with the time
/// when each has waited long enough. One timer for all of them.</summary>
sealed class ResumableSessions : SessionWatcher, IDisposable
{
    static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    readonly TimeProvider _clock;
    readonly long _startedAt;
    readonly SmMeters _meters;
    readonly ITimer _timer;
    readonly ConcurrentDictionary<string, Session> _byToken = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<Session, Wait> _waiting = new();
    readonly ConcurrentDictionary<Session, TaskCompletionSource> _settling = new();
    int _isSweeping;

    // In time since the start, which goes on evenly when somebody sets the clock.
    sealed class Wait(TimeSpan since, TimeSpan until)
    {
        public TimeSpan Since { get; } = since;
        public TimeSpan Until { get; set; } = until;
    }

    /// <summary>Starts the clock.</summary>
    public ResumableSessions(TimeProvider clock, SmMeters meters)
    {
        _clock = clock;
        _startedAt = clock.GetTimestamp();
        _meters = meters;
        _timer = clock.CreateTimer(static self => ((ResumableSessions)self!).Sweep(), this, Period, Period);
    }

    /// <summary>What others act upon.</summary>
    public SessionEvents Events { get; } = new();

    /// <summary>Ends a session that has waited long enough. Set once, while the server is built.</summary>
    public Func<Session, ValueTask> EndExpired { get; set; } = static _ => default;

    /// <summary>Answers for stanzas that a session does not keep any more. Set once, while the server is
    /// built.</summary>
    public Func<Session, IReadOnlyList<SmEntry>, ValueTask> AnswerFor { get; set; } = static (_, _) => default;

    /// <inheritdoc/>
    public override DateTimeOffset Now => _clock.GetUtcNow();

    TimeSpan Elapsed => _clock.GetElapsedTime(_startedAt);

    /// <summary>Sessions that wait.</summary>
    public int WaitingCount => _waiting.Count;

    /// <summary>Enters a session under its token.</summary>
    public void Add(Session session) => _byToken[session.Token!] = session;

    /// <summary>The session with this token, if it is this account's; whose it is otherwise nobody learns.</summary>
    public Session? Find(Jid account, string token) =>
        _byToken.TryGetValue(token, out var session) && session.Account == account ? session : null;

    /// <summary>Takes out a session that is over.</summary>
    /// <param name="session">The session.</param>
    /// <param name="reason">Why it ended, should it have been waiting.</param>
    public void Remove(Session session, string reason)
    {
        if (session.Token is { } token) _byToken.TryRemove(new(token, session));
        if (_waiting.TryRemove(session, out _)) _meters.Ended(reason);
    }

    /// <summary>A session waits from now on.</summary>
    public void StartWaiting(Session session, TimeSpan patience)
    {
        var now = Elapsed;
        if (!_waiting.TryAdd(session, new Wait(now, now + patience))) return;
        _meters.Hibernated();
        foreach (var step in Events.HibernationStarted) step(session);
    }

    /// <summary>A session has a connection again.</summary>
    public void EndWaiting(Session session)
    {
        if (_waiting.TryRemove(session, out var wait)) _meters.Woken(Elapsed - wait.Since);
        foreach (var step in Events.HibernationEnded) step(session);
    }

    /// <summary>Has a session wait longer, or less long: while a push notification is under way
    /// (stream-management.md §8). False when it does not wait.</summary>
    /// <param name="session">The session.</param>
    /// <param name="patience">How long from now on.</param>
    public bool WaitFor(Session session, TimeSpan patience)
    {
        if (!_waiting.TryGetValue(session, out var wait)) return false;
        wait.Until = Elapsed + patience;
        return true;
    }

    /// <summary>Those of these sessions that wait, the one that has waited longest first.</summary>
    public IReadOnlyList<Session> WaitingOf(IEnumerable<Session> sessions) =>
        [.. sessions.Select(session => (Session: session, Wait: _waiting.GetValueOrDefault(session)))
            .Where(found => found.Wait is not null).OrderBy(found => found.Wait!.Since)
            .Select(found => found.Session)];

    /// <summary>A client owes an acknowledgement for too long; said again and again it counts once.</summary>
    public void AckDelayed(Session session)
    {
        if (!session.BecomeOverdue()) return;
        _meters.AckDelayed();
        foreach (var step in Events.AckDelayed) step(session, null);
    }

    /// <inheritdoc/>
    public override void Held(Session session, SharedStanza stanza)
    {
        _meters.Queued();
        if (_waiting.ContainsKey(session))
        {
            foreach (var step in Events.StanzaQueued) step(session, stanza);
        }
        else
        {
            foreach (var step in Events.AckDelayed) step(session, stanza);
        }
    }

    /// <inheritdoc/>
    public override void Overflowed(Session session, IReadOnlyList<SmEntry> lost) => _ = AnswerAsync(session, lost);

    /// <inheritdoc/>
    public override void Acknowledged(uint stanzas) => _meters.Acknowledged(stanzas);

    /// <inheritdoc/>
    public override void Settled(Session session)
    {
        if (!_settling.IsEmpty && _settling.TryRemove(session, out var waiting)) waiting.TrySetResult();
    }

    /// <summary>Completes when all that a session's client has sent is stored or refused. For a session that takes
    /// nothing more.</summary>
    public Task WhenSettled(Session session)
    {
        if (session.IsSettled) return Task.CompletedTask;
        var waiting = _settling.GetOrAdd(session,
            static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        // It may have come between the two.
        if (session.IsSettled) Settled(session);
        return waiting.Task;
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    async Task AnswerAsync(Session session, IReadOnlyList<SmEntry> lost)
    {
        await Task.Yield(); // away from whoever delivered
        await AnswerFor(session, lost);
    }

    void Sweep()
    {
        // One that takes longer than the period is not overtaken by the next.
        if (Interlocked.Exchange(ref _isSweeping, 1) == 1) return;
        _ = SweepAsync();
    }

    async Task SweepAsync()
    {
        try
        {
            var now = Elapsed;
            foreach (var (session, wait) in _waiting)
                if (wait.Until <= now) await EndExpired(session);
        }
        finally
        {
            Volatile.Write(ref _isSweeping, 0);
        }
    }
}
