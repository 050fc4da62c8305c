using System.Collections.Concurrent;
using System.Collections.Immutable;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Peers;
using Muster.Server.Telemetry;

namespace Muster.Server.Routing;

/// <content>What the connections of other servers tell and ask.</content>
sealed partial class PeerRoutes
{
    // All that live, and for each domain those that it may send on.
    readonly ConcurrentDictionary<PeerLink, byte> _links = new();
    readonly ConcurrentDictionary<Jid, ImmutableHashSet<PeerLink>> _incoming = new();
    readonly ConcurrentDictionary<Jid, string> _troubles = new();

    /// <summary>Streams that are open or about to be.</summary>
    public int LinkCount => _links.Count;

    /// <summary>Streams on which a domain may send.</summary>
    public int StreamsOf(Jid domain) => _incoming.TryGetValue(domain, out var streams) ? streams.Count : 0;

    /// <summary>Whether there is an open stream with a domain, whoever opened it.</summary>
    public bool HasStreamWith(Jid domain) => _links.Keys.Any(link => link.IsOpen
        && (link.Opened?.Remote == domain || link.AcceptedPairs.Any(pair => pair.Remote == domain)));

    void Adopt(PeerLink link) => _links.TryAdd(link, 0);

    /// <inheritdoc/>
    public ValueTask Receive(PeerLink link, Stanza stanza) =>
        TakePong(stanza) ? default : _router.Route(stanza);

    /// <inheritdoc/>
    public bool Accepted(PeerLink link, PeerPair pair, string method)
    {
        Adopt(link);
        _meters.Accepted(method);
        _troubles.TryRemove(pair.Remote, out _);
        var streams = _incoming.AddOrUpdate(pair.Remote, static (_, link) => [link],
            static (_, all, link) => all.Add(link), link);
        if (link.IsOutgoing || streams.Count <= _settings().StreamsPerDomainMax) return true;
        _meters.Refused("too many streams of the domain");
        Trouble(pair.Remote, "it has too many streams open; another one was closed");
        return false;
    }

    /// <inheritdoc/>
    public void Authorized(PeerLink link, PeerPair pair)
    {
        Adopt(link);
        if (RouteOf(pair, _settings()) is not { } route) return;
        var refused = new List<Stanza>();
        lock (route.Lock)
        {
            // Two streams may come to it at once, one from each side: the first is used, the other idles out.
            route.Link ??= link;
            if (route.Trying == link || route.IsTrying) (route.Trying, route.IsTrying) = (null, false);
            (route.Failures, route.RetryAt, route.Logged) = (0, default, null);
            route.AnsweredAt = route.PingedAt = route.UsedAt = _clock.GetUtcNow();
            route.Flush(route.Link, refused);
            if (route.QueueCount > 0) route.Flush(route.Link = link, refused);
        }
        _ = BounceAll(refused, StanzaError.RemoteServerTimeout.WithText($"{pair.Remote} does not read"));
    }

    /// <summary>Closes the streams with domains that may not be talked with any more. What waits for them comes
    /// back.</summary>
    public void CloseDenied()
    {
        var rules = _settings();
        foreach (var link in _links.Keys)
        {
            var remotes = link.AcceptedPairs.Concat(link.Opened is { } opened ? [opened] : []);
            if (remotes.Select(pair => pair.Remote).FirstOrDefault(remote => !rules.Allows(remote)) is
                { IsNone: false } denied)
                link.Close(StreamError.PolicyViolation.WithText($"this server does not talk with {denied} any more"));
        }
    }

    /// <inheritdoc/>
    public void Refused(PeerLink link, PeerPair pair, StanzaError error)
    {
        if (!_routes.TryGetValue(pair, out var route)) return;
        DateTimeOffset since;
        lock (route.Lock)
        {
            if (route.Trying != link) return;
            if (link.IsOutgoing && !route.SkipsSharing && link.Opened != pair)
            {
                // On a stream of its own it may be taken, where another certificate or policy counts.
                (route.SkipsSharing, route.Trying) = (true, null);
                Try(route);
                return;
            }
            since = route.TryingSince;
        }
        _ = Fail(route, since, error, error.Text ?? error.Condition).AsTask();
        if (link.Opened == pair) link.Close(null);
    }

