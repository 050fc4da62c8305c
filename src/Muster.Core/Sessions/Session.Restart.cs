using System.Collections.Immutable;
using Muster.Core.Archive;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Sessions;

/// <summary>A session that outlives its process: all that it needs to be resumed as if its connection alone had
/// broken.</summary>
public sealed record SessionSnapshot
{
    /// <summary>Its full JID.</summary>
    public required Jid Jid { get; init; }
    /// <summary>The terms on which its stream is managed.</summary>
    public required SmTerms Terms { get; init; }
    /// <summary>What its client has not acknowledged.</summary>
    public required SmQueueSnapshot Queue { get; init; }
    /// <summary>Stanzas taken from its client, modulo 2^32.</summary>
    public required uint Taken { get; init; }
    /// <summary>The client installation, or null.</summary>
    public string? Client { get; init; }
    /// <summary>Language of its stream, or null.</summary>
    public string? Lang { get; init; }
    /// <summary>The presence last broadcast; null while it is not available.</summary>
    public Presence? Available { get; init; }
    /// <summary>It gets roster pushes.</summary>
    public bool IsInterested { get; init; }
    /// <summary>It gets pushes of the block list.</summary>
    public bool WatchesBlocked { get; init; }
    /// <summary>It gets copies of messages.</summary>
    public bool HasCarbons { get; init; }
    /// <summary>It has asked the archive.</summary>
    public bool UsesArchive { get; init; }
    /// <summary>What it has been sent of the account's archive.</summary>
    public ArchiveSpan ArchiveRead { get; init; }

    /// <summary>The push registration of its device, or null.</summary>
    public PushLink? Push { get; init; }
    /// <summary>Where its directed presence went.</summary>
    public ImmutableArray<Jid> Directed { get; init; } = [];
}

// A restart that the client takes for a broken connection.
public sealed partial class Session
{
    /// <summary>The state of a session that waits for its client; null when it does not, or cannot be
    /// resumed.</summary>
    public SessionSnapshot? Snapshot()
    {
        lock (_lock)
        {
            if (_ended || _link is not null || _managed is not { Terms.Token: not null } managed) return null;
            return new SessionSnapshot
            {
                Jid = Jid,
                Terms = managed.Terms,
                Queue = managed.Queue.Snapshot(),
                Taken = managed.Taken,
                Client = Client,
                Lang = Lang,
                Available = Available,
                IsInterested = IsInterested,
                WatchesBlocked = WatchesBlocked,
                HasCarbons = HasCarbons,
                UsesArchive = UsesArchive,
                ArchiveRead = ArchiveRead,
                Push = Push,
                Directed = [.. _directed.Keys],
            };
        }
    }

    /// <summary>Makes a session that waits for its client.</summary>
    /// <param name="snapshot">What it was.</param>
    /// <param name="watcher">Who is told what happens to it.</param>
    /// <param name="id">Its id for logs.</param>
    public static Session Restore(SessionSnapshot snapshot, SessionWatcher watcher, string id)
    {
        var session = new Session(snapshot.Jid, null, id)
        {
            Client = snapshot.Client,
            Lang = snapshot.Lang,
            IsInterested = snapshot.IsInterested,
            WatchesBlocked = snapshot.WatchesBlocked,
            HasCarbons = snapshot.HasCarbons,
            UsesArchive = snapshot.UsesArchive,
            ArchiveRead = snapshot.ArchiveRead,
            Push = snapshot.Push,
            _managed = new ManagedStream(snapshot.Terms, watcher,
                SmQueue.Restore(snapshot.Queue, snapshot.Terms.Queue))
            {
                Taken = snapshot.Taken,
                StoredCount = snapshot.Taken,
            },
        };
        session.SetPresence(snapshot.Available);
        foreach (var to in snapshot.Directed)
            session._directed.TryAdd(to, new DirectedPresence(null, IsAnswered: true));
        return session;
    }
}
