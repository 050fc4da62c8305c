using Xunit.Abstractions;
using Xunit.Sdk;

namespace Muster.Testing;

/// <summary>Names a section of a specification that a test covers, by its anchor: <c>[Spec("XEP-0045",
/// "enter-conflict")]</c>.
/// The cross-reference lists sections with code but no test.</summary>
[TraitDiscoverer("Muster.Testing.SpecDiscoverer", "Muster.Testing")]
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
public sealed class SpecAttribute(string document, string section) : Attribute, ITraitAttribute
{
    /// <summary>The document, for example "XEP-0045" or "RFC 6120".</summary>
    public string Document { get; } = document;
    /// <summary>The anchor of the section, or its number where there is none.</summary>
    public string Section { get; } = section;
}

/// <summary>Lets test filters see sections: <c>dotnet test --filter "Spec=XEP-0045#kick"</c>.</summary>
public sealed class SpecDiscoverer : ITraitDiscoverer
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, string>> GetTraits(IAttributeInfo traitAttribute)
    {
        var arguments = traitAttribute.GetConstructorArguments().Cast<string>().ToArray();
        yield return KeyValuePair.Create("Spec", $"{arguments[0]}#{arguments[1]}");
    }
}
