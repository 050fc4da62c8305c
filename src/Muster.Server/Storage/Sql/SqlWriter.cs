using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Muster.Server.Storage.Sql;

/// <summary>
/// The one writer of a database, with group commit. Callers queue their writes; whatever waits when the writer is free
/// shares one transaction, so that a commit's cost is divided among all who write at that moment.
/// </summary>
/// <remarks>
/// Order: writes are applied in the order queued. A caller hears of success only after the commit. When a group fails,
/// for whatever reason, it is undone and each of its writes is tried again in a transaction of its own: so one caller's
/// failure is his alone. A write may therefore run more than once and must not act on anything but the database.
/// </remarks>
internal sealed class SqlWriter : IAsyncDisposable
{
    readonly Channel<SqlWrite> _queue;
    readonly Func<ValueTask<SqlSession>> _open;
    readonly int _groupMax;
    readonly ILogger _log;
    readonly bool _ownThread;
    readonly Task _loop;
    SqlSession? _session;
    StorageFault? _lastFault;

    /// <param name="open">Opens the connection to write with; again after it broke.</param>
    /// <param name="options">Bounds and the log.</param>
    /// <param name="ownThread">Whether the sessions block: then the writer has a thread of its own instead of
    /// holding one of the pool.</param>
    public SqlWriter(Func<ValueTask<SqlSession>> open, StorageOptions options, bool ownThread)
    {
        _open = open;
        _groupMax = options.GroupMax;
        _log = options.Log;
        _ownThread = ownThread;
        _queue = Channel.CreateBounded<SqlWrite>(new BoundedChannelOptions(options.QueueMax) { SingleReader = true });
        _loop = ownThread
            ? Task.Factory.StartNew(() => Run().GetAwaiter().GetResult(), CancellationToken.None,
                TaskCreationOptions.LongRunning, TaskScheduler.Default)
            : Task.Run(Run);
    }

    /// <summary>How many writes wait.</summary>
    public int Waiting => _queue.Reader.Count;

    /// <summary>Queues a write and waits until it is committed.</summary>
    public async ValueTask<T> Write<T>(Func<SqlSession, ValueTask<T>> body, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var write = new SqlWrite<T>(body);
        try
        {
            await _queue.Writer.WriteAsync(write, cancel);
        }
        catch (ChannelClosedException)
        {
            throw new StorageException(StorageFault.Unavailable, "the database is closed");
        }
        if (!cancel.CanBeCanceled) return await write.Result;
        using var registration = cancel.UnsafeRegister(
            static (state, token) => ((SqlWrite)state!).TryCancel(token), write);
        return await write.Result;
    }

    async Task Run()
    {
        var group = new List<SqlWrite>(_groupMax);
        while (await More())
        {
            while (group.Count < _groupMax && _queue.Reader.TryRead(out var write))
            {
                if (write.TryStart()) group.Add(write);
            }
            if (group.Count > 0) await Commit(group);
            group.Clear();
        }
        if (_session is not null) await _session.DisposeAsync();
    }

    ValueTask<bool> More()
    {
        var more = _queue.Reader.WaitToReadAsync();
        // Waiting here by blocking keeps the loop on its own thread.
        return _ownThread && !more.IsCompleted ? new(more.AsTask().GetAwaiter().GetResult()) : more;
    }

    async ValueTask Commit(List<SqlWrite> group)
    {
        long started = Stopwatch.GetTimestamp();
        var failure = await Transact(group);
        // A connection that broke has stored nothing: once more on a new one.
        if (failure is StorageException { Fault: StorageFault.Unavailable } && _session is null)
            failure = await Transact(group);
        if (failure is not null)
        {
            if (group.Count == 1 || IsUnavailable(failure)) Fail(group, failure);
            else await CommitEach(group);
        }
        StorageMeter.GroupCommitted(group.Count, Stopwatch.GetElapsedTime(started));
    }

    async ValueTask CommitEach(List<SqlWrite> group)
    {
        for (int i = 0; i < group.Count; i++)
        {
            var one = group.GetRange(i, 1);
            if (await Transact(one) is { } failure) Fail(one, failure);
        }
    }

    static bool IsUnavailable(Exception? e) =>
        e is StorageException { Fault: StorageFault.Unavailable or StorageFault.OutcomeUnknown };

    /// <summary>One transaction. Returns null when it is committed, its writes being completed; otherwise why it is
    /// not.</summary>
    async ValueTask<Exception?> Transact(List<SqlWrite> writes)
    {
        try
        {
            if (_session is { Broken: true }) await Undo(_session);
            var session = _session ??= await _open();
            await session.Begin();
            foreach (var write in writes) await write.Run(session);
            await session.Commit();
        }
        catch (Exception e)
        {
            // Of another kind than StorageException it comes from the write itself: a bug, of which its caller hears.
            if (_session is not null) await Undo(_session);
            return e;
        }
        if (_lastFault is not null) StorageLog.WriteWorksAgain(_log);
        _lastFault = null;
        foreach (var write in writes) write.Complete();
        return null;
    }

    async ValueTask Undo(SqlSession session)
    {
        await session.Rollback();
        if (!session.Broken) return;
        _session = null;
        await session.DisposeAsync();
    }

    void Fail(List<SqlWrite> writes, Exception e)
    {
        var fault = (e as StorageException)?.Fault ?? StorageFault.Conflict;
        StorageMeter.Failed(fault, writes.Count);
        if (fault != StorageFault.Conflict && _lastFault != fault)
        {
            _lastFault = fault; // one line for each trouble, not for each write
            StorageLog.WriteFails(_log, fault, e.Message);
        }
        foreach (var write in writes) write.Fail(e);
    }

    /// <summary>Lets what is queued be written, then closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
    }
}

/// <summary>A write in the queue.</summary>
internal abstract class SqlWrite
{
    const int Waiting = 0, Started = 1, Cancelled = 2;
    int _state;

    /// <summary>Claims the write for the writer; false when its caller has given up.</summary>
    public bool TryStart() => Interlocked.CompareExchange(ref _state, Started, Waiting) == Waiting;

    /// <summary>Gives up unless the writer has started: then its outcome counts.</summary>
    public void TryCancel(CancellationToken token)
    {
        if (Interlocked.CompareExchange(ref _state, Cancelled, Waiting) == Waiting) Cancel(token);
    }

    public abstract ValueTask Run(SqlSession session);
    public abstract void Complete();
    public abstract void Fail(Exception e);
    protected abstract void Cancel(CancellationToken token);
}

/// <summary>A write with its answer.</summary>
internal sealed class SqlWrite<T>(Func<SqlSession, ValueTask<T>> body) : SqlWrite
{
    // The callers' code must not run on the writer.
    readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    T? _answer;

    public Task<T> Result => _done.Task;

    public override async ValueTask Run(SqlSession session) => _answer = await body(session);

    public override void Complete() => _done.SetResult(_answer!);

    public override void Fail(Exception e) => _done.SetException(e);

    protected override void Cancel(CancellationToken token) => _done.SetCanceled(token);
}
