using System.Buffers;
using System.Text;
using Muster.Protocol.Xml;
using static Muster.Tests.Xml.SplitReader;

namespace Muster.Tests.Xml;

/// <summary>What the reader makes of well-formed streams. Every input is read in every way it can arrive.</summary>
public sealed class StanzaReaderTests
{
    const string Open =
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' " +
        "to='a.example' version='1.0'>";

    const string OpenShown =
        "open jabber:client: {http://etherx.jabber.org/streams}stream [to=\"a.example\"] [version=\"1.0\"]()";

    [Fact]
    public void A_stream_from_its_start_to_its_end()
    {
        string[] items = Texts("<?xml version='1.0'?>\n" + Open +
            "<message to='b@a.example' type=\"chat\"><body>Hello &amp; goodbye</body></message>\n" +
            "<iq id='1'/></stream:stream>");
        Assert.Equal(
        [
            OpenShown,
            "{jabber:client}message [to=\"b@a.example\"] [type=\"chat\"]({jabber:client}body(\"Hello & goodbye\"))",
            "white",
            "{jabber:client}iq [id=\"1\"]()",
            "close",
        ], items);
    }

    [Theory]
    [InlineData("<a/>", "{jabber:client}a()")]
    [InlineData("<a></a>", "{jabber:client}a()")]
    [InlineData("<a\t></a\r\n >", "{jabber:client}a()")]
    [InlineData("<a >text</a>", "{jabber:client}a(\"text\")")]
    [InlineData("<a> <b/> </a>", "{jabber:client}a(\" \"{jabber:client}b()\" \")")]
    [InlineData("<a>1<b>2</b>3</a>", "{jabber:client}a(\"1\"{jabber:client}b(\"2\")\"3\")")]
    [InlineData("<a>]] ]&gt; ></a>", "{jabber:client}a(\"]] ]> >\")")]
    [InlineData("<a>&lt;&gt;&amp;&apos;&quot;</a>", "{jabber:client}a(\"<>&'\\22.\")")]
    [InlineData("<a>&#65;&#x42;&#x00000043;&#x1F600;</a>", "{jabber:client}a(\"ABC\\D83D.\\DE00.\")")]
    [InlineData("<a>x<![CDATA[<b>&amp;]]]>y</a>", "{jabber:client}a(\"x<b>&amp;]y\")")]
    [InlineData("<a><![CDATA[]]></a>", "{jabber:client}a()")]
    [InlineData("<a><![CDATA[a]]><![CDATA[b]]><b/><![CDATA[c]]></a>",
        "{jabber:client}a(\"ab\"{jabber:client}b()\"c\")")]
    [InlineData("<a><![CDATA[a]]]]><![CDATA[>b\r\n]]></a>", "{jabber:client}a(\"a]]>b\\A.\")")]
    [InlineData("<a>é 中 😀 \uFEFF \uFFFD \uE000</a>",
        "{jabber:client}a(\"\\E9. \\4E2D. \\D83D.\\DE00. \\FEFF. \\FFFD. \\E000.\")")]
    [InlineData("<a>a\r\nb\rc\nd\r\re&#13;</a>", "{jabber:client}a(\"a\\A.b\\A.c\\A.d\\A.\\A.e\\D.\")")]
    [InlineData("<é中.-·1/>", "{jabber:client}é中.-·1()")]
    [InlineData("<_a:b xmlns:_a='u'/>", "{u}b()")]
    public void Content(string stanza, string shown) =>
        Assert.Equal([OpenShown, shown, "close"], Texts(Open + stanza + "</stream:stream>"));

