using Muster.Protocol.Addresses;

namespace Muster.Server.Storage.Memory;

internal sealed class MemoryInvites(MemoryDatabase db) : IInviteStore
{
    public ValueTask<bool> TryAdd(Invite invite, CancellationToken cancel = default) => db.Write(() =>
    {
        if (!invite.Inviter.IsNone) db.Require(invite.Inviter);
        return db.InviteTable.TryAdd(invite.Token, invite with
        {
            CreatedAt = StoredTime.Cut(invite.CreatedAt),
            ExpiresAt = StoredTime.Cut(invite.ExpiresAt),
        });
    }, cancel);

    public ValueTask<Invite?> Find(string token, CancellationToken cancel = default) =>
        db.Read(() => db.InviteTable.GetValueOrDefault(token), cancel);

    public ValueTask<Invite?> TryUse(string token, DateTimeOffset now, CancellationToken cancel = default) =>
        db.Write(() =>
        {
            if (db.InviteTable.GetValueOrDefault(token) is not { UsesLeft: > 0 } invite
                || invite.ExpiresAt <= StoredTime.Cut(now)) return null;
            return db.InviteTable[token] = invite with { UsesLeft = invite.UsesLeft - 1 };
        }, cancel);

    public async ValueTask GiveBack(string token, CancellationToken cancel = default) => await db.Write(() =>
    {
        if (db.InviteTable.GetValueOrDefault(token) is { } invite)
            db.InviteTable[token] = invite with { UsesLeft = invite.UsesLeft + 1 };
        return true;
    }, cancel);

    public ValueTask<bool> IsReserved(Jid account, DateTimeOffset now, CancellationToken cancel = default) =>
        db.Read(() => db.InviteTable.Values.Any(invite =>
            invite is { Kind: InviteKind.Account, UsesLeft: > 0 } && invite.Target == account &&
            invite.ExpiresAt > StoredTime.Cut(now)), cancel);

    public ValueTask<bool> Remove(string token, CancellationToken cancel = default) =>
        db.Write(() => db.InviteTable.Remove(token), cancel);

    public ValueTask<IReadOnlyList<Invite>> List(Jid inviter, int max, CancellationToken cancel = default) =>
        db.Read<IReadOnlyList<Invite>>(() =>
            [.. db.InviteTable.Values
                .Where(invite => invite.Inviter == inviter)
                .OrderByDescending(invite => invite.CreatedAt)
                .ThenBy(invite => invite.Token, CodePointOrder.Instance)
                .Take(max)], cancel);

    public ValueTask<int> RemoveExpired(DateTimeOffset now, CancellationToken cancel = default) => db.Write(() =>
    {
        var expired = db.InviteTable.Values.Where(invite => invite.ExpiresAt <= StoredTime.Cut(now)).ToList();
        foreach (var invite in expired) db.InviteTable.Remove(invite.Token);
        return expired.Count;
    }, cancel);
}

internal sealed class MemoryNicks(MemoryDatabase db) : INickStore
{
    public ValueTask<Jid> FindOwner(string service, string nick, CancellationToken cancel = default) =>
        db.Read(() => Owner(service, nick), cancel);

    public ValueTask<string?> Find(string service, Jid user, CancellationToken cancel = default) =>
        db.Read(() => db.NickTable.GetValueOrDefault((service, user)), cancel);

    public ValueTask<bool> TrySet(string service, Jid user, string nick, CancellationToken cancel = default) =>
        db.Write(() =>
        {
            var owner = Owner(service, nick);
            if (!owner.IsNone && owner != user) return false;
            db.NickTable[(service, user)] = nick;
            return true;
        }, cancel);

    public ValueTask<bool> Remove(string service, Jid user, CancellationToken cancel = default) =>
        db.Write(() => db.NickTable.Remove((service, user)), cancel);

    Jid Owner(string service, string nick) => db.NickTable
        .FirstOrDefault(entry => entry.Key.Service == service && entry.Value == nick).Key.User;
}
