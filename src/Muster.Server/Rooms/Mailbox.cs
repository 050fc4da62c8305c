namespace Muster.Server.Rooms;

/// <summary>What became of a letter.</summary>
enum PostOutcome
{
    /// <summary>It is in the mailbox.</summary>
    Posted,
    /// <summary>The mailbox is full.</summary>
    Full,
    /// <summary>The owner is gone: look for its successor.</summary>
    Closed,
}

/// <summary>
/// A bounded queue with one consumer that runs only while there is something to do: queue 1 of a group message's path.
/// An idle room has no task, no channel and no timer, so a hundred thousand of them cost only their state.
/// </summary>
/// <remarks>The consumer is started on the thread pool by the first letter and ends when <see cref="Take"/> finds none.
/// Closing and posting exclude each other, so nothing is ever posted to an owner that will not look.</remarks>
sealed class Mailbox<T>(int lettersMax, Action start)
{
    readonly Lock _lock = new();
    readonly Queue<T> _letters = new();
    TaskCompletionSource? _space;
    bool _running;
    bool _closed;

    /// <summary>Letters that wait.</summary>
    public int Count { get { lock (_lock) return _letters.Count; } }

    /// <summary>True when nothing can be posted any more.</summary>
    public bool IsClosed { get { lock (_lock) return _closed; } }

    /// <summary>Posts without waiting: for senders that carry many users' stanzas and must not wait for one
    /// room.</summary>
    public PostOutcome TryPost(T letter)
    {
        lock (_lock)
        {
            if (_closed) return PostOutcome.Closed;
            if (_letters.Count >= lettersMax) return PostOutcome.Full;
            _letters.Enqueue(letter);
            if (_running) return PostOutcome.Posted;
            _running = true;
        }
        start();
        return PostOutcome.Posted;
    }

    /// <summary>Posts, waiting for space when there is none. Never answers <see cref="PostOutcome.Full"/>.</summary>
    public ValueTask<PostOutcome> Post(T letter)
    {
        var outcome = TryPost(letter);
        return outcome == PostOutcome.Full ? PostLater(letter) : ValueTask.FromResult(outcome);
    }

    async ValueTask<PostOutcome> PostLater(T letter)
    {
        while (true)
        {
            Task space;
            lock (_lock)
            {
                // The consumer may have made space since the attempt.
                if (_letters.Count < lettersMax || _closed) space = Task.CompletedTask;
                else space = (_space ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
            await space;
            var outcome = TryPost(letter);
            if (outcome != PostOutcome.Full) return outcome;
        }
    }

    /// <summary>Takes up to <paramref name="max"/> letters into the list. When there are none the consumer must end:
    /// the next letter starts it again.</summary>
    public void Take(List<T> letters, int max)
    {
        TaskCompletionSource? space = null;
        lock (_lock)
        {
            while (letters.Count < max && _letters.TryDequeue(out var letter)) letters.Add(letter);
            if (letters.Count == 0)
            {
                _running = false;
                _letters.TrimExcess();
            }
            else (space, _space) = (_space, null);
        }
        space?.TrySetResult();
    }

    /// <summary>Closes the mailbox if nothing waits in it. False when something does: the owner must go on.</summary>
    public bool TryClose()
    {
        lock (_lock)
        {
            if (_letters.Count > 0) return false;
            _closed = true;
            return true;
        }
    }
}
