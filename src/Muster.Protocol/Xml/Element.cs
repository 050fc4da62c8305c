using System.Diagnostics.CodeAnalysis;

namespace Muster.Protocol.Xml;

/// <summary>An attribute of an <see cref="Element"/>. Namespace is empty for the ordinary, unprefixed kind.</summary>
/// <param name="Name">Local name.</param>
/// <param name="Value">The value with all references resolved.</param>
/// <param name="Namespace">Namespace of a prefixed attribute (<c>xml:lang</c> has <see cref="Namespaces.Xml"/>), else
/// "".</param>
public readonly record struct XmlAttribute(string Name, string Value, string Namespace = "");

/// <summary>
/// An XML element: a name, attributes, and content of text and elements in document order. Immutable, so that one
/// stanza can be shared by a room, an archive and a thousand sessions without a copy.
/// </summary>
/// <remarks>
/// Prefixes and namespace declarations are not kept: a name is its (namespace, local name), as in Namespaces in XML
/// 1.0. The default namespaces of client, server and component streams are all read as <see cref="Namespaces.Client"/>,
/// so the rest of the server sees one kind of stanza (RFC 6120 §4.8.3).
/// </remarks>
public sealed class Element
{
    static readonly object[] NoContent = [];
    static readonly XmlAttribute[] NoAttributes = [];

    readonly XmlAttribute[] _attributes;
    readonly object[] _content; // each item is a string (never empty) or an Element

    /// <summary>Makes an element that takes over the given arrays: the caller must not change them
    /// afterwards.</summary>
    internal Element(string ns, string name, XmlAttribute[] attributes, object[] content)
    {
        Namespace = ns;
        Name = name;
        _attributes = attributes;
        _content = content;
    }

    /// <summary>Makes an empty element.</summary>
    public Element(string ns, string name) : this(ns, name, NoAttributes, NoContent) { }

    /// <summary>Makes an element that contains text alone. A null or empty text gives an empty element.</summary>
    public Element(string ns, string name, string? text)
        : this(ns, name, NoAttributes, string.IsNullOrEmpty(text) ? NoContent : [text]) { }

    /// <summary>Makes an element with child elements; null items are left out, which keeps optional children on one
    /// line.</summary>
    public Element(string ns, string name, params IEnumerable<Element?> children)
        : this(ns, name, NoAttributes, ToContent(children)) { }

    /// <summary>Namespace name; "" when there is none.</summary>
    public string Namespace { get; }

    /// <summary>Local name.</summary>
    public string Name { get; }

    /// <summary>The attributes in document order, namespace declarations left out.</summary>
    public ReadOnlySpan<XmlAttribute> Attributes => _attributes;

    /// <summary>The content in document order: strings and <see cref="Element"/>s.</summary>
    public ReadOnlySpan<object> Content => _content;

    /// <summary>The content as an array to share, which nobody may change.</summary>
    internal object[] ContentItems => _content;

    /// <summary>True when there is neither text nor child.</summary>
    public bool IsEmpty => _content.Length == 0;

    /// <summary>True when this element has the given name.</summary>
    public bool Is(string ns, string name) =>
        string.Equals(Name, name, StringComparison.Ordinal) && string.Equals(Namespace, ns, StringComparison.Ordinal);

    /// <summary>The value of an attribute without namespace, or null.</summary>
    public string? Attribute(string name) => Attribute("", name);

    /// <summary>The value of an attribute with the given namespace, or null.</summary>
    public string? Attribute(string ns, string name)
    {
        foreach (ref readonly var attribute in Attributes)
            if (attribute.Name == name && attribute.Namespace == ns) return attribute.Value;
        return null;
    }

    /// <summary>The child elements in document order.</summary>
    public IEnumerable<Element> Elements
    {
        get
        {
            foreach (var item in _content)
                if (item is Element child) yield return child;
        }
    }

