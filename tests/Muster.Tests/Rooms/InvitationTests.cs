using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Invitations through the room and their answers (muc.md §12).</summary>
[Feature("MU-01")]
public sealed class InvitationTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony";

    static RoomDriver Inside(RoomOptions? options = null)
    {
        var room = RoomDriver.Stored(options, null, "owner romeo@x", "member julia@x");
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"));
        return room;
    }

    static void Invite(RoomDriver room, string user, params string[] invitees) =>
        room.Message(user, "", MessageType.Normal,
        new MucUser { Invites = [.. invitees.Select(to => new MucInvite(Jid.Parse(to), Reason: "come"))] }.ToElement());

    [Fact, Spec("XEP-0045", "invite-mediated")]
    public void An_invitation_goes_out_in_the_rooms_name_with_all_that_is_needed_to_enter()
    {
        var room = Inside(new() { Anonymous = false });
        room.Configure(Romeo, ("muc#roomconfig_passwordprotectedroom", "1"), ("muc#roomconfig_roomsecret", "rose"));
        room.Forget();
        Invite(room, Romeo, "nurse@x", "paris@x/1");
        var invitation = Assert.IsType<Message>(Assert.Single(room.Stanzas("nurse@x")));
        Assert.Equal("normal invited from=romeo@x/orchard 'come' " +
            "'romeo@x/orchard invites you to the room garden@muc.x (come)'", RoomDriver.Line(invitation));
        Assert.Equal("rose", MucUser.Read(invitation.Child(Namespaces.MucUser, "x")!, out _)!.Password);
        var direct = DirectInvitation.Read(invitation.Child(Namespaces.DirectInvitation, "x")!)!;
        Assert.Equal(("garden@muc.x", "come", "rose"), (direct.Room.ToString(), direct.Reason, direct.Password));
        Assert.Single(room.Stanzas("paris@x/1"));
    }

    [Fact]
    public void In_a_semi_anonymous_room_the_inviter_is_named_by_its_nick()
    {
        var room = Inside();
        Invite(room, Romeo, "nurse@x");
        Assert.StartsWith("normal invited from=garden@muc.x/Romeo", Assert.Single(room.Received("nurse@x")),
            StringComparison.Ordinal);
        room.Message("nurse@x/1", "", MessageType.Normal, new MucUser { Decline = new(To: RoomDriver.At("Romeo"),
            Reason: "busy") }.ToElement());
        Assert.Equal(["normal declined from=nurse@x 'busy'"], room.Received(Romeo));
    }

    [Fact, Feature("MU-40")]
    public void Members_may_invite_only_where_it_is_allowed_and_visitors_never()
    {
        var room = Inside();
        Invite(room, Julia, "nurse@x");
        Assert.Equal(["error message forbidden"], room.Received(Julia));
        room = Inside(new() { AllowInvitations = true });
        Invite(room, Julia, "nurse@x");
        Assert.Single(room.Received("nurse@x"));
        room.Role_(Romeo, "Jule", Role.Visitor);
        room.Forget();
        Invite(room, Julia, "nurse@x");
        Assert.Equal(["error message forbidden"], room.Received(Julia));
    }

    [Fact]
    public void Who_is_invited_to_a_members_only_room_becomes_a_member()
    {
        var room = Inside(new() { MembersOnly = true });
        Invite(room, Romeo, "nurse@x/house");
        var stored =
            Assert.IsType<RoomChange.AffiliationSet>(room.Effects.OfType<RoomEffect.Persist>().Single().Change);
        Assert.Equal(new AffiliationEntry(Jid.Parse("nurse@x"), Affiliation.Member), stored.Entry with { Version = 0 });
        room.Join("nurse@x/house", "Nurse");
        Assert.Contains("presence Nurse member/participant jid=nurse@x/house 110", room.Received("nurse@x/house"));
    }

    [Fact]
    public void Invitations_that_are_refused_are_all_refused()
    {
        var room = Inside();
        room.Message(Romeo, "", MessageType.Normal, new Element(Namespaces.MucUser, "x",
            new MucInvite(Jid.Parse("nurse@x")).ToElement(), new Element(Namespaces.MucUser, "invite").With("to",
                "@")));
        room.Message(Romeo, "", MessageType.Normal, new Element(Namespaces.MucUser, "x"));
        room.Message(Romeo, "", MessageType.Normal, new Element(Namespaces.MucUser, "x",
            new Element(Namespaces.MucUser, "invite")));
        Assert.Equal(["error message jid-malformed", "error message bad-request", "error message bad-request"],
            room.Received(Romeo));
        Invite(room, "tybalt@x/1", "nurse@x");
        Assert.Equal(["error message not-acceptable"], room.Received("tybalt@x/1"));
        Assert.True(room.IsQuiet);
    }

    [Fact]
    public void A_decline_reaches_who_belongs_to_the_room_and_nobody_else()
    {
        var room = Inside();
        room.Message("nurse@x/1", "", MessageType.Normal, new MucUser { Decline = new(To: Jid.Parse(Romeo),
            Reason: "busy") }.ToElement());
        Assert.Equal(["normal declined from=nurse@x 'busy'"], room.Received(Romeo));
        room.Message("nurse@x/1", "", MessageType.Normal,
            new MucUser { Decline = new(To: Jid.Parse("stranger@y")) }.ToElement());
        Assert.Equal(["error message item-not-found"], room.Received("nurse@x/1"));
        Assert.True(room.IsQuiet);
    }
}
