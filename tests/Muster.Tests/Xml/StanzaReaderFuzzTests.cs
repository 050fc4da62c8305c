using System.Buffers;
using System.Text;
using System.Xml;
using Muster.Protocol.Xml;

namespace Muster.Tests.Xml;

/// <summary>
/// The reader against System.Xml, on what both should take and refuse alike. A failure prints the seed and the
/// document; put the seed into <see cref="One"/> to repeat it alone.
/// </summary>
public sealed class StanzaReaderFuzzTests
{
    const int Seeds = 3_000;

    [Fact]
    public void Well_formed_documents_are_read_as_System_Xml_reads_them()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            string document = new RandomXml(seed).Document();
            byte[] bytes = Encoding.UTF8.GetBytes(document);
            string? expected = Oracle(bytes, bytes.Length);
            Assert.True(expected is not null, $"seed {seed}: the generator made what System.Xml refuses: {document}");
            Compare(seed, bytes);
        }
    }

    [Fact]
    public void Damaged_documents_are_taken_and_refused_as_System_Xml_does()
    {
        int refused = 0;
        for (int seed = 0; seed < Seeds * 3; seed++)
        {
            var random = new RandomXml(seed);
            if (!Compare(seed, random.Damaged(random.Document()))) refused++;
        }
        // Were all damage harmless, or all fatal, this would test little.
        Assert.InRange(refused, Seeds / 2, Seeds * 3 - Seeds / 4);
    }

    [Theory]
    [InlineData(1)]
    public void One(int seed)
    {
        var random = new RandomXml(seed);
        string document = random.Document();
        Compare(seed, Encoding.UTF8.GetBytes(document));
        Compare(seed, random.Damaged(document));
    }

    /// <summary>Bytes that are mostly markup: the reader must come to an end, and to the same one however they
    /// arrive.</summary>
    [Fact]
    public void Noise_is_read_the_same_in_every_way_it_arrives()
    {
        const string markup = "<|>|/|a|b|:|'|\"|=| |&|;|#|x|1|!|?|]|[|-|<![CDATA[|]]>|</a>|<a>|<a b='|&lt;|xmlns";
        byte[][] pieces =
        [
            .. (markup + "|\r|\n|é|\uFFFE|\0").Split('|').Select(Encoding.UTF8.GetBytes),
            [0xC3], [0xF0], [0x80], [0xEF],
        ];
        for (int seed = 0; seed < 1_500; seed++)
        {
            var random = new RandomXml(seed);
            byte[] noise = [.. Enumerable.Range(0, 1 + random.Next(20)).SelectMany(_ => random.Pick(pieces))];
            var limits = random.Chance(30) ? new XmlLimits(random.Next(30) + 1, 3, 2, 3, 1) : new XmlLimits();
            string input = random.Chance(50) ? "<a>" : "<s><a>";
            var mode = random.Chance(50) ? StanzaReaderMode.Stream : StanzaReaderMode.Document;
            try
            {
                SplitReader.Read([.. Encoding.UTF8.GetBytes(input), .. noise], mode, limits);
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, {mode}, {limits}: {input}{Encoding.Latin1.GetString(noise)}\n{e}");
            }
        }
    }

    [Fact]
    public void What_the_writer_writes_is_read_back_and_System_Xml_agrees()
    {
        for (int seed = 0; seed < Seeds / 2; seed++)
        {
            var element = new RandomXml(seed).Element();
            var output = new ArrayBufferWriter<byte>();
            StanzaWriter.Write(output, element, "");
            byte[] bytes = output.WrittenSpan.ToArray();
            var (read, _) = Ours(bytes);
            string expected = SplitReader.Show(Writable(element));
            Assert.True(read == expected, $"seed {seed}: {element}\nread     {read}\ninstead  {expected}");
            string? oracle = Oracle(bytes, bytes.Length);
            Assert.True(oracle == expected, $"seed {seed}: {element}\noracle   {oracle}\ninstead  {expected}");
        }
    }

    /// <summary>Whether both take it. Fails when they differ.</summary>
    static bool Compare(int seed, byte[] document)
    {
        var (ours, end) = Ours(document);
        // What follows the first document is another one for us, and an error for System.Xml, so it does not get to see
        // it.
        string? oracle = Oracle(document, ours is null ? document.Length : end);
        if (ours == oracle) return ours is not null;
        string text = Encoding.UTF8.GetString(document);
        Assert.Fail($"seed {seed}: {text}\nours   {ours ?? "refused"}\noracle {oracle ?? "refused"}");
        return false;
    }

    /// <summary>The first document as our reader sees it, and where it ends; null when it is refused or does not end.
    /// The bytes arrive in pieces that depend on the document.</summary>
    static (string? Shown, int End) Ours(byte[] document)
    {
        var reader = new StanzaReader(new XmlLimits(), StanzaReaderMode.Document);
        int piece = 1 + document.Length % 37, start = 0;
        for (int arrived = Math.Min(piece, document.Length); ; arrived = Math.Min(arrived + piece, document.Length))
        {
            var input = SplitReader.Segments(document, start, arrived, [arrived - piece / 2]);
            bool found = reader.TryRead(input, out var consumed, out var item);
            start += (int)input.Slice(0, consumed).Length;
            if (found && item.Kind == XmlItemKind.Error) return (null, 0);
            if (found && item.Kind == XmlItemKind.Element) return (SplitReader.Show(item.Element!), start);
            if (!found && arrived == document.Length) return (null, 0);
        }
    }

    /// <summary>The document as System.Xml sees it, less what RFC 6120 §11.1 forbids; null when it is
    /// refused.</summary>
    static string? Oracle(byte[] document, int end)
    {
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, CheckCharacters = true };
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(document, 0, end), settings);
            Element? root = null;
            while (reader.Read())
            {
                if (reader.NodeType == XmlNodeType.Element) root = ReadElement(reader);
                else if (reader.NodeType is XmlNodeType.Comment or XmlNodeType.ProcessingInstruction) return null;
            }
            return root is null ? null : SplitReader.Show(root);
        }
        catch (XmlException)
        {
            return null;
        }
        catch (RestrictedException)
        {
            return null;
        }
    }

    static Element ReadElement(XmlReader reader)
    {
        var element = new Element(Content(reader.NamespaceURI), reader.LocalName);
        bool empty = reader.IsEmptyElement;
        var attributes = new List<(string Name, string Value, string Namespace)>();
        while (reader.MoveToNextAttribute())
        {
            if (reader.NamespaceURI != "http://www.w3.org/2000/xmlns/")
                attributes.Add((reader.LocalName, reader.Value, reader.NamespaceURI));
        }
        foreach (var a in attributes) element = element.With(a.Namespace, a.Name, a.Value);
        string text = "";
        while (!empty && reader.Read() && reader.NodeType != XmlNodeType.EndElement)
        {
            if (reader.NodeType is XmlNodeType.Comment or XmlNodeType.ProcessingInstruction)
                throw new RestrictedException();
            if (reader.NodeType == XmlNodeType.Element)
            {
                element = element.AddText(text).Add(ReadElement(reader));
                text = "";
            }
            else text += reader.Value;
        }
        return element.AddText(text);
    }

    static string Content(string ns) => ns is Namespaces.Server or Namespaces.Component ? Namespaces.Client : ns;

    /// <summary>The element with what XML does not have replaced, as the writer does, and attributes once.</summary>
    static Element Writable(Element element)
    {
        var result = new Element(Writable(element.Namespace), element.Name);
        foreach (var a in element.Attributes) result = result.With(Writable(a.Namespace), a.Name, Writable(a.Value));
        foreach (var item in element.Content)
            result = item is Element child ? result.Add(Writable(child)) : result.AddText(Writable((string)item));
        return result;
    }

    static string Writable(string text)
    {
        var result = new StringBuilder();
        foreach (var rune in text.EnumerateRunes()) // gives U+FFFD for lone surrogates
        {
            bool allowed = rune.Value is (>= 0x20 and not (0xFFFE or 0xFFFF)) or '\t' or '\n' or '\r';
            result.Append(allowed ? rune.ToString() : "\uFFFD");
        }
        return result.ToString();
    }

    sealed class RestrictedException : Exception;
}
