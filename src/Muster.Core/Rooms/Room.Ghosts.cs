using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Sessions that are inside but not there any more: what the room sent to them comes back as an error
// (XEP-0045 §11.1 #service-error-kick, §18.1.2 #impl-service-ghosts; muc.md §9).
public sealed partial class Room
{
    const string GhostReason = "Kicked: recipient unavailable";

    /// <summary>An error stanza from somebody inside. Those from others never get here: they are dropped.</summary>
    void ReceiveBounce(OccupantSession session, Stanza bounce, List<RoomEffect> effects)
    {
        string condition = bounce.Error?.Condition ?? "undefined-condition";
        bool malformed =
            bounce.Child("error") is not { } error || !error.Elements.Any(e => e.Namespace == Namespaces.StanzaErrors);
        if (malformed || IsGhostly(condition))
        {
            effects.Add(new RoomEffect.Undeliverable(session.Real, session.Occupant.Nick, condition, bounce.Id));
            RemoveGhost(session, null, effects);
        }
        else if (bounce is Message && bounce.To.IsFull && _occupants.TryNick(bounce.To.Resource, out var sender))
        {
            // The other party of a private message learns what became of it, but not where its recipient lives.
            Cast(Veiled(bounce).Readdressed(session.Occupant.InRoom, default), [.. SessionsOf(sender)], effects);
        }
    }

    /// <summary>Only this session goes: other devices of the user may be well (muc.md §9).</summary>
    void RemoveGhost(OccupantSession session, string? reason, List<RoomEffect> effects) =>
        RemoveSession(session, new Departure(MucStatus.TechnicalError)
        {
            Reason = reason ?? GhostReason,
            Status = new Element(Namespaces.Client, "status", reason ?? GhostReason),
        }, effects);

    /// <summary>An error as it may be passed on: in a semi-anonymous room its text and origin could reveal a host
    /// name.</summary>
    Stanza Veiled(Stanza answer)
    {
        if (!_options.Anonymous || answer.Error is not { } error) return answer;
        return answer.WithContent(new StanzaError(error.Type, error.Condition).ToElement());
    }

    static bool IsGhostly(string condition) => condition is
        "gone" or "internal-server-error" or "item-not-found" or "jid-malformed" or "recipient-unavailable"
        or "redirect" or "remote-server-not-found" or "remote-server-timeout" or "service-unavailable";
}
