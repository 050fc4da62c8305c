using System.Collections.Concurrent;
using System.Collections.Frozen;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Server.Routing;

/// <summary>A domain that stanzas can be sent to: a domain of accounts, a room service, a component, other
/// servers.</summary>
interface IStanzaTarget
{
    /// <summary>Takes a stanza whose <c>from</c> and <c>to</c> are set and true. Completes when responsibility is
    /// taken: the caller may wait for a room's mailbox here, and only here.</summary>
    ValueTask Route(Stanza stanza);

    /// <summary>Takes a stanza that is serialised already, for one of its recipients.</summary>
    ValueTask Route(SharedStanza shared, Jid to) => Route(shared.Stanza.Readdressed(shared.Stanza.From, to));
}

/// <summary>Step 3 of a message's path: domain to target. It decides nothing else.</summary>
sealed class Router
{
    FrozenDictionary<string, IStanzaTarget> _local = FrozenDictionary<string, IStanzaTarget>.Empty;
    FrozenDictionary<string, IStanzaTarget>.AlternateLookup<ReadOnlySpan<char>> _byDomain;
    readonly ConcurrentDictionary<string, IStanzaTarget> _joined = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, IStanzaTarget>.AlternateLookup<ReadOnlySpan<char>> _joinedByDomain;
    IStanzaTarget? _elsewhere;

    /// <summary>Makes it; it leads nowhere before <see cref="Connect"/>.</summary>
    public Router() => _joinedByDomain = _joined.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The domains of this process that were known at the start.</summary>
    public IEnumerable<string> LocalDomains => _local.Keys;

    /// <summary>Sets all targets at once; called at start.</summary>
    /// <param name="local">Targets by domain.</param>
    /// <param name="elsewhere">Takes what is for other domains: the peers.</param>
    public void Connect(IEnumerable<KeyValuePair<string, IStanzaTarget>> local, IStanzaTarget elsewhere)
    {
        _local = local.ToFrozenDictionary(StringComparer.Ordinal);
        _byDomain = _local.GetAlternateLookup<ReadOnlySpan<char>>();
        _elsewhere = elsewhere;
    }

    /// <summary>Adds a target while the server runs: the domain of a component. Those of the start keep
    /// theirs.</summary>
    public void Join(string domain, IStanzaTarget target) => _joined[domain] = target;

    /// <summary>The target that serves a domain in this process, or null.</summary>
    public IStanzaTarget? Find(Jid jid) =>
        _byDomain.TryGetValue(jid.Domain, out var target) || _joinedByDomain.TryGetValue(jid.Domain, out target)
            ? target
            : null;

    /// <summary>Whether a domain is served by this process.</summary>
    public bool IsLocal(Jid jid) => Find(jid) is not null;

    /// <summary>Whether a domain is served by this process itself: one of a component is served by another program,
    /// which may lose what it knows as another server may.</summary>
    public bool IsOwn(Jid jid) => _byDomain.ContainsKey(jid.Domain);

    /// <summary>Sends a stanza on its way.</summary>
    public ValueTask Route(Stanza stanza) => (Find(stanza.To) ?? _elsewhere!).Route(stanza);

    /// <summary>Sends a stanza, which many get, to one of its recipients.</summary>
    public ValueTask Route(SharedStanza shared, Jid to) => (Find(to) ?? _elsewhere!).Route(shared, to);

    /// <summary>Answers a stanza with an error, unless it is one that must not be answered (RFC 6120 §8.2.3,
    /// §8.3.1).</summary>
    public ValueTask Refuse(Stanza stanza, StanzaError error) =>
        stanza.IsError || stanza is Iq { Type: IqType.Result } || stanza.From.IsNone
            ? default
            : Route(stanza.Refuse(error));
}
