using System.Text;

namespace Muster.Core.RoomLogs;

/// <summary>Turns what users wrote into text that is safe in a page or a line of plain text.</summary>
/// <remarks>Only this class writes user text. It makes no markup of it but links, and what it writes is well-formed XML
/// whatever comes in, lone surrogates and control characters included.</remarks>
public static class RoomLogText
{
    const char RightToLeftOverride = '\u202e';
    const string NoBreakSpace = "&#160;";
    /// <summary>As wide as <c>[HH:MM:SS] </c>: a text of several lines cannot look like a line of the log.</summary>
    const string Indent = "           ";

    /// <summary>Longer than any that people follow; what is longer stays text.</summary>
    const int LinkLengthMax = 2048;

    static readonly string[] Schemes = ["http://", "https://", "ftp://", "mailto:", "xmpp:"];

    /// <summary>Text for a page, with links.</summary>
    /// <param name="to">Where it is added.</param>
    /// <param name="text">Any text.</param>
    /// <param name="style">Whether links carry <c>rel="nofollow"</c>.</param>
    public static void AppendHtml(StringBuilder to, ReadOnlySpan<char> text, RoomLogStyle style)
    {
        while (!text.IsEmpty)
        {
            int start = FindLink(text, out int length);
            AppendEscaped(to, start < 0 ? text : text[..start]);
            if (start < 0) return;
            var link = text.Slice(start, length);
            to.Append("<a href=\"");
            AppendEscaped(to, link);
            to.Append(style.HasNoFollow ? "\" rel=\"nofollow\">" : "\">");
            AppendEscaped(to, link);
            to.Append("</a>");
            text = text[(start + length)..];
        }
    }

    /// <summary>Text for a page, without links; also for an attribute's value in double quotes, if it has no line
    /// breaks.</summary>
    public static void AppendEscaped(StringBuilder to, ReadOnlySpan<char> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            switch (c)
            {
                case '&': to.Append("&amp;"); break;
                case '<': to.Append("&lt;"); break;
                case '>': to.Append("&gt;"); break;
                case '"': to.Append("&quot;"); break;
                case '\'': to.Append("&#39;"); break;
                case ' ' when i + 1 < text.Length && text[i + 1] == ' ':
                    to.Append(NoBreakSpace).Append(NoBreakSpace);
                    i++;
                    break;
                case '\t': to.Insert(to.Length, NoBreakSpace, 4); break;
                case '\r' when i + 1 < text.Length && text[i + 1] == '\n': break;
                case '\n' or '\r': to.Append("<br/>"); break;
                case RightToLeftOverride: to.Append("[RLO]"); break;
                default: AppendCharacter(to, text, ref i); break;
            }
        }
    }

    /// <summary>Text for a line of plain text.</summary>
    public static void AppendPlain(StringBuilder to, ReadOnlySpan<char> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            switch (c)
            {
                case '<': to.Append('['); break;
                case '>': to.Append(']'); break;
                case '\t': to.Append("    "); break;
                case '\r' when i + 1 < text.Length && text[i + 1] == '\n': break;
                case '\n' or '\r' or '\u0085' or '\u2028' or '\u2029': to.Append('\n').Append(Indent); break;
                case RightToLeftOverride: to.Append("[RLO]"); break;
                default: AppendCharacter(to, text, ref i); break;
            }
        }
    }

    // What XML 1.0 §2.2 does not allow becomes U+FFFD.
    static void AppendCharacter(StringBuilder to, ReadOnlySpan<char> text, ref int i)
    {
        char c = text[i];
        if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            to.Append(c).Append(text[++i]);
        else if (c < ' ' || char.IsSurrogate(c) || c >= '\ufffe')
            to.Append('\ufffd');
        else
            to.Append(c);
    }

    /// <summary>The first link in a text; -1 when there is none.</summary>
    static int FindLink(ReadOnlySpan<char> text, out int length)
    {
        length = 0;
        for (int at = text.IndexOf(':'); at >= 0 && at < text.Length;)
        {
            foreach (string scheme in Schemes)
            {
                int start = at - scheme.IndexOf(':', StringComparison.Ordinal);
                if (start < 0 || !text[start..].StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) continue;
                if (start > 0 && char.IsLetterOrDigit(text[start - 1])) continue;
                length = LinkLength(text[start..]);
                if (length > scheme.Length) return start;
            }
            int next = text[(at + 1)..].IndexOf(':');
            at = next < 0 ? -1 : at + 1 + next;
        }
        length = 0;
        return -1;
    }

    static int LinkLength(ReadOnlySpan<char> text)
    {
        int length = 0;
        while (length < text.Length && IsInLink(text[length]))
            if (++length > LinkLengthMax) return 0;
        // Punctuation after a link belongs to the sentence, and so does a bracket that was opened before the link.
        while (length > 0 && (IsPunctuation(text[length - 1]) || IsUnopened(text[..length]))) length--;
        return length;
    }

    static bool IsInLink(char c) =>
        c > ' ' && c < '\ufffe' && !char.IsWhiteSpace(c) && !char.IsControl(c) && c is not ('<' or '>' or '"')
        && c is not (>= '\u200b' and <= '\u200f' or >= '\u202a' and <= '\u202e' or >= '\u2066' and <= '\u2069');

    static bool IsPunctuation(char c) => c is '.' or ',' or ';' or ':' or '!' or '?' or '\'' or '*';

    static bool IsUnopened(ReadOnlySpan<char> link) => link[^1] switch
    {
        ')' => link.Count(')') > link.Count('('),
        ']' => link.Count(']') > link.Count('['),
        '}' => link.Count('}') > link.Count('{'),
        _ => false,
    };
}
