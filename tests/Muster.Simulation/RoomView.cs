using System.Globalization;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Simulation;

/// <summary>A room as one client sees it.</summary>
internal sealed class RoomView(World world, Client client, Jid room)
{
    static readonly string[] Nicks = ["Romeo", "Jule", "Nurse", "Tybalt", "Paris", "Rosaline"];

    readonly SortedDictionary<string, string> _occupants = new(StringComparer.Ordinal); // nick -> "role affiliation"
    readonly List<long> _history = [];
    readonly Dictionary<string, int> _wanted = []; // messages of history, by id of the entering
    Visit? _visit;
    string? _nick;
    long _lastLive;  // of a room of another server
    int _historyMax;   // wanted by the entering that is being answered
    string? _learning; // id of the last entering asked for: what is seen before its answer is not all
    string? _answered; // id of the entering that is being answered

    public Jid Room => room;
    /// <summary>Whether another server has the room: then not all that it sends must arrive.</summary>
    public bool IsForeign { get; } = world.Home(room) != client.Server;
    public bool IsInside => _visit is not null;
    public string? Nick => _nick;
    public IEnumerable<string> Occupants => _occupants.Select(entry => $"{entry.Key} {entry.Value}");
    public ArchiveView Archive { get; } = new(room);

    public Jid At(string? nick) => nick is null ? room : Jid.Parse($"{room}/{nick}");
    public string AnyNick() => Nicks[world.Random.Next(Nicks.Length)];

    public void Enter(bool isAnew = false)
    {
        _occupants.Clear();
        int max = world.Chance(0.3) ? world.Random.Next(0, 8) : 20;
        var history = max < 20 ? new MucHistoryRequest(MaxStanzas: max) : null;
        string id = client.NextId();
        _wanted[id] = max;
        _learning = id;
        client.Send(new Presence(PresenceType.Available, default, At(isAnew ? AnyNick() : _nick ?? AnyNick()), id,
            new MucJoin(null, history).ToElement()));
    }

    /// <summary>It goes. A room of another server may never say that it has heard so.</summary>
    public void Depart()
    {
        client.Send(new Presence(PresenceType.Unavailable, default, At(Nick), client.NextId()));
        if (IsForeign) Leave();
    }

    /// <summary>The client is not there any more, or has been told so.</summary>
    public void Leave()
    {
        _visit = null;
        _nick = null;
        _occupants.Clear();
        _history.Clear();
        Archive.BeginGap();
    }

    /// <summary>A new session: what an old one had asked for is not answered any more.</summary>
    public void Forget()
    {
        Leave();
        _wanted.Clear();
        _learning = _answered = null;
    }

    public void Refused(Presence presence)
    {
        // It cannot have its nick any more: it asks again under the one that it has now.
        if (!IsInside || presence.Id != _learning) return;
        if (!IsForeign) Enter();
        // A room that is out of reach is not asked in a loop, nor for a nick that another has got meanwhile.
        else world.After(2000, () =>
        {
            if (client.IsReady && IsInside && presence.Id == _learning) Enter(isAnew: true);
        });
    }

    public void Receive(Presence presence)
    {
        if (presence.Child(Namespaces.MucUser, "x") is not { } x || MucUser.Read(x, out _) is not { } user) return;
        bool self = user.Statuses.Contains(MucStatus.Self);
        string nick = presence.From.Resource.ToString();
        if (presence.Type == PresenceType.Unavailable)
        {
            _occupants.Remove(nick);
            if (self && !user.Statuses.Contains(MucStatus.NickChanged)) Leave();
            return;
        }
        _occupants[nick] = $"{user.Item!.Role!.Value.ToName()} {user.Item.Affiliation!.Value.ToName()}";
        if (!self) return;
        int max = 0;
        bool isAnswer = presence.Id is { } id && _wanted.Remove(id, out max);
        if (isAnswer) (_answered, _historyMax) = (presence.Id, max);
        // What the room still sends to an older session of the same address says nothing to this one. Of another server
        // the answer itself may be lost, and something later say as much.
        if (!IsInside && !isAnswer && !(IsForeign && _learning is not null)) return;
        _nick = nick;
        if (_visit is not null) return;
        _visit = world.Ledger.FindVisit(room, presence.Id ?? "") ?? (IsForeign ? new Visit(0) : null)
            ?? throw new SimulationException($"{client.Jid} is inside {room} without entering");
        world.Note($"{client.Jid} is inside {room} as {nick}, {_visit.ArchivedBefore} before it");
        client.Entered(this);
    }

    public void Receive(Message message)
    {
        if (_visit is not { } visit) return;
        bool isHistory = message.Elements.Any(child => Delay.IsBy(child, room));
        if (StanzaIds.Find(message, room) is { } text)
        {
            long id = long.Parse(text, NumberStyles.None, Check.Plain);
            if (IsForeign)
            {
                ReceiveForeign(id, isHistory);
            }
            else if (isHistory)
            {
                _history.Add(id);
            }
            else
            {
                Check.Live(world, client.Jid, room, visit, id, message);
                visit.Seen++;
            }
            Archive.Known.Add(id);
        }
        else if (message.Child("subject") is not null)
        {
            // The end of what is told on entering: before it stands the history, after it only what is new.
            if (!IsForeign)
                Check.History(world, client.Jid, room, _history, visit.ArchivedBefore + visit.Seen, _historyMax);
            _history.Clear();
            if (_answered == _learning) _learning = null;
            client.CatchUp(Archive);
        }
        else if (message.Body is not null)
        {
            throw new SimulationException($"{client.Jid} is shown '{message.Body}', which has no archive id");
        }
    }

    // What another server's room says may be lost on the way, but is neither repeated nor overtaken.
    void ReceiveForeign(long id, bool isHistory)
    {
        if (isHistory) return;
        if (id <= _lastLive) throw new SimulationException($"{client.Jid} sees {id} of {room} after {_lastLive}");
        _lastLive = id;
    }
}
