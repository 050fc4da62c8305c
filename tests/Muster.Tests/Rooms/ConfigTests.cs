using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>The owner's form, what follows from it, and the end of a room (muc.md §13).</summary>
[Feature("MU-01")]
public sealed class ConfigTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony", Nurse = "nurse@x/house";

    static RoomDriver Inside(RoomOptions? options = null, RoomPolicy? policy = null)
    {
        var room = RoomDriver.Stored(options, policy, "owner romeo@x", "member nurse@x");
        room.Inside((Romeo, "Romeo"), (Nurse, "Nurse"));
        if (options?.MembersOnly != true) room.Inside((Julia, "Jule"));
        return room;
    }

    /// <summary>Fields of the form as "var=value,value".</summary>
    static string[] Form(RoomDriver room, string user)
    {
        room.Get(user, new Element(Namespaces.MucOwner, "query"));
        var form = Assert.Single(room.Stanzas(user)).Elements.Single().Elements.Single();
        return [.. form.Children(Namespaces.DataForms, "field").Select(field =>
        {
            var values = field.Children(Namespaces.DataForms, "value").Select(value => value.Text);
            return $"{field.Attribute("var")}={string.Join(',', values)}";
        })];
    }

    [Fact, Spec("XEP-0045", "roomconfig"), Feature("MU-26", "MU-27", "MU-28", "MU-30", "MU-34", "MU-35", "MU-40")]
    public void The_form_shows_every_option_with_its_documented_default()
    {
        Assert.Equal(
        [
            "FORM_TYPE=http://jabber.org/protocol/muc#roomconfig",
            "muc#roomconfig_roomname=", "muc#roomconfig_roomdesc=", "muc#roomconfig_lang=",
                "muc#roomconfig_persistentroom=1",
            "muc#roomconfig_publicroom=1", "public_list=1", "muc#roomconfig_passwordprotectedroom=0",
                "muc#roomconfig_roomsecret=",
            "muc#roomconfig_getmemberlist=", "muc#roomconfig_maxusers=200", "muc#roomconfig_whois=moderators",
            "muc#roomconfig_membersonly=0", "muc#roomconfig_moderatedroom=1", "members_by_default=1",
                "muc#roomconfig_changesubject=1",
            "muc#roomconfig_allowpm=anyone", "allow_query_users=1", "muc#roomconfig_allowinvites=0",
                "muc#roomconfig_allowmultisessions=0",
            "muc#roomconfig_allowvisitorstatus=1", "muc#roomconfig_allowvisitornickchange=1",
                "muc#roomconfig_enablelogging=0",
            "muc#roomconfig_enablearchiving=1", "muc#roomconfig_historylength=",
            "muc#roomconfig_presencebroadcast=moderator,participant,visitor", "registered_nicks_only=0",
                "registration_approval=0", "muc#roomconfig_contactjid=",
                "muc#roomconfig_slow_mode_duration=0",
                "muc#roomconfig_pubsub=",
            "allow_private_messages=1", "muc#roomconfig_roomadmins=", "muc#roomconfig_roomowners=romeo@x",
        ], Form(Inside(), Romeo));
    }

    [Fact]
    public void Only_owners_see_and_submit_it()
    {
        var room = Inside();
        room.Get(Nurse, new Element(Namespaces.MucOwner, "query"));
        room.Configure(Nurse, ("muc#roomconfig_roomname", "Kitchen"));
        room.Set(Nurse, new Element(Namespaces.MucOwner, "query", new MucDestroy().ToElement(Namespaces.MucOwner)));
        Assert.Equal(Enumerable.Repeat("error iq forbidden", 3), room.Received(Nurse));
    }

    [Fact, Feature("MU-08", "ML-03")]
    public void Fields_that_the_service_does_not_allow_are_neither_shown_nor_taken()
    {
        var room = Inside();
        room.Facts("romeo@x", new SenderFacts());
        var form = Form(room, Romeo);
        Assert.DoesNotContain(form, field => field.Contains("persistentroom", StringComparison.Ordinal));
        Assert.DoesNotContain(form, field => field.Contains("enablelogging", StringComparison.Ordinal));
        room.Configure(Romeo, ("muc#roomconfig_roomname", "Garden"), ("muc#roomconfig_persistentroom", "0"));
        room.Configure(Romeo, ("muc#roomconfig_enablelogging", "1"));
        Assert.Equal(["error iq not-acceptable", "error iq not-acceptable"], room.Received(Romeo));
        Assert.Equal("", room.Room.Options.Title); // nothing of the form was applied
        room.Configure(Romeo, ("muc#roomconfig_persistentroom", "1")); // as it is
        Assert.Equal(["result"], room.Received(Romeo));
    }

    [Fact]
    public void The_secret_is_shown_only_while_the_room_is_protected()
    {
        Assert.Contains("muc#roomconfig_roomsecret=", Form(Inside(new() { Password = "rose" }), Romeo));
        var room = RoomDriver.Stored(new() { PasswordProtected = true, Password = "rose" }, null, "owner romeo@x");
        Assert.Contains("muc#roomconfig_roomsecret=rose", Form(room, Romeo));
    }

    [Fact, Spec("XEP-0045", "roomconfig-notify")]
    public void A_submitted_form_changes_what_it_names_stores_it_and_tells_all()
    {
        var room = Inside();
        room.Configure(Romeo, ("FORM_TYPE", "http://jabber.org/protocol/muc#roomconfig"), ("muc#roomconfig_roomname",
            "Garden"),
            ("muc#roomconfig_moderatedroom", "false"), ("x-unknown", "1"));
        Assert.Equal(("Garden", false, true), (room.Room.Options.Title, room.Room.Options.Moderated,
            room.Room.Options.MembersByDefault));
        Assert.Equal(room.Room.Options,
            Assert.IsType<RoomChange.Configured>(room.Effects.OfType<RoomEffect.Persist>().Single().Change).Options);
        Assert.Equal(["groupchat 104"], room.Received(Nurse));
        Assert.Equal(["groupchat 104", "result"], room.Received(Romeo));
    }

    [Theory, Spec("XEP-0045", "roomconfig-notify")]
    [InlineData("muc#roomconfig_enablelogging", "1", "groupchat 170")]
    [InlineData("muc#roomconfig_enablearchiving", "0", "groupchat 171")]
    [InlineData("muc#roomconfig_whois", "anyone", "groupchat 172")]
    [InlineData("anonymous", "0", "groupchat 172")]
    [InlineData("muc#roomconfig_membersonly", "1", "groupchat 104")]
    public void Each_change_has_its_code(string var, string value, string expected)
    {
        var room = Inside();
        room.Configure(Romeo, (var, value));
        Assert.Contains(expected, room.Received(Nurse));
    }

    [Fact, Spec("XEP-0045", "roomconfig-notify")]
    public void All_codes_that_apply_stand_in_one_message_and_no_change_tells_nothing()
    {
        var room = Inside(new() { Anonymous = false, Logging = true });
        room.Configure(Romeo, ("muc#roomconfig_enablelogging", "0"), ("muc#roomconfig_whois", "moderators"),
            ("public_list", "0"));
        Assert.Equal(["groupchat 171 173 104"], room.Received(Nurse));
        room.Configure(Romeo, ("public_list", "0"));
        Assert.Empty(room.Received(Nurse));
        Assert.DoesNotContain(room.Effects, effect => effect is RoomEffect.Persist);
    }

    [Theory]
    [InlineData("muc#roomconfig_moderatedroom", "maybe")]
    [InlineData("muc#roomconfig_maxusers", "0")]
    [InlineData("muc#roomconfig_maxusers", "-1")]
    [InlineData("muc#roomconfig_maxusers", "many")]
    [InlineData("muc#roomconfig_whois", "nobody")]
    [InlineData("muc#roomconfig_getmemberlist", "king")]
    [InlineData("muc#roomconfig_allowpm", "sometimes")]
    public void A_value_that_is_none_is_a_bad_request(string var, string value)
    {
        var room = Inside();
        room.Configure(Romeo, ("muc#roomconfig_roomname", "Garden"), (var, value));
        Assert.Equal(["error iq bad-request"], room.Received(Romeo));
        Assert.Equal("", room.Room.Options.Title);
    }

    [Fact, Feature("MU-12", "MU-13", "MU-42")]
    public void What_goes_against_the_service_or_sense_is_not_acceptable()
    {
        var room = Inside(null, new() { TitleBytesMax = 5, DescriptionBytesMax = 5, UsersMax = 100 });
        room.Configure(Romeo, ("muc#roomconfig_roomname", "Gärte"));
        room.Configure(Romeo, ("muc#roomconfig_roomdesc", "123456"));
        room.Configure(Romeo, ("muc#roomconfig_maxusers", "101"));
        room.Configure(Romeo, ("muc#roomconfig_passwordprotectedroom", "1"));
        Assert.Equal(Enumerable.Repeat("error iq not-acceptable", 4), room.Received(Romeo));
        room.Configure(Romeo, ("muc#roomconfig_roomname", "Garte"), ("muc#roomconfig_maxusers", "none"));
        Assert.Contains("result", room.Received(Romeo));
        Assert.Equal(100, room.Room.Options.MaxUsers);
    }

    [Fact, Spec("XEP-0045", "roomconfig")]
    public void Cancelling_changes_nothing_and_other_types_are_refused()
    {
        var room = Inside();
        room.Set(Romeo, new Element(Namespaces.MucOwner, "query", RoomDriver.Form("cancel",
            ("muc#roomconfig_roomname", "Garden"))));
        room.Set(Romeo, new Element(Namespaces.MucOwner, "query", RoomDriver.Form("form")));
        room.Set(Romeo, new Element(Namespaces.MucOwner, "query"));
        Assert.Equal(["result", "error iq bad-request", "error iq bad-request"], room.Received(Romeo));
        Assert.Equal("", room.Room.Options.Title);
    }

    [Fact, Feature("MU-39")]
    public void A_room_that_becomes_members_only_sends_the_others_out_with_322()
    {
        var room = Inside();
        room.Configure(Romeo, ("muc#roomconfig_membersonly", "1"));
        Assert.Equal(["presence Jule unavailable none/none jid=julia@x/balcony 110 322"], room.Received(Julia));
        Assert.Contains("presence Jule unavailable none/none 322", room.Received(Nurse));
    }

    [Fact, Feature("MU-36")]
    public void A_room_that_becomes_temporary_is_not_stored_any_more_but_lives_on_while_somebody_is_inside()
    {
        var room = Inside();
        room.Configure(Romeo, ("muc#roomconfig_persistentroom", "0"));
        Assert.IsType<RoomChange.Deleted>(room.Effects.OfType<RoomEffect.Persist>().Single().Change);
        Assert.False(room.Room.IsClosed);
        room.Configure(Romeo, ("muc#roomconfig_persistentroom", "1"));
        Assert.IsType<RoomChange.Created>(room.Effects.OfType<RoomEffect.Persist>().Single().Change);
        room.Configure(Romeo, ("muc#roomconfig_persistentroom", "0"));
        room.Leave(Julia, "Jule");
        room.Leave(Nurse, "Nurse");
        room.Leave(Romeo, "Romeo");
        Assert.True(room.Room.IsClosed);
    }

    [Fact, Spec("XEP-0045", "modifyowner"), Spec("XEP-0045", "modifyadmin")]
    public void Owners_and_admins_can_be_set_in_the_form_but_one_owner_must_stay()
    {
        var room = Inside();
        room.Configure(Romeo, ("muc#roomconfig_roomowners", "julia@x"), ("muc#roomconfig_roomadmins", "romeo@x"));
        Assert.Equal("admin romeo@x, member nurse@x, owner julia@x", string.Join(", ",
            room.Room.Snapshot().Affiliations.Select(entry => $"{entry.Affiliation.ToName()} {entry.User}").Order()));
        Assert.Contains("presence Jule owner/moderator by=Romeo", room.Received(Nurse));
        room.Forget();
        room.Set(Julia, new Element(Namespaces.MucOwner, "query", RoomDriver.Form("submit",
            ("muc#roomconfig_roomowners", ""))));
        Assert.Equal(["error iq conflict"], room.Received(Julia));
        room.Configure(Julia, ("muc#roomconfig_roomadmins", "@"));
        Assert.Equal(["error iq jid-malformed"], room.Received(Julia));
    }

    [Fact, Spec("XEP-0045", "destroyroom")]
    public void A_destroyed_room_sends_all_out_with_the_alternate_and_leaves_storage()
    {
        var room = Inside();
        room.Set(Romeo, new Element(Namespaces.MucOwner, "query",
            new MucDestroy(Jid.Parse("field@muc.x"), "winter", "key").ToElement(Namespaces.MucOwner)));
        Assert.Equal(
            ["presence Jule unavailable none/none jid=julia@x/balcony destroyed alternate=field@muc.x 'winter' 110"],
            room.Received(Julia));
        Assert.Equal("result", room.Received(Romeo)[^1]);
        Assert.IsType<RoomChange.Deleted>(room.Effects.OfType<RoomEffect.Persist>().Single().Change);
        Assert.Equal(new RoomEffect.Destroyed(Jid.Parse("field@muc.x"), "winter"),
            room.Effects.OfType<RoomEffect.Destroyed>().Single());
        Assert.IsType<RoomEffect.Closed>(room.Effects[^1]);
        room = Inside();
        room.Set(Romeo, new Element(Namespaces.MucOwner, "query", new Element(Namespaces.MucOwner,
            "destroy").With("jid", "@")));
        Assert.Equal(["error iq jid-malformed"], room.Received(Romeo));
    }

    [Theory, Feature("MU-31")]
    [InlineData("allow_private_messages", "0", PrivateMessages.None)]
    [InlineData("muc#roomconfig_allowpm", "moderators", PrivateMessages.Moderators)]
    public void Of_two_fields_for_one_option_the_one_that_was_touched_counts(string var, string value,
        PrivateMessages expected)
    {
        var room = Inside();
        var form =
            new Dictionary<string, string> { ["allow_private_messages"] = "1", ["muc#roomconfig_allowpm"] = "anyone" };
        form[var] = value;
        room.Configure(Romeo, [.. form.Select(field => (field.Key, field.Value))]);
        Assert.Equal(expected, room.Room.Options.PrivateMessages);
    }

    [Fact]
    public void Options_survive_as_text()
    {
        var options = new RoomOptions
        {
            Title = "Gärten", Persistent = true, MayGetMemberList = [Role.Moderator, Role.Visitor], MaxUsers = 7,
                Anonymous = false,
            PrivateMessages = PrivateMessages.Moderators, HistoryLength = 3, PresenceBroadcast = [], Password = "x y",
        };
        var read = RoomOptions.FromText(options.ToText());
        Assert.Empty(read.ChangesFrom(options));
        Assert.Equal("Gärten", read.Title);
        Assert.Equal(3, read.HistoryLength);
        Assert.Empty(RoomOptions.FromText([KeyValuePair.Create("nonsense",
            (System.Collections.Immutable.ImmutableArray<string>)["1"])]).ChangesFrom(new()));
    }

    /// <summary>Names in storage and in the configuration file: they never change.</summary>
    [Fact, Feature("MU-26")]
    public void Names_of_options_are_frozen() => Assert.Equal(
        "title description language persistent public public_list password_protected password maygetmemberlist " +
        "max_users anonymous members_only moderated members_by_default allow_change_subj allow_private_messages " +
        "allow_query_users allow_user_invites allow_multiple_sessions allow_visitor_status allow_visitor_nickchange " +
        "logging archiving history_length presence_broadcast registered_nicks_only " +
        "registration_approval contact slow_mode pubsub_node",
        string.Join(' ', RoomOption.All.Select(option => option.Name)));
}
