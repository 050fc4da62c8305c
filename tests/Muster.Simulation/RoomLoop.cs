using System.Collections.Immutable;
using Muster.Core.Rooms;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Simulation;

/// <summary>
/// The room's host as <see cref="Room"/> describes it, without tasks: a mailbox, batches, one commit for a batch, then
/// the effects in order. When the commit fails nothing is shown and the room is loaded afresh.
/// </summary>
internal sealed class RoomLoop(World world, Server server, Jid address)
{
    const int BatchMax = 64;

    readonly record struct Input(Stanza? Stanza, RoomEvent? Event, SessionHold Hold);

    readonly Queue<Input> _mailbox = [];
    readonly Dictionary<Stanza, SessionHold> _postponed = new(ReferenceEqualityComparer.Instance);
    Room? _room;
    bool _isScheduled;
    (SharedStanza Stanza, Jid To)? _heldBack; // Fault.SwapMessages
    int _life;                                // a crash makes what was scheduled before it void

    public Jid Address => address;
    public bool IsQuiet => _mailbox.Count == 0;

    /// <summary>The room, loaded when it is not in memory.</summary>
    public Room Loaded => _room ??= Load();

    /// <summary>Gives the room a stanza.</summary>
    public void Post(Stanza stanza, SessionHold hold) => Post(new Input(stanza, null, hold));

    void Post(Input input)
    {
        _mailbox.Enqueue(input);
        Wake();
    }

    /// <summary>Tells a room that is in memory, and waits until it has dealt with it.</summary>
    public void Tell(RoomEvent what)
    {
        if (_room is null && _mailbox.Count == 0) return;
        _mailbox.Enqueue(new Input(null, what, default));
        DrainAll();
    }

    /// <summary>Deals with all that waits. False when nothing did.</summary>
    public bool DrainAll()
    {
        if (_mailbox.Count == 0) return false;
        while (_mailbox.Count > 0) Drain();
        return true;
    }

    public void Crash()
    {
        _mailbox.Clear();
        _postponed.Clear();
        _room = null;
        _isScheduled = false;
        _heldBack = null;
        _life++;
    }

    Room Load()
    {
        var room = Room.Restore(server.Disk.Room(address), world.RoomPolicy, server.Disk.History(address, 20));
        if (server.Disk.Occupants.Remove(address, out var inside))
        {
            room.TakeBack(inside, world.Now);
            world.Note($"{address} takes back {room.Sessions.Length} sessions");
            foreach (var session in room.Sessions)
                if (server.Serves(session) && !server.Restored.Contains(session))
                    Post(new Input(null, new RoomEvent.SessionLost(session), default));
        }
        return room;
    }

    SenderFacts FactsOf(Stanza stanza) => new() { IsLocal = server.Serves(stanza.From), MayPersist = true };

    void Wake()
    {
        if (_isScheduled || _mailbox.Count == 0) return;
        _isScheduled = true;
        int life = _life;
        world.After(world.Random.Next(0, world.Chance(0.05) ? 300 : 30), () => { if (life == _life) Drain(); });
    }

    void Drain()
    {
        _isScheduled = false;
        var room = Loaded;
        var effects = new List<RoomEffect>();
        var marks = new List<(int From, long Id, string? Cause)>();
        var batch = new List<Input>();
        while (_mailbox.Count > 0 && batch.Count < BatchMax && !room.IsClosed)
        {
            var input = _mailbox.Dequeue();
            long id = server.Disk.NextId();
            marks.Add((effects.Count, id, input.Stanza?.Id));
            room.Handle(input.Stanza is { } stanza
                ? new RoomInput(stanza, world.Now, id, FactsOf(stanza))
                : new RoomInput(input.Event!, world.Now, id), effects);
            batch.Add(input);
        }
        foreach (var refused in effects.OfType<RoomEffect.Refuse>()) world.Ledger.Refuse(refused.Cause);
        var holds = Holds(batch, effects);
        bool stores = effects.Exists(effect => effect is RoomEffect.Archive or RoomEffect.Persist);
        bool stored = !stores || server.Disk.TryCommit(address, effects, CountsOf(holds));
        if (!stored) world.Note($"the disk fails on a batch of {batch.Count}");
        if (stored || world.Fault == Fault.ShowWithoutArchive)
        {
            Release(holds, stores);
            Perform(effects, marks);
        }
        else if (world.Fault != Fault.KeepFailedRoom)
        {
            GiveUp(room, batch, effects);
            Release(holds, areStored: false);
        }
        if (room.IsClosed) _room = null;
        Wake();
    }

    // ---- What its senders are told (ADR 0006) ----

