using Muster.Core.Limits;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Server.Rooms;

/// <summary>
/// Room activity indicators (XEP-0437): who sends presence with <c>rai</c> to the service hears once of each of its
/// rooms in which something is said while it is not inside. Its rooms are those stored ones whose list has it as member
/// or above.
/// </summary>
/// <remarks>When somebody was last inside is known since the start of the server; what was said before counts as
/// seen.</remarks>
sealed class ActivityIndicator(RoomService service, ServerLimits limits)
{
    /// <summary>Its namespace, and the feature that announces it.</summary>
    public const string Namespace = "urn:xmpp:rai:0";
    const int VisitsMax = 10_000;

    readonly ActivityWatch _watch = new(limits.ActivitySubscribersMax, VisitsMax);
    readonly DateTimeOffset _startedAt = service.Clock.GetUtcNow();

    /// <summary>Takes a presence that came to the service itself, or an error that came back.</summary>
    public async ValueTask Take(Stanza stanza)
    {
        if (!stanza.From.IsFull) return;
        if (stanza.IsError || stanza is Presence { Type: PresenceType.Unavailable })
        {
            _watch.Unsubscribe(stanza.From);
            return;
        }
        if (stanza is not Presence { Type: PresenceType.Available } || stanza.Child(Namespace, "rai") is null) return;
        var (active, quiet) = await Sort(stanza.From);
        if (!_watch.TrySubscribe(stanza.From, quiet))
        {
            service.Meters.Accounts.LimitReached("activity");
            await service.Router.Refuse(stanza, StanzaError.ResourceConstraint with { By = service.Settings.Service });
            return;
        }
        // Who entered or went meanwhile was not noticed yet.
        foreach (var room in quiet)
            if (service.IsIn(stanza.From, room)) _watch.Entered(stanza.From, room);
        if (active.Count > 0) await Send(stanza.From, active);
    }

    /// <summary>Something is said in a room: tells those who wait for it.</summary>
    public async ValueTask Note(Room room)
    {
        if (!_watch.IsWatched(room.Address)) return;
        foreach (var session in _watch.Take(room.Address))
        {
            // XEP-0437 §4: nobody hears of a room that it may not enter; the list may have changed.
            if (room.IsMember(session)) await Send(session, [room.Address]);
        }
    }

    /// <summary>A user's first session has entered a room.</summary>
    public void Entered(Jid user, Jid room) => _watch.Entered(user, room);

    /// <summary>A user's last session has left a room.</summary>
    public void Left(Jid user, Jid room) => _watch.Left(user, room, service.Clock.GetUtcNow());

    /// <summary>The user's rooms in which something was said since it was last inside, and the others.</summary>
    async ValueTask<(List<Jid> Active, List<Jid> Quiet)> Sort(Jid user)
    {
        var rooms = await service.Database.Rooms.OfUser(service.Settings.Service.ToString(), user.Bare,
            (int)Affiliation.Member, limits.ActivityRoomsMax);
        var (active, quiet) = (new List<Jid>(), new List<Jid>());
        foreach (var (room, _, _, _, _) in rooms)
        {
            if (service.IsIn(user, room)) continue;
            // Ids of messages are microseconds.
            var seen = (_watch.LastVisit(user, room) ?? _startedAt) - DateTimeOffset.UnixEpoch;
            var range = await service.Database.Archive.Range(room);
            (range?.LastId > seen.Ticks / TimeSpan.TicksPerMicrosecond ? active : quiet).Add(room);
        }
        return (active, quiet);
    }

    // A headline: it is for this session now, and worth nothing later.
    ValueTask Send(Jid session, IEnumerable<Jid> rooms) => service.Router.Route(new Message(MessageType.Headline,
        service.Settings.Service, session, null, new Element(Namespace, "rai",
            [.. rooms.Select(room => new Element(Namespace, "activity", room.ToString()))])));
}
