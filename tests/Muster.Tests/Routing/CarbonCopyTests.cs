using Muster.Core.Delivery;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Testing;

namespace Muster.Tests.Routing;

/// <summary>Which messages are copied to a user's other devices.</summary>
[Spec("XEP-0280", "which-messages")]
public class CarbonCopyTests
{
    const string Body = "<body>hi</body>";
    const string State = "<active xmlns='http://jabber.org/protocol/chatstates'/>";
    const string Receipt = "<received xmlns='urn:xmpp:receipts' id='1'/>";
    const string Marker = "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>";
    const string Occupant = "<x xmlns='http://jabber.org/protocol/muc#user'/>";
    const string Mediated = "<x xmlns='http://jabber.org/protocol/muc#user'><invite to='a@b'/></x>";
    const string Direct = "<x xmlns='jabber:x:conference' jid='a@b'/>";
    const string Archived = "<result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'/></result>";
    const string Copy = "<sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'/></sent>";

    [Theory]
    [InlineData("chat", Body, true, true)]
    [InlineData("chat", "", true, true)]
    [InlineData("chat", State, true, true)]
    [InlineData("normal", Body, true, true)]
    [InlineData("normal", "", false, false)]
    [InlineData("normal", "<subject>s</subject>", false, false)]
    [InlineData("normal", State, true, true)]
    [InlineData("normal", Receipt, true, true)]
    [InlineData("normal", Marker, true, true)]
    [InlineData("normal", Direct, true, true)]
    [InlineData("normal", Mediated, true, true)]
    [InlineData("normal", Archived, false, false)]
    [InlineData("headline", Body, false, false)]
    [InlineData("headline", Marker, true, true)]
    [InlineData("groupchat", Body, false, false)]
    [InlineData("error", Body, false, false)]
    // A private message in a room: each session inside is given it.
    [InlineData("chat", Body + Occupant, true, false)]
    [InlineData("normal", Body + Occupant, true, false)]
    [InlineData("chat", Body + "<private xmlns='urn:xmpp:carbons:2'/>", false, false)]
    [InlineData("chat", Body + "<no-copy xmlns='urn:xmpp:hints'/>", false, false)]
    [InlineData("chat", Body + "<store xmlns='urn:xmpp:hints'/>", true, true)]
    [InlineData("chat", Copy, false, false)]
    public void Instant_messages_are_copied(string type, string content, bool sent, bool received)
    {
        var message = Read($"<message type='{type}' from='a@b/c' to='d@e/f'>{content}</message>");

        Assert.Equal(sent, CarbonCopy.IsDue(message, isSent: true));
        Assert.Equal(received, CarbonCopy.IsDue(message, isSent: false));
    }

    [Fact]
    public void What_a_room_itself_says_is_copied_as_anybodys() =>
        Assert.True(CarbonCopy.IsDue(Read($"<message from='room@muc' to='d@e'>{Body}{Occupant}</message>"), false));

    [Fact]
    public void A_copy_is_known_by_who_made_it()
    {
        var account = Jid.Parse("d@e");
        var message = Read($"<message type='chat' from='a@b/c' to='d@e/f' id='1'>{Body}</message>");

        Assert.True(CarbonCopy.Is(CarbonCopy.OfReceived(message, account), account));
        Assert.True(CarbonCopy.Is(CarbonCopy.OfSent(message, account), account));
        Assert.False(CarbonCopy.Is(message, account));
        // Forged by somebody else, or by a client of the account's own.
        Assert.False(CarbonCopy.Is(Read($"<message from='a@b' to='d@e/f'>{Copy}</message>"), account));
        Assert.False(CarbonCopy.Is(Read($"<message from='d@e/x' to='d@e/f'>{Copy}</message>"), account));
        Assert.False(CarbonCopy.Is(Read($"<message from='d@e' to='d@e/f'>{Body}</message>"), account));
    }

    static Message Read(string xml) => (Message)Stanza.Read(TestXml.Parse(xml), out _)!;
}
