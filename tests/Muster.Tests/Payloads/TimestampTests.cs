using System.Globalization;
using Muster.Protocol.Payloads;

namespace Muster.Tests.Payloads;

public class TimestampTests
{
    [Theory]
    [InlineData("1969-07-21T02:56:15Z", "1969-07-21T02:56:15.000Z")]
    [InlineData("1969-07-20T21:56:15-05:00", "1969-07-21T02:56:15.000Z")]
    [InlineData("2024-02-29T23:59:59.9999999+14:00", "2024-02-29T09:59:59.999Z")]
    [InlineData("2024-02-29T00:00:00.5-14:00", "2024-02-29T14:00:00.500Z")]
    [InlineData("2024-03-04T05:06:07.0123456789012345678901234567890Z", "2024-03-04T05:06:07.012Z")]
    [InlineData("2023-12-31T24:00:00Z", "2024-01-01T00:00:00.000Z")]
    [InlineData("2023-12-31T24:00:00.000Z", "2024-01-01T00:00:00.000Z")]
    [InlineData("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z")]
    [InlineData("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z")]
    public void Legal_forms_are_read_and_written_in_utc(string text, string utc)
    {
        Assert.True(Timestamp.TryParse(text, out var time));
        Assert.Equal(TimeSpan.Zero, time.Offset);
        Assert.Equal(utc, Timestamp.Format(time));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("2024-03-04")]
    [InlineData("2024-03-04T05:06:07")]          // the zone is required
    [InlineData("2024-03-04 05:06:07Z")]
    [InlineData("2024-03-04t05:06:07z")]
    [InlineData(" 2024-03-04T05:06:07Z")]
    [InlineData("2024-03-04T05:06:07Z ")]
    [InlineData("20240304T05:06:07Z")]           // the legacy form of XEP-0091
    [InlineData("2024-3-4T05:06:07Z")]
    [InlineData("2024-02-30T05:06:07Z")]
    [InlineData("2023-02-29T05:06:07Z")]
    [InlineData("2024-13-01T05:06:07Z")]
    [InlineData("2024-00-01T05:06:07Z")]
    [InlineData("0000-01-01T00:00:00Z")]
    [InlineData("-0044-03-15T00:00:00Z")]
    [InlineData("12024-01-01T00:00:00Z")]
    [InlineData("2024-03-04T25:00:00Z")]
    [InlineData("2024-03-04T24:00:01Z")]
    [InlineData("2024-03-04T05:60:07Z")]
    [InlineData("2016-12-31T23:59:60Z")]         // no leap seconds in XML Schema
    [InlineData("2024-03-04T05:06:07.Z")]
    [InlineData("2024-03-04T05:06:07,5Z")]
    [InlineData("2024-03-04T05:06:07+1:00")]
    [InlineData("2024-03-04T05:06:07+0100")]
    [InlineData("2024-03-04T05:06:07+14:01")]
    [InlineData("2024-03-04T05:06:07+00:60")]
    [InlineData("2024-03-04T05:06:07ZZ")]
    [InlineData("٢٠٢٤-03-04T05:06:07Z")]         // digits, but not ASCII's
    [InlineData("0001-01-01T00:00:00+00:01")]    // before the first moment that can be held
    [InlineData("9999-12-31T24:00:00Z")]
    public void Other_forms_are_refused(string? text) => Assert.False(Timestamp.TryParse(text, out _));

    [Fact]
    public void Every_prefix_of_a_legal_form_is_refused()
    {
        const string Legal = "2024-03-04T05:06:07.125+01:00";
        for (int length = 0; length < Legal.Length; length++)
            Assert.False(Timestamp.TryParse(Legal[..length], out _), Legal[..length]);
        Assert.True(Timestamp.TryParse(Legal, out _));
    }

    [Fact]
    public void Any_moment_in_any_zone_is_read_as_the_class_library_reads_it()
    {
        var random = new Random(4);
        for (int i = 0; i < 2000; i++)
        {
            var moment = new DateTime(random.NextInt64(DateTime.MaxValue.Ticks), DateTimeKind.Unspecified);
            var offset = TimeSpan.FromMinutes(random.Next(-14 * 60, 14 * 60 + 1));
            long utc = moment.Ticks - offset.Ticks;
            if (utc < 0 || utc > DateTime.MaxValue.Ticks) continue;
            var expected = new DateTimeOffset(moment, offset);
            string text = expected.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffffzzz", CultureInfo.InvariantCulture);
            Assert.True(Timestamp.TryParse(text, out var time), text);
            Assert.Equal(expected.UtcTicks, time.UtcTicks);
            Assert.True(Timestamp.TryParse(Timestamp.Format(time), out var again));
            Assert.InRange(time - again, TimeSpan.Zero, TimeSpan.FromMilliseconds(1) - TimeSpan.FromTicks(1));
        }
    }

    [Fact]
    public void A_local_time_is_written_in_utc() => Assert.Equal(
        "2024-03-04T03:06:07.089Z",
        Timestamp.Format(new DateTimeOffset(2024, 3, 4, 5, 6, 7, 89, TimeSpan.FromHours(2))));

    [Fact]
    public void Dates()
    {
        Assert.True(Timestamp.TryParseDate("1776-07-04", out var date));
        Assert.Equal(new DateOnly(1776, 7, 4), date);
        Assert.Equal("1776-07-04", Timestamp.FormatDate(new DateTimeOffset(1776, 7, 4, 1, 0, 0, TimeSpan.Zero)));
        Assert.False(Timestamp.TryParseDate("1776-07-04Z", out _));
        Assert.False(Timestamp.TryParseDate("1776-7-4", out _));
    }

    [Fact]
    public void Times_of_day()
    {
        Assert.True(Timestamp.TryParseTime("16:00:00", out var time, out var offset));
        Assert.Equal((new TimeOnly(16, 0), null), (time, offset));
        Assert.True(Timestamp.TryParseTime("24:00:00-05:30", out time, out offset));
        Assert.Equal((new TimeOnly(0, 0), -new TimeSpan(5, 30, 0)), (time, offset));
        Assert.True(Timestamp.TryParseTime("01:02:03.25Z", out time, out offset));
        Assert.Equal((new TimeOnly(1, 2, 3, 250), TimeSpan.Zero), (time, offset!.Value));
        Assert.False(Timestamp.TryParseTime("16:00", out _, out _));
        Assert.False(Timestamp.TryParseTime("16:00:00+", out _, out _));
    }
}
