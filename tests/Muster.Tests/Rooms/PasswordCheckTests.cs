using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Passwords that another service checks (muc.md §17).</summary>
[Feature("MU-21", "MU-57")]
public sealed class PasswordCheckTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony";

    static readonly RoomPolicy External = new() { ExternalPasswords = true };
    static readonly RoomOptions Protected = new() { PasswordProtected = true, Password = "ignored" };

    static long Asked(RoomDriver room, string user, string password)
    {
        var check = Assert.IsType<RoomEffect.CheckPassword>(Assert.Single(room.Effects));
        Assert.Equal((Jid.Parse(user), password), (check.Session, check.Password));
        return check.Attempt;
    }

    static void Answer(RoomDriver room, string user, long attempt, int? code, string? text = null) =>
        room.Happen(new RoomEvent.PasswordChecked(Jid.Parse(user), attempt, code, text));

    [Fact, Feature("MU-59")]
    public void Who_gives_a_password_enters_when_the_service_says_so_and_the_room_goes_on_meanwhile()
    {
        var room = RoomDriver.Stored(Protected, External, "owner romeo@x");
        room.Facts("romeo@x", new SenderFacts { IsServiceAdmin = true });
        room.Join(Romeo, "Romeo"); // administrators need no password
        room.Join(Julia, "Jule", "rose");
        long attempt = Asked(room, Julia, "rose");
        room.Say(Romeo, "anybody?");
        Assert.Empty(room.Received(Julia));
        Answer(room, Julia, attempt, 0);
        Assert.Equal(
        [
            "presence Romeo owner/moderator",
            "presence Jule none/participant jid=julia@x/balcony 110",
            "groupchat Romeo 'anybody?' delayed",
            "groupchat subject=''",
        ], room.Received(Julia));
    }

    [Fact, Feature("MU-60")]
    public void Another_code_is_shown_to_the_client()
    {
        var room = RoomDriver.Stored(Protected, External);
        room.Join(Julia, "Jule", "rose");
        Answer(room, Julia, Asked(room, Julia, "rose"), 5, "Password expired");
        var error = Assert.Single(room.Stanzas(Julia)).Error!;
        Assert.Equal(("not-authorized", "5 Password expired"), (error.Condition, error.Text));
    }

    [Fact, Feature("MU-61")]
    public void No_usable_answer_is_an_error()
    {
        var room = RoomDriver.Stored(Protected, External);
        room.Join(Julia, "Jule", "rose");
        Answer(room, Julia, Asked(room, Julia, "rose"), null);
        var error = Assert.Single(room.Stanzas(Julia)).Error!;
        Assert.Equal(("service-unavailable", "Internal server error"), (error.Condition, error.Text));
    }

    [Fact]
    public void Without_a_password_nobody_is_asked()
    {
        var room = RoomDriver.Stored(Protected, External);
        room.Join(Julia, "Jule");
        Assert.Equal(["error presence Jule not-authorized"], room.Received(Julia));
    }

    [Fact]
    public void What_changed_meanwhile_counts()
    {
        var room = RoomDriver.Stored(Protected, External, "owner romeo@x");
        room.Facts("romeo@x", new SenderFacts { IsServiceAdmin = true });
        room.Join(Romeo, "Romeo");
        room.Join(Julia, "Jule", "rose");
        long attempt = Asked(room, Julia, "rose");
        room.Affiliate(Romeo, "julia@x", Protocol.Payloads.Affiliation.Outcast);
        room.Forget();
        Answer(room, Julia, attempt, 0);
        Assert.Equal(["error presence Jule forbidden"], room.Received(Julia));

    }

    [Fact]
    public void An_answer_to_an_attempt_that_was_given_up_or_repeated_is_dropped()
    {
        var room = RoomDriver.Stored(Protected, External);
        room.Join(Julia, "Jule", "rose");
        long first = Asked(room, Julia, "rose");
        room.Join(Julia, "Jule", "thorn");
        long second = Asked(room, Julia, "thorn");
        Answer(room, Julia, first, 0);
        Assert.True(room.IsQuiet);
        room.Leave(Julia, "Jule");
        Answer(room, Julia, second, 0);
        Assert.True(room.IsQuiet);
        Assert.Empty(room.Room.Sessions);
    }

    [Fact, Feature("MU-62")]
    public void A_new_room_waits_for_the_answer_and_vanishes_without_one()
    {
        var room = RoomDriver.Nonexistent(new() { PasswordProtected = true }, External);
        room.Join(Romeo, "Romeo", "rose");
        long attempt = Asked(room, Romeo, "rose");
        Assert.False(room.Room.IsClosed);
        Assert.True(room.Room.IsWaiting);
        Answer(room, Romeo, attempt, 0);
        Assert.Equal("presence Romeo owner/moderator jid=romeo@x/orchard 110 201", room.Received(Romeo)[0]);
        room.Configure(Romeo, ("muc#roomconfig_passwordprotectedroom", "1"), ("muc#roomconfig_roomsecret", ""));
        Assert.Equal(["result"], room.Received(Romeo)); // no password of its own is needed

        room = RoomDriver.Nonexistent(new() { PasswordProtected = true }, External);
        room.Join(Romeo, "Romeo", "rose");
        Answer(room, Romeo, Asked(room, Romeo, "rose"), 1, "No");
        Assert.Equal(["error presence Romeo not-authorized"], room.Received(Romeo));
        Assert.True(room.Room.IsClosed);
    }

    [Fact]
    public void A_temporary_room_lives_on_while_somebody_waits()
    {
        var room = RoomDriver.Nonexistent(new() { PasswordProtected = true }, External);
        room.Join(Romeo, "Romeo", "rose");
        Answer(room, Romeo, Asked(room, Romeo, "rose"), 0);
        room.Configure(Romeo);
        room.Join(Julia, "Jule", "rose");
        long attempt = Asked(room, Julia, "rose");
        room.Leave(Romeo, "Romeo");
        Assert.False(room.Room.IsClosed);
        Answer(room, Julia, attempt, null);
        Assert.True(room.Room.IsClosed);
    }
}
