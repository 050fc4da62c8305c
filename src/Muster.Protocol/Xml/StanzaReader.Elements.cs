using Muster.Protocol.Stanzas;

namespace Muster.Protocol.Xml;

/// <summary>Elements: which are open, what they hold, and what their names mean.</summary>
public sealed partial class StanzaReader
{
    /// <summary>An element whose end tag is still to come.</summary>
    struct OpenedElement
    {
        public string Namespace;
        public string Name;
        public XmlAttribute[] Attributes;
        public string DefaultNamespace; // in force inside of it
        public int ContentStart;        // index of its first item in _content
        public int NameStart;           // index of its name as written in _names
        public int PrefixCount;         // prefixes that were in force before it
    }

    // Arrays larger than this are not kept from item to item: most connections are idle, and there are many.
    const int KeptItemsMax = 64, KeptNameBytesMax = 512;

    OpenedElement[] _open = new OpenedElement[4];
    int _depth;
    object[] _content = new object[8]; // of all open elements, the innermost last
    int _contentCount;
    byte[] _names = new byte[64];      // of all open elements, as written
    int _nameBytes;                    // used of these

    /// <summary>Open elements that belong to the stream and not to an item.</summary>
    int StreamDepth => _mode == StanzaReaderMode.Stream ? 1 : 0;

    bool InsideItem => _depth > StreamDepth;

    /// <summary>The name of the innermost open element as its start tag has it, with the prefix.</summary>
    ReadOnlySpan<byte> OpenName => _names.AsSpan(_open[_depth - 1].NameStart, _nameBytes - _open[_depth - 1].NameStart);

    void ForgetElements()
    {
        _depth = 0;
        _contentCount = 0;
        _nameBytes = 0;
        _open = new OpenedElement[4];
        _content = new object[8];
        _text.Clear();
        _prefixes.CutTo(0);
    }

    /// <summary>Acts on a start tag that was scanned.</summary>
    Step OpenElement(ReadOnlySpan<byte> tag)
    {
        if (_depth - StreamDepth >= _limits.DepthMax)
            return Fail(StreamError.PolicyViolation, "too many elements inside each other");
        FlushText();
        int prefixCount = _prefixes.Count;
        string defaultNamespace = _depth == 0 ? "" : _open[_depth - 1].DefaultNamespace;
        int declared = 0;
        if (_rawCount > 0 && DeclareNamespaces(tag, ref defaultNamespace, out declared) is { } wrong)
            return Fail(wrong, "namespace declaration");

        string? ns = _colon < 1 ? defaultNamespace : _prefixes.Find(tag[1.._colon]);
        if (ns is null) return Fail(StreamError.BadNamespacePrefix, "the prefix is not declared");
        ns = WithoutContentNamespace(ns);
        string name = XmlNames.Get(tag[(_colon + 1).._nameEnd])!;

        XmlAttribute[] attributes = [];
        if (_rawCount > declared && ReadAttributes(tag, _rawCount - declared, out attributes) is { } bad)
            return Fail(bad, "in an attribute");

        bool root = _depth < StreamDepth;
        if (_emptyTag && !root)
        {
            _prefixes.CutTo(prefixCount);
            return Complete(new Element(ns, name, attributes, []));
        }
        Push(new OpenedElement
        {
            Namespace = ns,
            Name = name,
            Attributes = attributes,
            DefaultNamespace = defaultNamespace,
            PrefixCount = prefixCount,
        }, tag[1.._nameEnd]);
        if (!root) return Step.Next;
        _stage = _emptyTag ? Stage.EmptyRoot : Stage.Items;
        var item = new XmlItem(XmlItemKind.StreamOpen, new Element(ns, name, attributes, []));
        return Deliver(item with { ContentNamespace = defaultNamespace });
    }

    /// <summary>Puts an element on top of the open ones.</summary>
    /// <param name="open">The element; where its content and written name begin is filled in here.</param>
    /// <param name="written">Its name as written, with the prefix.</param>
    void Push(OpenedElement open, ReadOnlySpan<byte> written)
    {
        open.ContentStart = _contentCount;
        open.NameStart = _nameBytes;
        if (_depth == _open.Length) Array.Resize(ref _open, _depth * 2);
        _open[_depth++] = open;
        if (_names.Length - _nameBytes < written.Length)
            Array.Resize(ref _names, Math.Max(_names.Length * 2, _nameBytes + written.Length));
        written.CopyTo(_names.AsSpan(_nameBytes));
        _nameBytes += written.Length;
    }

    /// <summary>Acts on the end tag of the innermost element.</summary>
    Step CloseElement()
    {
        if (!InsideItem) return CloseStream();
        FlushText();
        ref var open = ref _open[--_depth];
        _nameBytes = open.NameStart;
        _prefixes.CutTo(open.PrefixCount);
        object[] content = [];
        int count = _contentCount - open.ContentStart;
        if (count > 0)
        {
            var items = _content.AsSpan(open.ContentStart, count);
            content = items.ToArray();
            items.Clear();
            _contentCount = open.ContentStart;
        }
        return Complete(new Element(open.Namespace, open.Name, open.Attributes, content));
    }

    /// <summary>Puts a complete element where it belongs.</summary>
    Step Complete(Element element)
    {
        if (InsideItem)
        {
            AddContent(element);
            return Step.Next;
        }
        if (_mode == StanzaReaderMode.Document) _stage = Stage.Start;
        ReleaseLargeArrays();
        return Deliver(new XmlItem(XmlItemKind.Element, element));
    }

    void ReleaseLargeArrays()
    {
        if (_content.Length > KeptItemsMax) _content = new object[8];
        if (_raw.Length > KeptItemsMax) _raw = new RawAttribute[4];
        if (_names.Length > KeptNameBytesMax) _names = _names[..KeptNameBytesMax];
        if (_open.Length > KeptItemsMax) Array.Resize(ref _open, 4);
    }

