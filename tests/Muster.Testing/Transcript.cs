using System.Globalization;
using System.Text;

namespace Muster.Testing;

/// <summary>What a line of a transcript asks for.</summary>
enum StepKind
{
    /// <summary>An account logs in and binds.</summary>
    Is,
    /// <summary>A connection is made and its stream opened; the rest is the transcript's.</summary>
    Opens,
    /// <summary>It ends its stream.</summary>
    Closes,
    /// <summary>Its connection is cut.</summary>
    Vanishes,
    /// <summary>It sends XML.</summary>
    Sends,
    /// <summary>It receives elements, in order.</summary>
    Receives,
    /// <summary>It receives elements, in any order.</summary>
    ReceivesInAnyOrder,
    /// <summary>It receives nothing.</summary>
    ReceivesNothing,
    /// <summary>Time passes.</summary>
    Passes,
}

/// <summary>One step.</summary>
/// <param name="Line">Where it stands, counted from 1.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Who">The user, or "".</param>
/// <param name="Text">The JID, XML, or time.</param>
sealed record TranscriptStep(int Line, StepKind Kind, string Who, string Text);

/// <summary>A dialogue of users with a server, as text; docs/testing.md describes the form.</summary>
sealed class Transcript
{
    static readonly (string Words, StepKind Kind)[] Verbs =
    [
        (" opens a stream", StepKind.Opens),
        (" closes", StepKind.Closes),
        (" vanishes", StepKind.Vanishes),
        (" sends:", StepKind.Sends),
        (" receives nothing", StepKind.ReceivesNothing),
        (" receives in any order:", StepKind.ReceivesInAnyOrder),
        (" receives:", StepKind.Receives),
    ];

    Transcript(string name, string? config, IReadOnlyList<TranscriptStep> steps, IReadOnlyList<(string, int)> rows)
    {
        Name = name;
        Config = config;
        Steps = steps;
        Rows = rows;
    }

    /// <summary>The file, for failures.</summary>
    public string Name { get; }
    /// <summary>TOML added to the configuration of the server, or null.</summary>
    public string? Config { get; }
    /// <summary>What happens, in order.</summary>
    public IReadOnlyList<TranscriptStep> Steps { get; }
    /// <summary>The rows of the feature list that it proves, with the lines that name them.</summary>
    public IReadOnlyList<(string Row, int Line)> Rows { get; }

    /// <summary>Reads a transcript.</summary>
    public static Transcript Parse(string name, string text)
    {
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        var steps = new List<TranscriptStep>();
        var rows = new List<(string, int)>();
        string? config = null;
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].TrimEnd();
            if (line.Length == 0 || line[0] == '#') continue;
            int number = i + 1;
            if (line.StartsWith("covers: ", StringComparison.Ordinal))
            {
                rows.AddRange(line["covers: ".Length..].Split(' ').Select(row => (row, number)));
                continue;
            }
            // What belongs to a line with a colon at its end follows it, indented.
            var block = new StringBuilder();
            while (line[^1] == ':' && i + 1 < lines.Length && (lines[i + 1].Length == 0 || lines[i + 1][0] == ' '))
                block.Append(lines[++i].TrimEnd()).Append('\n');
            if (line == "config:") config = block.ToString();
            else steps.Add(ReadStep(name, number, line, block.ToString().Trim()));
        }
        return new Transcript(name, config, steps, rows);
    }

    static TranscriptStep ReadStep(string file, int number, string line, string block)
    {
        if (line.StartsWith("time passes ", StringComparison.Ordinal))
            return new TranscriptStep(number, StepKind.Passes, "", line["time passes ".Length..]);
        int isAt = line.IndexOf(" is ", StringComparison.Ordinal);
        if (isAt > 0) return new TranscriptStep(number, StepKind.Is, line[..isAt], line[(isAt + 4)..]);
        foreach (var (words, kind) in Verbs)
            if (line.EndsWith(words, StringComparison.Ordinal))
                return new TranscriptStep(number, kind, line[..^words.Length], block);
        throw new FormatException($"{file}:{number}: no step of a transcript: {line}");
    }

    /// <summary>Reads a time: <c>30s</c>, <c>5m</c>, <c>2h</c>.</summary>
    public static TimeSpan TimeOf(string text)
    {
        double number = double.Parse(text.AsSpan(0, text.Length - 1), CultureInfo.InvariantCulture);
        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            _ => throw new FormatException($"no time: {text}"),
        };
    }
}
