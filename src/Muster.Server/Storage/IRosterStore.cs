using Muster.Core.Rosters;
using Muster.Protocol.Addresses;

namespace Muster.Server.Storage;

/// <summary>A contact that was removed, kept for clients that ask what changed.</summary>
/// <param name="Jid">The contact.</param>
/// <param name="Version">The roster version made by the removal.</param>
internal readonly record struct RosterRemoval(Jid Jid, long Version);

/// <summary>A roster, whole.</summary>
/// <param name="Version">The version of the last change; 0 for a roster never touched.</param>
/// <param name="CompleteSince">Changes after this version are all known: a client that has it or a later one can be
/// answered with the changes alone, an older one gets the whole roster (RFC 6121 §2.6.3).</param>
/// <param name="Items">All items in order of their JIDs, those not listed included.</param>
/// <param name="Removals">The newest removals, at most <see cref="RemovalsMax"/>, oldest first.</param>
internal sealed record RosterData(
    long Version, long CompleteSince, IReadOnlyList<RosterItem> Items, IReadOnlyList<RosterRemoval> Removals)
{
    /// <summary>How many removals are kept for each account.</summary>
    public const int RemovalsMax = 100;

    /// <summary>The roster of an account that has none.</summary>
    public static RosterData Empty { get; } = new(0, 0, [], []);
}

/// <summary>
/// The contact lists. The caller chooses the new version: larger than the last one, best also not smaller than the
/// time in milliseconds, so that an account made anew under an old name does not repeat versions that clients
/// remember.
/// </summary>
internal interface IRosterStore
{
    /// <summary>The roster; an empty one when the account has none.</summary>
    ValueTask<RosterData> Load(Jid account, CancellationToken cancel = default);

    /// <summary>Adds or replaces one item and sets the roster's version. <see cref="StorageFault.Conflict"/> when
    /// there is no such account.</summary>
    ValueTask Save(Jid account, RosterItem item, long newVersion, CancellationToken cancel = default);

    /// <summary>Removes one item, remembers the removal and sets the version; false, changing nothing, when there was
    /// no such item. An item that was never listed leaves no removal behind: no client knew it.</summary>
    ValueTask<bool> Remove(Jid account, Jid contact, long newVersion, CancellationToken cancel = default);
}
