using Muster.Core.Delivery;
using Muster.Protocol.Addresses;

namespace Muster.Tests.Away;

/// <summary>What comes back from members who are away (muc-offline-delivery.md §8).</summary>
public sealed class OfflineFailuresTests
{
    static readonly Jid Garden = Jid.Parse("garden@muc.x"), Nurse = Jid.Parse("nurse@y");
    readonly OfflineFailures _failures = new(100);
    DateTimeOffset _now = new(2024, 5, 1, 12, 0, 0, TimeSpan.Zero);

    OfflineVerdict Note(string condition) => _failures.Note(Garden, Nurse, condition, _now);

    [Theory]
    [InlineData("gone")]
    [InlineData("item-not-found")]
    public void WhoIsNotThereThreeTimesOverADayGetsNothingAnyMore(string condition)
    {
        for (int i = 0; i < 10; i++) Assert.Equal(OfflineVerdict.None, Note(condition));
        _now += TimeSpan.FromHours(23);
        Assert.Equal(OfflineVerdict.None, Note(condition));
        _now += TimeSpan.FromHours(1);
        Assert.Equal(OfflineVerdict.Stop, Note(condition));
        Assert.Equal(0, _failures.Count);
        Note(condition);
        _now += TimeSpan.FromDays(2);
        Assert.Equal(OfflineVerdict.None, Note(condition)); // the second only
    }

    [Theory]
    [InlineData("not-acceptable")]
    [InlineData("forbidden")]
    [InlineData("policy-violation")]
    public void WhoRefusesTenTimesInARowGetsNothingAnyMore(string condition)
    {
        for (int i = 0; i < 9; i++) Assert.Equal(OfflineVerdict.None, Note(condition));
        Assert.Equal(OfflineVerdict.None, Note("service-unavailable")); // that ends the row: it may have been pushed
        for (int i = 0; i < 9; i++) Assert.Equal(OfflineVerdict.None, Note(condition));
        Assert.Equal(OfflineVerdict.Stop, Note(condition));
    }

    [Fact]
    public void WhatDoesNotComeBackEndsARow()
    {
        for (int i = 0; i < 9; i++) Note("forbidden");
        for (int i = 0; i < 15; i++) _failures.NoteSent(Garden, Nurse);
        Assert.Equal(1, _failures.Count); // they may still be on their way
        for (int i = 0; i < 10; i++) _failures.NoteSent(Garden, Nurse);
        Assert.Equal(0, _failures.Count);
        Assert.Equal(OfflineVerdict.None, Note("forbidden"));
    }

    [Fact]
    public void AServerThatCannotBeReachedSaysNothingOfItsUsers()
    {
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal(OfflineVerdict.Pause, Note("remote-server-timeout"));
            Assert.Equal(OfflineVerdict.Pause, Note("remote-server-not-found"));
            _now += TimeSpan.FromHours(1);
        }
        Assert.Equal(OfflineVerdict.None, Note("undefined-condition"));
        Assert.Equal(0, _failures.Count);
    }

    [Fact]
    public void WhatIsRememberedIsBounded()
    {
        for (int i = 0; i < 1000; i++) _failures.Note(Garden, Jid.Parse($"u{i}@y"), "gone", _now);
        Assert.InRange(_failures.Count, 1, 100);
    }
}
