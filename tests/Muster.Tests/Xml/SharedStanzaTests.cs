using System.Buffers;
using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Tests.Xml;

public sealed class SharedStanzaTests
{
    static readonly Jid Room = Jid.Parse("room@muc.example/nick é & '<>\"");

    public static TheoryData<string> Recipients => ["a.example", "u@a.example/phone", "r@muc.example/it's <é> & \"😀\""];

    static Stanza[] Stanzas =>
    [
        new Message(MessageType.Groupchat, Room, Jid.Parse("other@a.example"), "id'1",
            new Element(Namespaces.Client, "body", "a < b & 'é'"),
            new Element(Namespaces.StanzaIds, "stanza-id").With("id", "1")),
        new Message(MessageType.Normal, default, default, null),
        new Presence(PresenceType.Unavailable, Room, default, null, new Element(Namespaces.MucUser, "x")),
        new Iq(IqType.Set, Room, default, "1",
            new Element(Namespaces.Roster, "query", new Element(Namespaces.Streams, "odd"))),
        Stanza.Read(
            new Element(Namespaces.Client, "message").With(Namespaces.Xml, "lang", "en").AddText("loose"), out _)!,
    ];

    [Theory]
    [MemberData(nameof(Recipients))]
    public void It_is_read_as_the_stanza_to_its_recipient(string recipient)
    {
        var to = Jid.Parse(recipient);
        foreach (var stanza in Stanzas)
        {
            var shared = SharedStanza.From(stanza);
            Assert.Same(stanza, shared.Stanza);
            var expected = stanza.Readdressed(stanza.From, to).ToElement();
            foreach (bool framed in new[] { false, true })
            {
                string written = Written(shared, to, framed);
                var read = Read(framed ? written : $"<s xmlns='jabber:client'>{written}", framed);
                Assert.True(expected.DeepEquals(read), written);
                // And the bytes are those of the ordinary writer but for the place of the recipient.
                var plain = new ArrayBufferWriter<byte>();
                StanzaWriter.Write(plain, stanza.Readdressed(stanza.From, to), framed ? "" : Namespaces.Client);
                Assert.Equal(Sorted(Encoding.UTF8.GetString(plain.WrittenSpan)), Sorted(written));
            }
        }
    }

    [Fact]
    public void Without_recipient_it_has_the_bytes_that_it_counts()
    {
        foreach (var stanza in Stanzas)
        {
            var shared = SharedStanza.From(stanza);
            string written = Written(shared, Jid.None, false);
            Assert.Equal(shared.ByteCount, Encoding.UTF8.GetByteCount(written));
            var read = Read($"<s xmlns='jabber:client'>{written}", false);
            Assert.True(stanza.Readdressed(stanza.From, default).ToElement().DeepEquals(read));
        }
    }

    [Fact]
    public void The_recipient_stands_first()
    {
        var shared = SharedStanza.From(new Message(MessageType.Groupchat, Jid.Parse("r@m.example/n"), default, "1"));
        Assert.Equal("<message xmlns='jabber:client' to='u@a.example' from='r@m.example/n' id='1' type='groupchat'/>",
            Written(shared, Jid.Parse("u@a.example"), true));
    }

    static string Written(SharedStanza shared, Jid to, bool framed)
    {
        var output = new ArrayBufferWriter<byte>();
        shared.Write(output, to, framed);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>The pieces of the text between spaces and ends of tags, in an order of their own.</summary>
    static string Sorted(string xml) =>
        string.Join(' ', xml.Replace("/>", " />", StringComparison.Ordinal).Replace(">", " >", StringComparison.Ordinal)
            .Split(' ').Order(StringComparer.Ordinal));

    static Element Read(string xml, bool framed)
    {
        var reader = new StanzaReader(new XmlLimits(), framed ? StanzaReaderMode.Document : StanzaReaderMode.Stream);
        var bytes = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(xml));
        Assert.True(reader.TryRead(bytes, out var at, out var item), xml);
        if (!framed) Assert.True(reader.TryRead(bytes.Slice(at), out _, out item), xml);
        Assert.True(item.Kind == XmlItemKind.Element, $"{item.Error}: {xml}");
        return item.Element!;
    }
}
