using Muster.Core.Archive;
using Muster.Core.Rosters;
using Muster.Protocol.Addresses;
using Muster.Protocol.Stanzas;
using Muster.Testing;

namespace Muster.Tests.Archives;

/// <summary>What is read from a question to an archive, and what is refused.</summary>
[Spec("XEP-0313", "query")]
public class ArchiveRequestTests
{
    [Fact]
    public void A_bare_query_wants_everything_from_the_beginning()
    {
        var request = Read("<query xmlns='urn:xmpp:mam:2'/>");
        Assert.Equal(new ArchiveRequest(), request);
        Assert.True(request!.IsUnfiltered);
        Assert.Empty(request.Required);
    }

    [Fact]
    public void All_of_it_is_read()
    {
        var request = Read("<query xmlns='urn:xmpp:mam:2' queryid='f27'>" + Form(
            ("with", "Juliet@Capulet.lit/balcony"), ("start", "2010-06-07T00:00:00Z"),
            ("end", "2010-07-07T13:23:54.5+02:00"), ("after-id", "12"), ("before-id", "99"),
            ("include-groupchat", "true")) +
            "<set xmlns='http://jabber.org/protocol/rsm'><max>10</max><before>50</before></set><flip-page/></query>");
        Assert.Equal(new ArchiveRequest
        {
            QueryId = "f27",
            With = Jid.Parse("juliet@capulet.lit/balcony"),
            Start = new DateTimeOffset(2010, 6, 7, 0, 0, 0, TimeSpan.Zero),
            End = new DateTimeOffset(2010, 7, 7, 11, 23, 54, 500, TimeSpan.Zero),
            AfterId = 12,
            BeforeId = 99,
            Max = 10,
            Cursor = 50,
            IsBackwards = true,
            IsFlipped = true,
        }, request);
        Assert.Equal([12, 99, 50], request!.Required);
    }

    [Fact]
    public void Ids_name_single_messages()
    {
        var request = Read($"<query xmlns='urn:xmpp:mam:2'>{Form(("ids", "3"), ("ids", "7"))}</query>");
        Assert.Equal([3, 7], request!.Ids!);
        Assert.False(request.IsUnfiltered);
    }

    [Fact]
    public void An_empty_before_asks_for_the_last_page()
    {
        var request = Read("<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><before/></set>" +
            "</query>");
        Assert.Equal(new ArchiveRequest { IsBackwards = true }, request);
    }

    [Fact]
    public void After_and_before_together_are_both_bounds()
    {
        var request = Read("<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'>" +
            "<after>5</after><before>9</before></set></query>");
        Assert.Equal(new ArchiveRequest { IsBackwards = true, Cursor = 9, AfterId = 5 }, request);
    }

    [Theory]
    [InlineData("with", "", null)]
    [InlineData("start", "", null)]
    [InlineData("with", "@", "jid-malformed")]
    [InlineData("start", "yesterday", "bad-request")]
    [InlineData("end", "2010-06-07", "bad-request")]
    [InlineData("start", "9999999-01-01T00:00:00Z", "bad-request")]
    [InlineData("after-id", "abc", "item-not-found")]
    [InlineData("after-id", "-1", "item-not-found")]
    [InlineData("after-id", "0", "item-not-found")]
    [InlineData("after-id", "007", "item-not-found")]
    [InlineData("before-id", "99999999999999999999", "item-not-found")]
    [InlineData("ids", "x", "item-not-found")]
    [InlineData("ids", "", "item-not-found")]
    [InlineData("include-groupchat", "perhaps", "bad-request")]
    [InlineData("{http://example.com/}free-text-search", "thou", "feature-not-implemented")]
    [InlineData("", "", "feature-not-implemented")]
    public void Fields_are_checked(string name, string value, string? condition)
    {
        var element = TestXml.Parse($"<query xmlns='urn:xmpp:mam:2'>{Form((name, value))}</query>");
        Assert.Equal(condition is null, ArchiveRequest.Read(element, true, out var problem) is not null);
        Assert.Equal(condition, problem?.Condition);
    }

