using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Server.Accounts;
using Muster.Server.Storage;

namespace Muster.Server.Features;

/// <summary>XEP-0401: Ad-hoc Account Invitation Generation, with XEP-0379: Pre-Authenticated Roster Subscription, done
/// by the server. Registering with an invitation (XEP-0445) is in <see cref="Registration"/>.</summary>
sealed class Invitations : Feature
{
    const string ContactNode = "urn:xmpp:invite#invite";
    const string AccountNode = "urn:xmpp:invite#create-account";
    const string ResultForm = "urn:xmpp:invite#invitation";

    /// <summary>The namespace of the token in a subscription request or before registering.</summary>
    public const string PreAuth = "urn:xmpp:pars:0";

    /// <summary>A longer token is nobody's: it is not looked up.</summary>
    public const int TokenLengthMax = 128;

    public override FeatureInfo Info { get; } =
        new(401, "0.6.0", Support.Complete, "with XEP-0379 0.3.3 and XEP-0445 0.2.0");

    public override void Register(Slots slots)
    {
        slots.Disco(Target.Account, PreAuth);
        slots.Command(new(ContactNode, "Invite a contact", Target.Server, IsLocalUser, InviteContact));
        slots.Command(new(AccountNode, "Invite to make an account", Target.Server,
            static (context, asker) =>
                IsLocalUser(context, asker) && context.Services.Registration.MayCreateAccounts(asker.Bare),
            InviteAccount));
        var invites = slots.Services.Invites;
        // XEP-0379 §3.4: the token stands in the subscription request.
        slots.Approval(async (account, request) =>
            request.Child(PreAuth, "preauth")?.Attribute("token") is { Length: > 0 and <= TokenLengthMax } token &&
            await invites.TryAccept(token, account));
        slots.Background(TimeSpan.FromHours(1), invites.RemoveExpired);
    }

    static bool IsLocalUser(IqContext context, Jid asker) =>
        context.Sender is not null && asker.Domain.SequenceEqual(context.Address.Domain);

    static async ValueTask<CommandAnswer> InviteContact(IqContext context, Jid asker, DataForm? form) =>
        Answer(context, await context.Services.Invites.InviteContact(asker.Bare));

    static async ValueTask<CommandAnswer> InviteAccount(IqContext context, Jid asker, DataForm? form)
    {
        if (form is null)
        {
            return new(Form: new DataForm(DataFormType.Form, null,
                FormField.Line("username", "User name; empty lets the invited choose", null),
                FormField.Flag("roster-subscription", "Become a contact of the new account", true)));
        }
        string name = form.Value("username")?.Trim() ?? "";
        if (!form.TryBoolean("roster-subscription", out bool? befriend)) return new(Error: StanzaError.BadRequest);
        var target = context.Address;
        if (name.Length > 0)
        {
            if (!Jid.TryCreate(name, context.Address.Domain.ToString(), null, out target))
                return new(Error: StanzaError.JidMalformed.WithText("this is no valid user name"));
            // XEP-0401 §6.2: a name that is taken, by an account or by another invitation, cannot be promised.
            if (await context.Services.Database.Accounts.Find(target) is not null ||
                await context.Services.Invites.IsReserved(target))
                return new(Error: StanzaError.Conflict);
        }
        var inviter = befriend == false ? Jid.None : asker.Bare;
        return Answer(context, await context.Services.Invites.InviteAccount(target, inviter));
    }

    static CommandAnswer Answer(IqContext context, Invite? invite)
    {
        var services = context.Services;
        if (invite is null)
        {
            services.Meters.Accounts.LimitReached("invites");
            return new(Error: StanzaError.ResourceConstraint.WithText(
                $"at most {services.Limits.InvitationsMax} invitations may be open"));
        }
        string? page = services.Registration.LandingPage(context.Address, invite.Token);
        return new(Result: new DataForm(DataFormType.Result, ResultForm,
            FormField.Line("uri", "Invitation", InviteBook.ToUri(invite)),
            page is null ? null : FormField.Line("landing-url", "Page for the invited", page),
            FormField.Line("expire", "Good until", Timestamp.Format(invite.ExpiresAt))));
    }
}
