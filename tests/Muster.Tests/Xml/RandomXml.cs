using System.Text;
using Muster.Protocol.Xml;

namespace Muster.Tests.Xml;

/// <summary>Random elements, random documents that are well-formed in all the ways XML allows, and damaged
/// ones.</summary>
/// <remarks>Names keep to letters that XML 1.0 counts as such in its fourth edition, which System.Xml follows, and in
/// the fifth.</remarks>
sealed class RandomXml(int seed)
{
    static readonly string[] LocalNames = ["a", "b", "body", "x-y.z", "_", "é1", "中", "message", "lang"];
    static readonly string[] Prefixes = ["p", "q", "é"];
    static readonly string[] NamespaceNames =
        ["u", "jabber:client", "v w", "urn:é&<", "http://jabber.org/protocol/muc#user"];
    static readonly string[] Texts =
    [
        "x", " ", "\n", "hello world", "é", "中", "😀", "]", "]]", ">", "'", "\"", "\t", "=", "\uFFFD",
        "a longer piece of text; with / and ?",
    ];
    static readonly string[] CDataEnds = ["<", "&", "]", "é", "\r\n", ""];
    static readonly string[] References =
        ["&lt;", "&gt;", "&amp;", "&apos;", "&quot;", "&#65;", "&#xe9;", "&#x1F600;", "&#10;", "&#xD;", "&#09;"];
    static readonly string[] Damage =
    [
        "<", ">", "&", "'", "\"", "/", "=", ":", "!", "?", "]", "]]>", "<!", "<![CDATA[", "<!--", "-->", "<?", "<?xml",
        "?>", "&#", "&x;", ";", "#", "x", "-", "1", " ", "\r", "\n", "\t", "\0", "\u0001", "\u000B", "\u001F", "\uFFFE",
        "é", "×", "<a>", "</a>", "<b/>", "<p:b/>", "xmlns", "xmlns=''", " xmlns:p='u'", " a='1'", "&#0;", "&#xFFFF;",
        "&lt", "<!DOCTYPE a>",
    ];

    readonly Random _random = new(seed);

    public int Next(int max) => _random.Next(max);

    public bool Chance(int percent) => _random.Next(100) < percent;

    public T Pick<T>(IReadOnlyList<T> items) => items[_random.Next(items.Count)];

    /// <summary>An element with whatever text a string can hold, for the writer.</summary>
    public Element Element(int depth = 0)
    {
        var element = new Element(Pick(NamespaceNames), Pick(LocalNames));
        for (int i = Next(4); i > 0; i--)
        {
            string ns = Chance(70) ? "" : Chance(50) ? Namespaces.Xml : Pick(NamespaceNames);
            element = element.With(ns, Pick(LocalNames), AnyText());
        }
        bool text = false; // texts next to each other would be read as one
        for (int i = Next(5); i > 0; i--)
        {
            if (!text && Chance(50) && AnyText() is { Length: > 0 } piece)
                (element, text) = (element.AddText(piece), true);
            else if (depth < 4)
                (element, text) = (element.Add(Element(depth + 1)), false);
        }
        return element;
    }

    string AnyText()
    {
        var text = new StringBuilder();
        for (int i = Next(6); i > 0; i--)
        {
            if (Chance(70)) text.Append(Pick(Texts));
            else if (Chance(50)) text.Append(Pick(Damage));
            else text.Append((char)Next(Chance(50) ? 0x80 : 0x10000));
        }
        return text.ToString();
    }

    /// <summary>A well-formed document.</summary>
    public string Document()
    {
        var text = new StringBuilder();
        string encoding = Chance(50) ? " encoding=\"utf-8\"" : "";
        if (Chance(20)) text.Append("<?xml version='1.0'").Append(encoding).Append(Space()).Append("?>");
        text.Append(Space());
        Element(text, 0, []);
        return text.ToString();
    }

