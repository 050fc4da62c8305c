using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Muster.Testing;

/// <summary>
/// A test of a contract: written once in an abstract class, run for each class that derives from it. A derived class
/// that needs a real program says so with <see cref="NeedsPeerAttribute"/> and is skipped as
/// <see cref="RealPeerFactAttribute"/> would be.
/// </summary>
[XunitTestCaseDiscoverer("Muster.Testing.ContractFactDiscoverer", "Muster.Testing")]
public sealed class ContractFactAttribute : FactAttribute;

/// <summary>Names the packages that the contract tests of a class need.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsPeerAttribute(params string[] packages) : Attribute
{
    public IReadOnlyList<string> Packages { get; } = packages;

    /// <summary>Why the tests are skipped on this machine, or null.</summary>
    public string? SkipReason => new RealPeerFactAttribute([.. Packages]).Skip;
}

/// <summary>Finds contract tests.</summary>
public sealed class ContractFactDiscoverer(IMessageSink diagnostics) : IXunitTestCaseDiscoverer
{
    public IEnumerable<IXunitTestCase> Discover(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        [new ContractTestCase(diagnostics, discoveryOptions.MethodDisplayOrDefault(),
            discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod)];
}

/// <summary>One contract test for one derived class.</summary>
public sealed class ContractTestCase : XunitTestCase
{
    [Obsolete("Called by the deserialiser")]
    public ContractTestCase()
    {
    }

    public ContractTestCase(
        IMessageSink diagnostics, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method)
        : base(diagnostics, display, options, method)
    {
    }

    protected override string? GetSkipReason(IAttributeInfo factAttribute) =>
        TestMethod.TestClass.Class.ToRuntimeType().GetCustomAttributes(typeof(NeedsPeerAttribute), inherit: true)
            .OfType<NeedsPeerAttribute>().FirstOrDefault()?.SkipReason ?? base.GetSkipReason(factAttribute);
}