    [Theory]
    [InlineData("<query xmlns='urn:xmpp:mam:2' node='n'/>", "feature-not-implemented")]
    [InlineData("<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data'/></query>", "bad-request")]
    [InlineData("<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='form'/></query>", "bad-request")]
    [InlineData("<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'/></query>", "bad-request")]
    [InlineData("<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>" +
        "<value>urn:xmpp:mam:1</value></field></x></query>", "bad-request")]
    [InlineData("<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><index>3</index></set>" +
        "</query>", "feature-not-implemented")]
    [InlineData("<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>-3</max></set></query>",
        "bad-request")]
    [InlineData("<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><after>x</after></set>" +
        "</query>", "item-not-found")]
    [InlineData("<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><before>x</before></set>" +
        "</query>", "item-not-found")]
    public void Queries_are_checked(string query, string condition)
    {
        Assert.Null(ArchiveRequest.Read(TestXml.Parse(query), true, out var problem));
        Assert.Equal(condition, problem!.Condition);
    }

    [Fact]
    public void Hostile_forms_are_refused_before_they_are_looked_at()
    {
        string ids = string.Concat(Enumerable.Range(1, ArchiveRequest.IdsMax + 1).Select(i => $"<value>{i}</value>"));
        string tooManyIds = "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>" +
            $"<value>urn:xmpp:mam:2</value></field><field var='ids'>{ids}</field></x>";
        string tooManyFields = Form([.. Enumerable.Range(0, 600).Select(i => ($"x{i}", "a@b"))]);
        foreach (string form in (string[])[tooManyIds, tooManyFields])
        {
            Assert.Null(ArchiveRequest.Read(
                TestXml.Parse($"<query xmlns='urn:xmpp:mam:2'>{form}</query>"), true, out var problem));
            Assert.Equal("policy-violation", problem!.Condition);
        }
        string longId = new('q', ArchiveRequest.QueryIdCharsMax + 1);
        Assert.Null(ArchiveRequest.Read(
            TestXml.Parse($"<query xmlns='urn:xmpp:mam:2' queryid='{longId}'/>"), true, out var refused));
        Assert.Equal("policy-violation", refused!.Condition);
    }

    [Fact]
    public void A_rooms_archive_does_not_know_the_field_of_accounts()
    {
        string query = $"<query xmlns='urn:xmpp:mam:2'>{Form(("include-groupchat", "1"))}</query>";
        Assert.Null(ArchiveRequest.Read(TestXml.Parse(query), false, out var problem));
        Assert.Equal("feature-not-implemented", problem!.Condition);
        Assert.DoesNotContain("include-groupchat", ArchiveRequest.Form(false).ToString());
        Assert.Contains("include-groupchat", ArchiveRequest.Form(true).ToString());
    }

    [Theory]
    [InlineData("chat", "<body>hi</body>", true)]
    [InlineData("normal", "<body>hi</body>", true)]
    [InlineData("normal", "<subject>hi</subject>", true)]
    [InlineData("chat", "<subject>hi</subject>", false)]
    [InlineData("headline", "<body>hi</body>", false)]
    [InlineData("groupchat", "<body>hi</body>", false)]
    [InlineData("error", "<body>hi</body>", false)]
    [InlineData("chat", "<active xmlns='http://jabber.org/protocol/chatstates'/>", false)]
    [InlineData("chat", "<received xmlns='urn:xmpp:receipts' id='1'/>", true)]
    [InlineData("chat", "<displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", true)]
    [InlineData("chat", "<encrypted xmlns='urn:xmpp:omemo:2'/>", true)]
    [InlineData("chat", "<x xmlns='x'/><store xmlns='urn:xmpp:hints'/>", true)]
    [InlineData("chat", "<body>hi</body><no-store xmlns='urn:xmpp:hints'/>", false)]
    [InlineData("chat", "<no-permanent-store xmlns='urn:xmpp:hints'/><body>hi</body><store xmlns='urn:xmpp:hints'/>",
        false)]
    [InlineData("normal", "<x xmlns='jabber:x:conference' jid='a@b'/>", true)]
    [InlineData("normal", "<x xmlns='http://jabber.org/protocol/muc#user'><invite/></x>", true)]
    [InlineData("normal", "<x xmlns='http://jabber.org/protocol/muc#user'><status code='101'/></x>", false)]
    [InlineData("chat", "<result xmlns='urn:xmpp:mam:2'/>", false)]
    [InlineData("chat", "", false)]
    public void What_was_said_belongs_into_an_accounts_archive(string type, string content, bool kept)
    {
        var message = (Message)Stanza.Read(TestXml.Parse($"<message type='{type}'>{content}</message>"), out _)!;
        Assert.Equal(kept, ArchivePolicy.KeepsForAccount(message));
    }

