using System.Buffers;
using System.Text;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Xml;

public sealed class StanzaWriterTests
{
    const string Client = Namespaces.Client, Streams = Namespaces.Streams;

    static string Written(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    static string Written(Element element, string defaultNamespace = Client, bool streamPrefix = true) =>
        Written(o => StanzaWriter.Write(o, element, defaultNamespace, streamPrefix));

    [Fact]
    public void A_namespace_is_declared_where_it_differs_from_the_one_in_force()
    {
        var element = new Element(Client, "iq",
            new Element("u", "a", new Element("u", "b"), new Element(Client, "c"), new Element("", "d")),
            new Element(Client, "e"));
        Assert.Equal("<iq><a xmlns='u'><b/><c xmlns='jabber:client'/><d xmlns=''/></a><e/></iq>", Written(element));
        Assert.StartsWith("<iq xmlns='jabber:client'><a xmlns='u'>", Written(element, ""), StringComparison.Ordinal);
        Assert.Equal("<a xmlns='a&amp;&apos;b'/>", Written(new Element("a&'b", "a")));
        Assert.Equal(Written(element), element.ToString());
    }

    [Fact]
    [Spec("XEP-0220", "2.4.1")]
    public void Dialback_bears_the_prefix_that_old_servers_read()
    {
        var error = new Element(Client, "error", new Element(Namespaces.StanzaErrors, "item-not-found"));
        var result = new Element(Namespaces.Dialback, "result", error).With("type", "error");
        Assert.Equal("<db:result type='error'><error><item-not-found " +
            "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></db:result>", Written(result));
        Assert.Equal("<db:verify/>", Written(new Element(Namespaces.Dialback, "verify")));
        Assert.Equal("<a xmlns='u'><verify xmlns='jabber:server:dialback'/></a>",
            Written(new Element("u", "a", new Element(Namespaces.Dialback, "verify"))));
    }

    [Fact]
    public void Stream_elements_bear_the_prefix()
    {
        var features = new Element(Streams, "features", new Element("u", "bind"), new Element(Client, "x"))
            .With("a", "b");
        Assert.Equal("<stream:features a='b'><bind xmlns='u'/><x/></stream:features>", Written(features));
        Assert.Equal("<stream:features xmlns:stream='http://etherx.jabber.org/streams' a='b'>" +
            "<bind xmlns='u'/><x xmlns='jabber:client'/></stream:features>", Written(features, "", false));
        Assert.Equal("<stream:features/>", Written(new Element(Streams, "features")));
        // Inside of another element it is an element like any other.
        Assert.Equal("<a><features xmlns='http://etherx.jabber.org/streams'/></a>",
            Written(new Element(Client, "a", new Element(Streams, "features")), streamPrefix: false));
    }

    [Fact]
    public void Attributes_of_namespaces()
    {
        var element = new Element(Client, "a").With(Namespaces.Xml, "lang", "en").With("id", "1")
            .With("u", "b", "2").With("v&", "b", "3").With("u", "c", "4");
        Assert.Equal("<a xml:lang='en' id='1' xmlns:a2='u' a2:b='2' xmlns:a3='v&amp;' a3:b='3' a2:c='4'/>",
            Written(element));
    }

    [Theory]
    [InlineData("plain", "plain", "plain")]
    [InlineData("<&>\"'", "&lt;&amp;&gt;\"'", "&lt;&amp;&gt;\"&apos;")]
    [InlineData("]]>", "]]&gt;", "]]&gt;")]
    [InlineData("a\tb\nc\rd", "a\tb\nc&#13;d", "a&#9;b&#10;c&#13;d")]
    [InlineData("é中😀", "é中😀", "é中😀")]
    [InlineData("\0a\u0001\u007F\uFFFE\uFFFF", "\uFFFDa\uFFFD\u007F\uFFFD\uFFFD", "\uFFFDa\uFFFD\u007F\uFFFD\uFFFD")]
    public void Characters(string value, string text, string attribute)
    {
        Assert.Equal($"<a>{text}</a>", Written(new Element(Client, "a", value)));
        Assert.Equal($"<a b='{attribute}'/>", Written(new Element(Client, "a").With("b", value)));
        Assert.Equal($"<a xmlns:a0='{attribute}' a0:b=''/>", Written(new Element(Client, "a").With(value, "b", "")));
    }

    [Fact]
    public void Lone_surrogates_are_replaced()
    {
        // Not as theory data, which cannot carry them.
        foreach (string lone in new[] { "a\uD83Db", "a\uDE00b", "a\uDE00\uD83Db"[..2] + "b" })
            Assert.Equal("<a b='a\uFFFDb'>a\uFFFDb</a>", Written(new Element(Client, "a", lone).With("b", lone)));
        Assert.Equal("<a>\uFFFD</a>", Written(new Element(Client, "a", "\uD83D")));
        Assert.Equal("<a>\uFFFD&lt;\uFFFD</a>", Written(new Element(Client, "a", "\uD83D<\uDE00")));
    }

    /// <summary>Texts longer than what the buffer gives at once, with characters that lie across its end.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Long_texts_into_small_buffers(int shift)
    {
        string text = new string('x', shift) + string.Concat(Enumerable.Repeat("é中😀&", 2000));
        var output = new StingyWriter();
        StanzaWriter.Write(output, new Element(Client, "a", text).With("b", text), Client);
        string escaped = text.Replace("&", "&amp;", StringComparison.Ordinal);
        Assert.Equal($"<a b='{escaped}'>{escaped}</a>", Encoding.UTF8.GetString([.. output.Written]));
    }

    [Fact]
    public void A_stanza_is_written_as_its_element()
    {
        Stanza[] stanzas =
        [
            new Message(MessageType.Groupchat, Jid.Parse("r@a.example/é'<&>\""), Jid.Parse("b@a.example/x"), "i'd",
                new Element(Client, "body", "hi"), new Element("u", "x")),
            new Message(MessageType.Normal, default, default, null),
            new Presence(PresenceType.Available, default, Jid.Parse("a.example"), null),
            new Iq(IqType.Get, default, default, "1", new Element(Namespaces.Ping, "ping")),
            Stanza.Read(new Element(Client, "presence").With(Namespaces.Xml, "lang", "de"), out _)!,
        ];
        foreach (var stanza in stanzas)
        {
            Assert.Equal(Written(stanza.ToElement()), Written(o => StanzaWriter.Write(o, stanza)));
            Assert.Equal(Written(stanza.ToElement(), "", false), Written(o => StanzaWriter.Write(o, stanza, "")));
        }
    }

    [Fact]
    public void The_start_of_a_stream()
    {
        var header = new StreamHeader
        {
            From = Jid.Parse("a.example"),
            To = Jid.Parse("b@a.example"),
            Id = "x'y",
            Lang = "en",
        };
        Assert.Equal("<?xml version='1.0'?>" +
            "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'" +
            " from='a.example' to='b@a.example' id='x&apos;y' version='1.0' xml:lang='en'>",
            Written(o => StanzaWriter.WriteStreamOpen(o, header)));
        Assert.Equal("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'" +
            " from='a.example' to='b@a.example' id='x&apos;y' version='1.0' xml:lang='en'/>",
            Written(o => StanzaWriter.WriteFramedOpen(o, header)));
        var peer = new StreamHeader { ContentNamespace = Namespaces.Server, Version = null, Dialback = true };
        Assert.Equal("<?xml version='1.0'?>" +
            "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'" +
            " xmlns:db='jabber:server:dialback'>", Written(o => StanzaWriter.WriteStreamOpen(o, peer)));
    }

    [Fact]
    public void The_end_of_a_stream()
    {
        Assert.Equal("</stream:stream>", Written(StanzaWriter.WriteStreamClose));
        Assert.Equal("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", Written(StanzaWriter.WriteFramedClose));
    }

    [Fact]
    public void What_is_written_between_start_and_end_is_read_back()
    {
        var stanza = new Element(Client, "message", new Element(Client, "body", "hi"));
        var error = StreamError.Conflict.WithText("replaced").ToElement();
        string stream = Written(o =>
        {
            StanzaWriter.WriteStreamOpen(o, new StreamHeader { ContentNamespace = Namespaces.Server });
            StanzaWriter.Write(o, stanza, Client);
            StanzaWriter.Write(o, error, Client);
            StanzaWriter.WriteStreamClose(o);
        });
        string[] items = SplitReader.Texts(stream);
        Assert.Equal([SplitReader.Show(stanza), SplitReader.Show(error), "close"], items[1..]);
        Assert.StartsWith("open jabber:server: ", items[0], StringComparison.Ordinal);
    }

    /// <summary>The largest that the reader lets in needs more prefixes, attributes and bytes of names when it is
    /// written with prefixes of the writer's own; from a store it must come back all the same.</summary>
    [Fact]
    public void Whatever_was_accepted_can_be_read_back_from_a_store()
    {
        var limits = new XmlLimits();
        const string prefixes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        string name = new('x', limits.NameBytesMax - 2);
        string declarations = string.Concat(prefixes.Select(p => $" xmlns:{p}='{p}'"));
        string attributes = string.Concat(prefixes.Select(p => $" {p}:{name}=''"));
        string starts = string.Concat(Enumerable.Repeat($"<a{attributes}>", 15));
        string ends = string.Concat(Enumerable.Repeat("</a>", 15));
        byte[] input = Encoding.UTF8.GetBytes($"<m{declarations}>{starts}{ends}</m>");
        var accepted = Document(input, limits);
        var stored = new ArrayBufferWriter<byte>();
        StanzaWriter.Write(stored, accepted, "");
        Assert.True(accepted.DeepEquals(Document(stored.WrittenSpan.ToArray(), XmlLimits.Unbounded)));
    }

    static Element Document(byte[] bytes, XmlLimits limits)
    {
        var reader = new StanzaReader(limits, StanzaReaderMode.Document);
        Assert.True(reader.TryRead(new ReadOnlySequence<byte>(bytes), out _, out var item));
        Assert.True(item.Error is null, $"{item.Error}");
        return item.Element!;
    }

    /// <summary>Gives no more space than it is asked for.</summary>
    sealed class StingyWriter : IBufferWriter<byte>
    {
        byte[] _space = [];

        public List<byte> Written { get; } = [];

        public void Advance(int count) => Written.AddRange(_space.AsSpan(0, count));

        public Memory<byte> GetMemory(int sizeHint = 0) => _space = new byte[Math.Max(sizeHint, 1)];

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }
}
