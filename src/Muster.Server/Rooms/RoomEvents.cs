using System.Collections.Immutable;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Server.Rooms;

/// <summary>Messages that a room sent to an occupant and that did not arrive, or may not have
/// (<c>muc-undeliverable</c>, muc-push.md §7). The session is out by now.</summary>
/// <param name="Service">The room service.</param>
/// <param name="Room">The room.</param>
/// <param name="Session">Real full JID of the session.</param>
/// <param name="Nick">Its nick.</param>
/// <param name="Cause">How the room knows.</param>
/// <param name="Messages">The message that came back and those shown since, or those shown since the session last gave
/// a sign, oldest first: from the room's archive, without those taken back since.</param>
/// <param name="IsInside">Whether another session of the user is inside.</param>
/// <param name="MembersOnly">Whether the room is for members only.</param>
sealed record Undelivered(
    RoomService Service, Jid Room, Jid Session, string Nick, MissCause Cause, IReadOnlyList<Message> Messages,
    bool IsInside, bool MembersOnly);

/// <summary>
/// What happens in rooms and others act upon. The lists are filled while the server is built. What stands in them must
/// not wait.
/// </summary>
sealed class RoomEvents
{
    /// <summary>A message that is kept was shown to all inside; in the room's turn.</summary>
    public List<Action<RoomService, Room, Message>> Said { get; } = [];

    /// <summary>Messages did not reach an occupant. Not in the room's turn.</summary>
    public List<Action<Undelivered>> Undeliverable { get; } = [];

    /// <summary>A session has entered a room.</summary>
    public List<Action<RoomService, Jid, Jid>> Entered { get; } = [];

    /// <summary>An answer to an iq has come to a service's own address.</summary>
    public List<Action<Iq>> Answered { get; } = [];

    /// <summary>Whether <see cref="Said"/> is worth the telling, by service: asked for each message.</summary>
    public Func<RoomService, bool> ListensTo { get; set; } = static _ => false;

    /// <summary>An iq for a room that its service answers, by namespace.</summary>
    public ImmutableHashSet<string> AnsweredByService { get; set; } = [];
}
