using Muster.Core.RoomLogs;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;

namespace Muster.Server.Rooms;

/// <summary>A line of a room's public log on its way to the file.</summary>
/// <param name="At">When, in the time zone of the log.</param>
/// <param name="Event">What happened.</param>
/// <param name="Page">The room, should the line be the first of its day.</param>
readonly record struct PublicLogLine(DateTimeOffset At, RoomLogEvent Event, RoomLogPage Page);

/// <summary>The public log of one room: told of each batch before anybody sees it, it never makes the room
/// wait.</summary>
sealed class PublicLog(PublicLogs logs, Jid room)
{
    readonly Lock _lock = new(); // the room's own turn, and the server that stops
    readonly RoomLogTrace _trace = new();
    readonly List<RoomLogEvent> _events = [];
    RoomLogPage? _page;
    DateTimeOffset _last;
    bool _isOpen;

    /// <summary>Takes what a room decided.</summary>
    /// <param name="found">The room, or null when the host has dropped it.</param>
    /// <param name="effects">Its decisions, in order.</param>
    public void Note(Room? found, IReadOnlyList<RoomEffect> effects)
    {
        lock (_lock)
        {
            _events.Clear();
            _trace.Read(found, effects, _events);
            if (_events.Count > 0) Post(found);
            if (_trace.IsOpen == _isOpen) return;
            _isOpen = _trace.IsOpen;
            if (_isOpen) logs.Opened(this);
            else logs.Closed(this);
        }
    }

    /// <summary>Tells that the server stops.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            if (!_trace.IsOpen) return;
            _events.Clear();
            _events.Add(new RoomLogEvent.Stopped());
            Post(null);
        }
    }

    void Post(Room? found)
    {
        var now = logs.Now;
        // Microseconds are the address of a line in its page (muc.md §19), so no two have the same.
        if (now <= _last) now = _last.AddMicroseconds(1);
        // Who is inside stands at the top of a page; for all other lines it would be work for nothing.
        bool isNewDay = now.Date != _last.Date;
        if (found is not null)
        {
            _page = new RoomLogPage(room, found.Options with { Password = "" }, found.Subject.Text,
                isNewDay ? RoomLogTrace.OccupantsOf(found) : default);
        }
        if (_page is null) return;
        foreach (var happened in _events)
        {
            logs.Post(new PublicLogLine(now, happened, _page));
            _last = now;
            now = now.AddMicroseconds(1);
        }
    }
}
