using Muster.Core.Sessions;
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
        // Before the start, which forgets the occupants after a crash: a temporary room among these goes by being
        // loaded.
        var occupied = await store.RoomsWithOccupants();
        var survivors = new HashSet<Jid>();
        foreach (var saved in await store.Start(_overrides.Clock.GetUtcNow()))
        {
            var policy = Services.Local.SmPolicyOf(saved.Account);
            var snapshot = policy.IsEnabled ? SessionRecords.Read(saved.State, policy) : null;
            if (snapshot is not null && await Services.Local.TakeUp(snapshot)) survivors.Add(snapshot.Jid);
            else await store.End(saved.Count, _overrides.Clock.GetUtcNow(), policy.OldMax);
        }
        await _joins.TakeUpAsync();
        foreach (var rooms in Services.Rooms.Values)
        {
            var service = rooms.Settings.Service;
            rooms.Occupied(occupied.Where(room => room.HasLocal && room.DomainJid == service), survivors);
            if (occupied.Contains(service) && await store.TakeOccupants(service) is { } waiting)
                rooms.Forwarder.TakeUp(waiting.State);
        }
    }

    /// <summary>Completes when the rooms that were occupied before the start are in memory.</summary>
    public Task Loading { get; private set; } = Task.CompletedTask;

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
            foreach (var session in AllSessions())
                if (session.Snapshot() is null) await Services.Local.End(session);
            await Services.Local.WhenAllLeft();
            // Rooms before sessions: what a room has to say at its end waits for the clients with the rest.
            var store = Services.Database.Sessions;
            foreach (var rooms in Services.Rooms.Values)
                foreach (var some in (await rooms.Suspend()).Chunk(SavedAtOnce)) await store.Save([], some);
            await SaveSessionsAsync();
            await store.Complete();
        }
        catch (StorageException error)
        {
            AccountsLog.NotSaved(_clients.Log, error.Message);
        }
    }

    /// <summary>A session that cannot be stored ends for its client with the next start, which tells it how much has
    /// arrived (XEP-0198 §5), and for the rooms, too.</summary>
    async Task SaveSessionsAsync()
    {
        foreach (var some in AllSessions().Chunk(SavedAtOnce))
        {
            var saved = new List<StoredSession>();
            foreach (var session in some)
            {
                if (session.Snapshot() is not { } snapshot) continue;
                saved.Add(new StoredSession(session.Account, new StoredCount(session.Token!, snapshot.Taken),
                    SessionRecords.ToBytes(snapshot)));
            }
            try
            {
                await Services.Database.Sessions.Save(saved, []);
            }
            catch (StorageException error)
            {
                AccountsLog.SessionsNotSaved(_clients.Log, saved.Count, some[0].Jid, error.Message);
            }
        }
    }

    Session[] AllSessions() => [.. Services.Sessions.Accounts.SelectMany(account => account.Snapshot)];
}