    /// <summary>The holds that end with this batch. That of a message which waits for its sender's turn ends with the
    /// batch in which that has come.</summary>
    List<SessionHold> Holds(List<Input> batch, List<RoomEffect> effects)
    {
        var ending = new List<SessionHold>();
        foreach (var input in batch)
            if (input.Stanza is { } stanza && input.Hold.Session is not null) _postponed[stanza] = input.Hold;
        var postponed = world.Fault == Fault.CountPostponed ? []
            : effects.OfType<RoomEffect.Postponed>().Select(effect => (Stanza)effect.Cause)
                .Except(effects.OfType<RoomEffect.Resolved>().Select(effect => (Stanza)effect.Cause)).ToHashSet();
        foreach (var cause in batch.Select(input => input.Stanza).OfType<Stanza>()
            .Concat(effects.OfType<RoomEffect.Resolved>().Select(effect => effect.Cause)))
            if (!postponed.Contains(cause) && _postponed.Remove(cause, out var hold)) ending.Add(hold);
        return ending;
    }

    IEnumerable<(string Token, uint Count)> CountsOf(List<SessionHold> holds)
    {
        if (world.Fault == Fault.StoreWithoutCount) return [];
        // While an earlier message waits, nothing later may count.
        return holds.Where(hold => !IsOvertaking(hold)).GroupBy(hold => hold.Session!.Token!)
            .Select(session => (session.Key, session.Select(hold => hold.Number).Aggregate(Later)));

        static uint Later(uint one, uint other) => unchecked((int)(other - one)) > 0 ? other : one;
    }

    void Release(List<SessionHold> holds, bool areStored)
    {
        foreach (var hold in holds) hold.Release(areStored && !IsOvertaking(hold));
    }

    bool IsOvertaking(SessionHold hold) => _postponed.Values.Any(waiting =>
        waiting.Session == hold.Session && unchecked((int)(waiting.Number - hold.Number)) < 0);

    // ---- Effects ----

    void Perform(List<RoomEffect> effects, List<(int From, long Id, string? Cause)> marks)
    {
        int mark = 0;
        for (int i = 0; i < effects.Count; i++)
        {
            while (mark + 1 < marks.Count && marks[mark + 1].From <= i) mark++;
            Perform(effects[i], marks[mark].Id, marks[mark].Cause);
        }
    }

    void Perform(RoomEffect effect, long id, string? cause)
    {
        switch (effect)
        {
            case RoomEffect.Refuse refuse:
                server.Deliver(SharedStanza.From(refuse.Answer), refuse.Cause.From);
                break;
            case RoomEffect.Send send:
                Send(SharedStanza.From(send.Stanza), [send.To]);
                break;
            case RoomEffect.Broadcast broadcast:
                Send(SharedStanza.From(broadcast.Stanza), broadcast.Sessions);
                break;
            case RoomEffect.Entered entered:
                world.Ledger.Entered(address, cause!, server.Disk.CountBefore(address, id));
                break;
            case RoomEffect.Left left:
                world.Ledger.Left(left);
                break;
            case RoomEffect.WakeAt wake:
                int life = _life;
                world.At(wake.At, () => { if (life == _life) Post(new Input(null, new RoomEvent.Tick(), default)); });
                break;
            case RoomEffect.ReadArchive { Request: { } request } read:
                server.AnswerArchive(read.Question, address, request,
                    [.. server.Disk.Archive(address).Select(entry => (entry.Id, entry.Stanza))]);
                break;
            case RoomEffect.Suspended suspended:
                server.Disk.Occupants[address] = suspended.Occupants;
                break;
            case RoomEffect.Closed or RoomEffect.Renamed or RoomEffect.Configured or RoomEffect.Archive
                or RoomEffect.Persist or RoomEffect.Undeliverable or RoomEffect.Forward or RoomEffect.ReadArchive
                or RoomEffect.Postponed or RoomEffect.Resolved:
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
            server.Deliver(stanza, recipients[i]);
            if (_heldBack is { } held && held.To == recipients[i])
            {
                _heldBack = null;
                server.Deliver(held.Stanza, held.To);
            }
        }
    }

    static bool IsAboutRecipient(Stanza stanza) => stanza.Child(Namespaces.MucUser, "x") is { } x &&
        MucUser.Read(x, out _)!.Statuses.Contains(MucStatus.Self);

    /// <summary>The object has promised what is not true: the senders are refused, everybody is sent out, and it is
    /// loaded afresh.</summary>
    void GiveUp(Room room, List<Input> batch, List<RoomEffect> effects)
    {
        foreach (var stanza in batch.Select(input => input.Stanza).OfType<Stanza>())
        {
            world.Ledger.Refuse(stanza);
            if (!stanza.IsError && stanza is not Iq { IsRequest: false })
                server.Deliver(SharedStanza.From(stanza.Refuse(StanzaError.ServiceUnavailable)), stanza.From);
        }
        room.Abandon("the disk failed", effects);
        foreach (var refused in effects.OfType<RoomEffect.Refuse>()) world.Ledger.Refuse(refused.Cause);
        foreach (var effect in effects) Perform(effect, 0, null);
        Release([.. _postponed.Values], areStored: false);
        _postponed.Clear();
    }

    /// <summary>Who is inside, from the room itself: "nick role affiliation".</summary>
    public SortedSet<string> Truth() => [.. Loaded.Inside
        .Select(one => $"{one.Nick} {one.Role.ToName()} {one.Affiliation.ToName()}")];
}
