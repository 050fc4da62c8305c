using System.Collections.Frozen;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;

namespace Muster.Server.Features;

/// <summary>What an iq or a disco query is addressed to.</summary>
[Flags]
enum Target
{
    /// <summary>A domain of accounts.</summary>
    Server = 1,
    /// <summary>An account's bare JID.</summary>
    Account = 2,
    /// <summary>A room service's domain.</summary>
    RoomService = 4,
}

/// <summary>Who asks whom, for an iq handler.</summary>
/// <param name="Services">The parts of the server.</param>
/// <param name="Target">Which kind of address was asked.</param>
/// <param name="Address">The bare JID or domain that was asked.</param>
/// <param name="Sender">The asking session when it is one of this process, else null.</param>
readonly record struct IqContext(Services Services, Target Target, Jid Address, Session? Sender)
{
    /// <summary>True when an account is asked by its own owner: what most account queries require.</summary>
    public bool IsOwner(Iq iq) => Address.HasLocal && iq.From.SameBare(Address);
}

/// <summary>Answers an iq request. Must answer with a result or an error of the same id; null when it has arranged for
/// the answer itself.</summary>
delegate ValueTask<Iq?> IqHandler(IqContext context, Iq iq);

/// <summary>Answers an iq request of a client that has not logged in: with a result or an error of the same
/// id.</summary>
delegate ValueTask<Iq> EarlyHandler(EarlyClient client, Iq iq);

/// <summary>Something that can be asked about by disco under a node of its own (XEP-0030 §3.2).</summary>
/// <param name="Target">Which kind of address has it.</param>
/// <param name="Info">What it is; null when the node is another one. Gets the asker and the node.</param>
/// <param name="Items">What belongs to it; null when the node is another one.</param>
sealed record DiscoNode(
    Target Target, Func<IqContext, Jid, string, DiscoInfo?> Info, Func<IqContext, Jid, string, DiscoItems?> Items);

/// <summary>What happens as a client binds with its login (XEP-0386), before it hears that it is bound.</summary>
/// <param name="Namespace">Namespace of the request that asks for it, which is also the name that is advertised
/// (XEP-0386 §support); null for what each such client gets unasked.</param>
/// <param name="Enable">Does it. Gets the new session and the request (null for what is unasked); what it returns
/// stands in <c>bound</c>.</param>
sealed record InlineBind(string? Namespace, Func<Session, Element?, ValueTask<Element?>> Enable);

/// <summary>The closed list of places where a feature can stand. A XEP that needs another place adds a slot
/// here.</summary>
sealed class Slots(Services services)
{
    readonly Dictionary<(IqType, string Namespace, string Name, Target), IqHandler> _iq = [];
    readonly SortedDictionary<Target, SortedSet<string>> _disco = [];
    readonly Dictionary<Target, List<(string Category, string Type, string Name)>> _identities = [];
    readonly List<Func<Jid, IEnumerable<Element>>> _streamFeatures = [];
    readonly List<(string Feature, Func<Jid, bool> IsOn)> _serverDisco = [];
    readonly List<Func<Session, Presence, ValueTask>> _firstAvailable = [];
    readonly List<Func<Jid, Presence, ValueTask<bool>>> _approvals = [];
    readonly List<Func<Jid, IEnumerable<DiscoItem>>> _serverItems = [];
    readonly List<DiscoNode> _discoNodes = [];
    readonly SortedDictionary<(Target, string Node), Command> _commands = [];
    readonly List<Func<Jid, IEnumerable<Element>>> _earlyFeatures = [];
    readonly Dictionary<(IqType, string Namespace, string Name), EarlyHandler> _early = [];
    readonly List<InlineBind> _inlineBinds = [];
    readonly List<(TimeSpan Every, Func<CancellationToken, ValueTask> Work)> _background = [];

    /// <summary>The parts of the server.</summary>
    public Services Services => services;

    /// <summary>Announces a feature in disco#info of the targets (XEP-0030).</summary>
    public void Disco(Target targets, string feature)
    {
        foreach (var target in Each(targets))
            (_disco.TryGetValue(target, out var set) ? set : _disco[target] = new(StringComparer.Ordinal)).Add(feature);
    }

    /// <summary>Announces a feature in disco#info of those domains of accounts that have it.</summary>
    public void ServerDisco(string feature, Func<Jid, bool> isOn) => _serverDisco.Add((feature, isOn));

    /// <summary>Announces an identity in disco#info of the targets (XEP-0030).</summary>
    public void Identity(Target targets, string category, string type, string name)
    {
        foreach (var target in Each(targets))
            (_identities.TryGetValue(target, out var list) ? list : _identities[target] = [])
                .Add((category, type, name));
    }

    /// <summary>Adds items to disco#items of a domain of accounts: its services (XEP-0030 §4).</summary>
    public void ServerItems(Func<Jid, IEnumerable<DiscoItem>> itemsOf) => _serverItems.Add(itemsOf);