    void AddContent(object item)
    {
        if (_contentCount == _content.Length) Array.Resize(ref _content, _contentCount * 2);
        _content[_contentCount++] = item;
    }

    void FlushText()
    {
        if (!_text.IsEmpty) AddContent(_text.Take());
    }

    /// <summary>Takes back the text that was thought whole: a CDATA section goes on with it.</summary>
    void ReopenText()
    {
        if (_contentCount == _open[_depth - 1].ContentStart || _content[_contentCount - 1] is not string text) return;
        _text.Append(text);
        _content[--_contentCount] = null!;
    }

    // RFC 6120 §4.8.3, layout of Element: stanzas are in one namespace, whatever the kind of stream.
    static string WithoutContentNamespace(string ns) =>
        ReferenceEquals(ns, Namespaces.Client) ? ns :
        ns is Namespaces.Server or Namespaces.Component ? Namespaces.Client : ns;

    /// <summary>Reads the namespace declarations of the tag (Namespaces in XML 1.0 §3).</summary>
    StreamError? DeclareNamespaces(ReadOnlySpan<byte> tag, ref string defaultNamespace, out int count)
    {
        count = 0;
        bool hasDefault = false;
        int prefixCount = _prefixes.Count;
        for (int i = 0; i < _rawCount; i++)
        {
            ref var raw = ref _raw[i];
            raw.Declares = IsDeclaration(tag, raw);
            if (!raw.Declares) continue;
            count++;
            if (ReadValue(tag, raw, out string ns) is { } error) return error;
            if (raw.Colon < raw.Name)
            {
                if (hasDefault || !XmlPrefixes.MayBeDefault(ns)) return StreamError.NotWellFormed;
                hasDefault = true;
                defaultNamespace = ns;
            }
            else if (!_prefixes.Declare(tag[(raw.Colon + 1)..raw.NameEnd], ns, prefixCount))
            {
                return StreamError.NotWellFormed;
            }
            else if (_prefixes.Count > _limits.PrefixesMax)
            {
                return StreamError.PolicyViolation;
            }
        }
        return null;
    }

    static bool IsDeclaration(ReadOnlySpan<byte> tag, in RawAttribute raw)
    {
        if (tag[raw.Name] != 'x') return false;
        int end = raw.Colon < raw.Name ? raw.NameEnd : raw.Colon;
        return tag[raw.Name..end].SequenceEqual("xmlns"u8);
    }

    /// <summary>Reads the attributes that are no namespace declarations.</summary>
    StreamError? ReadAttributes(ReadOnlySpan<byte> tag, int count, out XmlAttribute[] attributes)
    {
        attributes = new XmlAttribute[count];
        int at = 0;
        for (int i = 0; i < _rawCount; i++)
        {
            ref var raw = ref _raw[i];
            if (raw.Declares) continue;
            // Namespaces in XML 1.0 §6.2: the default namespace does not apply to attributes.
            string? ns = raw.Colon < raw.Name ? "" : _prefixes.Find(tag[raw.Name..raw.Colon]);
            if (ns is null) return StreamError.BadNamespacePrefix;
            string name = XmlNames.Get(tag[(raw.Colon + 1)..raw.NameEnd])!;
            // XML 1.0 §3.1, Namespaces in XML 1.0 §6.3: no attribute twice.
            foreach (ref readonly var other in attributes.AsSpan(0, at))
                if (other.Name == name && other.Namespace == ns) return StreamError.NotWellFormed;
            if (ReadValue(tag, raw, out string value) is { } error) return error;
            attributes[at++] = new XmlAttribute(name, value, ns);
        }
        return null;
    }

    /// <summary>Reads an attribute's value: references resolved, white space normalised (XML 1.0 §3.3.3).</summary>
    StreamError? ReadValue(ReadOnlySpan<byte> tag, in RawAttribute raw, out string value)
    {
        var bytes = tag[raw.Value..raw.ValueEnd];
        if (raw.Plain)
        {
            value = XmlNames.Get(bytes) ?? "";
            return value.Length == 0 && !bytes.IsEmpty ? StreamError.UnsupportedEncoding : null;
        }
        value = "";
        var error = GatherValue(bytes);
        if (error is null) value = _text.Take();
        return error;
    }

    StreamError? GatherValue(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int stop = bytes.IndexOfAny(XmlCharacters.SingleQuotedStops);
            var run = stop < 0 ? bytes : bytes[..stop];
            if (!_text.Append(run)) return StreamError.UnsupportedEncoding;
            if (stop < 0) return null;
            bytes = bytes[stop..];
            int length = 1;
            switch (bytes[0])
            {
                case (byte)'\'':
                    _text.Append('\'');
                    break;
                case (byte)'\r' or (byte)'\n' or (byte)'\t':
                    // XML 1.0 §2.11 first makes CR LF one line end.
                    if (bytes.StartsWith("\r\n"u8)) length = 2;
                    _text.Append(' ');
                    break;
                case (byte)'&':
                    var kind = XmlReference.Read(bytes, out var character, out length);
                    if (kind != XmlReferenceKind.Character) return ErrorOf(kind);
                    _text.Append(character);
                    break;
                case 0xEF when !bytes.StartsWith("\uFFFE"u8) && !bytes.StartsWith("\uFFFF"u8):
                    length = Math.Min(3, bytes.Length);
                    if (!_text.Append(bytes[..length])) return StreamError.UnsupportedEncoding;
                    break;
                default:
                    return StreamError.NotWellFormed;
            }
            bytes = bytes[length..];
        }
        return null;
    }
}
