using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Muster.Core.Rooms;
using Muster.Protocol.Payloads;

namespace Muster.Core.RoomLogs;

/// <summary>Logs as web pages: a page a day, without script, that a browser shows well while it still grows. The parts
/// of a page together are well-formed XML too.</summary>
public static partial class RoomLogHtml
{
    /// <summary>How every complete page ends: a page that does not is still open.</summary>
    public const string End = "</body>\n</html>\n";

    /// <summary>Adds the top of a day's page.</summary>
    /// <param name="to">Where it is added.</param>
    /// <param name="page">The room.</param>
    /// <param name="at">When the page begins, in the time zone of the log.</param>
    /// <param name="previous">The last day before that has a page, or null.</param>
    /// <param name="style">How it looks.</param>
    public static void AppendTop(StringBuilder to, RoomLogPage page, DateTimeOffset at, DateOnly? previous,
        RoomLogStyle style)
    {
        string date = RoomLogWords.Date(at);
        to.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>");
        RoomLogText.AppendEscaped(to, OneLine(page.Title));
        to.Append(" - ").Append(date).Append("</title>\n");
        to.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
        to.Append("<meta name=\"referrer\" content=\"no-referrer\"/>\n");
        // Should a hole ever be found in the escaping, a browser still runs nothing.
        to.Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;; ");
        to.Append("style-src * &#39;unsafe-inline&#39;; img-src * data:; base-uri &#39;none&#39;; ");
        to.Append("form-action &#39;none&#39;\"/>\n");
        AppendStyle(to, style);
        to.Append("</head>\n<body>\n<header>\n<nav class=\"top\"><a href=\"");
        RoomLogText.AppendEscaped(to, style.TopLinkTarget);
        // The operator's own HTML, as documented.
        to.Append("\">").Append(style.TopLinkText).Append("</a></nav>\n<h1 class=\"roomtitle\"><bdi>");
        RoomLogText.AppendEscaped(to, OneLine(page.Title));
        to.Append("</bdi></h1>\n<p class=\"roomjid\"><a href=\"");
        RoomLogText.AppendEscaped(to, JoinLink(page));
        to.Append("\">");
        RoomLogText.AppendEscaped(to, page.Room.ToString());
        to.Append("</a></p>\n");
        AppendDays(to, at, previous, style);
        if (page.Subject.Length > 0)
        {
            to.Append("<p class=\"roomsubject\"><bdi>");
            RoomLogText.AppendHtml(to, page.Subject, style);
            to.Append("</bdi></p>\n");
        }
        AppendRoom(to, page);
        to.Append("<p class=\"zone\">").Append(RoomLogWords.Zone(at)).Append("</p>\n</header>\n");
    }

    /// <summary>Adds the end of a page, when another day has begun.</summary>
    /// <param name="to">Where it is added.</param>
    /// <param name="next">The next day that has a page, or null.</param>
    /// <param name="style">How it looks.</param>
    public static void AppendEnd(StringBuilder to, DateOnly? next, RoomLogStyle style)
    {
        to.Append("<footer>");
        if (next is { } day)
        {
            to.Append("<a href=\"").Append(RoomLogFile.Link(day, style)).Append("\">Next: ");
            to.Append(RoomLogWords.Date(new DateTimeOffset(day, default, default))).Append(" &#8594;</a>");
        }
        to.Append("</footer>\n").Append(End);
    }

