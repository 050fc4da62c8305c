using System.Buffers;
using System.Text;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Simulation;

/// <summary>
/// The server's end of a wire, as <c>ClientConnection</c> is it, without tasks: elements are taken one after another,
/// each when the one before has been dealt with; what is written gathers and is flushed later. The bytes are those that
/// the session wrote, and they are read again by the real reader.
/// </summary>
internal sealed class Connection : SessionLink
{
    const int OutboundBytesMax = 48 * 1024;

    readonly World _world;
    readonly Server _server;
    readonly Wire _wire;
    readonly int _life;
    readonly Queue<Element> _inbox = [];
    readonly StanzaReader _reader = new(new XmlLimits(), StanzaReaderMode.Document);
    Element? _ackRequest;
    Stanza? _next;      // of the inbox: read, and waits for what was sent before to be settled
    bool _isBusy;       // with the stanza taken last
    bool _isClosed;
    bool _flushes;

    public Connection(World world, Server server, Wire wire, Jid jid) : base(OutboundBytesMax)
    {
        (_world, _server, _wire, Jid) = (world, server, wire, jid);
        _life = server.Life;
        AcceptsStanzas = false; // until its client has a session
    }

    public Jid Jid { get; }
    /// <summary>The session; null while the client logs in.</summary>
    public Session? Session { get; set; }
    public bool IsClosed => _isClosed;
    bool IsHere => _server.Life == _life;

    public override bool DeclaresNamespace => true;

    // ---- Reading ----

    public void Arrive(Element element)
    {
        if (!IsHere || _isClosed) return;
        _inbox.Enqueue(element);
        Read();
    }

    void Read()
    {
        while (!_isBusy && !_isClosed && _inbox.TryPeek(out var element))
        {
            if (Session is null)
            {
                if (element.Name == "login") _server.LogIn(this, _inbox.Dequeue());
                else _inbox.Dequeue();
            }
            else if (!TryTake(Session, element))
            {
                return;
            }
        }
    }

    /// <summary>False: it must wait until <see cref="Settled"/>.</summary>
    bool TryTake(Session session, Element element)
    {
        if (element.Namespace == Frames.Namespace)
        {
            if (element.Name == "close")
            {
                if (!session.IsSettled) return false;
                _server.KeepCount(session);
                Close(null);
            }
            _inbox.Dequeue();
            return true;
        }
        if (_next is null)
        {
            var received = session.Receive(element);
            if (received.Control is { } control) return TryControl(session, control);
            _next = received.Stanza ?? throw new SimulationException($"{Jid} sent '{element}'");
        }
        // Rooms store in their own time: what goes elsewhere waits for them, so that the count of what is stored has
        // no gap.
        if (session.MustSettle(_next) && _world.Fault != Fault.TakeOutOfTurn) return false;
        var stanza = _next;
        _next = null;
        _inbox.Dequeue();
        if (!session.TryBegin(this)) return true;
        _isBusy = true;
        _server.Take(session, stanza, () =>
        {
            session.Finish();
            _isBusy = false;
            if (IsHere) Read();
        });
        return true;
    }

    bool TryControl(Session session, Element control)
    {
        bool mustWait = control.Name == "r" && !session.IsSettled && _world.Fault != Fault.AckBeforeStored;
        if (mustWait) return false;
        _inbox.Dequeue();
        switch (control.Name)
        {
            case "r":
                _server.KeepCount(session);
                session.AnswerRequest();
                break;
            case "a":
                if (session.Acknowledge(control) is { } error)
                    throw new SimulationException($"{Jid} follows the rules and gets {error.Condition}");
                break;
            case "active" or "inactive":
                session.SetActive(control.Name == "active", waitingMax: 20);
                break;
        }
        return true;
    }

    public override void Settled() => _world.After(0, () => { if (IsHere) Read(); });

    // ---- Writing ----

    public override bool TryAccept() => !_isClosed && (AcceptsStanzas = true);

    public override void EndStanza() { }

    public override void RequestAck(Element request) => _ackRequest = request;

    public override void Wake()
    {
        if (_flushes) return;
        _flushes = true;
        _world.After(_world.Random.Next(0, _world.Chance(0.03) ? 1500 : 20), () => { if (IsHere) Flush(); });
    }

    void Flush()
    {
        _flushes = false;
        if (_ackRequest is { } request && AcceptsStanzas)
        {
            _ackRequest = null;
            WriteElement(request);
        }
        var bytes = Outbound.Take();
        if (bytes.Count == 0) return;
        var rest = new ReadOnlySequence<byte>(bytes.Array!, bytes.Offset, bytes.Count);
        while (_reader.TryRead(rest, out var at, out var item))
        {
            if (item.Kind != XmlItemKind.Element)
                throw new SimulationException($"{Jid} is written {Encoding.UTF8.GetString(bytes)}: {item.Error}");
            _wire.Answer(item.Element!);
            rest = rest.Slice(at);
        }
        OutboundBuffer.Return(bytes);
    }

    // ---- The end ----

    public override void Close(StreamError? error, bool keepsSession = false)
    {
        if (_isClosed || !IsHere) return;
        var lastAck = Session?.LastAck();
        if (Outbound.IsOverflowing) Outbound.Drop();
        if (lastAck is not null) WriteElement(lastAck);
        if (error is not null) _world.Note($"{Jid}: the server closes with {error.Condition}");
        WriteElement(Frames.Close);
        Flush();
        End(keepsSession);
    }

    /// <summary>The connection has broken, and the server has noticed.</summary>
    public void Lost()
    {
        if (_isClosed || !IsHere) return;
        Outbound.Drop();
        End(keepsSession: true);
    }

    void End(bool keepsSession)
    {
        _isClosed = true;
        AcceptsStanzas = false;
        // Not at once: whoever closes it holds the session's lock.
        _world.After(0, () => { if (IsHere && Session is { } session) _server.Ended(session, this, keepsSession); });
    }
}
