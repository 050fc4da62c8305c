using Xunit.Abstractions;
using Xunit.Sdk;

namespace Muster.Testing;

/// <summary>Names a row of the feature list that a test covers: <c>[Feature("MU-12")]</c>. The list of features is
/// generated from these.</summary>
[TraitDiscoverer("Muster.Testing.FeatureDiscoverer", "Muster.Testing")]
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
public sealed class FeatureAttribute(params string[] rows) : Attribute, ITraitAttribute
{
    /// <summary>The rows.</summary>
    public IReadOnlyList<string> Rows { get; } = rows;
}

/// <summary>Lets test filters see features: <c>dotnet test --filter Feature=MU-12</c>.</summary>
public sealed class FeatureDiscoverer : ITraitDiscoverer
{
    /// <inheritdoc/>
    public IEnumerable<KeyValuePair<string, string>> GetTraits(IAttributeInfo traitAttribute) =>
        ((IEnumerable<string>)traitAttribute.GetConstructorArguments().Single())
            .Select(row => KeyValuePair.Create("Feature", row));
}
