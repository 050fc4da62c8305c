using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Accounts;

/// <summary>Gives out and finds the tokens with which clients log in again (XEP-0484).</summary>
/// <remarks>
/// A hash of a token would not do in the store: whoever has the hash could make the proofs of the HT mechanisms too. So
/// what is stored is a random seed, and the token is a keyed hash of it. The key is a file of the data folder, so the
/// database and its backups hold no token. The account's SCRAM keys go into the hash as well: a new password makes all
/// tokens worthless at that moment, also one that is being given out.
/// </remarks>
/// <param name="store">Where they are kept.</param>
/// <param name="accounts">Where accounts are kept.</param>
/// <param name="secret">The server's secret bytes.</param>
/// <param name="clock">The time.</param>
/// <param name="lifetime">How long one is good.</param>
/// <param name="clientsMax">How many clients of one account may have one.</param>
/// <param name="meters">Counts.</param>
/// <param name="log">Where failures go.</param>
sealed class TokenBook(
    ITokenStore store, IAccountStore accounts, ReadOnlyMemory<byte> secret, TimeProvider clock, Func<TimeSpan> lifetime,
    Func<int> clientsMax, AccountMeters meters, ILogger log)
{
    const int SeedBytes = 16;
    // RFC 8959: so that whoever finds one in a file or a log sees what it is.
    const string Prefix = "secret-token:";

    /// <summary>The tokens of a client, and what is known of its account.</summary>
    public async ValueTask<NegotiationInput.TokensFound> Find(Jid account, string client)
    {
        var now = clock.GetUtcNow();
        try
        {
            // Both are asked for whatever comes of the first: the time must not say whether there is such an account.
            var tokens = await store.Find(account, client);
            if (await accounts.Find(account) is not { } found) return new(new AccountFacts(false), [], now);
            return new(new AccountFacts(true, found.Disabled), [.. tokens.Select(token => ToLogin(found, token))], now);
        }
        catch (StorageException e)
        {
            AccountsLog.TokensUnavailable(log, account, e.Message);
            return new(new AccountFacts(false) { Unavailable = true }, [], now);
        }
    }

    /// <summary>Notes that a client has logged in with a token; see <see cref="NegotiationInput.TokenUsed"/>.</summary>
    public async ValueTask<bool?> Use(NegotiationEffect.UseToken use)
    {
        try
        {
            if (await accounts.Find(use.Account) is not { } account) return false;
            // By its text, as only that says that it is the token still: the password may have changed meanwhile.
            var token = (await store.Find(use.Account, use.Client))
                .FirstOrDefault(token => TextOf(account, token) == use.Token.Text);
            if (token is null || !await store.TryUse(use.Account, token, use.Count)) return false;
            if (use.Invalidates) await store.Remove(use.Account, use.Client);
            return true;
        }
        catch (StorageException e)
        {
            AccountsLog.TokensUnavailable(log, use.Account, e.Message);
            return null;
        }
    }

    /// <summary>Gives out a token, which replaces those of the same client once it is used; null when the store is away
    /// or the account gone, and the client goes on with what it has.</summary>
    public async ValueTask<LoginToken?> Issue(NegotiationEffect.IssueToken issue)
    {
        try
        {
            if (await accounts.Find(issue.Account) is not { } account) return null;
            var now = clock.GetUtcNow();
            var token = new StoredToken
            {
                Client = issue.Client,
                Mechanism = issue.Mechanism,
                Seed = RandomNumberGenerator.GetBytes(SeedBytes),
                CreatedAt = now,
                ExpiresAt = now + lifetime(),
            };
            int max = clientsMax();
            if (await store.Issue(issue.Account, token, max) > 0)
            {
                meters.LimitReached("tokens");
                AccountsLog.TooManyTokens(log, issue.Account, max);
            }
            return ToLogin(account, token);
        }
        catch (StorageException e)
        {
            AccountsLog.TokensUnavailable(log, issue.Account, e.Message);
            return null;
        }
    }

    /// <summary>Takes all tokens of an account back; returns how many there were.</summary>
    public ValueTask<int> Revoke(Jid account, CancellationToken cancel = default) =>
        store.Remove(account, null, cancel);

    /// <summary>Forgets those that are no longer good.</summary>
    public async ValueTask RemoveExpired(CancellationToken cancel) =>
        await store.RemoveExpired(clock.GetUtcNow(), cancel);

    LoginToken ToLogin(Account account, StoredToken token) =>
        new(TextOf(account, token), token.Mechanism, token.CreatedAt, token.ExpiresAt) { LastCount = token.LastCount };

    string TextOf(Account account, StoredToken token)
    {
        string source = string.Join('\0', "login token", account.Jid, account.ScramSha256 ?? account.ScramSha1,
            token.Client, token.Mechanism, Convert.ToHexString(token.Seed.Span));
        return Prefix + Base64Url.EncodeToString(HMACSHA256.HashData(secret.Span, Encoding.UTF8.GetBytes(source)));
    }
}
