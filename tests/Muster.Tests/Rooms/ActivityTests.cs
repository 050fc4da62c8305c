using Muster.Core.Rooms;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;
using Muster.Testing;

namespace Muster.Tests.Rooms;

/// <summary>How much is said in a room (XEP-0502).</summary>
[Spec("XEP-0502", "retrieve")]
public sealed class ActivityTests
{
    const string Romeo = "romeo@x/orchard", Julia = "julia@x/balcony";

    static string? Activity(RoomDriver room)
    {
        room.Get("paris@x/1", new Element(Namespaces.DiscoInfo, "query"));
        var form = room.Stanzas("paris@x/1")[^1].Elements.Single().Child(Namespaces.DataForms, "x")!;
        return DataForm.Read(form, out _)!.Value("{urn:xmpp:muc-activity}message-activity");
    }

    [Fact]
    public void What_was_said_in_the_last_day_counts()
    {
        var room = RoomDriver.Stored(null, null, "owner romeo@x");
        room.Inside((Romeo, "Romeo"), (Julia, "Jule"));
        Assert.Equal("0.00", Activity(room));
        for (int i = 0; i < 12; i++) room.Say(Julia, "O");
        room.Pass(5 * 3600);
        for (int i = 0; i < 12; i++) room.Say(Romeo, "Ah");
        room.Subject(Romeo, "Love");
        room.Whisper(Julia, "Romeo", "psst");
        room.Message(Julia, "", MessageType.Groupchat, new Element("urn:example", "typing"));
        room.Say(Julia, "Oh", new Element("urn:xmpp:message-correct:0", "replace").With("id", "x"));
        Assert.Equal("1.00", Activity(room));
        room.Pass(20 * 3600);
        Assert.Equal("0.50", Activity(room));
        room.Pass(5 * 3600);
        Assert.Equal("0.00", Activity(room));
    }

    [Fact]
    public void A_room_that_wakes_knows_from_its_archive()
    {
        var room = RoomDriver.Stored(null, null, "owner romeo@x");
        room.Inside((Julia, "Jule"));
        for (int i = 0; i < 24; i++) room.Say(Julia, "O");
        room.Restart(room.Archived.Select(entry => new HistoryEntry(entry.Id, entry.At, entry.Stanza)));
        Assert.Equal("1.00", Activity(room));
        room.Pass(30 * 3600);
        Assert.Equal("0.00", Activity(room));
    }

    [Fact]
    public void It_is_told_only_of_rooms_that_are_for_everybody()
    {
        foreach (var options in (RoomOptions[])[new() { Public = false }, new() { MembersOnly = true },
            new() { PasswordProtected = true, Password = "x" }])
            Assert.Null(Activity(RoomDriver.Stored(options)));
    }
}
