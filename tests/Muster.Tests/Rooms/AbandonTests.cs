using Muster.Core.Rooms;
using Muster.Protocol.Payloads;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>What happens to people when a batch of decisions could not be stored: nothing of it was shown.</summary>
[Spec("XEP-0045", "impl-service")]
public sealed class AbandonTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony", Nurse = "nurse@x/house";

    /// <summary>Gives the room up after the batch that made the driver's last effects.</summary>
    static List<string> Abandon(RoomDriver room)
    {
        room.Room.Abandon("sorry", room.Effects);
        Assert.True(room.Room.IsClosed);
        Assert.IsType<RoomEffect.Closed>(room.Effects[^1]);
        return [.. room.Effects.OfType<RoomEffect.Send>().Select(send => $"{send.To} {RoomDriver.Line(send.Stanza)}")];
    }

    static string[] Left(RoomDriver room) =>
        [.. room.Effects.OfType<RoomEffect.Left>().Select(left => left.Session.ToString()).Order()];

    static RoomDriver Inside(RoomPolicy? policy = null)
    {
        var room = RoomDriver.Stored(null, policy, "owner romeo@x");
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"));
        return room;
    }

    [Fact]
    public void Everybody_inside_is_sent_out_to_enter_again()
    {
        var room = Inside();
        room.Say(Julia, "lost");
        Assert.Equal(["romeo@x/orchard presence Romeo unavailable none/none 'sorry' 110 333",
            "julia@x/balcony presence Jule unavailable none/none 'sorry' 110 333"], Abandon(room));
        Assert.Equal([Julia, Romeo], Left(room));
    }

    [Fact]
    public void Who_was_sent_out_in_that_batch_hears_of_it_and_who_entered_in_it_is_not_counted_out()
    {
        var room = Inside();
        room.Affiliate(Romeo, "julia@x", Affiliation.Outcast);
        Assert.Contains("julia@x/balcony presence Jule unavailable none/none 'sorry' 110 333", Abandon(room));
        Assert.Equal([Julia, Romeo], Left(room));
        room = Inside();
        room.Join(Nurse, "Nurse");
        Assert.Contains("nurse@x/house presence Nurse unavailable none/none 'sorry' 110 333", Abandon(room));
        Assert.Equal([Julia, Romeo], Left(room));
    }

    [Fact]
    public void Messages_that_waited_are_refused_whether_they_were_in_the_batch_or_not()
    {
        var room = Inside(new() { MessageIntervalMin = TimeSpan.FromSeconds(10) });
        room.Say(Julia, "one");
        room.Say(Julia, "two");
        room.Say(Romeo, "one");
        room.Pass(10);
        room.Say(Romeo, "two");
        room.Say(Romeo, "three");
        room.Pass(5);
        room.Pass(5); // the last batch shows Romeo's third message
        Abandon(room);
        Assert.Equal(["three", "service-unavailable"], room.Effects.OfType<RoomEffect.Refuse>()
            .SelectMany(refuse => new[] { refuse.Cause.Child("body")!.Text, refuse.Error.Condition }));
    }
}
