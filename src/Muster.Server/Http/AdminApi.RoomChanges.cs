using System.Text.Json;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Rooms;
using Muster.Server.Sessions;

namespace Muster.Server.Http;

/// <summary>Rooms, as they are changed: by the stanzas that an administrator of the service would send.</summary>
sealed partial class AdminApi
{
    const string ConfigForm = "http://jabber.org/protocol/muc#roomconfig";
    const int ReasonBytesMax = 1000, BodyTextBytesMax = 64 * 1024;
    static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);
    static readonly FormField Persistent = new("muc#roomconfig_persistentroom", null, "1");

    /// <summary>Makes a persistent room with the default options, unless it is there.</summary>
    public async Task EnsureRoomAsync(string room, string owner)
    {
        var (service, address) = RoomOf(room);
        if (!await Exists(service, address)) await Create(service, address, Jid.Parse(owner), [Persistent]);
        await service.Hibernate(address);
    }

    async Task<RoomView> PostRoom(AdminCall call, RoomCreation request)
    {
        var (service, room) = RoomOf(request.Jid);
        var owner = AdminCall.JidOf(request.Owner, "address");
        if (await _parts.Services.Database.Accounts.Find(owner, call.Cancel) is null) throw NoAccount(owner);
        var given = request.Options ?? [];
        var fields = RoomOptionJson.ToFields(given);
        if (!given.TryGetValue("persistent", out var persistent)) fields.Add(Persistent);
        else if (!RoomOptionJson.IsTrue(persistent))
            throw AdminException.Invalid("a room that is not persistent would be gone at once, as nobody is inside");
        if (await Exists(service, room))
            throw AdminException.Conflict($"{room} exists already");
        await Create(service, room, owner, fields);
        var view = await Look(service, room, ViewOf);
        await service.Hibernate(room);
        call.Http.Response.Headers.Location = $"{Root}/rooms/{Uri.EscapeDataString(room.ToString())}";
        return view;
    }

    /// <summary>XEP-0045 §10.1.3: the owner enters, sends the form, and leaves. A device of the owner that is not there
    /// does it, so that nobody is disturbed.</summary>
    static async Task Create(RoomService service, Jid room, Jid owner, IEnumerable<FormField> fields)
    {
        if (!owner.Bare.TryWithResource($"muster-{RandomText.Create(12)}", out var device)
            || !room.TryWithResource(owner.Local.ToString(), out var inRoom))
            throw AdminException.Invalid($"{owner} cannot own a room");
        string what = $"creating {room}";
        await Ask(service, new Presence(
            PresenceType.Available, device, inRoom, NewId(), new Element(Namespaces.Muc, "x")), what);
        try
        {
            await Ask(service, SubmitForm(device, room, fields), what);
        }
        finally
        {
            // Whoever leaves a room that is not configured yet leaves nothing behind.
            await Ask(service, new Presence(PresenceType.Unavailable, device, inRoom, NewId()), what);
        }
    }

    async Task<RoomOptionsView> PatchRoom(AdminCall call, Dictionary<string, JsonElement> options)
    {
        var (service, room) = RoomOf(call);
        if (options.Count == 0) throw AdminException.Invalid("no option is given");
        var fields = RoomOptionJson.ToFields(options);
        return await Changing(service, room, async () =>
        {
            await Ask(service, SubmitForm(service.Settings.Service, room, fields), $"changing {room}");
            var now = await service.Look(room, static found => found?.Options);
            return new RoomOptionsView(room.ToString(), now is null ? [] : RoomOptionJson.ToJson(now));
        });
    }

    async Task DeleteRoom(AdminCall call)
    {
        var (service, room) = RoomOf(call);
        string? reason = ReasonOf(call.Query("reason"));
        var alternate = call.Query("alternate") is { } text ? AdminCall.JidOf(text, "address of a room") : default;
        var query = new Element(Namespaces.MucOwner, "query",
            new MucDestroy(alternate, reason).ToElement(Namespaces.MucOwner));
        await Ask(service, Request(service, room, query), $"destroying {room}");
    }

    async Task PutAffiliation(AdminCall call, AffiliationChange request)
    {
        var (service, room) = RoomOf(call);
        var user = call.JidSegment("user", "address");
        var affiliation = AffiliationOf(request.Affiliation);
        if (affiliation == Affiliation.Owner && !user.HasLocal)
            throw AdminException.Invalid($"{user} is a whole domain, which cannot own a room");
        var item = new MucItem(affiliation, Jid: user.Bare, Reason: ReasonOf(request.Reason));
        await Changing(service, room, () => Ask(service, Request(service, room, AdminQuery(item)),
            $"making {user.Bare} {affiliation.ToName()} of {room}"));
    }

    Task DeleteOccupant(AdminCall call)
    {
        var (service, room) = RoomOf(call);
        return SendOut(service, room, call.Segment("nick"), call.Query("reason"));
    }

    static async Task SendOut(RoomService service, Jid room, string nick, string? reason)
    {
        await NeedOccupant(service, room, nick);
        var item = new MucItem(Role: Role.None, Nick: nick, Reason: ReasonOf(reason));
        await Ask(service, Request(service, room, AdminQuery(item)), $"sending '{nick}' out of {room}");
    }

    async Task PostMessage(AdminCall call, RoomSpeech request)
    {
        var (service, room) = RoomOf(call);
        string body = AdminCall.TextOf(request.Body, "text", BodyTextBytesMax);
        if (body.Length == 0) throw AdminException.Invalid("the text is empty");
        if (request.From is not null)
        {
            await Say(SessionOf(request.From), room, MessageType.Groupchat, body);
            return;
        }
        await Changing(service, room, () => Ask(service, new Message(MessageType.Groupchat, service.Settings.Service,
            room, NewId(), new Element(Namespaces.Client, "body", body)), $"speaking in {room}"));
    }

    async Task PutRole(AdminCall call, RoleChange request)
    {
        var (service, room) = RoomOf(call);
        string nick = call.Segment("nick");
        if (!MucNames.TryRole(request.Role, out var role))
            throw AdminException.Invalid(
                $"'{request.Role}' is no role; there are moderator, participant, visitor and none");
        await NeedOccupant(service, room, nick);
        var item = new MucItem(Role: role, Nick: nick, Reason: ReasonOf(request.Reason));
        await Ask(service, Request(service, room, AdminQuery(item)), $"making '{nick}' {request.Role} in {room}");
    }

    static async Task NeedOccupant(RoomService service, Jid room, string nick)
    {
        bool isInside = await Look(service, room, found => found.Inside.Any(inside => inside.Nick == nick));
        if (!isInside) throw AdminException.NotFound($"nobody in {room} has the nick '{nick}'");
    }

    static ValueTask<bool> Exists(RoomService service, Jid room) =>
        service.Look(room, static found => found is not null);

    /// <summary>Does something to a room that must be there; one that slept goes back to sleep.</summary>
    static async Task<T> Changing<T>(RoomService service, Jid room, Func<Task<T>> change)
    {
        bool slept = service.FindLive(room) is null;
        try
        {
            return await change();
        }
        finally
        {
            if (slept) await service.Hibernate(room);
        }
    }

    /// <summary>Sends a room a stanza with an administrator's rights; a refusal is thrown.</summary>
    static Task<Stanza?> Ask(RoomService service, Stanza stanza, string what) =>
        Answer(service.Ask(stanza, AnswerLimit), what);

    static async Task<Stanza?> Answer(ValueTask<Stanza?> asking, string what)
    {
        try
        {
            var answer = await asking;
            return answer?.Error is { } error ? throw AdminException.Of(error, what) : answer;
        }
        catch (TimeoutException)
        {
            throw AdminException.Of(StanzaError.ServiceUnavailable.WithText(
                $"the room did not answer within {AnswerLimit.TotalSeconds} seconds"), what);
        }
    }

    static Iq Request(RoomService service, Jid room, Element query) =>
        new(IqType.Set, service.Settings.Service, room, NewId(), query);

    static Element AdminQuery(MucItem item) =>
        new(Namespaces.MucAdmin, "query", item.ToElement(Namespaces.MucAdmin));

    static Iq SubmitForm(Jid from, Jid room, IEnumerable<FormField> fields) => new(IqType.Set, from, room, NewId(),
        new Element(Namespaces.MucOwner, "query", new DataForm(DataFormType.Submit, ConfigForm, fields).ToElement()));

    static string NewId() => RandomText.Create(16);

    static string? ReasonOf(string? reason) =>
        string.IsNullOrEmpty(reason) ? null : AdminCall.TextOf(reason, "reason", ReasonBytesMax);
}
