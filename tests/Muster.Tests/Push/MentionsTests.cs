using Muster.Core.Delivery;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Testing;

namespace Muster.Tests.Push;

/// <summary>Who is mentioned (XEP-0372 §4.2; XEP-0426 §4; muc-push.md §6).</summary>
[Spec("XEP-0372", "4.2")]
public sealed class MentionsTests
{
    static readonly Jid Room = Jid.Parse("garden@muc.x"), User = Jid.Parse("romeo@x");

    static Message Read(string content) => (Message)Stanza.Read(TestXml.Parse(
        $"<message xmlns='jabber:client' type='groupchat' from='garden@muc.x/Juliet'>{content}</message>"), out _)!;

    static string Marked(string body, string attributes, string type = "mention") => $"<body>{body}</body>" +
        $"<reference xmlns='urn:xmpp:reference:0' type='{type}' {attributes}/>";

    [Theory]
    // Text that is the nick: begin is the first, end the one after the last code point.
    [InlineData("Romeo, hi", "begin='0' end='5'", "Romeo", true)]
    [InlineData("hi Romeo", "begin='3' end='8'", "Romeo", true)]
    [InlineData("hi @Romeo", "begin='3' end='9'", "Romeo", true)]
    [InlineData("hi Romeo", "begin='3' end='7'", "Romeo", false)]
    [InlineData("hi Romeo", "begin='2' end='8'", "Romeo", false)]
    [InlineData("hi romeo", "begin='3' end='8'", "Romeo", false)]
    [InlineData("🎭🎭 Romeo", "begin='3' end='8'", "Romeo", true)]
    [InlineData("🎭🎭 Romeo", "begin='5' end='10'", "Romeo", false)]
    [InlineData("Zoë", "begin='0' end='3'", "Zoë", true)]
    [InlineData("Zoë", "begin='0' end='4'", "Zoë", false)]
    // Offsets that are none.
    [InlineData("Romeo", "begin='5' end='0'", "Romeo", false)]
    [InlineData("Romeo", "begin='0' end='0'", "Romeo", false)]
    [InlineData("Romeo", "begin='-1' end='5'", "Romeo", false)]
    [InlineData("Romeo", "begin='0' end='6'", "Romeo", false)]
    [InlineData("Romeo", "begin='0'", "Romeo", false)]
    [InlineData("Romeo", "begin='0' end='99999999999'", "Romeo", false)]
    [InlineData("Romeo", "begin=' 0' end='5'", "Romeo", false)]
    [InlineData("@", "begin='0' end='1'", "@", true)]
    [InlineData("Romeo", "begin='0' end='5'", null, false)]
    // Addresses.
    [InlineData("x", "uri='xmpp:romeo@x'", null, true)]
    [InlineData("x", "uri='xmpp:romeo@x?message'", null, true)]
    [InlineData("x", "uri='XMPP:romeo@x'", null, true)]
    [InlineData("x", "uri='xmpp:ROMEO@x'", null, true)]
    [InlineData("x", "uri='xmpp:romeo@x/orchard'", null, false)]
    [InlineData("x", "uri='xmpp:garden@muc.x/Romeo'", "Romeo", true)]
    [InlineData("x", "uri='xmpp:garden@muc.x/Romeo'", "Paris", false)]
    [InlineData("x", "uri='xmpp:garden@muc.x/Romeo'", null, false)]
    [InlineData("x", "uri='xmpp:garden@muc.x'", "Romeo", false)]
    [InlineData("x", "uri='xmpp:orchard@muc.x/Romeo'", "Romeo", false)]
    [InlineData("x", "uri='xmpp:garden@muc.x/R%C3%B3meo'", "Rómeo", true)]
    [InlineData("x", "uri='mailto:romeo@x'", "Romeo", false)]
    [InlineData("x", "uri='xmpp:'", "Romeo", false)]
    [InlineData("x", "uri='xmpp:@'", "Romeo", false)]
    [InlineData("x", "uri='xmpp:%FF%00@x'", "Romeo", false)]
    [InlineData("Romeo", "", "Romeo", false)]
    public void Marks(string body, string attributes, string? nick, bool isMention) =>
        Assert.Equal(isMention, Mentions.IsMarked(Read(Marked(body, attributes)), Room, User, nick));

    [Fact]
    public void Only_references_that_are_mentions_count_and_every_one_of_them()
    {
        Assert.False(Mentions.IsMarked(Read(Marked("Romeo", "begin='0' end='5'", "data")), Room, User, "Romeo"));
        const string other = "<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:paris@x'/>";
        Assert.True(Mentions.IsMarked(Read(other + Marked("Romeo", "begin='0' end='5'")), Room, User, "Romeo"));
        // A reference to nobody's namespace is none.
        Assert.False(Mentions.IsMarked(
            Read("<body>x</body><reference xmlns='urn:x' type='mention' uri='xmpp:romeo@x'/>"), Room, User, "Romeo"));
        // A message of a thousand mentions costs no more than one of a hundred.
        string flood = string.Concat(Enumerable.Repeat(other, 100));
        string last = Marked("x", "uri='xmpp:romeo@x'");
        Assert.True(Mentions.IsMarked(Read(flood[other.Length..] + last), Room, User, null));
        Assert.False(Mentions.IsMarked(Read(flood + last), Room, User, null));
    }

    [Theory]
    [InlineData("Romeo", "Romeo", true)]
    [InlineData("hey ROMEO!", "Romeo", true)]
    [InlineData("@Romeo: hi", "Romeo", true)]
    [InlineData("(Romeo)", "Romeo", true)]
    [InlineData("Romeos", "Romeo", false)]
    [InlineData("xRomeo", "Romeo", false)]
    [InlineData("Romeos and Romeo", "Romeo", true)]
    [InlineData("Romeo2", "Romeo", false)]
    [InlineData("𝐀Romeo", "Romeo", false)] // a letter outside the basic plane
    [InlineData("🎭Romeo🎭", "Romeo", true)]
    [InlineData("", "Romeo", false)]
    [InlineData("Romeo", "", false)]
    [InlineData("aaaaab", "ab", false)]
    public void Words(string body, string nick, bool isThere) => Assert.Equal(isThere, Mentions.HasWord(body, nick));
}
