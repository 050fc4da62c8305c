using Muster.Core.Joins;
using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Routing;

/// <content>Over a restart and a crash: sessions that go on are still looked after, and rooms are told of those that do
/// not (muc-presence-reliability.md §5).</content>
sealed partial class JoinWatch
{
    const int StoredAtOnce = 500;

    // What storage does not know yet: written once a second, so that entering a thousand rooms is few commits. A crash
    // loses a second of it at most; the rooms find such ghosts themselves.
    readonly Lock _storeLock = new();
    Dictionary<(Jid Session, Jid Room), Jid> _unstored = [];
    Queue<StoredJoin> _ghosts = [];
    bool _isStopping;

    /// <summary>Takes up what the last process knew. Sessions that are back are asked for after the delay; where one is
    /// not, the room is told that it is gone.</summary>
    public async Task TakeUpAsync()
    {
        var now = _clock.GetUtcNow();
        foreach (var join in await _database.Joins.Load())
        {
            var session = _sessions.FindSession(join.Session);
            if (session is null || Find(join.Session) is not { Rules.Tracks: true } host)
            {
                if (session is null) _ghosts.Enqueue(join);
                else Note(join.Session, join.Occupant, isInside: false);
                continue;
            }
            session.Joins ??= new JoinedRooms(join.Session) { IsHibernating = session.IsHibernating };
            session.Joins.Restore(join.Occupant, now);
            _meters.Joined(1);
            if (!host.Rules.Asks) continue;
            lock (host.Lock) host.Checks.StreamEnded(join.Occupant.DomainJid, now);
        }
        if (_ghosts.Count > 0) _log.ClearsGhosts(_ghosts.Select(ghost => ghost.Session).Distinct().Count());
    }

    /// <summary>The server stops: sessions that end now are still to be told of by the next process, as nobody knows
    /// what the streams bring over that are about to be closed.</summary>
    public void BeginStop()
    {
        // The next process would not know who is about to enter or to leave.
        foreach (var account in _sessions.Accounts)
        {
            foreach (var session in account.Snapshot)
                if (session.Joins is { } joins) Expire(session, joins, null);
        }
        lock (_storeLock) _isStopping = true;
    }

    /// <summary>Stores what is not stored yet.</summary>
    public async Task StoreAsync()
    {
        Dictionary<(Jid Session, Jid Room), Jid> changes;
        lock (_storeLock)
        {
            if (_unstored.Count == 0) return;
            (changes, _unstored) = (_unstored, []);
        }
        try
        {
            foreach (var some in changes.Chunk(StoredAtOnce))
            {
                await _database.Joins.Change(
                    [.. some.Select(change => new StoredJoin(change.Key.Session, change.Key.Room, change.Value))]);
            }
        }
        catch (StorageException e)
        {
            _log.JoinsNotStored(e.Message);
            lock (_storeLock)
            {
                // Whatever came meanwhile is newer.
                foreach (var (key, occupant) in changes) _unstored.TryAdd(key, occupant);
            }
        }
    }

    void Note(Jid session, Jid occupant, bool isInside)
    {
        lock (_storeLock)
        {
            if (_isStopping && !isInside) return;
            _unstored[(session, occupant.Bare)] = isInside ? occupant : Jid.None;
        }
    }

    /// <summary>Tells rooms of sessions that ended with the last process (XEP-0045 §7.14), no faster than they are
    /// asked.</summary>
    void ClearGhosts()
    {
        if (_ghosts.Count == 0) return;
        var (told, later) = (new Dictionary<Jid, int>(), new Queue<StoredJoin>());
        while (_ghosts.TryDequeue(out var ghost))
        {
            var domain = ghost.Room.DomainJid;
            int count = told.GetValueOrDefault(domain);
            if (count >= (Find(ghost.Session)?.Rules.Checks.RatePerSecond ?? 1))
            {
                later.Enqueue(ghost);
                continue;
            }
            told[domain] = count + 1;
            // The same client may have come back as the same resource, and be inside, or about to enter: it may not be
            // let in.
            var again = _sessions.FindSession(ghost.Session);
            if (again?.Joins?.TryFind(ghost.Room, out _) == true) continue;
            Note(ghost.Session, ghost.Occupant, isInside: false);
            if (again?.DirectedWithin(ghost.Room) is { IsNone: false }) continue;
            Leave(ghost.Session, ghost.Occupant);
        }
        _ghosts = later;
    }
}
