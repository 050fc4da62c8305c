using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Components;
using Muster.Server.Telemetry;

namespace Muster.Server.Routing;

/// <summary>A component's stream is over.</summary>
/// <param name="Domain">What it served.</param>
/// <param name="Reason">Why, for people.</param>
sealed record ComponentEnded(Jid Domain, string Reason);

/// <summary>
/// The domains of external components (XEP-0114). A domain joins the router when the configuration names it, or when a
/// component first proves that it knows the secret; it stays until the server ends, so that what comes while the
/// component is restarted is answered here and does not leave for another server.
/// </summary>
sealed class ComponentRoutes(
    Router router, TimeProvider clock, ComponentMeters meters, ILoggerFactory logs, Func<int> domainsMax,
    Func<Jid, Jid> hostOf) : IComponentHost
{
    readonly ConcurrentDictionary<string, ComponentRoute> _routes = new(StringComparer.Ordinal);
    readonly ILogger _log = logs.CreateLogger("Muster.Components");
    readonly Lock _lock = new();

    /// <summary>Told when a component is gone, by whatever task ended it: must not wait.</summary>
    public event Action<ComponentEnded>? StreamEnded;

    /// <summary>All domains that are known, connected or not, in their order.</summary>
    public IEnumerable<ComponentRoute> All => _routes.Values.OrderBy(route => route.Domain.ToString(),
        StringComparer.Ordinal);

    /// <summary>Makes a domain one of a component, which need not be connected.</summary>
    public void Expect(Jid domain)
    {
        lock (_lock) Join(domain);
    }

    /// <summary>Why a component may not serve a domain; null when it may. That it is connected already is found out
    /// later, when it is known who asks.</summary>
    public StreamError? ProblemOf(Jid domain) => router.Find(domain) is null or ComponentRoute
        ? null
        : StreamError.Conflict.WithText($"{domain} is served by this server itself");

    /// <inheritdoc/>
    public StreamError? Connect(ComponentLink link)
    {
        ComponentRoute? route;
        ComponentLink? old;
        lock (_lock)
        {
            if (ProblemOf(link.Domain) is { } problem) return problem;
            if (!_routes.TryGetValue(link.Domain.ToString(), out route))
            {
                if (_routes.Count >= domainsMax())
                    return StreamError.ResourceConstraint.WithText("too many domains of components");
                route = Join(link.Domain);
            }
            old = route.Link;
            if (old is { IsOpen: true } && !link.KicksOld)
                return StreamError.Conflict.WithText($"{link.Domain} is connected already");
            route.Connect(link, clock.GetUtcNow());
        }
        old?.Close(StreamError.Conflict.WithText("another connection took its place"));
        meters.Connected(link.Domain.ToString());
        _log.ComponentConnected(link.Id, link.Address, link.Domain);
        return null;
    }

    /// <inheritdoc/>
    public ValueTask Receive(ComponentLink link, Stanza stanza)
    {
        if (_routes.TryGetValue(link.Domain.ToString(), out var route)) route.CountReceived();
        meters.Received(link.Domain.ToString());
        return router.Route(stanza);
    }

    /// <inheritdoc/>
    public void Ended(ComponentLink link, string reason)
    {
        meters.Ended(link.Domain.ToString());
        _log.ComponentGone(link.Id, link.Domain, reason);
        lock (_lock)
        {
            // Another connection may have taken its place: then the domain is still served.
            if (!_routes.TryGetValue(link.Domain.ToString(), out var route) || !route.Disconnect(link)) return;
        }
        StreamEnded?.Invoke(new ComponentEnded(link.Domain, reason));
    }

    ComponentRoute Join(Jid domain)
    {
        if (_routes.TryGetValue(domain.ToString(), out var route)) return route;
        route = new ComponentRoute(domain, hostOf(domain), router, meters);
        _routes[domain.ToString()] = route;
        router.Join(domain.ToString(), route);
        return route;
    }
}

/// <summary>The way to one component.</summary>
sealed class ComponentRoute(Jid domain, Jid host, Router router, ComponentMeters meters) : IStanzaTarget
{
    volatile ComponentLink? _link;
    long _received, _sent, _bounced;

    /// <summary>What it serves.</summary>
    public Jid Domain => domain;

    /// <summary>The domain of accounts that it belongs to.</summary>
    public Jid Host => host;

    /// <summary>Its stream, or null while it is not connected.</summary>
    public ComponentLink? Link => _link;

    /// <summary>Since when it has been connected; null while it is not.</summary>
    public DateTimeOffset? ConnectedAt { get; private set; }

    /// <summary>Stanzas that came from it, since the server started.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Stanzas that went to it.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Stanzas for it that came back.</summary>
    public long Bounced => Interlocked.Read(ref _bounced);

    /// <inheritdoc/>
    public ValueTask Route(Stanza stanza) => Route(stanza, null);

    /// <inheritdoc/>
    public ValueTask Route(SharedStanza shared, Jid to)
    {
        var own = shared.For(to);
        return Route(own.Stanza, own);
    }

    ValueTask Route(Stanza stanza, SharedStanza? written)
    {
        if (_link is not { } link) return Bounce(stanza, NotConnected);
        if (!link.MaySend(stanza.From))
            return Bounce(stanza, StanzaError.Forbidden.WithText($"you may not send to {domain}"));
        switch (link.Send(written ?? SharedStanza.From(stanza)))
        {
            case ComponentSend.Sent:
                Interlocked.Increment(ref _sent);
                meters.Sent(domain.ToString());
                return default;
            case ComponentSend.Overflow:
                return Bounce(stanza, StanzaError.RemoteServerTimeout.WithText($"{domain} does not read"));
            default:
                return Bounce(stanza, NotConnected);
        }
    }

    /// <summary>Gives it a stream.</summary>
    public void Connect(ComponentLink link, DateTimeOffset at) => (ConnectedAt, _link) = (at, link);

    /// <summary>Takes its stream away. False when it has another one.</summary>
    public bool Disconnect(ComponentLink link)
    {
        if (_link != link) return false;
        (_link, ConnectedAt) = (null, null);
        return true;
    }

    /// <summary>Counts a stanza of the component.</summary>
    public void CountReceived() => Interlocked.Increment(ref _received);

    // RFC 6120 §8.3.3.16: a service that is known, and cannot be reached now: whoever sends may try again later.
    StanzaError NotConnected => StanzaError.RemoteServerTimeout.WithText($"{domain} is not connected");

    ValueTask Bounce(Stanza stanza, StanzaError error)
    {
        if (!PeerFate.IsBounced(stanza) || stanza.From.IsNone) return default;
        Interlocked.Increment(ref _bounced);
        meters.Bounced(domain.ToString(), error.Condition);
        return router.Route(stanza.Refuse(error));
    }
}
