using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Registering with a room, and messages for members who are away (muc.md §11,
/// muc-offline-delivery.md).</summary>
[Spec("XEP-0045", "register")]
public sealed class RegistrationTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony", Nurse = "nurse@x/house";
    const string Nick = "muc#register_roomnick", Offline = "{http://tigase.org/protocol/muc}offline";

    static readonly (string, string) Form = ("FORM_TYPE", "http://jabber.org/protocol/muc#register");

    static RoomDriver Inside(RoomOptions? options = null, RoomPolicy? policy = null)
    {
        var room = RoomDriver.Stored(options, policy, "owner romeo@x", "member nurse@x", "outcast tybalt@x");
        room.Inside((Romeo, "Romeo"), (Nurse, "Nurse"));
        if (options?.MembersOnly != true) room.Inside((Julia, "Jule"));
        return room;
    }

    static void Register(RoomDriver room, string user, params (string, string)[] fields) =>
        room.Set(user, new Element(Namespaces.Register, "query", RoomDriver.Form("submit", fields)));

    static void Remove(RoomDriver room, string user) =>
        room.Set(user, new Element(Namespaces.Register, "query", new Element(Namespaces.Register, "remove")));

    /// <summary>The form as "registered=nick nickfield offlinefield".</summary>
    static string Ask(RoomDriver room, string user)
    {
        room.Get(user, new Element(Namespaces.Register, "query"));
        var query = room.Stanzas(user)[^1].Elements.Single();
        var form = DataForm.Read(query.Child(Namespaces.DataForms, "x")!, out _)!;
        Assert.True(form.Field(Nick)!.IsRequired);
        string registered = query.Child("registered") is null ? "" : $"registered={query.Child("username")!.Text} ";
        return $"{registered}nick={form.Value(Nick)} offline={form.Value(Offline)}";
    }

    [Fact, Feature("OD-04", "OD-05", "OD-06")]
    public void The_form_asks_for_a_nick_and_offers_messages_while_away()
    {
        var room = Inside();
        Assert.Equal("nick=Jule offline=0", Ask(room, Julia));
        Assert.Equal("nick= offline=0", Ask(room, "paris@x/1"));
        room.Facts("paris@x", new SenderFacts { ReservedNick = "Paris" });
        Assert.Equal("nick=Paris offline=0", Ask(room, "paris@x/1"));
    }

    [Fact, Feature("OD-07", "OD-11")]
    public void Who_registers_becomes_a_member_with_a_reserved_nick_and_all_see_it()
    {
        var room = Inside();
        Register(room, Julia, Form, (Nick, "Capulet"), (Offline, "true"));
        Assert.Equal(["presence Jule member/participant"], room.Received(Nurse));
        Assert.Equal(new AffiliationEntry(Jid.Parse("julia@x"), Affiliation.Member)
        {
            Nick = "Capulet", OfflineDelivery = true, SelfRegistered = true,
        }, Assert.IsType<RoomChange.AffiliationSet>(
            room.Effects.OfType<RoomEffect.Persist>().Single().Change).Entry with { Version = 0 });
        Assert.Equal("registered=Capulet nick=Capulet offline=1", Ask(room, Julia));
        room.Join("paris@x/1", "Capulet");
        Assert.Equal(["error presence Capulet conflict"], room.Received("paris@x/1"));
    }

    [Fact, Feature("OD-08")]
    public void Each_field_is_changed_alone()
    {
        var room = Inside();
        Register(room, Nurse, Form, (Nick, "Angelica"), (Offline, "1"));
        Register(room, Nurse, Form, (Nick, "Angelica"), (Offline, "0"));
        Assert.Equal("registered=Angelica nick=Angelica offline=0", Ask(room, Nurse));
        Register(room, Nurse, Form, (Offline, "1"));
        Assert.Equal("registered=Angelica nick=Angelica offline=1", Ask(room, Nurse));
        Register(room, Nurse, Form, (Nick, "Nurse"));
        Assert.Equal("registered=Nurse nick=Nurse offline=1", Ask(room, Nurse));
    }

    [Fact]
    public void Registrations_that_are_refused()
    {
        var room = Inside();
        Register(room, "tybalt@x/1", Form, (Nick, "Tybalt"));
        Assert.Equal(["error iq forbidden"], room.Received("tybalt@x/1"));
        room.Set(Julia, new Element(Namespaces.Register, "query"));
        Register(room, Julia, (Nick, "Jule"));
        Register(room, Julia, ("FORM_TYPE", "other"), (Nick, "Jule"));
        Register(room, Julia, Form, (Nick, "\u2003"));
        Register(room, Julia, Form, (Nick, new string('x', 1025)));
        Register(room, Julia, Form, (Nick, "Jule"), (Offline, "maybe"));
        Assert.Equal(Enumerable.Repeat("error iq bad-request", 6), room.Received(Julia));
        Register(room, Julia, Form, (Nick, "Nurse"));
        Assert.Equal(["error iq conflict"], room.Received(Julia));
        Register(room, Julia, Form, (Offline, "1"));
        Assert.Equal(["error iq not-acceptable"], room.Received(Julia));
        Assert.True(room.IsQuiet);
        room = Inside(new() { MembersOnly = true });
        Register(room, Julia, Form, (Nick, "Jule"));
        Assert.Equal(["error iq registration-required"], room.Received(Julia));
        room = Inside(null, new() { Registration = RoomRegistration.Occupants });
        Register(room, "paris@x/1", Form, (Nick, "Paris"));
        Assert.Equal(["error iq registration-required"], room.Received("paris@x/1"));
        Register(room, Julia, Form, (Nick, "Jule"));
        Assert.Contains("result", room.Received(Julia));
        room = Inside(null, new() { AffiliationsMax = 3 });
        Register(room, Julia, Form, (Nick, "Jule"));
        Assert.Equal(["error iq resource-constraint"], room.Received(Julia));
    }

    [Fact]
    public void A_cancelled_form_does_nothing()
    {
        var room = Inside();
        room.Set(Julia, new Element(Namespaces.Register, "query", RoomDriver.Form("cancel")));
        Assert.Equal(["result"], room.Received(Julia));
    }

    [Fact, Feature("OD-08")]
    public void Leaving_the_registration_takes_away_what_it_gave()
    {
        var room = Inside();
        Register(room, Julia, Form, (Nick, "Jule"), (Offline, "1"));
        room.Forget();
        Remove(room, Julia);
        Assert.Equal(["presence Jule none/participant"], room.Received(Nurse));
        Assert.Equal("nick=Jule offline=0", Ask(room, Julia));
        Register(room, Nurse, Form, (Nick, "Nurse"), (Offline, "1")); // a member by an admin's grace
        Remove(room, Nurse);
        Remove(room, Nurse); // again
        Assert.Equal(["result", "result", "result"], room.Received(Nurse));
        Assert.Equal(Affiliation.Member,
            room.Room.Snapshot().Affiliations.Single(entry => entry.User == Jid.Parse("nurse@x")).Affiliation);
    }

    [Fact]
    public void Where_registered_nicks_must_be_used_sessions_under_another_enter_again()
    {
        var room = Inside(new() { RegisteredNicksOnly = true });
        Register(room, Julia, Form, (Nick, "Capulet"));
        Assert.Contains("333", room.Received(Nurse)[^1], StringComparison.Ordinal);
        Assert.DoesNotContain(Jid.Parse(Julia), room.Room.Sessions);
    }

    // ---- Messages for members who are away ----

    static RoomDriver WithAbsentNurse()
    {
        var room = Inside();
        Register(room, Nurse, Form, (Nick, "Nurse"), (Offline, "1"));
        room.Leave(Nurse, "Nurse");
        room.Forget();
        return room;
    }

    [Fact, Feature("OD-01", "OD-07")]
    public void What_is_said_goes_to_members_who_are_away_and_want_it()
    {
        var room = WithAbsentNurse();
        room.Say(Julia, "Nurse?");
        var copy = Assert.Single(room.Stanzas("nurse@x"));
        Assert.Equal("groupchat Jule 'Nurse?'", RoomDriver.Line(copy));
        Assert.NotNull(copy.Child(Namespaces.StanzaIds, "stanza-id"));
        room.Message(Julia, "", Protocol.Stanzas.MessageType.Groupchat, new Element("urn:example", "typing"));
        room.Subject(Julia, "Love");
        room.Whisper(Julia, "Romeo", "psst");
        room.Say(Julia, "off the record", new Element(Namespaces.Hints, "no-store"));
        Assert.Empty(room.Received("nurse@x"));
    }

    [Fact, Feature("OD-09")]
    public void Nothing_goes_to_a_member_with_any_session_inside_under_whatever_nick()
    {
        var room = WithAbsentNurse();
        room.Join("nurse@x/phone", "Angelica");
        room.Say(Julia, "Nurse?");
        Assert.Empty(room.Received("nurse@x"));
        room.Leave("nurse@x/phone", "Angelica");
        room.Say(Julia, "Nurse!");
        Assert.Single(room.Received("nurse@x"));
        room.Affiliate(Romeo, "nurse@x", Affiliation.Outcast);
        room.Forget();
        room.Say(Julia, "gone");
        Assert.Empty(room.Received("nurse@x"));
    }

    [Fact, Feature("OD-06")]
    public void An_explicit_no_wins_over_the_default()
    {
        var room = Inside(null, new() { OfflineDeliveryDefault = true });
        room.Leave(Nurse, "Nurse");
        room.Say(Julia, "one");
        Assert.Single(room.Received("nurse@x"));
        Assert.Empty(room.Received("romeo@x")); // inside
        room.Join(Nurse, "Nurse");
        Register(room, Nurse, Form, (Nick, "Nurse"), (Offline, "0"));
        room.Leave(Nurse, "Nurse");
        room.Say(Julia, "two");
        Assert.Empty(room.Received("nurse@x"));
    }

    [Fact, Feature("OD-11")]
    public void The_wish_survives_a_restart()
    {
        var room = WithAbsentNurse();
        room.Restart();
        room.Inside((Julia, "Jule"));
        room.Say(Julia, "Nurse?");
        Assert.Single(room.Received("nurse@x"));
    }

    [Fact, Feature("CN-14", "CN-15")]
    public void What_a_ghost_missed_is_known_and_forwarded()
    {
        var room = Inside();
        Register(room, Nurse, Form, (Nick, "Nurse"), (Offline, "1"));
        room.Say(Julia, "one");
        string id = room.Stanzas(Nurse)[^1].Id!;
        room.Say(Julia, "two");
        room.Forget();
        room.Bounce(Nurse, "Jule", "recipient-unavailable", id);
        var missed = room.Effects.OfType<RoomEffect.Undeliverable>().Single().Messages;
        Assert.Equal(room.Archived.Select(archive => archive.Id), missed);
        Assert.Equal(["groupchat Jule 'one' delayed", "groupchat Jule 'two' delayed"], room.Received("nurse@x"));
    }
}
