using Muster.Core.Delivery;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Server.Features.Push;
using Muster.Server.Rooms;

namespace Muster.Server.Features;

/// <summary>Push notifications of room services (Prosody's mod_muc_cloud_notify): XEP-0357 spoken to the service, or to
/// one of its rooms for this room alone.</summary>
sealed class MucCloudNotify : Feature
{
    static readonly StanzaError Stranger =
        StanzaError.Forbidden.WithText("Only users of this server, occupants and members of rooms are notified");

    public override FeatureInfo Info { get; } = new(0, "rev. 5929", Support.Complete,
        "Prosody mod_muc_cloud_notify: push notifications from room services");

    public override void Register(Slots slots)
    {
        var requests = new PushRequests(slots.Services);
        foreach (string feature in (string[])[PushContent.Namespace, PushFilters.Rooms, PushFilters.Muted,
            PushFilters.Priority])
            slots.Disco(Target.RoomService, feature);
        slots.Iq(IqType.Set, PushContent.Namespace, "enable", Target.RoomService,
            (context, iq) => Enable(requests, context, iq));
        slots.Iq(IqType.Set, PushContent.Namespace, "disable", Target.RoomService, async (context, iq) =>
            await requests.Disable(iq, context.Address.ToString(), ScopeOf(iq)));
    }

    static async ValueTask<Iq?> Enable(PushRequests requests, IqContext context, Iq iq)
    {
        string host = context.Address.ToString();
        if (context.Services.Pushes.RoomRules(host) is not { } rules) return iq.Refuse(StanzaError.ServiceUnavailable);
        var service = context.Services.Rooms[host];
        var scope = ScopeOf(iq);
        // muc-push.md §6: whoever has nothing to do with any room would only fill the store. Accounts of this server
        // are known; their clients register while they are still on their way in (Converse does).
        var refusal = !scope.IsNone ? await CheckRoom(service, scope, iq.From)
            : context.Services.Router.IsLocal(iq.From) ? null : await Check(service, iq.From);
        if (refusal is not null) return iq.Refuse(refusal);
        return await requests.Enable(iq, host, scope, rules, null);
    }

    static Jid ScopeOf(Iq iq) => iq.To.HasLocal ? iq.To.Bare : Jid.None;

    static async ValueTask<StanzaError?> Check(RoomService service, Jid user) =>
        service.IsInAny(user) || (await service.Database.Rooms.OfUser(
            service.Settings.Service.ToString(), user.Bare, (int)Affiliation.Member, 1)).Count > 0 ? null : Stranger;

    static async ValueTask<StanzaError?> CheckRoom(RoomService service, Jid room, Jid user) =>
        await service.Look(room, found => found is null ? StanzaError.ItemNotFound
            : found.IsInside(user) || found.IsMember(user) ? null : Stranger);
}
