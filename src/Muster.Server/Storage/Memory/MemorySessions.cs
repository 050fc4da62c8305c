using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Memory;

internal sealed class MemorySessions(MemoryDatabase db) : ISessionStore
{
    sealed record Row(Jid Account, uint Handled, DateTimeOffset? EndedAt);

    readonly Dictionary<string, Row> _sessions = new(StringComparer.Ordinal);
    readonly Dictionary<string, StoredSession> _states = new(StringComparer.Ordinal);
    readonly Dictionary<Jid, StoredOccupants> _occupants = [];
    bool _endedInOrder;

    public async ValueTask Begin(Jid account, string token, CancellationToken cancel = default) => await db.Write(() =>
    {
        db.Require(account);
        if (!_sessions.TryAdd(token, new Row(account, 0, null)))
            throw MemoryDatabase.Conflict("the session is there already");
        return true;
    }, cancel);

    public async ValueTask Keep(StoredCount count, CancellationToken cancel = default) => await db.Write(() =>
    {
        Set(count);
        return true;
    }, cancel);

    /// <summary>Sets a count together with what it counts, unless a later one is there already. Only inside a
    /// write.</summary>
    internal void Set(StoredCount count)
    {
        if (_sessions.TryGetValue(count.Token, out var row) && unchecked((int)(count.Handled - row.Handled)) >= 0)
            _sessions[count.Token] = row with { Handled = count.Handled };
    }

    /// <summary>Forgets what belongs to an account that goes. Only inside a write.</summary>
    internal void RemoveOf(Jid account)
    {
        foreach (var (token, row) in _sessions.ToArray())
            if (row.Account == account) Forget(token);
    }

    public async ValueTask End(
        StoredCount count, DateTimeOffset at, int keptMax, CancellationToken cancel = default) => await db.Write(() =>
        {
            if (!_sessions.TryGetValue(count.Token, out var row)) return true;
            _sessions[count.Token] = row with { Handled = count.Handled, EndedAt = StoredTime.Cut(at) };
            var old = _sessions.Where(entry => entry.Value.Account == row.Account && entry.Value.EndedAt is not null)
                .OrderByDescending(entry => entry.Value.EndedAt)
                .ThenBy(entry => entry.Key, StringComparer.Ordinal).Skip(keptMax).ToArray();
            foreach (var (token, _) in old) Forget(token);
            return true;
        }, cancel);

    public async ValueTask Remove(string token, CancellationToken cancel = default) => await db.Write(() =>
    {
        Forget(token);
        return true;
    }, cancel);

    public ValueTask<uint?> FindEnded(
        Jid account, string token, DateTimeOffset since, CancellationToken cancel = default) => db.Read(() =>
            _sessions.TryGetValue(token, out var row) && row.Account == account
                && row.EndedAt >= StoredTime.Cut(since) ? row.Handled : (uint?)null, cancel);

    public ValueTask<int> RemoveEnded(DateTimeOffset before, CancellationToken cancel = default) => db.Write(() =>
    {
        var old = _sessions.Where(entry => entry.Value.EndedAt < StoredTime.Cut(before)).ToArray();
        foreach (var (token, _) in old) Forget(token);
        return old.Length;
    }, cancel);

    public async ValueTask Save(IReadOnlyList<StoredSession> sessions, IReadOnlyList<StoredOccupants> rooms,
        CancellationToken cancel = default) => await db.Write(() =>
        {
            foreach (var saved in sessions)
            {
                Set(saved.Count);
                if (_sessions.ContainsKey(saved.Count.Token)) _states[saved.Count.Token] = saved;
            }
            foreach (var room in rooms) _occupants[room.Room] = room;
            return true;
        }, cancel);

    public async ValueTask Complete(CancellationToken cancel = default) =>
        await db.Write(() => _endedInOrder = true, cancel);

    public ValueTask<IReadOnlyList<StoredSession>> Start(DateTimeOffset now, CancellationToken cancel = default) =>
        db.Write<IReadOnlyList<StoredSession>>(() =>
        {
            if (!_endedInOrder)
            {
                _states.Clear();
                _occupants.Clear();
            }
            _endedInOrder = false;
            StoredSession[] saved = [.. _states.Values.Where(state => _sessions[state.Count.Token].EndedAt is null)];
            foreach (var (token, row) in _sessions.ToArray())
            {
                if (row.EndedAt is null && !_states.ContainsKey(token))
                    _sessions[token] = row with { EndedAt = StoredTime.Cut(now) };
            }
            _states.Clear();
            return saved;
        }, cancel);

    public ValueTask<StoredOccupants?> TakeOccupants(Jid room, CancellationToken cancel = default) =>
        db.Write(() => _occupants.Remove(room, out var found) ? found : null, cancel);

    public ValueTask<IReadOnlyList<Jid>> RoomsWithOccupants(CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<Jid>>(() => [.. _occupants.Keys], cancel);

    void Forget(string token)
    {
        _sessions.Remove(token);
        _states.Remove(token);
    }
}
