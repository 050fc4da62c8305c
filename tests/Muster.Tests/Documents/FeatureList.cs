using System.Globalization;
using System.Text;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Muster.Testing;
using Muster.Tests.Tidy;

namespace Muster.Tests.Documents;

/// <summary>A part of the documented system.</summary>
/// <param name="Id">Two letters, with which the ids of its rows begin.</param>
/// <param name="Done">Every row must be named by a test.</param>
/// <param name="Text">What it is.</param>
sealed record FeatureArea(string Id, bool Done, string Text);

/// <summary>One documented option or behaviour.</summary>
/// <param name="Id">For example MU-12.</param>
/// <param name="Text">What it is.</param>
/// <param name="Default">What holds when nobody says otherwise, or "".</param>
sealed record FeatureRow(string Id, string Text, string Default)
{
    public string Area => Id[..2];
}

/// <summary>Where a test says which row it proves.</summary>
/// <param name="Row">The id that it names.</param>
/// <param name="Test">Folder, class and method, a class alone, or the file of a transcript.</param>
/// <param name="Path">The file, from the root of the repository.</param>
/// <param name="Line">The line.</param>
/// <param name="Outside">The test looks from outside: it runs a whole server and speaks with it.</param>
sealed record FeatureClaim(string Row, string Test, string Path, int Line, bool Outside);

/// <summary>The features of tests/Data/features.tsv and the tests that name them: <c>[Feature("MU-12")]</c> in all
/// test projects, <c>covers: MU-12</c> in transcripts. Sources are read instead of assemblies, so that the tests of a
/// project that needs real peers count without being built into this one.</summary>
sealed class FeatureList
{
    const string Tested = "tested";

    public List<FeatureArea> Areas { get; } = [];

    public List<FeatureRow> Rows { get; } = [];

    public List<FeatureClaim> Claims { get; } = [];

    /// <summary>The list and the tests of this repository.</summary>
    public static FeatureList OfRepository()
    {
        string data = File.ReadAllText(Path.Combine(SourceTree.Root, "tests", "Data", "features.tsv"));
        var files = SourceTree.CSharp.Where(file => file.Path.StartsWith("tests/", StringComparison.Ordinal));
        var list = new FeatureList(data, files);
        foreach (string file in TranscriptRunner.Files)
        {
            foreach (var (row, line) in TranscriptRunner.Rows(file))
                list.Claims.Add(new FeatureClaim(row, file, $"tests/Transcripts/{file}", line, Outside: true));
        }
        return list;
    }

