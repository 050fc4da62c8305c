using Muster.Simulation;

namespace Muster.Tests.Simulation;

/// <summary>The room and the queues of unacknowledged stanzas under many seeds; and the checkers under mistakes made on
/// purpose.</summary>
public sealed class SimulationTests
{
    [Fact]
    public void Nobody_misses_or_repeats_anything_under_two_hundred_seeds()
    {
        for (int seed = 1; seed <= 200; seed++) World.Run(seed, 300);
    }

    [Fact]
    public void The_same_seed_does_the_same() => Assert.Equal(World.Run(7, 500), World.Run(7, 500));

    /// <summary>Canaries: a checker that finds nothing proves nothing unless it finds these.</summary>
    [Theory]
    [InlineData(Fault.ShowWithoutArchive, "not archived")]
    [InlineData(Fault.LoseOnResume, "")]
    [InlineData(Fault.RepeatOnResume, "")]
    [InlineData(Fault.SwapMessages, "")]
    [InlineData(Fault.ForgetDeparture, "sees [")]
    [InlineData(Fault.KeepFailedRoom, "")]
    public void Mistakes_are_found(Fault fault, string expected)
    {
        var found = new List<string>();
        for (int seed = 1; seed <= 10; seed++)
        {
            try
            {
                World.Run(seed, 300, fault);
            }
            catch (SimulationException problem)
            {
                found.Add(problem.Message);
            }
        }
        Assert.NotEmpty(found);
        Assert.All(found, message => Assert.StartsWith("seed ", message, StringComparison.Ordinal));
        Assert.Contains(found, message => message.Contains(expected, StringComparison.Ordinal));
    }
}
