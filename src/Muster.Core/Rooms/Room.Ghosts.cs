using System.Collections.Immutable;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Core.Rooms;

// Sessions that are inside but not there any more: what the room sent to them comes back as an error
// (XEP-0045 §11.1 #service-error-kick, §18.1.2 #impl-service-ghosts; muc.md §9).
public sealed partial class Room
{
    /// <summary>How many messages back, and for how long, the room knows what a session may have missed.</summary>
    const int ShownMax = 200;
    static readonly TimeSpan ShownTime = TimeSpan.FromMinutes(15);

    readonly Queue<(long Id, string? MessageId, DateTimeOffset At)> _shown = [];

    const string GhostReason = "Kicked: recipient unavailable";

    /// <summary>An error stanza from somebody inside. Those from others never get here: they are dropped.</summary>
    void ReceiveBounce(OccupantSession session, Stanza bounce, List<RoomEffect> effects)
    {
        string condition = bounce.Error?.Condition ?? "undefined-condition";
        bool malformed =
            bounce.Child("error") is not { } error || !error.Elements.Any(e => e.Namespace == Namespaces.StanzaErrors);
        // muc.md §4: an error to presence always means that the session does not follow the room any more.
        if (malformed || bounce is Presence || IsGhostly(condition))
        {
            var missed = Missed(session, bounce);
            effects.Add(new RoomEffect.Undeliverable(session.Real, session.Occupant.Nick, condition, missed));
            RemoveGhost(session, null, effects);
            ForwardMissed(session.Occupant.User, missed, effects);
        }
        else if (bounce is Message && bounce.To.IsFull && _occupants.TryNick(bounce.To.Resource, out var sender))
        {
            // The other party of a private message learns what became of it, but not where its recipient lives.
            Cast(Veiled(bounce).Readdressed(session.Occupant.InRoom, default), [.. SessionsOf(sender)], effects);
        }
    }

    /// <summary>What a session that bounced did not get: from the message that came back on. When that is not known,
    /// the newest is taken for it (muc-push.md §7).</summary>
    ImmutableArray<long> Missed(OccupantSession session, Stanza bounce)
    {
        if (bounce is not Message) return [];
        var shown = _shown.Where(message => message.At >= session.EnteredAt).ToList();
        int first = shown.FindIndex(message => message.MessageId == bounce.Id);
        if (first < 0) first = shown.Count - 1;
        return [.. shown.Skip(first).Select(message => message.Id)];
    }

    void NoteShown(long id, Message message, DateTimeOffset now)
    {
        _shown.Enqueue((id, message.Id, now));
        while (_shown.Count > ShownMax || now - _shown.Peek().At > ShownTime) _shown.Dequeue();
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
