using System.Text;

namespace Muster.Server.Config;

/// <summary>Writes down every option from its declaration: as a configuration file with comments, and as the page
/// docs/config.md.</summary>
static class ConfigDescription
{
    const int WidthMax = 100;

    /// <summary>Every table and option, in the order of their declaration.</summary>
    public static IReadOnlyList<OptionGroup> Groups()
    {
        var reading = new Reading(null, "/") { Describing = true };
        Section.Read(reading, null, static s => new ServerConfig(s));
        return [.. reading.Groups.Where(group => group.Path.Length > 0)];
    }

    /// <summary>A configuration file with every option at its default. Options without default, and tables that may be
    /// there more than once, are comments.</summary>
    public static string ToToml()
    {
        var text = new StringBuilder("# Every option of Muster with its default. A file needs only what is to be " +
            "otherwise.\n");
        foreach (var group in Groups())
        {
            text.Append('\n');
            Comment(text, group.Text + (NotYet.Has(group.Path) ? " (Not in this version yet: no effect.)" : ""));
            string mark = group.Repeats ? "# " : "";
            if (group.Options.Count == 0 && !group.Repeats) continue;
            text.Append(mark).Append(Header(group)).Append('\n');
            foreach (var option in group.Options)
            {
                Comment(text, option.Text + " " + Facts(option, group), "  ");
                string value = option.Default ?? option.Example ?? "...";
                text.Append("  ").Append(option.Default is null && mark.Length == 0 ? "# " : mark)
                    .Append(TomlWriter.Key(option.Key)).Append(" = ").Append(value).Append('\n');
            }
        }
        return text.ToString();
    }

    static string Header(OptionGroup group) => group.Kind switch
    {
        GroupKind.Many => $"[[{group.Path}]]",
        GroupKind.NamedLists => $"[[{group.Path}]]",
        _ => $"[{group.Path}]",
    };

    static string Facts(Option option, OptionGroup group)
    {
        string facts = IsAlone(option, group) ? "Not in this version yet: no effect; " : "";
        facts += Capital(option.Syntax) + (option.Unit.Length > 0 ? $", {option.Unit}" : "");
        if (option.Required) facts += "; must be given";
        else if (option.Default is null) facts += $"; not set: {option.Unset}";
        return $"({facts}; {(option.Reloads ? "reload" : "restart")}; {group.Source})";
    }

    /// <summary>Not there yet, though its table is.</summary>
    static bool IsAlone(Option option, OptionGroup group) => NotYet.Has(option.Path) && !NotYet.Has(group.Path);

    static void Comment(StringBuilder text, string words, string indent = "")
    {
        int width = 0;
        foreach (string word in words.Split(' '))
        {
            if (width == 0 || width + 1 + word.Length > WidthMax)
            {
                if (width > 0) text.Append('\n');
                text.Append(indent).Append('#');
                width = indent.Length + 1;
            }
            text.Append(' ').Append(word);
            width += 1 + word.Length;
        }
        text.Append('\n');
    }

    /// <summary>The page docs/config.md.</summary>
    public static string ToMarkdown()
    {
        var text = new StringBuilder(
            """
            # Configuration

            <!-- Made from the declarations in src/Muster.Server/Config; a test compares, UPDATE=1 writes it anew. -->

            One TOML file, `muster.toml` or `--config FILE`. Everything has a default: a file needs only what is
            to be otherwise, and none at all is fine for a first look. `muster config check` tells everything that
            is wrong with a file, `muster config describe` prints what stands here as a TOML file.

            An option that says *reload* is applied by SIGHUP or `muster config reload`; the others by a restart.
            "infinity" is written as a string. Relative file names start at the folder of the configuration file.


            """);
        foreach (var group in Groups()) Append(text, group);
        return text.ToString();
    }

    static void Append(StringBuilder text, OptionGroup group)
    {
        text.Append("## `").Append(Header(group)).Append("`\n\n").Append(Escape(group.Text));
        if (NotYet.Has(group.Path)) text.Append(" **Not in this version yet:** it is checked, but has no effect.");
        text.Append("\n\n");
        if (group.Options.Count > 0)
        {
            text.Append("Names from: ").Append(group.Source).Append(".\n\n")
                .Append("| option | value | default | unit | applied by | meaning |\n")
                .Append("| --- | --- | --- | --- | --- | --- |\n");
            foreach (var option in group.Options)
            {
                string @default = option.Required ? "must be given" : option.Default is null
                    ? $"not set: {Escape(option.Unset ?? "")}" : Code(option.Default);
                text.Append("| `").Append(option.Key).Append("` | ").Append(Escape(option.Syntax)).Append(" | ").Append(
                    @default)
                    .Append(" | ").Append(option.Unit).Append(" | ").Append(option.Reloads ? "reload" : "restart")
                    .Append(" | ").Append(IsAlone(option, group) ? "**Not in this version yet.** " : "")
                    .Append(Escape(option.Text)).Append(" |\n");
            }
            text.Append('\n');
        }
        if (group.Foreign.Count == 0) return;
        text.Append("Accepted for the sake of MongooseIM's configurations, without effect: ")
            .AppendJoin(", ", group.Foreign.Select(f => $"`{f.Key}` ({f.Why})")).Append(".\n\n");
    }

    static string Code(string literal) => "`" + literal.Replace("|", "\\|", StringComparison.Ordinal) + "`";

    static string Escape(string text) => text.Replace("|", "\\|", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal).Replace(
            "_", "\\_", StringComparison.Ordinal);

    static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
