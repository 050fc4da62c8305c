using Muster.Protocol.Stanzas;

namespace Muster.Protocol.Xml;

/// <summary>What <see cref="StanzaReader.TryRead"/> found.</summary>
public enum XmlItemKind
{
    /// <summary>The stream's start tag; <see cref="XmlItem.Element"/> has its name and attributes.</summary>
    StreamOpen,
    /// <summary>A complete first-level child of the stream: a stanza or nonza.</summary>
    Element,
    /// <summary>White space between first-level children: a keepalive (RFC 6120 §4.6.1).</summary>
    Whitespace,
    /// <summary>The stream's end tag.</summary>
    StreamClose,
    /// <summary>The input breaks the rules; <see cref="XmlItem.Error"/> says how. The reader reads no
    /// further.</summary>
    Error,
}

/// <summary>One item of a stream.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Element">The element of StreamOpen and Element, else null.</param>
/// <param name="Error">The stream error of Error, else null.</param>
public readonly record struct XmlItem(XmlItemKind Kind, Element? Element = null, StreamError? Error = null)
{
    /// <summary>The content namespace that was declared as default on the stream's start tag (jabber:client,
    /// jabber:server …); null in other kinds.</summary>
    public string? ContentNamespace { get; init; }
}

/// <summary>Bounds on what a peer may make the reader hold.</summary>
/// <param name="ItemBytesMax">Bytes of one first-level item, its tags included; beyond: policy-violation.</param>
/// <param name="DepthMax">Depth of elements inside one item, the item itself being 1.</param>
/// <param name="AttributesMax">Attributes of one element, namespace declarations included.</param>
/// <param name="NameBytesMax">Bytes of one name.</param>
/// <param name="PrefixesMax">Namespace prefixes in force at one place.</param>
public sealed record XmlLimits(
    int ItemBytesMax = 262_144, int DepthMax = 64, int AttributesMax = 64, int NameBytesMax = 256,
    int PrefixesMax = 64)
{
    /// <summary>No bounds, for what this program wrote itself: bounds were kept when it was first read. The writer
    /// gives attributes prefixes of its own, so it may need more of them, and longer names, than the sender did; but
    /// what was accepted and stored must be readable for ever.</summary>
    public static XmlLimits Unbounded { get; } =
        new(int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue);
}
