namespace Muster.Protocol.Xml;

/// <summary>The namespace prefixes declared by the elements that are open (Namespaces in XML 1.0 §6.1). The default
/// namespace is no concern of this: the reader keeps it with each open element.</summary>
sealed class XmlPrefixes
{
    const string XmlnsNamespace = "http://www.w3.org/2000/xmlns/";

    readonly List<(byte[] Prefix, string Namespace)> _declared = [];

    /// <summary>How many are in force.</summary>
    public int Count => _declared.Count;

    /// <summary>Forgets the newest, so that <paramref name="count"/> are left: an element ends.</summary>
    public void CutTo(int count)
    {
        if (_declared.Count > count) _declared.RemoveRange(count, _declared.Count - count);
    }

    /// <summary>Declares a prefix.</summary>
    /// <param name="prefix">The prefix.</param>
    /// <param name="ns">The namespace that it stands for.</param>
    /// <param name="elementStart">How many prefixes were in force before the element that declares it.</param>
    /// <returns>False when that may not be declared (Namespaces in XML 1.0 §3, §5), or the element has declared it
    /// before.</returns>
    public bool Declare(ReadOnlySpan<byte> prefix, string ns, int elementStart)
    {
        if (prefix.SequenceEqual("xml"u8) ? ns != Namespaces.Xml : ns.Length == 0 || !MayBeDefault(ns)) return false;
        if (prefix.SequenceEqual("xmlns"u8)) return false;
        for (int i = elementStart; i < _declared.Count; i++)
            if (prefix.SequenceEqual(_declared[i].Prefix)) return false;
        _declared.Add((prefix.ToArray(), ns));
        return true;
    }

    /// <summary>Whether a namespace may be declared as default: the two that XML reserves may not (Namespaces in XML
    /// 1.0 §3).</summary>
    public static bool MayBeDefault(string ns) => ns is not (Namespaces.Xml or XmlnsNamespace);

    /// <summary>The namespace of a prefix, or null when it is not declared.</summary>
    public string? Find(ReadOnlySpan<byte> prefix)
    {
        for (int i = _declared.Count - 1; i >= 0; i--)
            if (prefix.SequenceEqual(_declared[i].Prefix)) return _declared[i].Namespace;
        return prefix.SequenceEqual("xml"u8) ? Namespaces.Xml : null;
    }
}
