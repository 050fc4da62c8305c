using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Core.Rooms;

// Slow mode (XEP-0500): an owner says how long everybody waits between two messages. One that comes too soon is
// refused, unlike what the service's own rates hold back (Room.Rates).
public sealed partial class Room
{
    /// <summary>Users of whom the room knows when they last spoke, beyond those inside.</summary>
    const int SpeakersMax = 10_000;

    readonly Dictionary<Jid, DateTimeOffset> _spokeAt = [];

    /// <summary>XEP-0500 §5: for all sessions and nicks of a user together, only for messages with a body, and not for
    /// owners and admins.</summary>
    bool IsSlowed(OccupantSession sender, Message message) =>
        _options.SlowModeSeconds > 0 && sender.Occupant.Affiliation < Affiliation.Admin && message.Body is not null;

    StanzaError? CheckSlowMode(OccupantSession sender, Message message, DateTimeOffset now)
    {
        if (!IsSlowed(sender, message) || !_spokeAt.TryGetValue(sender.Occupant.User, out var before)) return null;
        if (now - before >= TimeSpan.FromSeconds(_options.SlowModeSeconds)) return null;
        return StanzaError.PolicyViolation with
        {
            Type = StanzaErrorType.Wait,
            Text = $"In this room you have to wait {_options.SlowModeSeconds} seconds between two messages",
        };
    }

    /// <summary>Remembers when a user spoke, if it did.</summary>
    StanzaError? NoteSpoken(OccupantSession sender, Message message, StanzaError? refusal, DateTimeOffset now)
    {
        if (refusal is not null || !IsSlowed(sender, message)) return refusal;
        if (_spokeAt.Count >= SpeakersMax) ForgetSpeakers(now);
        _spokeAt[sender.Occupant.User] = now;
        return null;
    }

    /// <summary>Forgets who may speak again and, where that is not enough, who waited longest.</summary>
    void ForgetSpeakers(DateTimeOffset now)
    {
        foreach (var (user, at) in _spokeAt)
            if (now - at >= TimeSpan.FromSeconds(_options.SlowModeSeconds)) _spokeAt.Remove(user);
        if (_spokeAt.Count >= SpeakersMax) _spokeAt.Remove(_spokeAt.MinBy(speaker => speaker.Value).Key);
    }
}
