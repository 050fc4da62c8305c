using System.Collections.Immutable;
using Muster.Core.Delivery;
using Muster.Core.Limits;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Routing;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Rooms;

/// <summary>Sends what is said in rooms to members who are away (muc-offline-delivery.md §5, §8), beside the rooms: no
/// room waits for it. What comes back is taken here and reaches no room.</summary>
sealed class OfflineForwarder : IThreadPoolWorkItem, IDisposable
{
    const int MembersMax = 10_000;
    /// <summary>How long what waited through a restart waits after it: components and other servers need a moment to
    /// find their way back.</summary>
    static readonly TimeSpan StartDelay = TimeSpan.FromSeconds(10);

    readonly RoomService _service;
    readonly OfflineLanes _lanes;
    readonly OfflineFailures _failures = new(MembersMax);
    readonly Lock _lock = new();
    ITimer? _timer;
    DateTimeOffset _wakeAt, _notBefore;
    bool _isRunning, _isHeld, _isOver, _isFull;
    TaskCompletionSource? _settled;

    /// <summary>Makes it.</summary>
    public OfflineForwarder(RoomService service, ServerLimits limits)
    {
        _service = service;
        _lanes = new OfflineLanes(LimitsOf(limits), domain => service.Router.Find(domain) is LocalDomain);
    }

    /// <summary>Goes by other limits from now on.</summary>
    public void Apply(ServerLimits limits)
    {
        lock (_lock) _lanes.Limits = LimitsOf(limits);
    }

    /// <summary>Takes a message on its way. Never waits.</summary>
    /// <param name="room">The room.</param>
    /// <param name="stanza">The message.</param>
    /// <param name="users">The members who are away.</param>
    /// <param name="left">How many more there are than may get it.</param>
    public void Post(Jid room, SharedStanza stanza, ImmutableArray<Jid> users, int left) =>
        Post(room, stanza, users, left, isLate: false);

    void Post(Jid room, SharedStanza stanza, ImmutableArray<Jid> users, int left, bool isLate)
    {
        int dropped;
        bool isNews;
        lock (_lock)
        {
            if (_isOver) return;
            dropped = _lanes.Add(room, stanza, users, _service.Clock.GetUtcNow(), isLate);
            isNews = dropped > 0 && !_isFull;
            _isFull = dropped > 0;
            Wake();
        }
        if (dropped + left > 0) _service.Meters.Offline.Dropped(_service.HostName, dropped + left);
        if (isNews) RoomsLog.ForwardingFull(_service.Log, _service.Settings.Service, room, dropped);
    }

    /// <summary>Takes what came back from a member's bare JID. False when it is something else.</summary>
    public bool TakeBounce(Stanza stanza)
    {
        // Those inside are full JIDs. What was forwarded came from a nick, so what comes back goes to one.
        if (stanza is not Message { IsError: true, From: { IsBare: true, HasLocal: true }, To.IsFull: true })
            return false;
        string condition = stanza.Error?.Condition ?? "undefined-condition";
        var (room, user) = (stanza.To.Bare, stanza.From);
        OfflineVerdict verdict;
        TimeSpan? pause = null;
        lock (_lock)
        {
            var now = _service.Clock.GetUtcNow();
            verdict = _failures.Note(room, user, condition, now);
            if (verdict == OfflineVerdict.Pause) pause = _lanes.Pause(user.Domain.ToString(), now);
            if (pause is not null) Wake();
        }
        _service.Meters.Offline.Bounced(_service.HostName, condition);
        if (pause is { } time)
            RoomsLog.ForwardingPaused(_service.Log, _service.Settings.Service, user.DomainJid, condition, time);
        if (verdict == OfflineVerdict.Stop)
        {
            RoomsLog.ForwardingStopped(_service.Log, room, user, condition);
            // One that finds the mailbox full is told by the next bounce.
            _service.TryTell(room, new RoomEvent.ForwardingFailed(user));
        }
        return true;
    }

    /// <summary>Completes when all that may be sent now has been sent.</summary>
    public Task Settle()
    {
        lock (_lock)
        {
            if (!_isRunning) return Task.CompletedTask;
            _settled ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _settled.Task;
        }
    }

    /// <summary>Sends nothing more, as the process ends. What still comes waits with the rest.</summary>
    public void Hold()
    {
        lock (_lock) _isHeld = true;
    }

    /// <summary>Gives up what waits, to be kept for the next start; null when nothing does. The end.</summary>
    public byte[]? TakeWaiting()
    {
        IReadOnlyList<OfflineWaiting> waiting;
        lock (_lock)
        {
            waiting = _isOver ? [] : _lanes.Waiting();
            _isOver = true;
        }
        Dispose();
        return waiting.Count == 0 ? null : OfflineRecords.ToBytes(waiting);
    }

    /// <summary>Takes up what the last process left.</summary>
    public void TakeUp(ReadOnlyMemory<byte> state)
    {
        lock (_lock) _notBefore = _service.Clock.GetUtcNow() + StartDelay;
        foreach (var waiting in OfflineRecords.Read(state))
            Post(waiting.Room, waiting.Stanza, waiting.Users, left: 0, isLate: true);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock) _isOver = true;
        _timer?.Dispose();
    }

    static OfflineLaneLimits LimitsOf(ServerLimits limits) => new()
    {
        RateMax = limits.OfflineForwardRateMax,
        BytesMax = limits.OfflineForwardBytesMax,
    };

    // Under the lock.
    void Wake()
    {
        if (_isRunning || _isOver) return;
        _isRunning = true;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _ = Run();

    async Task Run()
    {
        while (TryTake(out var copy))
        {
            try
            {
                await _service.Router.Route(copy.Stanza, copy.To);
            }
            catch (StorageException e)
            {
                // The member's own account could not be read: the copy is lost, as one to another server would be.
                RoomsLog.ForwardingFailed(_service.Log, copy.Room, copy.To, e.Message);
            }
#pragma warning disable CA1031 // One bad copy must not stop the others.
            catch (Exception e)
#pragma warning restore CA1031
            {
                RoomsLog.ForwardingBroken(_service.Log, copy.Room, copy.To, e);
            }
        }
    }

    bool TryTake(out OfflineCopy copy)
    {
        lock (_lock)
        {
            var now = _service.Clock.GetUtcNow();
            bool maySend = !_isOver && !_isHeld;
            if (maySend && now >= _notBefore && _lanes.TryTake(now, out copy))
            {
                _failures.NoteSent(copy.Room, copy.To);
                _service.Meters.Offline.Forwarded(_service.HostName);
                return true;
            }
            copy = default;
            _isRunning = false;
            _settled?.TrySetResult();
            _settled = null;
            if (maySend && _lanes.NextAt is { } at) WakeAt(at > _notBefore ? at : _notBefore, now);
            return false;
        }
    }

    void WakeAt(DateTimeOffset at, DateTimeOffset now)
    {
        if (_wakeAt == at) return;
        _wakeAt = at;
        _timer ??= _service.Clock.CreateTimer(static forwarder =>
        {
            var self = (OfflineForwarder)forwarder!;
            lock (self._lock)
            {
                self._wakeAt = default;
                self.Wake();
            }
        }, this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        // A timer may be early by less than a tick of its own.
        _timer.Change(at - now + TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
    }
}
