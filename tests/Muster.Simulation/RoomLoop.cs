using System.Collections.Immutable;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Simulation;

/// <summary>
/// The room's host as <see cref="Room"/> describes it, without tasks: a mailbox, batches, one commit for a batch, then
/// the effects in order. When the commit fails nothing is shown and the room is loaded afresh.
/// </summary>
internal sealed class RoomLoop(World world, Jid address)
{
    const int BatchMax = 64;

    readonly Queue<object> _mailbox = [];
    Room? _room;
    bool _isScheduled;
    (SharedStanza Stanza, Jid To)? _heldBack; // Fault.SwapMessages
    int _life;                                // a crash makes what was scheduled before it void

    public Jid Address => address;

    /// <summary>Ids of messages that were in a batch that could not be stored.</summary>
    public HashSet<string> Failed { get; } = [];

    /// <summary>The room, loaded when it is not in memory.</summary>
    public Room Loaded => _room ??= Load();

    /// <summary>Gives the room a stanza or an event.</summary>
    public void Post(object input)
    {
        _mailbox.Enqueue(input);
        Wake();
    }

    public void Crash()
    {
        foreach (var stanza in _mailbox.OfType<Stanza>()) Remember(stanza);
        _mailbox.Clear();
        _room = null;
        _isScheduled = false;
        _heldBack = null;
        _life++;
    }

    Room Load()
    {
        world.Note("the room is loaded");
        return Room.Restore(world.Store.Room, new RoomPolicy(), world.Store.History(20));
    }

    void Wake()
    {
        if (_isScheduled || _mailbox.Count == 0) return;
        _isScheduled = true;
        int life = _life;
        world.After(world.Random.Next(0, 30), () => { if (life == _life) Drain(); });
    }

    void Drain()
    {
        _isScheduled = false;
        var room = Loaded;
        var effects = new List<RoomEffect>();
        var marks = new List<(int From, long Id)>();
        var batch = new List<Stanza>();
        while (_mailbox.Count > 0 && batch.Count < BatchMax && !room.IsClosed)
        {
            object input = _mailbox.Dequeue();
            long id = world.Store.NextId();
            marks.Add((effects.Count, id));
            room.Handle(input is Stanza stanza
                ? new RoomInput(stanza, world.Now, id, FactsOf(stanza.From))
                : new RoomInput((RoomEvent)input, world.Now, id), effects);
            if (input is Stanza taken) batch.Add(taken);
        }
        bool stored = world.Store.TryCommit(effects);
        if (!stored) world.Note($"the store fails on a batch of {batch.Count}");
        if (stored || world.Fault == Fault.ShowWithoutArchive) Perform(effects, marks);
        else if (world.Fault != Fault.KeepFailedRoom) GiveUp(room, batch, effects);
        if (room.IsClosed) _room = null;
        Wake();
    }

    void Perform(List<RoomEffect> effects, List<(int From, long Id)> marks)
    {
        int mark = 0;
        for (int i = 0; i < effects.Count; i++)
        {
            while (mark + 1 < marks.Count && marks[mark + 1].From <= i) mark++;
            Perform(effects[i], marks[mark].Id);
        }
    }

    void Perform(RoomEffect effect, long id)
    {
        switch (effect)
        {
            case RoomEffect.Refuse refuse:
                world.Deliver(SharedStanza.From(refuse.Answer), refuse.Cause.From);
                break;
            case RoomEffect.Send send:
                Send(SharedStanza.From(send.Stanza), [send.To]);
                break;
            case RoomEffect.Broadcast broadcast:
                Send(SharedStanza.From(broadcast.Stanza), broadcast.Sessions);
                break;
            case RoomEffect.Entered entered:
                world.Find(entered.Session)?.Visits.Enqueue(new Visit(world.Store.CountBefore(id)));
                break;
            case RoomEffect.WakeAt wake:
                int life = _life;
                world.At(wake.At, () => { if (life == _life) Post(new RoomEvent.Tick()); });
                break;
            case RoomEffect.Closed or RoomEffect.Left or RoomEffect.Renamed or RoomEffect.Configured
                or RoomEffect.Archive or RoomEffect.Persist or RoomEffect.Undeliverable or RoomEffect.Forward
                or RoomEffect.ReadArchive:
                break;
            default:
                throw new SimulationException($"the host does not know {effect}");
        }
    }

    void Send(SharedStanza stanza, ImmutableArray<Jid> recipients)
    {
        bool departs = stanza.Stanza is Presence { Type: PresenceType.Unavailable } && !IsAboutRecipient(stanza.Stanza);
        for (int i = 0; i < recipients.Length; i++)
        {
            if (world.Fault == Fault.ForgetDeparture && departs && world.Chance(0.5)) continue;
            if (world.Fault == Fault.SwapMessages && i == 0 && stanza.Stanza is Message { Body: not null }
                && world.Chance(0.1))
            {
                _heldBack = (stanza, recipients[i]);
                continue;
            }
            world.Deliver(stanza, recipients[i]);
            if (_heldBack is { } held && held.To == recipients[i])
            {
                _heldBack = null;
                world.Deliver(held.Stanza, held.To);
            }
        }
    }

    static bool IsAboutRecipient(Stanza stanza) => stanza.Child(Namespaces.MucUser, "x") is { } x &&
        MucUser.Read(x, out _)!.Statuses.Contains(MucStatus.Self);

    /// <summary>Layout §4: the object has promised what is not true; the senders are refused, everybody is sent out and
    /// it is loaded afresh.</summary>
    void GiveUp(Room room, List<Stanza> batch, List<RoomEffect> effects)
    {
        foreach (var stanza in batch)
        {
            Remember(stanza);
            if (!stanza.IsError && stanza is not Iq { IsRequest: false })
                world.Deliver(SharedStanza.From(stanza.Refuse(StanzaError.ServiceUnavailable)), stanza.From);
        }
        room.Abandon("the store failed", effects);
        foreach (var effect in effects) Perform(effect, 0);
    }

    // Some come from another server: the room must find out by itself whether they are there.
    static SenderFacts FactsOf(Jid user) => new() { IsLocal = user.Domain is "x", MayPersist = true };

    void Remember(Stanza stanza)
    {
        if (stanza is Message { Type: MessageType.Groupchat, Id: { } id }) Failed.Add(id);
    }

    /// <summary>Who is inside, from the room itself: "nick role affiliation".</summary>
    public SortedSet<string> Truth()
    {
        var truth = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var role in RoomOptions.AllRoles)
        {
            var effects = new List<RoomEffect>();
            var ask = new Iq(IqType.Get, Jid.Parse("admin@x/1"), address, "truth",
                new Element(Namespaces.MucAdmin, "query", new MucItem(Role: role).ToElement(Namespaces.MucAdmin)));
            var facts = new SenderFacts { IsServiceAdmin = true };
            Loaded.Handle(new RoomInput(ask, world.Now, world.Store.NextId(), facts), effects);
            var answer = effects.OfType<RoomEffect.Send>().Single().Stanza;
            foreach (var child in answer.Elements.Single().Children(Namespaces.MucAdmin, "item"))
            {
                var item = MucItem.Read(child, out _)!;
                truth.Add($"{item.Nick} {item.Role!.Value.ToName()} {item.Affiliation!.Value.ToName()}");
            }
        }
        return truth;
    }
}
