using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using Muster.Core.Rooms;
using Muster.Core.Sessions;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Benchmarks;

/// <summary>One message of a room, part by part: read, decided upon, written once, copied to all inside.</summary>
[MemoryDiagnoser]
public class RoomMessage
{
    const string Text = "<message to='garden@conference.localhost' type='groupchat' id='b2c9f1d0'>" +
        "<body>What light through yonder window breaks? It is the east, and Juliet is the sun.</body>" +
        "<origin-id xmlns='urn:xmpp:sid:0' id='b2c9f1d0'/><markable xmlns='urn:xmpp:chat-markers:0'/></message>";

    static readonly Jid Garden = Jid.Parse("garden@conference.localhost");

    readonly ArrayBufferWriter<byte> _output = new(4096);
    readonly List<RoomEffect> _effects = [];
    readonly ReadOnlySequence<byte> _bytes = new(Encoding.UTF8.GetBytes(Text));
    StanzaReader _reader = null!;
    Message _message = null!;
    SharedStanza _shared = null!;
    Room _room = null!;
    Session[] _sessions = [];
    DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    long _id = 1;

    /// <summary>Occupants of the room.</summary>
    [Params(1000)]
    public int Occupants { get; set; }

    /// <summary>Opens the stream, fills the room, binds the sessions.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _reader = new StanzaReader(new XmlLimits());
        var open = new ReadOnlySequence<byte>(
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"u8
                .ToArray());
        _reader.TryRead(open, out _, out _);
        var sender = Jid.Parse("user0@localhost/bench");
        _message = (Message)Stanza.Read(Read(), sender, null, out _)!;
        _shared = SharedStanza.From(_message.Readdressed(Jid.Parse("garden@conference.localhost/user0"), Jid.None));

        _room = Room.Restore(new RoomSnapshot
        {
            Address = Garden,
            Options = new RoomOptions { Persistent = true, MaxUsers = 2000 },
            Secret = [.. new byte[Room.SecretBytes]],
            CreatedAt = _now,
            Affiliations = [],
        }, new RoomPolicy());
        for (int i = 0; i < Occupants; i++)
        {
            var join = new Presence(PresenceType.Available, Jid.Parse($"user{i}@localhost/bench"),
                Jid.Parse($"{Garden}/user{i}"), $"j{i}", new MucJoin(null, null).ToElement());
            Decide(join);
        }
        _sessions = [.. Enumerable.Range(0, Occupants).Select(i =>
            new Session(Jid.Parse($"user{i}@localhost/bench"), new NoConnection(), $"c{i}"))];
    }

    /// <summary>The reader alone: bytes to a tree.</summary>
    [Benchmark]
    public Element Read()
    {
        _reader.TryRead(_bytes, out _, out var item);
        return item.Element!;
    }

    /// <summary>The writer alone: a tree to bytes.</summary>
    [Benchmark]
    public int Write()
    {
        _output.ResetWrittenCount();
        StanzaWriter.Write(_output, _message, Namespaces.Client);
        return _output.WrittenCount;
    }

    /// <summary>The room's decision, with what it remembers of the message.</summary>
    [Benchmark]
    public int Decision()
    {
        _now += TimeSpan.FromSeconds(1);
        return Decide(_message);
    }

    /// <summary>Serialised once, copied to the buffers of all sessions, and taken from there at once.</summary>
    [Benchmark]
    public int Broadcast()
    {
        foreach (var session in _sessions) session.Deliver(_shared);
        return _sessions.Length;
    }

    int Decide(Stanza stanza)
    {
        _effects.Clear();
        _room.Handle(new RoomInput(stanza, _now, _id++, default), _effects);
        return _effects.Count;
    }

    /// <summary>A connection that takes what is written at once.</summary>
    sealed class NoConnection() : SessionLink(1 << 20)
    {
        public override bool DeclaresNamespace => false;
        public override bool TryAccept() => true;
        public override void EndStanza() { }
        public override void RequestAck(Element request) { }
        public override void Settled() { }
        public override void Close(StreamError? error, bool keepsSession = false) { }

        public override void Wake() => OutboundBuffer.Return(Outbound.Take());
    }
}
