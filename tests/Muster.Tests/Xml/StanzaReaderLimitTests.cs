using System.Buffers;
using System.Text;
using Muster.Protocol.Xml;
using static Muster.Tests.Xml.SplitReader;

namespace Muster.Tests.Xml;

/// <summary>The reader's bounds: exactly what they allow passes, one more does not, however it arrives.</summary>
public sealed class StanzaReaderLimitTests
{
    const string TooMuch = "error policy-violation";

    [Theory]
    [InlineData("<a>0123456789</a>")]
    [InlineData("<a b='012345678901'/>")]
    [InlineData("<a><b/><b></b></a>")]
    [InlineData("<a>&amp;&amp;&#65;</a>")]
    [InlineData("<a><![CDATA[x]]></a>")]
    [InlineData("<a>\r\n\r]]é</a>")]
    [InlineData("<abcdefghijklmnop/>")]
    public void Bytes_of_an_item(string item)
    {
        int bytes = Encoding.UTF8.GetByteCount(item);
        foreach (var mode in new[] { StanzaReaderMode.Stream, StanzaReaderMode.Document })
        {
            string root = mode == StanzaReaderMode.Stream ? "<s>" : "";
            // Twice, because what one item used is not held against the next; white space between them does not count.
            string input = root + item + new string(' ', 100) + item;
            Assert.Equal(root.Length == 0 ? 3 : 4, Texts(input, mode, new XmlLimits(ItemBytesMax: bytes)).Length);
            Assert.Equal(TooMuch, Texts(input, mode, new XmlLimits(ItemBytesMax: bytes - 1))[^1]);
        }
    }

    [Theory]
    [InlineData("<a>0123456789")]
    [InlineData("<a b='0123456789")]
    [InlineData("<a b='0123456789'")]
    [InlineData("<a>]]]]]]]]]]]]")]
    [InlineData("<a>\r\r\r\r\r\r\r\r\r\r\r")]
    [InlineData("<a><![CDATA[x")]
    [InlineData("<a>xxxxxx&#00")]
    [InlineData("<a></aaaaaaaaa")]
    public void An_item_that_does_not_end(string item)
    {
        var limits = new XmlLimits(ItemBytesMax: 12);
        Assert.Equal(TooMuch, Texts("<s>" + item, limits: limits)[^1]);
        Assert.Equal(TooMuch, Texts(item, StanzaReaderMode.Document, limits)[^1]);
    }

    [Fact]
    public void Bytes_before_and_of_the_root()
    {
        const string start = "<?xml version='1.0'?>  <stream a='b'>";
        var enough = new XmlLimits(ItemBytesMax: start.Length);
        Assert.Equal("open : {}stream [a=\"b\"]()", Texts(start, limits: enough)[^1]);
        Assert.Equal(TooMuch, Texts(start, limits: new XmlLimits(ItemBytesMax: start.Length - 1))[^1]);
        Assert.Equal([TooMuch], Texts(new string(' ', 50), limits: enough));
        Assert.Equal([TooMuch], Texts("<?xml version='1.0'" + new string(' ', 50), limits: enough));
    }

    [Fact]
    public void What_is_wrong_within_the_limit_is_found_before_the_limit()
    {
        var limits = new XmlLimits(ItemBytesMax: 12);
        Assert.Equal("error not-well-formed", Texts("<s><a>x</b>" + new string('x', 40), limits: limits)[^1]);
    }

    [Fact]
    public void Depth()
    {
        var limits = new XmlLimits(DepthMax: 3);
        foreach (var (root, mode) in new[] { ("<s>", StanzaReaderMode.Stream), ("", StanzaReaderMode.Document) })
        {
            Assert.EndsWith("c()))", Texts(root + "<a><b><c/></b></a>", mode, limits)[^1], StringComparison.Ordinal);
            Assert.Equal(TooMuch, Texts(root + "<a><b><c><d/>", mode, limits)[^1]);
            Assert.Equal(TooMuch, Texts(root + "<a><b><c><d>", mode, limits)[^1]);
        }
    }

