using System.Collections.Concurrent;
using Muster.Core.Rosters;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Server.Features;

/// <summary>XEP-0030: Service Discovery, of the server and of accounts; with the server's entity capabilities
/// (XEP-0115 §6.3), so that a client need not ask a server that it knows.</summary>
sealed class Disco : Feature
{
    /// <summary>Names the software in entity capabilities.</summary>
    const string SoftwareNode = "urn:muster:server";

    public override FeatureInfo Info { get; } = new(30, "2.5.0", Support.Complete);

    public override void Register(Slots slots)
    {
        const Target Answered = Target.Server | Target.Account;
        slots.Identity(Target.Server, "server", "im", SoftwareVersion.Name);
        slots.Identity(Target.Account, "account", "registered", "");
        slots.Disco(Answered, Namespaces.DiscoInfo);
        slots.Disco(Answered, Namespaces.DiscoItems);
        slots.Disco(Target.Server, EntityCaps.Namespace);

        // What is announced is known only when all features have registered: worked out at the first question.
        var servers = new ConcurrentDictionary<string, (DiscoInfo Info, EntityCaps Caps)>(StringComparer.Ordinal);
        var account = new Lazy<DiscoInfo>(() => Describe(slots, Target.Account, []));
        slots.StreamFeature(domain => [ServerOf(slots, servers, domain).Caps.ToElement()]);

        slots.Iq(IqType.Get, Namespaces.DiscoInfo, "query", Target.Server, (context, iq) =>
        {
            var (info, caps) = ServerOf(slots, servers, context.Address);
            return InfoOfServer(slots, context, iq, info, caps);
        });
        slots.Iq(IqType.Get, Namespaces.DiscoItems, "query", Target.Server,
            (context, iq) => ItemsOfServer(slots, context, iq));
        slots.Iq(IqType.Get, Namespaces.DiscoInfo, "query", Target.Account,
            (context, iq) => InfoOfAccount(slots, context, iq, account.Value));
        slots.Iq(IqType.Get, Namespaces.DiscoItems, "query", Target.Account, ItemsOfAccount);
    }

    // Domains differ in some of what they announce, and a reload may change it; there are few ways in which they can.
    static (DiscoInfo Info, EntityCaps Caps) ServerOf(
        Slots slots, ConcurrentDictionary<string, (DiscoInfo, EntityCaps)> known, Jid domain)
    {
        string[] own = [.. slots.ServerDiscoOf(domain)];
        return known.GetOrAdd(string.Join(' ', own), _ =>
        {
            var info = Describe(slots, Target.Server, own);
            return (info, new EntityCaps(SoftwareNode, EntityCaps.Verify(info)));
        });
    }

    static Iq InfoOfServer(Slots slots, IqContext context, Iq iq, DiscoInfo server, EntityCaps caps)
    {
        string? node = NodeOf(iq);
        if (node is null) return iq.Result(server.ToElement());
        // XEP-0115 §6.2: the capabilities that the stream features named.
        if (node == caps.DiscoNode) return iq.Result(WithNode(server, node).ToElement());
        return InfoOfNode(slots, context, iq, node) is { } info
            ? iq.Result(WithNode(info, node).ToElement())
            : iq.Refuse(StanzaError.ItemNotFound);
    }

    static Iq ItemsOfServer(Slots slots, IqContext context, Iq iq)
    {
        string? node = NodeOf(iq);
        if (node is null)
            return iq.Result(new DiscoItems { Items = [.. slots.ServerItemsOf(context.Address)] }.ToElement());
        foreach (var known in slots.DiscoNodes)
            if (known.Target == context.Target && known.Items(context, iq.From, node) is { } items)
                return iq.Result(items.ToElement());
        return iq.Refuse(StanzaError.ItemNotFound);
    }

    static async ValueTask<Iq?> InfoOfAccount(Slots slots, IqContext context, Iq iq, DiscoInfo account)
    {
        // §8, rule 1: one answer for accounts that do not exist and for those that do not show themselves to the asker.
        if (!await MaySee(context, iq)) return iq.Refuse(StanzaError.ServiceUnavailable);
        string? node = NodeOf(iq);
        if (node is null) return iq.Result(account.ToElement());
        return InfoOfNode(slots, context, iq, node) is { } info
            ? iq.Result(WithNode(info, node).ToElement())
            : iq.Refuse(StanzaError.ItemNotFound);
    }

    static async ValueTask<Iq?> ItemsOfAccount(IqContext context, Iq iq)
    {
        string? node = NodeOf(iq);
        // §8, rule 2: to strangers an account is empty, as one is that does not exist.
        var items = new List<DiscoItem>();
        if (node is null && await MaySee(context, iq))
        {
            foreach (var session in context.Services.Sessions.Find(context.Address)?.Snapshot ?? [])
                if (session.Available is not null) items.Add(new(session.Jid));
        }
        return iq.Result(new DiscoItems { Items = items, Node = node }.ToElement());
    }

    static async ValueTask<bool> MaySee(IqContext context, Iq iq) => context.IsOwner(iq) ||
        (await context.Services.Accounts.Load(context.Address))?.Roster.StateOf(iq.From)
            is SubscriptionState { ShowsContact: true };

    static DiscoInfo? InfoOfNode(Slots slots, IqContext context, Iq iq, string node)
    {
        foreach (var known in slots.DiscoNodes)
            if (known.Target == context.Target && known.Info(context, iq.From, node) is { } info) return info;
        return null;
    }

    static DiscoInfo Describe(Slots slots, Target target, IEnumerable<string> more) => new()
    {
        Identities =
        [
            .. slots.IdentitiesOf(target).Select(identity => new DiscoIdentity(
                identity.Category, identity.Type, identity.Name.Length == 0 ? null : identity.Name)),
        ],
        Features = [.. slots.DiscoOf(target).Concat(more).Order(StringComparer.Ordinal)],
    };

    static DiscoInfo WithNode(DiscoInfo info, string node) =>
        new() { Identities = info.Identities, Features = info.Features, Forms = info.Forms, Node = node };

    static string? NodeOf(Iq iq) => iq.Payload!.Attribute("node") is { Length: > 0 } node ? node : null;
}
