using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Rooms;

/// <summary>
/// What a room service does by the clock: quiet rooms are compacted, then unloaded (muc.md §18); rooms are
/// counted; all stored ones are loaded at the start if the configuration says so. One timer for each purpose, however
/// many rooms.
/// </summary>
sealed class RoomSweeper(RoomService service) : IAsyncDisposable
{
    const int LoadPage = 500;

    static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(1);

    readonly CancellationTokenSource _stop = new();
    ITimer? _compact, _unload, _count;
    Task _loading = Task.CompletedTask;

    /// <summary>Starts the clock.</summary>
    public void Start()
    {
        var settings = service.Settings;
        Count();
        _count = Repeat(Count, settings.ProbeInterval);
        if (settings.HibernateTimeout is { } quiet)
        {
            _compact = service.Clock.CreateTimer(_ => Compact(quiet), null, Timeout.InfiniteTimeSpan,
                Timeout.InfiniteTimeSpan);
            _compact.Change(WaitFor(quiet, quiet), Timeout.InfiniteTimeSpan);
            // A room that is never compacted is never unloaded, and one that never may be need not be looked at.
            if (settings.HibernatedRoomCheckInterval is { } every && settings.HibernatedRoomTimeout is { } resting)
                _unload = Repeat(() => Unload(resting), every);
        }
        if (settings.LoadAtStart) _loading = Load(_stop.Token);
    }

    /// <summary>Stops it, and waits for what is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested) return;
        await _stop.CancelAsync();
        _compact?.Dispose();
        _unload?.Dispose();
        _count?.Dispose();
        await _loading;
        _stop.Dispose();
    }

    ITimer Repeat(Action work, TimeSpan every) => service.Clock.CreateTimer(_ => work(), null, every, every);

    // Looks again when the first of the rooms that are awake may be due; a room that wakes later is due later.
    void Compact(TimeSpan quiet)
    {
        var now = service.Clock.GetUtcNow();
        var sweep = new RoomSweep(Unload: false, now);
        var wait = quiet;
        foreach (var host in service.Hosts)
        {
            if (!host.IsLoaded || host.IsResting) continue;
            var left = host.QuietSince + quiet - now;
            // A full mailbox is a room that is not quiet.
            if (left <= TimeSpan.Zero) _ = host.TryPost(new RoomLetter(Sweep: sweep));
            else if (left < wait) wait = left;
        }
        _compact!.Change(WaitFor(wait, quiet), Timeout.InfiniteTimeSpan);
    }

    // A busy service is not swept more than once a second, unless the configuration asks for less than that.
    static TimeSpan WaitFor(TimeSpan wait, TimeSpan quiet)
    {
        var shortest = quiet == TimeSpan.Zero || quiet > ShortestWait ? ShortestWait : quiet;
        return wait > shortest ? wait : shortest;
    }

    void Unload(TimeSpan resting)
    {
        var now = service.Clock.GetUtcNow();
        var sweep = new RoomSweep(Unload: true, now);
        foreach (var host in service.Hosts)
        {
            if (host.IsLoaded && host.IsResting && now - host.RestsSince >= resting)
                _ = host.TryPost(new RoomLetter(Sweep: sweep));
        }
    }

    void Count()
    {
        int online = 0, resting = 0;
        foreach (var host in service.Hosts)
        {
            if (!host.IsLoaded) continue;
            online++;
            if (host.IsResting) resting++;
        }
        service.Meters.Rooms.Counted(service.HostName, online, resting);
    }

    async Task Load(CancellationToken cancel)
    {
        await Task.Yield(); // the start does not wait
        int count = 0;
        try
        {
            var query = new RoomIndexQuery
            {
                Service = service.Settings.Service.ToString(),
                PersistentOnly = true,
                Max = LoadPage,
            };
            while (true)
            {
                var page = await service.Database.Rooms.Index(query, cancel);
                await service.Load(page.Rooms.Select(entry => entry.Room), cancel);
                count += page.Rooms.Count;
                if (page.Complete || page.Rooms.Count == 0) break;
                query = query with { Cursor = page.Rooms[^1].Room };
            }
            RoomsLog.AllLoaded(service.Log, service.Settings.Service, count);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The server stops.
        }
        catch (StorageException e)
        {
            // Each room is still loaded when it is needed.
            RoomsLog.LoadingFailed(service.Log, service.Settings.Service, count, e.Message);
        }
    }
}
