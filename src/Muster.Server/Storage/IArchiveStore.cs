using Muster.Protocol.Addresses;

namespace Muster.Server.Storage;

/// <summary>What an archived stanza is. The numbers are on disk: frozen by a test.</summary>
internal enum ArchiveKind
{
    /// <summary>A message that belongs to the history shown on joining.</summary>
    Message = 0,
    /// <summary>A subject change: in the archive, never in the history (it is sent separately).</summary>
    Subject = 1,
    /// <summary>What is left of a message that was taken back (XEP-0424, XEP-0425).</summary>
    Tombstone = 2,
    /// <summary>Anything else kept for archive queries only.</summary>
    Other = 3,
}

/// <summary>One archived stanza.</summary>
/// <param name="Archive">Whose archive: a room's or an account's bare JID.</param>
/// <param name="Id">Chosen by the caller; unique in its archive and growing: the order of the archive. Positive. Best
/// the Unix time in microseconds, raised by one where two meet.</param>
/// <param name="At">When it was received.</param>
/// <param name="From">In a room the real full JID of the sender, for readers who may see it; in an account's archive
/// the other party's address as the message has it.</param>
/// <param name="With">What the filter <c>with</c> looks at: in a room the sender's bare JID, in an account's archive
/// the other party's.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Stanza">The stanza as everybody sees it, UTF-8.</param>
internal sealed record ArchiveEntry(
    Jid Archive, long Id, DateTimeOffset At, Jid From, Jid With, ArchiveKind Kind, ReadOnlyMemory<byte> Stanza);

/// <summary>New content for an entry: the tombstone that moderation leaves (XEP-0425).</summary>
/// <param name="Id">The entry's id in the archive concerned; one that is not there is ignored.</param>
/// <param name="Kind">Its new kind.</param>
/// <param name="Stanza">Its new stanza, UTF-8.</param>
internal sealed record ArchiveReplacement(long Id, ArchiveKind Kind, ReadOnlyMemory<byte> Stanza);

/// <summary>
/// Which entries, and which page of them. The filter (With, From, Kind, Start, End, AfterId, BeforeId) decides the set,
/// which is what is counted; Cursor, Backwards and Max choose the page of it (XEP-0313 §4, XEP-0059).
/// </summary>
internal sealed record ArchiveQuery
{
    /// <summary>Only entries with this <see cref="ArchiveEntry.With"/>; <see cref="Jid.None"/>: all.</summary>
    public Jid With { get; init; }
    /// <summary>Only entries with this <see cref="ArchiveEntry.From"/>; <see cref="Jid.None"/>: all.</summary>
    public Jid From { get; init; }
    /// <summary>Only entries of this kind.</summary>
    public ArchiveKind? Kind { get; init; }
    /// <summary>Only entries at or after this time.</summary>
    public DateTimeOffset? Start { get; init; }
    /// <summary>Only entries at or before this time.</summary>
    public DateTimeOffset? End { get; init; }
    /// <summary>Only entries with a larger id.</summary>
    public long? AfterId { get; init; }
    /// <summary>Only entries with a smaller id.</summary>
    public long? BeforeId { get; init; }
    /// <summary>The page starts after this id; backwards, it ends before it. Null: from the first, or the
    /// last.</summary>
    public long? Cursor { get; init; }
    /// <summary>The page is taken from the newer end.</summary>
    public bool Backwards { get; init; }
    /// <summary>At most so many entries.</summary>
    public required int Max { get; init; }
    /// <summary>Whether to count the set, up to <see cref="CountMax"/>.</summary>
    public bool Count { get; init; }

    /// <summary>What is counted to: who wants to know how long an archive is must not have all of it read.</summary>
    public const int CountMax = 100_000;

    /// <summary>Whether an entry belongs to the set.</summary>
    public bool Matches(ArchiveEntry entry) =>
        (With.IsNone || entry.With == With)
        && (From.IsNone || entry.From == From)
        && (Kind is not { } kind || entry.Kind == kind)
        && (Start is not { } start || entry.At >= start)
        && (End is not { } end || entry.At <= end)
        && (AfterId is not { } after || entry.Id > after)
        && (BeforeId is not { } before || entry.Id < before);
}

/// <summary>A page of an archive.</summary>
/// <param name="Entries">The entries, oldest first whatever the direction.</param>
/// <param name="Complete">Whether nothing follows in the direction of paging.</param>
/// <param name="Count">The size of the whole set when asked for.</param>
internal sealed record ArchivePage(IReadOnlyList<ArchiveEntry> Entries, bool Complete, long? Count);

/// <summary>The first and the last entry of an archive (XEP-0313 §5, archive metadata).</summary>
internal readonly record struct ArchiveRange(long FirstId, DateTimeOffset FirstAt, long LastId, DateTimeOffset LastAt);

/// <summary>Archived messages. A room appends through <see cref="IRoomStore.Commit"/>.</summary>
internal interface IArchiveStore
{
    /// <summary>Appends all or nothing, in one transaction. <see cref="StorageFault.Conflict"/> when an id is
    /// taken.</summary>
    /// <param name="entries">The entries.</param>
    /// <param name="counts">Counts of the senders' sessions, kept in the same transaction; of one session the last
    /// counts.</param>
    /// <param name="cancel">Cancels the waiting.</param>
    ValueTask Append(IReadOnlyList<ArchiveEntry> entries, IReadOnlyList<StoredCount>? counts = null,
        CancellationToken cancel = default);

    /// <summary>One page of an archive.</summary>
    ValueTask<ArchivePage> Page(Jid archive, ArchiveQuery query, CancellationToken cancel = default);

    /// <summary>The entries with these ids, in order of id; those not found are missing from the answer.</summary>
    ValueTask<IReadOnlyList<ArchiveEntry>> Find(
        Jid archive, IReadOnlyList<long> ids, CancellationToken cancel = default);

    /// <summary>The ends of an archive; null when it is empty.</summary>
    ValueTask<ArchiveRange?> Range(Jid archive, CancellationToken cancel = default);

    /// <summary>The largest id in any archive; 0 when all are empty. Not fast: for the start.</summary>
    ValueTask<long> LastId(CancellationToken cancel = default);

    /// <summary>Up to <paramref name="max"/> archives that hold entries older than a time, in the order of their
    /// addresses after <paramref name="after"/> (<see cref="Jid.None"/>: from the first).</summary>
    ValueTask<IReadOnlyList<Jid>> WithOlder(
        DateTimeOffset before, Jid after, int max, CancellationToken cancel = default);

    /// <summary>
    /// Removes up to <paramref name="max"/> entries older than a time, of one archive or of all
    /// (<see cref="Jid.None"/>); returns how many. To be repeated while it returns max, so that no single write is
    /// long.
    /// </summary>
    ValueTask<int> Purge(Jid archive, DateTimeOffset before, int max, CancellationToken cancel = default);
}
