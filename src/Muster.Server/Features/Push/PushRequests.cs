using System.Text;
using Muster.Core.Delivery;
using Muster.Core.Limits;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Features.Push;

/// <summary>Takes what clients ask: <c>enable</c> and <c>disable</c> (XEP-0357 §5, §6), the same at accounts and at
/// room services.</summary>
sealed class PushRequests(Services services)
{
    const string PublishOptions = "http://jabber.org/protocol/pubsub#publish-options";
    const int NodeCharsMax = 1024;

    static readonly StanzaError MissingJid = StanzaError.BadRequest.WithText("Missing jid");
    static readonly StanzaError OwnJid =
        StanzaError.BadRequest.WithText("The push service cannot be the client itself");
    static readonly StanzaError RoomJid = StanzaError.NotAllowed.WithText("A room is no push service");
    static readonly StanzaError NoWebPush =
        StanzaError.ServiceUnavailable.WithText("This server has no push service of its own");
    static readonly StanzaError TooLarge = StanzaError.PolicyViolation.WithText("The registration is too large");
    static readonly StanzaError TooOften =
        StanzaError.ResourceConstraint.WithText("Too many registrations; try again later");
    static readonly StanzaError StoreFailed =
        StanzaError.InternalServerError with { Type = StanzaErrorType.Wait };

    readonly RateWindow _rate = new(services.Limits.PushEnablesPerHour, TimeSpan.FromHours(1), 10_000);

    /// <summary>Registers a push service.</summary>
    /// <param name="iq">The request.</param>
    /// <param name="host">Who will push.</param>
    /// <param name="scope">The room that it is for, or none.</param>
    /// <param name="rules">The rules of the host.</param>
    /// <param name="session">The session that asks, when it is one of the account itself.</param>
    public async ValueTask<Iq> Enable(Iq iq, string host, Jid scope, PushRules rules, Session? session)
    {
        var enable = iq.Payload!;
        if (enable.Attribute("jid") is not { Length: > 0 } text) return iq.Refuse(MissingJid);
        if (!Jid.TryParse(text, out var app)) return iq.Refuse(StanzaError.JidMalformed);
        if (app == iq.From) return iq.Refuse(OwnJid);
        // It would push into its own rooms.
        if (services.Rooms.ContainsKey(app.Domain.ToString())) return iq.Refuse(RoomJid);
        string node = enable.Attribute("node") ?? "";
        var form = enable.Children(Namespaces.DataForms, "x").FirstOrDefault(IsOptions);
        if (app.IsDomain && services.Local.Serves(app))
        {
            if (services.WebPush is not { } web) return iq.Refuse(NoWebPush);
            if (web.Check(form) is { } problem) return iq.Refuse(StanzaError.NotAcceptable.WithText(problem));
        }
        var wishes = enable.Elements.Where(PushFilters.IsFilter).ToList();
        string? options = form is null ? null : StoredXml.ToText(form);
        string? filters = wishes.Count == 0 ? null
            : StoredXml.ToText(new Element(PushContent.Namespace, "enable", wishes));
        int bytes = Encoding.UTF8.GetByteCount(options ?? "") + Encoding.UTF8.GetByteCount(filters ?? "");
        if (node.Length > NodeCharsMax || bytes > services.Limits.PushRegistrationBytesMax) return Refuse(TooLarge);
        var now = services.Clock.GetUtcNow();
        lock (_rate)
        {
            _rate.Max = services.Limits.PushEnablesPerHour; // it may have been changed
            if (!_rate.TryTake(iq.From.Bare.ToString(), now)) return Refuse(TooOften);
        }
        var push = new StoredPush
        {
            Key = new PushKey(host, iq.From.Bare, scope, app, node),
            Options = options,
            Filters = filters,
            Device = session?.Client ?? (iq.From.IsFull ? iq.From.Resource.ToString() : null),
            Lang = iq.Lang ?? session?.Lang,
            CreatedAt = now,
            UpdatedAt = now,
        };
        IReadOnlyList<PushKey> gone;
        try
        {
            gone = await services.Pushes.Registrations.Enable(push, rules.DevicesMax);
        }
        catch (StorageException e)
        {
            PushLog.StoreFailed(services.Log, e.Message);
            return iq.Refuse(StoreFailed);
        }
        foreach (var key in gone)
        {
            services.Meters.Pushes.Removed("devices");
            services.Pushes.Sessions.Unlink(key);
        }
        if (session is not null) session.Push = new PushLink(app, node);
        return iq.Result();

        Iq Refuse(StanzaError error)
        {
            services.Meters.Accounts.LimitReached("push");
            return iq.Refuse(error);
        }
    }

    /// <summary>Removes a registration, or all of a push service. One that is not there is no error.</summary>
    public async ValueTask<Iq> Disable(Iq iq, string host, Jid scope)
    {
        var disable = iq.Payload!;
        if (disable.Attribute("jid") is not { Length: > 0 } text) return iq.Refuse(MissingJid);
        if (!Jid.TryParse(text, out var app)) return iq.Refuse(StanzaError.JidMalformed);
        try
        {
            var gone = await services.Pushes.Registrations.Disable(
                host, iq.From.Bare, scope, app, disable.Attribute("node"));
            if (scope.IsNone && iq.From.Domain.SequenceEqual(host))
                foreach (var key in gone) services.Pushes.Sessions.Unlink(key);
            return iq.Result();
        }
        catch (StorageException e)
        {
            PushLog.StoreFailed(services.Log, e.Message);
            return iq.Refuse(StoreFailed);
        }
    }

    // The form goes to the push service as it came; what else is in the request does not.
    static bool IsOptions(Element form) => form.Children(Namespaces.DataForms, "field").Any(field =>
        field.Attribute("var") == "FORM_TYPE" && field.Child("value")?.Text == PublishOptions);
}