    void Element(StringBuilder text, int depth, string[] outer)
    {
        string[] inner = [.. outer.Concat(Prefixes.Where(_ => Chance(10))).Distinct()];
        string name = Name(inner, 30);
        text.Append('<').Append(name);
        var written = new HashSet<string>();
        foreach (string prefix in inner.Except(outer).Concat(outer.Where(_ => Chance(5))))
            Attribute(text, written, $"xmlns:{prefix}", Quoted(prefix + "-ns"));
        if (Chance(20)) Attribute(text, written, "xmlns", Quoted(Chance(20) ? "" : Escaped(Pick(NamespaceNames))));
        for (int i = Chance(60) ? Next(4) : 0; i > 0; i--)
        {
            string attribute = Chance(10) ? "xml:lang" : Name(inner, 20);
            Attribute(text, written, attribute, Quoted(Value()));
        }
        text.Append(Space());
        if (Chance(25))
        {
            text.Append("/>");
            return;
        }
        text.Append('>');
        for (int i = Next(6); i > 0; i--)
        {
            if (depth < 6 && Chance(40)) Element(text, depth + 1, inner);
            else if (Chance(20)) text.Append("<![CDATA[").Append(Pick(Texts)).Append(Pick(CDataEnds)).Append("]]>");
            else text.Append(Content());
        }
        text.Append("</").Append(name).Append(Space()).Append('>');
    }

    static void Attribute(StringBuilder text, HashSet<string> written, string name, string value)
    {
        if (written.Add(name)) text.Append(' ').Append(name).Append('=').Append(value);
    }

    string Name(string[] prefixes, int percent) =>
        prefixes.Length > 0 && Chance(percent) ? Pick(prefixes) + ":" + Pick(LocalNames) : Pick(LocalNames);

    string Content()
    {
        string text = Chance(20) ? Pick(References) : Chance(10) ? Pick(["\r\n", "\r"]) : Pick(Texts);
        // So that no "]]>" comes about.
        return text.EndsWith(']') ? text + "." : text.Replace(">", "&gt;", StringComparison.Ordinal);
    }

    string Value()
    {
        var value = new StringBuilder();
        for (int i = Next(4); i > 0; i--)
            value.Append(Chance(30) ? Pick(References) : Chance(10) ? "\r\n" : Escaped(Pick(Texts)));
        return value.ToString();
    }

    static string Escaped(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);

    string Quoted(string value) => Chance(50)
        ? $"'{value.Replace("'", "&apos;", StringComparison.Ordinal)}'"
        : $"\"{value.Replace("\"", "&quot;", StringComparison.Ordinal)}\"";

    string Space() => Chance(80) ? "" : Pick([" ", "\n", "\t ", "\r\n"]);

    /// <summary>The document with a few places damaged: pieces inserted, taken out, repeated, or bytes put in. The XML
    /// declaration is left whole, as System.Xml is lax about what stands in it.</summary>
    public byte[] Damaged(string document)
    {
        // Names may begin beyond U+FFFF in the fifth edition of XML 1.0, which we follow, but not in the fourth.
        document = document.Replace("😀", "÷", StringComparison.Ordinal);
        var bytes = new List<byte>(Encoding.UTF8.GetBytes(document));
        int first = document.IndexOf("?>", StringComparison.Ordinal) + 2;
        if (!document.StartsWith("<?", StringComparison.Ordinal)) first = 0;
        for (int i = 1 + Next(3); i > 0; i--)
        {
            int at = first + Next(bytes.Count + 1 - first), count = Math.Min(Next(6), bytes.Count - at);
            switch (Next(5))
            {
                case 0 or 1:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Pick(Damage)));
                    break;
                case 2:
                    bytes.RemoveRange(at, count);
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, count));
                    break;
                default:
                    bytes.Insert(at, Pick(new byte[] { 0xBF, 0xC3, 0xFF, 0x00, 0x7F }));
                    break;
            }
        }
        return [.. bytes];
    }
}
