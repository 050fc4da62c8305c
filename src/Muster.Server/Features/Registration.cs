using System.Net;
using System.Net.Sockets;
using Muster.Core.Limits;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Accounts;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Features;

/// <summary>XEP-0077: In-Band Registration: making an account before logging in, where that is open to all or with an
/// invitation (XEP-0445); changing the password and removing the account afterwards.</summary>
sealed class Registration : Feature
{
    const string IbrToken = "urn:xmpp:ibr-token:0";
    /// <summary>Addresses whose registrations are counted.</summary>
    const int AddressesMax = 10_000;

    static readonly Element OpenFeature = new("http://jabber.org/features/iq-register", "register");
    static readonly Element InvitedFeature = new(IbrToken, "register");

    public override FeatureInfo Info { get; } =
        new(77, "2.4", Support.Complete, "Name and password, also as a data form");

    public override void Register(Slots slots)
    {
        var services = slots.Services;
        var rate = new RateWindow(services.Registration.RateLimit, TimeSpan.FromHours(1), AddressesMax);
        slots.Disco(Target.Server, Namespaces.Register);
        slots.EarlyStreamFeature(_ => services.Registration.InBand ? [OpenFeature, InvitedFeature] : [InvitedFeature]);
        slots.EarlyIq(IqType.Set, Invitations.PreAuth, "preauth", (client, iq) => ShowInvitation(services, client, iq));
        slots.EarlyIq(IqType.Get, Namespaces.Register, "query",
            (client, iq) => ValueTask.FromResult(
                IsOpen(services.Registration, client) ? iq.Result(Fields()) : Closed(iq)));
        slots.EarlyIq(IqType.Set, Namespaces.Register, "query", (client, iq) => SignUp(services, rate, client, iq));
        slots.Iq(IqType.Get, Namespaces.Register, "query", Target.Server | Target.Account, Get);
        slots.Iq(IqType.Set, Namespaces.Register, "query", Target.Server | Target.Account, Set);
    }

    // XEP-0445 §4: the token is looked at now, and used up when the account is there.
    static async ValueTask<Iq> ShowInvitation(Services services, EarlyClient client, Iq iq)
    {
        string token = iq.Payload!.Attribute("token") ?? "";
        if (token.Length is 0 or > Invitations.TokenLengthMax ||
            await services.Invites.FindForRegistration(token, iq.To) is null)
            return iq.Refuse(StanzaError.ItemNotFound.WithText("The provided token is invalid or expired"));
        client.Invitation = token;
        client.InvitationShownAt = services.Clock.GetUtcNow();
        return iq.Result();
    }

    static async ValueTask<Iq> SignUp(Services services, RateWindow rate, EarlyClient client, Iq iq)
    {
        if (!IsOpen(services.Registration, client)) return Closed(iq);
        // §3.1.1: one account for one connection.
        if (!client.Registered.IsNone)
            return iq.Refuse(StanzaError.NotAcceptable.WithText("this connection has registered an account already"));
        var (name, password) = Read(iq.Payload!);
        if (string.IsNullOrEmpty(name) || string.IsNullOrEmpty(password)) return iq.Refuse(StanzaError.NotAcceptable);
        if (!Jid.TryCreate(name, iq.To.Domain.ToString(), null, out var account))
            return iq.Refuse(StanzaError.JidMalformed.WithText("this is no valid user name"));
        if (!services.Registration.MayRegister(account)) return iq.Refuse(StanzaError.NotAllowed);
        bool allowed;
        lock (rate)
        {
            rate.Max = services.Registration.RateLimit;
            allowed = rate.TryTake(NetworkOf(client.Address), services.Clock.GetUtcNow());
        }
        if (!allowed)
        {
            services.Meters.Accounts.LimitReached("registration");
            AccountsLog.RegistersTooOften(services.Log, client.Address);
            return iq.Refuse(StanzaError.ResourceConstraint.WithText("too many registrations; try again later"));
        }
        var problem = client.Invitation is { } token
            ? await AddInvited(services, client, token, account, password)
            : await AddUninvited(services, account, password);
        if (problem is not null) return iq.Refuse(problem);
        client.Registered = account;
        AccountsLog.Registered(services.Log, account, client.Address);
        return iq.Result();
    }

    static async ValueTask<StanzaError?> AddUninvited(Services services, Jid account, string password) =>
        // XEP-0401 §6.2: a promised name is taken.
        await services.Invites.IsReserved(account)
            ? StanzaError.Conflict
            : ErrorOf(await services.AccountBook.Add(account, password));