    [Fact]
    public void Attributes()
    {
        var limits = new XmlLimits(AttributesMax: 3);
        Assert.Equal("{u}a [b=\"\"] [c=\"\"]()", Texts("<s><a b='' xmlns='u' c=''/>", limits: limits)[^1]);
        Assert.Equal(TooMuch, Texts("<s><a b='' xmlns='u' c='' d=''/>", limits: limits)[^1]);
        Assert.Equal(TooMuch, Texts("<s a='' b='' c='' d=''>", limits: limits)[^1]);
        // More than the reader has room for at first.
        string many = string.Concat(Enumerable.Range(0, 64).Select(i => $" a{i}='{i}'"));
        Assert.Contains("[a63=\"63\"]", Texts($"<s><a{many}/>")[^1], StringComparison.Ordinal);
        Assert.Equal(TooMuch, Texts($"<s><a{many} b=''/>")[^1]);
    }

    [Fact]
    public void Names()
    {
        var limits = new XmlLimits(NameBytesMax: 6);
        Assert.Equal("{u}bé()", Texts("<s><aaaa:bé xmlns:aaaa='u'/>", limits: new XmlLimits(NameBytesMax: 10))[^1]);
        Assert.Equal(TooMuch, Texts("<s><abcdefg/>", limits: limits)[^1]);
        Assert.Equal(TooMuch, Texts("<s><a abcdefg=''/>", limits: limits)[^1]);
        Assert.Equal(TooMuch, Texts("<s><aaaaé:b/>", limits: limits)[^1]);
    }

    [Fact]
    public void Prefixes()
    {
        var limits = new XmlLimits(PrefixesMax: 2);
        Assert.Equal("{}a({v}b(){v}b())",
            Texts("<s><a xmlns:p='u'><q:b xmlns:q='v'/><r:b xmlns:r='v'/></a>", limits: limits)[^1]);
        Assert.Equal(TooMuch, Texts("<s><a xmlns:p='u'><q:b xmlns:q='v'><r:b xmlns:r='v'/>", limits: limits)[^1]);
    }

    [Fact]
    public void References()
    {
        string zeros = new('0', 50);
        Assert.Equal("{}a(\"A\")", Texts($"<s><a>&#x{zeros}41;</a>")[^1]);
        Assert.Equal(TooMuch, Texts($"<s><a>&#x{zeros}{zeros}41;</a>")[^1]);
        Assert.Equal(TooMuch, Texts($"<s><a>&#x{zeros}{zeros}")[^1]);
        Assert.Equal(TooMuch, Texts($"<s><a b='&#x{zeros}{zeros}41;'/>")[^1]);
    }

    /// <summary>Small pieces must not make the reader look at everything again with each of them.</summary>
    [Theory]
    [InlineData("<s><a b='", "x")]
    [InlineData("<s><a>", "text ")]
    [InlineData("<s><a ", "b='>' ")]
    [InlineData("<s><a></a", "         ")]
    [InlineData("<s><a><![CDATA[", "<>&")]
    public void A_token_in_small_pieces_is_not_read_again_and_again(string start, string piece)
    {
        const int pieces = 2000;
        var touched = new Counter();
        var reader = new StanzaReader(new XmlLimits());
        var first = new Piece(start, null, touched);
        Piece last = first, from = first;
        int index = 0;
        for (int i = 0; i <= pieces; i++)
        {
            bool found = true;
            while (found)
            {
                var input = new ReadOnlySequence<byte>(from, index, last, last.Memory.Length);
                found = reader.TryRead(input, out var at, out var item);
                Assert.Equal(found ? XmlItemKind.StreamOpen : default, item.Kind);
                (from, index) = ((Piece)at.GetObject()!, at.GetInteger());
            }
            last = new Piece(piece, last, touched);
        }
        Assert.InRange(touched.Count, pieces, pieces * 20);
    }

    sealed class Counter
    {
        public int Count;
    }

    /// <summary>A segment of input that counts how often its bytes are asked for.</summary>
    sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(string text, Piece? before, Counter counter)
        {
            Memory = new CountingMemory(Encoding.UTF8.GetBytes(text), counter).Memory;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }

    sealed class CountingMemory(byte[] bytes, Counter counter) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan()
        {
            counter.Count++;
            return bytes;
        }

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();
        public override void Unpin() => throw new NotSupportedException();
        protected override void Dispose(bool disposing) { }
    }
}
