using Muster.Protocol.Addresses;

namespace Muster.Server.Sessions;

/// <summary>Lets changes of one account happen one after the other: roster, subscriptions, block list, offline
/// messages; for accounts that are offline too.</summary>
/// <remarks>
/// A fixed number of locks shared by all accounts, so it needs no bookkeeping and no memory per account. Not on the
/// path of messages between people who are there. Held across store calls. A holder never takes a second turn and never
/// routes a stanza, as that may need another account's: so there is no order to keep and no deadlock.
/// </remarks>
sealed class AccountTurns
{
    const int Stripes = 512;

    readonly SemaphoreSlim[] _locks = [.. Enumerable.Range(0, Stripes).Select(_ => new SemaphoreSlim(1, 1))];

    /// <summary>Waits for the account's turn; disposing the result ends it.</summary>
    public async ValueTask<Held> Take(Jid account)
    {
        var turn = _locks[(uint)account.GetHashCode() % Stripes];
        await turn.WaitAsync();
        return new Held(turn);
    }

    /// <summary>A turn that is held.</summary>
    public readonly struct Held(SemaphoreSlim turn) : IDisposable
    {
        /// <summary>Ends the turn.</summary>
        public void Dispose() => turn.Release();
    }
}
