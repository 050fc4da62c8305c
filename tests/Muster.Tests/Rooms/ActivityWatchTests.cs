using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>The table of those who wait to hear of activity (XEP-0437).</summary>
[Spec("XEP-0437", "rules")]
public sealed class ActivityWatchTests
{
    static readonly Jid Garden = Jid.Parse("garden@muc.x"), Tomb = Jid.Parse("tomb@muc.x");
    static readonly Jid Desk = Jid.Parse("romeo@x/desk"), Phone = Jid.Parse("romeo@x/phone"),
        Julia = Jid.Parse("julia@x/balcony");
    static readonly DateTimeOffset Now = new(2024, 5, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_room_is_told_once_to_each_session_until_its_user_was_inside()
    {
        var watch = new ActivityWatch(10, 10);
        Assert.True(watch.TrySubscribe(Desk, [Garden, Tomb]));
        Assert.True(watch.TrySubscribe(Phone, [Garden]));
        Assert.True(watch.TrySubscribe(Julia, [Tomb]));
        Assert.Equal([Desk, Phone], watch.Take(Garden).AsEnumerable());
        Assert.False(watch.IsWatched(Garden));
        Assert.Empty(watch.Take(Garden));
        watch.Entered(Desk, Tomb);
        Assert.Equal([Julia], watch.Take(Tomb).AsEnumerable());
        watch.Left(Phone, Garden, Now);
        Assert.Equal([Desk, Phone], watch.Take(Garden).AsEnumerable());
        Assert.Equal(Now, watch.LastVisit(Desk, Garden));
        Assert.Null(watch.LastVisit(Desk, Tomb));
    }

    [Fact]
    public void Who_unsubscribes_or_subscribes_again_leaves_nothing_behind()
    {
        var watch = new ActivityWatch(10, 10);
        watch.TrySubscribe(Desk, [Garden]);
        watch.TrySubscribe(Desk, [Tomb]);
        Assert.False(watch.IsWatched(Garden));
        watch.Unsubscribe(Desk);
        watch.Unsubscribe(Desk);
        Assert.False(watch.IsWatched(Tomb));
        Assert.Equal(0, watch.Count);
        watch.Left(Desk, Garden, Now);
        Assert.False(watch.IsWatched(Garden));
    }

    [Fact]
    public void Sessions_and_visits_are_bounded()
    {
        var watch = new ActivityWatch(2, 2);
        Assert.True(watch.TrySubscribe(Desk, []));
        Assert.True(watch.TrySubscribe(Phone, []));
        Assert.False(watch.TrySubscribe(Julia, [Garden]));
        Assert.False(watch.IsWatched(Garden));
        Assert.True(watch.TrySubscribe(Desk, [Garden])); // again is not one more
        for (int i = 0; i < 5; i++) watch.Left(Julia, Jid.Parse($"room{i}@muc.x"), Now);
        Assert.Null(watch.LastVisit(Julia, Jid.Parse("room0@muc.x")));
        Assert.Equal(Now, watch.LastVisit(Julia, Jid.Parse("room2@muc.x")));
        Assert.Equal(Now, watch.LastVisit(Julia, Jid.Parse("room4@muc.x")));
    }
}
