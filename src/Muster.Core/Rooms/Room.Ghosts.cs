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
    /// <summary>What was shown so shortly before a session went may not have arrived (muc-push.md §7 [D]).</summary>
    static readonly TimeSpan FreshTime = TimeSpan.FromSeconds(5);

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
            var cause = bounce is Message ? MissCause.Bounced : MissCause.Silent;
            GoneWithout(session, cause, condition, Missed(session, bounce), null, effects);
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
        if (bounce is not Message) return ShownSince(session.ActiveAt);
        var shown = _shown.Where(message => message.At >= session.EnteredAt).ToList();
        int first = shown.FindIndex(message => message.MessageId == bounce.Id);
        if (first < 0) first = shown.Count - 1;
        return [.. shown.Skip(first).Select(message => message.Id)];
    }

    /// <summary>A session is not there any more: it goes, and what it missed is told and sent after its user.</summary>
    void GoneWithout(OccupantSession session, MissCause cause, string condition, ImmutableArray<long> missed,
        string? reason, List<RoomEffect> effects)
    {
        effects.Add(new RoomEffect.Undeliverable(
            session.Real, session.Occupant.Nick, cause, condition, missed));
        RemoveGhost(session, reason, effects);
        ForwardMissed(session.Occupant.User, missed, effects);
    }

    /// <summary>What a session was shown since it last gave a sign: nobody knows whether it arrived.</summary>
    ImmutableArray<long> ShownSince(DateTimeOffset since) =>
        [.. _shown.Where(message => message.At > since).Select(message => message.Id)];

    /// <summary>A session goes, by its own wish or with the room. Nobody knows whether it has seen what was said a
    /// moment ago: a network that breaks looks the same from here. For a member it counts as said after it went. Not
    /// sent after the user, who most likely has it.</summary>
    void TellFresh(OccupantSession session, DateTimeOffset now, List<RoomEffect> effects)
    {
        var since = session.ActiveAt > now - FreshTime ? session.ActiveAt : now - FreshTime;
        // Most leave a quiet room.
        if (_shownAt <= since || MemberOf(session.Real) is null) return;
        var missed = ShownSince(since);
        if (!missed.IsEmpty)
            effects.Add(new RoomEffect.Undeliverable(
                session.Real, session.Occupant.Nick, MissCause.Left, "left", missed));
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
