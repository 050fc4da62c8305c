using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Memory;

internal sealed class MemoryPushes(MemoryDatabase db) : IPushStore
{
    public ValueTask<IReadOnlyList<StoredPush>> Load(string host, Jid owner, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<StoredPush>>(() => [.. Of(host, owner)], cancel);

    public ValueTask<IReadOnlyList<(Jid Owner, bool HasFilters)>> Owners(
        string host, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<(Jid, bool)>>(() => [.. db.PushTable.Values.Where(push => push.Key.Host == host)
            .GroupBy(push => push.Key.Owner)
            .Select(group => (group.Key, group.Any(push => push.Filters is not null)))], cancel);

    public ValueTask<IReadOnlyList<PushKey>> Enable(StoredPush push, int max, CancellationToken cancel = default) =>
        db.Write<IReadOnlyList<PushKey>>(() =>
        {
            var before = db.PushTable.GetValueOrDefault(push.Key);
            db.PushTable[push.Key] = push with
            {
                CreatedAt = before?.CreatedAt ?? StoredTime.Cut(push.CreatedAt),
                UpdatedAt = StoredTime.Cut(push.UpdatedAt),
                Errors = 0,
                LastError = null,
                LastErrorAt = null,
                LastPushAt = before is null ? Cut(push.LastPushAt) : before.LastPushAt,
                LastSuccessAt = before is null ? Cut(push.LastSuccessAt) : before.LastSuccessAt,
            };
            var all = Of(push.Key.Host, push.Key.Owner).ToList();
            var gone = all.Select(other => other.Key).Where(key => key != push.Key)
                .Take(Math.Max(all.Count - max, 0)).ToList();
            foreach (var key in gone) db.PushTable.Remove(key);
            return gone;
        }, cancel);

    public async ValueTask Note(StoredPush push, CancellationToken cancel = default) => await db.Write(() =>
    {
        if (db.PushTable.TryGetValue(push.Key, out var stored))
        {
            db.PushTable[push.Key] = stored with
            {
                Errors = push.Errors,
                LastError = push.LastError,
                LastErrorAt = Cut(push.LastErrorAt),
                LastPushAt = Cut(push.LastPushAt),
                LastSuccessAt = Cut(push.LastSuccessAt),
            };
        }
        return 0;
    }, cancel);

    public ValueTask<bool> Remove(PushKey key, CancellationToken cancel = default) =>
        db.Write(() => db.PushTable.Remove(key), cancel);

    public ValueTask<int> RemoveAll(Jid owner, CancellationToken cancel = default) =>
        db.Write(() => Clear(db, push => push.Key.Owner == owner), cancel);

    public ValueTask<int> RemoveUnused(DateTimeOffset since, CancellationToken cancel = default) => db.Write(
        () => Clear(db, push => push.UpdatedAt < StoredTime.Cut(since)
            && (push.LastSuccessAt ?? DateTimeOffset.MinValue) < StoredTime.Cut(since)), cancel);

    internal static int Clear(MemoryDatabase db, Func<StoredPush, bool> matches)
    {
        var gone = db.PushTable.Values.Where(matches).Select(push => push.Key).ToList();
        foreach (var key in gone) db.PushTable.Remove(key);
        return gone.Count;
    }

    IEnumerable<StoredPush> Of(string host, Jid owner) =>
        db.PushTable.Values.Where(push => push.Key.Host == host && push.Key.Owner == owner)
            .OrderBy(push => push.UpdatedAt).ThenBy(push => push.Key.App.ToString(), CodePointOrder.Instance)
            .ThenBy(push => push.Key.Node, CodePointOrder.Instance);

    static DateTimeOffset? Cut(DateTimeOffset? time) => time is { } at ? StoredTime.Cut(at) : null;
}
