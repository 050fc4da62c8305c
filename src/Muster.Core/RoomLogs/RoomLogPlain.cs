using System.Text;

namespace Muster.Core.RoomLogs;

/// <summary>Logs in plain text: one line for each event, and nothing else in the file.</summary>
public static class RoomLogPlain
{
    /// <summary>Adds a line.</summary>
    /// <param name="to">Where it is added.</param>
    /// <param name="at">When, in the time zone of the log.</param>
    /// <param name="line">What happened.</param>
    public static void Append(StringBuilder to, DateTimeOffset at, RoomLogEvent line)
    {
        to.Append('[').Append(RoomLogWords.Time(at)).Append("] ");
        switch (line)
        {
            case RoomLogEvent.Said { Nick: "" } said:
                to.Append("* ");
                RoomLogText.AppendPlain(to, said.Text);
                break;
            case RoomLogEvent.Said said when said.Text.StartsWith("/me ", StringComparison.Ordinal):
                Words(to, "* ", said.Nick, said.Text[4..]);
                break;
            case RoomLogEvent.Said said:
                RoomLogText.AppendPlain(to, $"[{said.Nick}] {said.Text}");
                break;
            case RoomLogEvent.SubjectSet subject:
                Words(to, "* ", subject.Nick, RoomLogWords.Of(line), subject.Text);
                break;
            case RoomLogEvent.Joined joined:
                Words(to, "* ", joined.Nick, RoomLogWords.Of(line));
                break;
            case RoomLogEvent.Left left:
                Words(to, "* ", left.Nick, Reasoned(line, left.Reason));
                break;
            case RoomLogEvent.Renamed renamed:
                Words(to, "* ", renamed.Old, RoomLogWords.Of(line), renamed.New);
                break;
            case RoomLogEvent.Destroyed destroyed:
                Words(to, "* ", Reasoned(line, destroyed.Reason),
                    destroyed.Alternate.IsNone ? "" : $"Go to xmpp:{destroyed.Alternate}?join");
                break;
            case RoomLogEvent.Configured configured:
                Words(to, "* ", Reasoned(line, RoomLogWords.Changes(configured)));
                if (configured.Occupants.IsDefaultOrEmpty) break;
                foreach (var (heading, nicks) in RoomLogWords.ByRole(configured.Occupants))
                    Words(to, "; ", $"{heading}: {string.Join(", ", nicks)}");
                break;
            default:
                Words(to, "* ", RoomLogWords.Of(line));
                break;
        }
        to.Append('\n');
    }

    static string Reasoned(RoomLogEvent line, string? reason) =>
        string.IsNullOrEmpty(reason) ? RoomLogWords.Of(line) : $"{RoomLogWords.Of(line)}: {reason}";

    static void Words(StringBuilder to, string before, params ReadOnlySpan<string> words)
    {
        to.Append(before);
        bool isFirst = true;
        foreach (string word in words)
        {
            if (word.Length == 0) continue;
            if (!isFirst) to.Append(' ');
            isFirst = false;
            RoomLogText.AppendPlain(to, word);
        }
    }
}
