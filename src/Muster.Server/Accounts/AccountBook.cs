using System.Security.Cryptography;
using Muster.Protocol.Addresses;
using Muster.Protocol.Sasl;
using Muster.Server.Storage;

namespace Muster.Server.Accounts;

/// <summary>What came of a change to an account.</summary>
enum AccountOutcome
{
    /// <summary>It is done and stored.</summary>
    Done,
    /// <summary>There is an account of that name already.</summary>
    Exists,
    /// <summary>There is no such account.</summary>
    NotFound,
    /// <summary>The JID is not a bare JID with a local part in a domain of this server.</summary>
    BadName,
    /// <summary>The password is empty, too long, or has characters that no password may have (RFC 8265 §4).</summary>
    BadPassword,
}

/// <summary>Makes, changes and finds accounts. The one place where a password becomes keys; it is never kept.</summary>
/// <param name="store">Where accounts are kept.</param>
/// <param name="tokens">Where their clients' tokens are kept.</param>
/// <param name="clock">The time.</param>
/// <param name="hosts">The domains that have accounts.</param>
/// <param name="iterations">Iterations of the keys of new passwords (RFC 5802 §5.1). Accounts that do not exist claim
/// to have the same, so that they cannot be told apart.</param>
sealed class AccountBook(
    IAccountStore store, ITokenStore tokens, TimeProvider clock, IReadOnlyCollection<string> hosts,
    Func<int> iterations)
{
    /// <summary>What else is to be done for an account whose password has changed. Set once, while the server is
    /// built.</summary>
    public Func<Jid, ValueTask> PasswordChanged { get; set; } = static _ => default;

    /// <summary>Makes an account.</summary>
    public async ValueTask<AccountOutcome> Add(Jid account, string password, CancellationToken cancel = default)
    {
        if (!IsName(account)) return AccountOutcome.BadName;
        if (Derive(password) is not { } keys) return AccountOutcome.BadPassword;
        var made = new Account
        {
            Jid = account,
            ScramSha1 = keys.Sha1,
            ScramSha256 = keys.Sha256,
            CreatedAt = clock.GetUtcNow(),
        };
        return await store.TryAdd(made, cancel) ? AccountOutcome.Done : AccountOutcome.Exists;
    }

    /// <summary>Gives an account another password. Its clients need it from now on: their tokens are worth
    /// nothing.</summary>
    public async ValueTask<AccountOutcome> SetPassword(Jid account, string password, CancellationToken cancel = default)
    {
        if (Derive(password) is not { } keys) return AccountOutcome.BadPassword;
        if (await store.Find(account.Bare, cancel) is not { } found) return AccountOutcome.NotFound;
        if (!await store.Update(found with { ScramSha1 = keys.Sha1, ScramSha256 = keys.Sha256 }, cancel))
            return AccountOutcome.NotFound;
        // They are worthless already (see TokenBook); this is to tidy up.
        await tokens.Remove(account.Bare, null, cancel);
        await PasswordChanged(account.Bare);
        return AccountOutcome.Done;
    }

    /// <summary>The keys of an account for one mechanism; null when there is no such account, or it may not log
    /// in.</summary>
    public async ValueTask<ScramSecret?> FindSecret(Jid account, ScramHash hash, CancellationToken cancel = default)
    {
        if (await store.Find(account.Bare, cancel) is not { Disabled: false } found) return null;
        string? stored = hash == ScramHash.Sha1 ? found.ScramSha1 : found.ScramSha256;
        return ScramSecret.TryParse(stored, out var secret) ? secret : null;
    }

    bool IsName(Jid account) =>
        account is { IsBare: true, HasLocal: true } && hosts.Contains(account.Domain.ToString());

    (string Sha1, string Sha256)? Derive(string password)
    {
        int count = iterations();
        byte[] salt = RandomNumberGenerator.GetBytes(2 * ScramSecret.SaltBytes);
        var sha1 = ScramSecret.Derive(ScramHash.Sha1, password, salt.AsSpan(0, ScramSecret.SaltBytes), count);
        var sha256 = ScramSecret.Derive(ScramHash.Sha256, password, salt.AsSpan(ScramSecret.SaltBytes), count);
        return sha1 is null || sha256 is null ? null : (sha1.ToStorage(), sha256.ToStorage());
    }
}
