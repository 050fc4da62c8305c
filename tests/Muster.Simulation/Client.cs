using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Simulation;

/// <summary>A user's device: it talks, goes, comes back, and remembers all that it was shown.</summary>
internal sealed class Client(World world, Jid jid)
{
    static readonly string[] Nicks = ["Romeo", "Jule", "Nurse", "Tybalt", "Paris", "Rosaline"];

    readonly SortedDictionary<string, string> _view = new(StringComparer.Ordinal); // nick -> "role affiliation"
    readonly List<string> _history = [];
    readonly List<string> _sent = [];
    readonly HashSet<string> _refused = [];
    readonly Dictionary<string, int> _wanted = []; // messages of history, by id of the entering
    SmQueue _unacked = new(new SmQueueLimits { CountMax = 1000 });
    ServerSession? _session;
    Link? _link;
    Visit? _visit;
    string? _nick;
    uint _handled;
    int _historyMax; // wanted by the entering that is being answered
    int _count;
    bool _isReady;        // false between connecting and the answer to resuming
    string? _learning;    // id of the last entering asked for: what is seen before its answer is not all
    string? _answered;    // id of the entering that is being answered

    public Jid Jid => jid;
    public int Shown { get; private set; }
    public int Resumes { get; private set; }
    public bool IsInside => _visit is not null;
    public Visit? Visit => _visit;
    public IEnumerable<string> View => _view.Select(entry => $"{entry.Key} {entry.Value}");
    public string? Nick => _nick;
    public IReadOnlyList<string> Sent => _sent;
    public IReadOnlySet<string> Refused => _refused;
    /// <summary>Messages that the server took in this session.</summary>
    public List<string> Accepted { get; } = [];
    bool IsOnline => _link is { IsUp: true };

    // ---- The connection ----

    public void DropConnection()
    {
        if (_link is not { IsUp: true } link) return;
        world.Note($"{jid} loses its connection");
        link.Break();
        _link = null;
        _isReady = false;
        var session = _session!;
        // The server finds out by itself, sometimes later than the client comes back.
        world.After(world.Random.Next(0, 3000), () => session.NoticeBreak(link));
        world.After(world.Random.Next(10, world.Chance(0.15) ? 60_000 : 4000), Reconnect);
    }

    /// <summary>The storm is over: everybody comes back.</summary>
    public void Recover()
    {
        if (!IsOnline) Reconnect();
    }

    void Reconnect()
    {
        if (IsOnline) return;
        var link = _link = new Link(world);
        if (_session is { IsEnded: false } session)
        {
            Resumes++;
            world.Note($"{jid} resumes at {_handled}");
            uint h = _handled;
            link.ToServer(() =>
            {
                if (session.IsEnded) link.ToClient(StartSession);
                else session.Resume(this, link, h);
            });
            return;
        }
        StartSession();
    }

    /// <summary>A new session: what was known of the room is void, as the server has forgotten this device.</summary>
    void StartSession()
    {
        if (_link is not { } link) return;
        world.Note($"{jid} starts a session");
        LeaveVisit();
        Accepted.Clear(); // an answer to one of them may be lost with the session that ended
        _handled = 0;
        _isReady = true;
        _unacked = new SmQueue(new SmQueueLimits { CountMax = 1000 });
        _session = world.Open(this);
        _session.Attach(this, link);
        if (world.Chance(0.7)) Enter();
    }

    public void Resumed(uint h)
    {
        ReceiveAck(h);
        _isReady = true;
        foreach (var entry in _unacked.Stored) Write(entry.Stanza.Stanza);
    }

    void ReceiveAck(uint h)
    {
        var acknowledged = new List<SmEntry>();
        if (_unacked.Ack(h, acknowledged) == SmAck.TooHigh)
            throw new SimulationException($"{jid} is told {h} of {_unacked.Sent}");
        Accepted.AddRange(acknowledged.Select(entry => entry.Stanza.Stanza).OfType<Message>()
            .Where(message => message is { Type: MessageType.Groupchat,
                Body: not null }).Select(message => message.Id!));
    }

    public void ReceiveRequest()
    {
        uint h = _handled;
        var session = _session!;
        _link?.ToServer(() => session.ReceiveAck(h));
        // The server acknowledges, too; when and how often does not matter here.
        uint handled = session.Handled;
        _link?.ToClient(() => { if (_session == session) ReceiveAck(handled); });
    }

    void Send(Stanza stanza)
    {
        world.Trace(jid, '>', stanza);
        _unacked.Push(SharedStanza.From(stanza), default, world.Now, []);
        Write(stanza);
    }

    void Write(Stanza stanza)
    {
        var session = _session!;
        _link?.ToServer(() => session.Receive(stanza));
    }

    // ---- What a user does ----

    public void Act()
    {
        if (_session is null) Reconnect();
        if (!_isReady) return;
        if (_visit is null)
        {
            if (world.Chance(0.5)) Enter();
            return;
        }
        switch (world.Random.Next(24))
        {
            case 0: Send(new Presence(PresenceType.Unavailable, default, At(_nick!), NextId())); break;
            case 1: Enter(); break; // again: it lost what it knew
            case 2: Send(new Presence(PresenceType.Available, default, At(AnyNick()), NextId())); break;
            case 3: Send(new Message(MessageType.Groupchat, default, At(null), NextId(), Text("subject",
                $"s{_count}"))); break;
            case 4: Send(new Presence(PresenceType.Available, default, At(_nick!), NextId(), Text("show",
                "away"))); break;
            case 5: Send(new Message(MessageType.Chat, default, At(AnyNick()), NextId(), Text("body", "psst"))); break;
            case 6: Manage(new MucItem(Role: (Role)world.Random.Next(0, 4), Nick: AnyNick())); break;
            case 7: Manage(new MucItem((Affiliation)world.Random.Next(-1, 4), Jid: AnyUser())); break;
            case 8: Send(new Message(MessageType.Groupchat, default, At(null), NextId(), new Element("urn:x",
                "typing"))); break;
            case 9: Configure(); break;
            case 10: Register(); break;
            default: Say(); break;
        }
    }

