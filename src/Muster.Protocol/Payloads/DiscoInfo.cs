using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Protocol.Payloads;

/// <summary>What kind of thing an entity is (XEP-0030 §3.1; registry of categories and types).</summary>
/// <param name="Category">Category, for example conference.</param>
/// <param name="Type">Type within it, for example text.</param>
/// <param name="Name">Name for people, or null.</param>
/// <param name="Lang">Language of the name, or null.</param>
public sealed record DiscoIdentity(string Category, string Type, string? Name = null, string? Lang = null);

/// <summary>What an entity is and can do (XEP-0030 §3, with the forms of XEP-0128).</summary>
public sealed class DiscoInfo
{
    /// <summary>More identities, features or forms in a peer's answer make it unreadable.</summary>
    public const int IdentitiesMax = 100, FeaturesMax = 2000, FormsMax = 50;

    /// <summary>What it is; at least one.</summary>
    public IReadOnlyList<DiscoIdentity> Identities { get; init; } = [];
    /// <summary>What it can do.</summary>
    public IReadOnlyList<string> Features { get; init; } = [];
    /// <summary>More about it, as forms of type result.</summary>
    public IReadOnlyList<DataForm> Forms { get; init; } = [];
    /// <summary>The node asked for, which the answer repeats (XEP-0030 §3.2), or null.</summary>
    public string? Node { get; init; }

    /// <summary>The <c>query</c> element. disco#info itself is always among the features, as XEP-0030 §3.1
    /// requires.</summary>
    public Element ToElement() => new Element(Namespaces.DiscoInfo, "query",
        [
            .. Identities.Select(IdentityElement),
            .. Features.Prepend(Namespaces.DiscoInfo).Distinct(StringComparer.Ordinal).Select(FeatureElement),
            .. Forms.Select(form => form.ToElement()),
        ])
        .With("node", Node);

    /// <summary>Reads a <c>query</c>, as a peer sent it: doubles stay, since <see cref="EntityCaps"/> has to see
    /// them.</summary>
    /// <returns>Null when <paramref name="problem"/> is set: it is no such query, has too many parts, or a form that
    /// cannot
    /// be read.</returns>
    public static DiscoInfo? Read(Element query, out StanzaError? problem)
    {
        problem = StanzaError.BadRequest;
        if (!query.Is(Namespaces.DiscoInfo, "query")) return null;
        var identities = new List<DiscoIdentity>();
        var features = new List<string>();
        var forms = new List<DataForm>();
        foreach (var child in query.Elements)
        {
            if (child.Is(Namespaces.DiscoInfo, "identity"))
            {
                identities.Add(new(
                    child.Attribute("category") ?? "", child.Attribute("type") ?? "", child.Attribute("name"),
                    child.Attribute(Namespaces.Xml, "lang")));
            }
            else if (child.Is(Namespaces.DiscoInfo, "feature"))
            {
                features.Add(child.Attribute("var") ?? "");
            }
            else if (child.Is(Namespaces.DataForms, "x"))
            {
                if (DataForm.Read(child, out problem) is not { } form) return null;
                forms.Add(form);
            }
            if (identities.Count > IdentitiesMax || features.Count > FeaturesMax || forms.Count > FormsMax)
            {
                problem = StanzaError.PolicyViolation;
                return null;
            }
        }
        problem = null;
        return new() { Identities = identities, Features = features, Forms = forms, Node = query.Attribute("node") };
    }

    static Element IdentityElement(DiscoIdentity identity) => new Element(Namespaces.DiscoInfo, "identity")
        .With("category", identity.Category)
        .With("type", identity.Type)
        .With("name", identity.Name)
        .With(Namespaces.Xml, "lang", identity.Lang);

    static Element FeatureElement(string feature) => new Element(Namespaces.DiscoInfo, "feature").With("var", feature);
}
