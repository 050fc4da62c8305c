using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Muster.Core.RoomLogs;
using Muster.Protocol.Addresses;
using Muster.Server.Telemetry;

namespace Muster.Server.Rooms;

/// <summary>Where the public logs of a room service are written.</summary>
sealed record PublicLogSettings
{
    /// <summary>The folder of all logs; made when the first line is written.</summary>
    public required string Folder { get; init; }
    /// <summary>The time zone of dates and times.</summary>
    public required TimeZoneInfo Zone { get; init; }
    /// <summary>What the files look like.</summary>
    public required RoomLogStyle Style { get; init; }
    /// <summary>Lines that wait for the disk before further ones are lost.</summary>
    public int LinesMax { get; init; } = 4096;
}

/// <summary>
/// The public logs of all rooms of a service (<c>mod_muc_log</c>): one bounded queue and one task that writes files. A
/// disk that fails or is slow costs lines of the log, never the time of a room; the archive has the messages all the
/// same.
/// </summary>
sealed class PublicLogs : IAsyncDisposable
{
    const int BatchMax = 256;
    static readonly TimeSpan ComplaintEvery = TimeSpan.FromMinutes(1);

    readonly PublicLogSettings _settings;
    readonly TimeProvider _clock;
    readonly PublicLogMeters _meters;
    readonly ILogger _log;
    readonly PublicLogFiles _files;
    readonly Channel<PublicLogLine> _queue;
    readonly ConcurrentDictionary<PublicLog, bool> _open = new();
    readonly Lock _complaints = new();
    readonly Task _writing;
    DateTimeOffset _quietUntil;
    long _untold;

    public PublicLogs(PublicLogSettings settings, TimeProvider clock, PublicLogMeters meters, ILogger log)
    {
        (_settings, _clock, _meters, _log) = (settings, clock, meters, log);
        _files = new PublicLogFiles(settings.Folder, settings.Style);
        _queue = Channel.CreateBounded<PublicLogLine>(
            new BoundedChannelOptions(settings.LinesMax) { SingleReader = true });
        _writing = Task.Run(WriteAll);
    }

    /// <summary>The time, in the time zone of the logs.</summary>
    public DateTimeOffset Now => TimeZoneInfo.ConvertTime(_clock.GetUtcNow(), _settings.Zone);

    /// <summary>The log of a room.</summary>
    public PublicLog Of(Jid room) => new(this, room);

    /// <summary>Takes a line. Never waits.</summary>
    public void Post(PublicLogLine line)
    {
        if (!_queue.Writer.TryWrite(line)) Lose(1, "the disk is too slow");
    }

    /// <summary>Remembers a log whose room must be told to have stopped.</summary>
    public void Opened(PublicLog log) => _open.TryAdd(log, true);

    /// <summary>Forgets it.</summary>
    public void Closed(PublicLog log) => _open.TryRemove(log, out _);

    /// <summary>Tells in every open log that the room has stopped, and waits until all is written.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var log in _open.Keys) log.Stop();
        _queue.Writer.TryComplete();
        await _writing;
    }

    async Task WriteAll()
    {
        var batch = new List<PublicLogLine>(BatchMax);
        while (await _queue.Reader.WaitToReadAsync())
        {
            batch.Clear();
            while (batch.Count < BatchMax && _queue.Reader.TryRead(out var line)) batch.Add(line);
            foreach (var day in batch.GroupBy(line => (line.Page.Room, line.At.Date)))
                await Write([.. day]);
        }
    }

    async ValueTask Write(IReadOnlyList<PublicLogLine> lines)
    {
        try
        {
            await _files.Append(lines);
            _meters.Written(lines.Count);
        }
#pragma warning disable CA1031 // Whatever a disk or one line does, the lines that follow must be written.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Lose(lines.Count, error.Message);
        }
    }

    void Lose(int lines, string problem)
    {
        _meters.Lost(lines);
        lock (_complaints)
        {
            _untold += lines;
            var now = _clock.GetUtcNow();
            if (now < _quietUntil) return;
            PublicLogsLog.Lost(_log, _settings.Folder, _untold, problem);
            (_quietUntil, _untold) = (now + ComplaintEvery, 0);
        }
    }
}
