using Muster.Protocol.Addresses;

namespace Muster.Server.Storage;

/// <summary>
/// Nicks reserved in all rooms of a MUC service (muc.md §11). In a service a user has at most one, and a nick at most
/// one user. Nicks are compared as they are: the caller normalises.
/// </summary>
internal interface INickStore
{
    /// <summary>Whose nick it is; <see cref="Jid.None"/> when free.</summary>
    ValueTask<Jid> FindOwner(string service, string nick, CancellationToken cancel = default);

    /// <summary>The user's nick, or null.</summary>
    ValueTask<string?> Find(string service, Jid user, CancellationToken cancel = default);

    /// <summary>Gives the user this nick instead of any other; false, changing nothing, when it is another's.</summary>
    ValueTask<bool> TrySet(string service, Jid user, string nick, CancellationToken cancel = default);

    /// <summary>Releases the user's nick; false when there was none.</summary>
    ValueTask<bool> Remove(string service, Jid user, CancellationToken cancel = default);
}
