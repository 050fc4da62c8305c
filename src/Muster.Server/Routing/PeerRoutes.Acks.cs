using System.Collections.Concurrent;
using Muster.Core.Streams;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Peers;
using Muster.Server.Sessions;
using Muster.Server.Telemetry;

namespace Muster.Server.Routing;

/// <content>Streams that broke: resuming them, and what becomes of stanzas that were not acknowledged
/// (stream-management.md §9).</content>
sealed partial class PeerRoutes
{
    const int TokensMax = 10_000, TokenLength = 32;

    /// <summary>A stream that its opener may resume: alive, or broken and waiting.</summary>
    sealed record Resumption(PeerPair Pair)
    {
        /// <summary>The stream while it lives, or is thought to.</summary>
        public PeerLink? Link { get; set; }

        /// <summary>What is known of it when it does not.</summary>
        public PeerAcks? Acks { get; set; }
    }

    readonly ConcurrentDictionary<string, Resumption> _tokens = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string? TokenFor(PeerLink link, PeerPair pair)
    {
        if (_tokens.Count >= TokensMax) return null;
        string token = RandomText.Create(TokenLength);
        _tokens[token] = new Resumption(pair) { Link = link };
        return token;
    }

    /// <inheritdoc/>
    public PeerAcks? Resume(PeerLink link, PeerPair pair, string token)
    {
        if (!_tokens.TryGetValue(token, out var found)) return null;
        lock (found)
        {
            // Bound to the pair, which has been proved afresh: nobody resumes what was another's.
            if (found.Pair != pair) return null;
            var acks = found.Acks ?? (found.Link == link ? null : found.Link?.Surrender());
            if (acks is null) return null;
            (found.Acks, found.Link, acks.ResumableUntil) = (null, link, default);
            return acks;
        }
    }

    /// <summary>Keeps what is known of a stream that is over, if it may be resumed. False when somebody has to answer
    /// for it now.</summary>
    bool KeepResumable(PeerLink link, PeerEnd end)
    {
        if (end.Acks is not { Token: { } token } acks) return false;
        if (acks.ResumableUntil == default) acks.ResumableUntil = _clock.GetUtcNow() + acks.ResumableFor;
        bool isKept = end.Opened is { } pair
            ? KeepOutgoing(link, pair, end, acks)
            : KeepIncoming(link, token, end, acks);
        if (end.Opened is null && !isKept) _tokens.TryRemove(token, out _);
        return isKept;
    }

    bool KeepIncoming(PeerLink link, string token, PeerEnd end, PeerAcks acks)
    {
        if (!_tokens.TryGetValue(token, out var found)) return false;
        lock (found)
        {
            if (found.Link != link) return true; // resumed on another connection already, before this one was over
            (found.Link, found.Acks) = (null, end.IsResumable ? acks : null);
            return end.IsResumable;
        }
    }

    bool KeepOutgoing(PeerLink link, PeerPair pair, PeerEnd end, PeerAcks acks)
    {
        // Where nothing waits to be acknowledged there is nothing to resume.
        if (!end.IsResumable || !acks.HasUnacked || _clock.GetUtcNow() >= acks.ResumableUntil) return false;
        if (RouteOf(pair, _settings()) is not { } route) return false;
        lock (route.Lock)
        {
            if (route.Resumable is not null || (route.Link is not null && route.Link != link)) return false;
            (route.Resumable, route.Link) = (acks, null);
            if (!route.IsTrying) Try(route);
            return true;
        }
    }

    // One whose acknowledgements were not kept, or stopped being kept.
    void ForgetToken(PeerLink link)
    {
        foreach (var (token, found) in _tokens)
        {
            lock (found)
            {
                if (found.Link != link) continue;
                found.Link = null;
            }
            _tokens.TryRemove(token, out _);
        }
    }

    /// <summary>The other server cannot be reached now; it is tried again while the stream may be resumed.</summary>
    void KeepForLater(PeerRoute route, PeerAcks acks)
    {
        bool isKept;
        lock (route.Lock)
        {
            isKept = route.Resumable is null && _clock.GetUtcNow() < acks.ResumableUntil;
            if (isKept) route.Resumable = acks;
        }
        if (!isKept) SettleLost(route.Pair.Remote, acks);
    }

    /// <inheritdoc/>
    public void NotResumed(PeerPair pair, PeerAcks acks) => SettleLost(pair.Remote, acks);

    /// <summary>Answers for what was not acknowledged on a stream that is dead for good.</summary>
    /// <returns>What came back to its senders.</returns>
    List<Stanza> SettleLost(Jid remote, PeerAcks acks)
    {
        bool resends = _settings().Resends;
        var now = _clock.GetUtcNow();
        List<Stanza> bounced = [], again = [];
        foreach (var unacked in acks.Unacked)
        {
            if (resends && PeerFate.IsResent(unacked, now)) again.Add(unacked.Stanza);
            else if (PeerFate.IsBounced(unacked.Stanza)) bounced.Add(unacked.Stanza);
        }
        if (bounced.Count + again.Count == 0) return [];
        _log.PeerStanzasLost(remote, bounced.Count, again.Count);
        _ = SettleAsync(bounced, again);
        return bounced;
    }

    /// <summary>Answers for what a stream without acknowledgements never sent. What it did send may have arrived or
    /// not: nobody knows, so nothing is said of it (RFC 6120 has no such thing; an error for what did arrive would
    /// make rooms remove occupants who are there).</summary>
    List<Stanza> SettleUnsent(Jid remote, IReadOnlyList<Stanza> unsent)
    {
        List<Stanza> bounced = [.. unsent.Where(PeerFate.IsBounced)];
        if (bounced.Count == 0) return [];
        _log.PeerStanzasLost(remote, bounced.Count, 0);
        _ = SettleAsync(bounced, []);
        return bounced;
    }

    async Task SettleAsync(List<Stanza> bounced, List<Stanza> again)
    {
        await Task.Yield();
        await BounceAll(bounced, StanzaError.RemoteServerTimeout.WithText("the connection to the server broke"));
        foreach (var stanza in again)
        {
            _meters.Resent();
            await Route(stanza, null, isAgain: true);
        }
    }

    /// <summary>Those who did not come back in time will not.</summary>
    void ForgetLateResumptions(DateTimeOffset now)
    {
        foreach (var (token, found) in _tokens)
        {
            PeerAcks? acks;
            lock (found)
            {
                if (found.Acks is null || found.Acks.ResumableUntil > now) continue;
                (acks, found.Acks) = (found.Acks, null);
            }
            _tokens.TryRemove(token, out _);
            SettleLost(found.Pair.Remote, acks);
        }
    }
}
