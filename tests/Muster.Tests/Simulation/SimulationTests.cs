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

    /// <summary>Two servers whose users are in each other's rooms.</summary>
    [Fact]
    [Spec("XEP-0410", "3.2")]
    public void Servers_agree_on_who_is_inside_whatever_happens_to_their_streams() =>
        Assert.Null(Campaign.FindFirst(1, 50, steps: 150, Fault.None, null, servers: 2));

    /// <summary>Seeds that found something, each named after it.</summary>
    [Theory]
    [InlineData(3)]     // entering was answered, and the answer lost: the client waited for ever, inside
    [InlineData(8)]     // a session had gone, and the word of it was lost: the next under its address was a ghost
    [InlineData(11)]    // a server was stopped while one of its users was entering
    [InlineData(38)]    // of two attempts to enter the first came through, and the second was refused
    [InlineData(141)]   // a stream that had lost track of what it sent was taken for resumable
    [InlineData(465)]   // a ghost in a room where nobody speaks
    [InlineData(730)]   // a room's last word of before was told to a client that was being brought back
    [InlineData(971)]   // a session had had several nicks before it left
    [InlineData(1530)]  // a session of before a crash was taken for its successor's after the next restart
    [InlineData(62)]    // a room answered late, after the entering was given up
    [InlineData(536)]   // a client entered by itself while its server was bringing it back
    [InlineData(299)]   // a room's word from before came after a client had left, and the word that it had was lost
    [InlineData(625)]   // a room said of a new nick that it is not inside, while the server brought the client back
    [InlineData(1844)]  // a server was restarted that had lost sight of its user's only room, and then the room spoke
    public void What_was_found_between_servers_stays_mended(int seed) => World.Run(seed, 300, servers: 2);

    /// <summary>A room's answer that the session is not inside was not believed, as it had been inside after it was
    /// asked; and it had dropped out after that.</summary>
    [Fact]
    public void An_answer_that_a_proof_has_overtaken_is_asked_for_again() => World.Run(103, 200, servers: 2);

    [Fact]
    public void Two_servers_do_the_same_with_the_same_seed() =>
        Assert.Equal(World.Run(7, 300, servers: 2), World.Run(7, 300, servers: 2));

    [Fact]
    public void The_same_seed_does_the_same() => Assert.Equal(World.Run(7, 500), World.Run(7, 500));

    public static TheoryData<Fault> Faults => [.. Enum.GetValues<Fault>().Where(fault => fault != Fault.None)];

    /// <summary>Canaries: a checker that finds nothing proves nothing unless it finds these.</summary>
    [Theory, MemberData(nameof(Faults))]
    public void Mistakes_are_found(Fault fault) =>
        Assert.StartsWith("seed ", Campaign.FindFirst(1, SeedsMax, steps: 300, fault, null), StringComparison.Ordinal);
}
