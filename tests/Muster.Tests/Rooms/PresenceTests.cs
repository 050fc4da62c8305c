using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Presence inside: updates, leaving, other nicks, and who hears of them (muc.md §4, §5).</summary>
[Feature("MU-01")]
public sealed class PresenceTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony", Phone = "julia@x/phone", Nurse = "nurse@x/house";

    static readonly Element Away = new(Namespaces.Client, "show", "away");
    static readonly RoomOptions Shared = new() { AllowMultipleSessions = true };

    static RoomDriver Inside(RoomOptions? options = null)
    {
        var room = RoomDriver.Stored(options, null, "owner romeo@x");
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"), (Nurse, "Nurse"));
        return room;
    }

    [Fact, Spec("XEP-0045", "changepres")]
    public void An_update_goes_to_all_one_stanza_for_each_kind_of_reader()
    {
        var room = Inside();
        room.Presence(Julia, "Jule", PresenceType.Available, Away);
        Assert.Equal(["presence Jule none/participant jid=julia@x/balcony show=away"], room.Received(Romeo));
        Assert.Equal(["presence Jule none/participant show=away"], room.Received(Nurse));
        Assert.Equal(["presence Jule none/participant jid=julia@x/balcony 110 show=away"], room.Received(Julia));
    }

    [Fact]
    public void However_many_are_inside_a_presence_has_three_kinds_of_readers()
    {
        var room = RoomDriver.Stored(null, null, "owner romeo@x", "admin nurse@x");
        room.Inside((Romeo, "Romeo"), (Nurse, "Nurse"));
        for (int i = 0; i < 50; i++) room.Join($"guest{i}@x/1", $"Guest {i}");
        room.Presence("guest7@x/1", "Guest 7", PresenceType.Available, Away);
        Assert.Equal(3, room.Effects.Count);
        Assert.Equal(2, room.Effects.OfType<RoomEffect.Broadcast>().Count());
        Assert.Equal(52 - 1, room.Effects.OfType<RoomEffect.Broadcast>().Sum(broadcast => broadcast.Sessions.Length));
    }

    [Fact]
    public void Presence_to_the_room_itself_is_presence_to_ones_nick()
    {
        var room = Inside();
        room.Presence(Julia, "", PresenceType.Available, Away);
        Assert.Equal(["presence Jule none/participant show=away"], room.Received(Nurse));
    }

    [Fact, Feature("MU-32")]
    public void A_visitors_status_text_is_removed_where_it_is_not_allowed()
    {
        var room =
            RoomDriver.Stored(new() { MembersByDefault = false, AllowVisitorStatus = false }, null, "member nurse@x");
        room.Inside((Nurse, "Nurse"), (Julia, "Jule"));
        var status = new Element(Namespaces.Client, "status", "buy my watches");
        room.Presence(Julia, "Jule", PresenceType.Available, Away, status);
        Assert.Equal(["presence Jule none/visitor show=away"], room.Received(Nurse));
        room.Presence(Nurse, "Nurse", PresenceType.Available, status);
        Assert.Contains("presence Nurse member/participant status='buy my watches'", room.Received(Julia));
    }

    [Fact, Spec("XEP-0045", "exit")]
    public void Leaving_is_told_to_all_with_the_last_words_and_confirmed_to_the_one_who_left()
    {
        var room = Inside();
        room.Leave(Julia, "Jule", "good night");
        Assert.Equal(["presence Jule unavailable none/none jid=julia@x/balcony status='good night'"],
            room.Received(Romeo));
        Assert.Equal(["presence Jule unavailable none/none status='good night'"], room.Received(Nurse));
        Assert.Equal(["presence Jule unavailable none/none jid=julia@x/balcony 110 status='good night'"],
            room.Received(Julia));
        Assert.Equal(new RoomEffect.Left(Jid.Parse(Julia), "Jule", true, 0, "good night"), room.Effects[^1]);
        room.Say(Romeo, "gone");
        Assert.Empty(room.Received(Julia));
    }

    [Fact]
    public void When_one_of_several_sessions_leaves_the_others_hear_nothing_unless_it_stood_for_the_nick()
    {
        var room = Inside(Shared);
        room.Join(Phone, "Jule");
        room.Forget();
        room.Leave(Phone, "Jule");
        Assert.Equal(["presence Jule unavailable none/none jid=julia@x/phone 110"], room.Received(Phone));
        Assert.True(room.IsQuiet);

        room.Join(Phone, "Jule", null, null, Away, new Element(Namespaces.Client, "priority", "5"));
        Assert.Equal(["presence Jule none/participant jid=julia@x/phone show=away"],
            room.Received(Romeo)); // the phone stands for the nick now
        room.Forget();
        room.Leave(Phone, "Jule");
        Assert.Equal(["presence Jule none/participant jid=julia@x/balcony"], room.Received(Romeo));
        Assert.Equal(["presence Jule none/participant jid=julia@x/balcony 110"], room.Received(Julia));
    }

    [Fact, Spec("XEP-0045", "bizrules-presence")]
    public void An_occupant_may_probe_another()
    {
        var room = Inside();
        room.Presence(Nurse, "Jule", PresenceType.Probe);
        Assert.Equal(["presence Jule none/participant"], room.Received(Nurse));
        room.Presence(Nurse, "Nobody", PresenceType.Probe);
        Assert.Equal(["error presence Nobody item-not-found"], room.Received(Nurse));
    }

    [Fact]
    public void Only_the_chosen_roles_are_shown_to_others()
    {
        var room = RoomDriver.Stored(new() { PresenceBroadcast = [Role.Moderator] }, null, "owner romeo@x");
        room.Join(Romeo, "Romeo");
        room.Join(Julia, "Jule");
        Assert.DoesNotContain(room.Received(Romeo), line => line.Contains("Jule", StringComparison.Ordinal));
        Assert.Contains("presence Jule none/participant jid=julia@x/balcony 110", room.Received(Julia));
        room.Role_(Romeo, "Jule", Role.Moderator);
        Assert.Contains("presence Jule none/moderator jid=julia@x/balcony by=Romeo(romeo@x)", room.Received(Romeo));
        room.Role_(Romeo, "Jule", Role.Participant);
        Assert.Contains("presence Jule unavailable none/none jid=julia@x/balcony", room.Received(Romeo));
        room.Forget();
        room.Leave(Julia, "Jule");
        Assert.Empty(room.Received(Romeo));
    }

    [Fact]
    public void When_the_roles_that_are_shown_change_the_others_come_and_go()
    {
        var room = Inside();
        room.Configure(Romeo, ("muc#roomconfig_presencebroadcast", "moderator"));
        Assert.Contains("presence Jule unavailable none/none", room.Received(Nurse));
        room.Forget();
        room.Configure(Romeo, ("muc#roomconfig_presencebroadcast", "moderator"),
            ("muc#roomconfig_presencebroadcast", "participant"));
        Assert.Contains("presence Jule none/participant", room.Received(Nurse));
    }

    [Fact]
    public void The_language_of_a_status_text_is_kept()
    {
        var room = Inside();
        var status = new Element(Namespaces.Client, "status", "buona notte");
        room.Send(new Presence(PresenceType.Available, Jid.Parse(Julia), RoomDriver.At("Jule"), null,
            status).WithLang("it"));
        Assert.Equal("it", Assert.Single(room.Stanzas(Nurse)).Lang);
    }

    [Fact]
    public void In_an_overcrowded_room_strangers_are_not_announced_and_all_agree_on_it()
    {
        var room = RoomDriver.Stored(null, new() { AnnouncedOccupantsMax = 2 }, "owner romeo@x", "member nurse@x");
        room.Inside((Romeo, "Romeo"), ("a@x/1", "A"));
        room.Join(Julia, "Jule");
        Assert.Empty(room.Received(Romeo));
        room.Join(Nurse, "Nurse");
        Assert.Equal(["presence Nurse member/participant jid=nurse@x/house"], room.Received(Romeo));
        Assert.DoesNotContain(room.Received(Nurse), line => line.Contains("Jule", StringComparison.Ordinal));
        room.Leave("a@x/1", "A");
        room.Forget();
        room.Leave(Julia, "Jule");
        Assert.Empty(room.Received(Romeo));
    }

    // ---- Nicks ----

    [Fact, Spec("XEP-0045", "changenick")]
    public void Changing_the_nick_is_going_with_303_and_coming_with_the_new_one()
    {
        var room = Inside();
        room.Presence(Julia, "Capulet");
        Assert.Equal(["presence Jule unavailable none/participant jid=julia@x/balcony nick=Capulet 303",
            "presence Capulet none/participant jid=julia@x/balcony"],
            room.Received(Romeo));
        Assert.Equal(["presence Jule unavailable none/participant nick=Capulet 303",
            "presence Capulet none/participant"], room.Received(Nurse));
        Assert.Equal(["presence Jule unavailable none/participant jid=julia@x/balcony nick=Capulet 110 303",
            "presence Capulet none/participant jid=julia@x/balcony 110"],
            room.Received(Julia));
        room.Say(Julia, "refuse thy name");
        Assert.Equal(["groupchat Capulet 'refuse thy name'"], room.Received(Nurse));
    }

    [Theory, Spec("XEP-0045", "changenick")]
    [InlineData("Nurse", "error presence Nurse conflict")]
    [InlineData("Tybalt", "error presence Tybalt conflict")] // reserved
    public void A_nick_of_somebody_else_is_a_conflict(string nick, string expected)
    {
        var room = RoomDriver.Stored(null, null, "member tybalt@x as Tybalt");
        room.Inside((Julia, "Jule"), (Nurse, "Nurse"));
        room.Presence(Julia, nick);
        Assert.Equal([expected], room.Received(Julia));
        Assert.Empty(room.Received(Nurse));
    }

    [Fact, Feature("MU-33")]
    public void Visitors_keep_their_nick_where_changing_is_not_allowed()
    {
        var room = Inside(new() { MembersByDefault = false, AllowVisitorNickChange = false });
        room.Presence(Julia, "Capulet");
        Assert.Equal(["error presence Capulet not-allowed"], room.Received(Julia));
    }

    [Fact]
    public void Where_nicks_are_locked_changing_is_not_acceptable()
    {
        var room = RoomDriver.Stored(new() { RegisteredNicksOnly = true }, null, "member julia@x as Jule");
        room.Inside((Julia, "Jule"));
        room.Presence(Julia, "Capulet");
        Assert.Equal(["error presence Capulet not-acceptable"], room.Received(Julia));
    }

    [Fact]
    public void One_of_several_sessions_takes_a_nick_of_its_own()
    {
        var room = Inside(Shared);
        room.Join(Phone, "Jule");
        room.Forget();
        room.Presence(Phone, "Capulet");
        Assert.Equal(["presence Capulet none/participant"], room.Received(Nurse)); // Jule is still there
        Assert.Equal(["presence Jule unavailable none/participant jid=julia@x/phone nick=Capulet 110 303",
            "presence Jule none/participant jid=julia@x/balcony", // the other device still has it
            "presence Capulet none/participant jid=julia@x/phone 110"],
            room.Received(Phone));
        Assert.Equal(["presence Capulet none/participant jid=julia@x/phone"], room.Received(Julia));
    }

    [Fact]
    public void A_session_joins_another_nick_of_the_same_user()
    {
        var room = Inside(Shared);
        room.Join(Phone, "Capulet");
        room.Forget();
        room.Presence(Phone, "Jule");
        Assert.Equal(["presence Capulet unavailable none/participant nick=Jule 303"], room.Received(Nurse));
        Assert.Equal(["presence Capulet unavailable none/participant jid=julia@x/phone nick=Jule 110 303",
            "presence Jule none/participant jid=julia@x/balcony 110"],
            room.Received(Phone));
        room.Say(Phone, "one");
        Assert.Equal(["groupchat Jule 'one'"], room.Received(Nurse));
        Assert.Equal(3, room.Room.OccupantCount);
    }

    [Fact]
    public void Entering_again_under_another_nick_changes_it_and_tells_everything()
    {
        var room = Inside();
        room.Join(Julia, "Capulet");
        var lines = room.Received(Julia);
        Assert.StartsWith("presence Jule unavailable", lines[0], StringComparison.Ordinal);
        Assert.Contains("presence Romeo owner/moderator", lines);
        Assert.Equal("groupchat subject=''", lines[^1]);
    }

    // ---- The end ----

    [Fact, Spec("XEP-0045", "service-shutdown-kick")]
    public void At_shutdown_everybody_is_told_to_go()
    {
        var room = Inside();
        room.Happen(new RoomEvent.Shutdown());
        const string Why = "You are being removed from the room because of a system shutdown";
        Assert.Equal([$"presence Jule unavailable none/none jid=julia@x/balcony '{Why}' 110 332"],
            room.Received(Julia));
        Assert.Empty(room.Room.Sessions);
    }

    [Fact, Feature("MU-52", "MU-54", "MU-55", "MU-25")]
    public void A_sleeping_room_sends_its_only_owner_out_and_waits_for_others()
    {
        var room = RoomDriver.Stored(null, null, "owner romeo@x");
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"));
        Assert.False(room.Room.MayHibernate);
        room.Happen(new RoomEvent.Hibernate());
        Assert.True(room.IsQuiet);
        room.Leave(Julia, "Jule");
        room.Forget();
        Assert.True(room.Room.MayHibernate);
        room.Happen(new RoomEvent.Hibernate());
        Assert.Equal(["presence Romeo unavailable owner/none jid=romeo@x/orchard 'Room hibernation' 110 332"],
            room.Received(Romeo));
        Assert.True(room.Room.IsClosed);
    }

    [Fact, Feature("MU-52")]
    public void A_temporary_room_does_not_sleep()
    {
        var room = RoomDriver.Nonexistent();
        room.Join(Romeo, "Romeo");
        room.Configure(Romeo);
        Assert.False(room.Room.MayHibernate);
    }
}
