using System.Collections.Immutable;
using System.Globalization;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;

namespace Muster.Core.Rooms;

/// <summary>The affiliation list of one room, with the nicks reserved in it, and the requests of those who want to be
/// on it. Finding is constant in time, whatever the size.</summary>
/// <remarks>Each change of an affiliation makes a version (XEP-0463). What was taken away is remembered, so that
/// somebody who knows an older version need only hear of the changes since.</remarks>
/// <param name="changed">Told of each user whose entry is another.</param>
sealed class Affiliations(Action<Jid> changed)
{
    readonly Dictionary<Jid, AffiliationEntry> _byUser = [];
    readonly Dictionary<string, Jid> _byNick = new(StringComparer.Ordinal);
    int _wide; // entries for a domain or with a resource: most rooms have none, then one look-up does

    readonly Dictionary<Jid, AffiliationEntry> _past = []; // those without affiliation: removed, or asking
    int _requests, _removed;
    long _unversioned; // entries that came without version get small ones, in the order in which they came

    /// <summary>The version of the list. Versions grow and never come again.</summary>
    public long Version { get; private set; }

    /// <summary>Number of entries.</summary>
    public int Count => _byUser.Count;

    /// <summary>Number of users that are owners.</summary>
    public int Owners { get; private set; }

    /// <summary>All entries, in no order that means anything.</summary>
    public IEnumerable<AffiliationEntry> All => _byUser.Values;

    /// <summary>Users without affiliation of whom something is known.</summary>
    public IEnumerable<AffiliationEntry> Past => _past.Values;

    /// <summary>Number of requests for membership.</summary>
    public int Requests => _requests;

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

    /// <summary>What a user asks for, or null.</summary>
    public RegistrationRequest? RequestOf(Jid user) => _past.GetValueOrDefault(user)?.Request;

    /// <summary>Whether a user, a member or more, wants messages while away.</summary>
    /// <param name="user">The bare address.</param>
    /// <param name="byDefault">What those want who never chose.</param>
    public bool WantsOffline(Jid user, bool byDefault) =>
        user is { HasLocal: true, IsBare: true } && Exactly(user) is { Affiliation: >= Affiliation.Member } entry
            && (entry.OfflineDelivery ?? byDefault);

    /// <summary>Takes an entry as it was stored or configured.</summary>
    public void Load(AffiliationEntry entry)
    {
        if (entry.Affiliation != Affiliation.None && entry.Version == 0)
            entry = entry with { Version = ++_unversioned };
        Version = Math.Max(Version, entry.Version);
        Put(entry);
    }

    /// <summary>Adds or replaces an entry; one without affiliation removes it. A request of the user is over when it
    /// gets an affiliation.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="id">A number greater than all given before: the new version, if the affiliation changes.</param>
    /// <returns>From which version to which this leads; null when the affiliation is the same.</returns>
    public MucVersion? Set(AffiliationEntry entry, long id)
    {
        long before = Version;
        var old = Exactly(entry.User);
        bool isChange = entry.Affiliation != (old?.Affiliation ?? Affiliation.None);
        if (isChange) Version = Math.Max(id, Version + 1);
        Put(entry with { Version = isChange ? Version : Known(entry.User)?.Version ?? 0, Request = null });
        return isChange ? new MucVersion(Name(before), Name(Version)) : null;
    }

    /// <summary>Keeps what a user without affiliation asks for, or forgets it.</summary>
    public void SetRequest(Jid user, RegistrationRequest? request) =>
        Put((_past.GetValueOrDefault(user) ?? new AffiliationEntry(user, Affiliation.None)) with { Request = request });

    /// <summary>All that is known of a user, as it is to be stored; null when that is nothing.</summary>
    public AffiliationEntry? Known(Jid user) => Exactly(user) ?? _past.GetValueOrDefault(user);

    /// <summary>Forgets removals beyond a number, oldest first, and tells whose.</summary>
    public Jid? Forget(int removalsMax)
    {
        if (_removed <= removalsMax) return null;
        var oldest = _past.Values.Where(entry => entry.Version > 0).MinBy(entry => entry.Version)!;
        Put(oldest with { Version = 0 });
        return oldest.User;
    }

    /// <summary>The version that may have been given out first and for which all changes since are known.</summary>
    /// <param name="removalsMax">How many removals are remembered.</param>
    public long OldestKnown(int removalsMax) => _removed < removalsMax ? 0
        : _past.Values.Where(entry => entry.Version > 0).Select(entry => entry.Version).DefaultIfEmpty(0).Min();

    /// <summary>A version as clients get it.</summary>
    public static string Name(long version) => version.ToString("x", CultureInfo.InvariantCulture);

    void Put(AffiliationEntry entry)
    {
        Replace(entry);
        changed(entry.User);
    }

    void Replace(AffiliationEntry entry)
    {
        Remove(entry.User);
        if (entry.Affiliation == Affiliation.None)
        {
            if (entry is { Version: 0, Request: null }) return;
            _past[entry.User] = new AffiliationEntry(entry.User, Affiliation.None)
            {
                Version = entry.Version,
                Request = entry.Request,
            };
            if (entry.Version > 0) _removed++;
            if (entry.Request is not null) _requests++;
            return;
        }
        _byUser[entry.User] = entry;
        if (entry.Nick is not null) _byNick[entry.Nick] = entry.User;
        if (entry.Affiliation == Affiliation.Owner) Owners++;
        if (IsWide(entry.User)) _wide++;
    }

    void Remove(Jid user)
    {
        if (_past.Remove(user, out var past))
        {
            if (past.Version > 0) _removed--;
            if (past.Request is not null) _requests--;
        }
        if (!_byUser.Remove(user, out var entry)) return;
        if (entry.Nick is not null) _byNick.Remove(entry.Nick);
        if (entry.Affiliation == Affiliation.Owner) Owners--;
        if (IsWide(user)) _wide--;
    }

    static bool IsWide(Jid user) => !user.HasLocal || user.IsFull;
}
