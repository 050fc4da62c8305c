using Muster.Core.Rooms;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Voice requests (muc.md §10) and messages that moderators take back (XEP-0425).</summary>
public sealed class ModerationTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony", Nurse = "nurse@x/house";
    const string Request = "http://jabber.org/protocol/muc#request";

    static RoomDriver Inside()
    {
        var room = RoomDriver.Stored(new() { MembersByDefault = false }, null, "owner romeo@x", "member nurse@x");
        room.Inside((Romeo, "Romeo"), (Nurse, "Nurse"), (Julia, "Jule"));
        return room;
    }

    static void Submit(RoomDriver room, string user, params (string, string)[] fields) =>
        room.Message(user, "", MessageType.Normal, RoomDriver.Form("submit", [("FORM_TYPE", Request), .. fields]));

    [Fact, Spec("XEP-0045", "requestvoice"), Spec("XEP-0045", "voiceapprove")]
    public void A_visitor_asks_for_voice_and_a_moderator_gives_it()
    {
        var room = Inside();
        Submit(room, Julia, ("muc#role", "participant"));
        Assert.Empty(room.Received(Nurse));
        var form = DataForm.Read(Assert.Single(room.Stanzas(Romeo)).Child(Namespaces.DataForms, "x")!, out _)!;
        Assert.Equal((DataFormType.Form, Request), (form.Type, form.FormType));
        Assert.Equal(("participant", Julia, "Jule", "0"), (form.Value("muc#role"), form.Value("muc#jid"),
            form.Value("muc#roomnick"), form.Value("muc#request_allow")));
        Submit(room, Romeo, ("muc#role", "participant"), ("muc#roomnick", "Jule"), ("muc#request_allow", "true"));
        Assert.Equal(["presence Jule none/participant by=Romeo"], room.Received(Nurse));
        Submit(room, Romeo, ("muc#role", "participant"), ("muc#roomnick", "Jule"), ("muc#request_allow", "1"));
        Assert.Empty(room.Received(Nurse)); // has it already
    }

    [Fact, Spec("XEP-0045", "voiceapprove")]
    public void Voice_forms_that_are_refused()
    {
        var room = Inside();
        Submit(room, Julia, ("muc#role", "moderator"));
        Assert.Equal(["error message bad-request"], room.Received(Julia));
        Submit(room, Julia, ("muc#roomnick", "Jule"), ("muc#request_allow", "1"));
        Assert.Equal(["error message not-allowed"], room.Received(Julia));
        Submit(room, Romeo, ("muc#request_allow", "1"));
        Submit(room, Romeo, ("muc#roomnick", "Jule"), ("muc#role", "king"), ("muc#request_allow", "1"));
        Submit(room, Romeo, ("muc#roomnick", "Jule"), ("muc#request_allow", "perhaps"));
        Assert.Equal(Enumerable.Repeat("error message bad-request", 3), room.Received(Romeo));
        Submit(room, Romeo, ("muc#roomnick", "Nobody"), ("muc#request_allow", "1"));
        Assert.Equal(["error message not-acceptable"], room.Received(Romeo));
        Submit(room, Romeo, ("muc#roomnick", "Jule"), ("muc#request_allow", "0"));
        room.Message(Julia, "", MessageType.Normal, RoomDriver.Form("submit", ("FORM_TYPE", "other")));
        Assert.Equal(["error message bad-request"], room.Received(Julia));
        Submit(room, "tybalt@x/1", ("muc#role", "participant"));
        Assert.Equal(["error message not-acceptable"], room.Received("tybalt@x/1"));
        Assert.True(room.IsQuiet);
    }

    [Fact]
    public void Who_has_voice_need_not_ask_and_nobody_asks_twice_a_minute()
    {
        var room = Inside();
        Submit(room, Nurse, ("muc#role", "participant"));
        Assert.True(room.IsQuiet);
        Submit(room, Julia, ("muc#role", "participant"));
        Submit(room, Julia, ("muc#role", "participant"));
        Assert.Equal(["error message resource-constraint"], room.Received(Julia));
        Assert.Single(room.Received(Romeo));
        room.Pass(60);
        Submit(room, Julia, ("muc#role", "participant"));
        Assert.Single(room.Received(Romeo));
    }

    // ---- Taking back ----

    static void Moderate(RoomDriver room, string user, string id, string? reason = null) =>
        room.Set(user, new Element("urn:xmpp:message-moderate:1", "moderate",
            new Element("urn:xmpp:message-retract:1", "retract"),
            reason is null ? null : new Element("urn:xmpp:message-moderate:1", "reason", reason)).With("id", id));

    [Fact, Spec("XEP-0425", "usecase-success"), Spec("XEP-0425", "tombstones")]
    public void A_moderator_takes_a_message_back_for_all_and_for_those_who_come_later()
    {
        var room = Inside();
        room.Say(Nurse, "buy my watches");
        string id = room.Archived[0].Id.ToString();
        room.Forget();
        Moderate(room, Romeo, id, "spam");
        var notice = Assert.Single(room.Stanzas(Julia));
        var retract = notice.Child("urn:xmpp:message-retract:1", "retract")!;
        Assert.Equal((RoomDriver.Address, id), (notice.From.ToString(), retract.Attribute("id")));
        var moderated = retract.Child("urn:xmpp:message-moderate:1", "moderated")!;
        Assert.Equal("garden@muc.x/Romeo", moderated.Attribute("by"));
        Assert.NotNull(moderated.Child(Namespaces.OccupantId, "occupant-id"));
        Assert.Equal("spam", retract.Child("reason")!.Text);
        Assert.Equal(RoomMessageKind.Other, room.Archived[^1].Kind);
        Assert.EndsWith("result", room.Received(Romeo)[^1], StringComparison.Ordinal);

        var tombstone = room.Effects.OfType<RoomEffect.Retract>().Single();
        Assert.Equal(room.Archived[0].Id, tombstone.Id);
        Assert.Equal("garden@muc.x/Nurse", tombstone.Tombstone.From.ToString());
        Assert.Null(tombstone.Tombstone.Body);
        Assert.NotNull(tombstone.Tombstone.Child("urn:xmpp:message-retract:1", "retracted"));
        room.Join("paris@x/1", "Paris");
        var history = room.Stanzas("paris@x/1").OfType<Message>().ToList();
        Assert.DoesNotContain(history, message => message.Body is not null);
        Assert.Contains(history, message => message.Child("urn:xmpp:message-retract:1", "retracted") is not null);
    }

    [Fact, Spec("XEP-0425", "usecase-error")]
    public void Only_moderators_do_and_only_what_there_is()
    {
        var room = Inside();
        room.Say(Nurse, "hello");
        string id = room.Archived[0].Id.ToString();
        room.Forget();
        Moderate(room, Nurse, id); // not even one's own
        Moderate(room, Julia, id);
        Moderate(room, "tybalt@x/1", id);
        Assert.Equal(["error iq forbidden"], room.Received(Nurse));
        Assert.Equal(["error iq forbidden"], room.Received(Julia));
        Assert.Equal(["error iq forbidden"], room.Received("tybalt@x/1"));
        Moderate(room, Romeo, "no-number");
        Moderate(room, Romeo, long.MaxValue.ToString());
        Moderate(room, Romeo, "0");
        Assert.Equal(Enumerable.Repeat("error iq item-not-found", 3), room.Received(Romeo));
        room.Set(Romeo, new Element("urn:xmpp:message-moderate:1", "moderate").With("id", id));
        Assert.Equal(["error iq bad-request"], room.Received(Romeo));
    }

    [Fact]
    public void What_the_room_does_not_remember_is_taken_back_in_the_archive()
    {
        var room = Inside();
        room.Say(Nurse, "old");
        long id = room.Archived[0].Id;
        room.Restart();
        room.Inside((Romeo, "Romeo"));
        Moderate(room, Romeo, id.ToString());
        Assert.Equal(id, room.Effects.OfType<RoomEffect.Retract>().Single().Id);
    }

    // ---- The archive's readers ----

    [Fact, Spec("XEP-0313", "business-storage-muc")]
    public void Who_may_read_the_archive_and_see_addresses_in_it()
    {
        var room = RoomDriver.Stored(null, null, "owner romeo@x", "outcast tybalt@x", "member nurse@x").Room;
        string? Read(string user) => room.CheckArchive(Protocol.Addresses.Jid.Parse(user), default)?.Condition;
        Assert.Equal("forbidden", Read("tybalt@x/1"));
        Assert.Null(Read("paris@x/1"));
        room = RoomDriver.Stored(new() { MembersOnly = true }, null, "member nurse@x").Room;
        Assert.Equal("forbidden", Read("paris@x/1"));
        Assert.Null(Read(Nurse));
        var driver = RoomDriver.Stored(new() { PasswordProtected = true, Password = "x" }, null, "owner romeo@x");
        room = driver.Room;
        Assert.Equal("forbidden", Read(Julia));
        driver.Join(Julia, "Jule", "x");
        Assert.Null(Read(Julia));
        Assert.True(room.MaySeeAddresses(Protocol.Addresses.Jid.Parse(Romeo), default));
        Assert.False(room.MaySeeAddresses(Protocol.Addresses.Jid.Parse(Julia), default));
    }
}
