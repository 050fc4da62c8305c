using System.Text;
using Muster.Core.Limits;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;
using Muster.Server.Storage;

namespace Muster.Server.Features;

/// <summary>XEP-0049: Private XML Storage. Any element that a client wants to keep, found by its name and
/// namespace.</summary>
sealed class PrivateXml : Feature
{
    const string Ns = "jabber:iq:private";
    const string Prefix = "private:";

    /// <summary>Elements of one account.</summary>
    const int DocumentsMax = 256;
    /// <summary>Characters of namespace and name.</summary>
    const int KeyLengthMax = 512;

    public override FeatureInfo Info { get; } = new(49, "1.2", Support.Complete);

    public override void Register(Slots slots)
    {
        slots.Disco(Target.Server | Target.Account, Ns);
        slots.Iq(IqType.Get, Ns, "query", Target.Account, Get);
        slots.Iq(IqType.Set, Ns, "query", Target.Account, Set);
    }

    static async ValueTask<Iq?> Get(IqContext context, Iq iq)
    {
        if (!context.IsOwner(iq)) return iq.Refuse(StanzaError.Forbidden);
        // §2.3, §3: one element is asked for, in a namespace of its own.
        if (iq.Payload!.Elements.Take(2).ToArray() is not [var asked] || !IsStorable(asked))
            return iq.Refuse(StanzaError.BadRequest);
        string? stored = await context.Services.Database.AccountData.Get(context.Address, KeyOf(asked));
        // §2.3: what was never stored is answered with the empty element that was sent.
        var found = (stored is null ? null : StoredXml.Read(stored)) ?? new Element(asked.Namespace, asked.Name);
        return iq.Result(new Element(Ns, "query", found));
    }

    static async ValueTask<Iq?> Set(IqContext context, Iq iq)
    {
        if (!context.IsOwner(iq)) return iq.Refuse(StanzaError.Forbidden);
        var elements = iq.Payload!.Elements.ToArray();
        // §2.3: at least one, each with a proper namespace.
        if (elements.Length == 0 || !elements.All(IsStorable)) return iq.Refuse(StanzaError.NotAcceptable);
        using (await context.Services.Accounts.TakeTurn(context.Address))
        {
            var store = context.Services.Database.AccountData;
            if (IsTooMuch(context.Services.Limits, await store.Keys(context.Address, Prefix), elements))
            {
                context.Services.Meters.Accounts.LimitReached("private");
                int bytesMax = context.Services.Limits.PrivateXmlBytesMax;
                return iq.Refuse(StanzaError.ResourceConstraint.WithText(
                    $"private storage has {bytesMax} bytes and {DocumentsMax} elements"));
            }
            foreach (var element in elements)
                await store.Set(context.Address, KeyOf(element), StoredXml.ToText(element));
        }
        return iq.Result();
    }

    static bool IsTooMuch(ServerLimits limits, IReadOnlyList<AccountDataKey> stored, Element[] added)
    {
        var sizes = stored.ToDictionary(document => document.Key, document => (long)document.SizeBytes);
        foreach (var element in added) sizes[KeyOf(element)] = Encoding.UTF8.GetByteCount(StoredXml.ToText(element));
        return sizes.Count > DocumentsMax || sizes.Values.Sum() > limits.PrivateXmlBytesMax;
    }

    static bool IsStorable(Element element) =>
        element.Namespace is not ("" or Ns) && element.Namespace.Length + element.Name.Length <= KeyLengthMax;

    static string KeyOf(Element element) => $"{Prefix}{{{element.Namespace}}}{element.Name}";
}
