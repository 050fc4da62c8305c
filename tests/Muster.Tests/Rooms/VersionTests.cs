using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>Versions of the affiliations (XEP-0463): a client that knows one hears of what changed since.</summary>
[Spec("XEP-0463", "usage")]
public sealed class VersionTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony", Nurse = "nurse@x/house";

    /// <summary>A private group: its members may know who belongs to it.</summary>
    static RoomDriver Group(RoomPolicy? policy = null) => RoomDriver.Stored(
        new() { MembersOnly = true, Anonymous = false }, policy,
        "owner romeo@x", "member nurse@x", "member julia@x", "outcast tybalt@x");

    /// <summary>Enters and gives what came before the first presence, as "since>until: user=affiliation ...".</summary>
    static List<string> Enter(RoomDriver room, string user, string nick, string? since, out string version)
    {
        room.Forget();
        room.Send(new Presence(PresenceType.Available, Jid.Parse(user), RoomDriver.At(nick), "in",
            new MucJoin(Affiliations: new MucVersion(since)).ToElement()));
        var received = room.Stanzas(user);
        var self = received.OfType<Presence>().Select(Content)
            .Single(content => content?.Statuses.Contains(MucStatus.Self) == true)!;
        Assert.Null(self.Version!.Since);
        version = self.Version.Until!;
        room.Forget();
        return [.. received.TakeWhile(stanza => stanza is Message).Select(Describe)];
    }

    static List<string> Enter(RoomDriver room, string user, string nick, string? since) =>
        Enter(room, user, nick, since, out _);

    static MucUser? Content(Stanza stanza) =>
        stanza.Child(Namespaces.MucUser, "x") is { } x ? MucUser.Read(x, out _) : null;

    static string Describe(Stanza stanza)
    {
        if (stanza.Error is { } error) return error.Condition;
        var x = stanza.Child(Namespaces.MucUser, "x")!;
        var version = MucVersion.Of(x)!;
        var items = x.Children(Namespaces.MucUser, "item")
            .Select(item => $"{item.Attribute("jid")}={item.Attribute("affiliation")}");
        return $"{version.Since}>{version.Until}: {string.Join(' ', items)}";
    }

    /// <summary>The step of the one stanza that a user received.</summary>
    static MucVersion Step(RoomDriver room, string user) => Content(Assert.Single(room.Stanzas(user)))!.Version!;

    [Fact]
    public void Who_asks_without_a_version_gets_all_and_then_only_what_changed()
    {
        var room = Group();
        Assert.Equal([">4: romeo@x=owner nurse@x=member julia@x=member tybalt@x=outcast"],
            Enter(room, Romeo, "Romeo", null, out string first));
        Assert.Empty(Enter(room, Romeo, "Romeo", first, out string same));
        Assert.Equal(first, same);
        room.Affiliate(Romeo, "paris@x", Affiliation.Member);
        room.Affiliate(Romeo, "nurse@x", Affiliation.None);
        room.Affiliate(Romeo, "julia@x", Affiliation.Admin);
        room.Affiliate(Romeo, "julia@x", Affiliation.Admin); // no change, no version
        string changes = Assert.Single(Enter(room, Romeo, "Romeo", first, out string last));
        Assert.Equal($"{first}>{last}: paris@x=member nurse@x=none julia@x=admin", changes);
        // A removal is remembered over a restart, too.
        room.Restart();
        Assert.Equal([changes], Enter(room, Romeo, "Romeo", first));
        Assert.Equal([$">{last}: romeo@x=owner tybalt@x=outcast paris@x=member julia@x=admin"],
            Enter(room, Romeo, "Romeo", null));
    }

    [Theory]
    [InlineData("ffffffff")]
    [InlineData("nonsense")]
    [InlineData("-1")]
    [InlineData("")]
    public void A_version_that_the_room_does_not_know_gets_all(string since)
    {
        var room = Group();
        Assert.StartsWith(">4: romeo@x=owner", Assert.Single(Enter(room, Romeo, "Romeo", since)),
            StringComparison.Ordinal);
    }

    [Fact]
    public void So_many_removals_are_remembered_and_who_knows_less_gets_all()
    {
        var room = Group(new() { RemovalsMax = 2 });
        Enter(room, Romeo, "Romeo", null, out string first);
        room.Affiliate(Romeo, "nurse@x", Affiliation.None);
        Enter(room, Romeo, "Romeo", null, out string second);
        room.Affiliate(Romeo, "julia@x", Affiliation.None);
        room.Affiliate(Romeo, "tybalt@x", Affiliation.None);
        Assert.Equal(new RoomChange.AffiliationRemoved(Jid.Parse("nurse@x")),
            room.Effects.OfType<RoomEffect.Persist>().Last().Change);
        Assert.Equal(2, room.Room.Snapshot().Past.Length);
        Assert.StartsWith(">", Assert.Single(Enter(room, Romeo, "Romeo", first)), StringComparison.Ordinal);
        Assert.StartsWith(">", Assert.Single(Enter(room, Romeo, "Romeo", second)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_list_comes_in_parts_that_go_on_where_the_one_before_ended()
    {
        var room = RoomDriver.Stored(new() { MembersOnly = true, Anonymous = false }, new() { ListPageMax = 2 },
            "owner romeo@x", "member a@x", "member b@x", "member c@x", "member d@x");
        Assert.Equal([">2: romeo@x=owner a@x=member", "2>4: b@x=member c@x=member", "4>5: d@x=member"],
            Enter(room, Romeo, "Romeo", null));
        room.Affiliate(Romeo, "e@x", Affiliation.Member);
        room.Affiliate(Romeo, "a@x", Affiliation.None);
        room.Affiliate(Romeo, "b@x", Affiliation.None);
        var parts = Enter(room, Romeo, "Romeo", "5", out string last);
        Assert.Equal(2, parts.Count);
        Assert.StartsWith("5>", parts[0], StringComparison.Ordinal);
        Assert.EndsWith($">{last}: b@x=none", parts[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Who_may_not_read_the_lists_gets_an_error_and_enters()
    {
        var room = RoomDriver.Stored(null, null, "owner romeo@x", "outcast tybalt@x");
        Assert.Equal(["forbidden"], Enter(room, Julia, "Jule", null));
        Assert.Contains(Jid.Parse(Julia), room.Room.Sessions);
        // Members of a private group may not know who is banned from it.
        room = Group();
        Assert.Equal([">4: romeo@x=owner nurse@x=member julia@x=member"], Enter(room, Julia, "Jule", null));
    }

    [Fact]
    public void Nothing_of_the_past_is_for_those_who_came_later()
    {
        var room = Group();
        Enter(room, Romeo, "Romeo", null, out string first);
        room.Affiliate(Romeo, "tybalt@x", Affiliation.None);
        room.Affiliate(Romeo, "paris@x", Affiliation.Member);
        Assert.Equal([">**: romeo@x=owner nurse@x=member julia@x=member paris@x=member"],
            Enter(room, "paris@x/1", "Paris", first, out string last).Select(line => line.Replace(last, "**")));
        // To who was there a former outcast is only somebody who is not on the list.
        Assert.Equal([$"{first}>{last}: tybalt@x=none paris@x=member"], Enter(room, Nurse, "Nurse", first));
    }

    [Fact]
    public void The_request_is_for_the_room_alone()
    {
        var room = Group();
        room.Inside((Romeo, "Romeo"));
        room.Send(new Presence(PresenceType.Available, Jid.Parse(Julia), RoomDriver.At("Jule"), "in",
            new MucJoin(Affiliations: new MucVersion("1")).ToElement()));
        Assert.DoesNotContain("mav", StanzaWriter.ToText(Assert.Single(room.Stanzas(Romeo)).ToElement()),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Each_change_tells_those_who_may_read_the_list_from_which_version_to_which_it_leads()
    {
        var room = Group();
        Enter(room, Romeo, "Romeo", null, out string version);
        room.Inside((Nurse, "Nurse"), (Julia, "Jule"));
        // Of somebody inside by presence, to itself too.
        room.Affiliate(Romeo, "nurse@x", Affiliation.Admin);
        var step = Step(room, Julia);
        Assert.Equal(version, step.Since);
        Assert.Equal(step, Step(room, Nurse));
        // Of somebody who is not, by message.
        room.Forget();
        room.Affiliate(Romeo, "paris@x", Affiliation.Member);
        var message = Assert.Single(room.Stanzas(Julia));
        Assert.Equal("normal member jid=paris@x", RoomDriver.Line(message));
        Assert.Equal(step.Until, Content(message)!.Version!.Since);
        // Of an outcast only admins learn what it is.
        room.Forget();
        room.Affiliate(Romeo, "count@x", Affiliation.Outcast, "no");
        Assert.Equal(["normal none jid=count@x"], room.Received(Julia));
        Assert.Equal(["normal outcast jid=count@x 'no'"], room.Received(Nurse));
        // Who goes by a change is seen going.
        room.Forget();
        room.Affiliate(Romeo, "nurse@x", Affiliation.None);
        Assert.NotNull(Step(room, Julia));
        Enter(room, Julia, "Jule", null, out string now);
        room.Affiliate(Romeo, "evil.example", Affiliation.Outcast);
        Assert.Equal(now, Step(room, Julia).Since);
    }

    [Fact]
    public void In_a_semi_anonymous_room_only_those_who_see_addresses_see_versions_in_presence()
    {
        var room = RoomDriver.Stored(new() { MayGetMemberList = [Role.Participant] }, null, "owner romeo@x",
            "member nurse@x");
        room.Inside((Romeo, "Romeo"), (Nurse, "Nurse"), (Julia, "Jule"));
        room.Affiliate(Romeo, "julia@x", Affiliation.Member);
        Assert.NotNull(Content(room.Stanzas(Romeo)[0])!.Version);
        var seen = room.Stanzas(Nurse);
        Assert.Equal(["presence Jule member/participant by=Romeo", "normal member jid=julia@x"],
            seen.Select(RoomDriver.Line));
        Assert.Null(Content(seen[0])!.Version);
        Assert.NotNull(Content(seen[1])!.Version);
    }

    [Fact]
    public void Who_is_invited_or_registers_is_told_of_as_well()
    {
        var room = Group();
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"));
        room.Message(Romeo, "", MessageType.Normal,
            new MucUser { Invites = [new MucInvite(Jid.Parse("paris@x"))] }.ToElement());
        Assert.Equal(["normal member jid=paris@x"], room.Received(Julia));
    }
}
