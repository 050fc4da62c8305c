using Muster.Core.Archive;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Sessions;

/// <summary>On which terms a session's stream is managed (XEP-0198): agreed when it is enabled, fixed for its
/// life.</summary>
public sealed record SmTerms
{
    /// <summary>The version that the client speaks: its namespace.</summary>
    public required string Namespace { get; init; }

    /// <summary>What the session is resumed with; null when it cannot be resumed.</summary>
    public string? Token { get; init; }

    /// <summary>How long the session waits without a connection.</summary>
    public TimeSpan Patience { get; init; }

    /// <summary>What is kept of stanzas that are not acknowledged.</summary>
    public SmQueueLimits Queue { get; init; } = new();

    /// <summary>Stanzas that may be unacknowledged before an acknowledgement is asked for.</summary>
    public uint UnackedMax { get; init; }

    /// <summary>The same while the client says that it is inactive (XEP-0352).</summary>
    public uint InactiveUnackedMax { get; init; } = 256;
}

/// <summary>How much a queue of unacknowledged stanzas keeps.</summary>
public sealed record SmQueueLimits
{
    /// <summary>Messages and iqs. Presence is bounded in bytes alone: entering a thousand rooms brings tens of
    /// thousands of them before the client has had the time to acknowledge.</summary>
    public int CountMax { get; init; } = 500;

    /// <summary>Bytes of all; the newest stanza is kept even when it alone is larger.</summary>
    public long BytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>References to archived messages that are kept where the messages themselves find no room.</summary>
    public int ReferencesMax { get; init; } = 10_000;

    /// <summary>Whether the archive of a room or an account is at hand, so that a reference to it is as good as the
    /// message.</summary>
    public Func<Jid, bool> HasArchive { get; init; } = static _ => false;

    /// <summary>How ids of archives are written.</summary>
    public ArchiveIds ArchiveIds { get; init; } = ArchiveIds.Plain;
}

/// <summary>
/// What a managed session asks and tells the server that holds it. Called without any lock of the session, on the
/// thread of whoever delivered; must not block.
/// </summary>
public abstract class SessionWatcher
{
    /// <summary>The time, for stamping what waits.</summary>
    public abstract DateTimeOffset Now { get; }

    /// <summary>A stanza waits for a client that is not there, or that has owed an acknowledgement for too long (the
    /// events <c>smacks-hibernation-stanza-queued</c> and <c>smacks-ack-delayed</c>).</summary>
    public abstract void Held(Session session, SharedStanza stanza);

    /// <summary>Stanzas find no room in the queue any more: they are answered for as those of a session that has died,
    /// and the session cannot be resumed before the client has acknowledged all that it got.</summary>
    public abstract void Overflowed(Session session, IReadOnlyList<SmEntry> lost);

    /// <summary>All that the session's client has sent is stored or refused: whoever waits to tell its count may go
    /// on. Also for a session that has ended.</summary>
    public abstract void Settled(Session session);

    /// <summary>The client has acknowledged stanzas, perhaps none (XEP-0198 §4).</summary>
    /// <param name="stanzas">How many more than before.</param>
    public virtual void Acknowledged(uint stanzas) { }
}
