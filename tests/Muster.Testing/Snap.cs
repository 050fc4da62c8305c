using System.Runtime.CompilerServices;

namespace Muster.Testing;

/// <summary>Expected text that stands in the test, as a raw string literal. With UPDATE=1 in the environment the
/// literal in the source is rewritten to what came, for a person to look at in the difference.</summary>
public static class Snap
{
    const string Quotes = "\"\"\"";

    // Lines that rewriting has added to a file, by the line of the call: later calls of this run stand lower by them.
    static readonly Dictionary<string, List<(int Line, int Added)>> Moved = [];

    /// <summary>Compares. The literal must be the first <c>"""</c> literal at or after the line of the call.</summary>
    public static void Match(
        string actual, string expected, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        string came = actual.ReplaceLineEndings("\n").TrimEnd('\n');
        if (came == expected.ReplaceLineEndings("\n")) return;
        if (Environment.GetEnvironmentVariable("UPDATE") != "1")
            throw new InvalidOperationException($"expected\n{expected}\n\ncame\n{came}\n\n(UPDATE=1 rewrites this)");
        lock (Moved) Rewrite(file, line, came);
    }

    static void Rewrite(string file, int line, string came)
    {
        var lines = File.ReadAllLines(file).ToList();
        if (!Moved.TryGetValue(file, out var moved)) Moved[file] = moved = [];
        int now = line + moved.Where(m => m.Line < line).Sum(m => m.Added);
        int start = lines.FindIndex(now - 1, text => text.TrimEnd().EndsWith(Quotes, StringComparison.Ordinal));
        int end = lines.FindIndex(start + 1, text => text.TrimStart().StartsWith(Quotes, StringComparison.Ordinal));
        if (start < 0 || end < 0) throw new InvalidOperationException($"no raw string literal at {file}:{line}");
        string indent = lines[end][..lines[end].IndexOf('"', StringComparison.Ordinal)];
        string[] content = [.. came.Split('\n').Select(text => text.Length == 0 ? "" : indent + text)];
        lines.RemoveRange(start + 1, end - start - 1);
        lines.InsertRange(start + 1, content);
        moved.Add((line, content.Length - (end - start - 1)));
        File.WriteAllLines(file, lines);
    }
}
