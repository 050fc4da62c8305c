using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Roles, affiliations and their lists: every row of the error table and every effect (muc.md §10).</summary>
[Feature("MU-01")]
public sealed class AdminTests
{
    const string Romeo =
        "romeo@x/orchard", Julia = "julia@x/balcony", Nurse = "nurse@x/house", Tybalt = "tybalt@x/street";

    /// <summary>Romeo owns, Tybalt is admin, the nurse a member, Julia nobody in particular.</summary>
    static RoomDriver Inside(RoomOptions? options = null, RoomPolicy? policy = null, params string[] more)
    {
        var room = RoomDriver.Stored(options, policy, ["owner romeo@x", "admin tybalt@x", "member nurse@x", .. more]);
        room.Inside((Romeo, "Romeo"), (Tybalt, "Tybalt"), (Nurse, "Nurse"));
        if (options?.MembersOnly != true) room.Inside((Julia, "Jule"));
        return room;
    }

    static readonly Jid JuliaJid = Jid.Parse("julia@x");

    // ---- Errors ----

    [Fact]
    public void An_item_needs_one_of_role_and_affiliation_and_whom_it_means()
    {
        var room = Inside();
        room.Admin(Romeo, new MucItem(Affiliation.Member, Role.Participant, JuliaJid, "Jule"));
        room.Admin(Romeo, new MucItem(Jid: JuliaJid));
        room.Admin(Romeo, new MucItem(Role: Role.Visitor));
        room.Admin(Romeo, new MucItem(Affiliation.Member));
        room.Admin(Romeo);
        room.Set(Romeo, new Element(Namespaces.MucAdmin, "query", new Element(Namespaces.MucAdmin,
            "item").With("nick", "Jule").With("role", "king")));
        room.Set(Romeo, new Element(Namespaces.MucAdmin, "query", new Element(Namespaces.MucAdmin, "item").With("jid",
            "julia@x").With("affiliation", "king")));
        Assert.Equal(Enumerable.Repeat("error iq bad-request", 7), room.Received(Romeo));
        room.Set(Romeo, new Element(Namespaces.MucAdmin, "query", new Element(Namespaces.MucAdmin, "item").With("jid",
            "@").With("affiliation", "member")));
        Assert.Equal(["error iq jid-malformed"], room.Received(Romeo));
        Assert.True(room.IsQuiet);
    }

    [Fact]
    public void A_nick_that_nobody_has_is_not_acceptable()
    {
        var room = Inside();
        room.Kick(Romeo, "Nobody");
        room.Admin(Romeo, new MucItem(Affiliation.Member, Nick: "Nobody"));
        Assert.Equal(["error iq not-acceptable", "error iq not-acceptable"], room.Received(Romeo));
    }

    [Theory, Spec("XEP-0045", "roles-change"), Spec("XEP-0045", "kick"), Spec("XEP-0045", "grantmod"),
        Spec("XEP-0045", "revokemod")]
    [InlineData(Nurse, "Jule", Role.Visitor)]      // a participant changes nobody
    [InlineData(Nurse, "Jule", Role.None)]
    [InlineData("outsider@x/1", "Jule", Role.None)]
    [InlineData(Tybalt, "Romeo", Role.None)]       // nobody kicks somebody of higher affiliation
    [InlineData(Tybalt, "Romeo", Role.Participant)] // nor lowers an owner's or admin's role
    [InlineData(Romeo, "Tybalt", Role.Participant)]
    public void Roles_that_may_not_be_given_are_not_allowed(string actor, string nick, Role role)
    {
        var room = Inside();
        room.Role_(actor, nick, role);
        Assert.Equal(["error iq not-allowed"], room.Received(actor));
        Assert.True(room.IsQuiet);
    }

