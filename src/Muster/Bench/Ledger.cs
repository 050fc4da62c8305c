namespace Muster.Bench;

/// <summary>
/// Checks what occupants of a room receive: each message once, all in the order in which the first of them saw it, and
/// those of one sender in the order in which they were sent.
/// </summary>
/// <remarks>Not synchronised: the caller guards it.</remarks>
sealed class Ledger(int occupants)
{
    readonly List<long> _order = [];
    readonly HashSet<long> _known = [];
    readonly Dictionary<int, long> _last = []; // of each sender
    readonly int[] _heard = new int[occupants];

    /// <summary>Copies received by all together.</summary>
    public long Copies { get; private set; }

    /// <summary>The first thing that was wrong; null when nothing was.</summary>
    public string? Problem { get; private set; }

    /// <summary>Notes that an occupant received a message.</summary>
    /// <param name="occupant">Who, from 0.</param>
    /// <param name="message">The message's number; each has another, and those of one sender rise.</param>
    /// <param name="sender">Who sent it.</param>
    public void Note(int occupant, long message, int sender = 0)
    {
        Copies++;
        int at = _heard[occupant]++;
        if (at < _order.Count)
        {
            if (_order[at] != message) Problem ??= Describe(occupant, at, message);
        }
        else if (_known.Add(message))
        {
            _order.Add(message);
            if (_last.TryGetValue(sender, out long last) && last > message)
                Problem ??= $"message {message} of sender {sender} came after {last}";
            _last[sender] = message;
        }
        else
        {
            Problem ??= $"occupant {occupant} received message {message} twice";
        }
    }

    /// <summary>After the last message: whether everybody has all.</summary>
    /// <param name="sent">Messages that were sent.</param>
    public void Finish(int sent)
    {
        for (int i = 0; i < _heard.Length; i++)
        {
            if (_heard[i] != sent)
                Problem ??= $"occupant {i} received {_heard[i]} of {sent} messages";
        }
    }

    string Describe(int occupant, int at, long message)
    {
        int place = _order.IndexOf(message);
        return place < 0 ? $"occupant {occupant} received message {message} instead of {_order[at]}"
            : place < at ? $"occupant {occupant} received message {message} twice, or too late"
            : $"occupant {occupant} lost message {_order[at]}, or received {message} before it";
    }
}
