using Muster.Core.Delivery;
using Muster.Core.Rosters;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Testing;

namespace Muster.Tests.Push;

/// <summary>What a user lets be pushed (muc-offline-delivery.md §7).</summary>
public sealed class PushFiltersTests
{
    static readonly Jid Romeo = Jid.Parse("romeo@x");

    static PushFilters Filters(string content) =>
        PushFilters.Read(TestXml.Parse($"<enable xmlns='urn:xmpp:push:0' jid='app.x'>{content}</enable>"));

    static Message Read(string from, string type = "groupchat", string content = "<body>hello Romeo</body>") =>
        (Message)Stanza.Read(TestXml.Parse(
            $"<message xmlns='jabber:client' type='{type}' from='{from}'>{content}</message>"), out _)!;

    const string Rules = "<groupchat xmlns='tigase:push:filter:groupchat:0'>" +
        "<room jid='all@muc.x' allow='always'/><room jid='me@muc.x/ignored' allow='mentioned' nick='Romeo'/>" +
        "<room jid='mine@muc.x' allow='mentioned'/><room jid='none@muc.x' allow='never'/>" +
        "<room jid='odd@muc.x' allow='perhaps'/><room jid='@' allow='never'/><room allow='never'/></groupchat>";

    [Theory]
    [InlineData("all@muc.x/Juliet", "anything", null, true)]
    [InlineData("none@muc.x/Juliet", "Romeo!", "Romeo", false)]
    [InlineData("me@muc.x/Juliet", "anything", null, false)]
    [InlineData("me@muc.x/Juliet", "has Romeo come", null, true)]
    [InlineData("me@muc.x/Juliet", "has Montague come", "Montague", false)] // the nick of the rule counts
    [InlineData("mine@muc.x/Juliet", "has Montague come", "Montague", true)]
    [InlineData("mine@muc.x/Juliet", "has Montague come", null, false)]
    [InlineData("odd@muc.x/Juliet", "anything", null, true)]    // a rule that is none
    [InlineData("other@muc.x/Juliet", "anything", null, true)]
    public void Rooms(string from, string body, string? nick, bool isAllowed) =>
        Assert.Equal(isAllowed, Filters(Rules).Allow(Read(from, content: $"<body>{body}</body>"), Romeo, nick, null));

    [Fact]
    public void A_rule_of_a_room_is_about_what_is_said_to_all_in_it()
    {
        const string Private = "<body>x</body><x xmlns='http://jabber.org/protocol/muc#user'/>";
        Assert.True(Filters(Rules).Allow(Read("none@muc.x/Juliet", "chat", Private), Romeo, null, null));
        Assert.Equal(PushRoomRule.Never, Filters(Rules).Of(Jid.Parse("none@muc.x/Juliet")));
        Assert.Null(Filters(Rules).Of(Jid.Parse("other@muc.x")));
        Assert.True(Filters(Rules).HasRooms);
        Assert.False(PushFilters.None.HasRooms);
    }

    [Theory]
    [InlineData("paris@x/1", "chat", false)]
    [InlineData("paris@x", "normal", false)]
    [InlineData("hall@muc.x/Paris", "groupchat", false)]
    [InlineData("tybalt@x/1", "chat", true)]
    [InlineData("hall2@muc.x/Paris", "groupchat", true)]
    public void Muted(string from, string type, bool isAllowed) => Assert.Equal(isAllowed, Filters(
        "<muted xmlns='tigase:push:filter:muted:0'><item jid='paris@x/anything'/><item jid='hall@muc.x'/>" +
        "<item jid='@'/><item/></muted>").Allow(Read(from, type), Romeo, null, null));

    [Theory]
    [InlineData("juliet@x/1", "chat", "<body/>", true)]         // a contact
    [InlineData("stranger@y/1", "chat", "<body/>", false)]
    [InlineData("paris@x/1", "chat", "<body/>", false)]         // only asked, never listed
    [InlineData("romeo@x/laptop", "chat", "<body/>", true)]     // oneself
    [InlineData("x", "normal", "<body/>", true)]                // the own server
    [InlineData("hall@muc.x/Stranger", "groupchat", "<body/>", true)]
    [InlineData("hall@muc.x/Stranger", "chat", "<x xmlns='http://jabber.org/protocol/muc#user'/>", true)]
    public void Strangers(string from, string type, string content, bool isAllowed)
    {
        var filters = Filters("<ignore-unknown xmlns='tigase:push:filter:ignore-unknown:0'/>");
        var roster = new Roster(1, new[]
        {
            new RosterItem { Jid = Jid.Parse("juliet@x") },
            new RosterItem { Jid = Jid.Parse("paris@x"), Listed = false },
        });
        Assert.True(filters.IgnoresUnknown);
        Assert.Equal(isAllowed, filters.Allow(Read(from, type, content), Romeo, null, roster));
        // Where contacts are not known, nobody is a stranger; where nobody asked, neither.
        Assert.True(filters.Allow(Read(from, type, content), Romeo, null, null));
        Assert.True(PushFilters.None.Allow(Read(from, type, content), Romeo, null, roster));
    }

    [Fact]
    public void What_is_not_understood_is_passed_over()
    {
        var filters = Filters("<groupchat xmlns='tigase:push:filter:groupchat:9'><room jid='a@b' allow='never'/>" +
            "</groupchat><muted xmlns='urn:x'><item jid='paris@x'/></muted><priority xmlns='tigase:push:priority:0'/>");
        Assert.True(filters.WantsPriority);
        Assert.False(filters.HasRooms);
        Assert.True(filters.Allow(Read("paris@x/1", "chat"), Romeo, null, null));
        Assert.True(filters.Allow(Read("a@b/c"), Romeo, null, null));
        Assert.False(PushFilters.None.WantsPriority);
    }

    [Theory]
    [InlineData("<groupchat xmlns='tigase:push:filter:groupchat:0'/>", true)]
    [InlineData("<muted xmlns='tigase:push:filter:muted:0'/>", true)]
    [InlineData("<ignore-unknown xmlns='tigase:push:filter:ignore-unknown:0'/>", true)]
    [InlineData("<priority xmlns='tigase:push:priority:0'/>", true)]
    [InlineData("<x xmlns='jabber:x:data'/>", false)]
    public void Which_children_are_filters(string child, bool isFilter) =>
        Assert.Equal(isFilter, PushFilters.IsFilter(TestXml.Parse(child)));
}
