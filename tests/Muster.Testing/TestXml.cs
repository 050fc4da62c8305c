using System.Buffers;
using System.Text;
using Muster.Protocol.Xml;

namespace Muster.Testing;

/// <summary>Reads XML that stands in a test.</summary>
public static class TestXml
{
    const string Root = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

    /// <summary>Reads one element as it would stand inside a client's stream: stanzas need no namespace, and the prefix
    /// <c>stream</c> is known.</summary>
    public static Element Parse(string xml) => ParseAll(xml) switch
    {
        [var only] => only,
        var all => throw new FormatException($"one element was expected, {all.Count} found: {xml}"),
    };

    /// <summary>Reads any number of elements.</summary>
    public static List<Element> ParseAll(string xml)
    {
        var reader = new StanzaReader(new XmlLimits(ItemBytesMax: int.MaxValue));
        var input = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(Root + xml));
        var found = new List<Element>();
        while (reader.TryRead(input, out var consumed, out var item))
        {
            if (item.Kind == XmlItemKind.Error)
                throw new FormatException($"{item.Error!.Condition} {item.Error.Text}: {xml}");
            if (item.Kind == XmlItemKind.Element) found.Add(item.Element!);
            input = input.Slice(consumed);
        }
        if (!input.IsEmpty) throw new FormatException($"incomplete: {xml}");
        return found;
    }
}
