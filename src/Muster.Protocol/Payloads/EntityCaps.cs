using System.Security.Cryptography;
using System.Text;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>Entity capabilities (XEP-0115): a hash of what an entity can do, so that nobody has to ask twice.</summary>
/// <param name="Node">Address of the software, not of the entity.</param>
/// <param name="Version">The verification string.</param>
/// <param name="Hash">Name of the hash function; null in the format before version 1.4, which is not verified.</param>
public sealed record EntityCaps(string Node, string Version, string? Hash = EntityCaps.Sha1)
{
    /// <summary>The namespace of XEP-0115.</summary>
    public const string Namespace = "http://jabber.org/protocol/caps";
    /// <summary>The hash that XEP-0115 §9.1 makes mandatory.</summary>
    public const string Sha1 = "sha-1";

    /// <summary>The node under which disco#info of these capabilities is asked for (XEP-0115 §6.2).</summary>
    public string DiscoNode => $"{Node}#{Version}";

    /// <summary>The <c>c</c> element.</summary>
    public Element ToElement() =>
        new Element(Namespace, "c").With("hash", Hash).With("node", Node).With("ver", Version);

    /// <summary>Reads a <c>c</c>; null when node or ver is missing.</summary>
    public static EntityCaps? Read(Element c) =>
        c.Attribute("node") is { Length: > 0 } node && c.Attribute("ver") is { Length: > 0 } version
            ? new(node, version, c.Attribute("hash"))
            : null;

    /// <summary>True when the verification string is that of an answer to disco#info (XEP-0115 §5.4). Only then may it
    /// be
    /// believed of others who show the same string.</summary>
    public bool Matches(DiscoInfo info) =>
        Hash == Sha1 && IsWellFormed(info) && string.Equals(Version, Verify(info), StringComparison.Ordinal);

    /// <summary>The verification string (XEP-0115 §5.1) with SHA-1.</summary>
    public static string Verify(DiscoInfo info)
    {
        var text = new StringBuilder();
        var identities = info.Identities.Select(i => $"{i.Category}/{i.Type}/{i.Lang}/{i.Name}");
        foreach (string identity in Sorted(identities)) text.Append(identity).Append('<');
        foreach (string feature in Sorted(info.Features)) text.Append(feature).Append('<');
        foreach (var form in SortedBy(info.Forms.Where(IsExtension), form => form.FormType!)) AppendForm(text, form);
#pragma warning disable CA5350 // XEP-0115 §9.1 defines it with SHA-1
        return Convert.ToBase64String(SHA1.HashData(Encoding.UTF8.GetBytes(text.ToString())));
#pragma warning restore CA5350
    }

    static void AppendForm(StringBuilder text, DataForm form)
    {
        text.Append(form.FormType).Append('<');
        foreach (var field in SortedBy(form.Fields.Where(f => f.Var != FormField.FormTypeVar), field => field.Var))
        {
            text.Append(field.Var).Append('<');
            foreach (string value in Sorted(field.Values)) text.Append(value).Append('<');
        }
    }

    /// <summary>XEP-0115 §5.4: a form without a hidden FORM_TYPE is left out.</summary>
    static bool IsExtension(DataForm form) =>
        form.Field(FormField.FormTypeVar) is { Type: FieldType.Hidden, First: not null };

    /// <summary>XEP-0115 §5.4: doubles make an answer ill-formed, as they let one string stand for two
    /// answers.</summary>
    static bool IsWellFormed(DiscoInfo info)
    {
        var forms = info.Forms.Where(form => form.FormType is not null).ToList();
        return AreUnique(info.Identities) && AreUnique(info.Features) &&
            AreUnique(forms.Select(form => form.FormType)) &&
            forms.All(form => form.Values(FormField.FormTypeVar)!.Distinct(StringComparer.Ordinal).Count() == 1);
    }

    static bool AreUnique<T>(IEnumerable<T> items)
    {
        var seen = new HashSet<T>();
        return items.All(seen.Add);
    }

    static IEnumerable<string> Sorted(IEnumerable<string> texts) => SortedBy(texts, text => text);

    /// <summary>The collation i;octet (RFC 4790 §9.3) compares UTF-8; UTF-16 in .NET's ordinal order would put
    /// characters
    /// beyond the basic plane before some of those in it.</summary>
    static IEnumerable<T> SortedBy<T>(IEnumerable<T> items, Func<T, string> key) =>
        items.OrderBy(item => Encoding.UTF8.GetBytes(key(item)), OctetOrder);

    static readonly Comparer<byte[]> OctetOrder = Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b));
}
