using Muster.Testing;

namespace Muster.Tests.Features;

/// <summary>What the server keeps and answers for an account: vCard (XEP-0054), private XML (XEP-0049), last activity
/// (XEP-0012); and what it answers for itself (XEP-0092, XEP-0202).</summary>
[Spec("XEP-0054", "usecases")]
[Spec("XEP-0049", "2.3")]
[Spec("XEP-0012", "protocol")]
[Spec("XEP-0092", "protocol")]
[Spec("XEP-0202", "protocol")]
public class AccountFeatureTests
{
    const string Vcard = "<vCard xmlns='vcard-temp'><FN>Juliet</FN>" +
        "<PHOTO><TYPE>image/png</TYPE><BINVAL>AAAA</BINVAL></PHOTO></vCard>";

    [Fact]
    public async Task A_vcard_is_written_by_its_owner_and_read_by_everybody()
    {
        await using var server = await TestServer.StartAsync();
        var juliet = await server.LoginAsync("juliet");
        var romeo = await server.LoginAsync("romeo");
        Assert.Equal("item-not-found",
            (await juliet.AskAsync("<iq type='get'><vCard xmlns='vcard-temp'/></iq>")).ErrorCondition());

        await juliet.SendAsync($"<iq type='set' id='s'>{Vcard}</iq>");
        await juliet.ExpectAsync("<iq type='result' id='s' from='juliet@localhost' to='juliet@localhost/test'/>");

        await juliet.SendAsync("<iq type='get' id='g'><vCard xmlns='vcard-temp'/></iq>");
        await juliet.ExpectAsync($"<iq type='result' id='g' from='*' to='*'>{Vcard}</iq>");
        await romeo.SendAsync("<iq type='get' id='g' to='juliet@localhost'><vCard xmlns='vcard-temp'/></iq>");
        await romeo.ExpectAsync($"<iq type='result' id='g' from='juliet@localhost' to='*'>{Vcard}</iq>");
        Assert.Equal("forbidden",
            (await romeo.AskAsync($"<iq type='set' to='juliet@localhost'>{Vcard}</iq>")).ErrorCondition());
        Assert.Equal("forbidden",
            (await romeo.AskAsync($"<iq type='set' to='nobody@localhost'>{Vcard}</iq>")).ErrorCondition());
    }

