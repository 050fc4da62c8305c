using System.Text;
using System.Xml;
using System.Xml.Linq;
using Muster.Core.RoomLogs;
using Muster.Core.Rooms;
using Muster.Protocol.Addresses;
using Muster.Protocol.Payloads;
using Muster.Testing;

namespace Muster.Tests.RoomLogs;

/// <summary>User text in pages and in plain text: links are made, markup is not (muc.md §19).</summary>
[Feature("ML-01")]
public sealed class RoomLogTextTests
{
    static readonly DateTimeOffset At = new(2024, 3, 4, 12, 34, 56, TimeSpan.FromHours(2));
    static readonly RoomLogStyle Style = new();

    [Theory]
    [InlineData("a < b & c > d", "a &lt; b &amp; c &gt; d")]
    [InlineData("two  spaces", "two&#160;&#160;spaces")]
    [InlineData("a\tb", "a&#160;&#160;&#160;&#160;b")]
    [InlineData("one\ntwo\r\nthree", "one<br/>two<br/>three")]
    [InlineData("abc\u202egpj.exe", "abc[RLO]gpj.exe")]
    [InlineData("\U0001F33B", "\U0001F33B")]
    public void Text_is_escaped(string text, string html) => Assert.Equal(html, Html(text));

    [Fact]
    public void What_xml_does_not_allow_is_replaced() =>
        Assert.Equal("\ufffd \ufffd \ufffd \ufffd", Html("\ud800 \u0001 \uffff \udc00"));

    [Theory]
    [InlineData("see https://x.example/a?b=1&c=2.", "see {https://x.example/a?b=1&amp;c=2}.")]
    [InlineData("(http://x.example/a_(b))", "({http://x.example/a_(b)})")]
    [InlineData("ftp://x.example mailto:a@b xmpp:r@c?join", "{ftp://x.example} {mailto:a@b} {xmpp:r@c?join}")]
    [InlineData("HTTPS://X.EXAMPLE", "{HTTPS://X.EXAMPLE}")]
    [InlineData("<https://x.example>", "&lt;{https://x.example}&gt;")]
    [InlineData("javascript:alert(1) data:text/html,x", "javascript:alert(1) data:text/html,x")]
    [InlineData("ahttp://x.example http:// mailto:", "ahttp://x.example http:// mailto:")]
    [InlineData("https://x\"onclick=\"y", "{https://x}&quot;onclick=&quot;y")]
    public void Links_are_found(string text, string expected)
    {
        // {x} stands for a link to x.
        string html = Regex(expected);
        Assert.Equal(html, Html(text));
        Assert.Equal(html.Replace(" rel=\"nofollow\"", "", StringComparison.Ordinal),
            Html(text, Style with { HasNoFollow = false }));
    }

    [Fact, Feature("ML-10")]
    public void A_link_that_is_too_long_stays_text()
    {
        string link = "https://x.example/" + new string('a', 5000);
        Assert.Equal(link, Html(link));
    }

    [Fact, Feature("ML-06")]
    public void Plain_text_has_no_angle_brackets_and_no_forged_lines()
    {
        var text = new StringBuilder();
        RoomLogPlain.Append(text, At,
            new RoomLogEvent.Said("Ju<lia", "<b>hi</b>\n[12:00:00] [Romeo] I said that\u202e"));
        Assert.Equal("[12:34:56] [Ju[lia] [b]hi[/b]\n           [12:00:00] [Romeo] I said that[RLO]\n",
            text.ToString());
    }

    [Fact]
    public void Whatever_users_write_a_page_has_only_our_markup()
    {
        var random = new Random(4019);
        for (int round = 0; round < 400; round++)
        {
            var page = new RoomLogPage(Jid.Parse("garden@muc.x"),
                new RoomOptions { Title = Hostile(random), Description = Hostile(random), Password = "shibboleth" },
                Hostile(random), [new(Hostile(random), Role.Moderator), new(Hostile(random), Role.Visitor)]);
            var text = new StringBuilder();
            RoomLogHtml.AppendTop(text, page, At, new DateOnly(2024, 3, 3), Style);
            foreach (var line in Events(random, page)) RoomLogHtml.AppendLine(text, At, line, Style);
            RoomLogHtml.AppendEnd(text, new DateOnly(2024, 3, 5), Style);
            CheckPage(text.ToString(), $"round {round}");
            Assert.DoesNotContain("shibboleth", text.ToString(), StringComparison.Ordinal);
        }
    }

