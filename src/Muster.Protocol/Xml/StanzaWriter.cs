using System.Buffers;
using System.Text;

namespace Muster.Protocol.Xml;

/// <summary>Writes elements as XML in UTF-8, as they stand inside a stream.</summary>
public static class StanzaWriter
{
    /// <summary>The element as text, as it would stand inside a client stream.</summary>
    public static string ToText(Element element)
    {
        var buffer = new ArrayBufferWriter<byte>();
        Write(buffer, element, Namespaces.Client);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Writes an element.</summary>
    /// <param name="output">Where the bytes go.</param>
    /// <param name="element">What to write.</param>
    /// <param name="defaultNamespace">The default namespace in force there: the element's own is declared only when it differs.</param>
    public static void Write(IBufferWriter<byte> output, Element element, string defaultNamespace)
    {
        throw new NotImplementedException();
    }
}
