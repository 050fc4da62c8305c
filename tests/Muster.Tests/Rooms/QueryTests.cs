using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Discovery of a room, and requests passed on between occupants (muc.md §7, §14).</summary>
[Feature("MU-01")]
public sealed class QueryTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony", Nurse = "nurse@x/house";

    static readonly Element Ping = new(Namespaces.Ping, "ping");
    static readonly Element Version = new("jabber:iq:version", "query");

    static RoomDriver Inside(RoomOptions? options = null)
    {
        var room = RoomDriver.Stored(options, null, "owner romeo@x", "member nurse@x as Angelica");
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"));
        return room;
    }

    [Fact, Feature("MU-30")]
    public void A_request_and_its_answer_travel_between_occupant_addresses()
    {
        var room = Inside();
        room.Get(Romeo, Version, "Jule");
        var request = Assert.IsType<Iq>(Assert.Single(room.Stanzas(Julia)));
        Assert.Equal("garden@muc.x/Romeo", request.From.ToString());
        Assert.NotEqual("s3", request.Id);
        room.Send(new Iq(IqType.Result, Jid.Parse(Julia), request.From, request.Id, new Element("jabber:iq:version",
            "query")));
        var answer = Assert.IsType<Iq>(Assert.Single(room.Stanzas(Romeo)));
        Assert.Equal(("garden@muc.x/Jule", "s3"), (answer.From.ToString(), answer.Id));
    }

    [Fact]
    public void Each_of_several_sessions_gets_the_answer_to_its_own_request_also_after_a_restart()
    {
        var room = Inside(new() { AllowMultipleSessions = true });
        room.Join("romeo@x/phone", "Romeo");
        room.Forget();
        room.Get("romeo@x/phone", Version, "Jule");
        var request = (Iq)Assert.Single(room.Stanzas(Julia));
        room.Restart();
        room.Inside((Julia, "Jule"), (Romeo, "Romeo"), ("romeo@x/phone", "Romeo"));
        room.Send(new Iq(IqType.Result, Jid.Parse(Julia), request.From, request.Id, null));
        Assert.Empty(room.Received(Romeo));
        Assert.Equal(["result Jule"], room.Received("romeo@x/phone"));
    }

    [Fact]
    public void An_answer_that_nobody_asked_for_is_dropped()
    {
        var room = Inside();
        room.Get(Romeo, Version, "Jule");
        var request = (Iq)Assert.Single(room.Stanzas(Julia));
        room.Send(new Iq(IqType.Result, Jid.Parse(Julia), request.From, "short", null));
        room.Send(new Iq(IqType.Result, Jid.Parse(Julia), request.From, "A" + request.Id[1..], null));
        room.Send(new Iq(IqType.Result, Jid.Parse("tybalt@x/1"), request.From, request.Id, null));
        room.Send(new Iq(IqType.Result, Jid.Parse(Julia), RoomDriver.At("Nobody"), request.Id, null));
        Assert.True(room.IsQuiet);
    }

    [Theory]
    [InlineData(Namespaces.VcardTemp, "vCard")]
    [InlineData("http://jabber.org/protocol/pubsub", "pubsub")]
    [InlineData("urn:ietf:params:xml:ns:vcard-4.0", "vcard")]
    public void What_an_account_answers_is_asked_of_the_account(string ns, string name)
    {
        var room = Inside();
        room.Get(Romeo, new Element(ns, name), "Jule");
        var request = (Iq)Assert.Single(room.Stanzas("julia@x"));
        room.Send(new Iq(IqType.Result, Jid.Parse("julia@x"), request.From, request.Id, new Element(ns, name)));
        Assert.Equal(["result Jule"], room.Received(Romeo));
    }

    [Fact]
    public void Errors_passed_on_reveal_no_host_in_a_semi_anonymous_room()
    {
        var room = Inside();
        room.Get(Romeo, Version, "Jule");
        var request = (Iq)Assert.Single(room.Stanzas(Julia));
        room.Send(new Iq(IqType.Error, Jid.Parse(Julia), request.From, request.Id,
            StanzaError.ServiceUnavailable.WithText("x is not here").ToElement()));
        var error = Assert.Single(room.Stanzas(Romeo)).Error!;
        Assert.Equal(("service-unavailable", null), (error.Condition, error.Text));
    }

    [Fact, Feature("MU-30")]
    public void Requests_that_are_refused()
    {
        var room = Inside();
        room.Get("tybalt@x/1", Ping, "Jule");
        Assert.Equal(["error iq Jule not-acceptable"], room.Received("tybalt@x/1"));
        room.Get(Romeo, Version, "Nobody");
        Assert.Equal(["error iq Nobody item-not-found"], room.Received(Romeo));
        room = Inside(new() { AllowQueries = false });
        room.Get(Romeo, Version, "Jule");
        Assert.Equal(["error iq Jule not-allowed"], room.Received(Romeo));
    }

    [Fact, Spec("XEP-0410", "server-optimization")]
    public void A_self_ping_is_answered_by_the_room_whatever_is_allowed()
    {
        var room = Inside(new() { AllowQueries = false });
        room.Get(Romeo, Ping, "Romeo");
        Assert.Equal(["result Romeo"], room.Received(Romeo));
        room.Leave(Romeo, "Romeo");
        room.Forget();
        room.Get(Romeo, Ping, "Romeo");
        Assert.Equal(["error iq Romeo not-acceptable"], room.Received(Romeo));
    }

    // ---- Discovery ----

    static string[] Info(RoomDriver room, string user, string? node = null)
    {
        room.Get(user, new Element(Namespaces.DiscoInfo, "query").With("node", node));
        var answer = Assert.Single(room.Stanzas(user));
        if (answer.Error is { } error) return [error.Condition];
        return [.. answer.Elements.Single().Elements.Select(e => e.Name switch
        {
            "identity" => $"{e.Attribute("category")}/{e.Attribute("type")} {e.Attribute("name")}",
            "feature" => e.Attribute("var")!,
            _ => string.Join(' ', e.Children(Namespaces.DataForms,
                "field").Select(f => $"{f.Attribute("var")}={f.Child("value")?.Text}")),
        })];
    }

    [Fact, Spec("XEP-0045", "disco-roominfo"), Feature("MU-27", "MU-28", "MU-34")]
    public void A_room_tells_what_it_is_to_anybody()
    {
        var room = Inside(new() { Title = "The Garden", Description = "Roses", Language = "it" });
        room.Subject(Romeo, "Love");
        var info = Info(room, "tybalt@x/1");
        Assert.Equal("conference/text The Garden", info[0]);
        foreach (string feature in (string[])["http://jabber.org/protocol/muc",
            "http://jabber.org/protocol/muc#stable_id",
            "http://jabber.org/protocol/muc#self-ping-optimization", "muc_public", "muc_persistent", "muc_open",
                "muc_semianonymous",
            "muc_moderated", "muc_unsecured", "urn:xmpp:sid:0", "urn:xmpp:occupant-id:0"])
            Assert.Contains(feature, info);
        Assert.Equal("FORM_TYPE=http://jabber.org/protocol/muc#roominfo muc#roominfo_description=Roses " +
            "muc#roominfo_occupants=2 " +
            "muc#roominfo_subject=Love muc#roominfo_subjectmod=1 " +
            "muc#roominfo_slow_mode_duration=0 muc#roominfo_lang=it " +
            "{urn:xmpp:muc-activity}message-activity=0.00 muc#maxhistoryfetch=20",
                info[^1]);
        room = RoomDriver.Stored(new() { Public = false, MembersOnly = true, Anonymous = false, Moderated = false,
            PasswordProtected = true, Password = "x" });
        info = Info(room, "tybalt@x/1");
        Assert.Equal("conference/text garden", info[0]);
        foreach (string feature in (string[])["muc_hidden", "muc_membersonly", "muc_nonanonymous", "muc_unmoderated",
            "muc_passwordprotected"])
            Assert.Contains(feature, info);
    }

    [Fact, Spec("XEP-0045", "reservednick")]
    public void A_user_learns_its_reserved_nick()
    {
        var room = Inside();
        Assert.Equal("conference/text Angelica", Info(room, Nurse, "x-roomuser-item")[0]);
        Assert.Empty(Info(room, "tybalt@x/1", "x-roomuser-item"));
        Assert.Equal(["feature-not-implemented"], Info(room, Nurse, "http://jabber.org/protocol/muc#traffic"));
        Assert.Equal(["item-not-found"], Info(room, Nurse, "nonsense"));
    }

    static string[] Items(RoomDriver room, string user)
    {
        room.Get(user, new Element(Namespaces.DiscoItems, "query"));
        var answer = Assert.Single(room.Stanzas(user));
        return answer.Error is { } error ? [error.Condition]
            : [.. answer.Elements.Single().Elements.Select(e => $"{e.Attribute("jid")} {e.Attribute("name")}")];
    }

    [Fact, Spec("XEP-0045", "disco-roomitems"), Feature("MU-35")]
    public void Who_is_inside_is_shown_to_strangers_only_where_the_list_is_public()
    {
        Assert.Equal(["garden@muc.x/Jule Jule", "garden@muc.x/Romeo Romeo"], Items(Inside(), "tybalt@x/1"));
        var room = Inside(new() { PublicList = false });
        Assert.Equal(["forbidden"], Items(room, "tybalt@x/1"));
        Assert.Equal(2, Items(room, Julia).Length);
        Assert.Equal(2, Items(room, "romeo@x/other").Length);
    }

    [Fact]
    public void What_a_room_does_not_know_is_unavailable_and_discovery_is_not_set()
    {
        var room = Inside();
        room.Get(Romeo, new Element("urn:example", "x"));
        room.Set(Romeo, new Element(Namespaces.DiscoInfo, "query"));
        room.Set(Romeo, new Element(Namespaces.DiscoItems, "query"));
        Assert.Equal(["error iq service-unavailable", "error iq not-allowed", "error iq not-allowed"],
            room.Received(Romeo));
    }

    [Fact, Spec("XEP-0421", "secrecy")]
    public void An_occupant_id_is_the_same_for_a_user_for_ever_and_different_for_others()
    {
        var room = Inside();
        string Id(string user)
        {
            room.Join(user, user.Replace('/', ' '));
            return room.Stanzas(user).OfType<Presence>().Last().Child(Namespaces.OccupantId,
                "occupant-id")!.Attribute("id")!;
        }
        string phone = Id("nurse@x/phone"), tablet = Id("nurse@x/tablet"), other = Id("tybalt@x/phone");
        Assert.Equal(phone, tablet);
        Assert.NotEqual(phone, other);
        Assert.True(phone.Length <= 128);
        room.Restart();
        Assert.Equal(phone, Id("nurse@x/phone"));
    }
}
