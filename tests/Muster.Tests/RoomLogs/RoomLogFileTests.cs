using System.Text;
using Muster.Core.RoomLogs;
using Muster.Protocol.Addresses;
using Muster.Testing;

namespace Muster.Tests.RoomLogs;

/// <summary>Where the log of a room's day lies.</summary>
public sealed class RoomLogFileTests
{
    static readonly DateOnly Day = new(2024, 3, 4);

    [Theory, Feature("ML-04", "ML-05", "ML-06")]
    [InlineData(true, true, true, "garden@muc.x/2024/03/04.html")]
    [InlineData(true, true, false, "garden@muc.x/2024/03/04.txt")]
    [InlineData(false, true, true, "garden@muc.x/2024-03-04.html")]
    [InlineData(false, false, false, "garden/2024-03-04.txt")]
    public void The_options_make_the_path(bool subfolders, bool address, bool html, string expected)
    {
        var style = new RoomLogStyle { HasSubfolders = subfolders, IsNamedByAddress = address, IsHtml = html };
        string name = RoomLogFile.Name(Day, style);
        Assert.Equal(expected, $"{RoomLogFile.Folder(Jid.Parse("garden@muc.x"), style)}/{name}");
        Assert.True(RoomLogFile.TryDay(name, style, out var day) && day == Day);
        Assert.False(RoomLogFile.TryDay("notes.html", style, out _));
    }

    [Theory, Feature("ML-05")]
    [InlineData("..", "%2E%2E")]
    [InlineData(".hidden", "%2Ehidden")]
    [InlineData("a*b?c|d%e~", "a%2Ab%3Fc%7Cd%25e%7E")]
    [InlineData("a\\b", "a%5Cb")]
    public void No_name_of_a_room_leads_elsewhere(string local, string expected)
    {
        if (!Jid.TryCreate(local, "muc.x", null, out var room)) return; // then there is no such room
        Assert.Equal(expected, RoomLogFile.Folder(room, new RoomLogStyle { IsNamedByAddress = false }));
    }

    [Fact, Feature("ML-05")]
    public void Long_names_are_cut_and_stay_different()
    {
        var style = new RoomLogStyle();
        string one = RoomLogFile.Folder(Jid.Parse(new string('ж', 500) + "a@muc.x"), style);
        string two = RoomLogFile.Folder(Jid.Parse(new string('ж', 500) + "b@muc.x"), style);
        Assert.NotEqual(one, two);
        Assert.InRange(Encoding.UTF8.GetByteCount(one), 1, 255);
    }
}
