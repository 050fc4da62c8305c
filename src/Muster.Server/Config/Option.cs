namespace Muster.Server.Config;

/// <summary>What values an option takes, as far as tests and tools need to know; <see cref="Option.Syntax"/> says it in
/// words.</summary>
enum OptionKind { Boolean, Integer, Number, Text, List }

/// <summary>
/// One option of the configuration as it was declared. Reading, checking, <c>config describe</c> and docs/config.md all
/// come from this one declaration.
/// </summary>
sealed record Option
{
    /// <summary>The full name with NAME for names that the operator chooses: <c>shaper.NAME.max_rate</c>.</summary>
    public required string Path { get; init; }
    public required string Key { get; init; }
    public required OptionKind Kind { get; init; }

    /// <summary>The values that are accepted, in words that complete "must be ...".</summary>
    public required string Syntax { get; init; }

    /// <summary>As TOML. Null: not set.</summary>
    public string? Default { get; init; }

    /// <summary>What happens while it is not set, for an option without default.</summary>
    public string? Unset { get; init; }

    /// <summary>Must be given wherever its table is; then <see cref="Example"/> is a valid value.</summary>
    public bool Required { get; init; }
    public string? Example { get; init; }

    /// <summary>Of a number; empty when it is a mere count or no number.</summary>
    public string Unit { get; init; } = "";
    public required string Text { get; init; }

    /// <summary>Whether a reload applies a change; otherwise the server must be started again.</summary>
    public required bool Reloads { get; init; }

    /// <summary>Its value is never shown.</summary>
    public bool Secret { get; init; }

    public long? Min { get; init; }
    public long? Max { get; init; }
}

/// <summary>How a table of options may be written.</summary>
enum GroupKind
{
    /// <summary><c>[name]</c>, at most once.</summary>
    One,
    /// <summary><c>[[name]]</c>, any number.</summary>
    Many,
    /// <summary><c>[name.NAME]</c>: the operator chooses NAME.</summary>
    Named,
    /// <summary><c>NAME = [{...}, ...]</c> in <c>[name]</c>.</summary>
    NamedLists,
}

/// <summary>A table of the configuration and its options, in the order of their declaration.</summary>
sealed record OptionGroup(string Path, GroupKind Kind, string Text, string Source, bool Reloads)
{
    public List<Option> Options { get; } = [];

    /// <summary>Keys of MongooseIM that are accepted and mean nothing here, with the reason.</summary>
    public List<(string Key, string Why)> Foreign { get; } = [];

    /// <summary>It may be there any number of times, as itself or inside such a table.</summary>
    public bool Repeats { get; init; }
}

/// <summary>The value that an option has: as TOML, null when it is not set. <paramref name="Path"/> names one place:
/// <c>listen.c2s[1].port</c>.</summary>
sealed record OptionValue(string Path, Option Option, string? Literal);

/// <summary>One thing that is wrong, or doubtful, in a configuration.</summary>
/// <param name="IsError">False: the server starts all the same.</param>
/// <param name="File">As the operator named it.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in characters.</param>
/// <param name="Key">Full name of the option, or empty when the file is no TOML.</param>
/// <param name="Text">What is wrong and what to do about it.</param>
sealed record ConfigProblem(bool IsError, string File, int Line, int Column, string Key, string Text)
{
    /// <summary>The one line that the operator reads.</summary>
    public override string ToString() =>
        $"{File}:{Line}:{Column}: {(IsError ? "" : "warning: ")}{Key}{(Key.Length > 0 ? ": " : "")}{Text}";
}
