using Muster.Core.Limits;

namespace Muster.Tests.Limits;

public sealed class ShaperTests
{
    const long Second = TimeSpan.TicksPerSecond;

    [Fact]
    public void A_full_bucket_lets_one_second_of_traffic_through_at_once()
    {
        var shaper = new Shaper(1000);
        Assert.Equal(TimeSpan.Zero, shaper.Take(400, 0));
        Assert.Equal(TimeSpan.Zero, shaper.Take(600, 0));
        Assert.Equal(TimeSpan.FromMilliseconds(1), shaper.Take(1, 0));
    }

    [Fact]
    public void Delays_queue_up_and_nothing_is_refused()
    {
        var shaper = new Shaper(100);
        shaper.Take(100, 5 * Second);
        for (int i = 1; i <= 50; i++) Assert.Equal(TimeSpan.FromSeconds(i), shaper.Take(100, 5 * Second));
    }

    [Fact]
    public void Time_fills_the_bucket_and_not_beyond_its_size()
    {
        var shaper = new Shaper(100);
        shaper.Take(100, 0);
        Assert.Equal(TimeSpan.Zero, shaper.Take(50, Second / 2));
        Assert.Equal(TimeSpan.Zero, shaper.Take(100, 3600 * Second));
        Assert.Equal(TimeSpan.FromSeconds(1), shaper.Take(100, 3600 * Second));
    }

    [Fact]
    public void What_is_larger_than_the_bucket_goes_through_and_the_next_pays()
    {
        var shaper = new Shaper(10);
        Assert.Equal(TimeSpan.FromSeconds(9), shaper.Take(100, 0));
        Assert.Equal(TimeSpan.FromSeconds(9.1), shaper.Take(1, 0));
        Assert.Equal(TimeSpan.Zero, shaper.Take(1, 10 * Second));
    }

    [Fact]
    public void Small_pieces_take_as_long_as_a_large_one_even_when_one_is_less_than_a_tick()
    {
        var pieces = new Shaper(300_000_000);
        var whole = new Shaper(300_000_000);
        var delay = TimeSpan.Zero;
        for (int i = 0; i < 200_000; i++) delay = pieces.Take(5000, 0);
        Assert.Equal(whole.Take(1_000_000_000, 0), delay);
    }

    [Fact]
    public void A_clock_that_goes_back_and_absurd_amounts_do_no_harm()
    {
        var shaper = new Shaper(100);
        shaper.Take(200, 10 * Second);
        Assert.Equal(TimeSpan.FromSeconds(1), shaper.Take(0, 0));
        Assert.Equal(TimeSpan.FromSeconds(1), shaper.Take(-5, 0));
        Assert.Equal(TimeSpan.MaxValue, new Shaper(1).Take(long.MaxValue, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Shaper(0));
    }

    /// <summary>Against the textbook: a bucket of fractions that fills as time goes by.</summary>
    [Fact]
    public void Any_traffic_agrees_with_a_naive_bucket()
    {
        var random = new Random(1);
        for (int round = 0; round < 200; round++)
        {
            int rate = random.Next(1, 100_000);
            var shaper = new Shaper(rate);
            double tokens = rate;
            long now = random.NextInt64(0, 1L << 60);
            for (int i = 0; i < 200; i++)
            {
                long pause = random.Next(0, 3) == 0 ? 0 : random.NextInt64(0, 2 * Second);
                long units = random.Next(0, 2 * rate);
                now += pause;
                tokens = Math.Min(rate, tokens + (double)pause / Second * rate) - units;
                double expected = tokens >= 0 ? 0 : -tokens / rate;
                Assert.Equal(expected, shaper.Take(units, now).TotalSeconds, tolerance: 1e-4);
            }
        }
    }
}
