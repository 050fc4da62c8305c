using System.Buffers;
using System.Text;
using Muster.Protocol.Stanzas;

namespace Muster.Protocol.Xml;

/// <summary>
/// Writes elements as XML in UTF-8, as they stand inside a stream: a namespace is declared only where it differs from
/// the one in force. Whatever strings the elements hold, what is written is well-formed: characters that XML does not
/// have become U+FFFD.
/// </summary>
/// <remarks>
/// Stanzas live in <see cref="Namespaces.Client"/> whatever the stream (see <see cref="Element"/>), so the caller
/// passes that as the default namespace on client, server and component streams alike, and "" for a WebSocket frame,
/// where nothing is declared yet. Names of elements and attributes are trusted; no text from outside may become one
/// unchecked.
/// </remarks>
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
    /// <param name="defaultNamespace">The default namespace in force there: the element's own is declared only when it
    /// differs.</param>
    /// <param name="streamPrefix">Whether the prefix <c>stream</c> is declared there: true inside a TCP stream.
    /// Features and stream errors are written with that prefix always (RFC 6120 §4.8.5), and declare it themselves
    /// where it is not (RFC 7395 §3.3.3). Elements of dialback get the prefix <c>db</c>, which the stream's start has
    /// declared (see <see cref="StreamHeader.Dialback"/>).</param>
    public static void Write(
        IBufferWriter<byte> output, Element element, string defaultNamespace, bool streamPrefix = true)
    {
        var xml = new Utf8Output(output);
        if (element.Namespace == Namespaces.Streams)
            WritePrefixed(ref xml, element, "stream:"u8, defaultNamespace, streamPrefix);
        // XEP-0220 §2.4.1: some read dialback by its prefix alone. Only streams that declare it carry such elements.
        else if (element.Namespace == Namespaces.Dialback)
            WritePrefixed(ref xml, element, "db:"u8, defaultNamespace, declared: true);
        else
            WriteElement(ref xml, element, defaultNamespace);
        xml.Flush();
    }

    /// <summary>Writes a stanza; the same bytes as of its element, without making one.</summary>
    /// <param name="output">Where the bytes go.</param>
    /// <param name="stanza">What to write.</param>
    /// <param name="defaultNamespace">The default namespace in force there; "" for a WebSocket frame.</param>
    public static void Write(
        IBufferWriter<byte> output, Stanza stanza, string defaultNamespace = Namespaces.Client)
    {
        var xml = new Utf8Output(output);
        xml.Raw("<"u8);
        xml.Name(stanza.Name);
        if (defaultNamespace != Namespaces.Client) xml.Attribute(" xmlns='"u8, Namespaces.Client);
        WriteStanzaAttributes(ref xml, stanza, stanza.To.ToString());
        WriteContent(ref xml, stanza.Content, stanza.Name, Namespaces.Client);
        xml.Flush();
    }

    /// <summary>Writes all of a stanza that follows its name, but for the recipient: the shared part of a
    /// <see cref="SharedStanza"/>.</summary>
    internal static void WriteWithoutRecipient(IBufferWriter<byte> output, Stanza stanza)
    {
        var xml = new Utf8Output(output);
        WriteStanzaAttributes(ref xml, stanza, "");
        WriteContent(ref xml, stanza.Content, stanza.Name, Namespaces.Client);
        xml.Flush();
    }

    /// <summary>Writes the start of a TCP stream (RFC 6120 §4.2).</summary>
    public static void WriteStreamOpen(IBufferWriter<byte> output, in StreamHeader header)
    {
        var xml = new Utf8Output(output);
        xml.Raw("<?xml version='1.0'?><stream:stream"u8);
        xml.Attribute(" xmlns='"u8, header.ContentNamespace);
        xml.Attribute(" xmlns:stream='"u8, Namespaces.Streams);
        if (header.Dialback) xml.Attribute(" xmlns:db='"u8, Namespaces.Dialback);
        WriteHeaderAttributes(ref xml, header);
        xml.Raw(">"u8);
        xml.Flush();
    }

    /// <summary>Writes the end of a TCP stream (RFC 6120 §4.4).</summary>
    public static void WriteStreamClose(IBufferWriter<byte> output) => output.Write("</stream:stream>"u8);

    /// <summary>Writes the frame that starts a WebSocket stream (RFC 7395 §3.4).</summary>
    public static void WriteFramedOpen(IBufferWriter<byte> output, in StreamHeader header)
    {
        var xml = new Utf8Output(output);
        xml.Raw("<open"u8);
        xml.Attribute(" xmlns='"u8, Namespaces.Framing);
        WriteHeaderAttributes(ref xml, header);
        xml.Raw("/>"u8);
        xml.Flush();
    }

    /// <summary>Writes the frame that ends a WebSocket stream (RFC 7395 §3.6).</summary>
    public static void WriteFramedClose(IBufferWriter<byte> output)
    {
        var xml = new Utf8Output(output);
        xml.Raw("<close"u8);
        xml.Attribute(" xmlns='"u8, Namespaces.Framing);
        xml.Raw("/>"u8);
        xml.Flush();
    }

    static void WriteHeaderAttributes(ref Utf8Output xml, in StreamHeader header)
    {
        if (!header.From.IsNone) xml.Attribute(" from='"u8, header.From.ToString());
        if (!header.To.IsNone) xml.Attribute(" to='"u8, header.To.ToString());
        if (header.Id is not null) xml.Attribute(" id='"u8, header.Id);
        if (header.Version is not null) xml.Attribute(" version='"u8, header.Version);
        if (header.Lang is not null) xml.Attribute(" xml:lang='"u8, header.Lang);
    }

    static void WriteStanzaAttributes(ref Utf8Output xml, Stanza stanza, string to)
    {
        if (!stanza.From.IsNone) xml.Attribute(" from='"u8, stanza.From.ToString());
        if (to.Length > 0) xml.Attribute(" to='"u8, to);
        if (stanza.Id is not null) xml.Attribute(" id='"u8, stanza.Id);
        if (stanza.TypeName is { } type) xml.Attribute(" type='"u8, type);
        if (stanza.Lang is not null) xml.Attribute(" xml:lang='"u8, stanza.Lang);
    }

    static void WriteElement(ref Utf8Output xml, Element element, string defaultNamespace)
    {
        xml.Raw("<"u8);
        xml.Name(element.Name);
        if (element.Namespace != defaultNamespace) xml.Attribute(" xmlns='"u8, element.Namespace);
        WriteAttributes(ref xml, element.Attributes);
        WriteContent(ref xml, element.Content, element.Name, element.Namespace);
    }

    // RFC 6120 §4.8.5: stream, features and error bear the prefix. It leaves the default namespace as it is.
    static void WritePrefixed(
        ref Utf8Output xml, Element element, ReadOnlySpan<byte> prefix, string defaultNamespace, bool declared)
    {
        xml.Raw("<"u8);
        xml.Raw(prefix);
        xml.Name(element.Name);
        if (!declared) xml.Attribute(" xmlns:stream='"u8, Namespaces.Streams);
        WriteAttributes(ref xml, element.Attributes);
        if (element.IsEmpty)
        {
            xml.Raw("/>"u8);
            return;
        }
        xml.Raw(">"u8);
        WriteItems(ref xml, element.Content, defaultNamespace);
        xml.Raw("</"u8);
        xml.Raw(prefix);
        xml.Name(element.Name);
        xml.Raw(">"u8);
    }

    /// <summary>Ends the start tag, writes the content, and the end tag if there was content.</summary>
    static void WriteContent(ref Utf8Output xml, ReadOnlySpan<object> content, string name, string defaultNamespace)
    {
        if (content.IsEmpty)
        {
            xml.Raw("/>"u8);
            return;
        }
        xml.Raw(">"u8);
        WriteItems(ref xml, content, defaultNamespace);
        xml.Raw("</"u8);
        xml.Name(name);
        xml.Raw(">"u8);
    }

    static void WriteItems(ref Utf8Output xml, ReadOnlySpan<object> content, string defaultNamespace)
    {
        foreach (var item in content)
        {
            if (item is Element child) WriteElement(ref xml, child, defaultNamespace);
            else xml.Text((string)item);
        }
    }

    static void WriteAttributes(ref Utf8Output xml, ReadOnlySpan<XmlAttribute> attributes)
    {
        for (int i = 0; i < attributes.Length; i++)
        {
            ref readonly var attribute = ref attributes[i];
            if (attribute.Namespace.Length == 0) xml.Raw(" "u8);
            else if (attribute.Namespace == Namespaces.Xml) xml.Raw(" xml:"u8);
            else WritePrefix(ref xml, attributes, i);
            xml.Name(attribute.Name);
            xml.Attribute("='"u8, attribute.Value);
        }
    }

    /// <summary>Writes the prefix of an attribute: made from the index of the first attribute of that namespace, where
    /// it is declared too.</summary>
    static void WritePrefix(ref Utf8Output xml, ReadOnlySpan<XmlAttribute> attributes, int index)
    {
        int first = 0;
        while (attributes[first].Namespace != attributes[index].Namespace) first++;
        Span<byte> digits = stackalloc byte[10];
        first.TryFormat(digits, out int length);
        digits = digits[..length];
        if (first == index)
        {
            xml.Raw(" xmlns:a"u8);
            xml.Raw(digits);
            xml.Attribute("='"u8, attributes[index].Namespace);
        }
        xml.Raw(" a"u8);
        xml.Raw(digits);
        xml.Raw(":"u8);
    }
}
