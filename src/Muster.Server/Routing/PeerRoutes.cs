using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Peers;
using Muster.Server.Telemetry;

namespace Muster.Server.Routing;

/// <summary>The rules for the ways to other servers.</summary>
sealed record PeerRouteSettings
{
    /// <summary>Whether other servers are talked with at all: whether there is a listener for them.</summary>
    public bool Federates { get; init; } = true;

    /// <summary>Whether a domain may be talked with.</summary>
    public Func<Jid, bool> Allows { get; init; } = static _ => true;

    /// <summary>How long an attempt to reach a server may take, from its name to a stream that takes stanzas.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(50);

    /// <summary>Longest pause between attempts; the first is a second, each doubles.</summary>
    public TimeSpan RetryDelayMax { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Stanzas that may wait for one pair of domains.</summary>
    public int QueueLengthMax { get; init; } = 1000;

    /// <summary>Bytes of them.</summary>
    public long QueueBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>Pairs of domains at a time.</summary>
    public int RoutesMax { get; init; } = 10_000;

    /// <summary>Streams that one domain may have open to this server.</summary>
    public int StreamsPerDomainMax { get; init; } = 50;

    /// <summary>Whether what a peer did not acknowledge is sent again when its stream dies, instead of
    /// bounced.</summary>
    public bool Resends { get; init; }

    /// <summary>How long a broken stream may be resumed.</summary>
    public TimeSpan ResumeTime { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Whether a domain is pinged to keep its streams.</summary>
    public Func<Jid, bool> KeepsAlive { get; init; } = static _ => true;

    /// <summary>Time between pings.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A stream without an answer for this long is closed.</summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(593);
}

/// <summary>A stream to or from another server is over.</summary>
/// <param name="Pairs">The domains here and there between which stanzas could flow on it.</param>
/// <param name="IsOutgoing">Whether this server opened it.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="Bounced">The stanzas that came back to their senders because of it.</param>
sealed record PeerStreamEnded(
    IReadOnlyCollection<PeerPair> Pairs, bool IsOutgoing, string Reason, IReadOnlyList<Stanza> Bounced);

/// <summary>
/// The ways to other servers: takes stanzas for all domains that are not served here, and finds a stream for each pair
/// of domains. Nobody waits for a peer: what cannot be sent waits in a bounded queue for a bounded time, and then goes
/// back to its sender (RFC 6120 §10.4).
/// </summary>
sealed partial class PeerRoutes : IStanzaTarget, IPeerHost, IDisposable
{
    static readonly TimeSpan FirstRetryDelay = TimeSpan.FromSeconds(1);

    readonly Router _router;
    readonly TimeProvider _clock;
    readonly PeerMeters _meters;
    readonly ILogger _log;
    readonly Func<PeerRouteSettings> _settings;
    readonly ConcurrentDictionary<PeerPair, PeerRoute> _routes = new();
    PeerDial _dial = static (_, _, _) => throw new PeerUnreachableException("this server does not connect", false);
    ITimer? _timer;

    /// <summary>Makes it; it reaches nobody before <see cref="Start"/>.</summary>
    public PeerRoutes(
        Router router, TimeProvider clock, PeerMeters meters, ILoggerFactory logs, Func<PeerRouteSettings> settings)
    {
        (_router, _clock, _meters, _settings) = (router, clock, meters, settings);
        _log = logs.CreateLogger("Muster.Peers");
    }

    /// <summary>Told when a stream is over, by whatever task ended it: must not wait.</summary>
    public event Action<PeerStreamEnded>? StreamEnded;

    /// <summary>Pairs of domains that there are ways for.</summary>
    public int Count => _routes.Count;

    /// <summary>Begins to connect to others.</summary>
    public void Start(PeerDial dial)
    {
        _dial = dial;
        _timer = _clock.CreateTimer(static routes => ((PeerRoutes)routes!).Sweep(), this, SweepPeriod, SweepPeriod);
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    /// <inheritdoc/>
    public ValueTask Route(Stanza stanza) => Route(stanza, null, isAgain: false);

    /// <inheritdoc/>
    public ValueTask Route(SharedStanza shared, Jid to)
    {
        var own = shared.For(to);
        return Route(own.Stanza, own, isAgain: false);
    }

    ValueTask Route(Stanza stanza, SharedStanza? written, bool isAgain)
    {
        var rules = _settings();
        if (!rules.Federates)
            return Bounce(stanza, StanzaError.RemoteServerNotFound.WithText("This server does not federate."));
        var pair = new PeerPair(stanza.From.DomainJid, stanza.To.DomainJid);
        // A stanza without a sender, or of somebody who is not from here, has no business here.
        if (!_router.IsLocal(pair.Local)) return default;
        if (!rules.Allows(pair.Remote))
            return Bounce(stanza, StanzaError.NotAllowed.WithText($"this server does not talk with {pair.Remote}"));
        if (RouteOf(pair, rules) is not { } route) return Bounce(stanza, StanzaError.ResourceConstraint);
        StanzaError? refusal;
        lock (route.Lock) refusal = Take(route, stanza, written, isAgain, rules);
        return refusal is null ? default : Bounce(stanza, refusal);
    }

    /// <summary>Sends a stanza or lets it wait; else the error for its sender. Under the route's lock.</summary>
    StanzaError? Take(
        PeerRoute route, Stanza stanza, SharedStanza? written, bool isAgain, PeerRouteSettings rules)
    {
        route.UsedAt = _clock.GetUtcNow();
        var letter = new PeerLetter(written ?? SharedStanza.From(stanza), isAgain);
        if (route.Link is { } link)
        {
            switch (link.Send(letter.Shared, isAgain))
            {
                case PeerSend.Sent: return null;
                case PeerSend.Overflow:
                    return StanzaError.RemoteServerTimeout.WithText($"{route.Pair.Remote} does not read");
                default: route.Link = null; break;
            }
        }
        bool isPausing = !route.IsTrying && route.RetryAt > route.UsedAt;
        if (isPausing && route.Resumable is null) return route.LastError;
        if (!route.TryEnqueue(letter, rules.QueueLengthMax, rules.QueueBytesMax))
            return StanzaError.ResourceConstraint.WithText($"too much waits for {route.Pair.Remote}");
        if (route.Trying is { } trying) trying.Authorize(route.Pair);
        else if (!route.IsTrying && !isPausing) Try(route);
        return null;
    }

    PeerRoute? RouteOf(PeerPair pair, PeerRouteSettings rules)
    {
        if (_routes.TryGetValue(pair, out var route)) return route;
        return _routes.Count < rules.RoutesMax ? _routes.GetOrAdd(pair, static pair => new PeerRoute(pair)) : null;
    }

    /// <summary>Begins an attempt, on a stream that other domains use or on one of its own. Under the route's
    /// lock.</summary>
    void Try(PeerRoute route)
    {
        (route.IsTrying, route.TryingSince) = (true, _clock.GetUtcNow());
        if (!route.SkipsSharing && route.Questions.Count == 0 && FindShared(route.Pair) is { } shared)
        {
            route.Trying = shared;
            shared.Authorize(route.Pair);
            return;
        }
        _ = DialAsync(route, route.TryingSince);
    }

    async Task DialAsync(PeerRoute route, DateTimeOffset since)
    {
        await Task.Yield(); // away from the lock
        bool triesExternal;
        PeerAcks? resumes;
        lock (route.Lock)
        {
            triesExternal = !route.SkipsExternal;
            (resumes, route.Resumable) = (route.Resumable, null);
        }
        try
        {
            var link = await _dial(route.Pair, triesExternal, resumes);
            resumes = null; // the link's from now on
            Adopt(link);
            bool isWanted;
            lock (route.Lock)
            {
                // A time-out may have ended this attempt, and another be under way.
                bool isCurrent = route.IsTrying && route.TryingSince == since && route.Trying is null;
                isWanted = isCurrent || route.Questions.Count > 0;
                foreach (var (streamId, key) in route.Questions) AskOn(link, route.Pair, streamId, key);
                route.Questions.Clear();
                if (isCurrent) route.Trying = link;
                if (isCurrent && (route.QueueCount > 0 || link.IsResuming)) link.Authorize(route.Pair);
            }
            link.Start();
            if (!isWanted) link.Close(null);
        }
        catch (PeerUnreachableException e)
        {
            var error = e.IsUnknown ? StanzaError.RemoteServerNotFound : StanzaError.RemoteServerTimeout;
            if (resumes is not null) KeepForLater(route, resumes);
            await Fail(route, since, error, e.Message);
        }
#pragma warning disable CA1031 // A bug in connecting must not leave stanzas waiting for ever.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _log.PeerFailed(e, "-", route.Pair.Remote);
            await Fail(route, since, StanzaError.RemoteServerTimeout, "internal error");
        }
    }

    /// <summary>An attempt has failed: what waited goes back, and for a while nothing else is tried.</summary>
    async ValueTask Fail(PeerRoute route, DateTimeOffset since, StanzaError error, string problem)
    {
        List<Stanza> waiting;
        List<(string StreamId, string Key)> questions;
        var rules = _settings();
        lock (route.Lock)
        {
            if (!route.IsTrying || route.TryingSince != since) return;
            (route.IsTrying, route.Trying) = (false, null);
            var delay = FirstRetryDelay * Math.Pow(2, Math.Min(route.Failures++, 20));
            route.RetryAt = _clock.GetUtcNow() + (delay < rules.RetryDelayMax ? delay : rules.RetryDelayMax);
            route.LastError = error.WithText(error.Text ?? problem);
            // While a stream may still be resumed, those who are in rooms of the other server lose nothing by waiting.
            waiting = route.Resumable is null ? route.TakeQueue() : [];
            questions = [.. route.Questions];
            route.Questions.Clear();
            // Once for each trouble: a server that stays away is one line, not one for each message.
            if (route.Logged != problem) _log.PeerUnreachable(route.Pair.Remote, route.Pair.Local, problem);
            route.Logged = problem;
        }
        _meters.Failed(error.Condition);
        var outcome = error.Condition == StanzaError.RemoteServerNotFound.Condition
            ? KeyOutcome.NotFound
            : KeyOutcome.Timeout;
        foreach (var (streamId, _) in questions) Answer(route.Pair, streamId, outcome);
        foreach (var stanza in waiting) await Bounce(stanza, route.LastError);
    }

    /// <summary>Sends a stanza back to where it came from. The error says that it is this server that speaks, and not
    /// the other one.</summary>
    ValueTask Bounce(Stanza stanza, StanzaError error)
    {
        if (!PeerFate.IsBounced(stanza) || stanza.From.IsNone) return default;
        _meters.Bounced(error.Condition);
        return _router.Route(stanza.Refuse(error with { By = stanza.From.DomainJid }));
    }
}
