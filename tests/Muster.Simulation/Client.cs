using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Simulation;

/// <summary>
/// A user's device, which follows XEP-0198 to the letter: it counts what it gets, keeps what is not acknowledged, sends
/// that again when it resumes, and after a failure exactly what the server has not got. It remembers all that it was
/// shown.
/// </summary>
internal sealed partial class Client
{
    const string Sm = Namespaces.StreamManagement;

    readonly World _world;
    readonly Queue<Stanza> _unacked = [];
    readonly List<Message> _again = [];        // of a session that is gone: to be sent in the next
    readonly HashSet<long> _live = [];         // letters that came in this session
    Wire? _wire;
    bool _isOnline;         // logged in: what is sent is counted
    string? _token;
    uint _handled, _acknowledged;
    bool _isLeaving;        // has said goodbye
    int _count;

    public Client(World world, Jid jid)
    {
        (_world, Jid, Server) = (world, jid, world.Home(jid));
        Rooms = world.Rooms.ToDictionary(room => room, room => new RoomView(world, this, room));
    }

    public Jid Jid { get; }
    /// <summary>The server of its account.</summary>
    public Server Server { get; }
    public IReadOnlyDictionary<Jid, RoomView> Rooms { get; }
    public ArchiveView Letters { get; } = new(null);
    public int Shown { get; private set; }
    public int Resumes { get; private set; }
    /// <summary>Messages that it meant to say.</summary>
    public List<Message> Sent { get; } = [];
    /// <summary>Ids of those that it does not care for any more: it forgot them before it knew.</summary>
    public HashSet<string> Forgotten { get; } = [];

    /// <summary>Whether it would say a message again, and is not let into the room.</summary>
    public bool WaitsToSay(Message message) => _again.Contains(message) && !Rooms[message.To].IsInside;

    public string NextId() => $"{Jid}#{++_count}";

    /// <summary>Begins with a session whose counters are about to pass 2^32.</summary>
    public void BeginNearWrap() => (_token, _handled, _acknowledged) = Server.PrepareNearWrap(Jid);

    // ---- The connection ----

    public void Connect()
    {
        if (_wire is { IsUp: true }) return;
        var wire = _wire = new Wire(_world, this, Server);
        _isOnline = false;
        if (_token is not null) Resumes++;
        _world.Note($"{Jid} connects, {(_token is null ? "anew" : $"{_token} at {_handled}")}");
        wire.Send(Frames.Login(_token, _handled));
        // It is impatient: the first attempt goes on at the server, whenever that comes to it.
        if (_world.IsStormy && _world.Chance(0.1))
            _world.After(_world.Random.Next(1, 300), () => { if (_wire == wire && !_isOnline) Abandon(wire); });
        // Nobody waits for ever.
        _world.After(15_000, () => { if (_wire == wire && !_isOnline) DropConnection(); });
    }

    void Abandon(Wire wire)
    {
        _world.Note($"{Jid} tries once more");
        _wire = null;
        _world.After(_world.Random.Next(500, 5000), () => wire.Break(serverNoticesMax: 10));
        Connect();
    }

    public void DropConnection()
    {
        if (_wire is not { IsUp: true } wire) return;
        _world.Note($"{Jid} loses its connection");
        wire.Break(serverNoticesMax: 3000);
        NoticeLoss(wire);
    }

    /// <summary>The other side has cut a connection.</summary>
    public void NoticeLoss(Wire wire)
    {
        if (_wire != wire) return;
        _wire = null;
        _isOnline = false;
        // It said goodbye, and does not care for what it did not hear of.
        if (_isLeaving) ForgetStream(isLost: true);
        _isLeaving = false;
        int away = _world.Random.Next(10, _world.Chance(0.15) ? 60_000 : 4000);
        _world.After(_world.IsStormy ? away : _world.Random.Next(10, 2000), Connect);
    }

    public void CutBy(int milliseconds)
    {
        if (_wire is not { IsUp: true } wire) return;
        _world.After(milliseconds, () =>
        {
            if (wire.IsUp) wire.Break(serverNoticesMax: 1);
            NoticeLoss(wire);
        });
    }

    /// <summary>The program is killed: it knows nothing any more when it comes back.</summary>
    public void Kill()
    {
        _world.Note($"{Jid} is killed");
        DropConnection();
        ForgetStream(isLost: true);
        Letters.Clear();
        foreach (var room in Rooms.Values)
        {
            room.Forget();
            room.Archive.Clear();
        }
    }

