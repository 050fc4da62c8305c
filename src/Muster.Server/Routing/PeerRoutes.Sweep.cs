using Muster.Core.Streams;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Server.Peers;
using Muster.Server.Sessions;

namespace Muster.Server.Routing;

/// <content>What is done by the clock: attempts that take too long, pings (muc-presence-reliability.md §4), routes that
/// nobody uses.</content>
sealed partial class PeerRoutes
{
    const string PingIdPrefix = "keepalive-";
    static readonly TimeSpan SweepPeriod = TimeSpan.FromSeconds(1);
    static readonly TimeSpan UnusedRouteKept = TimeSpan.FromMinutes(10);

    readonly string _pingId = PingIdPrefix + RandomText.Create(16); // so that nobody can answer who was not asked
    DateTimeOffset _spacedAt;

    void Sweep()
    {
        var (rules, now) = (_settings(), _clock.GetUtcNow());
        foreach (var route in _routes.Values) Sweep(route, rules, now);
        FailLateQuestions(now, rules.AttemptTimeout);
        ForgetLateResumptions(now);
        if (now - _spacedAt < rules.PingInterval) return;
        _spacedAt = now;
        KeepIncomingAlive(rules);
    }

    void Sweep(PeerRoute route, PeerRouteSettings rules, DateTimeOffset now)
    {
        PeerLink? late = null;
        PeerAcks? lost = null;
        List<Stanza> waited = [];
        DateTimeOffset since;
        bool hasTimedOut, isDue;
        lock (route.Lock)
        {
            since = route.TryingSince;
            hasTimedOut = route.IsTrying && now - since > rules.AttemptTimeout;
            if (hasTimedOut && route.Trying is { } trying && trying.Opened == route.Pair) late = trying;
            if (route.IsUnused && now - route.UsedAt > UnusedRouteKept && now > route.RetryAt)
            {
                _routes.TryRemove(KeyValuePair.Create(route.Pair, route));
                return;
            }
            isDue = IsPingDue(route, rules, now);
            if (route.Resumable is { } acks && now >= acks.ResumableUntil)
            {
                (lost, route.Resumable) = (acks, null);
                if (!route.IsTrying) waited = route.TakeQueue();
            }
            else if (route.Resumable is not null && !route.IsTrying && now >= route.RetryAt)
            {
                Try(route);
            }
        }
        if (lost is not null) SettleLost(route.Pair.Remote, lost);
        if (waited.Count > 0) _ = BounceAll(waited, route.LastError);
        if (hasTimedOut)
        {
            _ = Fail(route, since, StanzaError.RemoteServerTimeout, "it did not answer in time").AsTask();
            late?.Close(StreamError.ConnectionTimeout.WithText("no answer came"));
        }
        if (isDue) Ping(route.Pair);
    }

    // Pings go on streams that this server sends on. Under the route's lock.
    bool IsPingDue(PeerRoute route, PeerRouteSettings rules, DateTimeOffset now)
    {
        if (route.Link is not { } link || !rules.KeepsAlive(route.Pair.Remote)) return false;
        if (now - route.AnsweredAt > rules.PingTimeout)
        {
            route.Link = null;
            _meters.KeepaliveTimeout();
            link.Close(StreamError.ConnectionTimeout.WithText("pings were not answered"));
            return false;
        }
        if (now - route.PingedAt < rules.PingInterval) return false;
        route.PingedAt = now;
        return true;
    }

    void Ping(PeerPair pair)
    {
        var ping = new Iq(IqType.Get, pair.Local, pair.Remote, _pingId, new Element(Namespaces.Ping, "ping"));
        _ = Route(ping).AsTask();
    }

    /// <summary>Streams on which only the peer sends: a space shows life, and a ping makes a stream the other
    /// way.</summary>
    void KeepIncomingAlive(PeerRouteSettings rules)
    {
        foreach (var (remote, links) in _incoming)
        {
            if (!rules.KeepsAlive(remote)) continue;
            foreach (var link in links)
                if (!link.IsOutgoing) link.KeepAlive();
            var pairs = links.Where(link => !link.IsOutgoing).SelectMany(link => link.AcceptedPairs).Distinct();
            foreach (var pair in pairs)
            {
                if (pair.Remote == remote && RouteOf(pair, rules) is { Link: null, IsTrying: false }) Ping(pair);
            }
        }
    }

    /// <summary>Takes the answer to a ping of ours: any that comes from the peer, an error too.</summary>
    bool TakePong(Stanza stanza)
    {
        if (stanza is not Iq { IsRequest: false } iq || iq.Id != _pingId) return false;
        var pair = new PeerPair(iq.To.DomainJid, iq.From.DomainJid);
        if (_routes.TryGetValue(pair, out var route))
        {
            lock (route.Lock) route.AnsweredAt = _clock.GetUtcNow();
        }
        return true;
    }
}
