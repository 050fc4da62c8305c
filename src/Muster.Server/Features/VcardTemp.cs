using System.Text;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;

namespace Muster.Server.Features;

/// <summary>XEP-0054: vcard-temp. Written by the owner, read by everybody.</summary>
sealed class VcardTemp : Feature
{
    const string Key = "vcard";

    public override FeatureInfo Info { get; } = new(54, "1.3.0", Support.Complete);

    public override void Register(Slots slots)
    {
        slots.Disco(Target.Server | Target.Account, Namespaces.VcardTemp);
        slots.Iq(IqType.Get, Namespaces.VcardTemp, "vCard", Target.Account, Get);
        slots.Iq(IqType.Set, Namespaces.VcardTemp, "vCard", Target.Account, Set);
    }

    static async ValueTask<Iq?> Get(IqContext context, Iq iq)
    {
        string? stored = await context.Services.Database.AccountData.Get(context.Address, Key);
        if (stored is not null && StoredXml.Read(stored) is { } vcard) return iq.Result(vcard);
        // §3.1: the owner hears that there is none; §3.3: others cannot tell it from an account that does not exist.
        return iq.Refuse(context.IsOwner(iq) ? StanzaError.ItemNotFound : StanzaError.ServiceUnavailable);
    }

    static async ValueTask<Iq?> Set(IqContext context, Iq iq)
    {
        // §3.2.
        if (!context.IsOwner(iq)) return iq.Refuse(StanzaError.Forbidden);
        string text = StoredXml.ToText(iq.Payload!);
        if (Encoding.UTF8.GetByteCount(text) > context.Services.Limits.VcardBytesMax)
        {
            context.Services.Meters.Accounts.LimitReached("vcard");
            return iq.Refuse(StanzaError.NotAcceptable.WithText(
                $"a vCard may have {context.Services.Limits.VcardBytesMax} bytes, its picture included"));
        }
        await context.Services.Database.AccountData.Set(context.Address, Key, text);
        return iq.Result();
    }
}
