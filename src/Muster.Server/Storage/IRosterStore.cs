using Muster.Protocol.Addresses;

namespace Muster.Server.Storage;

/// <summary>The subscription of a roster item (RFC 6121 §2.1.2.5). The numbers are on disk: frozen by a test.</summary>
internal enum RosterSubscription
{
    /// <summary>Neither sees the other's presence.</summary>
    None = 0,
    /// <summary>The user sees the contact.</summary>
    To = 1,
    /// <summary>The contact sees the user.</summary>
    From = 2,
    /// <summary>Each sees the other.</summary>
    Both = 3,
}

/// <summary>What an account stores about one contact.</summary>
internal sealed record RosterItem
{
    /// <summary>The contact's JID.</summary>
    public required Jid Jid { get; init; }
    /// <summary>The name that the user gave; "" for none.</summary>
    public string Name { get; init; } = "";
    /// <summary>The groups, in the order the client sent them.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];
    /// <summary>The subscription.</summary>
    public RosterSubscription Subscription { get; init; }
    /// <summary>Pending out: the user asked and has no answer yet (<c>ask='subscribe'</c>).</summary>
    public bool PendingOut { get; init; }
    /// <summary>The user approved a request that has not come yet (RFC 6121 §3.4).</summary>
    public bool Approved { get; init; }
    /// <summary>Pending in: the contact's subscribe stanza, delivered again at each login until answered (RFC 6121
    /// §3.1.3); null for none.</summary>
    public ReadOnlyMemory<byte>? PendingIn { get; init; }
    /// <summary>Whether the user has the contact in the roster. False for one that only has a request pending or an
    /// approval given: such an item is never shown in the roster (RFC 6121 §3.1.3, §3.4.2).</summary>
    public bool Listed { get; init; } = true;
    /// <summary>The roster version at which the item last changed; set by the store from the version saved
    /// with.</summary>
    public long Version { get; init; }
}

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
/// remember. </summary>
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
