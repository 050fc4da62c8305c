using Muster.Protocol.Addresses;

namespace Muster.Core.Rosters;

/// <summary>An account's contacts as they are at one moment. Immutable: a change makes a new roster, so readers need no
/// lock.</summary>
public sealed class Roster
{
    /// <summary>The roster of an account that has none.</summary>
    public static readonly Roster Empty = new(0, Array.Empty<RosterItem>());

    readonly Dictionary<Jid, RosterItem> _items;
    readonly Jid[] _subscribers;
    readonly Jid[] _publishers;

    /// <summary>Makes a roster of items with different addresses.</summary>
    public Roster(long version, IEnumerable<RosterItem> items)
        : this(version, items.ToDictionary(item => item.Jid)) { }

    Roster(long version, Dictionary<Jid, RosterItem> items)
    {
        Version = version;
        _items = items;
        _subscribers = Matching(static state => state.ShowsContact);
        _publishers = Matching(static state => state.SeesContact);
        ListedCount = items.Values.Count(static item => item.Listed);
    }

    /// <summary>The version of the last change (RFC 6121 §2.6).</summary>
    public long Version { get; }

    /// <summary>All items, those not listed included, in no order.</summary>
    public IReadOnlyCollection<RosterItem> Items => _items.Values;

    /// <summary>Number of items that the user has in the roster.</summary>
    public int ListedCount { get; }

    /// <summary>The contacts that see the user's presence (subscription from or both).</summary>
    public ReadOnlySpan<Jid> Subscribers => _subscribers;

    /// <summary>The contacts whose presence the user sees (subscription to or both).</summary>
    public ReadOnlySpan<Jid> Publishers => _publishers;

    /// <summary>The item of exactly this address, or null.</summary>
    public RosterItem? Find(Jid contact) => _items.GetValueOrDefault(contact);

    /// <summary>Where the subscription with a contact stands; the resource does not matter.</summary>
    public SubscriptionState StateOf(Jid contact) => _items.GetValueOrDefault(contact.Bare)?.State ?? default;

    /// <summary>The roster with an item added or replaced.</summary>
    public Roster With(RosterItem item, long version) =>
        new(version, new Dictionary<Jid, RosterItem>(_items) { [item.Jid] = item with { Version = version } });

    /// <summary>The roster without an item.</summary>
    public Roster Without(Jid contact, long version)
    {
        var rest = new Dictionary<Jid, RosterItem>(_items);
        rest.Remove(contact);
        return new(version, rest);
    }

    Jid[] Matching(Func<SubscriptionState, bool> matches) =>
        [.. _items.Values.Where(item => matches(item.State)).Select(item => item.Jid)];
}