    /// <summary>Answers disco queries about a node (XEP-0030 §3.2).</summary>
    public void DiscoNode(DiscoNode node) => _discoNodes.Add(node);

    /// <summary>Offers an ad-hoc command (XEP-0050).</summary>
    public void Command(Command command) => _commands.Add((command.Target, command.Node), command);

    /// <summary>Advertises an element in the stream features of clients that have not logged in; the domain is the one
    /// that the client addressed.</summary>
    public void EarlyStreamFeature(Func<Jid, IEnumerable<Element>> elements) => _earlyFeatures.Add(elements);

    /// <summary>Answers iq requests of clients that have not logged in.</summary>
    public void EarlyIq(IqType type, string ns, string name, EarlyHandler handler) =>
        _early.Add((type, ns, name), handler);

    /// <summary>Answers iq requests of a payload. Two handlers for the same request are a bug and throw at
    /// start.</summary>
    public void Iq(IqType type, string ns, string name, Target targets, IqHandler handler)
    {
        foreach (var target in Each(targets)) _iq.Add((type, ns, name, target), handler);
    }

    /// <summary>Answers iq requests of a payload at once.</summary>
    public void Iq(IqType type, string ns, string name, Target targets, Func<IqContext, Iq, Iq> handler) =>
        Iq(type, ns, name, targets, (context, iq) => ValueTask.FromResult<Iq?>(handler(context, iq)));

    /// <summary>Advertises an element in the stream features of authenticated clients.</summary>
    public void StreamFeature(Func<IEnumerable<Element>> elements) => _streamFeatures.Add(_ => elements());

    /// <summary>The same, where it depends on the client's domain.</summary>
    public void StreamFeature(Func<Jid, IEnumerable<Element>> elements) => _streamFeatures.Add(elements);

    /// <summary>Does something as a client binds with its login (XEP-0386), in the order of
    /// <see cref="All"/>.</summary>
    public void InlineBind(InlineBind feature) => _inlineBinds.Add(feature);

    /// <summary>Runs when a session becomes available for the first time, in the order of <see cref="All"/>.</summary>
    public void OnFirstAvailable(Func<Session, Presence, ValueTask> step) => _firstAvailable.Add(step);

    /// <summary>Decides whether an account has approved a subscription request before it came, by other means than RFC
    /// 6121 §3.4. The first that says yes decides. Runs in the account's turn, so it routes nothing.</summary>
    public void Approval(Func<Jid, Presence, ValueTask<bool>> approves) => _approvals.Add(approves);

    /// <summary>Runs again and again while the server runs.</summary>
    public void Background(TimeSpan every, Func<CancellationToken, ValueTask> work) => _background.Add((every, work));

    internal FrozenDictionary<(IqType, string Namespace, string Name, Target), IqHandler> IqTable =>
        _iq.ToFrozenDictionary();
    internal IReadOnlyList<Func<Session, Presence, ValueTask>> FirstAvailable => _firstAvailable;
    internal IReadOnlyList<Func<Jid, Presence, ValueTask<bool>>> Approvals => _approvals;
    internal IReadOnlyList<InlineBind> InlineBinds => _inlineBinds;
    internal IReadOnlyList<string> InlineFeatures => [.. _inlineBinds.Select(f => f.Namespace).OfType<string>()];
    internal IEnumerable<DiscoItem> ServerItemsOf(Jid domain) => _serverItems.SelectMany(itemsOf => itemsOf(domain));
    internal IReadOnlyList<DiscoNode> DiscoNodes => _discoNodes;
    internal IReadOnlyDictionary<(Target, string Node), Command> Commands => _commands;
    internal IEnumerable<Element> EarlyStreamFeatures(Jid domain) =>
        _earlyFeatures.SelectMany(elements => elements(domain));
    internal FrozenDictionary<(IqType, string Namespace, string Name), EarlyHandler> EarlyTable =>
        _early.ToFrozenDictionary();
    internal IReadOnlyList<(TimeSpan Every, Func<CancellationToken, ValueTask> Work)> BackgroundWork => _background;
    internal IEnumerable<Element> StreamFeatures(Jid domain) => _streamFeatures.SelectMany(make => make(domain));
    internal IReadOnlyCollection<string> DiscoOf(Target target) => _disco.GetValueOrDefault(target) ?? [];
    internal IEnumerable<string> ServerDiscoOf(Jid domain) =>
        _serverDisco.Where(feature => feature.IsOn(domain)).Select(feature => feature.Feature);
    internal IReadOnlyList<(string Category, string Type, string Name)> IdentitiesOf(Target target) =>
        _identities.GetValueOrDefault(target) ?? [];

    static IEnumerable<Target> Each(Target targets) =>
        Enum.GetValues<Target>().Where(target => targets.HasFlag(target));
}
