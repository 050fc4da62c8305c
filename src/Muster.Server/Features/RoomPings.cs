using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;

namespace Muster.Server.Features;

/// <summary>XEP-0410: MUC Self-Ping. Rooms here answer it themselves (<c>Muster.Core.Rooms</c>); rooms of other servers
/// are asked by <c>Muster.Server.Routing.JoinWatch</c> in the name of clients. Here is only that domains say
/// so.</summary>
sealed class RoomPings : Feature
{
    /// <summary>What Prosody's mod_ping_muc announces.</summary>
    const string Announced = "https://modules.prosody.im/mod_ping_muc";

    const string RejoinNode = "urn:muster:rooms#autorejoin";
    const string RejoinField = "autorejoin";

    public override FeatureInfo Info { get; } = new(410, "1.1.0", Support.Complete,
        "rooms answer, and the server asks rooms elsewhere for its clients");

    public override void Register(Slots slots)
    {
        slots.ServerDisco(Announced, domain => slots.Services.Local.Joins.AsksFor(domain));
        slots.Command(new(RejoinNode, "Be brought back into lost rooms", Target.Server, MayChoose, Choose));
    }

    static bool MayChoose(IqContext context, Jid asker) => context.Sender is not null
        && asker.Domain.SequenceEqual(context.Address.Domain) && context.Services.Local.Joins.AsksFor(context.Address);

    /// <summary>The user's own choice, in place of the option <c>ping_muc_autorejoin</c>.</summary>
    static async ValueTask<CommandAnswer> Choose(IqContext context, Jid asker, DataForm? form)
    {
        if (form is null)
        {
            bool isOn = (await context.Services.Accounts.Load(asker.Bare))?.Rejoins
                ?? context.Services.Local.Joins.RejoinsByDefault(context.Address);
            return new(Form: new DataForm(DataFormType.Form, null, FormField.Flag(RejoinField,
                "When a room of another server has lost you, the server enters it again in your name and brings what "
                + "you missed", isOn)));
        }
        if (!form.TryBoolean(RejoinField, out bool? wanted) || wanted is null)
            return new(Error: StanzaError.BadRequest);
        using var turn = await context.Services.Accounts.Take(asker.Bare);
        if (!turn.Exists) return new(Error: StanzaError.ItemNotFound);
        await turn.SetRejoins(wanted.Value);
        return new();
    }
}
