using System.Text;
using Muster.Core.Rosters;
using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Memory;

internal sealed class MemoryAccounts(MemoryDatabase db) : IAccountStore
{
    public ValueTask<Account?> Find(Jid account, CancellationToken cancel = default) =>
        db.Read(() => db.AccountTable.GetValueOrDefault(account)?.Account, cancel);

    public ValueTask<bool> TryAdd(Account account, CancellationToken cancel = default) => db.Write(() =>
        db.AccountTable.TryAdd(account.Jid, new MemoryAccount(account with
        {
            CreatedAt = StoredTime.Cut(account.CreatedAt),
            LastActiveAt = account.LastActiveAt is { } at ? StoredTime.Cut(at) : null,
        })), cancel);

    public ValueTask<bool> Update(Account account, CancellationToken cancel = default) => db.Write(() =>
    {
        if (!db.AccountTable.TryGetValue(account.Jid, out var found)) return false;
        found.Account = found.Account with
        {
            ScramSha1 = account.ScramSha1,
            ScramSha256 = account.ScramSha256,
            Disabled = account.Disabled,
        };
        return true;
    }, cancel);

    public ValueTask<bool> SetLastActivity(
        Jid account, DateTimeOffset at, string status, CancellationToken cancel = default) => db.Write(() =>
    {
        if (!db.AccountTable.TryGetValue(account, out var found)) return false;
        found.Account = found.Account with { LastActiveAt = StoredTime.Cut(at), LastStatus = status };
        return true;
    }, cancel);

    public ValueTask<bool> Remove(Jid account, CancellationToken cancel = default) => db.Write(() =>
    {
        if (!db.AccountTable.Remove(account)) return false;
        db.ArchiveTable.Remove(account);
        MemoryPushes.Clear(db, push => push.Key.Owner == account);
        db.SessionTable.RemoveOf(account);
        foreach (var invite in db.InviteTable.Values.Where(invite => invite.Inviter == account).ToList())
            db.InviteTable.Remove(invite.Token);
        return true;
    }, cancel);

    public ValueTask<IReadOnlyList<Account>> List(
        string domain, Jid after, int max, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<Account>>(() =>
            [.. OfDomain(domain)
                .Select(found => found.Account)
                .OrderBy(account => account.Jid.Local.ToString(), CodePointOrder.Instance)
                .Where(account => after.IsNone
                    || CodePointOrder.Instance.Compare(account.Jid.Local.ToString(), after.Local.ToString()) > 0)
                .Take(max)], cancel);

    public ValueTask<long> Count(string domain, CancellationToken cancel = default) =>
        db.Read(() => OfDomain(domain).LongCount(), cancel);

    IEnumerable<MemoryAccount> OfDomain(string domain) =>
        db.AccountTable.Values.Where(found => found.Account.Jid.Domain.SequenceEqual(domain));
}

internal sealed class MemoryRosters(MemoryDatabase db) : IRosterStore
{
    public ValueTask<RosterData> Load(Jid account, CancellationToken cancel = default) =>
        db.Read(() => db.AccountTable.GetValueOrDefault(account)?.Roster ?? RosterData.Empty, cancel);

    public async ValueTask Save(Jid account, RosterItem item, long newVersion, CancellationToken cancel = default) =>
        await db.Write(() =>
        {
            var found = db.Require(account);
            var roster = found.Roster;
            found.Roster = roster with
            {
                Version = newVersion,
                Items = Sorted(
                    roster.Items.Where(old => old.Jid != item.Jid).Append(item with { Version = newVersion })),
                Removals = [.. roster.Removals.Where(removal => removal.Jid != item.Jid || !item.Listed)],
            };
            return true;
        }, cancel);

    public ValueTask<bool> Remove(Jid account, Jid contact, long newVersion, CancellationToken cancel = default) =>
        db.Write(() =>
        {
            if (!db.AccountTable.TryGetValue(account, out var found)) return false;
            var roster = found.Roster;
            if (roster.Items.FirstOrDefault(old => old.Jid == contact) is not { } item) return false;

            var removals = roster.Removals.Where(removal => removal.Jid != contact || !item.Listed).ToList();
            if (item.Listed) removals.Add(new RosterRemoval(contact, newVersion));
            long completeSince = roster.CompleteSince;
            while (removals.Count > RosterData.RemovalsMax)
            {
                completeSince = removals[0].Version;
                removals.RemoveAt(0);
            }
            var items = Sorted(roster.Items.Where(old => old.Jid != contact));
            found.Roster = new RosterData(newVersion, completeSince, items, removals);
            return true;
        }, cancel);

    static List<RosterItem> Sorted(IEnumerable<RosterItem> items) =>
        [.. items.OrderBy(item => item.Jid.ToString(), CodePointOrder.Instance)];
}

internal sealed class MemoryOffline(MemoryDatabase db) : IOfflineStore
{
    public ValueTask<OfflineAppend> TryAppend(
        Jid account, ReadOnlyMemory<byte> stanza, DateTimeOffset receivedAt, int max,
        CancellationToken cancel = default)
    {
        byte[] copy = stanza.ToArray();
        return db.Write(() =>
        {
            if (!db.AccountTable.TryGetValue(account, out var found)) return OfflineAppend.NoAccount;
            if (found.Offline.Count >= max) return OfflineAppend.Full;
            found.Offline.Add(new OfflineMessage(++found.LastOfflineId, StoredTime.Cut(receivedAt), copy));
            return OfflineAppend.Stored;
        }, cancel);
    }

    public ValueTask<IReadOnlyList<OfflineMessage>> Load(
        Jid account, long afterId, int max, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<OfflineMessage>>(
            () => [.. Of(account).Where(message => message.Id > afterId).Take(max)], cancel);

    public ValueTask<int> Remove(Jid account, long upToId, CancellationToken cancel = default) =>
        db.Write(() => Of(account).RemoveAll(message => message.Id <= upToId), cancel);

    public ValueTask<int> Count(Jid account, CancellationToken cancel = default) =>
        db.Read(() => Of(account).Count, cancel);

    List<OfflineMessage> Of(Jid account) => db.AccountTable.GetValueOrDefault(account)?.Offline ?? [];
}

internal sealed class MemoryAccountData(MemoryDatabase db) : IAccountDataStore
{
    public ValueTask<string?> Get(Jid account, string key, CancellationToken cancel = default) =>
        db.Read(() => db.AccountTable.GetValueOrDefault(account)?.Documents.GetValueOrDefault(key), cancel);

    public async ValueTask Set(Jid account, string key, string document, CancellationToken cancel = default) =>
        await db.Write(() => db.Require(account).Documents[key] = document, cancel);

    public ValueTask<bool> Remove(Jid account, string key, CancellationToken cancel = default) =>
        db.Write(() => db.AccountTable.GetValueOrDefault(account)?.Documents.Remove(key) ?? false, cancel);

    public ValueTask<IReadOnlyList<AccountDataKey>> Keys(
        Jid account, string prefix, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<AccountDataKey>>(() => db.AccountTable.TryGetValue(account, out var found)
            ? [.. found.Documents
                .Where(document => document.Key.StartsWith(prefix, StringComparison.Ordinal))
                .OrderBy(document => document.Key, CodePointOrder.Instance)
                .Select(document => new AccountDataKey(document.Key, Encoding.UTF8.GetByteCount(document.Value)))]
            : [], cancel);
}