    [Theory]
    [InlineData("a=''", "[a=\"\"]")]
    [InlineData("a = \"'\"\r\nb='\"'", "[a=\"'\"] [b=\"\\22.\"]")]
    [InlineData("a='1 > 0'", "[a=\"1 > 0\"]")]
    [InlineData("a='\tx\r\ny\rz\n'", "[a=\" x y z \"]")] // XML 1.0 §3.3.3
    [InlineData("a='&#9;&#xA;&#13;&amp;&quot;&apos;&lt;'", "[a=\"\\9.\\A.\\D.&\\22.'<\"]")]
    [InlineData("a='é\uFEFF&#233;'", "[a=\"\\E9.\\FEFF.\\E9.\"]")]
    [InlineData("xml:lang='en'", "[{http://www.w3.org/XML/1998/namespace}lang=\"en\"]")]
    [InlineData("p:a='1' a='2' xmlns:p='u'", "[{u}a=\"1\"] [a=\"2\"]")]
    public void Attributes(string attributes, string shown) =>
        Assert.Equal([OpenShown, $"{{jabber:client}}x {shown}()"], Texts(Open + "<x " + attributes + "/>"));

    [Theory]
    [InlineData("<a xmlns='u'><b/></a>", "{u}a({u}b())")]
    [InlineData("<a xmlns='u'><b xmlns=''/><c/></a>", "{u}a({}b(){u}c())")]
    [InlineData("<p:a xmlns:p='u'><b/><p:b/></p:a>", "{u}a({jabber:client}b(){u}b())")]
    [InlineData("<p:a xmlns:p='u'><p:b xmlns:p='v'/><p:c/></p:a>", "{u}a({v}b(){u}c())")]
    [InlineData("<xml:a/>", "{http://www.w3.org/XML/1998/namespace}a()")]
    [InlineData("<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>", "{jabber:client}a()")]
    [InlineData("<stream:features/>", "{http://etherx.jabber.org/streams}features()")]
    [InlineData("<a xmlns='a&amp;b'/>", "{a&b}a()")]
    [InlineData("<a xmlns='jabber:server'/>", "{jabber:client}a()")]
    [InlineData("<a xmlns='jabber&#58;server'/>", "{jabber:client}a()")]
    public void Names(string stanza, string shown) => Assert.Equal([OpenShown, shown], Texts(Open + stanza));

    [Theory]
    [InlineData("jabber:server")]
    [InlineData("jabber:component:accept")]
    public void Content_namespaces_of_all_streams_are_read_as_that_of_clients(string ns) =>
        Assert.Equal(
            [$"open {ns}: {{http://etherx.jabber.org/streams}}stream()", "{jabber:client}iq()", "{jabber:client}b()"],
            Texts($"<s:stream xmlns='{ns}' xmlns:s='http://etherx.jabber.org/streams'>" +
                "<iq/><b xmlns='jabber:client'/>"));

    [Fact]
    public void The_root_is_reported_whatever_its_name() =>
        Assert.Equal(["open : {}html [a=\"b\"]()", "close"], Texts("<html a='b'></html>"));

    [Fact]
    public void An_empty_root_opens_and_closes() => Assert.Equal(["open u: {u}a()", "close"], Texts("<a xmlns='u'/>"));

    [Theory]
    [InlineData("\uFEFF")]
    [InlineData("\uFEFF<?xml version='1.0'?>")]
    [InlineData(" \r\n\t")]
    [InlineData("<?xml version=\"1.0\" encoding='utf-8' standalone = 'yes' ?>\n")]
    [InlineData("<?xml\tversion = '1.1' encoding=\"UTF-8\"?>")]
    public void What_may_precede_the_root(string prolog) => Assert.Equal(["open : {}a()"], Texts(prolog + "<a>"));

    [Fact]
    public void Documents_are_read_one_after_the_other() =>
        Assert.Equal(
            ["{urn:ietf:params:xml:ns:xmpp-framing}open [to=\"a\"]()", "white", "{jabber:client}iq()", "{}p({}q())"],
            Texts("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a'/>\n<iq xmlns='jabber:client'></iq>" +
                "<?xml version='1.0'?> <p><q/></p>", StanzaReaderMode.Document));

    [Fact]
    public void Known_names_are_not_allocated()
    {
        var items = Items("<message type='groupchat' xmlns='jabber:client'/>");
        Assert.Same("message", items[0].Element!.Name);
        Assert.Same(Namespaces.Client, items[0].Element!.Namespace);
        Assert.Same("groupchat", items[0].Element!.Attribute("type"));
    }

