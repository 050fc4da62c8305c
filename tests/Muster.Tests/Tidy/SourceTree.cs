using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Muster.Tests.Tidy;

/// <summary>A file of the repository as the tests of the sources see it.</summary>
sealed class SourceFile(string path, string text)
{
    SyntaxNode? _root;

    /// <summary>From the root of the repository, with slashes.</summary>
    public string Path { get; } = path;

    public string Text { get; } = text;

    public string[] Lines { get; } = text.Split('\n');

    /// <summary>The syntax tree of a C# file.</summary>
    public SyntaxNode Root => _root ??= CSharpSyntaxTree.ParseText(Text, SourceTree.Parsing).GetRoot();

    public static int Line(SyntaxNode node) => Line(node.GetLocation());

    public static int Line(Location location) => location.GetLineSpan().StartLinePosition.Line + 1;
}

/// <summary>The files of the repository that people write; nothing that a build, an installation or a script
/// makes.</summary>
static class SourceTree
{
    public static readonly CSharpParseOptions Parsing = new(LanguageVersion.Preview);

    static readonly string[] SourceFolders = ["src", "tests", "benchmarks", "scripts"];
    static readonly string[] MadeFolders = ["bin", "obj", "node_modules", "artifacts", "data", "TestResults"];
    static readonly string[] TextExtensions =
    [
        ".cs", ".csproj", ".props", ".targets", ".slnx", ".json", ".yml", ".toml", ".md", ".txt", ".sh", ".sql",
        ".html", ".css", ".js", ".mjs", ".py", "",
    ];

    /// <summary>The folder with the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>All C# files but generated ones.</summary>
    public static IReadOnlyList<SourceFile> CSharp { get; } =
        [.. from folder in SourceFolders
            from file in Files(new DirectoryInfo(Path.Combine(Root, folder)))
            where file.Name.EndsWith(".cs", StringComparison.Ordinal)
            where !file.Name.EndsWith(".g.cs", StringComparison.Ordinal)
            select Read(file)];

    /// <summary>All text files.</summary>
    public static IEnumerable<SourceFile> AllText =>
        from file in Files(new DirectoryInfo(Root))
        where TextExtensions.Contains(file.Extension)
        select Read(file);

    static IEnumerable<FileInfo> Files(DirectoryInfo folder)
    {
        if (!folder.Exists) return [];
        var below = folder.EnumerateDirectories()
            .Where(inner => inner.LinkTarget is null && !MadeFolders.Contains(inner.Name) && inner.Name != ".git");
        return folder.EnumerateFiles().Concat(below.SelectMany(Files));
    }

    static SourceFile Read(FileInfo file) =>
        new(Path.GetRelativePath(Root, file.FullName).Replace('\\', '/'), File.ReadAllText(file.FullName));

    static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Muster.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("no Muster.slnx above the tests");
    }
}

/// <summary>Something in a file that breaks a rule; printed so that an editor can jump to it.</summary>
sealed record Finding(string Path, int Line, string Rule)
{
    public override string ToString() => $"{Path}:{Line}: {Rule}";

    /// <summary>Fails with a list when there is any.</summary>
    public static void AssertNone(IEnumerable<Finding> findings)
    {
        var all = findings.OrderBy(finding => finding.Path, StringComparer.Ordinal)
            .ThenBy(finding => finding.Line).ToList();
        Assert.True(all.Count == 0, $"{all.Count} findings\n{string.Join('\n', all)}");
    }
}
