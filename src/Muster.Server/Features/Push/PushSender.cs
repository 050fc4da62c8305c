using System.Collections.Concurrent;
using Muster.Core.Delivery;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Server.Routing;
using Muster.Server.Sessions;
using Muster.Server.Telemetry;

namespace Muster.Server.Features.Push;

/// <summary>A push under way.</summary>
/// <param name="Owner">Whose.</param>
/// <param name="To">The registration that it goes to.</param>
/// <param name="From">Who pushes.</param>
/// <param name="Summary">What it says.</param>
/// <param name="IsRepeat">Whether the service has asked once to try again.</param>
sealed record PushUnderWay(PushOwner Owner, PushRegistration To, Jid From, PushSummary Summary, bool IsRepeat = false);

/// <summary>Publishes to push services and waits for their answers (XEP-0357 §7). A service that is slow holds up
/// nobody but its own users, and those for a bounded time.</summary>
sealed class PushSender : IDisposable
{
    /// <summary>How long a service may take to answer.</summary>
    public static readonly TimeSpan AnswerTime = TimeSpan.FromSeconds(30);
    /// <summary>When what a service could not take is tried again, once.</summary>
    public static readonly TimeSpan RepeatTime = TimeSpan.FromSeconds(60);
    // Pushes that one service is asked to take at a time, and that wait for it: one message in a large room concerns
    // thousands, and most of their apps share one service. For one that does not answer fewer wait, as they would be
    // old by the time that it does.
    const int UnderWayMax = 50, WaitingMax = 20_000, WaitingForSilentMax = 1000;
    // Pushes that wait for all services together, and those that are to be tried again.
    const int WaitingInAllMax = 50_000, RepeatsMax = 1000;
    // Services that are spoken with at a time: users name them, so there could be any number.
    const int ServicesMax = 2000;

    readonly Router _router;
    readonly TimeProvider _clock;
    readonly PushMeters _meters;
    readonly Func<PushRegistration, string> _lineOf;
    readonly Action<PushUnderWay, PushAnswer, string?> _answered;
    readonly ConcurrentDictionary<string, (PushUnderWay Push, DateTimeOffset Deadline)> _underWay =
        new(StringComparer.Ordinal);
    readonly Lock _lock = new();
    readonly Dictionary<string, Line> _lines = new(StringComparer.Ordinal);
    readonly PriorityQueue<PushUnderWay, DateTimeOffset> _repeats = new();
    readonly ITimer _timer;
    int _waiting;

    sealed class Line
    {
        public int UnderWay;
        public bool IsSilent; // the last push was not answered
        public readonly Queue<PushUnderWay> Waiting = [];
    }

    /// <summary>Starts the clock.</summary>
    /// <param name="router">Where pushes go.</param>
    /// <param name="clock">The time.</param>
    /// <param name="meters">What is counted.</param>
    /// <param name="lineOf">Names the service that a registration's pushes wait for.</param>
    /// <param name="answered">Is told how a push went, with the condition of an error. Must not wait.</param>
    public PushSender(Router router, TimeProvider clock, PushMeters meters, Func<PushRegistration, string> lineOf,
        Action<PushUnderWay, PushAnswer, string?> answered)
    {
        (_router, _clock, _meters, _lineOf, _answered) = (router, clock, meters, lineOf, answered);
        _timer = clock.CreateTimer(static self => ((PushSender)self!).Sweep(), this, TimeSpan.FromSeconds(1),
            TimeSpan.FromSeconds(1));
    }

    /// <summary>Sends a push, or has it wait for its turn. False when too many wait: it is dropped.</summary>
    public bool TrySend(PushUnderWay push)
    {
        string name = _lineOf(push.To);
        lock (_lock)
        {
            if (!_lines.TryGetValue(name, out var line))
            {
                if (_lines.Count >= ServicesMax) return Dropped();
                _lines[name] = line = new Line();
            }
            if (line.UnderWay >= UnderWayMax)
            {
                int max = line.IsSilent ? WaitingForSilentMax : WaitingMax;
                if (line.Waiting.Count >= max || _waiting >= WaitingInAllMax) return Dropped();
                line.Waiting.Enqueue(push);
                _waiting++;
                return true;
            }
            line.UnderWay++;
        }
        Send(push);
        return true;
    }

    /// <summary>Takes the answer to a push. Only the service itself can answer: what others send under the same id is
    /// not for us.</summary>
    public bool TakeAnswer(Iq iq)
    {
        if (!_underWay.TryGetValue(iq.Id, out var found)) return false;
        if (iq.From != found.Push.To.Key.App || iq.To != found.Push.From)
        {
            _meters.Answered("forged");
            return false;
        }
        if (!_underWay.TryRemove(iq.Id, out _)) return true;
        var answer = iq.IsError ? PushPolicy.Classify(iq.Error ?? StanzaError.UndefinedCondition) : PushAnswer.Taken;
        Finish(found.Push, answer, iq.IsError ? iq.Error?.Condition ?? "undefined-condition" : null);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    bool Dropped()
    {
        _meters.Dropped("queue");
        return false;
    }

    void Send(PushUnderWay push)
    {
        string id = RandomText.Create(20);
        _underWay[id] = (push, _clock.GetUtcNow() + AnswerTime);
        _meters.Sent();
        _ = RouteAsync(push, new Iq(IqType.Set, push.From, push.To.Key.App, id,
            push.Summary.ToPublish(push.To.Key.Node, push.To.Options)));
    }

    async Task RouteAsync(PushUnderWay push, Iq iq)
    {
        // Away from whoever caused it: the way there may be long.
        await Task.Yield();
        try
        {
            await _router.Route(iq);
        }
#pragma warning disable CA1031 // Whatever it was, the service has not got it.
        catch (Exception)
#pragma warning restore CA1031
        {
            if (_underWay.TryRemove(iq.Id, out _)) Finish(push, PushAnswer.Silent, "internal-server-error");
        }
    }

    void Finish(PushUnderWay push, PushAnswer answer, string? condition)
    {
        _meters.Answered(answer switch
        {
            PushAnswer.Taken => "taken",
            PushAnswer.Wait => "wait",
            PushAnswer.Silent => "silent",
            _ => "refused",
        });
        PushUnderWay? next = null;
        string name = _lineOf(push.To);
        lock (_lock)
        {
            if (_lines.TryGetValue(name, out var line))
            {
                line.IsSilent = answer == PushAnswer.Silent;
                if (line.Waiting.TryDequeue(out next)) _waiting--;
                else line.UnderWay--;
                if (line.UnderWay == 0) _lines.Remove(name);
            }
            if (answer == PushAnswer.Wait && !push.IsRepeat && _repeats.Count < RepeatsMax)
                _repeats.Enqueue(push with { IsRepeat = true }, _clock.GetUtcNow() + RepeatTime);
        }
        _answered(push, answer, condition);
        if (next is not null) Send(next);
    }

    void Sweep()
    {
        var now = _clock.GetUtcNow();
        foreach (var (id, (push, deadline)) in _underWay)
            if (deadline <= now && _underWay.TryRemove(id, out _)) Finish(push, PushAnswer.Silent, "timeout");
        while (true)
        {
            PushUnderWay? push;
            lock (_lock)
            {
                if (!_repeats.TryPeek(out push, out var at) || at > now) return;
                _repeats.Dequeue();
            }
            TrySend(push);
        }
    }
}
