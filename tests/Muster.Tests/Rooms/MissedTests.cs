using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>What a session has missed, or may have, when nothing of it came back (muc-push.md §7).</summary>
[Feature("CN-14", "CN-15")]
public sealed class MissedTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@far.example/balcony", Nurse = "nurse@far.example/house";

    /// <summary>Julia, of another server, is a member who wants what is said while she is away; the nurse is
    /// nobody.</summary>
    static RoomDriver Inside()
    {
        var room = RoomDriver.Stored(null, new() { OfflineDeliveryDefault = true }, "owner romeo@x",
            "member julia@far.example as Jule");
        foreach (string user in (string[])["julia@far.example", "nurse@far.example"])
            room.Facts(user, new SenderFacts());
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"), (Nurse, "Nurse"));
        room.Pass(60);
        return room;
    }

    static (MissCause Cause, string Condition, string Messages) Missed(RoomDriver room)
    {
        var effect = room.Effects.OfType<RoomEffect.Undeliverable>().Single(e => e.Session == Jid.Parse(Julia));
        Assert.Equal("Jule", effect.Nick);
        var bodies = room.Archived.Where(archive => effect.Messages.Contains(archive.Id))
            .Select(archive => archive.Stanza.Body);
        return (effect.Cause, effect.Condition, string.Join(',', bodies));
    }

    static void MissedNothing(RoomDriver room) => Assert.Empty(room.Effects.OfType<RoomEffect.Undeliverable>());

    static void Fail(RoomDriver room, Iq ask, string condition) => room.Send(new Iq(IqType.Error,
        ask.To.IsNone ? Jid.Parse(Julia) : ask.To, ask.From, ask.Id,
        new StanzaError(StanzaErrorType.Cancel, condition).ToElement()));

    [Fact]
    public void Who_does_not_answer_has_missed_what_was_said_since_it_last_spoke()
    {
        var room = Inside();
        room.Say(Romeo, "before");
        room.Pass(60);
        room.Say(Julia, "mine");
        room.Pass(60);
        room.Say(Romeo, "one");
        room.Pass(1);
        room.Say(Romeo, "two");
        room.Say(Nurse, "three");
        for (int i = 0; i < 60 && room.Room.Sessions.Contains(Jid.Parse(Julia)); i++)
        {
            room.Presence(Nurse, "Nurse"); // she gives signs
            room.Forget();
            room.Pass(60);
        }
        Assert.Equal((MissCause.Silent, "no-answer", "one,two,three"), Missed(room));
        Assert.Equal(3, room.Received("julia@far.example").Length);
    }

    [Fact]
    public void Whose_probe_comes_back_has_missed_what_was_said_since_and_gets_it_at_the_bare_address()
    {
        var room = Inside();
        room.Say(Julia, "mine");
        room.Pass(60);
        room.Say(Romeo, "one");
        room.Say(Romeo, "two");
        room.Pass(19 * 60);
        var ask = (Iq)room.Stanzas(Julia).Last(stanza => stanza is Iq);
        room.Forget();
        Fail(room, ask, "service-unavailable");
        Assert.Equal((MissCause.Silent, "service-unavailable", "one,two"), Missed(room));
        Assert.Equal(["groupchat Romeo 'one' delayed", "groupchat Romeo 'two' delayed"],
            room.Received("julia@far.example"));
    }

    [Fact]
    public void Whose_presence_comes_back_has_missed_what_was_said_since()
    {
        var room = Inside();
        room.Say(Romeo, "one");
        room.Pass(1);
        room.Send(new Presence(PresenceType.Error, Jid.Parse(Julia), RoomDriver.At("Romeo"), "x",
            StanzaError.RemoteServerTimeout.ToElement()));
        Assert.Equal((MissCause.Silent, "remote-server-timeout", "one"), Missed(room));
    }

    [Fact]
    public void Nothing_is_missed_by_who_is_found_gone_when_nothing_was_said()
    {
        var room = Inside();
        room.Say(Romeo, "one");
        room.Pass(1);
        room.Say(Julia, "I have it");
        room.Pass(19 * 60);
        var ask = (Iq)room.Stanzas(Julia).Last(stanza => stanza is Iq);
        room.Forget();
        Fail(room, ask, "item-not-found");
        Assert.Equal((MissCause.Silent, "item-not-found", ""), Missed(room));
        Assert.Empty(room.Received("julia@far.example"));
    }

    [Fact]
    public void Who_does_not_come_through_a_restart_has_missed_what_was_said_before_it()
    {
        var room = Inside();
        room.Say(Romeo, "long ago");
        room.Pass(16 * 60);
        room.Say(Julia, "mine");
        room.Pass(60);
        room.Say(Romeo, "one");
        room.Resume(withHistory: true);
        room.Forget();
        room.Happen(new RoomEvent.SessionLost(Jid.Parse(Julia)));
        Assert.Equal((MissCause.Lost, "session-lost", "one"), Missed(room));
        Assert.Equal(["groupchat Romeo 'one' delayed"], room.Received("julia@far.example"));
    }

    [Theory]
    [InlineData(4, true)]
    [InlineData(6, false)]
    public void What_was_said_moments_before_a_member_went_may_not_have_arrived(int seconds, bool isFresh)
    {
        var room = Inside();
        room.Say(Romeo, "one");
        room.Pass(seconds);
        room.Forget();
        room.Leave(Julia, "Jule");
        if (isFresh) Assert.Equal((MissCause.Left, "left", "one"), Missed(room));
        else MissedNothing(room);
        // Most likely it has, so it is not sent once more.
        Assert.Empty(room.Received("julia@far.example"));
    }

    [Fact]
    public void Who_spoke_since_who_is_no_member_and_who_is_sent_away_has_missed_nothing()
    {
        var room = Inside();
        room.Say(Romeo, "one");
        room.Pass(1);
        room.Leave(Nurse, "Nurse");
        MissedNothing(room);
        room.Say(Julia, "two");
        room.Pass(1);
        room.Leave(Julia, "Jule");
        MissedNothing(room);
        room.Join(Julia, "Jule");
        room.Pass(1);
        room.Say(Romeo, "three");
        room.Pass(1);
        room.Kick(Romeo, "Jule");
        MissedNothing(room);
    }

    [Fact]
    public void What_was_said_moments_before_the_room_is_shut_may_not_have_arrived()
    {
        var room = Inside();
        room.Say(Romeo, "one");
        room.Pass(2);
        room.Say(Romeo, "two");
        room.Pass(2);
        room.Happen(new RoomEvent.Shutdown());
        Assert.Equal((MissCause.Left, "left", "one,two"), Missed(room));
    }

    [Fact]
    public void Sessions_that_outlive_the_process_miss_nothing_by_its_stop()
    {
        var room = RoomDriver.Stored(null, null, "owner romeo@x", "member julia@x as Jule", "member nurse@x");
        room.Inside((Romeo, "Romeo"), ("julia@x/1", "Jule"), ("nurse@x/1", "Nurse"));
        room.Pass(60);
        room.Say(Romeo, "one");
        room.Pass(1);
        room.Happen(new RoomEvent.Shutdown { Stay = new HashSet<Jid> { Jid.Parse(Romeo), Jid.Parse("nurse@x/1") } });
        var missed = Assert.Single(room.Effects.OfType<RoomEffect.Undeliverable>());
        Assert.Equal(Jid.Parse("julia@x/1"), missed.Session);
    }
}
