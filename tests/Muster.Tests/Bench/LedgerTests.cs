using Muster.Bench;

namespace Muster.Tests.Bench;

public sealed class LedgerTests
{
    [Fact]
    public void The_same_order_for_all_is_right()
    {
        Assert.Null(Check([1, 2, 3], [1, 2, 3]));
    }

    [Theory]
    [InlineData("occupant 1 lost message 2, or received 3 before it", new long[] { 1, 3 })]
    [InlineData("occupant 1 received 2 of 3 messages", new long[] { 1, 2 })]
    [InlineData("occupant 1 received message 1 twice, or too late", new long[] { 1, 1, 2, 3 })]
    [InlineData("occupant 1 received message 3 twice", new long[] { 1, 2, 3, 3 })]
    [InlineData("occupant 1 lost message 2, or received 3 before it", new long[] { 1, 3, 2 })]
    [InlineData("occupant 1 received message 9 instead of 2", new long[] { 1, 9, 3 })]
    public void A_lost_a_doubled_and_a_swapped_copy_are_found(string problem, long[] heard)
    {
        Assert.Equal(problem, Check([1, 2, 3], heard));
    }

    [Fact]
    public void Messages_of_one_sender_that_change_places_for_all_are_found()
    {
        Assert.Equal("message 1 of sender 0 came after 2", Check([2, 1], [2, 1]));
    }

    static string? Check(long[] first, long[] second)
    {
        var ledger = new Ledger(2);
        foreach (long message in first) ledger.Note(0, message);
        foreach (long message in second) ledger.Note(1, message);
        ledger.Finish(first.Length);
        return ledger.Problem;
    }
}