    [Fact, Spec("XEP-0045", "grantmod")]
    public void A_moderator_without_admin_rank_gives_and_takes_voice_but_not_moderation()
    {
        var room = Inside();
        room.Role_(Romeo, "Nurse", Role.Moderator);
        room.Forget();
        room.Role_(Nurse, "Jule", Role.Visitor);
        Assert.Contains("result", room.Received(Nurse));
        room.Role_(Nurse, "Jule", Role.Moderator);
        Assert.Equal(["error iq not-allowed"], room.Received(Nurse));
        room.Role_(Romeo, "Jule", Role.Moderator);
        room.Forget();
        room.Role_(Nurse, "Jule", Role.Participant);
        room.Kick(Nurse, "Jule");
        Assert.Equal(["error iq not-allowed", "error iq not-allowed"], room.Received(Nurse));
    }

    [Theory, Spec("XEP-0045", "affil-change"), Spec("XEP-0045", "ban"), Spec("XEP-0045", "grantowner"),
        Spec("XEP-0045", "grantadmin")]
    [InlineData(Nurse, "julia@x", Affiliation.Member, "forbidden")]   // only admins and owners
    [InlineData(Julia, "nurse@x", Affiliation.Outcast, "forbidden")]
    [InlineData(Julia, "tybalt@x", Affiliation.None, "not-allowed")]  // somebody without rank against an admin or owner
    [InlineData(Julia, "romeo@x", Affiliation.Outcast, "not-allowed")]
    [InlineData(Tybalt, "romeo@x", Affiliation.None, "not-allowed")]  // an admin against an owner
    [InlineData(Tybalt, "julia@x", Affiliation.Admin, "forbidden")]   // an admin makes no admins
    [InlineData(Tybalt, "julia@x", Affiliation.Owner, "forbidden")]
    [InlineData(Tybalt, "paris@x", Affiliation.None, "forbidden")]    // nor unmakes them
    [InlineData(Romeo, "romeo@x", Affiliation.Outcast, "conflict")]   // nobody bans oneself
    [InlineData(Romeo, "romeo@x", Affiliation.Admin, "conflict")]     // the last owner stays
    public void Affiliations_that_may_not_be_given(string actor, string user, Affiliation affiliation, string condition)
    {
        var room = Inside(null, null, "admin paris@x");
        room.Affiliate(actor, user, affiliation);
        Assert.Equal([$"error iq {condition}"], room.Received(actor));
        Assert.True(room.IsQuiet);
        Assert.DoesNotContain(room.Effects, effect => effect is RoomEffect.Persist);
    }

    [Fact]
    public void The_rank_of_an_administrator_of_the_service_is_never_lowered()
    {
        var room = Inside();
        room.Facts("prince@x", new SenderFacts { IsServiceAdmin = true });
        room.Join("prince@x/1", "Prince");
        room.Forget();
        room.Affiliate(Romeo, "prince@x", Affiliation.Outcast);
        Assert.Equal(["error iq not-allowed"], room.Received(Romeo));
    }

    [Fact]
    public void A_list_is_changed_whole_or_not_at_all()
    {
        var room = Inside();
        room.Admin(Tybalt, new MucItem(Affiliation.Member, Jid: JuliaJid), new MucItem(Affiliation.None,
            Jid: Jid.Parse("romeo@x")));
        Assert.Equal(["error iq not-allowed"], room.Received(Tybalt));
        Assert.True(room.IsQuiet);
        room.Admin(Romeo, new MucItem(Affiliation.Owner, Jid: JuliaJid), new MucItem(Affiliation.None,
            Jid: Jid.Parse("romeo@x")));
        Assert.Contains("result", room.Received(Romeo)); // another owner takes over in the same request
    }

    [Fact]
    public void A_full_list_takes_no_more()
    {
        var room = Inside(null, new() { AffiliationsMax = 3 });
        room.Affiliate(Romeo, "julia@x", Affiliation.Member);
        Assert.Equal(["error iq resource-constraint"], room.Received(Romeo));
        room.Affiliate(Romeo, "nurse@x", Affiliation.None);
        room.Affiliate(Romeo, "julia@x", Affiliation.Member);
        Assert.Contains("result", room.Received(Romeo));
    }