    [Fact]
    public void Bytes_after_an_item_are_left_alone()
    {
        var reader = new StanzaReader(new XmlLimits());
        const string hello = "\u0016\u0003\u0001 binary";
        byte[] input = Encoding.UTF8.GetBytes(Open + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + hello);
        var rest = new ReadOnlySequence<byte>(input);
        Assert.True(reader.TryRead(rest, out var at, out _));
        rest = rest.Slice(at);
        Assert.True(reader.TryRead(rest, out at, out var item));
        Assert.Equal("starttls", item.Element!.Name);
        Assert.Equal(hello, Encoding.UTF8.GetString(rest.Slice(at)));
    }

    [Theory]
    [InlineData("<b c='d'>text", "")]
    [InlineData("<b>text&am", "&am")]
    [InlineData("<b>te<c d='", "<c d='")]
    [InlineData("<b>te\r", "\r")]
    [InlineData("<b>te]]", "]]")]
    [InlineData("<b>te<![CDATA[x", "")]
    [InlineData("<b>te<![CDA", "<![CDA")]
    [InlineData("<b></", "</")]
    [InlineData("</", "</")]
    public void Only_an_incomplete_token_is_left_unconsumed(string input, string left)
    {
        var reader = new StanzaReader(new XmlLimits());
        var bytes = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes("<a>" + input));
        Assert.True(reader.TryRead(bytes, out var at, out _));
        bytes = bytes.Slice(at);
        Assert.False(reader.TryRead(bytes, out at, out _));
        Assert.Equal(left, Encoding.UTF8.GetString(bytes.Slice(at)));
    }

    [Fact]
    public void Reset_begins_a_new_stream_and_forgets_the_old_one()
    {
        var reader = new StanzaReader(new XmlLimits());
        string[] beginnings =
            [Open, "<s><a><b>text", "<s><a b='", "<s><a><![CDATA[x", "<?xml ver", "<a", "<a/>", "<a></b>"];
        foreach (string cut in beginnings)
        {
            var bytes = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(cut));
            while (reader.TryRead(bytes, out var at, out _)) bytes = bytes.Slice(at);
            reader.Reset();
            bytes = new(Encoding.UTF8.GetBytes("<?xml version='1.0'?><s xmlns='u'><c>z</c>"));
            Assert.True(reader.TryRead(bytes, out var end, out var item));
            Assert.Equal("u", item.ContentNamespace);
            Assert.True(reader.TryRead(bytes.Slice(end), out _, out item));
            Assert.Equal("{u}c(\"z\")", Show(item.Element!));
            reader.Reset();
        }
    }

    [Theory]
    [InlineData("<a></a>")]
    [InlineData("<a/>")]
    [InlineData("<a></b>")]
    public void Nothing_is_read_after_the_end(string ended)
    {
        var reader = new StanzaReader(new XmlLimits());
        var bytes = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(ended));
        while (reader.TryRead(bytes, out var at, out _)) bytes = bytes.Slice(at);
        var more = new ReadOnlySequence<byte>("<b/>"u8.ToArray());
        Assert.False(reader.TryRead(more, out var consumed, out var item));
        Assert.Equal(0, more.Slice(0, consumed).Length);
        Assert.Equal(default, item);
    }

    [Fact]
    public void No_input_is_no_item()
    {
        Assert.False(new StanzaReader(new XmlLimits()).TryRead(ReadOnlySequence<byte>.Empty, out _, out _));
        Assert.Empty(Texts(Open[..^1]));
    }

    static List<XmlItem> Items(string documents)
    {
        var reader = new StanzaReader(new XmlLimits(), StanzaReaderMode.Document);
        var bytes = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(documents));
        var items = new List<XmlItem>();
        while (reader.TryRead(bytes, out var at, out var item))
        {
            items.Add(item);
            bytes = bytes.Slice(at);
        }
        return items;
    }
}
