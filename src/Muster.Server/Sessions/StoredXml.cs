using System.Buffers;
using System.Text;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Server.Sessions;

/// <summary>Elements and stanzas as the stores keep them: documents in UTF-8 that declare their namespace.</summary>
static class StoredXml
{
    /// <summary>A stanza as bytes to store.</summary>
    public static byte[] ToBytes(Stanza stanza)
    {
        var buffer = new ArrayBufferWriter<byte>();
        StanzaWriter.Write(buffer, stanza, "");
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>An element as bytes to store.</summary>
    public static byte[] ToBytes(Element element)
    {
        var buffer = new ArrayBufferWriter<byte>();
        StanzaWriter.Write(buffer, element, "");
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A stored element; null when it cannot be read.</summary>
    public static Element? Read(ReadOnlyMemory<byte> bytes) => Read(new ReadOnlySequence<byte>(bytes));

    /// <summary>A stored stanza; null when it cannot be read.</summary>
    public static Stanza? ToStanza(ReadOnlyMemory<byte> bytes) =>
        Read(new ReadOnlySequence<byte>(bytes)) is { } element ? Stanza.Read(element, out _) : null;

    /// <summary>An element as text to store.</summary>
    public static string ToText(Element element) => Encoding.UTF8.GetString(ToBytes(element));

    /// <summary>A stored element; null when it cannot be read.</summary>
    public static Element? Read(string text) => Read(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(text)));

    static Element? Read(in ReadOnlySequence<byte> bytes)
    {
        var reader = new StanzaReader(XmlLimits.Unbounded, StanzaReaderMode.Document);
        return reader.TryRead(bytes, out _, out var item) ? item.Element : null;
    }
}
