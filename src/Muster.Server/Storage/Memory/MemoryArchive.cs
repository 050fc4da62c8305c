using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Memory;

internal sealed class MemoryArchive(MemoryDatabase db) : IArchiveStore
{
    public async ValueTask Append(IReadOnlyList<ArchiveEntry> entries,
        IReadOnlyList<StoredCount>? counts = null, CancellationToken cancel = default) =>
        await db.Write(() =>
        {
            CheckFree(entries);
            AppendChecked(entries);
            foreach (var count in counts ?? []) db.SessionTable.Set(count);
            return true;
        }, cancel);

    /// <summary>Throws when an id is taken, in the archive or twice in the list.</summary>
    public void CheckFree(IEnumerable<ArchiveEntry> entries)
    {
        var seen = new HashSet<(Jid, long)>();
        foreach (var entry in entries)
        {
            bool taken = db.ArchiveTable.TryGetValue(entry.Archive, out var archive) && archive.ContainsKey(entry.Id);
            if (taken || !seen.Add((entry.Archive, entry.Id)))
                throw MemoryDatabase.Conflict($"the archive of {entry.Archive} has an entry {entry.Id} already");
        }
    }

    /// <summary>Appends what <see cref="CheckFree"/> has let pass.</summary>
    public void AppendChecked(IEnumerable<ArchiveEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (!db.ArchiveTable.TryGetValue(entry.Archive, out var archive))
                db.ArchiveTable[entry.Archive] = archive = [];
            // The caller may reuse its buffer once the write is done.
            archive.Add(entry.Id, entry with { At = StoredTime.Cut(entry.At), Stanza = entry.Stanza.ToArray() });
        }
    }

    public ValueTask<ArchivePage> Page(Jid archive, ArchiveQuery query, CancellationToken cancel = default) =>
        db.Read(() =>
        {
            var set = Of(archive).Where(query.Matches).ToList();
            var rest = query.Backwards
                ? set.Where(entry => query.Cursor is not { } cursor || entry.Id < cursor).Reverse()
                : set.Where(entry => query.Cursor is not { } cursor || entry.Id > cursor);
            var page = rest.Take(query.Max).ToList();
            bool complete = !rest.Skip(query.Max).Any();
            if (query.Backwards) page.Reverse();
            return new ArchivePage(page, complete, query.Count ? Math.Min(set.Count, ArchiveQuery.CountMax) : null);
        }, cancel);

    public ValueTask<IReadOnlyList<ArchiveEntry>> Find(
        Jid archive, IReadOnlyList<long> ids, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<ArchiveEntry>>(() => [.. Of(archive).Where(entry => ids.Contains(entry.Id))], cancel);

    public ValueTask<ArchiveRange?> Range(Jid archive, CancellationToken cancel = default) =>
        db.Read<ArchiveRange?>(() => Of(archive) is { Count: > 0 } entries
            ? new ArchiveRange(entries[0].Id, entries[0].At, entries[^1].Id, entries[^1].At)
            : null, cancel);

    public ValueTask<long> LastId(CancellationToken cancel = default) =>
        db.Read(() => db.ArchiveTable.Values.SelectMany(entries => entries.Keys).DefaultIfEmpty().Max(), cancel);

    public ValueTask<IReadOnlyList<Jid>> WithOlder(
        DateTimeOffset before, Jid after, int max, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<Jid>>(() =>
        [
            .. db.ArchiveTable.Where(archive => archive.Value.Values.Any(entry => entry.At < before))
                .Select(archive => archive.Key)
                .Where(jid => string.CompareOrdinal(jid.ToString(), after.ToString()) > 0)
                .OrderBy(jid => jid.ToString(), StringComparer.Ordinal).Take(max),
        ], cancel);

    public ValueTask<int> Purge(Jid archive, DateTimeOffset before, int max, CancellationToken cancel = default) =>
        db.Write(() =>
        {
            var old = db.ArchiveTable.Values.SelectMany(entries => entries.Values)
                .Where(entry => (archive.IsNone || entry.Archive == archive) && entry.At < before)
                .Take(max).ToList();
            foreach (var entry in old) db.ArchiveTable[entry.Archive].Remove(entry.Id);
            return old.Count;
        }, cancel);

    IList<ArchiveEntry> Of(Jid archive) => db.ArchiveTable.TryGetValue(archive, out var found) ? found.Values : [];
}
