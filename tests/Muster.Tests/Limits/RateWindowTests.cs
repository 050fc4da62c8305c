using Muster.Core.Limits;

namespace Muster.Tests.Limits;

public class RateWindowTests
{
    static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public void Each_key_has_its_own_uses_in_its_own_window()
    {
        var rate = new RateWindow(2, Hour, 10);
        Assert.True(rate.TryTake("a", Start));
        Assert.True(rate.TryTake("a", Start.AddMinutes(59)));
        Assert.False(rate.TryTake("a", Start.AddMinutes(59)));
        Assert.True(rate.TryTake("b", Start.AddMinutes(59)));
        Assert.True(rate.TryTake("a", Start.AddMinutes(60)));
        Assert.True(rate.TryTake("a", Start.AddMinutes(60)));
        Assert.False(rate.TryTake("a", Start.AddMinutes(61)));
    }

    [Fact]
    public void Zero_is_no_limit()
    {
        var rate = new RateWindow(0, Hour, 1);
        for (int i = 0; i < 1000; i++) Assert.True(rate.TryTake("a", Start));
    }

    [Fact]
    public void A_flood_of_keys_forgets_the_oldest_and_locks_nobody_out()
    {
        var rate = new RateWindow(1, Hour, 3);
        for (int i = 0; i < 3; i++) Assert.True(rate.TryTake($"{i}", Start.AddSeconds(i)));
        Assert.False(rate.TryTake("0", Start.AddSeconds(5)));
        Assert.True(rate.TryTake("new", Start.AddSeconds(6)));
        Assert.False(rate.TryTake("1", Start.AddSeconds(7)));
        Assert.True(rate.TryTake("0", Start.AddSeconds(7)));
        // What is over is forgotten first.
        Assert.True(rate.TryTake("x", Start.AddHours(2)));
        Assert.True(rate.TryTake("y", Start.AddHours(2)));
        Assert.False(rate.TryTake("x", Start.AddHours(2)));
    }
}