    /// <param name="data">The list: id, feature and default, separated by tabs.</param>
    /// <param name="sources">Files with tests.</param>
    public FeatureList(string data, IEnumerable<SourceFile> sources)
    {
        foreach (string line in data.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#'))
        {
            string[] cells = line.Split('\t');
            if (cells[0] == "area") Areas.Add(new FeatureArea(cells[1], cells[2] == "done", cells[3]));
            else Rows.Add(new FeatureRow(cells[0], cells[1], cells[2]));
        }
        Claims.AddRange(sources.SelectMany(Find));
    }

    /// <summary>What is wrong: claims about rows that do not exist, and done rows that no test from outside
    /// names.</summary>
    public IEnumerable<string> Problems()
    {
        var known = Rows.Select(row => row.Id).ToHashSet();
        foreach (var claim in Claims.Where(claim => !known.Contains(claim.Row)))
            yield return $"{claim.Path}:{claim.Line}: {claim.Test} names {claim.Row}, which is no row";
        var done = Areas.Where(area => area.Done).Select(area => area.Id).ToHashSet();
        foreach (var row in Rows.Where(row => done.Contains(row.Area) && StateOf(row) != Tested))
            yield return $"{row.Id} is named by no test with a whole server: {row.Text}";
    }

    /// <summary>The page.</summary>
    public string ToMarkdown()
    {
        var page = new StringBuilder("""
            # Features and the tests that prove them

            <!-- Made from tests/Data/features.tsv and the tests; a test compares, UPDATE=1 writes it anew. -->

            Every option and behaviour of the documented system, and the tests that name it. A test is named by folder,
            class and method, a transcript by its file in `tests/Transcripts`. A row is *tested* when a test with a
            whole server names it, *core* when only tests of decisions do, and *open* when none does.

            | area | rows | tested |
            | --- | --- | --- |

            """.ReplaceLineEndings("\n"));
        foreach (var area in Areas)
        {
            var rows = Rows.Where(row => row.Area == area.Id).ToList();
            int tested = rows.Count(row => StateOf(row) == Tested);
            page.Append(CultureInfo.InvariantCulture,
                $"| [{area.Id}](#{area.Id.ToLowerInvariant()}) | {rows.Count} | {tested} |\n");
        }
        foreach (var area in Areas)
        {
            page.Append(CultureInfo.InvariantCulture, $"\n## {area.Id}\n\n{area.Text}\n\n");
            page.Append("| id | feature | default | state | tests |\n| --- | --- | --- | --- | --- |\n");
            foreach (var row in Rows.Where(row => row.Area == area.Id))
                page.AppendJoin(" | ", $"| {row.Id}", row.Text, row.Default, StateOf(row), TestsOf(row)).Append(" |\n");
        }
        return page.ToString();
    }

    string StateOf(FeatureRow row)
    {
        var claims = Claims.Where(claim => claim.Row == row.Id).ToList();
        return claims.Exists(claim => claim.Outside) ? Tested : claims.Count > 0 ? "core" : "open";
    }

    string TestsOf(FeatureRow row) => string.Join(", ", Claims.Where(claim => claim.Row == row.Id)
        .Select(claim => claim.Test).Distinct().Order(StringComparer.Ordinal));

    static IEnumerable<FeatureClaim> Find(SourceFile file) =>
        from attribute in file.Root.DescendantNodes().OfType<AttributeSyntax>()
        where attribute.Name.ToString() == "Feature"
        let member = (MemberDeclarationSyntax)attribute.Parent!.Parent!
        let test = FolderOf(file) + NameOf(member)
        from argument in attribute.ArgumentList!.Arguments
        let row = argument.Expression is LiteralExpressionSyntax literal ? literal.Token.ValueText : argument.ToString()
        select new FeatureClaim(row, test, file.Path, SourceFile.Line(attribute), StartsServer(member));

    /// <summary>Whether the class starts a server or runs the program.</summary>
    static bool StartsServer(MemberDeclarationSyntax member) =>
        member.FirstAncestorOrSelf<TypeDeclarationSyntax>()!.DescendantNodes().OfType<IdentifierNameSyntax>()
            .Any(name => name.Identifier.Text is "TestServer" or "ServerHost" or "SocketBench" or "CommandBench"
                or "ServerProcess");

    /// <summary>The folder inside the project, as names of classes are unique only there.</summary>
    static string FolderOf(SourceFile file)
    {
        string[] parts = file.Path.Split('/')[1..^1];
        if (parts is [var project, ..]) parts[0] = project == "Muster.Tests" ? "" : project["Muster.".Length..];
        return string.Concat(parts.Where(part => part.Length > 0).Select(part => part + "/"));
    }

    /// <summary>Class and method; an attribute where no test is proves nothing, and that is said instead.</summary>
    static string NameOf(MemberDeclarationSyntax member)
    {
        var type = member.FirstAncestorOrSelf<TypeDeclarationSyntax>();
        var methods = member is MethodDeclarationSyntax one ? [one] : member.DescendantNodes()
            .OfType<MethodDeclarationSyntax>().ToList();
        string name = $"{type?.Identifier}{(member is MethodDeclarationSyntax method ? $".{method.Identifier}" : "")}";
        if (!methods.Any(Runs)) throw new InvalidOperationException($"{name} names a feature, but is no test");
        return name;
    }

    static bool Runs(MethodDeclarationSyntax method) =>
        method.AttributeLists.SelectMany(list => list.Attributes).Any(attribute =>
            (attribute.Name.ToString().EndsWith("Fact", StringComparison.Ordinal)
                || attribute.Name.ToString().EndsWith("Theory", StringComparison.Ordinal))
            && attribute.ArgumentList?.Arguments.Any(a => a.NameEquals?.Name.Identifier.Text == "Skip") is not true);
}
