using System.Collections.Immutable;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Rooms;

// Messages for members who are not inside (muc-offline-delivery.md §5, §8, §10).
public sealed partial class Room
{
    /// <summary>What a room, and its service, says of itself when messages can be sent to members who are
    /// away.</summary>
    public const string OfflineFeature = "http://tigase.org/protocol/muc#offline";

    readonly OfflineTargets _absent = new();

    /// <summary>Whether members of the room can have what is said sent to them while they are away.</summary>
    bool OffersOffline => Policy.OfflineDelivery && !(Policy.OfflineUnmoderatedOnly && _options.Moderated);

    void NoteAbsence(Jid user) => _absent.Set(user, Policy.OfflineDelivery && _occupants.OfUser(user).IsEmpty
        && _affiliations.WantsOffline(user, Policy.OfflineDeliveryDefault));

    /// <summary>Finds out anew who is away, after what the service lays down has changed.</summary>
    void FindAbsent()
    {
        _absent.Clear();
        if (!Policy.OfflineDelivery) return;
        foreach (var entry in _affiliations.All) NoteAbsence(entry.User);
    }

    /// <summary>Sends what was shown to those who are away.</summary>
    void ForwardShown(Message shown, List<RoomEffect> effects)
    {
        if (_absent.Count == 0 || !OffersOffline) return;
        int left = Math.Max(0, _absent.Count - Policy.OfflineTargetsMax);
        effects.Add(new RoomEffect.Forward(shown, _absent.Take(Policy.OfflineTargetsMax), left));
    }

    /// <summary>What a ghost missed goes to its user's bare JID once, if nothing else of the user is inside.</summary>
    void ForwardMissed(Jid user, ImmutableArray<long> missed, List<RoomEffect> effects)
    {
        if (missed.IsEmpty || !_absent.Has(user) || !OffersOffline) return;
        foreach (long id in missed)
            if (_history.Find(id) is { } entry) effects.Add(new RoomEffect.Forward(entry.Delayed(Address), [user]));
    }

    /// <summary>Nothing of what was sent to a user has arrived for long: nothing is sent any more, until the user asks
    /// for it again. The affiliation stays.</summary>
    void StopForwarding(Jid user, in RoomInput input, List<RoomEffect> effects)
    {
        if (_affiliations.Exactly(user) is not { OfflineDelivery: not false } entry) return;
        StoreAffiliation(entry with { OfflineDelivery = false }, input, effects);
    }
}
