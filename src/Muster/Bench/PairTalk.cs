using System.Diagnostics;
using System.Globalization;

namespace Muster.Bench;

/// <summary>Pairs of clients of which the first sends to the second.</summary>
sealed class PairTalk
{
    readonly BenchTarget _target;
    readonly BenchClient[] _clients; // sender, receiver, sender, receiver ...
    readonly Lock _lock = new();
    Ledger[] _ledgers = [];
    LatencyHistogram _latency = new();
    int[] _sent;
    long _endsAt;

    public PairTalk(BenchTarget target, BenchClient[] clients)
    {
        (_target, _clients) = (target, clients);
        _sent = new int[clients.Length / 2];
        for (int i = 0; i < clients.Length; i++)
        {
            int pair = i / 2;
            if (i % 2 == 1) clients[i].Seen = stanza => Look(pair, stanza);
            clients[i].Start();
        }
    }

    /// <summary>They talk for a while.</summary>
    public async Task<BenchFigure> TalkAsync(string name, int window, double seconds)
    {
        int pairs = _clients.Length / 2;
        _ledgers = [.. Enumerable.Range(0, pairs).Select(_ => new Ledger(1))];
        _latency = new LatencyHistogram();
        _sent = new int[pairs];
        var measured = new Measurement(_target);
        _endsAt = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        for (int w = 0; w < window; w++)
            for (int pair = 0; pair < pairs; pair++) await SpeakAsync(pair);
        await Task.Delay(TimeSpan.FromSeconds(seconds));
        await Crew.UntilAsync(IsAllHeard, () => "messages between two");
        lock (_lock)
        {
            long count = _ledgers.Sum(ledger => ledger.Copies);
            double? cost = measured.MicrosPer(count);
            for (int pair = 0; pair < pairs; pair++) _ledgers[pair].Finish(_sent[pair]);
            return new(name, cost, "us per message", count, measured.Seconds,
                _latency.Percentile(0.5), _latency.Percentile(0.99),
                _ledgers.Select(ledger => ledger.Problem).FirstOrDefault(problem => problem is not null));
        }
    }

    bool IsAllHeard()
    {
        lock (_lock)
        {
            return Stopwatch.GetTimestamp() > _endsAt
                && _ledgers.Sum(ledger => ledger.Copies) >= _sent.Sum(sent => (long)sent);
        }
    }

    void Look(int pair, ReadOnlySpan<byte> stanza)
    {
        if (!TalkText.TryRead(stanza, out long number, out _, out long micros)) return;
        lock (_lock)
        {
            _latency.Add(micros);
            _ledgers[pair].Note(0, number);
        }
        if (Stopwatch.GetTimestamp() < _endsAt) _ = SpeakAsync(pair).AsTask();
    }

    ValueTask SpeakAsync(int pair) => _clients[pair * 2].SendAsync(() =>
    {
        int number = Interlocked.Increment(ref _sent[pair]) - 1;
        string to = _clients[pair * 2 + 1].Jid, body = TalkText.Write(number, pair);
        return string.Create(CultureInfo.InvariantCulture,
            $"<message to='{to}' type='chat' id='c{number}'>{body}</message>");
    });
}
