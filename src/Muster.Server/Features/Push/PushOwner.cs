using System.Collections.Immutable;
using Muster.Core.Delivery;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;
using Muster.Server.Sessions;
using Muster.Server.Storage;

namespace Muster.Server.Features.Push;

/// <summary>A registration in memory, ready to be pushed to.</summary>
sealed class PushRegistration
{
    const int MinuteMax = 60;

    StoredPush _stored;
    DateTimeOffset _minute;
    int _inMinute;

    public PushRegistration(StoredPush stored)
    {
        _stored = stored;
        Options = stored.Options is { } options ? StoredXml.Read(options) : null;
        Filters = stored.Filters is { } filters && StoredXml.Read(filters) is { } read
            ? PushFilters.Read(read)
            : PushFilters.None;
    }

    /// <summary>As it is stored.</summary>
    public StoredPush Stored
    {
        get => Volatile.Read(ref _stored);
        set => Volatile.Write(ref _stored, value);
    }

    /// <summary>Which it is.</summary>
    public PushKey Key => _stored.Key;

    /// <summary>The form that goes with each push, or null.</summary>
    public Element? Options { get; }

    /// <summary>The user's wishes.</summary>
    public PushFilters Filters { get; }

    /// <summary>What is known of how its service does.</summary>
    public PushHealth Health => Stored is var s
        ? new(s.Errors, s.LastErrorAt, s.LastSuccessAt ?? s.UpdatedAt)
        : default;

    /// <summary>Whether it is the one of a device's session.</summary>
    public bool Is(PushLink? link) =>
        link is not null && Key.Scope.IsNone && link.App == Key.App && link.Node == Key.Node;

    /// <summary>Takes one of the pushes that it may have in a minute; false when it has had them.</summary>
    public bool TryTake(DateTimeOffset now)
    {
        lock (this)
        {
            if (now - _minute >= TimeSpan.FromMinutes(1)) (_minute, _inMinute) = (now, 0);
            return ++_inMinute <= MinuteMax;
        }
    }
}

/// <summary>What a user has registered at one host, with what is remembered of the last minutes.</summary>
sealed class PushOwner(string host, Jid user, PushMemory memory)
{
    const int RoomsMax = 200;

    readonly Dictionary<Jid, (DateTimeOffset Last, int Held)> _rooms = [];
    ImmutableArray<PushRegistration> _all = [];

    /// <summary>Who pushes.</summary>
    public string Host => host;
    /// <summary>Bare JID of the user.</summary>
    public Jid User => user;
    /// <summary>What was pushed lately, whichever host did it.</summary>
    public PushMemory Memory => memory;

    /// <summary>The registrations, the oldest first.</summary>
    public ImmutableArray<PushRegistration> All
    {
        get => _all;
        set => _all = value;
    }

    /// <summary>Whether something of a room may be pushed now; if not, it is counted for the next time.</summary>
    /// <param name="room">The room.</param>
    /// <param name="now">The time.</param>
    /// <param name="interval">The shortest time between pushes.</param>
    /// <param name="isMention">It may, whatever else.</param>
    /// <param name="count">Messages that the push stands for.</param>
    public bool TryRoom(Jid room, DateTimeOffset now, TimeSpan interval, bool isMention, out int count)
    {
        lock (_rooms)
        {
            var (last, held) = _rooms.GetValueOrDefault(room);
            count = held + 1;
            bool may = isMention || now - last >= interval;
            // The oldest would hardly matter any more.
            if (_rooms.Count >= RoomsMax && !_rooms.ContainsKey(room))
                _rooms.Remove(_rooms.MinBy(known => known.Value.Last).Key);
            _rooms[room] = may ? (now, 0) : (last, count);
            return may;
        }
    }

    /// <summary>The user has been in a room: what was said before is read.</summary>
    public void Entered(Jid room)
    {
        lock (_rooms) _rooms.Remove(room);
    }
}

/// <summary>Which messages were pushed to a user lately, and to which device: none is pushed twice (muc-push.md §3),
/// whether it waits in a queue, an archive or the offline store.</summary>
sealed class PushMemory
{
    const int KeysMax = 500;

    readonly HashSet<(Jid App, string Node, string Key)> _keys = [];
    readonly Queue<(Jid App, string Node, string Key)> _order = [];

    /// <summary>Whether a message has been pushed to a device.</summary>
    public bool Has(PushKey to, string key)
    {
        lock (_keys) return _keys.Contains((to.App, to.Node, key));
    }

    /// <summary>Notes that it is; false when it was before.</summary>
    public bool TryAdd(PushKey to, string key)
    {
        lock (_keys)
        {
            var entry = (to.App, to.Node, key);
            if (!_keys.Add(entry)) return false;
            _order.Enqueue(entry);
            if (_order.Count > KeysMax) _keys.Remove(_order.Dequeue());
            return true;
        }
    }
}
