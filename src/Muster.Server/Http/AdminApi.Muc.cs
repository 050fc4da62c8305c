using Microsoft.AspNetCore.Http;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Server.Http;

/// <summary>The paths of MongooseIM's REST API up to 6.5, for scripts that were written for it (muc.md §20). The
/// domain in a path is a room service or the served domain of one.</summary>
sealed partial class AdminApi
{
    IEnumerable<AdminOperation> MucOperations() =>
    [
        AdminOperation.With<MucCreation>(HttpMethods.Post, "/api/mucs/{domain}",
            "Makes a room. As MongooseIM's API had it.", PostMuc, StatusCodes.Status201Created),
        AdminOperation.With<MucInvitation>(HttpMethods.Post, "/api/mucs/{domain}/{room}/participants",
            "Has one user invite another. As MongooseIM's API had it.", PostMucParticipant),
        AdminOperation.With<MucMessage>(HttpMethods.Post, "/api/mucs/{domain}/{room}/messages",
            "Says something for a session that is inside. As MongooseIM's API had it.", PostMucMessage),
        AdminOperation.Of(HttpMethods.Delete, "/api/mucs/{domain}/{room}/{nick}",
            "Sends somebody out of a room. As MongooseIM's API had it.", DeleteMucOccupant),
    ];

    async Task PostMuc(AdminCall call, MucCreation request) =>
        await PostRoom(call, new RoomCreation(MucOf(call, request.Name).ToString(), request.Owner));

    Task PostMucParticipant(AdminCall call, MucInvitation request)
    {
        var room = MucOf(call, call.Segment("room"));
        return Invite(call, ServiceOf(room), room,
            new RoomInvitation(request.Sender, request.Recipient, request.Reason));
    }

    Task PostMucMessage(AdminCall call, MucMessage request)
    {
        string body = AdminCall.TextOf(request.Body, "text", BodyTextBytesMax);
        return body.Length == 0
            ? throw AdminException.Invalid("the text is empty")
            : Say(SessionOf(request.From), MucOf(call, call.Segment("room")), MessageType.Groupchat, body);
    }

    Task DeleteMucOccupant(AdminCall call)
    {
        var room = MucOf(call, call.Segment("room"));
        return SendOut(ServiceOf(room), room, call.Segment("nick"), null);
    }

    Jid MucOf(AdminCall call, string name)
    {
        string domain = call.Segment("domain");
        string service = _parts.Rooms.FirstOrDefault(rooms => rooms.HostName == domain)?.Settings.Service.ToString()
            ?? domain;
        return Jid.TryCreate(name, service, null, out var room) && room.HasLocal
            ? RoomOf(room.ToString()).Room
            : throw AdminException.Invalid($"'{name}' is no name of a room");
    }
}
