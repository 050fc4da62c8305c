using System.Buffers;
using Muster.Protocol.Addresses;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Stanzas;

/// <summary>
/// A stanza turned into bytes once, for many recipients: a room's message goes to a thousand occupants as the same
/// bytes but for <c>to</c>. Immutable, and may be used by several threads at once.
/// </summary>
/// <remarks>The bytes are <c>&lt;message</c>, what belongs to one recipient, and the rest, which is shared.</remarks>
public sealed class SharedStanza
{
    static ReadOnlySpan<byte> NamespaceDeclaration => " xmlns='jabber:client'"u8;

    readonly byte[] _tail; // the other attributes, the content, the end tag

    SharedStanza(Stanza stanza, byte[] tail)
    {
        Stanza = stanza;
        _tail = tail;
    }

    /// <summary>The stanza; its own recipient, if it has one, does not matter.</summary>
    public Stanza Stanza { get; }

    /// <summary>Bytes of the stanza as written, what belongs to one recipient not counted.</summary>
    public int ByteCount => 1 + Stanza.Name.Length + _tail.Length;

    /// <summary>Serialises a stanza.</summary>
    public static SharedStanza From(Stanza stanza)
    {
        var tail = new ArrayBufferWriter<byte>();
        StanzaWriter.WriteWithoutRecipient(tail, stanza);
        return new(stanza, tail.WrittenSpan.ToArray());
    }

    /// <summary>The same stanza for one recipient: the bytes are shared.</summary>
    public SharedStanza For(Jid to) => new(Stanza.Readdressed(Stanza.From, to), _tail);

    /// <summary>The same stanza with a child added at the end: what is serialised already is copied.</summary>
    public SharedStanza Add(Element child)
    {
        var stanza = Stanza.Add(child);
        var end = Stanza switch { Message => "</message>"u8, Presence => "</presence>"u8, _ => "</iq>"u8 };
        // Without content there is no end tag to put it before.
        if (!_tail.AsSpan().EndsWith(end)) return From(stanza);
        var added = new ArrayBufferWriter<byte>(128);
        StanzaWriter.Write(added, child, Namespaces.Client);
        var tail = new byte[_tail.Length + added.WrittenCount];
        int before = _tail.Length - end.Length;
        _tail.AsSpan(0, before).CopyTo(tail);
        added.WrittenSpan.CopyTo(tail.AsSpan(before));
        end.CopyTo(tail.AsSpan(before + added.WrittenCount));
        return new(stanza, tail);
    }

    /// <summary>The stanza as a document that declares its namespace, as stores keep it.</summary>
    /// <param name="to">The recipient, or <see cref="Jid.None"/>.</param>
    public byte[] ToDocument(Jid to)
    {
        var output = new ArrayBufferWriter<byte>(ByteCount + NamespaceDeclaration.Length + to.ToString().Length + 16);
        Write(output, to, declareNamespace: true);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Writes the stanza for one recipient.</summary>
    /// <param name="output">Where the bytes go.</param>
    /// <param name="to">The recipient; for <see cref="Jid.None"/> the stanza is written without one.</param>
    /// <param name="declareNamespace">True where jabber:client is not the default namespace: in a frame of a WebSocket
    /// (RFC 7395 §3.3.3).</param>
    public void Write(IBufferWriter<byte> output, Jid to, bool declareNamespace)
    {
        var xml = new Utf8Output(output);
        xml.Raw(Stanza switch { Message => "<message"u8, Presence => "<presence"u8, _ => "<iq"u8 });
        if (declareNamespace) xml.Raw(NamespaceDeclaration);
        if (!to.IsNone) xml.Attribute(" to='"u8, to.ToString());
        xml.Raw(_tail);
        xml.Flush();
    }
}
