using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;

namespace Muster.Simulation;

/// <summary>A connection: two directions, each in order, each with delays of its own. When it breaks, what is under way
/// is gone, and each side notices by itself.</summary>
internal sealed class Link(World world)
{
    long _toClientAt, _toServerAt; // nothing overtakes

    public bool IsUp { get; private set; } = true;

    public void Break() => IsUp = false;

    public void ToClient(Action action) => Carry(ref _toClientAt, action);
    public void ToServer(Action action) => Carry(ref _toServerAt, action);

    void Carry(ref long at, Action action)
    {
        long now = (long)(world.Now - DateTimeOffset.UnixEpoch).TotalMilliseconds;
        at = Math.Max(at, now + world.Random.Next(1, world.Chance(0.05) ? 2000 : 60));
        world.After((int)(at - now), () => { if (IsUp) action(); });
    }
}

/// <summary>What a session should see of the room from one entering on.</summary>
/// <param name="ArchivedBefore">Messages archived before it entered.</param>
internal sealed record Visit(int ArchivedBefore)
{
    /// <summary>Live messages seen so far.</summary>
    public int Seen { get; set; }
}

/// <summary>The server's side of a session with stream management (stream-management.md §2, §5, §7).</summary>
internal sealed class ServerSession(World world, Jid jid)
{
    const int HibernationMilliseconds = 20_000;

    readonly SmQueue _unacked = new(new SmQueueLimits { CountMax = 400, BytesMax = 1 << 20 });
    readonly List<SmEntry> _overflow = [];
    readonly HashSet<Jid> _directed = []; // where available presence went: they must hear of the end
    Link? _link;
    Client? _client;
    bool _isEnded;
    int _hibernation;

    public Jid Jid => jid;
    public uint Handled { get; private set; }
    /// <summary>Enterings that the client has not seen yet.</summary>
    public Queue<Visit> Visits { get; } = [];
    public bool IsEnded => _isEnded;

    public void Attach(Client client, Link link)
    {
        _client = client;
        _link = link;
        _hibernation++;
    }

    /// <summary>A stanza from the client.</summary>
    public void Receive(Stanza stanza)
    {
        if (_isEnded) return;
        Handled++;
        if (stanza is Presence { Type: PresenceType.Available, To.IsFull: true } presence) _directed.Add(presence.To);
        world.Route(stanza.Readdressed(jid, stanza.To));
    }

    /// <summary>A stanza for the client.</summary>
    public void Deliver(SharedStanza stanza)
    {
        if (_isEnded) return;
        _unacked.Push(stanza, jid, world.Now, _overflow);
        if (!_unacked.IsComplete && _link is null)
        {
            // stream-management.md §6: the session cannot resume any more; what it holds is answered for now.
            world.Note($"{jid} holds too much");
            End();
            return;
        }
        Write(stanza);
        if (_link is not null && _unacked.TakeRequest(threshold: 5)) _link.ToClient(_client!.ReceiveRequest);
    }

    void Write(SharedStanza stanza)
    {
        var client = _client!;
        _link?.ToClient(() => client.Receive(stanza.Stanza));
    }

    public void ReceiveAck(uint h)
    {
        if (_unacked.Ack(h) == SmAck.TooHigh)
            throw new SimulationException($"{jid} acknowledges {h} of {_unacked.Sent}");
    }

    /// <summary>The server has noticed that the connection is gone.</summary>
    public void NoticeBreak(Link link)
    {
        if (_isEnded || _link != link) return;
        _link = null;
        _unacked.Disconnect();
        if (!_unacked.IsComplete)
        {
            End();
            return;
        }
        int hibernation = ++_hibernation;
        world.After(HibernationMilliseconds, () => { if (hibernation == _hibernation) End(); });
    }

    /// <summary>Resumes on a new connection: what was not acknowledged goes again, in order, before anything
    /// new.</summary>
    public void Resume(Client client, Link link, uint h)
    {
        if (world.Fault != Fault.RepeatOnResume || _unacked.UnackedCount == 0) ReceiveAck(h);
        _unacked.Disconnect();
        Attach(client, link);
        uint handled = Handled;
        link.ToClient(() => client.Resumed(handled));
        int skip = world.Fault == Fault.LoseOnResume ? 1 : 0;
        foreach (var entry in _unacked.Stored.Skip(skip)) Write(entry.Stanza);
        if (_unacked.TakeRequest(0, force: true)) link.ToClient(client.ReceiveRequest);
    }

    /// <summary>The end: messages go back to the room, then it hears of the absence (stream-management.md
    /// §7).</summary>
    public void End()
    {
        if (_isEnded) return;
        _isEnded = true;
        world.Note($"{jid} ends with {_unacked.Stored.Count} stanzas");
        world.Forget(this);
        foreach (var entry in _overflow.Concat(_unacked.Stored))
            if (entry.Stanza.Stanza is Message { Type: MessageType.Groupchat } message)
                world.Route(message.Readdressed(message.From, jid).Refuse(StanzaError.RecipientUnavailable));
        foreach (var place in _directed)
            world.Route(new Presence(PresenceType.Unavailable, jid, place, null));
    }

    /// <summary>The process is gone: nothing is told to anybody.</summary>
    public void Crash() => _isEnded = true;
}
