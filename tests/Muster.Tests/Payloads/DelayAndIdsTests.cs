using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Protocol.Stanzas;
using Muster.Protocol.Xml;

namespace Muster.Tests.Payloads;

public class DelayAndIdsTests
{
    static readonly Jid Room = Jid.Parse("heath@chat.example");
    static readonly Jid Other = Jid.Parse("moor@chat.example");

    static Message Message(params Element?[] content) =>
        new(MessageType.Groupchat, Jid.Parse("witch@verona.example/1"), Room, "m1", content);

    static Element Id(string? id, string? by) =>
        new Element(Namespaces.StanzaIds, "stanza-id").With("id", id).With("by", by);

    [Fact]
    public void A_delay_is_read_as_written()
    {
        var stamp = new DateTimeOffset(2002, 9, 11, 1, 8, 25, TimeSpan.FromHours(2));
        var delay = new Delay(stamp, Room, "Offline storage");
        var element = delay.ToElement();
        Assert.Equal("2002-09-10T23:08:25.000Z", element.Attribute("stamp"));
        Assert.Equal(delay, Delay.Read(element));
        var bare = new Delay(delay.Stamp);
        Assert.Equal(bare, Delay.Read(bare.ToElement()));
        Assert.Null(bare.ToElement().Attribute("from"));
    }

    [Fact]
    public void A_delay_needs_a_stamp()
    {
        Assert.Null(Delay.Read(new Element(Namespaces.Delay, "delay")));
        Assert.Null(Delay.Read(new Element(Namespaces.Delay, "delay").With("stamp", "yesterday")));
        var odd = new Element(Namespaces.Delay, "delay").With("stamp", "2002-09-10T23:08:25Z").With("from", "@");
        Assert.Equal(Jid.None, Delay.Read(odd)!.From);
    }

    [Fact]
    public void A_delay_is_known_by_its_giver()
    {
        var delay = new Delay(DateTimeOffset.UnixEpoch, Room).ToElement();
        Assert.True(Delay.IsBy(delay, Room));
        Assert.True(Delay.IsBy(delay.With("from", "Heath@CHAT.example"), Room));
        Assert.False(Delay.IsBy(delay, Other));
        Assert.False(Delay.IsBy(delay.With("from", null), Room));
        Assert.False(Delay.IsBy(new Element("jabber:x:delay", "delay").With("from", Room.ToString()), Room));
    }

    [Fact]
    public void Only_forged_ids_are_taken_out()
    {
        var message = Message(
            Id("1", Room.ToString()), Id("2", "HEATH@chat.example"), Id("3", Other.ToString()),
            Id(null, Room.ToString()), Id("5", null), new Element(Namespaces.StanzaIds, "origin-id").With("id", "6"),
            new Element(Namespaces.Client, "body", "Hail"));
        var stripped = StanzaIds.Strip(message, Room);
        Assert.Equal(["3", "5", "6", null], stripped.Elements.Select(e => e.Attribute("id")));
        Assert.IsType<Message>(stripped);
        Assert.Same(stripped, StanzaIds.Strip(stripped, Room));
    }

    [Fact]
    public void Ids_are_found_by_their_giver()
    {
        var message = Message(
            Id("x", Other.ToString()), StanzaIds.StanzaId("abc", Room),
            new Element(Namespaces.StanzaIds, "origin-id").With("id", "mine"));
        Assert.Equal("abc", StanzaIds.Find(message, Room));
        Assert.Equal("x", StanzaIds.Find(message, Other));
        Assert.Null(StanzaIds.Find(message, Jid.Parse("chat.example")));
        Assert.Equal("mine", StanzaIds.OriginId(message));
        Assert.Null(StanzaIds.OriginId(Message()));
        Assert.Null(StanzaIds.Find(Message(Id("", Room.ToString())), Room));
    }

    [Fact]
    public void Hints_are_read_together()
    {
        static Element Hint(string name, string ns = Namespaces.Hints) => new(ns, name);
        Assert.Equal(MessageHints.None, Message().Hints());
        Assert.Equal(
            MessageHints.NoStore | MessageHints.NoCopy | MessageHints.Store | MessageHints.NoPermanentStore,
            Message(Hint("no-store"), Hint("no-copy"), Hint("store"), Hint("no-permanent-store")).Hints());
        Assert.Equal(MessageHints.None, Message(Hint("no-thing"), Hint("no-store", "urn:other")).Hints());
        var error = Message(Hint("no-store")).WithType(MessageType.Error);
        Assert.Equal(MessageHints.None, error.Hints());
    }

    [Theory]
    [InlineData(MessageHints.None, false)]
    [InlineData(MessageHints.Store | MessageHints.NoCopy, false)]
    [InlineData(MessageHints.NoStore, true)]
    [InlineData(MessageHints.NoPermanentStore | MessageHints.Store, true)]
    public void To_forbid_is_stronger_than_to_ask(MessageHints hints, bool forbidden) =>
        Assert.Equal(forbidden, hints.ForbidsArchive());
}
