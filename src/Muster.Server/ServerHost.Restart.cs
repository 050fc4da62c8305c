using Muster.Protocol.Addresses;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server;

/// <content>A restart that nobody notices: sessions that can be resumed, and the occupants of rooms, are kept from one
/// process to the next.</content>
sealed partial class ServerHost
{
    const int SavedAtOnce = 200;

    /// <summary>Takes up what the last process left. After a crash that are the counts of its sessions alone.</summary>
    async Task TakeUpAsync()
    {
        var store = Services.Database.Sessions;
        foreach (var saved in await store.Start(_overrides.Clock.GetUtcNow()))
        {
            var policy = Services.Local.SmPolicyOf(saved.Account);
            bool isBack = policy.IsEnabled && SessionRecords.Read(saved.State, policy) is { } snapshot
                && await Services.Local.TakeUp(snapshot);
            if (!isBack) await store.End(saved.Count, _overrides.Clock.GetUtcNow(), policy.OldMax);
        }
        await _joins.TakeUpAsync();
        var occupied = await store.RoomsWithOccupants();
        foreach (var rooms in Services.Rooms.Values)
            rooms.Occupied(occupied.Where(room => room.Domain.SequenceEqual(rooms.Settings.Service.Domain)));
    }

    async Task LoadOccupiedAsync()
    {
        try
        {
            foreach (var rooms in Services.Rooms.Values) await rooms.LoadOccupied(_stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Each room is loaded by what comes for it.
        }
        catch (Exception error) when (error is StorageException)
        {
            _clients.Log.BackgroundFailed(error);
        }
    }

    /// <summary>The sessions that will go on after a restart, if their connections break now.</summary>
    HashSet<Jid> LastingSessions() =>
        [.. Services.Sessions.Accounts.SelectMany(account => account.Snapshot)
            .Where(session => session.Token is not null).Select(session => session.Jid)];

    /// <summary>Ends what cannot go on and keeps the rest. If that fails, the next start takes the end for a crash: the
    /// clients are told what has arrived, and nothing that was acknowledged is lost.</summary>
    async Task SaveAsync()
    {
        try
        {
            foreach (var rooms in Services.Rooms.Values) await rooms.Settle();
            var sessions = new List<StoredSession>();
            foreach (var session in Services.Sessions.Accounts.SelectMany(account => account.Snapshot).ToArray())
            {
                if (session.Snapshot() is { } snapshot)
                    sessions.Add(new StoredSession(session.Account, new StoredCount(session.Token!, snapshot.Taken),
                        SessionRecords.ToBytes(snapshot)));
                else await Services.Local.End(session);
            }
            var store = Services.Database.Sessions;
            foreach (var some in sessions.Chunk(SavedAtOnce)) await store.Save(some, []);
            foreach (var rooms in Services.Rooms.Values)
                foreach (var some in (await rooms.Suspend()).Chunk(SavedAtOnce)) await store.Save([], some);
            await store.Complete();
        }
        catch (StorageException error)
        {
            AccountsLog.NotSaved(_clients.Log, error.Message);
        }
    }
}
