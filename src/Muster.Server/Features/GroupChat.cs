using System.Security.Cryptography;
using Muster.Core.Rooms;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Rooms;

namespace Muster.Server.Features;

/// <summary>XEP-0045: Multi-User Chat. What a room service answers for itself: discovery, the list of rooms, unused
/// names, nicks reserved in all its rooms. What rooms answer is decided in <c>Muster.Core.Rooms</c>.</summary>
sealed class GroupChat : Feature
{
    const string UniqueNs = "http://jabber.org/protocol/muc#unique";
    const int NickCharsMax = 256;

    public override FeatureInfo Info { get; } =
        new(45, "1.35.5", Support.Complete,
            "status 102 and 103 are never told: XEP-0045 names no option to show members who are away");

    public override void Register(Slots slots)
    {
        slots.Identity(Target.RoomService, "conference", "text", "Chatrooms");
        foreach (string feature in (string[])[Namespaces.DiscoInfo, Namespaces.DiscoItems, Namespaces.Muc, UniqueNs,
            Namespaces.Register, Namespaces.ResultSets, Namespaces.DirectInvitation, Namespaces.OccupantId,
                Namespaces.StanzaIds, Namespaces.VcardTemp, ActivityIndicator.Namespace])
            slots.Disco(Target.RoomService, feature);
        slots.ServerItems(host => slots.Services.Rooms.Values.Where(service => service.Settings.Host == host)
            .Select(service => new DiscoItem(service.Settings.Service, "Chatrooms")));

        slots.Iq(IqType.Get, Namespaces.DiscoInfo, "query", Target.RoomService, (_, iq) => Describe(slots, iq));
        slots.Iq(IqType.Get, Namespaces.DiscoItems, "query", Target.RoomService, Items);
        // muc.md §14: asked to change what only can be looked at.
        slots.Iq(IqType.Set, Namespaces.DiscoInfo, "query", Target.RoomService, static (_, iq) =>
            iq.Refuse(StanzaError.NotAllowed));
        slots.Iq(IqType.Set, Namespaces.DiscoItems, "query", Target.RoomService, static (_, iq) =>
            iq.Refuse(StanzaError.NotAllowed));
        slots.Background(TimeSpan.FromHours(6), async cancel =>
            await slots.Services.Database.Rooms.RemoveExpiredTombstones(slots.Services.Clock.GetUtcNow(), cancel));
        slots.Iq(IqType.Get, Namespaces.VcardTemp, "vCard", Target.RoomService, static (_, iq) => iq.Result(
            new Element(Namespaces.VcardTemp, "vCard",
                new Element(Namespaces.VcardTemp, "FN", "Chatrooms"),
                new Element(Namespaces.VcardTemp, "DESC", $"Group chat of {SoftwareVersion.Name}"))));
        slots.Iq(IqType.Get, UniqueNs, "unique", Target.RoomService, static (_, iq) => iq.Result(
            new Element(UniqueNs, "unique", RandomNumberGenerator.GetHexString(32, lowercase: true))));
        slots.Iq(IqType.Get, Namespaces.Register, "query", Target.RoomService, NickForm);
        slots.Iq(IqType.Set, Namespaces.Register, "query", Target.RoomService, ReserveNick);
    }

    static Iq Describe(Slots slots, Iq iq)
    {
        if (iq.Payload!.Attribute("node") is { Length: > 0 }) return iq.Refuse(StanzaError.ItemNotFound);
        var policy = slots.Services.Rooms[iq.To.Domain.ToString()].Settings.Policy;
        var info = new DiscoInfo
        {
            Identities = [.. slots.IdentitiesOf(Target.RoomService)
                .Select(i => new DiscoIdentity(i.Category, i.Type, i.Name))],
            Features = [.. slots.DiscoOf(Target.RoomService), .. policy.OfflineDelivery ? [Room.OfflineFeature]
                : Array.Empty<string>()],
        };
        return iq.Result(info.ToElement());
    }

    static async ValueTask<Iq?> Items(IqContext context, Iq iq)
    {
        if (iq.Payload!.Attribute("node") is { Length: > 0 }) return iq.Refuse(StanzaError.ItemNotFound);
        var request = ResultSetRequest.Read(iq.Payload!, out var problem);
        if (problem is not null) return iq.Refuse(problem);
        var rooms = await new RoomDirectory(ServiceOf(context)).List(iq.From, request);
        return iq.Result(rooms.ToElement());
    }

    // muc.md §11: a nick reserved at the service is the user's in every room of it.
    static async ValueTask<Iq?> NickForm(IqContext context, Iq iq)
    {
        string service = context.Address.ToString();
        string? nick = await context.Services.Database.Nicks.Find(service, iq.From.Bare);
        var form = new DataForm(DataFormType.Form, null, FormField.Line("nick", "Nickname", nick ?? ""))
        {
            Title = $"Nickname Registration at {service}",
            Instructions = ["Enter the nickname that you want to reserve"],
        };
        return iq.Result(new Element(Namespaces.Register, "query",
            nick is null ? null : new Element(Namespaces.Register, "registered"), form.ToElement()));
    }

    static async ValueTask<Iq?> ReserveNick(IqContext context, Iq iq)
    {
        var nicks = context.Services.Database.Nicks;
        string service = context.Address.ToString();
        if (iq.Payload!.Child("remove") is not null)
        {
            await nicks.Remove(service, iq.From.Bare);
            return iq.Result();
        }
        if (iq.Payload.Child(Namespaces.DataForms, "x") is not { } x) return iq.Refuse(StanzaError.BadRequest);
        var form = DataForm.Read(x, out var problem);
        if (form is null) return iq.Refuse(problem ?? StanzaError.BadRequest);
        if (form.Type == DataFormType.Cancel) return iq.Result();
        if (form.Type != DataFormType.Submit) return iq.Refuse(StanzaError.BadRequest);
        string wanted = form.Value("nick") ?? "";
        if (wanted.Length is 0 or > NickCharsMax || !context.Address.TryWithResource(wanted, out var inRoom))
            return iq.Refuse(StanzaError.NotAcceptable.WithText("You must fill in field \"nick\" in the form"));
        return await nicks.TrySet(service, iq.From.Bare, inRoom.Resource.ToString())
            ? iq.Result()
            : iq.Refuse(StanzaError.Conflict.WithText("That nickname is registered by another person"));
    }

    static RoomService ServiceOf(IqContext context) => context.Services.Rooms[context.Address.ToString()];
}
