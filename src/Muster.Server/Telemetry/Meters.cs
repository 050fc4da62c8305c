using System.Diagnostics.Metrics;

namespace Muster.Server.Telemetry;

/// <summary>
/// The counters of the server, each next to the name it has in the metrics. One instance a server, so that two servers
/// in one process (as in tests) do not add up.
/// </summary>
sealed class Meters : IDisposable
{
    readonly Meter _meter;
    readonly Counter<long> _roomCommitFailures, _roomMailboxFull, _delivered;

    public Meters()
    {
        _meter = new Meter("Muster");
        Clients = new ClientMeters(_meter);
        Accounts = new AccountMeters(_meter);
        Management = new SmMeters(_meter);
        Rooms = new RoomMeters(_meter);
        HttpPools = new HttpPoolMeters(_meter);
        PublicLogs = new PublicLogMeters(_meter);
        Archives = new ArchiveMeters(_meter);
        Peers = new PeerMeters(_meter);
        Joins = new JoinMeters(_meter);
        Offline = new OfflineMeters(_meter);
        Components = new ComponentMeters(_meter);
        Pushes = new PushMeters(_meter);
        _roomCommitFailures = _meter.CreateCounter<long>("muster_room_commit_failures_total",
            description: "Batches of a room that could not be stored and were not shown");
        _roomMailboxFull = _meter.CreateCounter<long>("muster_room_mailbox_full_total",
            description: "Stanzas refused because a room had too many waiting");
        _delivered = _meter.CreateCounter<long>("muster_room_deliveries_total",
            description: "Copies of room stanzas sent to occupants");
    }

    /// <summary>The meter that all instruments belong to, for those who listen.</summary>
    public Meter Meter => _meter;

    /// <summary>What the connections of clients count.</summary>
    public ClientMeters Clients { get; }

    /// <summary>What accounts and their messages count.</summary>
    public AccountMeters Accounts { get; }

    /// <summary>What stream management counts.</summary>
    public SmMeters Management { get; }

    /// <summary>What rooms count, by domain.</summary>
    public RoomMeters Rooms { get; }

    /// <summary>What is counted of services that the server asks.</summary>
    public HttpPoolMeters HttpPools { get; }

    /// <summary>What the connections with other servers count.</summary>
    public PeerMeters Peers { get; }

    /// <summary>What is counted of sessions in rooms of other servers.</summary>
    public JoinMeters Joins { get; }

    /// <summary>What is counted of external components.</summary>
    public ComponentMeters Components { get; }

    /// <summary>What is counted of messages of rooms for members who are away.</summary>
    public OfflineMeters Offline { get; }

    /// <summary>What push notifications count.</summary>
    public PushMeters Pushes { get; }

    /// <summary>What public logs of rooms count.</summary>
    public PublicLogMeters PublicLogs { get; }

    /// <summary>What is counted of archives.</summary>
    public ArchiveMeters Archives { get; }

    /// <summary>A room could not store what it promised.</summary>
    public void RoomCommitFailed() => _roomCommitFailures.Add(1);
    /// <summary>A stanza was refused because a room's mailbox was full.</summary>
    public void RoomMailboxFull() => _roomMailboxFull.Add(1);
    /// <summary>A room's stanza went to so many sessions.</summary>
    public void Delivered(int copies) => _delivered.Add(copies);

    public void Dispose() => _meter.Dispose();
}
