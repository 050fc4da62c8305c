using System.Collections.Immutable;
using Muster.Protocol.Addresses;

namespace Muster.Core.Rooms;

// Messages for members who are not inside (muc-offline-delivery.md §5, §10).
public sealed partial class Room
{
    ImmutableArray<Jid> _absent = [];
    (int Occupants, int Affiliations) _absentAsOf = (-1, -1);

    /// <summary>Who gets what is said though not inside under any nick. Made anew only after somebody came, went or
    /// changed on the list.</summary>
    ImmutableArray<Jid> Absent
    {
        get
        {
            var now = (_occupants.Version, _affiliations.Changes);
            if (now != _absentAsOf)
            {
                _absentAsOf = now;
                _absent = [.. _affiliations.WantingOffline(Policy.OfflineDeliveryDefault)
                    .Where(user => _occupants.OfUser(user).IsEmpty)
                    .Take(Policy.OfflineTargetsMax)];
            }
            return _absent;
        }
    }

    /// <summary>What a ghost missed goes to its user's bare JID once, if nothing else of the user is inside.</summary>
    void ForwardMissed(Jid user, ImmutableArray<long> missed, List<RoomEffect> effects)
    {
        if (missed.IsEmpty || !Absent.Contains(user)) return;
        foreach (long id in missed)
            if (_history.Find(id) is { } entry) effects.Add(new RoomEffect.Forward(entry.Delayed(Address), [user]));
    }
}
