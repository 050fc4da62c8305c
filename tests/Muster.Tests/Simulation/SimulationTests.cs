using Muster.Simulation;
using Muster.Testing;

namespace Muster.Tests.Simulation;

/// <summary>Rooms and sessions under many seeds; and the checkers under mistakes made on purpose.</summary>
[Spec("XEP-0198", "5")]
public sealed class SimulationTests
{
    const int SeedsMax = 60; // within which each mistake must be found

    [Fact]
    public void Nobody_misses_or_repeats_anything_under_a_thousand_seeds() =>
        Assert.Null(Campaign.FindFirst(1, 1000, steps: 120, Fault.None, null));

    [Fact]
    public void The_same_seed_does_the_same() => Assert.Equal(World.Run(7, 500), World.Run(7, 500));

    public static TheoryData<Fault> Faults => [.. Enum.GetValues<Fault>().Where(fault => fault != Fault.None)];

    /// <summary>Canaries: a checker that finds nothing proves nothing unless it finds these.</summary>
    [Theory, MemberData(nameof(Faults))]
    public void Mistakes_are_found(Fault fault) =>
        Assert.StartsWith("seed ", Campaign.FindFirst(1, SeedsMax, steps: 300, fault, null), StringComparison.Ordinal);
}
