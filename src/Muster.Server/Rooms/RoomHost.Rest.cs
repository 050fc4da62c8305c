using Muster.Core.Rooms;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Rooms;

/// <summary>Asks a room to rest if it has been quiet for long enough.</summary>
/// <param name="Unload">To be unloaded; false: to be compacted.</param>
/// <param name="At">When it was asked.</param>
sealed record RoomSweep(bool Unload, DateTimeOffset At);

// The two levels of sleep (muc.md §18). Both are decided in the room's turn, so what came before the sweep keeps the
// room awake, and what comes after it wakes it: nobody notices either.
sealed partial class RoomHost
{
    long _quietSince;  // ticks of the last event, or of loading
    long _restsSince;  // ticks of the compaction; 0 while awake
    long _usedAt;      // ticks of the last event that storage does not know of; 0 when it knows
    bool _isLoaded;

    /// <summary>Whether the room is in memory.</summary>
    public bool IsLoaded => Volatile.Read(ref _isLoaded);

    /// <summary>Whether it is compacted.</summary>
    public bool IsResting => Volatile.Read(ref _restsSince) != 0;

    /// <summary>When something last happened in it.</summary>
    public DateTimeOffset QuietSince => new(Volatile.Read(ref _quietSince), TimeSpan.Zero);

    /// <summary>When it was compacted, while <see cref="IsResting"/>.</summary>
    public DateTimeOffset RestsSince => new(Volatile.Read(ref _restsSince), TimeSpan.Zero);

    void WakeUp(DateTimeOffset now, bool isUsed)
    {
        if (isUsed) _usedAt = now.UtcTicks;
        Volatile.Write(ref _quietSince, now.UtcTicks);
        Volatile.Write(ref _restsSince, 0);
    }

    void Rest(RoomSweep sweep, long id)
    {
        var settings = _service.Settings;
        if (sweep.Unload)
        {
            if (!IsResting || sweep.At - RestsSince < settings.HibernatedRoomTimeout || !_room!.MayHibernate) return;
            _room.Handle(new RoomInput(new RoomEvent.Hibernate(), _service.Clock.GetUtcNow(), id), _effects);
            if (_room.IsClosed) _service.Meters.Rooms.DeeplyHibernated(_service.HostName);
            return;
        }
        if (IsResting || sweep.At - QuietSince < settings.HibernateTimeout) return;
        _room!.Compact();
        Volatile.Write(ref _restsSince, sweep.At.UtcTicks);
        _service.Meters.Rooms.Hibernated(_service.HostName);
    }

    /// <summary>What a resting or ending room need not keep. When something last happened is written once for each time
    /// that the room was awake: the archive knows the rest, and no message costs a second write.</summary>
    async ValueTask SettleDown(bool isStored)
    {
        _effects.Clear();
        _effects.TrimExcess();
        _serialised.Clear();
        _serialised.TrimExcess();
        _letters.Clear();
        _letters.TrimExcess();
        if (!isStored) _usedAt = 0;
        if (_usedAt == 0) return;
        var used = new DateTimeOffset(_usedAt, TimeSpan.Zero);
        _usedAt = 0;
        try
        {
            await _service.Database.Rooms.Commit([new RoomCommit { Room = Address, LastActivityAt = used }]);
        }
        catch (StorageException e)
        {
            RoomsLog.ActivityNotKept(_service.Log, Address, e.Message);
        }
    }
}