    [Fact]
    public async Task No_vcard_and_no_account_look_the_same()
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("juliet");
        var romeo = await server.LoginAsync("romeo");
        foreach (string name in (string[])["juliet", "nobody"])
            Assert.Equal("service-unavailable",
                (await romeo.AskAsync(
                    $"<iq type='get' to='{name}@localhost'><vCard xmlns='vcard-temp'/></iq>")).ErrorCondition());
    }

    [Fact]
    public async Task A_vcard_has_a_limit()
    {
        await using var server = await TestServer.StartAsync("""
            [limits]
            vcard_bytes = 10000
            [[listen.c2s]]
            port = 0
            tls.mode = "none"
            """);
        var juliet = await server.LoginAsync("juliet");
        string large = $"<vCard xmlns='vcard-temp'><DESC>{new string('x', 10_000)}</DESC></vCard>";
        Assert.Equal("not-acceptable", (await juliet.AskAsync($"<iq type='set'>{large}</iq>")).ErrorCondition());
        Assert.Null((await juliet.AskAsync($"<iq type='set'>{Vcard}</iq>")).ErrorCondition());
    }

    static string Private(string type, string content, string to = "") =>
        $"<iq type='{type}'{(to.Length == 0 ? "" : $" to='{to}'")}>" +
        $"<query xmlns='jabber:iq:private'>{content}</query></iq>";

    [Fact]
    public async Task Private_xml_is_found_again_by_its_name()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        const string Bookmarks =
            "<storage xmlns='storage:bookmarks'><conference jid='a@b' name='x'><nick>n</nick></conference></storage>";

        Assert.Null((await romeo.AskAsync(Private("set",
            Bookmarks + "<prefs xmlns='my:prefs' a='1'>text</prefs>"))).ErrorCondition());

        var found = await romeo.AskAsync(Private("get", "<storage xmlns='storage:bookmarks'/>"));
        Assert.True(TestXml.Parse(Bookmarks).DeepEquals(found.FirstElement!.FirstElement));
        found = await romeo.AskAsync(Private("get", "<prefs xmlns='my:prefs'/>"));
        Assert.Equal("text", found.FirstElement!.FirstElement!.Text);
        found = await romeo.AskAsync(Private("get", "<never xmlns='my:prefs'/>"));
        Assert.True(found.FirstElement!.FirstElement!.Is("my:prefs", "never"));
    }

    [Theory]
    [InlineData("get", "", "", "bad-request")]
    [InlineData("get", "<a xmlns='x'/><b xmlns='x'/>", "", "bad-request")]
    [InlineData("set", "", "", "not-acceptable")]
    [InlineData("set", "<a/>", "", "not-acceptable")]
    [InlineData("get", "<a xmlns='x'/>", "juliet@localhost", "forbidden")]
    [InlineData("set", "<a xmlns='x'/>", "juliet@localhost", "forbidden")]
    public async Task Wrong_private_requests(string type, string content, string to, string condition)
    {
        await using var server = await TestServer.StartAsync();
        await server.AddUserAsync("juliet");
        var romeo = await server.LoginAsync("romeo");
        Assert.Equal(condition, (await romeo.AskAsync(Private(type, content, to))).ErrorCondition());
    }

    [Fact]
    public async Task Private_xml_has_limits()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        for (int i = 0; i < 256; i++)
            await romeo.SendAsync(
                $"<iq type='set' id='{i}'><query xmlns='jabber:iq:private'><d{i} xmlns='x'/></query></iq>");
        Assert.All(await romeo.DrainAsync(), answer => Assert.Null(answer.ErrorCondition()));
        Assert.Equal("resource-constraint",
            (await romeo.AskAsync(Private("set", "<over xmlns='x'/>"))).ErrorCondition());
        Assert.Null((await romeo.AskAsync(Private("set", "<d7 xmlns='x'>again</d7>"))).ErrorCondition());
        string large = new('x', 200_000);
        string? condition = null;
        for (int i = 0; i < 6 && condition is null; i++)
            condition = (await romeo.AskAsync(Private("set", $"<d{i} xmlns='x'>{large}</d{i}>"))).ErrorCondition();
        Assert.Equal("resource-constraint", condition);
    }

    const string Last = "<query xmlns='jabber:iq:last'/>";

    [Fact]
    public async Task Last_activity_of_server_and_accounts()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.OnlineAsync("romeo");
        var juliet = await server.OnlineAsync("juliet");
        await romeo.BefriendAsync(juliet);
        await server.AdvanceAsync(TimeSpan.FromSeconds(90));
        var uptime = await romeo.AskAsync($"<iq type='get' to='localhost'>{Last}</iq>");
        Assert.Equal("90", uptime.FirstElement!.Attribute("seconds"));
        var there = (await romeo.AskAsync($"<iq type='get' to='juliet@localhost'>{Last}</iq>")).FirstElement!;
        Assert.Equal(("0", ""), (there.Attribute("seconds"), there.Text));

        await juliet.SendAsync("<presence type='unavailable'><status>Heading Home</status></presence>");
        await juliet.CloseAsync();
        await romeo.DrainAsync();
        await server.AdvanceAsync(TimeSpan.FromSeconds(20));

        var gone = (await romeo.AskAsync($"<iq type='get' to='juliet@localhost'>{Last}</iq>")).FirstElement!;
        Assert.Equal(("20", "Heading Home"), (gone.Attribute("seconds"), gone.Text));
    }

    [Fact]
    public async Task Last_activity_is_not_for_strangers()
    {
        await using var server = await TestServer.StartAsync();
        var tybalt = await server.OnlineAsync("tybalt");
        var juliet = await server.OnlineAsync("juliet");
        await server.AddUserAsync("offline");
        string[] all = ["juliet@localhost", "juliet@localhost/test", "offline@localhost", "nobody@localhost"];
        foreach (string to in all)
            Assert.Equal("forbidden",
                (await tybalt.AskAsync($"<iq type='get' to='{to}'>{Last}</iq>")).ErrorCondition());
        await juliet.ExpectNothingAsync();
        // What one asks a contact's resource goes there.
        await tybalt.BefriendAsync(juliet);
        await tybalt.SendAsync($"<iq type='get' id='l' to='juliet@localhost/test'>{Last}</iq>");
        await juliet.ExpectAsync(
            $"<iq type='get' id='l' from='tybalt@localhost/test' to='juliet@localhost/test'>{Last}</iq>");
    }

    [Fact]
    public async Task The_server_tells_its_version_and_time()
    {
        await using var server = await TestServer.StartAsync();
        var romeo = await server.LoginAsync("romeo");
        await romeo.SendAsync("<iq type='get' id='v' to='localhost'><query xmlns='jabber:iq:version'/></iq>");
        await romeo.ExpectAsync("<iq type='result' id='v' from='localhost' to='*'><query xmlns='jabber:iq:version'>" +
            "<name>Muster</name><version>0.*</version></query></iq>");
        await romeo.SendAsync("<iq type='get' id='t' to='localhost'><time xmlns='urn:xmpp:time'/></iq>");
        await romeo.ExpectAsync("<iq type='result' id='t' from='localhost' to='*'><time xmlns='urn:xmpp:time'>" +
            "<tzo>+00:00</tzo><utc>2026-01-01T00:00:00.000Z</utc></time></iq>");
        // Asked the wrong way round, or of an account, nobody answers.
        Assert.Equal("service-unavailable",
            (await romeo.AskAsync(
                "<iq type='set' to='localhost'><time xmlns='urn:xmpp:time'/></iq>")).ErrorCondition());
        Assert.Equal("service-unavailable",
            (await romeo.AskAsync("<iq type='get'><time xmlns='urn:xmpp:time'/></iq>")).ErrorCondition());
    }
}
