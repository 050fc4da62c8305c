using System.Buffers;
using System.Globalization;
using System.Text;
using Muster.Protocol.Xml;

namespace Muster.Tests.Xml;

/// <summary>
/// Reads the same bytes in every way they can arrive - whole, byte by byte, cut in two at every position, as one piece
/// of memory or several - and insists that the outcome is the same.
/// </summary>
static class SplitReader
{
    /// <summary>One item as a line of text, and where reading went on.</summary>
    public sealed record Line(string Text, long End);

    /// <summary>The items of the input, the same in whatever way it is cut.</summary>
    public static IReadOnlyList<Line> Read(
        byte[] input, StanzaReaderMode mode = StanzaReaderMode.Stream, XmlLimits? limits = null)
    {
        limits ??= new XmlLimits();
        var whole = Arrive(input, [input.Length], [], mode, limits);
        int[] every = [.. Enumerable.Range(1, input.Length)];
        Same(whole, Arrive(input, every, [], mode, limits), "byte by byte, one piece of memory");
        Same(whole, Arrive(input, every, every, mode, limits), "byte by byte, memory too");
        Same(whole, Arrive(input, [input.Length], every, mode, limits), "memory of one byte each");
        foreach (int cut in every)
        {
            Same(whole, Arrive(input, [cut, input.Length], [], mode, limits), $"cut at {cut}");
            Same(whole, Arrive(input, [input.Length], [cut], mode, limits), $"memory cut at {cut}");
        }
        return whole;
    }

    /// <inheritdoc cref="Read(byte[], StanzaReaderMode, XmlLimits?)"/>
    public static IReadOnlyList<Line> Read(
        string input, StanzaReaderMode mode = StanzaReaderMode.Stream, XmlLimits? limits = null) =>
        Read(Encoding.UTF8.GetBytes(input), mode, limits);

    /// <summary>The items as lines of text.</summary>
    public static string[] Texts(
        string input, StanzaReaderMode mode = StanzaReaderMode.Stream, XmlLimits? limits = null) =>
        [.. Read(input, mode, limits).Select(l => l.Text)];

    /// <summary>The bytes at the given memory borders as a sequence of segments.</summary>
    public static ReadOnlySequence<byte> Segments(byte[] bytes, int start, int end, IEnumerable<int> borders)
    {
        Segment? first = null, last = null;
        int from = start;
        foreach (int to in borders.Where(b => b > start && b < end).Append(end))
        {
            last = new Segment(bytes.AsMemory(from, to - from), last);
            first ??= last;
            from = to;
        }
        return new ReadOnlySequence<byte>(first!, 0, last!, last!.Memory.Length);
    }

    /// <summary>An element in a notation of the tests' own: {namespace}name, attributes in order, content.</summary>
    public static string Show(Element element)
    {
        var text = new StringBuilder();
        Show(element, text);
        return text.ToString();
    }

    static void Show(Element element, StringBuilder text)
    {
        text.Append('{').Append(element.Namespace).Append('}').Append(element.Name);
        foreach (var a in element.Attributes)
            text.Append(" [").Append(a.Namespace.Length == 0 ? "" : "{" + a.Namespace + "}").Append(a.Name).Append('=')
                .Append(Quote(a.Value)).Append(']');
        text.Append('(');
        foreach (var item in element.Content)
        {
            if (item is Element child) Show(child, text);
            else text.Append(Quote((string)item));
        }
        text.Append(')');
    }

    static string Quote(string value)
    {
        var text = new StringBuilder("\"");
        foreach (char c in value)
        {
            if (c is < ' ' or > '~' or '"') text.Append(CultureInfo.InvariantCulture, $"\\{(int)c:X}.");
            else text.Append(c);
        }
        return text.Append('"').ToString();
    }

    // arrivals: how many bytes are there at each call; borders: where one piece of memory ends and the next begins.
    static List<Line> Arrive(byte[] input, int[] arrivals, int[] borders, StanzaReaderMode mode, XmlLimits limits)
    {
        var reader = new StanzaReader(limits, mode);
        var lines = new List<Line>();
        int start = 0;
        foreach (int arrived in arrivals)
        {
            while (true)
            {
                var sequence = Segments(input, start, arrived, borders);
                bool found = reader.TryRead(sequence, out var consumed, out var item);
                start += (int)sequence.Slice(0, consumed).Length;
                if (!found) break;
                // How much white space comes at once depends on how it arrives; keepalives are counted by nobody.
                bool again = item.Kind == XmlItemKind.Whitespace && lines is [.., { Text: "white" }];
                if (again) lines.RemoveAt(lines.Count - 1);
                lines.Add(new Line(Show(item), item.Kind == XmlItemKind.Error ? -1 : start));
            }
        }
        return lines;
    }

    static string Show(in XmlItem item) => item.Kind switch
    {
        XmlItemKind.StreamOpen => $"open {item.ContentNamespace}: {Show(item.Element!)}",
        XmlItemKind.Element => Show(item.Element!),
        XmlItemKind.Whitespace => "white",
        XmlItemKind.StreamClose => "close",
        _ => "error " + item.Error!.Condition,
    };

    static void Same(List<Line> expected, List<Line> actual, string how)
    {
        if (!expected.SequenceEqual(actual))
            Assert.Fail($"read {how}:\n{string.Join('\n', actual)}\ninstead of:\n{string.Join('\n', expected)}");
    }

    sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, Segment? before)
        {
            Memory = memory;
            if (before is null) return;
            RunningIndex = before.RunningIndex + before.Memory.Length;
            before.Next = this;
        }
    }
}
