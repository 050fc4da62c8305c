using System.Globalization;

namespace Muster.Server.Config;

/// <summary>A value of a TOML document, with the place where it stands, so that every complaint can name file, line and
/// column.</summary>
/// <remarks><see cref="Offset"/> is an index into the text of the document; <see cref="TomlDocument.At"/> makes line
/// and column of it.</remarks>
abstract class TomlValue(int offset)
{
    public int Offset { get; } = offset;

    /// <summary>What a message calls it, such as <c>the string "abc"</c>; long values are cut.</summary>
    public abstract string Description { get; }
}

sealed class TomlText(int offset, string value) : TomlValue(offset)
{
    public string Value { get; } = value;
    public override string Description => $"the string \"{TomlWriter.Show(Value)}\"";
}

sealed class TomlInteger(int offset, long value) : TomlValue(offset)
{
    public long Value { get; } = value;
    public override string Description => Value.ToString(CultureInfo.InvariantCulture);
}

sealed class TomlFloat(int offset, double value) : TomlValue(offset)
{
    public double Value { get; } = value;
    public override string Description => Value.ToString(CultureInfo.InvariantCulture);
}

sealed class TomlBoolean(int offset, bool value) : TomlValue(offset)
{
    public bool Value { get; } = value;
    public override string Description => Value ? "true" : "false";
}

/// <summary>Any of the four date and time kinds; which one follows from the parts that are there.</summary>
sealed class TomlMoment(int offset, DateOnly? date, TimeOnly? time, TimeSpan? zone) : TomlValue(offset)
{
    public DateOnly? Date { get; } = date;
    /// <summary>Kept to 100 ns; further digits are cut (TOML 1.0, "Offset Date-Time").</summary>
    public TimeOnly? Time { get; } = time;
    /// <summary>Distance to UTC of an offset date-time; not a DateTimeOffset, which knows ±14 hours only.</summary>
    public TimeSpan? Zone { get; } = zone;
    public override string Description => Time is null ? "a date" : Date is null ? "a time" : "a date and time";
}

sealed class TomlArray(int offset, bool ofTables) : TomlValue(offset)
{
    public List<TomlValue> Items { get; } = [];

    /// <summary>Made by <c>[[name]]</c> headers, and so still open for more of them.</summary>
    public bool OfTables { get; } = ofTables;

    /// <summary>Where each <c>[[name]]</c> header, or the value, stands: the place of a missing key.</summary>
    public override string Description => OfTables ? "an array of tables" : "an array";
}

/// <summary>How a table came to be, which decides who may still add to it (TOML 1.0, "Table", "Inline
/// Table").</summary>
enum TomlOrigin
{
    /// <summary>On the way to a header's name: <c>a</c> of <c>[a.b]</c>. One header of its own may follow.</summary>
    Implied,
    /// <summary>By its header, or an element of an array of tables. No second header.</summary>
    Header,
    /// <summary>By a dotted key: only further dotted keys under the same header add to it, and headers below
    /// it.</summary>
    Dotted,
    /// <summary>By braces: whole and closed.</summary>
    Inline,
}

sealed class TomlTable(int offset, TomlOrigin origin, int section) : TomlValue(offset)
{
    readonly Dictionary<string, TomlEntry> _byKey = new(StringComparer.Ordinal);
    readonly List<TomlEntry> _entries = [];

    public TomlOrigin Origin { get; set; } = origin;

    /// <summary>Ordinal of the header under which it was made; dotted keys may add to it there only.</summary>
    public int Section { get; } = section;

    /// <summary>In the order of the document.</summary>
    public IReadOnlyList<TomlEntry> Entries => _entries;

    public override string Description => "a table";

    public TomlEntry? Find(string key) => _byKey.GetValueOrDefault(key);

    /// <summary>The key must not be there yet.</summary>
    public void Add(TomlEntry entry)
    {
        _byKey.Add(entry.Key, entry);
        _entries.Add(entry);
    }
}

/// <summary>A key, its place and its value.</summary>
sealed record TomlEntry(string Key, int KeyOffset, TomlValue Value);

/// <summary>The one thing that reading TOML can throw: a document that is not TOML, as one line with its place and the
/// remedy.</summary>
sealed class TomlError(string file, int line, int column, string text) : Exception($"{file}:{line}:{column}: {text}")
{
    public string File { get; } = file;
    public int Line { get; } = line;
    public int Column { get; } = column;
    public string Text { get; } = text;
}
