using Microsoft.AspNetCore.Http;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Server.Rooms;
using Muster.Server.Storage;

namespace Muster.Server.Http;

/// <summary>Rooms, as they are looked at. Changing them is in AdminApi.RoomChanges.</summary>
sealed partial class AdminApi
{
    const int MessagesMax = 200;

    IEnumerable<AdminOperation> RoomOperations() =>
    [
        AdminOperation.Of(HttpMethods.Get, "/api/rooms{?service,text,visible_to,after,max}",
            "Rooms, stored ones and those that live in memory, in order of their names.", GetRooms),
        AdminOperation.With<RoomCreation, RoomView>(HttpMethods.Post, "/api/rooms", "Makes a room.", PostRoom,
            StatusCodes.Status201Created),
        AdminOperation.Of(HttpMethods.Get, "/api/rooms/{jid}", "One room.", GetRoom),
        AdminOperation.With<Dictionary<string, System.Text.Json.JsonElement>, RoomOptionsView>(HttpMethods.Patch,
            "/api/rooms/{jid}", "Changes options of a room.", PatchRoom),
        AdminOperation.Of(HttpMethods.Delete, "/api/rooms/{jid}{?reason,alternate}",
            "Destroys a room with its messages.", DeleteRoom),
        AdminOperation.Of(HttpMethods.Get, "/api/rooms/{jid}/affiliations{?affiliation}",
            "Who is owner, admin, member or outcast of a room.", GetAffiliations),
        AdminOperation.With<AffiliationChange>(HttpMethods.Put, "/api/rooms/{jid}/affiliations/{user}",
            "Gives somebody an affiliation.", PutAffiliation),
        AdminOperation.With<RoleChange>(HttpMethods.Put, "/api/rooms/{jid}/occupants/{nick}/role",
            "Gives somebody who is inside a role.", PutRole),
        AdminOperation.Of(HttpMethods.Delete, "/api/rooms/{jid}/occupants/{nick}{?reason}",
            "Sends somebody out of a room.", DeleteOccupant),
        AdminOperation.With<RoomSpeech>(HttpMethods.Post, "/api/rooms/{jid}/messages",
            "Says something to everybody inside, as the room or for a session that is inside.", PostMessage),
        AdminOperation.Of(HttpMethods.Get, "/api/rooms/{jid}/messages{?before,after,max}",
            "A page of a room's archive: the newest messages, or those before or after an id.", GetMessages),
    ];

    async Task<RoomPage> GetRooms(AdminCall call)
    {
        string? only = call.Query("service");
        string? text = call.Query("text");
        var start = call.Query("after") is { } after ? AdminCall.JidOf(after, "address of a room") : default;
        int max = call.Max(PageMax);
        var viewer = call.Query("visible_to") is { } jid ? AdminCall.JidOf(jid, "address") : default;
        var lines = new List<RoomLineView>();
        foreach (var service in only is null ? _parts.Rooms : [ServiceOf(AdminCall.JidOf(only, "address"))])
        {
            string name = service.Settings.Service.ToString();
            bool begun = start.IsNone || start.Domain.SequenceEqual(name);
            if (!begun) continue;
            lines.AddRange(await RoomLines(service, text, viewer, start, max + 1 - lines.Count, call.Cancel));
            if (lines.Count > max) return new RoomPage([.. lines.Take(max)], lines[max - 1].Jid);
            start = default;
        }
        return new RoomPage([.. lines], null);
    }

    static async Task<IEnumerable<RoomLineView>> RoomLines(
        RoomService service, string? text, Jid viewer, Jid after, int max, CancellationToken cancel)
    {
        var stored = await service.Database.Rooms.Index(new RoomIndexQuery
        {
            Service = service.Settings.Service.ToString(),
            Text = text,
            PublicOnly = !viewer.IsNone,
            Cursor = after,
            Max = max,
        }, cancel);
        // Temporary rooms are nowhere but in memory; they are few, as somebody is in each. Hidden ones are visible to
        // those inside (muc.md §14).
        string after0 = after.Local.ToString();
        var unlisted = service.Live.Where(room => IsUnlisted(room)
            && (after.IsNone || string.CompareOrdinal(room.Room.Local.ToString(), after0) > 0)
            && (text is null || RoomIndexQuery.Searched(room.Room.Local, room.Title)
                .Contains(RoomIndexQuery.Fold(text), StringComparison.Ordinal)));
        return stored.Rooms.Select(room => Line(room, service.FindLive(room.Room)))
            .Concat(unlisted.Select(room => Line(null, room)))
            .OrderBy(line => line.Jid[..line.Jid.IndexOf('@', StringComparison.Ordinal)], StringComparer.Ordinal)
            .Take(max);

        bool IsUnlisted(RoomListing room) =>
            viewer.IsNone || room.Public ? !room.Stored : service.IsIn(viewer, room.Room);
    }

