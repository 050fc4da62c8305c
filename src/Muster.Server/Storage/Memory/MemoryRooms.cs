using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Memory;

internal sealed class MemoryRooms(MemoryDatabase db) : IRoomStore
{
    readonly MemoryArchive _archive = new(db);

    public ValueTask<StoredRoom?> Load(Jid room, CancellationToken cancel = default) => db.Read(() =>
    {
        var found = db.RoomTable.GetValueOrDefault(room);
        if (found is null || !db.ArchiveTable.TryGetValue(room, out var archive) || archive.Count == 0) return found;
        return found with { LastArchiveId = archive.Keys[^1] };
    }, cancel);

    public async ValueTask Commit(IReadOnlyList<RoomCommit> commits, CancellationToken cancel = default) =>
        await db.Write(() =>
        {
            // Everything that can refuse comes first, on copies; so a refusal leaves nothing half done.
            var changed = new Dictionary<Jid, StoredRoom?>();
            foreach (var commit in commits) changed[commit.Room] = Changed(commit, changed);
            _archive.CheckFree(commits.SelectMany(commit => commit.Archive));

            foreach (var commit in commits) ApplyArchive(commit);
            foreach (var count in commits.SelectMany(commit => commit.Counts)) db.SessionTable.Set(count);
            foreach (var (jid, room) in changed)
            {
                if (room is null) db.RoomTable.Remove(jid);
                else db.RoomTable[jid] = room;
            }
            return true;
        }, cancel);

    StoredRoom? Changed(RoomCommit commit, Dictionary<Jid, StoredRoom?> changed)
    {
        commit.Check();
        if (!changed.TryGetValue(commit.Room, out var room)) room = db.RoomTable.GetValueOrDefault(commit.Room);
        if (commit.Creation is { } creation)
        {
            if (room is not null) throw MemoryDatabase.Conflict($"the room {commit.Room} exists already");
            room = Created(commit, creation);
        }
        if (commit.NeedsRoom && room is null) throw MemoryDatabase.Conflict($"the room {commit.Room} is not stored");
        if (commit.Removal is not null) return null;
        if (!commit.NeedsRoom || room is null) return room;

        var replaced = commit.AffiliationsSet.Select(set => set.Jid).Concat(commit.AffiliationsRemoved).ToHashSet();
        return room with
        {
            Options = commit.Options ?? room.Options,
            Subject = commit.Subject is { } subject ? subject with { At = StoredTime.Cut(subject.At) } : room.Subject,
            Affiliations = [.. room.Affiliations.Where(old => !replaced.Contains(old.Jid))
                .Concat(commit.AffiliationsSet)
                .OrderBy(entry => entry.Jid.ToString(), CodePointOrder.Instance)],
            LastActivityAt = commit.LastActivityAt is { } at ? StoredTime.Cut(at) : room.LastActivityAt,
        };
    }

    static StoredRoom Created(RoomCommit commit, RoomCreation creation) => new()
    {
        Jid = commit.Room,
        Options = commit.Options!,
        OccupantIdSalt = creation.OccupantIdSalt.ToArray(),
        CreatedAt = StoredTime.Cut(creation.CreatedAt),
        LastActivityAt = StoredTime.Cut(creation.CreatedAt),
        Affiliations = [],
    };

    void ApplyArchive(RoomCommit commit)
    {
        if (commit.Creation is not null) db.TombstoneTable.Remove(commit.Room);
        _archive.AppendChecked(commit.Archive);
        foreach (var change in commit.Replaced)
        {
            var archive = db.ArchiveTable.GetValueOrDefault(commit.Room);
            if (archive is not null && archive.TryGetValue(change.Id, out var old))
                archive[change.Id] = old with { Kind = change.Kind, Stanza = change.Stanza.ToArray() };
        }
        if (commit.Removal is not { } removal) return;
        if (removal.RemoveArchive) db.ArchiveTable.Remove(commit.Room);
        if (removal.Tombstone is { } tombstone)
            db.TombstoneTable[commit.Room] = tombstone with { Until = StoredTime.Cut(tombstone.Until) };
    }

    public ValueTask<RoomIndexPage> Index(RoomIndexQuery query, CancellationToken cancel = default) => db.Read(() =>
    {
        var set = db.RoomTable.Values.Where(room => Matches(room, query))
            .OrderBy(room => room.Jid.Local.ToString(), CodePointOrder.Instance).ToList();
        int order(StoredRoom room) =>
            CodePointOrder.Instance.Compare(room.Jid.Local.ToString(), query.Cursor.Local.ToString());
        IEnumerable<StoredRoom> rest = set;
        if (query.Backwards) rest = rest.Where(room => query.Cursor.IsNone || order(room) < 0).Reverse();
        else rest = rest.Where(room => query.Cursor.IsNone || order(room) > 0);
        rest = rest.Skip(query.Skip);
        var page = rest.Take(query.Max).ToList();
        bool complete = !rest.Skip(query.Max).Any();
        if (query.Backwards) page.Reverse();
        return new RoomIndexPage(
            [.. page.Select(room => new RoomIndexEntry(
                room.Jid, room.Options.Name, room.Options.Public, room.Options.Persistent, room.LastActivityAt))],
            complete,
            query.Count ? set.Count : null,
            query.Count && page.Count > 0 ? set.IndexOf(page[0]) : null);
    }, cancel);

    static bool Matches(StoredRoom room, RoomIndexQuery query) =>
        room.Jid.Domain.SequenceEqual(query.Service)
        && (!query.PublicOnly || room.Options.Public)
        && (!query.PersistentOnly || room.Options.Persistent)
        && (query.InactiveSince is not { } since || room.LastActivityAt < since)
        && (query.Text is not { } text
            || RoomIndexQuery.Searched(room.Jid.Local, room.Options.Name)
                .Contains(RoomIndexQuery.Fold(text), StringComparison.Ordinal));

    public ValueTask<IReadOnlyList<RoomIndexEntry>> OfUser(string service, Jid user, int least, int max,
        CancellationToken cancel = default) => db.Read<IReadOnlyList<RoomIndexEntry>>(() =>
            [.. db.RoomTable.Values
                .Where(room => room.Jid.Domain.SequenceEqual(service)
                    && room.Affiliations.Any(entry => entry.Jid == user && entry.Affiliation >= least))
                .OrderBy(room => room.Jid.Local.ToString(), CodePointOrder.Instance).Take(max)
                .Select(room => new RoomIndexEntry(room.Jid, room.Options.Name, room.Options.Public,
                    room.Options.Persistent, room.LastActivityAt))], cancel);

    public ValueTask<RoomTombstone?> FindTombstone(Jid room, DateTimeOffset now, CancellationToken cancel = default) =>
        db.Read(() => db.TombstoneTable.GetValueOrDefault(room) is { } found && found.Until > StoredTime.Cut(now)
            ? found : null, cancel);

    public ValueTask<int> RemoveExpiredTombstones(DateTimeOffset now, CancellationToken cancel = default) =>
        db.Write(() =>
        {
            var expired = db.TombstoneTable.Values.Where(found => found.Until <= StoredTime.Cut(now)).ToList();
            foreach (var tombstone in expired) db.TombstoneTable.Remove(tombstone.Room);
            return expired.Count;
        }, cancel);
}