    [Fact]
    public void What_is_so_already_succeeds_without_news()
    {
        var room = Inside();
        room.Affiliate(Romeo, "nurse@x", Affiliation.Member);
        room.Role_(Romeo, "Nurse", Role.Participant);
        Assert.Equal(["result", "result"], room.Received(Romeo));
        Assert.True(room.IsQuiet);
    }

    // ---- Effects ----

    [Fact, Spec("XEP-0045", "kick")]
    public void A_kick_takes_all_sessions_of_the_nick_out_with_actor_and_reason()
    {
        var room = Inside(new() { AllowMultipleSessions = true });
        room.Join("julia@x/phone", "Jule");
        room.Forget();
        room.Kick(Romeo, "Jule", "late");
        Assert.Equal(["presence Jule unavailable none/none jid=julia@x/balcony by=Romeo(romeo@x) 'late' 307",
            "result"], room.Received(Romeo));
        Assert.Equal(["presence Jule unavailable none/none by=Romeo 'late' 307"], room.Received(Nurse));
        string self = "presence Jule unavailable none/none jid=julia@x/balcony by=Romeo(romeo@x) 'late' 110 307";
        Assert.Equal([self], room.Received(Julia));
        Assert.Equal([self], room.Received("julia@x/phone"));
        room.Join(Julia, "Jule"); // a kick is no ban
        Assert.Contains("presence Jule none/participant jid=julia@x/balcony 110", room.Received(Julia));
    }

    [Fact, Spec("XEP-0045", "ban")]
    public void A_ban_takes_all_sessions_of_the_user_out_and_is_stored()
    {
        var room = Inside();
        room.Join("julia@x/phone", "Jule2");
        room.Forget();
        room.Affiliate(Tybalt, "julia@x", Affiliation.Outcast, "Capulet");
        Assert.Equal(["presence Jule unavailable outcast/none by=Tybalt 'Capulet' 301",
            "presence Jule2 unavailable outcast/none by=Tybalt 'Capulet' 301"],
            room.Received(Nurse));
        Assert.Contains("301", Assert.Single(room.Received("julia@x/phone"), l => l.StartsWith("presence Jule2",
            StringComparison.Ordinal)), StringComparison.Ordinal);
        var stored =
            Assert.IsType<RoomChange.AffiliationSet>(room.Effects.OfType<RoomEffect.Persist>().Single().Change);
        Assert.Equal(new AffiliationEntry(JuliaJid, Affiliation.Outcast) { Reason = "Capulet" },
            stored.Entry with { Version = 0 });
        room.Forget();
        room.Join(Julia, "Jule");
        Assert.Equal(["error presence Jule forbidden"], room.Received(Julia));
    }

    [Fact]
    public void A_banned_domain_takes_all_its_users_out_but_can_never_own_a_room()
    {
        var room = Inside();
        room.Inside(("a@evil.example/1", "A"), ("b@evil.example/1", "B"));
        room.Affiliate(Romeo, "evil.example", Affiliation.Owner);
        Assert.Equal(["result"], room.Received(Romeo));
        Assert.True(room.IsQuiet);
        room.Affiliate(Romeo, "evil.example", Affiliation.Outcast);
        Assert.Contains("301", room.Received("a@evil.example/1")[0], StringComparison.Ordinal);
        Assert.Equal(4, room.Room.OccupantCount);
    }

    [Fact, Spec("XEP-0045", "grantmember"), Spec("XEP-0045", "grantadmin")]
    public void A_grant_is_shown_to_all_with_the_new_item()
    {
        var room = Inside();
        room.Affiliate(Romeo, "julia@x", Affiliation.Admin);
        Assert.Equal(["presence Jule admin/moderator by=Romeo"], room.Received(Nurse));
        // The new moderator sees addresses from now on, and is told those that it did not see before.
        Assert.Equal(
        [
            "presence Jule admin/moderator jid=julia@x/balcony by=Romeo(romeo@x) 110",
            "presence Romeo owner/moderator jid=romeo@x/orchard",
            "presence Tybalt admin/moderator jid=tybalt@x/street",
            "presence Nurse member/participant jid=nurse@x/house",
        ], room.Received(Julia));
        room.Affiliate(Romeo, "julia@x", Affiliation.None);
        Assert.Equal("presence Jule none/participant by=Romeo", Assert.Single(room.Received(Nurse)));
    }

