using Muster.Core.Delivery;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Features.Push;

namespace Muster.Server.Features;

/// <summary>XEP-0357: Push Notifications, of accounts. Here registrations are made and taken back; who is pushed is
/// decided in <see cref="PushPolicy"/>, and done in <see cref="PushService"/>.</summary>
sealed class CloudNotify : Feature
{
    const string PrivacyNode = "urn:xmpp:push:0#privacy";
    const string BodyVar = "share-body", SenderVar = "share-sender";

    public override FeatureInfo Info { get; } = new(357, "0.4.1", Support.Complete,
        "accounts and room services; no registration at other users' accounts");

    public override void Register(Slots slots)
    {
        var requests = new PushRequests(slots.Services);
        foreach (string feature in (string[])[PushContent.Namespace, PushFilters.Rooms, PushFilters.Muted,
            PushFilters.IgnoreUnknown, PushFilters.Priority])
            slots.Disco(Target.Account, feature);
        slots.Iq(IqType.Set, PushContent.Namespace, "enable", Target.Account,
            (context, iq) => Enable(requests, context, iq));
        slots.Iq(IqType.Set, PushContent.Namespace, "disable", Target.Account, async (context, iq) =>
            context.IsOwner(iq)
                ? await requests.Disable(iq, context.Address.Domain.ToString(), Jid.None)
                : iq.Refuse(StanzaError.Forbidden));
        slots.Command(new Command(PrivacyNode, "Privacy of push notifications", Target.Server,
            static (context, asker) => asker.DomainJid == context.Address && asker.HasLocal,
            (context, asker, form) => ChangePrivacy(context, asker, form)));
        slots.InlineBind(new(null, (session, _) => Relink(slots.Services, session)));
        slots.Background(TimeSpan.FromMinutes(1), _ =>
        {
            slots.Services.Pushes.Sessions.Sweep();
            return default;
        });
        slots.Background(TimeSpan.FromHours(12), _ => slots.Services.Pushes.RemoveUnused());
    }

    static async ValueTask<Iq?> Enable(PushRequests requests, IqContext context, Iq iq)
    {
        if (!context.IsOwner(iq)) return iq.Refuse(StanzaError.Forbidden);
        string host = context.Address.Domain.ToString();
        return context.Services.Pushes.AccountRules(host) is { } rules
            ? await requests.Enable(iq, host, Jid.None, rules, context.Sender)
            : iq.Refuse(StanzaError.ServiceUnavailable);
    }

    /// <summary>muc-push.md §5 [D]: a device that says which it is has no need to register again at each
    /// login.</summary>
    static async ValueTask<Element?> Relink(Services services, Session session)
    {
        if (session.Client is not { } client) return null;
        var owner = await services.Pushes.Registrations.Find(session.Account.Domain.ToString(), session.Account);
        var mine = owner.All.LastOrDefault(push => push.Stored.Device == client && push.Key.Scope.IsNone);
        if (mine is not null) session.Push ??= new PushLink(mine.Key.App, mine.Key.Node);
        return null;
    }

    /// <summary>Whatever the operator lets out, a user may keep to itself. The other way round is not for users
    /// (XEP-0357 §10).</summary>
    static async ValueTask<CommandAnswer> ChangePrivacy(IqContext context, Jid asker, DataForm? form)
    {
        var pushes = context.Services.Pushes;
        if (form is null)
        {
            var now = await pushes.Registrations.PrivacyOf(asker.Bare);
            var owner = await pushes.Registrations.Find(context.Address.ToString(), asker.Bare);
            return new(Form: new DataForm(DataFormType.Form, PrivacyNode,
                FormField.Flag(BodyVar, "Push services may get the text of messages", !now.HidesBody),
                FormField.Flag(SenderVar, "Push services may get the sender's address", !now.HidesSender))
            {
                Title = "Push notifications",
                Instructions =
                [
                    "The server lets out no more than its configuration says; here you can keep back what it would.",
                    .. owner.All.Select(push => Describe(push.Stored)),
                ],
            });
        }
        if (!form.TryBoolean(BodyVar, out bool? body) || !form.TryBoolean(SenderVar, out bool? sender))
            return new(Error: StanzaError.BadRequest);
        var before = await pushes.Registrations.PrivacyOf(asker.Bare);
        await pushes.Registrations.SetPrivacy(asker.Bare, new PushPrivacy(
            body is { } sharesBody ? !sharesBody : before.HidesBody,
            sender is { } sharesSender ? !sharesSender : before.HidesSender));
        return new(Result: null);
    }

    static string Describe(Storage.StoredPush push) =>
        $"Registered: {push.Key.App} {push.Key.Node}".TrimEnd()
        + (push.LastPushAt is { } at ? $", last push {at:u}" : ", nothing pushed yet")
        + (push.LastError is { } error ? $", last error {error} ({push.Errors} in a row)" : "");
}