    /// <summary>It logs out.</summary>
    public void Quit()
    {
        if (!_isOnline) return;
        _world.Note($"{Jid} says goodbye");
        _isLeaving = true;
        _wire!.Send(Frames.Close);
    }

    void ForgetStream(bool isLost)
    {
        if (isLost)
        {
            foreach (var message in _unacked.OfType<Message>().Concat(_again)) Forgotten.Add(message.Id!);
            _again.Clear();
        }
        _unacked.Clear();
        _token = null;
        _handled = _acknowledged = 0;
    }

    // ---- XEP-0198 ----

    /// <summary>Something comes over a wire; of one that was given up nothing is heard.</summary>
    public void Receive(Wire wire, Element element)
    {
        if (wire != _wire) return;
        if (element.Namespace == Frames.Namespace)
        {
            wire.Break(serverNoticesMax: 5);
            NoticeLoss(wire);
        }
        else if (element.Namespace == Sm)
        {
            ReceiveManagement(element);
        }
        else
        {
            _handled++;
            Shown++;
            var stanza = Stanza.Read(element, out _) ?? throw new SimulationException($"{Jid} gets '{element}'");
            _world.Trace(Jid, '<', stanza);
            Receive(stanza);
        }
    }

    void ReceiveManagement(Element element)
    {
        _world.Trace(Jid, '<', element);
        switch (element.Name)
        {
            case "enabled":
                Begin(element.Attribute("id")!);
                break;
            case "resumed":
                Acknowledge(element);
                _isOnline = true;
                foreach (var stanza in _unacked) Write(stanza);
                break;
            case "failed":
                Fail(element);
                break;
            case "r":
                _world.After(_world.Chance(0.1) ? 400 : 0, AnswerRequest);
                break;
            case "a":
                Acknowledge(element);
                break;
        }
    }

    void AnswerRequest()
    {
        if (!_isOnline) return;
        var ack = SmElements.Ack(Sm, _handled);
        _wire?.Send(ack);
        if (_world.Chance(0.1)) _wire?.Send(ack); // a repeated one says nothing new
    }

    void Acknowledge(Element element)
    {
        uint h = SmElements.ReadHandled(element) ?? throw new SimulationException($"{Jid} gets '{element}'");
        uint count = unchecked(h - _acknowledged);
        if (count > _unacked.Count)
            throw new SimulationException($"{Jid} is told {h}, {_acknowledged} and {_unacked.Count} open");
        for (; count > 0; count--) Check.Acknowledged(_world, Jid, _unacked.Dequeue());
        _acknowledged = h;
    }

    void Fail(Element failed)
    {
        _world.Note($"{Jid} cannot resume, {failed.Attribute("h") ?? "no count"}");
        if (failed.Attribute("h") is not null) Acknowledge(failed);
        else throw new SimulationException($"{Jid} is not told how much of {_token} has arrived");
        _again.AddRange(_unacked.OfType<Message>().Where(message => message.Body is not null));
        ForgetStream(isLost: false);
    }

    /// <summary>A new session: what was known of rooms is void, as the server has forgotten this device.</summary>
    void Begin(string token)
    {
        _world.Note($"{Jid} begins {token}");
        (_token, _handled, _acknowledged, _isOnline) = (token, 0, 0, true);
        _live.Clear();
        foreach (var room in Rooms.Values) room.Forget();
        Letters.BeginGap();
        Send(new Presence(PresenceType.Available, default, default, NextId()));
        CatchUp(Letters);
        var letters = _again.Where(message => message.Type != MessageType.Groupchat).ToList();
        foreach (var message in letters) Send(message);
        _again.RemoveAll(letters.Contains);
        foreach (var room in Rooms.Values)
            if (_world.Chance(0.7) || _again.Exists(message => message.To == room.Room)) room.Enter();
    }

    public void Send(Stanza stanza)
    {
        _world.Trace(Jid, '>', stanza);
        _unacked.Enqueue(stanza);
        Write(stanza);
        if (_world.Chance(0.1)) _wire?.Send(SmElements.Request(Sm));
    }

    void Write(Stanza stanza) => _wire?.Send(stanza.ToElement());
}