    static async ValueTask<StanzaError?> AddInvited(
        Services services, EarlyClient client, string token, Jid account, string password)
    {
        if (await services.Invites.Use(token, client.InvitationShownAt) is not { } invite)
            return StanzaError.NotAllowed.WithText("the invitation has been used");
        var problem = invite switch
        {
            { Kind: InviteKind.Account, Target.HasLocal: true } when invite.Target != account =>
                StanzaError.NotAcceptable.WithText($"the invitation is for {invite.Target}"),
            { Target: var target } when target != account && await services.Invites.IsReserved(account) =>
                StanzaError.Conflict,
            _ => ErrorOf(await services.AccountBook.Add(account, password)),
        };
        if (problem is not null)
        {
            await services.Invites.GiveBack(token);
            return problem;
        }
        // XEP-0401 §5.5: both become contacts; the inviter, who may be there, gets a push.
        if (!invite.Inviter.IsNone && invite.Kind != InviteKind.Room)
        {
            await services.Local.Befriend(account, invite.Inviter);
            await services.Local.Befriend(invite.Inviter, account);
        }
        return null;
    }

    static Iq Get(IqContext context, Iq iq) => IsOwn(context, iq)
        ? iq.Result(new Element(Namespaces.Register, "query",
            new Element(Namespaces.Register, "registered"),
            new Element(Namespaces.Register, "username", iq.From.Local.ToString()),
            new Element(Namespaces.Register, "password")))
        : iq.Refuse(StanzaError.ServiceUnavailable);

    static async ValueTask<Iq?> Set(IqContext context, Iq iq)
    {
        // §3.2: whose account it is says the address alone.
        if (!IsOwn(context, iq)) return iq.Refuse(StanzaError.RegistrationRequired);
        var query = iq.Payload!;
        if (query.Child("remove") is not null)
            return query.Elements.Count() == 1 ? await Remove(context, iq) : iq.Refuse(StanzaError.BadRequest);
        // §3.3.
        var (name, password) = Read(query);
        if (string.IsNullOrEmpty(name) || string.IsNullOrEmpty(password)) return iq.Refuse(StanzaError.BadRequest);
        var account = iq.From.Bare;
        bool isOwnName = (Jid.TryParse(name, out var named) && named == account) ||
            (Jid.TryCreate(name, account.Domain.ToString(), null, out named) && named == account);
        if (!isOwnName) return iq.Refuse(StanzaError.NotAllowed.WithText("this is not your user name"));
        return ErrorOf(await context.Services.AccountBook.SetPassword(account, password)) is { } problem
            ? iq.Refuse(problem)
            : iq.Result();
    }

    static async ValueTask<Iq?> Remove(IqContext context, Iq iq)
    {
        var (services, account) = (context.Services, iq.From.Bare);
        await services.Local.RemoveAccount(account);
        AccountsLog.Removed(services.Log, account);
        context.Sender?.Deliver(iq.Result());
        await services.Local.EndAll(account, StreamError.NotAuthorized.WithText("the account has been removed"));
        return null;
    }

    static bool IsOwn(IqContext context, Iq iq) => context.Sender is not null &&
        (context.Address.HasLocal ? context.IsOwner(iq) : iq.From.Domain.SequenceEqual(context.Address.Domain));

    /// <summary>Whom an address belongs to: of IPv6 a household has a network of 64 bits, not one address.</summary>
    internal static string NetworkOf(string address)
    {
        if (!IPAddress.TryParse(address, out var ip) ||
            ip.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        if (ip.IsIPv4MappedToIPv6) return ip.MapToIPv4().ToString();
        return Convert.ToHexStringLower(ip.GetAddressBytes().AsSpan(0, 8));
    }

    static bool IsOpen(RegistrationSettings settings, EarlyClient client) =>
        settings.InBand || client.Invitation is not null;

    static Iq Closed(Iq iq) => iq.Refuse(StanzaError.ServiceUnavailable.WithText("registering needs an invitation"));

    static StanzaError? ErrorOf(AccountOutcome outcome) => outcome switch
    {
        AccountOutcome.Done => null,
        AccountOutcome.Exists => StanzaError.Conflict,
        AccountOutcome.NotFound => StanzaError.RegistrationRequired,
        AccountOutcome.BadPassword => StanzaError.NotAcceptable.WithText("this cannot be a password"),
        _ => StanzaError.NotAcceptable.WithText("this cannot be a user name"),
    };

    // §6: a form wins over the plain fields.
    static (string? Name, string? Password) Read(Element query)
    {
        if (query.Child(Namespaces.DataForms, "x") is { } x
            && DataForm.Read(x, out _) is { Type: DataFormType.Submit } form)
            return (form.Value("username"), form.Value("password"));
        return (query.Child("username")?.Text, query.Child("password")?.Text);
    }

    static Element Fields() => new(Namespaces.Register, "query",
        new Element(Namespaces.Register, "instructions", "Choose a user name and a password."),
        new Element(Namespaces.Register, "username"),
        new Element(Namespaces.Register, "password"),
        new DataForm(DataFormType.Form, Namespaces.Register,
            FormField.Line("username", "User name", null) with { IsRequired = true },
            FormField.Private("password", "Password", null) with { IsRequired = true })
        {
            Instructions = ["Choose a user name and a password."],
        }.ToElement());
}
