using Microsoft.AspNetCore.Http;
using Muster.Core.Rooms;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Rooms;

namespace Muster.Server.Http;

/// <summary>Rooms, as their visitors use them: what is done here is done for a user, with that user's rights.</summary>
sealed partial class AdminApi
{
    IEnumerable<AdminOperation> VisitorOperations() =>
    [
        AdminOperation.With<RoomInvitation>(HttpMethods.Post, "/api/rooms/{jid}/invitations",
            "Has one user invite another (XEP-0249).", PostRoomInvitation),
        AdminOperation.With<RoomEntrance>(HttpMethods.Post, "/api/rooms/{jid}/occupants",
            "Has a session enter a room.", PostOccupant),
        AdminOperation.With<PrivateSpeech>(HttpMethods.Post, "/api/rooms/{jid}/occupants/{nick}/messages",
            "Says something to one who is inside, for a session that is inside.", PostPrivateMessage),
        AdminOperation.Of(HttpMethods.Delete, "/api/rooms/{jid}/sessions/{session}",
            "Has a session leave a room.", DeleteRoomSession),
    ];

    Task PostRoomInvitation(AdminCall call, RoomInvitation request)
    {
        var (service, room) = RoomOf(call);
        return Invite(call, service, room, request);
    }

    async Task Invite(AdminCall call, RoomService service, Jid room, RoomInvitation request)
    {
        var (from, to) = (AdminCall.JidOf(request.From, "address"), AdminCall.JidOf(request.To, "address"));
        if (!to.HasLocal) throw AdminException.Invalid($"{to} is a whole domain, which cannot be invited");
        string? reason = ReasonOf(request.Reason);
        if (await _parts.Services.Database.Accounts.Find(from.Bare, call.Cancel) is null) throw NoAccount(from.Bare);
        var (mayRead, isLocked, password) = await Look(service, room, found =>
            (service.Settings.Access.Admin(from) || MayRead(found, from.Bare), found.IsLocked,
            found.Options.PasswordProtected ? found.Options.Password : null));
        // Who may not look into a room learns nothing of it.
        if (!mayRead) throw AdminException.NotFound($"there is no room {room}");
        if (isLocked) throw AdminException.Conflict($"{room} has not been configured by its owner yet");
        var invitation = new DirectInvitation(room, reason, password);
        await _parts.Services.Router.Route(new Message(
            MessageType.Normal, from, to, NewId(), invitation.ToElement()));
    }

    static bool MayRead(Room room, Jid user)
    {
        var affiliation = room.Snapshot().Affiliations.FirstOrDefault(entry => entry.User == user)?.Affiliation
            ?? Affiliation.None;
        return affiliation != Affiliation.Outcast && (!room.Options.MembersOnly || affiliation > Affiliation.None);
    }

    async Task PostOccupant(AdminCall call, RoomEntrance request)
    {
        var (service, room) = RoomOf(call);
        var session = SessionOf(request.Session);
        if (!room.TryWithResource(request.Nick, out var occupant))
            throw AdminException.Invalid($"'{request.Nick}' is no nick");
        string what = $"entering {room} for {session.Jid}";
        string? password = request.Password is { } given
            ? AdminCall.TextOf(given, "password", ReasonBytesMax)
            : null;
        var presence = new Presence(PresenceType.Available, session.Jid, occupant, NewId(), new Element(Namespaces.Muc,
            "x", password is null ? null : new Element(Namespaces.Muc, "password", password)));
        // RFC 6121 §4.6: the end of the session is told to those who got its presence.
        if (!session.TrackDirected(presence, _parts.Services.Limits.DirectedPresencesMax))
            throw AdminException.Of(StanzaError.ResourceConstraint, what);
        try
        {
            await Answer(service.SendFor(session, presence, AnswerLimit), what);
        }
        catch (AdminException)
        {
            session.TrackDirected(LeavingOf(session, occupant), 0);
            throw;
        }
    }

    async Task DeleteRoomSession(AdminCall call)
    {
        var (service, room) = RoomOf(call);
        var session = SessionOf(call.Segment("session"));
        string? nick = await Look(service, room, found =>
            found.Inside.Where(inside => inside.Session == session.Jid).Select(inside => inside.Nick).FirstOrDefault());
        if (nick is null || !room.TryWithResource(nick, out var occupant))
            throw AdminException.NotFound($"{session.Jid} is not in {room}");
        var leaving = LeavingOf(session, occupant);
        session.TrackDirected(leaving, 0);
        await Answer(service.SendFor(session, leaving, AnswerLimit), $"leaving {room} for {session.Jid}");
    }

    static Presence LeavingOf(Session session, Jid occupant) =>
        new(PresenceType.Unavailable, session.Jid, occupant, NewId());

    Task PostPrivateMessage(AdminCall call, PrivateSpeech request)
    {
        var (_, room) = RoomOf(call);
        string body = AdminCall.TextOf(request.Body, "text", BodyTextBytesMax);
        if (body.Length == 0) throw AdminException.Invalid("the text is empty");
        if (!room.TryWithResource(call.Segment("nick"), out var occupant))
            throw AdminException.Invalid($"'{call.Segment("nick")}' is no nick");
        return Say(SessionOf(request.From), occupant, MessageType.Chat, body);
    }

    async Task Say(Session session, Jid to, MessageType type, string body)
    {
        var message = new Message(type, session.Jid, to, NewId(), new Element(Namespaces.Client, "body", body));
        await Answer(ServiceOf(to).SendFor(session, message, AnswerLimit), $"speaking in {to} for {session.Jid}");
    }

    Session SessionOf(string text)
    {
        var jid = AdminCall.JidOf(text, "address");
        if (!jid.IsFull)
            throw AdminException.Invalid($"{jid} is no session; a session is an account, a / and a resource");
        return _parts.Services.Sessions.FindSession(jid) ?? throw AdminException.NotFound($"{jid} has no session");
    }
}
