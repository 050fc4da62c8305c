using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Muster.Tests.Tidy;

/// <summary>Operators find a log line by its event id: each line has one of its own, in the range that its area
/// declares.</summary>
public sealed partial class EventIdTests
{
    [Fact]
    public void Every_log_line_has_an_id_of_its_own()
    {
        var ids = Areas().SelectMany(area => area.Ids.Select(id => (id, area.Name))).ToList();
        Assert.True(ids.Count > 40, "the log lines are found");
        Assert.Empty(ids.GroupBy(pair => pair.id).Where(same => same.Count() > 1)
            .Select(same => $"{same.Key}: {string.Join(", ", same.Select(pair => pair.Name))}"));
    }

    [Fact]
    public void Every_area_has_a_range_of_its_own_and_keeps_to_it()
    {
        var areas = Areas().OrderBy(area => area.From).ToList();
        Assert.All(areas, area => Assert.All(area.Ids, id => Assert.InRange(id, area.From, area.To)));
        foreach (var (before, after) in areas.Zip(areas.Skip(1)))
            Assert.True(before.To < after.From, $"{before.Name} and {after.Name} share event ids");
    }

    // A class with log lines says its range: "Event ids 3000 to 3099."
    static IEnumerable<(string Name, int From, int To, List<int> Ids)> Areas() =>
        from file in SourceTree.CSharp
        where file.Path.StartsWith("src/", StringComparison.Ordinal)
        from type in file.Root.DescendantNodes().OfType<ClassDeclarationSyntax>()
        let ids = type.DescendantNodes().OfType<AttributeSyntax>()
            .Where(attribute => attribute.Name.ToString() == "LoggerMessage")
            .Select(attribute => Number(attribute.ArgumentList!.Arguments[0].ToString())).ToList()
        where ids.Count > 0
        let range = Range().Match(type.GetLeadingTrivia().ToString())
        select range.Success
            ? (type.Identifier.Text, Number(range.Groups[1].Value), Number(range.Groups[2].Value), ids)
            : throw new InvalidOperationException($"{file.Path} does not say 'Event ids A to B'");

    static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    [GeneratedRegex("Event ids ([0-9]+) to ([0-9]+)")]
    private static partial Regex Range();
}