    /// <summary>The first child element, or null.</summary>
    public Element? FirstElement
    {
        get
        {
            foreach (var item in _content)
                if (item is Element child) return child;
            return null;
        }
    }

    /// <summary>The first child of the given name, or null.</summary>
    public Element? Child(string ns, string name)
    {
        foreach (var item in _content)
            if (item is Element child && child.Is(ns, name)) return child;
        return null;
    }

    /// <summary>The first child of the given local name in this element's own namespace, or null.</summary>
    public Element? Child(string name) => Child(Namespace, name);

    /// <summary>True when there is a child of the given name.</summary>
    public bool TryChild(string ns, string name, [NotNullWhen(true)] out Element? child) =>
        (child = Child(ns, name)) is not null;

    /// <summary>The children of the given name in document order.</summary>
    public IEnumerable<Element> Children(string ns, string name)
    {
        foreach (var item in _content)
            if (item is Element child && child.Is(ns, name)) yield return child;
    }

    /// <summary>The text directly inside this element, child elements' text left out; "" when there is none.</summary>
    public string Text
    {
        get
        {
            if (_content.Length == 1) return _content[0] as string ?? "";
            string text = "";
            foreach (var item in _content)
                if (item is string piece) text = text.Length == 0 ? piece : text + piece;
            return text;
        }
    }

    /// <summary>The same element with an attribute set, or removed when the value is null.</summary>
    public Element With(string attribute, string? value) => With("", attribute, value);

    /// <summary>The same element with a namespaced attribute set, or removed when the value is null.</summary>
    public Element With(string ns, string attribute, string? value)
    {
        int at = Array.FindIndex(_attributes, a => a.Name == attribute && a.Namespace == ns);
        if (value is null)
            return at < 0 ? this : new(Namespace, Name, [.. _attributes[..at], .. _attributes[(at + 1)..]], _content);
        var replacement = new XmlAttribute(attribute, value, ns);
        XmlAttribute[] attributes = at < 0 ? [.. _attributes, replacement] : [.. _attributes];
        if (at >= 0) attributes[at] = replacement;
        return new(Namespace, Name, attributes, _content);
    }

    /// <summary>The same element with children added at the end; null items are left out.</summary>
    public Element Add(params IEnumerable<Element?> children) =>
        new(Namespace, Name, _attributes, [.. _content, .. ToContent(children)]);

    /// <summary>The same element with text added at the end.</summary>
    public Element AddText(string text) =>
        text.Length == 0 ? this : new(Namespace, Name, _attributes, [.. _content, text]);

    /// <summary>The same element without the children that match.</summary>
    public Element Without(Predicate<Element> match) =>
        Array.Exists(_content, c => c is Element e && match(e))
            ? new(Namespace, Name, _attributes, [.. _content.Where(c => c is not Element e || !match(e))])
            : this;

    /// <summary>True when both are the same element: names, attributes (in any order) and content.</summary>
    public bool DeepEquals(Element? other)
    {
        if (ReferenceEquals(this, other)) return true;
        if (other is null || !Is(other.Namespace, other.Name)) return false;
        if (_attributes.Length != other._attributes.Length || _content.Length != other._content.Length) return false;
        foreach (ref readonly var attribute in Attributes)
            if (other.Attribute(attribute.Namespace, attribute.Name) != attribute.Value) return false;
        for (int i = 0; i < _content.Length; i++)
        {
            bool same = (_content[i], other._content[i]) switch
            {
                (string a, string b) => a == b,
                (Element a, Element b) => a.DeepEquals(b),
                _ => false,
            };
            if (!same) return false;
        }
        return true;
    }

    /// <summary>The element as XML text, as it would stand inside a client stream. For logs and tests.</summary>
    public override string ToString() => StanzaWriter.ToText(this);

    static object[] ToContent(IEnumerable<Element?> children)
    {
        object[] content = [.. children.Where(c => c is not null).Select(c => (object)c!)];
        return content.Length == 0 ? NoContent : content;
    }
}
