using Muster.Core.Archive;
using Muster.Server.Storage;
using Muster.Server.Telemetry;

namespace Muster.Server.Archives;

/// <summary>
/// Writes the archives of accounts (XEP-0313 §6.1.1): a message is kept before anybody sees it, and everybody sees
/// messages in the order of the archives.
/// </summary>
/// <remarks>
/// One queue for all accounts and one task, which exists only while something waits: it takes all that has come, has it
/// stored in one transaction and passes it on in order. So a message between two users here costs one commit, shared
/// with whatever else is said at that moment. The queue needs no bound of its own: each sender waits for its message,
/// so that there are never more than connections.
/// </remarks>
sealed class AccountArchive(IArchiveStore store, ArchiveIds ids, TimeProvider clock, ArchiveMeters meters)
{
    const int BatchMax = 256;

    readonly Lock _lock = new();
    readonly List<KeptMessage> _batch = [];
    readonly List<ArchiveEntry> _entries = [];
    readonly List<StoredCount> _counts = [];
    Queue<KeptMessage> _waiting = [];
    bool _isRunning;
    long _lastId = -1;

    /// <summary>Keeps a message, then passes it on. The result completes when both is done.</summary>
    public ValueTask Keep(KeptMessage message)
    {
        bool starts;
        lock (_lock)
        {
            _waiting.Enqueue(message);
            starts = !_isRunning;
            _isRunning = true;
        }
        if (starts) ThreadPool.UnsafeQueueUserWorkItem(static archive => _ = archive.Run(), this, preferLocal: false);
        return new(message.Done);
    }

    async Task Run()
    {
        while (Take())
        {
            if (await TryStore() is { } failure)
            {
                meters.Failed(_batch.Count);
                foreach (var message in _batch) message.Fail(failure);
                continue;
            }
            meters.Kept(_entries.Count);
            foreach (var message in _batch) message.Complete();
        }
    }

    bool Take()
    {
        _batch.Clear();
        _entries.Clear();
        _counts.Clear();
        lock (_lock)
        {
            while (_batch.Count < BatchMax && _waiting.TryDequeue(out var message)) _batch.Add(message);
            if (_batch.Count > 0) return true;
            // What a burst has made large is given back.
            if (_waiting.EnsureCapacity(0) > 4 * BatchMax) _waiting = [];
            _isRunning = false;
            return false;
        }
    }

    async ValueTask<Exception?> TryStore()
    {
        try
        {
            // Before the first message: so ids grow also when the clock was set back since the last start.
            if (_lastId < 0) _lastId = await store.LastId();
            foreach (var message in _batch)
            {
                message.AddTo(_entries, NextId(), ids);
                if (message.Count is { } count) _counts.Add(count);
            }
            await store.Append(_entries, _counts);
            return null;
        }
#pragma warning disable CA1031 // Each sender gets it, whatever it is; the next message must still find a writer.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return e;
        }
    }

    long NextId() => _lastId = Math.Max(StoredTime.From(clock.GetUtcNow()), _lastId + 1);
}
