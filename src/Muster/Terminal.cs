using System.Text;
using Spectre.Console;

namespace Muster;

/// <summary>Where a command reads and writes: the process's streams, or a test's.</summary>
sealed class Terminal
{
    const int WidthWithoutScreen = 10_000;

    /// <summary>What the command has to say.</summary>
    public required TextWriter Out { get; init; }

    /// <summary>Mistakes and progress.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>What is piped in.</summary>
    public required TextReader In { get; init; }

    /// <summary>A person types at the keyboard; otherwise <see cref="In"/> is a pipe or a file.</summary>
    public bool HasKeyboard { get; init; }

    /// <summary>A person reads <see cref="Out"/>; otherwise it is a pipe or a file.</summary>
    public bool HasScreen { get; init; }

    /// <summary>A person reads <see cref="Error"/>.</summary>
    public bool ShowsProgress { get; init; }

    /// <summary>The streams of this process.</summary>
    public static Terminal OfProcess() => new()
    {
        Out = Console.Out,
        Error = Console.Error,
        In = Console.In,
        HasKeyboard = !Console.IsInputRedirected,
        HasScreen = !Console.IsOutputRedirected,
        ShowsProgress = !Console.IsErrorRedirected,
    };

    /// <summary>Asks for a password without showing it; from a pipe, reads a line. Null at the end of the
    /// input.</summary>
    public string? ReadPassword(string prompt)
    {
        if (!HasKeyboard) return In.ReadLine();
        Error.Write(prompt);
        var typed = new StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            switch (key.Key)
            {
                case ConsoleKey.Enter:
                    Error.WriteLine();
                    return typed.ToString();
                case ConsoleKey.Backspace:
                    if (typed.Length > 0) typed.Length--;
                    break;
                default:
                    if (key.KeyChar != '\0') typed.Append(key.KeyChar);
                    break;
            }
        }
    }

    /// <summary>Asks a person for a yes. Without a keyboard nobody is there to ask: yes.</summary>
    public bool Confirm(string question)
    {
        if (!HasKeyboard) return true;
        Error.Write($"{question} [y/N] ");
        return In.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }

    /// <summary>Writes a table. On a screen it fits the screen; elsewhere each row is one line.</summary>
    public void WriteTable(string[] columns, IEnumerable<string[]> rows)
    {
        var table = new Table { Border = TableBorder.None, ShowHeaders = true };
        foreach (string column in columns)
        {
            var header = new Text(column, new Style(decoration: Decoration.Bold));
            table.AddColumn(new TableColumn(header).PadLeft(0).PadRight(2));
        }
        foreach (string[] row in rows) table.AddRow(row.Select(cell => new Text(Clean(cell))));
        Write(table);
    }

    /// <summary>Writes names with their values, one a line.</summary>
    public void WriteFacts(IEnumerable<(string Name, string Value)> facts)
    {
        var all = facts.ToList();
        int width = all.Max(fact => fact.Name.Length);
        foreach (var (name, value) in all) Out.WriteLine($"{name.PadRight(width)}  {Clean(value)}");
    }

    /// <summary>Text of other people, without what would steer the terminal.</summary>
    public static string Clean(string text) => text.Any(char.IsControl)
        ? string.Concat(text.Select(c => c == '\n' ? '⏎' : char.IsControl(c) ? '\uFFFD' : c))
        : text;

    void Write(Table table)
    {
        // The library pads and may colour; what is piped into another program stays plain.
        var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = HasScreen ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(HasScreen ? Out : text),
        });
        if (!HasScreen) console.Profile.Width = WidthWithoutScreen;
        console.Write(table);
        foreach (string line in text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries))
            Out.WriteLine(line.TrimEnd());
    }
}