    [Theory]
    [InlineData("a@b/c", true)]     // always
    [InlineData("d@e/f", false)]    // never
    [InlineData("d@e/g", true)]     // in the roster; only another resource is in the list
    [InlineData("x@y/z", false)]
    [Spec("XEP-0441", "match")]
    public void Preferences_decide_by_list_and_default(string other, bool kept)
    {
        var prefs = ArchivePrefs.Read(TestXml.Parse("<prefs xmlns='urn:xmpp:mam:2' default='roster'>" +
            "<always><jid>a@b</jid></always><never><jid>d@e/f</jid></never></prefs>"), out _)!;
        var roster = new Roster(1, [new RosterItem { Jid = Jid.Parse("d@e"), Listed = true }]);
        Assert.Equal(kept, prefs.Keeps(Jid.Parse(other), roster));
        Assert.Equal(kept, ArchivePrefs.Read(prefs.ToElement(), out _)!.Keeps(Jid.Parse(other), roster));
    }

    [Theory]
    [InlineData("<prefs xmlns='urn:xmpp:mam:2'/>", "bad-request")]
    [InlineData("<prefs xmlns='urn:xmpp:mam:2' default='sometimes'/>", "bad-request")]
    [InlineData("<prefs xmlns='urn:xmpp:mam:2' default='always'><never><jid>@</jid></never></prefs>", "jid-malformed")]
    public void Preferences_are_checked(string prefs, string condition)
    {
        Assert.Null(ArchivePrefs.Read(TestXml.Parse(prefs), out var problem));
        Assert.Equal(condition, problem!.Condition);
    }

    [Fact]
    public void What_a_client_has_been_sent_grows_page_by_page()
    {
        var all = new ArchiveRequest();
        var last = new ArchiveRequest { IsBackwards = true };
        var read = default(ArchiveSpan).And(ArchiveSpan.Of(last, 80, 100));
        Assert.Equal((true, true, false, false),
            (read.Contains(80), read.Contains(100), read.Contains(79), read.Contains(101)));

        read = read.And(ArchiveSpan.Of(last with { Cursor = 80 }, 60, 75));
        Assert.Equal(new ArchiveSpan(60, 100), read);

        // One that does not meet it: the newer is remembered.
        Assert.Equal(read, read.And(ArchiveSpan.Of(all, 1, 20)));
        Assert.Equal(new ArchiveSpan(141, 150), read.And(ArchiveSpan.Of(all with { Cursor = 140 }, 145, 150)));
        Assert.Equal(new ArchiveSpan(60, 150), read.And(ArchiveSpan.Of(all with { Cursor = 100 }, 145, 150)));
        // A time leaves out what lies before it.
        Assert.Equal(new ArchiveSpan(145, 150),
            read.And(ArchiveSpan.Of(all with { Cursor = 100, Start = DateTimeOffset.UnixEpoch }, 145, 150)));
    }

    static ArchiveRequest? Read(string query) => ArchiveRequest.Read(TestXml.Parse(query), true, out _);

    static string Form(params (string Name, string Value)[] fields) =>
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value>" +
        "</field>" + string.Concat(fields.GroupBy(field => field.Name).Select(group => $"<field var='{group.Key}'>" +
            string.Concat(group.Select(field => $"<value>{field.Value}</value>")) + "</field>")) + "</x>";
}
