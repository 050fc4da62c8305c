using Muster.Core.Rooms;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Simulation;

// The ends of a process, and its beginning (ADR 0006).
internal sealed partial class Server
{
    /// <summary>A process begins: it takes up what the last one has left.</summary>
    public void Start()
    {
        IsUp = true;
        Restored.Clear();
        foreach (var saved in _disk.Start())
        {
            var session = Session.Restore(saved, this, "restored");
            Add(session, null);
            Restored.Add(session.Jid);
            StartWaiting(session);
        }
        TakeUpJoins();
        // Each room is loaded by what comes for it, or in the background.
        foreach (var room in _rooms.Values)
            Later(() => { if (_disk.Occupants.ContainsKey(room.Address)) _ = room.Loaded; },
                _world.Random.Next(0, 500));
    }

    /// <summary>It is there no more: nothing is told to anybody, and what is not stored is gone.</summary>
    public void Crash()
    {
        Life++;
        IsUp = _isStopping = _isSuspending = false;
        foreach (var room in _rooms.Values) room.Crash();
        _keeping.Clear();
        _sessions.Clear();
        _byToken.Clear();
        _connections.Clear();
        _waits.Clear();
        _settling.Clear();
        _leaving.Clear();
        ForgetPeers();
    }

    /// <summary>It is stopped in order: who can be resumed stays, and nobody sees anybody go.</summary>
    /// <param name="isCutShort">It is killed while it saves.</param>
    public void Stop(bool isCutShort)
    {
        foreach (var session in _sessions.Values)
            if (session.Joins is { } joins) Expire(session, joins, null);
        _isStopping = true;
        var lasting = _sessions.Values.Where(session => session.IsAlive).Select(session => session.Jid).ToHashSet();
        _world.Ledger.Lasting = lasting;
        var stay = _world.Fault == Fault.LeaveOnRestart ? null : lasting;
        foreach (var room in _rooms.Values) room.Tell(new RoomEvent.Shutdown(null, stay));
        foreach (var (session, connection) in _connections.ToArray())
        {
            connection.Close(StreamError.SystemShutdown, keepsSession: true);
            Ended(session, connection, keepsSession: true);
        }
        KeepLetters();
        // Until nothing is under way any more.
        while (_rooms.Values.Aggregate(false, (any, room) => room.DrainAll() || any)) { }
        _isSuspending = true;
        foreach (var room in _rooms.Values) room.Tell(new RoomEvent.Suspend());
        foreach (var session in _sessions.Values)
        {
            if (session.Snapshot() is not { } snapshot) continue;
            _disk.Keep(session.Token!, snapshot.Taken);
            _disk.Sessions.Add(Damage(snapshot));
        }
        StoreJoins();
        _disk.EndedInOrder = !isCutShort;
        if (_world.Fault == Fault.ForgetOccupants) _disk.Occupants.Clear();
        Crash();
        _world.Ledger.Lasting = new HashSet<Jid>();
    }

    SessionSnapshot Damage(SessionSnapshot snapshot) => _world.Fault switch
    {
        Fault.LoseOnRestart when snapshot.Queue.Stored.Length > 0 => snapshot with
        {
            Queue = snapshot.Queue with
            {
                Sent = unchecked(snapshot.Queue.Sent - 1),
                Stored = snapshot.Queue.Stored[..^1],
            },
        },
        Fault.ForgetDirected => snapshot with { Directed = [] },
        _ => snapshot,
    };

    /// <summary>A session whose counters are about to pass 2^32, as it is taken up before anything else
    /// happens.</summary>
    public (string Token, uint Sent, uint Taken) PrepareNearWrap(Jid jid)
    {
        string token = $"{jid}-wraps";
        uint sent = uint.MaxValue - (uint)_world.Random.Next(0, 30), taken = uint.MaxValue
            - (uint)_world.Random.Next(0, 10);
        _disk.Begin(jid.Bare, token, taken);
        _disk.EndedInOrder = true;
        _disk.Sessions.Add(new SessionSnapshot
        {
            Jid = jid,
            Terms = TermsOf(token),
            Queue = new SmQueueSnapshot(sent, [], []),
            Taken = taken,
            Available = new Presence(PresenceType.Available, jid, default, null),
        });
        return (token, sent, taken);
    }
}
