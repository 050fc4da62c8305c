using System.Globalization;
using System.Text;
using Muster.Server.Config;

namespace Muster.Tests.Config;

/// <summary>Every declared option, put into a file with values that it must refuse: made from the
/// declarations.</summary>
public sealed class ConfigOptionTests
{
    static readonly IReadOnlyList<OptionGroup> Groups = ConfigDescription.Groups();

    /// <summary>One test for each table: a test for each option would drown the others.</summary>
    public static TheoryData<string> Tables => [.. Groups.Where(g => g.Options.Count > 0).Select(g => g.Path)];

    [Theory]
    [MemberData(nameof(Tables))]
    public void A_value_of_the_wrong_type_is_one_problem_at_its_place(string table)
    {
        foreach (var (group, option) in OptionsOf(table))
        {
            // No option takes a time of day; the others are what people write by mistake.
            string[] wrong = option.Kind switch
            {
                OptionKind.Boolean => ["12:00:00", "0", "[true]", "'yes'"],
                OptionKind.Integer or OptionKind.Number => ["12:00:00", "true", "'10'", "[1]"],
                OptionKind.List => ["12:00:00", "1", "'one'", "[{}]", "[false]"],
                _ => ["12:00:00", "1.5", "true", "['text']", "{}"],
            };
            foreach (string value in wrong) RefusesAt(group, option, value);
        }
    }

    [Theory]
    [MemberData(nameof(Tables))]
    public void A_number_out_of_bounds_is_one_problem_at_its_place(string table)
    {
        foreach (var (group, option) in OptionsOf(table))
        {
            if (option.Min is { } min) RefusesAt(group, option, (min - 1).ToString(CultureInfo.InvariantCulture));
            if (option.Max is { } max) RefusesAt(group, option, (max + 1).ToString(CultureInfo.InvariantCulture));
            if (option.Max is not null) RefusesAt(group, option, "9223372036854775807");
        }
    }

    [Theory]
    [MemberData(nameof(Tables))]
    public void The_default_may_be_written_down(string table)
    {
        foreach (var (group, option) in OptionsOf(table))
        {
            if ((option.Default ?? option.Example) is not { } value) continue;
            var problems = ConfigCheck.Parse(Document(group, option, value).Text).Problems;
            Assert.DoesNotContain(problems, p => p.IsError);
        }
    }

    [Theory]
    [MemberData(nameof(Tables))]
    public void A_key_with_a_slip_of_the_pen_names_the_right_one(string table)
    {
        foreach (var (group, option) in OptionsOf(table))
        {
            string slip = option.Key[..^1] + "x" + option.Key[^1];
            var (text, line, column) = Document(group, option with { Key = slip }, "1");
            string problem = Assert.Single(ConfigCheck.Parse(text, "f").Problems, p => p.IsError).ToString();
            Assert.StartsWith($"f:{line}:{column - slip.Length - 3}: ", problem, StringComparison.Ordinal);
            Assert.EndsWith($"unknown key; did you mean '{option.Key}'?", problem, StringComparison.Ordinal);
        }
    }

    static void RefusesAt(OptionGroup group, Option option, string value)
    {
        var (text, line, column) = Document(group, option, value);
        var problem = Assert.Single(ConfigCheck.Parse(text, "dir/muster.toml").Problems, p => p.IsError);
        Assert.StartsWith($"dir/muster.toml:{line}:{column}: ", problem.ToString(), StringComparison.Ordinal);
        Assert.EndsWith($".{option.Key}", problem.Key, StringComparison.Ordinal);
        Assert.Contains($"must be {option.Syntax}", problem.Text, StringComparison.Ordinal);
        if (option.Secret) Assert.DoesNotContain(value, problem.Text, StringComparison.Ordinal);
    }

    static IEnumerable<(OptionGroup Group, Option Option)> OptionsOf(string table) =>
        Groups.Where(g => g.Path == table).SelectMany(g => g.Options.Select(o => (g, o)));

    /// <summary>A file that gives this option, and beside it only what its table must have.</summary>
    static (string Text, int Line, int Column) Document(OptionGroup group, Option option, string value)
    {
        var text = new StringBuilder("# one option\n");
        // The tables around it come first when they must have something.
        foreach (var around in Groups.Where(g => g != group && g.Repeats
            && group.Path.StartsWith(g.Path + ".", StringComparison.Ordinal)))
            AppendTable(text, around, except: null);
        foreach (var below in Groups.Where(g => g.Path.StartsWith(group.Path + ".", StringComparison.Ordinal)
            && g.Kind == GroupKind.One && g.Options.Exists(o => o.Required)))
            AppendTable(text, below, except: null);
        AppendTable(text, group, except: option.Key);
        int line = text.ToString().Count(c => c == '\n') + 1;
        string start = $"  {TomlWriter.Key(option.Key)} = ";
        text.Append(start).Append(value).Append('\n');
        return (text.ToString(), line, start.Length + 1);
    }

    static void AppendTable(StringBuilder text, OptionGroup group, string? except)
    {
        text.Append(group.Kind is GroupKind.Many or GroupKind.NamedLists ? $"[[{group.Path}]]\n" : $"[{group.Path}]\n");
        foreach (var required in group.Options.Where(o => o.Required && o.Key != except))
            text.Append(TomlWriter.Key(required.Key)).Append(" = ").Append(required.Example).Append('\n');
    }
}
