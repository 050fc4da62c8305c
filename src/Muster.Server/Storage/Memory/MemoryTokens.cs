using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Memory;

internal sealed class MemoryTokens(MemoryDatabase db) : ITokenStore
{
    public ValueTask<IReadOnlyList<StoredToken>> Find(Jid account, string client, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<StoredToken>>(() =>
            [.. Of(account).Where(token => token.Client == client).OrderByDescending(token => token.IsFresh)], cancel);

    public ValueTask<int> Issue(Jid account, StoredToken token, int max, CancellationToken cancel = default) =>
        db.Write(() =>
        {
            var tokens = db.Require(account).Tokens;
            tokens.RemoveAll(old => old.Client == token.Client && old.IsFresh);
            tokens.Add(token with
            {
                IsFresh = true,
                Seed = token.Seed.ToArray(),
                CreatedAt = StoredTime.Cut(token.CreatedAt),
                ExpiresAt = StoredTime.Cut(token.ExpiresAt),
            });
            var lost = tokens.Where(other => other.Client != token.Client).GroupBy(other => other.Client)
                .OrderByDescending(of => of.Max(other => other.CreatedAt)).ThenBy(of => of.Key, CodePointOrder.Instance)
                .Skip(Math.Max(max - 1, 0)).Select(of => of.Key).ToList();
            tokens.RemoveAll(other => lost.Contains(other.Client));
            return lost.Count;
        }, cancel);

    public ValueTask<bool> TryUse(Jid account, StoredToken token, long? count, CancellationToken cancel = default) =>
        db.Write(() =>
        {
            var tokens = Of(account);
            int at = tokens.FindIndex(
                old => old.Client == token.Client && old.Seed.Span.SequenceEqual(token.Seed.Span));
            if (at < 0 || count <= tokens[at].LastCount) return false;
            var used = tokens[at] with { IsFresh = false, LastCount = count ?? tokens[at].LastCount };
            bool wasFresh = tokens[at].IsFresh;
            tokens[at] = used;
            if (wasFresh)
                tokens.RemoveAll(old => old.Client == token.Client && !old.IsFresh && !ReferenceEquals(old, used));
            return true;
        }, cancel);

    public ValueTask<int> Remove(Jid account, string? client, CancellationToken cancel = default) => db.Write(
        () => Of(account).RemoveAll(token => client is null || token.Client == client), cancel);

    public ValueTask<int> RemoveExpired(DateTimeOffset now, CancellationToken cancel = default) => db.Write(
        () => db.AccountTable.Values.Sum(
            account => account.Tokens.RemoveAll(token => token.ExpiresAt <= StoredTime.Cut(now))), cancel);

    List<StoredToken> Of(Jid account) => db.AccountTable.GetValueOrDefault(account)?.Tokens ?? [];
}
