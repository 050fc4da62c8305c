using Muster.Core.Rooms;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>How fast one may speak and change presence (muc.md §16).</summary>
public sealed class RateTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony", Nurse = "nurse@x/house";

    static RoomDriver Inside(RoomPolicy policy, RoomOptions? options = null)
    {
        var room = RoomDriver.Stored(options, policy, "owner romeo@x");
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"), (Nurse, "Nurse"));
        return room;
    }

    [Fact, Feature("MU-14")]
    public void A_second_message_waits_for_its_time_and_a_third_is_refused()
    {
        var room = Inside(new() { MessageIntervalMin = TimeSpan.FromSeconds(10) });
        room.Say(Julia, "one");
        room.Pass(4);
        room.Say(Julia, "two");
        room.Say(Julia, "three");
        Assert.Equal(["groupchat Jule 'one'", "error message resource-constraint"], room.Received(Julia));
        room.Say(Nurse, "I am another"); // each has a pace of its own
        Assert.Equal(["groupchat Jule 'one'", "groupchat Nurse 'I am another'"], room.Received(Romeo));
        room.Pass(5.9);
        Assert.Empty(room.Received(Romeo));
        room.Pass(0.1);
        Assert.Equal(["groupchat Jule 'two'"], room.Received(Romeo));
        room.Say(Julia, "four"); // the next interval begins when the last was shown
        Assert.Empty(room.Received(Romeo));
        room.Pass(10);
        Assert.Equal(["groupchat Jule 'four'"], room.Received(Romeo));
    }

    [Fact, Feature("MU-14")]
    public void What_waited_is_archived_when_it_is_shown_under_an_id_of_that_moment()
    {
        var room = Inside(new() { MessageIntervalMin = TimeSpan.FromSeconds(10) });
        room.Say(Julia, "one");
        room.Say(Julia, "two");
        room.Say(Nurse, "three");
        Assert.Equal(2, room.Archived.Count);
        room.Pass(10);
        Assert.Equal(["one", "three", "two"], room.Archived.Select(archive => archive.Stanza.Body));
        Assert.True(room.Archived.Zip(room.Archived.Skip(1)).All(pair => pair.First.Id < pair.Second.Id));
        Assert.Equal(room.Now, room.Archived[2].At);
    }

    [Fact, Feature("MU-14")]
    public void The_right_to_speak_is_checked_again_when_the_time_has_come()
    {
        var room = Inside(new() { MessageIntervalMin = TimeSpan.FromSeconds(10) });
        room.Say(Julia, "one");
        room.Say(Julia, "two");
        room.Say(Nurse, "one");
        room.Say(Nurse, "two");
        room.Leave(Julia, "Jule");
        room.Role_(Romeo, "Nurse", Role.Visitor);
        room.Forget();
        room.Pass(10);
        Assert.Equal(["error message not-acceptable"], room.Received(Julia));
        Assert.Equal(["error message forbidden"], room.Received(Nurse));
        Assert.Empty(room.Received(Romeo));
    }

    [Fact]
    public void A_room_whose_tick_found_no_place_asks_for_it_again()
    {
        var room = Inside(new() { MessageIntervalMin = TimeSpan.FromSeconds(10) });
        room.Say(Julia, "one");
        room.Say(Julia, "two");
        room.Now += TimeSpan.FromSeconds(20); // and no tick came
        room.Presence(Nurse, "Nurse");
        Assert.Single(room.Effects.OfType<RoomEffect.WakeAt>());
        room.Forget();
        room.Pass(0);
        Assert.Equal(["groupchat Jule 'two'"], room.Received(Romeo));
    }

    [Fact, Feature("MU-18")]
    public void A_senders_shaper_delays_what_is_more_than_a_seconds_worth()
    {
        var room = Inside(new() { UserMessageRate = 1000 });
        room.Say(Julia, new string('x', 1800));
        Assert.Empty(room.Received(Romeo));
        room.Pass(0.7);
        Assert.Empty(room.Received(Romeo));
        room.Pass(0.5);
        Assert.Single(room.Received(Romeo));
    }

    [Fact, Feature("MU-10")]
    public void The_rooms_shaper_makes_a_line_that_keeps_the_order_of_all()
    {
        var room = Inside(new() { RoomRate = 1000 });
        room.Say(Julia, "1 " + new string('x', 1500));
        room.Say(Nurse, "2 " + new string('x', 900));
        room.Say(Romeo, "3");
        room.Say(Romeo, "4");
        Assert.Equal(["error message resource-constraint"], room.Received(Romeo));
        room.Pass(0.9);
        Assert.Single(room.Received(Romeo));
        room.Pass(5);
        Assert.Equal(["2", "3"], room.Archived.Select(archive => archive.Stanza.Body!.Split(' ')[0]).Skip(1));
    }

    [Fact, Feature("MU-10")]
    public void A_room_that_ends_tells_those_who_wait()
    {
        var room = RoomDriver.Nonexistent(null, new() { MessageIntervalMin = TimeSpan.FromSeconds(10) });
        room.Join(Romeo, "Romeo");
        room.Configure(Romeo);
        room.Say(Romeo, "one");
        room.Say(Romeo, "two");
        room.Forget();
        room.Leave(Romeo, "Romeo");
        Assert.True(room.Room.IsClosed);
        Assert.Contains("error message not-acceptable", room.Received(Romeo));
    }

    [Fact, Spec("XEP-0500", "server-side-rate-limiting")]
    public void In_slow_mode_a_message_that_comes_too_soon_is_refused_but_not_an_owners()
    {
        var room = Inside(new(), new() { SlowModeSeconds = 30, AllowMultipleSessions = true });
        room.Say(Romeo, "one");
        room.Say(Romeo, "two");
        room.Say(Julia, "three");
        room.Message(Julia, "", Protocol.Stanzas.MessageType.Groupchat, new Element("urn:example", "typing"));
        room.Join("julia@x/phone", "Jule");
        room.Forget();
        room.Say("julia@x/phone", "four"); // another device of the same user
        var refused = Assert.Single(room.Stanzas("julia@x/phone"));
        Assert.Equal((Protocol.Stanzas.StanzaErrorType.Wait, "policy-violation"),
            (refused.Error!.Type, refused.Error.Condition));
        Assert.Contains("30 seconds", refused.Error.Text!, StringComparison.Ordinal);
        Assert.Empty(room.Received(Nurse));
        room.Leave("julia@x/phone", "Jule"); // going and coming does not help
        room.Leave(Julia, "Jule");
        room.Join(Julia, "Jule");
        room.Forget();
        room.Say(Julia, "four");
        Assert.Equal(["error message policy-violation"], room.Received(Julia));
        room.Pass(30);
        room.Say(Julia, "four");
        Assert.Equal(["groupchat Jule 'four'"], room.Received(Nurse));
    }

    [Fact, Spec("XEP-0500", "client-discovering"), Spec("XEP-0500", "muc-configuration-activation")]
    public void Slow_mode_is_told_to_all_and_asked_of_owners_with_its_range()
    {
        var room = Inside(new(), new() { SlowModeSeconds = 30 });
        room.Get(Romeo, new Element(Namespaces.MucOwner, "query"));
        Assert.Contains("<validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:integer'>" +
            "<range min='0' max='86400'/></validate>", Assert.Single(room.Stanzas(Romeo)).ToString(),
            StringComparison.Ordinal);
        room.Get(Nurse, new Element(Namespaces.DiscoInfo, "query"));
        Assert.Contains("slow_mode_duration' type='text-single' label='Seconds between two messages'><value>30<",
            Assert.Single(room.Stanzas(Nurse)).ToString(), StringComparison.Ordinal);
    }

    // ---- Presence ----

    static Element Show(string show) => new(Namespaces.Client, "show", show);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Feature("MU-15", "MU-19")]
    public void Of_presence_updates_that_come_too_soon_the_newest_is_shown(bool byShaper)
    {
        var room = Inside(byShaper
            ? new() { UserPresenceRate = 100 }
            : new() { PresenceIntervalMin = TimeSpan.FromSeconds(10) });
        room.Presence(Julia, "Jule", PresenceType.Available, Show("chat"));
        room.Presence(Julia, "Jule", PresenceType.Available, Show("away"));
        room.Presence(Julia, "Jule", PresenceType.Available, Show("xa"));
        Assert.Equal(["presence Jule none/participant show=chat"], room.Received(Nurse));
        room.Pass(10);
        Assert.Equal(["presence Jule none/participant show=xa"], room.Received(Nurse));
        room.Pass(100);
        Assert.Empty(room.Received(Nurse));
    }

    [Fact, Feature("MU-15")]
    public void Leaving_another_nick_and_entering_again_never_wait()
    {
        var room = Inside(new() { PresenceIntervalMin = TimeSpan.FromSeconds(10) });
        room.Presence(Julia, "Jule", PresenceType.Available, Show("chat"));
        room.Presence(Julia, "Jule", PresenceType.Available, Show("away"));
        room.Forget();
        room.Presence(Julia, "Capulet");
        Assert.Equal(2, room.Received(Nurse).Length);
        room.Pass(20); // the older update does not come after the newer presence
        Assert.Empty(room.Received(Nurse));
        room.Presence(Nurse, "Nurse", PresenceType.Available, Show("chat"));
        room.Presence(Nurse, "Nurse", PresenceType.Available, Show("away"));
        room.Leave(Nurse, "Nurse");
        Assert.Contains("presence Nurse unavailable none/none", room.Received(Julia));
        room.Forget();
        room.Pass(20);
        Assert.True(room.IsQuiet);
    }
}