    [Fact, Spec("XEP-0045", "revokemember")]
    public void Who_loses_membership_of_a_members_only_room_goes_with_321()
    {
        var room = Inside(new() { MembersOnly = true });
        room.Affiliate(Romeo, "nurse@x", Affiliation.None);
        Assert.Equal(["presence Nurse unavailable none/none jid=nurse@x/house by=Romeo(romeo@x) 110 321"],
            room.Received(Nurse));
        var stored =
            Assert.IsType<RoomChange.AffiliationSet>(room.Effects.OfType<RoomEffect.Persist>().Single().Change);
        Assert.Equal(Affiliation.None, stored.Entry.Affiliation);
        Assert.DoesNotContain(room.Room.Snapshot().Affiliations, entry => entry.User == Jid.Parse("nurse@x"));
    }

    [Fact]
    public void Who_is_not_inside_hears_of_it_by_a_message_and_a_new_member_of_a_members_only_room_is_invited()
    {
        var room = Inside(new() { MembersOnly = true });
        room.Affiliate(Romeo, "julia@x", Affiliation.Member);
        Assert.Equal(["normal member jid=julia@x 101",
            "normal invited from=garden@muc.x '' 'garden@muc.x invites you to the room garden@muc.x'"],
            room.Received("julia@x"));
        room = Inside();
        room.Affiliate(Romeo, "paris@x", Affiliation.Outcast, "no");
        Assert.Equal(["normal outcast jid=paris@x 'no' 101"], room.Received("paris@x"));
    }

    [Fact, Spec("XEP-0045", "grantvoice"), Spec("XEP-0045", "revokevoice")]
    public void Voice_is_taken_and_given()
    {
        var room = Inside();
        room.Role_(Tybalt, "Jule", Role.Visitor);
        Assert.Equal(["presence Jule none/visitor by=Tybalt"], room.Received(Nurse));
        Assert.Equal(["presence Jule none/visitor jid=julia@x/balcony by=Tybalt(tybalt@x) 110"], room.Received(Julia));
        room.Say(Julia, "mmm");
        Assert.Equal(["error message forbidden"], room.Received(Julia));
        room.Role_(Tybalt, "Jule", Role.Participant);
        Assert.Equal(["presence Jule none/participant by=Tybalt"], room.Received(Nurse));
    }

    [Fact]
    public void An_admin_acts_also_without_being_inside_and_by_nick()
    {
        var room = Inside();
        room.Leave(Romeo, "Romeo");
        room.Forget();
        room.Admin(Romeo, new MucItem(Affiliation.Outcast, Nick: "Jule"));
        Assert.Equal(["result"], room.Received(Romeo));
        Assert.Contains("301", room.Received(Julia)[0], StringComparison.Ordinal);
    }

    [Fact, Spec("XEP-0045", "grantmember")]
    public void A_nick_given_with_membership_is_reserved()
    {
        var room = Inside();
        room.Admin(Romeo, new MucItem(Affiliation.Member, Jid: JuliaJid, Nick: "Capulet"));
        room.Join("paris@x/1", "Capulet");
        Assert.Equal(["error presence Capulet conflict"], room.Received("paris@x/1"));
    }

    // ---- Lists ----

    static Element Ask(MucItem item) => new(Namespaces.MucAdmin, "query", item.ToElement(Namespaces.MucAdmin));