    static RoomLineView Line(RoomIndexEntry? stored, RoomListing? live) => new(
        (stored?.Room ?? live!.Room).ToString(), live?.Title ?? stored!.Name, live?.Public ?? stored!.Public,
        stored?.Persistent ?? live!.Stored, live is not null, live?.Occupants ?? 0);

    Task<RoomView> GetRoom(AdminCall call)
    {
        var (service, room) = RoomOf(call);
        return Look(service, room, ViewOf);
    }

    async Task<AffiliationList> GetAffiliations(AdminCall call)
    {
        var (service, room) = RoomOf(call);
        Affiliation? only = call.Query("affiliation") is { } name ? AffiliationOf(name) : null;
        var entries = await Look(service, room, static room => room.Snapshot().Affiliations);
        return new AffiliationList([.. entries
            .Where(entry => only is null || entry.Affiliation == only)
            .OrderByDescending(entry => entry.Affiliation).ThenBy(entry => entry.User)
            .Select(entry => new AffiliationView(
                entry.User.ToString(), entry.Affiliation.ToName(), entry.Nick, entry.Reason))]);
    }

    async Task<MessagePage> GetMessages(AdminCall call)
    {
        var (service, room) = RoomOf(call);
        long? before = IdOf(call, "before"), after = IdOf(call, "after");
        if (before is not null && after is not null)
            throw AdminException.Invalid("'before' and 'after' cannot be given both");
        await Look(service, room, static _ => true);
        var page = await service.Database.Archive.Page(room, new ArchiveQuery
        {
            Cursor = before ?? after,
            Backwards = after is null,
            Max = call.Max(MessagesMax),
        }, call.Cancel);
        var (entries, isWhole) = (page.Entries, page.Complete || page.Entries.Count == 0);
        return new MessagePage([.. entries.Select(ViewOf)],
            isWhole ? null : Text(after is null ? entries[0].Id : entries[^1].Id));
    }

    MessageView ViewOf(ArchiveEntry entry)
    {
        var message = RoomRecords.ToMessage(entry);
        return new MessageView(Text(entry.Id), entry.At, message?.From.Resource.ToString() ?? "", entry.From.ToString(),
            message?.Body, message?.Child("subject")?.Text, entry.Kind == ArchiveKind.Tombstone);
    }

    static RoomView ViewOf(Room room)
    {
        var snapshot = room.Snapshot();
        return new RoomView(room.Address.ToString(), room.IsStored, room.IsLocked, room.Subject.Text, room.Subject.Nick,
            room.Subject.At, snapshot.CreatedAt, RoomOptionJson.ToJson(room.Options), snapshot.Affiliations.Length,
            [.. room.Inside.OrderBy(inside => inside.Nick, StringComparer.Ordinal).ThenBy(inside => inside.Session)
                .Select(inside => new OccupantView(inside.Nick, inside.Session.ToString(), inside.Role.ToName(),
                    inside.Affiliation.ToName()))]);
    }

    (RoomService Service, Jid Room) RoomOf(AdminCall call) => RoomOf(call.Segment("jid"));

    (RoomService Service, Jid Room) RoomOf(string text)
    {
        var room = AdminCall.JidOf(text, "address of a room");
        var service = ServiceOf(room);
        return room is { IsBare: true, HasLocal: true }
            ? (service, room)
            : throw AdminException.Invalid($"{room} is no room; a room is a name, an @ and {room.Domain}");
    }

    RoomService ServiceOf(Jid address) =>
        _parts.Rooms.FirstOrDefault(rooms => address.Domain.SequenceEqual(rooms.Settings.Service.Domain))
        ?? throw AdminException.NotFound($"{address.Domain} has no rooms; those that do: "
            + string.Join(", ", _parts.Rooms.Select(rooms => rooms.Settings.Service)));

    /// <summary>Reads something of a room. One that slept goes back to sleep.</summary>
    static async Task<T> Look<T>(RoomService service, Jid room, Func<Room, T> read)
    {
        bool slept = service.FindLive(room) is null;
        var (found, result) = await service.Look(room, seen => seen is null ? (false, default) : (true, read(seen)));
        if (slept) await service.Hibernate(room);
        return found ? result! : throw AdminException.NotFound($"there is no room {room}");
    }

    static Affiliation AffiliationOf(string name) => MucNames.TryAffiliation(name, out var affiliation)
        ? affiliation
        : throw AdminException.Invalid(
            $"'{name}' is no affiliation; there are owner, admin, member, none and outcast");

    long? IdOf(AdminCall call, string name) => call.Query(name) switch
    {
        null => null,
        var text when _parts.Services.ArchiveIds.TryRead(text, out long id) => id,
        var text => throw AdminException.Invalid($"{name} is '{text}'; it must be the id of a message"),
    };

    string Text(long id) => _parts.Services.ArchiveIds.ToText(id);
}
