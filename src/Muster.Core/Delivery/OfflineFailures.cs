using Muster.Protocol.Addresses;

namespace Muster.Core.Delivery;

/// <summary>What to do about a message that came back from a member who is away.</summary>
public enum OfflineVerdict
{
    /// <summary>Nothing.</summary>
    None,
    /// <summary>Leave the domain alone for a while.</summary>
    Pause,
    /// <summary>Send this member nothing any more.</summary>
    Stop,
}

/// <summary>Counts what comes back of the messages that rooms send to members who are away
/// (muc-offline-delivery.md §8). An error comes from a bare JID: it never means that somebody is not inside any
/// more.</summary>
/// <remarks>Not synchronised. What is counted ends with the process: then a row of failures begins anew.</remarks>
/// <param name="membersMax">Members of whom something is known at a time; with one more all rows begin anew.</param>
public sealed class OfflineFailures(int membersMax)
{
    /// <summary>Copies that did not come back, after which those before are no row.</summary>
    const int ArrivedMin = 20;
    const int PermanentMin = 3, RefusalsMin = 10;
    static readonly TimeSpan PermanentTime = TimeSpan.FromHours(24);

    readonly Dictionary<(Jid Room, Jid User), Row> _rows = [];

    /// <summary>Members of whom something came back.</summary>
    public int Count => _rows.Count;

    /// <summary>A copy goes to a member.</summary>
    public void NoteSent(Jid room, Jid user)
    {
        if (_rows.Count == 0 || !_rows.TryGetValue((room, user), out var row)) return;
        if (++row.SentSince > ArrivedMin) _rows.Remove((room, user));
    }

    /// <summary>A copy came back.</summary>
    /// <param name="room">The room.</param>
    /// <param name="user">The member.</param>
    /// <param name="condition">What the error says.</param>
    /// <param name="now">The time.</param>
    public OfflineVerdict Note(Jid room, Jid user, string condition, DateTimeOffset now)
    {
        switch (condition)
        {
            case "remote-server-not-found" or "remote-server-timeout":
                return OfflineVerdict.Pause; // it says nothing of the member
            case "gone" or "item-not-found":
                var gone = RowOf(room, user, isRefusal: false, now);
                return gone.Count >= PermanentMin && now - gone.Since >= PermanentTime ? Stop(room, user)
                    : OfflineVerdict.None;
            case "not-acceptable" or "forbidden" or "policy-violation":
                return RowOf(room, user, isRefusal: true, now).Count >= RefusalsMin ? Stop(room, user)
                    : OfflineVerdict.None;
            default:
                // Servers that push answer with service-unavailable all the same.
                _rows.Remove((room, user));
                return OfflineVerdict.None;
        }
    }

    OfflineVerdict Stop(Jid room, Jid user)
    {
        _rows.Remove((room, user));
        return OfflineVerdict.Stop;
    }

    Row RowOf(Jid room, Jid user, bool isRefusal, DateTimeOffset now)
    {
        if (!_rows.TryGetValue((room, user), out var row) || row.IsRefusal != isRefusal)
        {
            if (_rows.Count >= membersMax) _rows.Clear();
            _rows[(room, user)] = row = new Row { IsRefusal = isRefusal, Since = now };
        }
        row.Count++;
        row.SentSince = 0;
        return row;
    }

    sealed class Row
    {
        public bool IsRefusal { get; init; }
        public DateTimeOffset Since { get; init; }
        public int Count { get; set; }
        public int SentSince { get; set; }
    }
}