    void Say()
    {
        string id = NextId();
        _sent.Add(id);
        Send(new Message(MessageType.Groupchat, default, At(null), id, Text("body", $"{jid} {_count}")));
    }

    void Manage(MucItem item) => Send(new Iq(IqType.Set, default, At(null), NextId(),
        new Element(Namespaces.MucAdmin, "query", item.ToElement(Namespaces.MucAdmin))));

    void Configure()
    {
        (string var, string value) = world.Random.Next(6) switch
        {
            0 => ("muc#roomconfig_moderatedroom", AnyFlag()),
            1 => ("muc#roomconfig_membersonly", world.Chance(0.2) ? "1" : "0"),
            2 => ("muc#roomconfig_whois", world.Chance(0.5) ? "anyone" : "moderators"),
            3 => ("muc#roomconfig_slow_mode_duration", world.Chance(0.5) ? "1" : "0"),
            4 => ("muc#roomconfig_allowmultisessions", AnyFlag()),
            _ => ("members_by_default", AnyFlag()),
        };
        Send(new Iq(IqType.Set, default, At(null), NextId(), new Element(Namespaces.MucOwner, "query",
            new DataForm(DataFormType.Submit, null, FormField.Submitted(var, value)).ToElement())));
    }

    void Register() => Send(new Iq(IqType.Set, default, At(null), NextId(), new Element(Namespaces.Register, "query",
        new DataForm(DataFormType.Submit, "http://jabber.org/protocol/muc#register",
            FormField.Submitted("muc#register_roomnick", AnyNick())).ToElement())));

    string AnyFlag() => world.Chance(0.5) ? "1" : "0";

    void Enter()
    {
        _view.Clear();
        int max = world.Chance(0.3) ? world.Random.Next(0, 8) : 20;
        var history = max < 20 ? new MucHistoryRequest(MaxStanzas: max) : null;
        string id = NextId();
        _wanted[id] = max;
        _learning = id;
        Send(new Presence(PresenceType.Available, default, At(_nick ?? AnyNick()), id, new MucJoin(null,
            history).ToElement()));
    }

    Jid At(string? nick) => nick is null ? world.Room.Address : Jid.Parse($"{world.Room.Address}/{nick}");
    string AnyNick() => Nicks[world.Random.Next(Nicks.Length)];
    static readonly string[] Users = ["romeo@x", "julia@x", "nurse@x", "tybalt@y", "paris@y"];
    Jid AnyUser() => Jid.Parse(Users[world.Random.Next(Users.Length)]);
    string NextId() => $"{jid}#{++_count}";
    static Element Text(string name, string text) => new(Namespaces.Client, name, text);

    // ---- What a user sees ----

    public void Receive(Stanza stanza)
    {
        _handled++;
        Shown++;
        world.Trace(jid, '<', stanza);
        if (stanza.IsError)
        {
            if (stanza.Id is { } id) _refused.Add(id);
            // It cannot have its nick any more: it asks again under the one that it has now.
            if (stanza is Presence && _visit is not null && stanza.Id == _learning) Enter();
            return;
        }
        if (stanza is Presence presence) ReceivePresence(presence);
        else if (stanza is Message { Type: MessageType.Groupchat } message) ReceiveGroupchat(message);
    }

    void ReceivePresence(Presence presence)
    {
        if (presence.Child(Namespaces.MucUser, "x") is not { } x || MucUser.Read(x, out _) is not { } user) return;
        bool self = user.Statuses.Contains(MucStatus.Self);
        string nick = presence.From.Resource.ToString();
        if (presence.Type == PresenceType.Unavailable)
        {
            _view.Remove(nick);
            if (self && !user.Statuses.Contains(MucStatus.NickChanged)) LeaveVisit();
            return;
        }
        _view[nick] = $"{user.Item!.Role!.Value.ToName()} {user.Item.Affiliation!.Value.ToName()}";
        if (!self) return;
        _nick = nick;
        if (presence.Id is { } id && _wanted.Remove(id, out int max)) (_answered, _historyMax) = (id, max);
        if (_visit is not null) return;
        if (!_session!.Visits.TryDequeue(out _visit))
            throw new SimulationException($"{jid} is inside without entering");
        world.Note($"{jid} is inside as {nick}, {_visit.ArchivedBefore} before it");
    }

    void LeaveVisit()
    {
        _visit = null;
        _nick = null;
        _view.Clear();
        _history.Clear();
    }

    void ReceiveGroupchat(Message message)
    {
        string? id = StanzaIds.Find(message, world.Room.Address);
        bool delayed = message.Child(Namespaces.Delay, "delay") is not null;
        if (_visit is not { } visit) throw new SimulationException($"{jid} hears '{message}' without being inside");
        if (id is not null && delayed)
        {
            _history.Add(id);
        }
        else if (id is not null)
        {
            Check.Live(world.Store, jid, visit, id, message);
            visit.Seen++;
        }
        else if (message.Child("subject") is not null)
        {
            // The end of what is told on entering: before it stands the history, after it only what is new.
            Check.History(world.Store, jid, _history, visit.ArchivedBefore + visit.Seen, _historyMax);
            _history.Clear();
            if (_answered == _learning) _learning = null;
        }
        else if (message.Body is not null)
        {
            throw new SimulationException($"{jid} is shown '{message.Body}', which has no archive id");
        }
    }
}
