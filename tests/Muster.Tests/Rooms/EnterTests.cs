using Muster.Core.Rooms;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Entering a room: the order of what a newcomer gets, and each row of the refusal table (muc.md
/// §3.2).</summary>
[Feature("MU-01")]
public sealed class EnterTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony", Nurse = "nurse@x/house";

    [Fact, Spec("XEP-0045", "order"), Spec("XEP-0045", "enter-pres")]
    public void A_newcomer_gets_the_others_then_itself_then_history_then_the_subject()
    {
        var room = RoomDriver.Stored(null, null, "owner romeo@x");
        room.Join(Romeo, "Romeo");
        Assert.Equal(["presence Romeo owner/moderator jid=romeo@x/orchard 110", "groupchat subject=''"],
            room.Received(Romeo));
        room.Say(Romeo, "what light");
        room.Subject(Romeo, "Windows");
        room.Forget();

        room.Join(Julia, "Jule");
        Assert.Equal(
        [
            "presence Romeo owner/moderator",
            "presence Jule none/participant jid=julia@x/balcony 110",
            "groupchat Romeo 'what light' delayed",
            "groupchat Romeo subject='Windows' delayed",
        ], room.Received(Julia));
        Assert.Equal(["presence Jule none/participant jid=julia@x/balcony"], room.Received(Romeo));
    }

    [Fact, Spec("XEP-0045", "enter-semianon"), Feature("MU-44")]
    public void Real_addresses_are_for_moderators_and_for_oneself()
    {
        var room = RoomDriver.Stored(null, null, "owner romeo@x");
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"));
        room.Join(Nurse, "Nurse");
        Assert.Equal(["presence Nurse none/participant jid=nurse@x/house"], room.Received(Romeo));
        Assert.Equal(["presence Nurse none/participant"], room.Received(Julia));
    }

    [Fact, Spec("XEP-0045", "enter-nonanon"), Feature("MU-44")]
    public void In_a_non_anonymous_room_everybody_sees_addresses_and_is_warned()
    {
        var room = RoomDriver.Stored(new() { Anonymous = false }, null, "owner romeo@x");
        room.Inside((Romeo, "Romeo"));
        room.Join(Julia, "Jule");
        Assert.Equal(["presence Romeo owner/moderator jid=romeo@x/orchard",
            "presence Jule none/participant jid=julia@x/balcony 100 110"], room.Received(Julia)[..2]);
    }

    [Fact, Spec("XEP-0045", "enter-logging"), Feature("MU-46")]
    public void In_a_logged_room_a_newcomer_is_warned()
    {
        var room = RoomDriver.Stored(new() { Logging = true });
        room.Join(Julia, "Jule");
        Assert.Equal("presence Jule none/participant jid=julia@x/balcony 110 170", room.Received(Julia)[0]);
    }

    [Fact]
    public void The_self_presence_keeps_the_id_and_what_the_user_shows_but_nothing_that_only_the_room_may_say()
    {
        var room = RoomDriver.Stored();
        room.Join(Julia, "Jule", null, null, new Element(Namespaces.Client, "show", "away"),
            new Element("urn:example", "hand"), new Element(Namespaces.OccupantId, "occupant-id").With("id", "forged"),
            new Element(Namespaces.MucUser, "x", new Element(Namespaces.MucUser, "status").With("code", "201")));
        var self = room.Stanzas(Julia)[0];
        Assert.Equal("s1", self.Id);
        Assert.NotNull(self.Child("urn:example", "hand"));
        Assert.Equal("away", self.Child("show")!.Text);
        var id = Assert.Single(self.Elements, e => e.Is(Namespaces.OccupantId, "occupant-id"));
        Assert.NotEqual("forged", id.Attribute("id"));
        var x = Assert.Single(self.Elements, e => e.Namespace.StartsWith(Namespaces.Muc, StringComparison.Ordinal));
        Assert.Equal([110], MucUser.Read(x, out _)!.Statuses);
    }

    [Fact]
    public void No_nick_is_malformed()
    {
        var room = RoomDriver.Stored();
        room.Join(Julia, "");
        Assert.Equal(["error presence jid-malformed"], room.Received(Julia));
    }

    [Fact]
    public void A_blank_nick_is_not_allowed()
    {
        var room = RoomDriver.Stored();
        room.Join(Julia, "\u2003"); // which the address has as an ordinary space (RFC 8265 §4.2.2)
        Assert.Equal(["error presence   not-allowed"], room.Received(Julia));
    }

    [Fact, Spec("XEP-0045", "enter-maxusers"), Feature("MU-16", "MU-17", "MU-45")]
    public void A_full_room_lets_only_owners_and_admins_in_up_to_the_threshold_and_administrators_always()
    {
        var room = RoomDriver.Stored(new() { MaxUsers = 2 }, new() { UsersAdminThreshold = 1 }, "owner romeo@x",
            "admin tybalt@x", "member nurse@x");
        room.Inside((Julia, "Jule"), ("paris@x/1", "Paris"));
        room.Join(Nurse, "Nurse");
        Assert.Equal(["error presence Nurse service-unavailable"], room.Received(Nurse));
        room.Join(Romeo, "Romeo");
        Assert.Contains(room.Received(Romeo), line => line.EndsWith("110", StringComparison.Ordinal));
        room.Join("tybalt@x/1", "Tybalt");
        Assert.Equal(["error presence Tybalt service-unavailable"], room.Received("tybalt@x/1"));
        room.Facts("prince@x", new SenderFacts { IsServiceAdmin = true });
        room.Join("prince@x/1", "Prince");
        Assert.Contains(room.Received("prince@x/1"), line => line.EndsWith("110", StringComparison.Ordinal));
    }

    [Fact, Feature("MU-16")]
    public void The_services_limit_holds_over_the_rooms()
    {
        var room = RoomDriver.Stored(new() { MaxUsers = 200 }, new() { UsersMax = 1 });
        room.Inside((Julia, "Jule"));
        room.Join(Nurse, "Nurse");
        var refusal = Assert.Single(room.Stanzas(Nurse));
        Assert.Equal(StanzaErrorType.Wait, refusal.Error!.Type);
    }

    [Fact, Feature("MU-20")]
    public void Who_is_in_too_many_rooms_is_refused_but_may_bring_a_second_device()
    {
        var room = RoomDriver.Stored();
        room.Inside((Julia, "Jule"));
        room.Facts("julia@x", new SenderFacts { InTooManyRooms = true });
        room.Facts("nurse@x", new SenderFacts { InTooManyRooms = true });
        room.Join(Nurse, "Nurse");
        Assert.Equal(["error presence Nurse service-unavailable"], room.Received(Nurse));
        room.Join("julia@x/phone", "Jule2");
        Assert.Contains(room.Received("julia@x/phone"), line => line.EndsWith("110", StringComparison.Ordinal));
    }

    [Fact, Spec("XEP-0045", "enter-banned")]
    public void An_outcast_is_forbidden_also_by_domain()
    {
        var room = RoomDriver.Stored(null, null, "outcast julia@x", "outcast evil.example");
        room.Join(Julia, "Jule");
        Assert.Equal(["error presence Jule forbidden"], room.Received(Julia));
        room.Join("anybody@evil.example/1", "A");
        Assert.Equal(["error presence A forbidden"], room.Received("anybody@evil.example/1"));
    }

    [Fact, Spec("XEP-0045", "enter-members"), Feature("MU-39")]
    public void A_members_only_room_needs_membership()
    {
        var room = RoomDriver.Stored(new() { MembersOnly = true }, null, "member nurse@x");
        room.Join(Julia, "Jule");
        Assert.Equal(["error presence Jule registration-required"], room.Received(Julia));
        room.Join(Nurse, "Nurse");
        Assert.Equal("presence Nurse member/participant jid=nurse@x/house 110", room.Received(Nurse)[0]);
    }

    [Fact, Spec("XEP-0045", "enter-conflict"), Feature("MU-41")]
    public void A_nick_in_use_is_a_conflict_also_for_ones_own_second_device_unless_allowed()
    {
        var room = RoomDriver.Stored();
        room.Inside((Julia, "Jule"));
        room.Join(Nurse, "Jule");
        Assert.Equal(["error presence Jule conflict"], room.Received(Nurse));
        room.Join("julia@x/phone", "Jule");
        Assert.Equal(["error presence Jule conflict"], room.Received("julia@x/phone"));
    }

    [Fact, Spec("XEP-0045", "enter-conflict"), Feature("MU-41")]
    public void Several_sessions_may_share_a_nick_where_allowed()
    {
        var room = RoomDriver.Stored(new() { AllowMultipleSessions = true });
        room.Inside((Nurse, "Nurse"), (Julia, "Jule"));
        room.Join("julia@x/phone", "Jule");
        Assert.Equal(["presence Nurse none/participant", "presence Jule none/participant jid=julia@x/balcony 110",
            "groupchat subject=''"],
            room.Received("julia@x/phone"));
        Assert.Empty(room.Received(Nurse)); // Jule was there already
        room.Say(Nurse, "Madam!");
        Assert.Equal(["groupchat Nurse 'Madam!'"], room.Received("julia@x/phone"));
        Assert.Equal(["groupchat Nurse 'Madam!'"], room.Received(Julia));
        Assert.Equal(1, room.Room.OccupantCount - 1);
    }

    [Fact]
    public void A_reserved_nick_is_a_conflict()
    {
        var room = RoomDriver.Stored(null, null, "member julia@x as Jule");
        room.Join(Nurse, "Jule");
        Assert.Equal(["error presence Jule conflict"], room.Received(Nurse));
        room.Facts("nurse@x", new SenderFacts { NickOwner = Jid("romeo@x") });
        room.Join(Nurse, "Romeo");
        Assert.Equal(["error presence Romeo conflict"], room.Received(Nurse));
        room.Join(Julia, "Jule");
        Assert.Equal("presence Jule member/participant jid=julia@x/balcony 110", room.Received(Julia)[0]);
    }

    [Fact]
    public void Where_nicks_are_locked_a_registered_user_gets_the_own_one()
    {
        var room = RoomDriver.Stored(new() { RegisteredNicksOnly = true }, null, "member julia@x as Jule");
        room.Join(Julia, "Lady");
        Assert.Equal("presence Jule member/participant jid=julia@x/balcony 110 210", room.Received(Julia)[0]);
    }

    [Fact, Spec("XEP-0045", "enter-pw"), Feature("MU-42", "MU-43")]
    public void A_password_is_needed_and_must_be_right()
    {
        var room = RoomDriver.Stored(new() { PasswordProtected = true, Password = "rose" });
        room.Join(Julia, "Jule");
        var refusal = Assert.Single(room.Stanzas(Julia));
        Assert.Equal("not-authorized", refusal.Error!.Condition);
        Assert.Equal("A password is required to enter this room", refusal.Error.Text);
        Assert.Equal(RoomDriver.Address, refusal.Error.By.ToString());
        Assert.NotNull(refusal.Child(Namespaces.Muc, "x"));
        room.Join(Julia, "Jule", "thorn");
        Assert.Equal("Incorrect password", Assert.Single(room.Stanzas(Julia)).Error!.Text);
        room.Join(Julia, "Jule", "rose");
        Assert.Equal("presence Jule none/participant jid=julia@x/balcony 110", room.Received(Julia)[0]);
    }

    [Fact, Feature("MU-43")]
    public void A_password_means_nothing_in_a_room_that_is_not_protected()
    {
        var room = RoomDriver.Stored(new() { Password = "rose" });
        room.Join(Julia, "Jule");
        Assert.Equal("presence Jule none/participant jid=julia@x/balcony 110", room.Received(Julia)[0]);
    }

    [Fact, Feature("MU-07")]
    public void An_administrator_of_the_service_is_owner_and_needs_neither_password_nor_membership()
    {
        var room = RoomDriver.Stored(new() { PasswordProtected = true, Password = "rose", MembersOnly = true }, null,
            "outcast prince@x");
        room.Facts("prince@x", new SenderFacts { IsServiceAdmin = true });
        room.Join("prince@x/1", "Prince");
        Assert.Equal("presence Prince owner/moderator jid=prince@x/1 110", room.Received("prince@x/1")[0]);
    }

    [Fact, Feature("MU-38")]
    public void Newcomers_are_visitors_where_membership_is_not_the_default()
    {
        var room = RoomDriver.Stored(new() { MembersByDefault = false }, null, "member nurse@x", "admin tybalt@x");
        room.Join(Julia, "Jule");
        Assert.Equal("presence Jule none/visitor jid=julia@x/balcony 110", room.Received(Julia)[0]);
        room.Join(Nurse, "Nurse");
        Assert.Contains("presence Nurse member/participant jid=nurse@x/house 110", room.Received(Nurse));
        room.Join("tybalt@x/1", "Tybalt");
        Assert.Contains("presence Tybalt admin/moderator jid=tybalt@x/1 110", room.Received("tybalt@x/1"));
    }

    [Fact, Spec("XEP-0045", "enter-muc")]
    public void Entering_again_gives_everything_again_and_disturbs_nobody()
    {
        var room = RoomDriver.Stored(null, null, "owner romeo@x");
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"));
        room.Say(Romeo, "hello");
        room.Forget();
        room.Join(Julia, "Jule");
        Assert.Equal(
        [
            "presence Romeo owner/moderator",
            "presence Jule none/participant jid=julia@x/balcony 110",
            "groupchat Romeo 'hello' delayed",
            "groupchat subject=''",
        ], room.Received(Julia));
        Assert.Empty(room.Received(Romeo));
        room.Join(Julia, "Jule", null, new MucHistoryRequest(MaxStanzas: 0), new Element(Namespaces.Client, "show",
            "away"));
        Assert.DoesNotContain(room.Received(Julia), line => line.Contains("hello", StringComparison.Ordinal));
        Assert.Equal(["presence Jule none/participant jid=julia@x/balcony show=away"], room.Received(Romeo));
    }

    [Fact]
    public void Who_only_believes_to_be_inside_is_told_so()
    {
        var room = RoomDriver.Stored();
        room.Presence(Julia, "Jule");
        Assert.Equal(["presence Jule unavailable none/none 'You are not in the room.' 110 307 333"],
            room.Received(Julia));
    }

    [Fact]
    public void Leaving_without_being_inside_is_dropped_in_silence()
    {
        var room = RoomDriver.Stored();
        room.Leave(Julia, "Jule");
        Assert.True(room.IsQuiet);
    }

    [Theory]
    [InlineData(PresenceType.Probe, "error presence Jule not-acceptable")]
    [InlineData(PresenceType.Subscribe, null)]
    public void Other_presence_from_outside(PresenceType type, string? expected)
    {
        var room = RoomDriver.Stored();
        room.Presence(Julia, "Jule", type);
        Assert.Equal(expected is null ? [] : [expected], room.Received(Julia));
    }

    static Muster.Protocol.Addresses.Jid Jid(string text) => Muster.Protocol.Addresses.Jid.Parse(text);
}
