using System.Text;
using Muster.Core.RoomLogs;
using Muster.Core.Rooms;
using Muster.Protocol.Payloads;
using Muster.Protocol.Xml;
using Muster.Testing;
using Muster.Tests.Rooms;

namespace Muster.Tests.RoomLogs;

/// <summary>Which events of a room are in its public log, read as plain text (muc.md §19).</summary>
[Feature("ML-01")]
public sealed class RoomLogTraceTests
{
    const string Romeo = "romeo@x/a", Julia = "julia@x/b";
    static readonly RoomOptions Logged = new() { Logging = true };

    readonly RoomLogTrace _trace = new();
    readonly RoomDriver _room;

    public RoomLogTraceTests() => _room = RoomDriver.Stored(Logged, null, "owner romeo@x");

    [Fact]
    public void A_room_that_is_made_says_so_before_its_first_occupant_comes()
    {
        var room = RoomDriver.Nonexistent(Logged);
        room.Join(Romeo, "Romeo");
        Assert.Equal(["* The room was created", "* Romeo joins the room"], Lines(room));
        room.Leave(Romeo, "Romeo");
        Assert.Equal(["* Romeo leaves the room", "* The room was stopped"], Lines(room));
    }

    [Fact]
    public void A_stored_room_starts_with_its_first_line_and_stops_when_it_sleeps()
    {
        _room.Get(Romeo, new Element(Namespaces.DiscoInfo, "query"));
        Assert.Empty(Lines()); // a question alone is no event
        _room.Join(Romeo, "Romeo");
        Assert.Equal(["* The room was started", "* Romeo joins the room"], Lines());
        _room.Happen(new RoomEvent.Hibernate());
        Assert.Equal(["* Romeo has been kicked because the service shuts down: Room hibernation",
            "* The room was stopped"], Lines());
    }

    [Fact]
    public void Several_sessions_of_a_nick_come_and_go_once()
    {
        var room = RoomDriver.Stored(Logged with { AllowMultipleSessions = true });
        room.Join("romeo@x/a", "Romeo");
        Assert.Equal(2, Lines(room).Length);
        room.Join("romeo@x/b", "Romeo");
        room.Leave("romeo@x/a", "Romeo");
        Assert.Empty(Lines(room));
        room.Leave("romeo@x/b", "Romeo", "good night");
        Assert.Equal(["* Romeo leaves the room: good night"], Lines(room));
    }

    [Fact]
    public void What_is_said_is_there_once_and_what_is_not_for_storage_is_not()
    {
        Begin();
        _room.Say(Julia, "hello <b>all</b>");
        Assert.Equal(["[Julia] hello [b]all[/b]"], Lines());
        _room.Say(Julia, "/me waves");
        Assert.Equal(["* Julia waves"], Lines());
        _room.Subject(Romeo, "Roses");
        Assert.Equal(["* Romeo has set the subject to: Roses"], Lines());
        _room.Happen(new RoomEvent.Announce(new(Protocol.Stanzas.MessageType.Normal, default, default, null,
            new Element(Namespaces.Client, "body", "Maintenance at noon"))));
        Assert.Equal(["* Maintenance at noon"], Lines());

        _room.Say(Julia, "off the record", new Element(Namespaces.Hints, "no-store"));
        _room.Whisper(Julia, "Romeo", "for you alone");
        _room.Message(Julia, "", Protocol.Stanzas.MessageType.Groupchat,
            new Element("http://jabber.org/protocol/chatstates", "composing"));
        _room.Join("paris@x/p", "Paris"); // gets the history
        Assert.Equal(["* Paris joins the room"], Lines());
    }

    [Fact]
    public void Removals_tell_why()
    {
        Begin();
        _room.Kick(Romeo, "Julia", "too loud");
        Assert.Equal(["* Julia has been kicked: too loud"], Lines());
        _room.Join(Julia, "Julia");
        Lines();
        _room.Affiliate(Romeo, "julia@x", Affiliation.Outcast, "spam");
        Assert.Equal(["* Julia has been banned: spam"], Lines());
        _room.Join("paris@x/p", "Paris");
        Lines();
        _room.Configure(Romeo, ("muc#roomconfig_membersonly", "1"));
        Assert.Equal(["* The configuration was changed: Only members may enter: yes",
            "* Paris has been kicked because the room is for members only now"], Lines());
        _room.Affiliate(Romeo, "tybalt@x", Affiliation.Member);
        _room.Join("tybalt@x/t", "Tybalt");
        Lines();
        _room.Affiliate(Romeo, "tybalt@x", Affiliation.None);
        Assert.Equal(["* Tybalt has been kicked because of an affiliation change"], Lines());
        _room.Happen(new RoomEvent.Shutdown());
        Assert.StartsWith("* Romeo has been kicked because the service shuts down", Assert.Single(Lines()),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_of_nick_is_a_line()
    {
        Begin();
        _room.Presence(Julia, "Jule");
        Assert.Equal(["* Julia is now known as Jule"], Lines());
    }

    [Fact]
    public void The_change_that_begins_the_log_lists_occupants_and_the_one_that_ends_it_is_in_it()
    {
        var room = RoomDriver.Stored(new RoomOptions(), null, "owner romeo@x");
        room.Join(Romeo, "Romeo");
        room.Join(Julia, "Julia");
        room.Say(Julia, "not yet");
        Assert.Empty(Lines(room));
        room.Configure(Romeo, ("muc#roomconfig_enablelogging", "1"));
        Assert.Equal(["* The public log begins; Moderators: Romeo; Participants: Julia"], Lines(room));
        room.Say(Julia, "now");
        Assert.Equal(["[Julia] now"], Lines(room));
        room.Configure(Romeo, ("muc#roomconfig_enablelogging", "0"));
        Assert.Equal(["* The public log ends"], Lines(room));
        room.Say(Julia, "not any more");
        room.Leave(Julia, "Julia");
        Assert.Empty(Lines(room));
    }

    [Fact]
    public void A_password_is_never_told()
    {
        Begin();
        _room.Configure(Romeo, ("muc#roomconfig_passwordprotectedroom", "1"),
            ("muc#roomconfig_roomsecret", "shibboleth"));
        string line = Assert.Single(Lines());
        Assert.Contains("Password", line, StringComparison.Ordinal);
        Assert.DoesNotContain("shibboleth", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_destroyed_room_says_where_to_go()
    {
        Begin();
        _room.Set(Romeo, new Element(Namespaces.MucOwner, "query",
            new MucDestroy(Protocol.Addresses.Jid.Parse("park@muc.x"), "winter")
                .ToElement(Namespaces.MucOwner)));
        Assert.Equal("* The room was destroyed: winter Go to xmpp:park@muc.x?join", Lines()[^1]);
        Assert.False(_trace.IsOpen);
    }

    void Begin()
    {
        _room.Join(Romeo, "Romeo");
        Lines();
        _room.Join(Julia, "Julia");
        Lines();
    }

    string[] Lines() => Lines(_room);

    /// <summary>What the log says of the last input, without time.</summary>
    string[] Lines(RoomDriver room)
    {
        var events = new List<RoomLogEvent>();
        _trace.Read(room.Room, room.Effects, events);
        return [.. events.Select(line =>
        {
            var text = new StringBuilder();
            RoomLogPlain.Append(text, default, line);
            return text.ToString()["[HH:MM:SS] ".Length..].TrimEnd('\n');
        })];
    }
}
