using System.Collections.Immutable;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Rooms;

/// <summary>A member of a room who is not inside.</summary>
/// <param name="User">Bare JID.</param>
/// <param name="Nick">The nick that it has registered in the room, or null.</param>
/// <param name="HasWishes">What it was said to have in the list that was asked for.</param>
public readonly record struct AbsentMember(Jid User, string? Nick, bool HasWishes);

// Who is told by other ways that something was said (muc-push.md §6, §7).
public sealed partial class Room
{
    ImmutableArray<AbsentMember> _listedAbsent = [];
    (long Changes, object? List) _listedAsOf = (-1, null);
    long _peopleChanges;

    /// <summary>To be called when a user has come, gone, or changed on the list: by those who keep these.</summary>
    void NoteChange(Jid user)
    {
        _peopleChanges++;
        NoteAbsence(user);
    }

    /// <summary>Those members and above of a list who are not inside under any nick. Made anew only after somebody
    /// came, went or changed on the room's own list, or for another list.</summary>
    /// <param name="users">Bare JIDs.</param>
    public ImmutableArray<AbsentMember> AbsentOf(ImmutableDictionary<Jid, bool> users)
    {
        var now = (_peopleChanges, (object?)users);
        if (now == _listedAsOf) return _listedAbsent;
        _listedAsOf = now;
        var found = ImmutableArray.CreateBuilder<AbsentMember>();
        if (users.Count < _affiliations.Count)
        {
            foreach (var (user, hasWishes) in users) Add(_affiliations.Exactly(user), hasWishes);
        }
        else
        {
            foreach (var entry in _affiliations.All)
                if (users.TryGetValue(entry.User, out bool hasWishes)) Add(entry, hasWishes);
        }
        return _listedAbsent = found.DrainToImmutable();

        void Add(AffiliationEntry? entry, bool hasWishes)
        {
            if (entry is { Affiliation: >= Affiliation.Member } && !IsInside(entry.User))
                found.Add(new(entry.User, entry.Nick, hasWishes));
        }
    }

    /// <summary>Whether a user is inside with any session.</summary>
    public bool IsInside(Jid user) => !_occupants.OfUser(user.Bare).IsEmpty;

    /// <summary>Whether the list has a user as member or above, and under which registered nick.</summary>
    public AbsentMember? MemberOf(Jid user) => _affiliations.Exactly(user.Bare) is
        { Affiliation: >= Affiliation.Member } entry ? new(entry.User, entry.Nick, false) : null;

    /// <summary>The messages of some archive ids as they were shown, as far as they are among the last ones.</summary>
    public IReadOnlyDictionary<long, Message> Remembered(IEnumerable<long> ids)
    {
        var found = new Dictionary<long, Message>();
        foreach (long id in ids)
            if (_history.Find(id) is { } entry) found[id] = entry.Stanza;
        return found;
    }
}