    static IEnumerable<RoomLogEvent> Events(Random random, RoomLogPage page)
    {
        yield return new RoomLogEvent.Said(Hostile(random), Hostile(random));
        yield return new RoomLogEvent.Said(Hostile(random), "/me " + Hostile(random));
        yield return new RoomLogEvent.Said("", Hostile(random));
        yield return new RoomLogEvent.SubjectSet(Hostile(random), Hostile(random));
        yield return new RoomLogEvent.Joined(Hostile(random));
        foreach (int code in (int[])[0, 301, 307, 321, 322, 332, 333])
            yield return new RoomLogEvent.Left(Hostile(random), code, Hostile(random));
        yield return new RoomLogEvent.Renamed(Hostile(random), Hostile(random));
        yield return new RoomLogEvent.Destroyed(Jid.Parse("park@muc.x"), Hostile(random));
        yield return new RoomLogEvent.Configured(page.Options, page.Options with { Title = Hostile(random) },
            page.Occupants);
    }

    static void CheckPage(string html, string because)
    {
        // XHTML is the same but for the name space, and for the entities, of which only XML's own are used.
        string xml = html.Replace("<!DOCTYPE html>\n", "", StringComparison.Ordinal);
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit };
        using var reader = XmlReader.Create(new StringReader(xml), settings);
        var body = XDocument.Load(reader).Root!.Element("body")!;
        foreach (var element in body.Descendants())
        {
            Assert.True(Ours.Contains(element.Name.ToString()), $"{because}: element {element.Name}");
            foreach (var attribute in element.Attributes())
                Assert.True(IsOurs(attribute), $"{because}: attribute {attribute} of {element.Name}");
        }
    }

    static readonly HashSet<string> Ours =
    [
        "header", "footer", "nav", "h1", "h2", "p", "a", "bdi", "div", "span", "br", "details", "summary", "dl", "dt",
        "dd",
    ];

    static bool IsOurs(XAttribute attribute) => attribute.Name.ToString() switch
    {
        "href" => Prefixes.Any(p => attribute.Value.StartsWith(p, StringComparison.OrdinalIgnoreCase)),
        "class" => attribute.Value.All(c => char.IsAsciiLetterLower(c) || c == ' '),
        "style" => attribute.Value.StartsWith("--h:", StringComparison.Ordinal)
            && attribute.Value[4..].All(char.IsAsciiDigit),
        "id" => attribute.Value == "12:34:56.000000",
        "rel" => attribute.Value is "nofollow" or "prev" or "next",
        "title" => attribute.Value is "Previous day" or "Next day" or "All days",
        _ => false,
    };

    static readonly string[] Prefixes =
        ["http://", "https://", "ftp://", "mailto:", "xmpp:", "#12:34:56", "../../", "/"];

    static readonly string[] Pieces =
    [
        "<", ">", "&", "\"", "'", "</bdi>", "</span>", "</div>", "</body>", "<script>alert(1)</script>", "]]>",
        "<![CDATA[", "<!--", "-->", "<?x", "&lt;", "&#60;", "&amp", "http://", "https://x.example/", "mailto:", "xmpp:",
        "javascript:alert(1)", "\" onmouseover=\"x", "' style='x", "\n", "\r", "\t", "  ", "\0", "\u202e", "\u2066",
        "\ud800", "\udc00", "\ufffe", "\uffff", "\u0085", "\u2028", "é", "汉", "\U0001F33B", "/me ", "a", ":", "(", ")",
        "%", "=",
    ];

    static string Hostile(Random random)
    {
        var text = new StringBuilder();
        for (int i = random.Next(1, 9); i > 0; i--) text.Append(Pieces[random.Next(Pieces.Length)]);
        return text.ToString();
    }

    static string Html(string text, RoomLogStyle? style = null)
    {
        var to = new StringBuilder();
        RoomLogText.AppendHtml(to, text, style ?? Style);
        return to.ToString();
    }

    static string Regex(string expected) => System.Text.RegularExpressions.Regex.Replace(expected, @"\{([^}]*)\}",
        "<a href=\"$1\" rel=\"nofollow\">$1</a>");
}