    /// <inheritdoc/>
    public void Trouble(Jid remote, string problem)
    {
        _meters.Trouble();
        // Once for each trouble of a domain, until it has proved itself; and the list has an end.
        if (_troubles.TryGetValue(remote, out string? known) && known == problem) return;
        if (_troubles.Count >= _settings().RoutesMax) _troubles.Clear();
        _troubles[remote] = problem;
        _log.PeerTrouble(remote, problem);
    }

    /// <inheritdoc/>
    public void Ended(PeerLink link, PeerEnd end)
    {
        _links.TryRemove(link, out _);
        foreach (var remote in end.Accepted.Select(pair => pair.Remote).Distinct())
        {
            _incoming.AddOrUpdate(remote, [], (_, all) => all.Remove(link));
            _incoming.TryRemove(KeyValuePair.Create(remote, ImmutableHashSet<PeerLink>.Empty));
        }
        FailQuestions(link);
        bool isKept = KeepResumable(link, end);
        ForgetToken(link);
        LeaveRoutes(link, end);
        var bounced = isKept || end.Acks is null ? [] : SettleLost(RemoteOf(end), end.Acks);
        bounced.AddRange(SettleUnsent(RemoteOf(end), end.Unsent));
        var pairs = end.Accepted.Concat(end.Authorized).ToHashSet();
        if (pairs.Count > 0)
            StreamEnded?.Invoke(new PeerStreamEnded(pairs, link.IsOutgoing, end.Reason, bounced));
    }

    static Jid RemoteOf(PeerEnd end) =>
        end.Opened?.Remote ?? end.Accepted.Concat(end.Authorized).FirstOrDefault().Remote;

    /// <summary>What used the stream looks for another one; what waited for it has failed.</summary>
    void LeaveRoutes(PeerLink link, PeerEnd end)
    {
        foreach (var route in _routes.Values)
        {
            bool hasFailed = false;
            DateTimeOffset since;
            lock (route.Lock)
            {
                if (route.Link == link) route.Link = null;
                since = route.TryingSince;
                if (route.Trying != link) continue;
                route.Trying = null;
                bool isOwn = end.Opened == route.Pair;
                bool mayDoWithout = end.WasUnused || (isOwn && end.HasFailedExternal && !route.SkipsExternal)
                    || (!isOwn && !route.SkipsSharing);
                if (route.QueueCount == 0 && route.Questions.Count == 0 && route.Resumable is null)
                {
                    route.IsTrying = false; // it was opened to ask about a key, and that is done
                }
                else if (mayDoWithout)
                {
                    route.SkipsExternal |= isOwn && end.HasFailedExternal;
                    route.SkipsSharing |= !isOwn;
                    Try(route);
                }
                else
                {
                    hasFailed = true;
                }
            }
            if (hasFailed) _ = Fail(route, since, ErrorOf(end), end.Reason).AsTask();
        }
    }

    // RFC 6120 §10.4.3: a stream that cannot be negotiated is a time-out; a server that does not know the domain says
    // that there is no such one.
    static StanzaError ErrorOf(PeerEnd end) => end.PeerError is "host-unknown" or "host-gone"
        ? StanzaError.RemoteServerNotFound
        : StanzaError.RemoteServerTimeout;

    /// <summary>A stream to the same server on which the pair may be tried.</summary>
    PeerLink? FindShared(PeerPair pair)
    {
        foreach (var route in _routes.Values)
        {
            // Not under its lock: a stream that ends meanwhile says so.
            if (route.Pair.Remote == pair.Remote && route.Link is { TakesMorePairs: true } link) return link;
        }
        return null;
    }

    async Task BounceAll(IEnumerable<Stanza> stanzas, StanzaError error)
    {
        foreach (var stanza in stanzas) await Bounce(stanza, error);
    }
}