    static string[] List(RoomDriver room, string user, MucItem item)
    {
        room.Get(user, Ask(item));
        var answer = Assert.Single(room.Stanzas(user));
        if (answer.Error is { } error) return [error.Condition];
        return [.. answer.Elements.Single().Elements.Select(e => string.Join(' ',
            new[] { e.Attribute("nick"), e.Attribute("role"), e.Attribute("affiliation"),
                e.Attribute("jid") }.Where(v => v is not null)))];
    }

    [Fact, Spec("XEP-0045", "modifymod"), Spec("XEP-0045", "modifyvoice")]
    public void Moderators_read_the_lists_of_roles()
    {
        var room = Inside();
        Assert.Equal(["Jule participant none julia@x/balcony", "Nurse participant member nurse@x/house"],
            List(room, Tybalt, new MucItem(Role: Role.Participant)));
        Assert.Equal(["forbidden"], List(room, Nurse, new MucItem(Role: Role.Moderator)));
        Assert.Equal(["forbidden"], List(room, "outsider@x/1", new MucItem(Role: Role.Moderator)));
    }

    [Fact, Spec("XEP-0045", "modifymember"), Spec("XEP-0045", "modifyban")]
    public void Admins_read_the_lists_of_affiliations()
    {
        var room = Inside(null, null, "outcast paris@x", "member rosaline@x as Rose");
        Assert.Equal(["member nurse@x", "Rose member rosaline@x"], List(room, Tybalt, new MucItem(Affiliation.Member)));
        Assert.Equal(["outcast paris@x"], List(room, Romeo, new MucItem(Affiliation.Outcast)));
        Assert.Equal(["bad-request"], List(room, Romeo, new MucItem(Affiliation.None)));
        Assert.Equal(["bad-request"], List(room, Romeo, new MucItem(Jid: JuliaJid)));
        Assert.Equal(["forbidden"], List(room, Nurse, new MucItem(Affiliation.Member)));
        room.Get(Romeo, new Element(Namespaces.MucAdmin, "query"));
        Assert.Equal(["error iq bad-request"], room.Received(Romeo));
    }

    [Fact, Spec("XEP-0045", "getmemberlist"), Feature("MU-47")]
    public void Roles_of_maygetmemberlist_read_them_too()
    {
        var room = Inside(new() { MayGetMemberList = [Role.Participant] });
        Assert.Equal(["member nurse@x"], List(room, Julia, new MucItem(Affiliation.Member)));
        Assert.Equal(["Romeo moderator owner", "Tybalt moderator admin"], List(room, Julia,
            new MucItem(Role: Role.Moderator)));
        Assert.Equal(["forbidden"], List(room, "outsider@x/1", new MucItem(Affiliation.Member)));
    }

    [Fact]
    public void Members_of_a_private_group_read_who_belongs_to_it()
    {
        var room = Inside(new() { MembersOnly = true, Anonymous = false });
        Assert.Equal(["owner romeo@x"], List(room, Nurse, new MucItem(Affiliation.Owner)));
        Assert.Equal(["forbidden"], List(room, Nurse, new MucItem(Affiliation.Outcast)));
    }

    [Fact]
    public void Ten_thousand_affiliations_are_answered_in_pages()
    {
        var room = RoomDriver.Stored(null, new() { AffiliationsMax = 20_000 },
            ["owner romeo@x", .. Enumerable.Range(0, 10_000).Select(i => $"member user{i:00000}@x")]);
        var seen = new List<string>();
        string? after = null;
        for (int page = 0; page < 20; page++)
        {
            room.Get(Romeo, Ask(new MucItem(Affiliation.Member)).Add(new ResultSetRequest(After: after).ToElement()));
            var query = Assert.Single(room.Stanzas(Romeo)).Elements.Single();
            seen.AddRange(query.Children(Namespaces.MucAdmin, "item").Select(item => item.Attribute("jid")!));
            var set = ResultSetPage.Read(query.Child(Namespaces.ResultSets, "set")!);
            Assert.Equal((10_000, page * 500), (set.Count, set.FirstIndex));
            after = set.Last;
        }
        Assert.Equal(10_000, seen.Distinct().Count());
    }
}
