using System.Text;
using Muster.Protocol.Xml;

namespace Muster.Testing;

/// <summary>
/// What a test expects to receive: XML with wildcards. <c>*</c> in a value or text is any run of characters; an
/// attribute that is exactly <c>**</c> may also be absent; <c>{name}</c> as a whole value remembers what it met, or
/// compares with what is remembered; the text <c>...</c> allows more children than those named, anywhere in between.
/// All else must be as written: no attribute more or less, children in their order. Only the id that an account's
/// archive gives to a message need not be named.
/// </summary>
public sealed class XmlPattern
{
    readonly Element _pattern;
    readonly Dictionary<string, string> _names;

    /// <summary>Reads a pattern.</summary>
    /// <param name="xml">The XML, as it would stand inside a client's stream.</param>
    /// <param name="names">What is remembered by name; grows when the pattern matches.</param>
    public XmlPattern(string xml, Dictionary<string, string>? names = null)
    {
        _pattern = TestXml.Parse(xml);
        _names = names ?? [];
    }

    /// <summary>Null when the element fits, else where it does not.</summary>
    public string? Mismatch(Element actual)
    {
        var found = new Dictionary<string, string>(_names, StringComparer.Ordinal);
        string? problem = Compare(_pattern, actual, _pattern.Name, found);
        if (problem is null)
            foreach (var (name, value) in found) _names[name] = value;
        return problem;
    }

    /// <summary>The pattern as it was read.</summary>
    public override string ToString() => _pattern.ToString();

    static string? Compare(Element pattern, Element actual, string path, Dictionary<string, string> names)
    {
        if (!actual.Is(pattern.Namespace, pattern.Name))
            return $"{path}: expected {NameOf(pattern)}, got {NameOf(actual)}";
        foreach (ref readonly var attribute in pattern.Attributes)
        {
            string? value = actual.Attribute(attribute.Namespace, attribute.Name);
            if (attribute.Value == "**") continue;
            if (value is null) return $"{path}: attribute {attribute.Name} is missing";
            if (!Fits(attribute.Value, value, names))
                return $"{path}: attribute {attribute.Name} is '{value}', expected '{attribute.Value}'";
        }
        foreach (ref readonly var attribute in actual.Attributes)
            if (pattern.Attribute(attribute.Namespace, attribute.Name) is null)
                return $"{path}: unexpected attribute {attribute.Name}='{attribute.Value}'";
        return CompareContent(pattern, actual, path, names);
    }

    static string? CompareContent(Element pattern, Element actual, string path, Dictionary<string, string> names)
    {
        bool open = pattern.Text.Trim() == "...";
        var expected = pattern.Elements.ToList();
        string text = expected.Count == 0 && !open ? pattern.Text : pattern.Text.Trim();
        if (!open && !Fits(text, expected.Count == 0 ? actual.Text : actual.Text.Trim(), names))
            return $"{path}: text is '{actual.Text}', expected '{pattern.Text}'";
        int at = 0;
        bool namesIds = expected.Exists(IsId);
        foreach (var child in actual.Elements)
        {
            if (!namesIds && IsId(child) && IsArchiveOfEither(child, actual)) continue;
            string? problem = at < expected.Count
                ? Compare(expected[at], child, $"{path}/{expected[at].Name}", names)
                : $"{path}: unexpected {child}";
            if (problem is null) at++;
            else if (!open) return problem;
        }
        return at == expected.Count ? null : $"{path}: {expected[at]} is missing";
    }

    static bool IsId(Element element) => element.Is(Namespaces.StanzaIds, "stanza-id");

    // The id in the archive of the recipient's account, or the sender's in a copy. Not that of a room.
    static bool IsArchiveOfEither(Element id, Element message) =>
        message.Is(Namespaces.Client, "message") && message.Attribute("type") != "groupchat" &&
        (Bare(message.Attribute("to")) == id.Attribute("by") || Bare(message.Attribute("from")) == id.Attribute("by"));

    static string? Bare(string? address) => address?.Split('/')[0];

    static string NameOf(Element element) => $"<{element.Name} xmlns='{element.Namespace}'>";

    static bool Fits(string pattern, string value, Dictionary<string, string> names)
    {
        if (pattern is ['{', .. var name, '}'] && !name.Contains(' ', StringComparison.Ordinal))
            return names.TryAdd(name, value) || names[name] == value;
        if (!pattern.Contains('*', StringComparison.Ordinal)) return pattern == value;
        string[] parts = pattern.Split('*');
        if (!value.StartsWith(parts[0], StringComparison.Ordinal)) return false;
        int at = parts[0].Length;
        foreach (string part in parts[1..^1])
        {
            int found = value.IndexOf(part, at, StringComparison.Ordinal);
            if (found < 0) return false;
            at = found + part.Length;
        }
        return value.Length - at >= parts[^1].Length && value.EndsWith(parts[^1], StringComparison.Ordinal);
    }

    /// <summary>Puts remembered values in the place of their names in something to send.</summary>
    public static string Fill(string xml, IReadOnlyDictionary<string, string> names)
    {
        var text = new StringBuilder(xml);
        foreach (var (name, value) in names) text.Replace($"{{{name}}}", value);
        return text.ToString();
    }
}
