using System.Collections.Concurrent;
using Muster.Core.Streams;
using Muster.Server.Peers;

namespace Muster.Server.Routing;

/// <content>Dialback keys: who asks, whom to ask, who answers (XEP-0220 §2.1.2).</content>
sealed partial class PeerRoutes
{
    const int QuestionsMax = 1000;
    static readonly TimeSpan RecentFailure = TimeSpan.FromSeconds(5);

    /// <summary>A key that is being verified.</summary>
    /// <param name="Asker">The stream that the key came on.</param>
    /// <param name="Since">When it came.</param>
    sealed record Question(PeerLink Asker, DateTimeOffset Since)
    {
        /// <summary>The stream on which the authoritative server was asked, once it is known.</summary>
        public PeerLink? Asked { get; set; }
    }

    readonly ConcurrentDictionary<(PeerPair Pair, string StreamId), Question> _questions = new();

    /// <inheritdoc/>
    public void VerifyKey(PeerLink link, PeerPair pair, string streamId, string key)
    {
        var rules = _settings();
        var question = new Question(link, _clock.GetUtcNow());
        if (_questions.Count >= QuestionsMax || RouteOf(pair, rules) is not { } route
            || !_questions.TryAdd((pair, streamId), question))
        {
            link.Answer(pair, KeyOutcome.Timeout);
            return;
        }
        if (FindOutgoing(pair) is { } outgoing)
        {
            AskOn(outgoing, pair, streamId, key);
            return;
        }
        lock (route.Lock)
        {
            route.UsedAt = question.Since;
            bool hasJustFailed = !route.IsTrying && route.Failures > 0
                && route.RetryAt > question.Since && question.Since - route.TryingSince < RecentFailure;
            if (!hasJustFailed)
            {
                route.Questions.Add((streamId, key));
                // While a stream of another pair is tried, or one that the peer opened is used, this one needs its own.
                if (!route.IsTrying) Try(route);
                else if (route.Trying is not null) _ = DialToAskAsync(route);
                return;
            }
        }
        Answer(pair, streamId, KeyOutcome.Timeout);
    }

    /// <summary>A stream that this server opened to the domain: never the one that brought the key, nor another that
    /// the same stranger opened (XEP-0288 §2.2). The pair's own is preferred.</summary>
    PeerLink? FindOutgoing(PeerPair pair)
    {
        PeerLink? found = null;
        foreach (var link in _links.Keys)
        {
            if (link.Opened is not { } opened || opened.Remote != pair.Remote || !link.IsOpen) continue;
            if (opened == pair) return link;
            found = link;
        }
        return found;
    }

    void AskOn(PeerLink link, PeerPair pair, string streamId, string key)
    {
        if (_questions.TryGetValue((pair, streamId), out var question)) question.Asked = link;
        link.Verify(pair, streamId, key);
    }

    /// <summary>A connection for nothing but questions: the route's own attempt goes another way.</summary>
    async Task DialToAskAsync(PeerRoute route)
    {
        await Task.Yield();
        List<(string StreamId, string Key)> questions;
        lock (route.Lock)
        {
            questions = [.. route.Questions];
            route.Questions.Clear();
        }
        try
        {
            var link = await _dial(route.Pair, triesExternal: false, null);
            Adopt(link);
            foreach (var (streamId, key) in questions) AskOn(link, route.Pair, streamId, key);
            link.Start();
        }
        catch (PeerUnreachableException e)
        {
            foreach (var (streamId, _) in questions)
                Answer(route.Pair, streamId, e.IsUnknown ? KeyOutcome.NotFound : KeyOutcome.Timeout);
        }
    }

    /// <inheritdoc/>
    public void KeyVerified(PeerLink link, PeerPair pair, string streamId, KeyOutcome outcome) =>
        Answer(pair, streamId, outcome);

    void Answer(PeerPair pair, string streamId, KeyOutcome outcome)
    {
        if (!_questions.TryRemove((pair, streamId), out var question)) return;
        _meters.KeyVerified(outcome.ToString().ToLowerInvariant());
        question.Asker.Answer(pair, outcome);
    }

    /// <summary>A stream is over: who was asked on it will not answer, who asked on it need not be told.</summary>
    void FailQuestions(PeerLink link)
    {
        foreach (var ((pair, streamId), question) in _questions)
        {
            if (question.Asker == link) _questions.TryRemove(KeyValuePair.Create((pair, streamId), question));
            else if (question.Asked == link) Answer(pair, streamId, KeyOutcome.Timeout);
        }
    }

    void FailLateQuestions(DateTimeOffset now, TimeSpan limit)
    {
        foreach (var ((pair, streamId), question) in _questions)
            if (now - question.Since > limit) Answer(pair, streamId, KeyOutcome.Timeout);
    }
}