    /// <summary>Adds a line.</summary>
    /// <param name="to">Where it is added.</param>
    /// <param name="at">When, in the time zone of the log. Two lines of a page never have the same time.</param>
    /// <param name="line">What happened.</param>
    /// <param name="style">How it looks.</param>
    public static void AppendLine(StringBuilder to, DateTimeOffset at, RoomLogEvent line, RoomLogStyle style)
    {
        string id = at.ToString("HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
        to.Append("<div class=\"l\"><a id=\"").Append(id).Append("\" href=\"#").Append(id).Append("\" class=\"ts\">[");
        to.Append(RoomLogWords.Time(at)).Append("]</a> ");
        switch (line)
        {
            case RoomLogEvent.Said { Nick: "" } said:
                Span(to, "msm", said.Text, style);
                break;
            case RoomLogEvent.Said said when said.Text.StartsWith("/me ", StringComparison.Ordinal):
                to.Append("<span class=\"mne\"").Append(Hue(said.Nick)).Append('>');
                Nick(to, said.Nick);
                to.Append(" <bdi>");
                RoomLogText.AppendHtml(to, said.Text.AsSpan(4), style);
                to.Append("</bdi></span>");
                break;
            case RoomLogEvent.Said said:
                to.Append("<span class=\"mn\"").Append(Hue(said.Nick)).Append(">&lt;");
                Nick(to, said.Nick);
                to.Append("&gt;</span> ");
                Span(to, "t", said.Text, style);
                break;
            default:
                AppendEvent(to, line, style);
                break;
        }
        to.Append("</div>\n");
    }

    static void AppendEvent(StringBuilder to, RoomLogEvent line, RoomLogStyle style)
    {
        to.Append("<span class=\"").Append(ClassOf(line)).Append("\">");
        string? nick = line switch
        {
            RoomLogEvent.Joined joined => joined.Nick,
            RoomLogEvent.Left left => left.Nick,
            RoomLogEvent.Renamed renamed => renamed.Old,
            RoomLogEvent.SubjectSet { Nick.Length: > 0 } subject => subject.Nick,
            _ => null,
        };
        if (nick is not null)
        {
            Nick(to, nick);
            to.Append(' ');
        }
        to.Append(RoomLogWords.Of(line));
        AppendDetail(to, line, style);
        to.Append("</span>");
    }

    static void AppendDetail(StringBuilder to, RoomLogEvent line, RoomLogStyle style)
    {
        switch (line)
        {
            case RoomLogEvent.Left { Reason.Length: > 0 } left:
                Said(to, ": ", left.Reason, style);
                break;
            case RoomLogEvent.Destroyed destroyed:
                if (destroyed.Reason is { Length: > 0 } reason) Said(to, ": ", reason, style);
                if (!destroyed.Alternate.IsNone) Said(to, " ", $"xmpp:{destroyed.Alternate}?join", style);
                break;
            case RoomLogEvent.Renamed renamed:
                to.Append(' ');
                Nick(to, renamed.New);
                break;
            case RoomLogEvent.SubjectSet { Text.Length: > 0 } subject:
                Said(to, " ", subject.Text, style);
                break;
            case RoomLogEvent.Configured configured:
                if (RoomLogWords.Changes(configured) is { Length: > 0 } changes) Said(to, ": ", changes, style);
                if (configured.Occupants.IsDefaultOrEmpty) break;
                foreach (var (heading, nicks) in RoomLogWords.ByRole(configured.Occupants))
                    Said(to, "; ", $"{heading}: {string.Join(", ", nicks)}", style);
                break;
        }
    }

    // muc.md §19: classes that style sheets of the documented service know.
    static string ClassOf(RoomLogEvent line) => line switch
    {
        RoomLogEvent.Joined => "mj",
        RoomLogEvent.Left { Code: MucStatus.Banned } => "mb",
        RoomLogEvent.Left { Code: 0 or MucStatus.TechnicalError } => "ml",
        RoomLogEvent.Left => "mk",
        RoomLogEvent.Renamed => "mnc",
        RoomLogEvent.SubjectSet => "msc",
        _ => "mrcm",
    };

    static void AppendStyle(StringBuilder to, RoomLogStyle style)
    {
        if (style.CssFile is not { } file)
        {
            to.Append("<style>\n").Append(Css).Append("</style>\n");
            return;
        }
        to.Append("<link rel=\"stylesheet\" href=\"");
        RoomLogText.AppendEscaped(to, file);
        to.Append("\"/>\n");
    }

    static void AppendDays(StringBuilder to, DateTimeOffset at, DateOnly? previous, RoomLogStyle style)
    {
        to.Append("<nav class=\"days\">");
        if (previous is { } day) DayLink(to, day, "prev", "Previous day", "&#8592;", style);
        to.Append("<h2 class=\"roomdate\">").Append(RoomLogWords.Date(at)).Append("</h2>");
        to.Append("<a href=\"").Append(RoomLogFile.Up(style)).Append("\" title=\"All days\">&#8593;</a>");
        // Nobody knows yet whether anything will be said tomorrow; the end of the page knows the day that came.
        var next = DateOnly.FromDateTime(at.Date).AddDays(1);
        DayLink(to, next, "next", "Next day", "&#8594;", style);
        to.Append("</nav>\n");
    }

    static void DayLink(StringBuilder to, DateOnly day, string rel, string title, string arrow, RoomLogStyle style) =>
        to.Append("<a rel=\"").Append(rel).Append("\" href=\"").Append(RoomLogFile.Link(day, style))
            .Append("\" title=\"").Append(title).Append("\">").Append(arrow).Append("</a>");

    static void AppendRoom(StringBuilder to, RoomLogPage page)
    {
        to.Append("<div class=\"facts\">\n<details class=\"rc\"><summary>Room configuration</summary>\n<dl>\n");
        foreach (var option in RoomOption.All.Where(option => option.Kind != RoomOptionKind.Secret))
        {
            to.Append("<dt>").Append(option.Label).Append("</dt><dd>");
            RoomLogText.AppendEscaped(to, RoomLogWords.Value(option, page.Options));
            to.Append("</dd>\n");
        }
        to.Append("</dl>\n</details>\n");
        if (!page.Occupants.IsDefault)
        {
            to.Append("<details class=\"ro\"><summary>Room occupants (").Append(page.Occupants.Length);
            to.Append(")</summary>\n<dl>\n");
            foreach (var (heading, nicks) in RoomLogWords.ByRole(page.Occupants))
            {
                to.Append("<dt>").Append(heading).Append("</dt>");
                foreach (string nick in nicks)
                {
                    to.Append("<dd").Append(Hue(nick)).Append('>');
                    Nick(to, nick);
                    to.Append("</dd>");
                }
                to.Append('\n');
            }
            to.Append("</dl>\n</details>\n");
        }
        to.Append("</div>\n");
    }

    // RFC 5122 §2.2: what is no plain character of an address is percent-encoded.
    static string JoinLink(RoomLogPage page) =>
        $"xmpp:{Uri.EscapeDataString(page.Room.Local.ToString())}@{page.Room.Domain}?join";

    static string OneLine(string text) => text.ReplaceLineEndings(" ");

    static void Span(StringBuilder to, string name, string text, RoomLogStyle style)
    {
        to.Append("<span class=\"").Append(name).Append("\">");
        Said(to, "", text, style);
        to.Append("</span>");
    }

    // bdi: text that runs from right to left keeps to itself.
    static void Said(StringBuilder to, string before, string text, RoomLogStyle style)
    {
        to.Append(before).Append("<bdi>");
        RoomLogText.AppendHtml(to, text, style);
        to.Append("</bdi>");
    }

    static void Nick(StringBuilder to, string nick)
    {
        to.Append("<bdi class=\"n\">");
        RoomLogText.AppendEscaped(to, nick);
        to.Append("</bdi>");
    }

    /// <summary>The hue of a nick, the same as in chat clients (XEP-0392 §5.1): the style makes of it a colour for
    /// light and for dark.</summary>
    static string Hue(string nick)
    {
#pragma warning disable CA5350 // A colour is no secret; XEP-0392 says SHA-1.
        byte[] hash = SHA1.HashData(Encoding.UTF8.GetBytes(nick));
#pragma warning restore CA5350
        int hue = (hash[0] | (hash[1] << 8)) * 360 / 65536;
        return string.Create(CultureInfo.InvariantCulture, $" style=\"--h:{hue}\"");
    }
}
