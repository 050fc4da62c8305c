using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;

namespace Muster.Core.Rooms;

/// <summary>The affiliation list of one room, with the nicks reserved in it. Finding is constant in time, whatever the
/// size.</summary>
sealed class Affiliations
{
    readonly Dictionary<Jid, AffiliationEntry> _byUser = [];
    readonly Dictionary<string, Jid> _byNick = new(StringComparer.Ordinal);
    int _wide; // entries for a domain or with a resource: most rooms have none, then one look-up does

    readonly HashSet<Jid> _offline = []; // users who want messages while they are away

    /// <summary>Changes with every entry.</summary>
    public int Version { get; private set; }

    /// <summary>Number of entries.</summary>
    public int Count => _byUser.Count;

    /// <summary>Number of users that are owners.</summary>
    public int Owners { get; private set; }

    /// <summary>All entries, in no order that means anything.</summary>
    public IEnumerable<AffiliationEntry> All => _byUser.Values;

    /// <summary>The affiliation of a user. muc.md §2: full JID, bare JID, domain with resource, domain; the first entry
    /// decides.</summary>
    public Affiliation Of(Jid user)
    {
        if (_wide > 0 && Exactly(user) is { } full) return full.Affiliation;
        if (Exactly(user.Bare) is { } bare) return bare.Affiliation;
        if (_wide == 0) return Affiliation.None;
        if (user.IsFull && user.DomainJid.TryWithResource(user.Resource.ToString(), out var onDomain) &&
            Exactly(onDomain) is { } resource) return resource.Affiliation;
        return Exactly(user.DomainJid)?.Affiliation ?? Affiliation.None;
    }

    /// <summary>The entry of exactly this address, or null.</summary>
    public AffiliationEntry? Exactly(Jid user) => _byUser.GetValueOrDefault(user);

    /// <summary>Who has reserved a nick, or none.</summary>
    public Jid OwnerOf(string nick) => _byNick.GetValueOrDefault(nick);

    /// <summary>Members and above who want messages while they are away.</summary>
    /// <param name="byDefault">What those want who never chose.</param>
    public IEnumerable<Jid> WantingOffline(bool byDefault) => byDefault
        ? _byUser.Values.Where(entry => entry.OfflineDelivery != false && MayWant(entry)).Select(entry => entry.User)
        : _offline;

    static bool MayWant(AffiliationEntry entry) =>
        entry.Affiliation >= Affiliation.Member && entry.User is { HasLocal: true, IsBare: true };

    /// <summary>Adds or replaces an entry; one without affiliation removes it.</summary>
    public void Set(AffiliationEntry entry)
    {
        Remove(entry.User);
        Version++;
        if (entry.Affiliation == Affiliation.None) return;
        _byUser[entry.User] = entry;
        if (entry.Nick is not null) _byNick[entry.Nick] = entry.User;
        if (entry.Affiliation == Affiliation.Owner) Owners++;
        if (IsWide(entry.User)) _wide++;
        if (entry.OfflineDelivery == true && MayWant(entry)) _offline.Add(entry.User);
    }

    void Remove(Jid user)
    {
        if (!_byUser.Remove(user, out var entry)) return;
        if (entry.Nick is not null) _byNick.Remove(entry.Nick);
        if (entry.Affiliation == Affiliation.Owner) Owners--;
        if (IsWide(user)) _wide--;
        _offline.Remove(user);
    }

    static bool IsWide(Jid user) => !user.HasLocal || user.IsFull;
}
